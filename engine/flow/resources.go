package flow

import (
	"bytes"
	"encoding/json"
	"errors"
	"fmt"
	"io/fs"
	"maps"
	"path"
	"slices"
	"strings"

	"gopkg.in/yaml.v3"

	"github.com/flowctl/flowctl/connectors"
	"github.com/flowctl/flowctl/schemas"
)

// ResourcesFolder stands beside app.yaml and holds the types of the records that
// the app's own systems have, as <connection>/<name>.json. They come before the
// types that are shipped: a custom field is known by them, and a field that the
// system does not have is a mistake.
const ResourcesFolder = "schemas"

// Bounds on the types of records. A model of Odoo with 400 fields has 60 KB.
const (
	maxResources     = 1000
	maxResourceBytes = 4 << 20
)

// resources are types of records by connection and name.
type resources map[string]map[string]*connectors.Schema

// find returns the type that "connection/name" stands for, the app's own before
// the shipped one.
func (r resources) find(ref string) (*connectors.Schema, bool) {
	connection, name, _ := strings.Cut(ref, "/")
	if own, ok := r[connection][name]; ok {
		return own, true
	}
	if schemas.HasResource(connection, name) {
		return schemas.Resource(connection, name), true
	}
	return nil, false
}

// names lists what find knows, sorted.
func (r resources) names() []string {
	all := schemas.Resources()
	for connection, own := range r {
		for name := range own {
			all = append(all, connection+"/"+name)
		}
	}
	slices.Sort(all)
	return slices.Compact(all)
}

// readResources reads the app's own types. Only what cannot be read at all is an
// error; what is no type is a diagnostic.
func (l *loader) readResources() error {
	files, err := fs.Glob(l.fsys, ResourcesFolder+"/*/*.json")
	if err != nil {
		return fmt.Errorf("reading %s: %w", path.Join(l.prefix, ResourcesFolder), err)
	}
	l.resources = resources{}
	l.app.resources = l.resources
	for i, file := range files {
		if i == maxResources {
			l.reportFile(file, 1, 1, SeverityError, "file-too-large", fmt.Sprintf("there are %d types; at most %d are read", len(files), maxResources))
			break
		}
		data, err := fs.ReadFile(l.fsys, file)
		if err != nil {
			return fmt.Errorf("reading %s: %w", path.Join(l.prefix, file), err)
		}
		if len(data) > maxResourceBytes {
			l.reportFile(file, 1, 1, SeverityError, "file-too-large", fmt.Sprintf("the file has %d bytes; at most %d are read", len(data), maxResourceBytes))
			continue
		}
		schema, err := connectors.ParseSchema(data)
		if err != nil {
			line, column := placeOf(data, err)
			l.app.Sources[path.Join(l.prefix, file)] = string(data)
			l.reportFile(file, line, column, SeverityError, "bad-schema", strings.TrimPrefix(err.Error(), "reading a schema: "))
			continue
		}
		connection := path.Base(path.Dir(file))
		if l.resources[connection] == nil {
			l.resources[connection] = map[string]*connectors.Schema{}
		}
		l.resources[connection][strings.TrimSuffix(path.Base(file), ".json")] = schema
	}
	return nil
}

func (l *loader) reportFile(file string, line, column int, severity Severity, code, message string) {
	l.findings = append(l.findings, Diagnostic{
		Position: Position{File: path.Join(l.prefix, file), Line: line, Column: column},
		Severity: severity, Code: code, Message: message,
		Hint: "flowctl schema pull writes these files",
	})
}

// placeOf is the line and column that an error of encoding/json is about.
func placeOf(data []byte, err error) (line, column int) {
	var (
		syntax *json.SyntaxError
		kind   *json.UnmarshalTypeError
		offset int64
	)
	switch {
	case errors.As(err, &syntax):
		offset = syntax.Offset
	case errors.As(err, &kind):
		offset = kind.Offset
	}
	before := data[:max(0, min(int(offset)-1, len(data)))]
	return 1 + bytes.Count(before, []byte("\n")), len(before) - bytes.LastIndexByte(before, '\n')
}

// retype lets a connector describe its records by the app's own types. Where
// they are refused the shipped ones stay.
func (l *loader) retype(d *document, key *yaml.Node, connector connectors.Connector) connectors.Connector {
	own := l.resources[key.Value]
	if len(own) == 0 {
		return connector
	}
	retyper, ok := connector.(connectors.Retyper)
	if !ok {
		d.reportNode(key, "bad-schema", "", "the connector %q has no records of named types, but there is a folder %s", connector.Spec().Name, path.Join(ResourcesFolder, key.Value))
		return connector
	}
	retyped, err := retyper.Retype(own)
	if err != nil {
		d.reportNode(key, "bad-schema", "flowctl schema pull writes these files", "%s: %v", path.Join(ResourcesFolder, key.Value), err)
		return connector
	}
	return retyped
}

// checkResources warns of types that no connection uses.
func (l *loader) checkResources() {
	for _, connection := range slices.Sorted(maps.Keys(l.resources)) {
		if _, ok := l.app.Connection(connection); ok {
			continue
		}
		for _, name := range slices.Sorted(maps.Keys(l.resources[connection])) {
			l.reportFile(path.Join(ResourcesFolder, connection, name+".json"), 1, 1, SeverityWarning, "unused-schema",
				fmt.Sprintf("there is no connection %q in %s", connection, AppFile))
		}
	}
}

// Resource finds the type of a connection's records by name: the app's own
// before the one that is shipped with the connector.
func (a *App) Resource(connection, name string) (*connectors.Schema, bool) {
	if own, ok := a.resources[connection][name]; ok {
		return own, true
	}
	if c, ok := a.Connection(connection); ok {
		connection = c.Spec.Name
	}
	return resources(nil).find(connection + "/" + name)
}
