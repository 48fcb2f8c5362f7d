package woocommerce

import (
	"encoding/json"
	"fmt"
	"maps"
	"math"
	"net/http"
	"regexp"
	"slices"
	"strings"
	"time"

	"gopkg.in/yaml.v3"

	"github.com/flowctl/flowctl/connectors"
)

// shape is the form of an operation's answer.
type shape int

const (
	shapeRecord shape = iota
	shapeList
	shapeBatch
)

// The ways to walk a list behind a cursor.
const (
	walkModified = "modified"
	walkID       = "id"
)

// coreNamespace is where WooCommerce's own addresses are.
const coreNamespace = "wc/v3"

// indexNamespace stands for the index of the whole API, which is public.
const indexNamespace = "/"

// operation is an operation with what is needed to perform it.
type operation struct {
	connectors.Operation
	Method    string
	Namespace string
	Path      string // below the namespace, with {name} for path parameters
	Paged     bool
	Places    map[string]place
	shape     shape
	walk      string
	pages     *operation    // of a walk: the list it reads
	keep      time.Duration // how long answers are kept; 0 for not at all
	rules     map[string]rules
	zero      map[string]bool // ids that may be 0
	readBack  *readBack
	optional  bool
}

// namespacePattern: WooCommerce looks at its keys below these namespaces only.
var namespacePattern = regexp.MustCompile(`^wc(-[a-z0-9_-]+)?/[a-z0-9_./-]*[a-z0-9]$`)

func (entry operationEntry) build(b *book) (*operation, error) {
	op := &operation{
		Operation: connectors.Operation{
			Name: entry.Name, Title: entry.Title, Summary: strings.TrimSpace(entry.Summary),
			Effect: entry.Effect, Repeat: entry.Repeat,
		},
		Method: entry.Method, Namespace: entry.Namespace, Path: entry.Path, Places: map[string]place{},
		walk: entry.Walk, readBack: entry.ReadBack, optional: entry.Optional, rules: map[string]rules{}, zero: map[string]bool{},
	}
	switch {
	case op.Namespace == "":
		op.Namespace = coreNamespace
	case op.Namespace == indexNamespace && op.Path == "/" && op.Effect == connectors.Read:
		op.Namespace, op.Path = "", ""
	}
	if op.Title == "" {
		op.Title = op.Name
	}
	if err := entry.check(op); err != nil {
		return nil, err
	}
	if entry.Keep != "" {
		var err error
		if op.keep, err = time.ParseDuration(entry.Keep); err != nil {
			return nil, fmt.Errorf("keep: %w", err)
		}
	}
	if err := entry.shapeOf(b, op); err != nil {
		return nil, err
	}
	nodes := map[string]yaml.Node{}
	for _, set := range entry.Use {
		more, ok := b.params[set]
		if !ok {
			return nil, fmt.Errorf("no shared parameters named %q", set)
		}
		maps.Copy(nodes, more)
	}
	maps.Copy(nodes, entry.Params)
	return op, op.addParams(b, nodes)
}

var (
	methods = []string{http.MethodGet, http.MethodPost, http.MethodPut, http.MethodDelete}
	effects = []connectors.Effect{connectors.Read, connectors.Create, connectors.Update, connectors.Delete}
	repeats = []connectors.Repeat{"", connectors.Idempotent, connectors.NaturalKey, connectors.ReadBack, connectors.Unrepeatable}
)

// check refuses what does not fit together.
func (entry operationEntry) check(op *operation) error {
	reads := entry.Effect == connectors.Read
	switch {
	case !slices.Contains(methods, entry.Method):
		return fmt.Errorf("method is %q, and must be GET, POST, PUT or DELETE", entry.Method)
	case !slices.Contains(effects, entry.Effect):
		return fmt.Errorf("effect is %q, and must be read, create, update or delete", entry.Effect)
	case !slices.Contains(repeats, entry.Repeat):
		return fmt.Errorf("repeat is %q, and must be idempotent, natural key, read back or unrepeatable", entry.Repeat)
	case reads != (entry.Repeat == ""):
		return fmt.Errorf("repeat is for writes, and every write has one")
	case reads != (entry.Method == http.MethodGet):
		return fmt.Errorf("method %s does not go with effect %s", entry.Method, entry.Effect)
	case op.Namespace == "" && op.Path == "":
		// the API's index
	case !namespacePattern.MatchString(op.Namespace):
		return fmt.Errorf("namespace %q does not begin with wc/ or wc-, so the shop would not look at the key", op.Namespace)
	case !strings.HasPrefix(entry.Path, "/") || strings.ContainsAny(entry.Path, "?#%"):
		return fmt.Errorf("path %q must begin with / and hold no query", entry.Path)
	case entry.Repeat == connectors.ReadBack && entry.ReadBack == nil:
		return fmt.Errorf("repeat is read back, and read_back does not say how")
	case entry.ReadBack != nil && (reads || len(entry.ReadBack.Same) == 0):
		return fmt.Errorf("read_back is for writes, and needs the fields that are the same")
	case entry.Keep != "" && !reads:
		return fmt.Errorf("keep is for reads")
	case entry.Walk != "" && entry.Walk != walkModified && entry.Walk != walkID:
		return fmt.Errorf("walk is %q, and must be modified or id", entry.Walk)
	}
	return nil
}

// shapeOf reads what the answer holds.
func (entry operationEntry) shapeOf(b *book, op *operation) error {
	given := 0
	for _, one := range []struct {
		node  yaml.Node
		shape shape
	}{{entry.Result, shapeRecord}, {entry.List, shapeList}, {entry.Batch, shapeBatch}} {
		if one.node.IsZero() {
			continue
		}
		given++
		record, err := b.resourceOrSchema(one.node)
		if err != nil {
			return err
		}
		op.shape = one.shape
		switch one.shape {
		case shapeRecord:
			op.Result = record
		case shapeList:
			op.Paged = !entry.Unpaged
			op.Result = listOf(record)
			if op.walk != "" {
				op.pages = &operation{Operation: op.Operation, Paged: true, shape: shapeList}
				op.Result = pageOf(record)
			}
		case shapeBatch:
			op.Result = batchOf(record)
		}
	}
	if given != 1 {
		return fmt.Errorf("one of result, list and batch must be given")
	}
	if op.walk != "" && op.shape != shapeList {
		return fmt.Errorf("walk is for lists")
	}
	return nil
}

// resourceOrSchema reads the name of a resource of schemas/woocommerce, or a
// schema that stands there itself.
func (b *book) resourceOrSchema(node yaml.Node) (*connectors.Schema, error) {
	if node.Kind == yaml.ScalarNode {
		return b.resource(node.Value)
	}
	var raw any
	if err := node.Decode(&raw); err != nil {
		return nil, err
	}
	return schemaOf(raw)
}

func schemaOf(raw any) (*connectors.Schema, error) {
	text, err := json.Marshal(raw)
	if err != nil {
		return nil, err
	}
	schema, err := connectors.ParseSchema(text)
	if err != nil {
		return nil, err
	}
	if n, ok := schema.Default.(float64); ok && n == math.Trunc(n) { // JSON knows no whole numbers
		schema.Default = int64(n)
	}
	return schema, nil
}
