package woocommerce

import (
	"bytes"
	_ "embed"
	"encoding/json"
	"fmt"
	"maps"
	"slices"
	"strings"
	"sync"

	"gopkg.in/yaml.v3"

	"github.com/flowctl/flowctl/connectors"
	"github.com/flowctl/flowctl/schemas"
)

//go:embed operations.yaml
var operationsFile []byte

// shape is the form of an operation's answer.
type shape int

const (
	shapeRecord shape = iota
	shapeList
	shapeBatch
)

// place is where a parameter goes in the request.
type place string

const (
	inPath  place = "path"
	inQuery place = "query"
	inBody  place = "body"
	// wholeBody parameters are the body itself: the values of a record.
	wholeBody place = "whole body"
)

// operation is an operation with what is needed to perform it.
type operation struct {
	connectors.Operation
	Method string
	Path   string // below /wp-json/wc/v3, with {name} for path parameters
	Paged  bool
	Places map[string]place
	shape  shape
}

// book holds all operations.
type book struct {
	operations []*operation
	byName     map[string]*operation
}

// catalogue reads operations.yaml once. A mistake in it panics: the file is
// part of the program, and a test reads it.
var catalogue = sync.OnceValue(func() book {
	b, err := loadOperations(operationsFile)
	if err != nil {
		panic("woocommerce: operations.yaml: " + err.Error())
	}
	return b
})

// The form of operations.yaml.
type (
	operationsDocument struct {
		// Params shared by name: a set of parameters that several operations take.
		Params     map[string]yaml.Node `yaml:"params"`
		Operations []operationEntry     `yaml:"operations"`
	}
	operationEntry struct {
		Name    string               `yaml:"name"`
		Title   string               `yaml:"title"`
		Summary string               `yaml:"summary"`
		Method  string               `yaml:"method"`
		Path    string               `yaml:"path"`
		Effect  connectors.Effect    `yaml:"effect"`
		Repeat  connectors.Repeat    `yaml:"repeat"`
		Use     []string             `yaml:"use"`
		Params  map[string]yaml.Node `yaml:"params"`
		// One of: what the answer holds.
		Result string `yaml:"result"`
		List   string `yaml:"list"`
		Batch  string `yaml:"batch"`
		// Unpaged lists come whole.
		Unpaged bool `yaml:"unpaged"`
	}
)

func loadOperations(data []byte) (book, error) {
	decoder := yaml.NewDecoder(bytes.NewReader(data))
	decoder.KnownFields(true)
	var document operationsDocument
	if err := decoder.Decode(&document); err != nil {
		return book{}, err
	}
	b := book{byName: map[string]*operation{}}
	for _, entry := range document.Operations {
		op, err := entry.build(document.Params)
		if err != nil {
			return book{}, fmt.Errorf("%s: %w", entry.Name, err)
		}
		if _, twice := b.byName[op.Name]; twice {
			return book{}, fmt.Errorf("%s: declared twice", op.Name)
		}
		b.byName[op.Name] = op
		b.operations = append(b.operations, op)
	}
	return b, nil
}

func (entry operationEntry) build(shared map[string]yaml.Node) (*operation, error) {
	op := &operation{
		Operation: connectors.Operation{
			Name: entry.Name, Title: entry.Title, Summary: strings.TrimSpace(entry.Summary),
			Effect: entry.Effect, Repeat: entry.Repeat,
		},
		Method: entry.Method, Path: entry.Path, Places: map[string]place{},
	}
	if (entry.Effect == connectors.Read) != (entry.Repeat == "") {
		return nil, fmt.Errorf("repeat is for writes, and every write has one")
	}
	if (entry.Effect == connectors.Read) != (entry.Method == "GET") {
		return nil, fmt.Errorf("method %s does not go with effect %s", entry.Method, entry.Effect)
	}
	switch {
	case entry.List != "":
		op.shape, op.Paged = shapeList, !entry.Unpaged
		op.Result = listOf(schemas.Resource(Name, entry.List))
	case entry.Batch != "":
		op.shape = shapeBatch
		op.Result = batchOf(schemas.Resource(Name, entry.Batch))
	case entry.Result != "":
		op.Result = schemas.Resource(Name, entry.Result)
	default:
		return nil, fmt.Errorf("none of result, list and batch is given")
	}
	nodes := map[string]yaml.Node{}
	for _, set := range entry.Use {
		node, ok := shared[set]
		if !ok {
			return nil, fmt.Errorf("no shared parameters named %q", set)
		}
		var more map[string]yaml.Node
		if err := node.Decode(&more); err != nil {
			return nil, err
		}
		maps.Copy(nodes, more)
	}
	maps.Copy(nodes, entry.Params)
	return op, op.addParams(nodes)
}

