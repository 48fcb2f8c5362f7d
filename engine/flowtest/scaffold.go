package flowtest

import (
	"context"
	"fmt"
	"slices"
	"strings"

	"gopkg.in/yaml.v3"

	"github.com/flowctl/flowctl/connectors"
	"github.com/flowctl/flowctl/engine/flow"
	"github.com/flowctl/flowctl/engine/value"
)

// Scaffold writes a first test of a flow: one case, with examples as what starts
// it and as what its calls answer, and with what then happens as what is
// expected. file is what messages call it, schema where test.schema.json is, seen
// from there.
func Scaffold(ctx context.Context, app *flow.App, f *flow.Flow, file, schema string) (string, error) {
	var b strings.Builder
	fmt.Fprintf(&b, "# yaml-language-server: $schema=%s\ntest: %s\nflow: %s\n\n", schema, strings.ReplaceAll(f.Name, "-", " "), f.Name)
	name, given := "event", f.Trigger.Event
	if f.Trigger.Input != nil {
		name, given = "input", f.Trigger.Input
	}
	if err := writeKey(&b, name, startExample(given)); err != nil {
		return "", err
	}
	if mocks := scaffoldMocks(f); len(mocks) > 0 {
		b.WriteString("\n# What calls are answered with. Fields that are left out are filled: give those that\n# matter, as result: {…}; with: {…} answers only calls with these parameters.\ncalls:\n")
		for _, mock := range mocks {
			fmt.Fprintf(&b, "  - call: %s\n", mock)
		}
	}
	b.WriteString("\ncases:\n  - name: with plain examples this happens\n")
	source := b.String()
	test, found := flow.LoadTest(app, file, source)
	if found.Failed() {
		return "", found
	}
	var results []Result
	for _, c := range test.Cases {
		results = append(results, RunCase(ctx, app, test, c))
	}
	return Update(source, results)
}

// startExample is what a case gives at first: of an input, what must be given.
func startExample(s *connectors.Schema) map[string]any {
	whole := *s
	whole.Nullable, whole.Default = false, nil
	record, _ := example(&whole, 0).(map[string]any)
	out := map[string]any{}
	for name, v := range record {
		property, _ := s.Property(name)
		if v == nil || property != nil && property.Default != nil {
			continue
		}
		out[name] = v
	}
	return out
}

func writeKey(b *strings.Builder, key string, v map[string]any) error {
	n := nodeOf(value.Plain(v))
	if len(v) == 0 {
		n.Style = yaml.FlowStyle
	}
	whole := &yaml.Node{Kind: yaml.MappingNode, Content: []*yaml.Node{scalarNode(key), n}}
	enc := yaml.NewEncoder(b)
	enc.SetIndent(2)
	if err := enc.Encode(whole); err != nil {
		return err
	}
	return enc.Close()
}

// scaffoldMocks are the calls that need an answer: those of connections, and of
// flows, which have tests of their own.
func scaffoldMocks(f *flow.Flow) []string {
	var names []string
	for _, s := range f.Steps {
		for _, c := range s.Calls() {
			own := c.Connection == "run" || c.Connection == flow.AppName && slices.Contains(remembering, c.Operation.Name)
			if !own && !slices.Contains(names, c.Name) {
				names = append(names, c.Name)
			}
		}
	}
	return names
}
