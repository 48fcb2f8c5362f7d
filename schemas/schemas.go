// Package schemas holds the JSON Schemas of flow, app and test files, and the
// types of the resources that connectors return.
package schemas

import (
	"embed"
	"fmt"
	"io/fs"
	"strings"

	"github.com/flowctl/flowctl/connectors"
)

// Files holds every schema by its path below this folder.
//
//go:embed *.json */*.json
var Files embed.FS

// Resource returns the type of a connector's resource from
// <connector>/<name>.json. It panics when the file is absent or unreadable: the
// files are part of the program.
func Resource(connector, name string) *connectors.Schema {
	path := connector + "/" + name + ".json"
	data, err := Files.ReadFile(path)
	if err != nil {
		panic(fmt.Sprintf("schemas: %v", err))
	}
	schema, err := connectors.ParseSchema(data)
	if err != nil {
		panic(fmt.Sprintf("schemas: %s: %v", path, err))
	}
	return schema
}

// HasResource tells whether Resource knows that type.
func HasResource(connector, name string) bool {
	_, err := fs.Stat(Files, connector+"/"+name+".json")
	return err == nil
}

// Resources lists the types that Resource knows, as <connector>/<name>, sorted.
func Resources() []string {
	paths, err := fs.Glob(Files, "*/*.json")
	if err != nil {
		panic(fmt.Sprintf("schemas: %v", err)) // the pattern is constant
	}
	for i, path := range paths {
		paths[i] = strings.TrimSuffix(path, ".json")
	}
	return paths
}
