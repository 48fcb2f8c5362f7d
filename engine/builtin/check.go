package builtin

import (
	"context"
	"fmt"
	"slices"
	"strings"
	"time"

	"github.com/flowctl/flowctl/connectors"
	"github.com/flowctl/flowctl/engine/flow"
)

// checkTime bounds a look at a system.
const checkTime = 2 * time.Minute

// publicURLSetting is the setting that says where other systems reach us. An app
// need not have it.
const publicURLSetting = "public_url"

// check looks how a connection's system is set up. Whatever is wrong is a
// finding; only the store's failure is an error.
func (c *connection) check(ctx context.Context, name string) (any, error) {
	declared, ok := c.App().Connection(name)
	if !ok {
		return nil, badParams("there is no connection %q in app.yaml", name)
	}
	found, err := c.findings(ctx, declared)
	if err != nil {
		return nil, err
	}
	listed, fine := []any{}, true
	for _, f := range found {
		fine = fine && f.Level != connectors.Fail
		listed = append(listed, map[string]any{
			"name": f.Check, "ok": f.Level != connectors.Fail, "level": string(f.Level), "message": f.Message, "advice": f.Advice,
		})
	}
	return map[string]any{"ok": fine, "findings": listed}, nil
}

// Findings looks how a connection's system is set up, for an instance. Whatever
// is wrong is a finding; only the store's failure is an error.
func (o *Operations) Findings(ctx context.Context, instance string, declared *flow.Connection) ([]connectors.Finding, error) {
	return (&connection{o, instance}).findings(ctx, declared)
}

func (c *connection) findings(ctx context.Context, declared *flow.Connection) ([]connectors.Finding, error) {
	values, err := c.Settings.Values(ctx, c.instance)
	if err != nil {
		return nil, err
	}
	switch on, err := declared.On(ctx, values); {
	case err != nil:
		return nil, err
	case !on:
		return []connectors.Finding{connectors.Found("settings", "not used, and not needed")}, nil
	}
	missing, err := c.Settings.Missing(ctx, c.instance, declared)
	if err != nil {
		return nil, err
	}
	if len(missing) > 0 {
		return []connectors.Finding{lacking(missing)}, nil
	}
	opened, err := c.Connections.Connection(ctx, c.instance, declared.Name)
	if err != nil {
		return []connectors.Finding{connectors.Failed("settings", err)}, nil
	}
	found := []connectors.Finding{connectors.Found("settings", "complete")}
	checker, ok := opened.(connectors.Checker)
	if !ok {
		return found, nil
	}
	var want connectors.Wanted
	if _, receives := opened.(connectors.WebhookReceiver); receives {
		if address := c.hooksURL(values, declared.Name); address != "" {
			want = connectors.Wanted{HooksURL: address, Events: c.wanted(ctx, values, declared.Name)}
		}
	}
	bounded, cancel := context.WithTimeout(ctx, checkTime)
	defer cancel()
	found = append(found, checker.Check(bounded, want)...)
	if err := ctx.Err(); err != nil {
		return nil, err // stopped, not found out
	}
	return found, nil
}

// lacking is the finding that settings have no value.
func lacking(missing []flow.Setting) connectors.Finding {
	var names, variables []string
	for _, s := range missing {
		names = append(names, fmt.Sprintf("%s (%s)", s.Name, s.Title))
		variables = append(variables, "FLOWCTL_"+strings.ToUpper(s.Name))
	}
	f := connectors.Warned("settings", "Enter them in the panel, by flowctl settings set NAME, or as "+strings.Join(variables, ", ")+".",
		"without a value: %s", strings.Join(names, ", "))
	f.Level = connectors.Fail
	return f
}

// wanted are the events of a connection that flows which are switched on wait
// for. A switch that looks at the event as well counts as on.
func (c *connection) wanted(ctx context.Context, values map[string]any, connection string) []string {
	var events []string
	for _, f := range c.App().Flows {
		if !switchedOn(ctx, f, values) {
			continue
		}
		for _, name := range f.Trigger.Events {
			if event, of := strings.CutPrefix(name, connection+"."); of && !slices.Contains(events, event) {
				events = append(events, event)
			}
		}
	}
	return events
}

// switchedOn tells whether events start the flow by these settings. A switch that
// looks at the event as well counts as on.
func switchedOn(ctx context.Context, f *flow.Flow, values map[string]any) bool {
	if f.Trigger.Enabled == nil {
		return true
	}
	on, err := f.Trigger.Enabled.Eval(ctx, map[string]any{"settings": values})
	return err != nil || on == true
}

// publicURL is the address at which other systems reach us, "" when nobody knows.
func (c *connection) publicURL(values map[string]any) string {
	address, _ := values[publicURLSetting].(string)
	if address == "" {
		address = c.PublicURL
	}
	return strings.TrimRight(address, "/")
}

func (c *connection) hooksURL(values map[string]any, connection string) string {
	base := c.publicURL(values)
	if base == "" {
		return ""
	}
	return fmt.Sprintf("%s/hooks/%s/%s", base, c.instance, connection)
}

func listOf(texts []string) []any {
	list := make([]any, len(texts))
	for i, text := range texts {
		list[i] = text
	}
	return list
}

// webhook tells where a connection's system should deliver, and what.
func (c *connection) webhook(ctx context.Context, name string) (any, error) {
	if _, ok := c.App().Connection(name); !ok {
		return nil, badParams("there is no connection %q in app.yaml", name)
	}
	values, err := c.Settings.Values(ctx, c.instance)
	if err != nil {
		return nil, err
	}
	opened, err := c.Connections.Connection(ctx, c.instance, name)
	if err != nil {
		return nil, err
	}
	receiver, ok := opened.(connectors.WebhookReceiver)
	if !ok {
		return nil, badParams("the connection %s takes no webhooks", name)
	}
	// A receiver without a secret refuses everything as not configured.
	_, err = receiver.Receive(connectors.Delivery{Header: map[string][]string{}, Body: []byte("{}"), At: time.Now().UTC()})
	events := c.wanted(ctx, values, name)
	slices.Sort(events)
	out := map[string]any{"url": nil, "secret_set": !connectors.HasCode(err, connectors.CodeBadConfig), "events": listOf(events)}
	if address := c.hooksURL(values, name); address != "" {
		out["url"] = address
	}
	return out, nil
}
