package odoo

import (
	"context"
	"encoding/json"
	"slices"
	"strings"
	"sync"
	"time"

	"golang.org/x/sync/singleflight"
)

const (
	// fieldsTTL is how long a model's fields are believed. Modules are installed
	// and fields added while flows run, but rarely.
	fieldsTTL = 10 * time.Minute
	// fieldsRefresh is how old they must be to be asked again because a name is
	// not among them: someone may just have made the field.
	fieldsRefresh = 5 * time.Second
)

// field is a field of a model as fields_get tells it.
type field struct {
	Type      string `json:"type"`
	Label     string `json:"string"`
	Relation  string `json:"relation"`
	Required  bool   `json:"required"`
	Readonly  bool   `json:"readonly"`
	Store     bool   `json:"store"`
	Selection []any  `json:"selection"`
}

// fieldAttributes are what is asked of fields_get.
var fieldAttributes = []string{"type", "string", "relation", "required", "readonly", "store", "selection"}

// modelFields are the fields of a model on this server, by the server's names.
type modelFields struct {
	model  string
	byName map[string]field
	asked  time.Time
}

// resolve finds the field that a flow names, and the server's name of it.
func (m *modelFields) resolve(name string) (string, field, bool) {
	if f, ok := m.byName[name]; ok {
		return name, f, true
	}
	if older, ok := olderName(m.model, name); ok {
		if f, ok := m.byName[older]; ok {
			return older, f, true
		}
	}
	return "", field{}, false
}

// flowName is the name by which flows know one of the server's fields.
func (m *modelFields) flowName(remote string) string {
	if newer, ok := newerName(m.model, remote); ok {
		if _, both := m.byName[newer]; !both {
			return newer
		}
	}
	return remote
}

// names lists the fields by the names of flows, sorted.
func (m *modelFields) names() []string {
	names := make([]string, 0, len(m.byName))
	for remote := range m.byName {
		names = append(names, m.flowName(remote))
	}
	slices.Sort(names)
	return slices.Compact(names)
}

// unknown is the error for a name that is no field, with a name it may have
// been meant to be.
func (m *modelFields) unknown(name string, version Version) error {
	text := "%s has no field %q in this Odoo"
	if version.Text != "" {
		text += " (" + version.Text + ")"
	}
	if near := m.nearest(name); near != "" {
		return badParams(text+"; did you mean %q?", m.model, name, near)
	}
	return badParams(text, m.model, name)
}

// nearest finds the field whose name is at most two edits away.
func (m *modelFields) nearest(name string) string {
	best, bestDistance := "", 3
	for _, candidate := range m.names() {
		if d := editDistance(name, candidate, bestDistance); d < bestDistance {
			best, bestDistance = candidate, d
		}
	}
	return best
}

// editDistance counts the edits between two names, or gives limit when they are
// that many or more.
func editDistance(a, b string, limit int) int {
	if len(a)-len(b) >= limit || len(b)-len(a) >= limit {
		return limit
	}
	row := make([]int, len(b)+1)
	for j := range row {
		row[j] = j
	}
	for i := 1; i <= len(a); i++ {
		diagonal := row[0]
		row[0] = i
		for j := 1; j <= len(b); j++ {
			cost := diagonal
			if a[i-1] != b[j-1] {
				cost++
			}
			diagonal = row[j]
			row[j] = min(cost, row[j]+1, row[j-1]+1)
		}
	}
	return min(row[len(b)], limit)
}

// fieldCache asks for the fields of models once.
type fieldCache struct {
	remote transport
	calls  singleflight.Group
	now    func() time.Time

	mu     sync.Mutex
	models map[string]*modelFields
}

func newFieldCache(remote transport) *fieldCache {
	return &fieldCache{remote: remote, now: time.Now, models: map[string]*modelFields{}}
}

// of returns the fields of a model.
func (c *fieldCache) of(ctx context.Context, model string) (*modelFields, error) {
	return c.youngerThan(ctx, model, fieldsTTL)
}

func (c *fieldCache) youngerThan(ctx context.Context, model string, age time.Duration) (*modelFields, error) {
	c.mu.Lock()
	known := c.models[model]
	c.mu.Unlock()
	if known != nil && c.now().Sub(known.asked) < age {
		return known, nil
	}
	call := c.calls.DoChan(model, func() (any, error) {
		return c.ask(context.WithoutCancel(ctx), model)
	})
	select {
	case <-ctx.Done():
		return nil, unreachable(ctx.Err(), "transient", model+".fields_get")
	case answer := <-call:
		if answer.Err != nil {
			return nil, answer.Err
		}
		return answer.Val.(*modelFields), nil
	}
}

// lookup finds a field that a flow names. A name that is unknown is asked for
// again when the fields are not quite new.
func (c *fieldCache) lookup(ctx context.Context, m *modelFields, name string) (string, field, bool, error) {
	if remote, f, ok := m.resolve(name); ok {
		return remote, f, true, nil
	}
	fresh, err := c.youngerThan(ctx, m.model, fieldsRefresh)
	if err != nil {
		return "", field{}, false, err
	}
	remote, f, ok := fresh.resolve(name)
	return remote, f, ok, nil
}

func (c *fieldCache) ask(ctx context.Context, model string) (*modelFields, error) {
	raw, err := c.remote.execute(ctx, invocation{
		model:  model,
		method: "fields_get",
		kwargs: map[string]any{"attributes": fieldAttributes},
	})
	if err != nil {
		return nil, err
	}
	fields := &modelFields{model: model, asked: c.now()}
	if err := json.Unmarshal(raw, &fields.byName); err != nil || len(fields.byName) == 0 {
		return nil, unreadable(model, "fields_get", raw, err)
	}
	c.mu.Lock()
	defer c.mu.Unlock()
	c.models[model] = fields
	return fields, nil
}

// selectionValues lists the values of a selection field.
func (f field) selectionValues() []any {
	values := make([]any, 0, len(f.Selection))
	for _, pair := range f.Selection {
		if p, ok := pair.([]any); ok && len(p) > 0 {
			values = append(values, p[0])
		}
	}
	return values
}

// isMany tells whether values are lists of records.
func (f field) isMany() bool { return strings.HasSuffix(f.Type, "2many") }
