package settings_test

import (
	"context"
	"strings"
	"testing"
	"testing/fstest"

	"github.com/flowctl/flowctl/connectors"
	"github.com/flowctl/flowctl/engine/flow"
	"github.com/flowctl/flowctl/engine/settings"
	"github.com/flowctl/flowctl/engine/store"
)

// paper is a system that needs an address and may have a key.
type paper struct{}

func (paper) Spec() connectors.Spec {
	return connectors.Spec{Name: "paper", Settings: connectors.Object(map[string]*connectors.Schema{
		"url": connectors.String(), "key": connectors.String().OrNull(), "page": connectors.Integer(),
	}, "url", "page")}
}

func (paper) Open(connectors.Config) (connectors.Connection, error) {
	return nil, connectors.Errorf(connectors.Permanent, connectors.CodeBadConfig, "it is made of paper")
}

func init() { connectors.Register(paper{}) }

const paperApp = `
app: paper
title: Paper
connections:
  paper:
    connector: paper
    settings:
      url: ${URL}
      key: ${settings.key}
      page: ${settings.page}
settings:
  - tab: all
    title: All
    fields:
      - {name: host, title: Host, type: text}
      - {name: fallback, title: Fallback, type: text}
      - {name: key, title: Key, type: secret}
      - {name: page, title: Page, type: integer, default: 1}
flows: [reads]
`

const paperFlow = `
flow: reads
title: Reads
trigger: {manual: {}}
steps:
  - name: nothing
    map: 1
`

func TestMissingNamesTheSettingsThatFillRequiredFields(t *testing.T) {
	t.Parallel()
	for name, test := range map[string]struct {
		url    string // the expression of the field
		given  map[string]string
		want   string
		anyway string // Empty
	}{
		"plain":                     {"settings.host", nil, "host", "host key"},
		"within a text":             {`settings.host == nil ? nil : "https://" + settings.host`, nil, "host", "host key"},
		"one of two":                {"coalesce(settings.host, settings.fallback)", nil, "host fallback", "host fallback key"},
		"given":                     {"settings.host", map[string]string{"host": "x"}, "", "key"},
		"the second is given":       {"coalesce(settings.host, settings.fallback)", map[string]string{"fallback": "x"}, "", "key"},
		"empty is not given":        {"settings.host", map[string]string{"host": ""}, "host", "host key"},
		"the optional one is given": {"settings.host", map[string]string{"key": "k"}, "host", "host"},
	} {
		t.Run(name, func(t *testing.T) {
			t.Parallel()
			app, found, err := flow.Load(fstest.MapFS{
				"app.yaml":   {Data: []byte(strings.Replace(paperApp, "${URL}", "|-\n        ${"+test.url+"}", 1))},
				"reads.yaml": {Data: []byte(paperFlow)},
			}, "flows")
			if err != nil || found.Failed() {
				t.Fatal(err, found)
			}
			st, err := store.Open(context.Background(), "sqlite::memory:")
			if err != nil {
				t.Fatal(err)
			}
			t.Cleanup(func() {
				if err := st.Close(); err != nil {
					t.Error(err)
				}
			})
			s := &settings.Settings{App: func() *flow.App { return app }, Store: st, Overrides: test.given, OverrideInstance: "main"}
			connection, _ := app.Connection("paper")
			missing, err := s.Missing(context.Background(), "main", connection)
			if err != nil || names(missing) != test.want {
				t.Errorf("missing %q, %v; want %q", names(missing), err, test.want)
			}
			empty, err := s.Empty(context.Background(), "main", connection)
			if err != nil || names(empty) != test.anyway {
				t.Errorf("empty %q, %v; want %q", names(empty), err, test.anyway)
			}
		})
	}
}

func names(all []flow.Setting) string {
	texts := make([]string, len(all))
	for i, s := range all {
		texts[i] = s.Name
	}
	return strings.Join(texts, " ")
}
