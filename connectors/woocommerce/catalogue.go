package woocommerce

import (
	"bytes"
	"embed"
	"errors"
	"fmt"
	"io"
	"io/fs"
	"maps"
	"sync"

	"gopkg.in/yaml.v3"

	"github.com/flowctl/flowctl/connectors"
	"github.com/flowctl/flowctl/schemas"
)

//go:embed operations/*.yaml
var operationFiles embed.FS

// book holds operations, and what they are built from.
type book struct {
	params     map[string]map[string]yaml.Node
	resources  map[string]resourceEntry
	types      map[string]*connectors.Schema // of records, before the shipped ones
	operations []*operation
	byName     map[string]*operation
}

// catalogue reads the operations that every shop has, once. A mistake in the
// files panics: they are part of the program, and a test reads them.
var catalogue = sync.OnceValue(func() *book {
	b, err := loadCatalogue(operationFiles, nil)
	if err != nil {
		panic("woocommerce: " + err.Error())
	}
	return b
})

// The form of the files in operations/.
type (
	operationsDocument struct {
		// Params by name: a set of parameters that several operations take.
		Params     map[string]map[string]yaml.Node `yaml:"params"`
		Resources  map[string]resourceEntry        `yaml:"resources"`
		Operations []operationEntry                `yaml:"operations"`
	}
	// resourceEntry is what may be written of a resource.
	resourceEntry struct {
		SetByShop   []string            `yaml:"set_by_shop"`
		Also        map[string]any      `yaml:"also"`
		NotNegative []string            `yaml:"not_negative"`
		Below       map[string]string   `yaml:"below"`
		Needs       map[string]string   `yaml:"needs"`
		OneOf       map[string][]string `yaml:"one_of"`
	}
	operationEntry struct {
		Name      string               `yaml:"name"`
		Title     string               `yaml:"title"`
		Summary   string               `yaml:"summary"`
		Namespace string               `yaml:"namespace"`
		Method    string               `yaml:"method"`
		Path      string               `yaml:"path"`
		Effect    connectors.Effect    `yaml:"effect"`
		Repeat    connectors.Repeat    `yaml:"repeat"`
		Use       []string             `yaml:"use"`
		Params    map[string]yaml.Node `yaml:"params"`
		// One of: what the answer holds, a resource's name or a schema.
		Result  yaml.Node `yaml:"result"`
		List    yaml.Node `yaml:"list"`
		Batch   yaml.Node `yaml:"batch"`
		Unpaged bool      `yaml:"unpaged"`
		Walk    string    `yaml:"walk"`
		Keep    string    `yaml:"keep"`
		// Optional: a shop without this address has no such records.
		Optional bool `yaml:"optional"`
		// ReadBack finds out whether a write happened.
		ReadBack *readBack `yaml:"read_back"`
	}
)

// loadCatalogue reads every file: first what they share, then the operations.
// types are those of records that come before the shipped ones.
func loadCatalogue(files fs.FS, types map[string]*connectors.Schema) (*book, error) {
	names, err := fs.Glob(files, "operations/*.yaml")
	if err != nil {
		return nil, err
	}
	b := &book{types: types, params: map[string]map[string]yaml.Node{}, resources: map[string]resourceEntry{}, byName: map[string]*operation{}}
	documents := make([]operationsDocument, len(names))
	for i, name := range names {
		data, err := fs.ReadFile(files, name)
		if err != nil {
			return nil, err
		}
		if documents[i], err = readDocument(data); err != nil {
			return nil, fmt.Errorf("%s: %w", name, err)
		}
		maps.Copy(b.params, documents[i].Params)
		maps.Copy(b.resources, documents[i].Resources)
	}
	for i, document := range documents {
		if err := b.add(document.Operations); err != nil {
			return nil, fmt.Errorf("%s: %w", names[i], err)
		}
	}
	return b, b.resolve(b.operations)
}

// resource is the type of a record by its name.
func (b *book) resource(name string) (*connectors.Schema, error) {
	if own, ok := b.types[name]; ok {
		return own, nil
	}
	if !schemas.HasResource(Name, name) {
		return nil, fmt.Errorf("there is no resource named %q", name)
	}
	return schemas.Resource(Name, name), nil
}

func readDocument(data []byte) (operationsDocument, error) {
	decoder := yaml.NewDecoder(bytes.NewReader(data))
	decoder.KnownFields(true)
	var document operationsDocument
	if err := decoder.Decode(&document); err != nil && !errors.Is(err, io.EOF) {
		return document, err
	}
	return document, nil
}

func (b *book) add(entries []operationEntry) error {
	for _, entry := range entries {
		if entry.Name == "" {
			return errors.New("an operation without a name")
		}
		op, err := entry.build(b)
		if err != nil {
			return fmt.Errorf("%s: %w", entry.Name, err)
		}
		if _, twice := b.byName[op.Name]; twice {
			return fmt.Errorf("%s: there is such an operation already", op.Name)
		}
		b.byName[op.Name] = op
		b.operations = append(b.operations, op)
	}
	return nil
}

// resolve finds the operations that others read back by.
func (b *book) resolve(operations []*operation) error {
	for _, op := range operations {
		b.setPresent(op)
		if op.readBack == nil {
			continue
		}
		list, ok := b.byName[op.readBack.List]
		if !ok || list.shape != shapeList || list.walk != "" {
			return fmt.Errorf("%s: read_back: there is no list named %q", op.Name, op.readBack.List)
		}
		for name := range op.readBack.By {
			if _, ok := list.Params.Property(name); !ok {
				return fmt.Errorf("%s: read_back: %s has no parameter %q", op.Name, list.Name, name)
			}
		}
		op.readBack.list = list
	}
	return nil
}

// extended is the book with more operations, which an app declares.
func (b *book) extended(declared []map[string]any) (*book, error) {
	text, err := yaml.Marshal(map[string]any{"operations": declared})
	if err != nil {
		return nil, err
	}
	document, err := readDocument(text)
	if err != nil {
		return nil, err
	}
	more := &book{types: b.types, params: b.params, resources: b.resources, byName: maps.Clone(b.byName), operations: b.operations[:len(b.operations):len(b.operations)]}
	if err := more.add(document.Operations); err != nil {
		return nil, err
	}
	return more, more.resolve(more.operations[len(b.operations):])
}