func (op *operation) addParams(nodes map[string]yaml.Node) error {
	op.Params = connectors.Object(map[string]*connectors.Schema{})
	for _, name := range slices.Sorted(maps.Keys(nodes)) {
		node := nodes[name]
		var raw map[string]any
		if err := node.Decode(&raw); err != nil {
			return fmt.Errorf("param %s: %w", name, err)
		}
		if required, _ := raw["required"].(bool); required {
			op.Params.Required = append(op.Params.Required, name)
		}
		op.Places[name] = op.placeOf(name, raw)
		schema, err := paramSchema(raw)
		if err != nil {
			return fmt.Errorf("param %s: %w", name, err)
		}
		op.Params.Properties[name] = schema
	}
	for _, name := range pathNames(op.Path) {
		if op.Places[name] != inPath || !slices.Contains(op.Params.Required, name) {
			return fmt.Errorf("path parameter %s is not declared as required", name)
		}
	}
	return nil
}

func (op *operation) placeOf(name string, raw map[string]any) place {
	switch {
	case strings.Contains(op.Path, "{"+name+"}"):
		return inPath
	case raw["values"] != nil:
		return wholeBody
	case op.Method == "GET" || op.Method == "DELETE":
		return inQuery
	}
	return inBody
}

// paramSchema reads a parameter's schema. Two short forms name a resource: its
// values to write, or a list of them. The fields the shop sets are left out
// (except), fields that are only written are added (also).
//
//	values: product                # an object of the product's writable fields
//	values_list: product           # a list of them
func paramSchema(raw map[string]any) (*connectors.Schema, error) {
	raw = maps.Clone(raw)
	delete(raw, "required")
	resource, isList := raw["values"], false
	if resource == nil {
		resource, isList = raw["values_list"], raw["values_list"] != nil
	}
	if resource == nil {
		text, err := json.Marshal(raw)
		if err != nil {
			return nil, err
		}
		return connectors.ParseSchema(text)
	}
	var except []string
	for _, field := range asList(raw["except"]) {
		except = append(except, fmt.Sprint(field))
	}
	name, ok := resource.(string)
	if !ok {
		return nil, fmt.Errorf("values must name a resource")
	}
	schema := writable(schemas.Resource(Name, name), "", except)
	more, _ := raw["also"].(map[string]any)
	for field, form := range more {
		text, err := json.Marshal(form)
		if err != nil {
			return nil, err
		}
		if schema.Properties[field], err = connectors.ParseSchema(text); err != nil {
			return nil, err
		}
	}
	if text, ok := raw["description"].(string); ok {
		schema.Description = text
	}
	if isList {
		return connectors.Array(schema).Described(schema.Description), nil
	}
	return schema, nil
}

func asList(raw any) []any {
	list, _ := raw.([]any)
	return list
}

func pathNames(path string) []string {
	var names []string
	for segment := range strings.SplitSeq(path, "/") {
		if name, ok := strings.CutPrefix(segment, "{"); ok {
			names = append(names, strings.TrimSuffix(name, "}"))
		}
	}
	return names
}
