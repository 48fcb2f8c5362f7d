package main

import (
	"context"
	"errors"
	"fmt"
	"strings"

	"github.com/urfave/cli/v2"

	"github.com/flowctl/flowctl/connectors"
	"github.com/flowctl/flowctl/engine"
	"github.com/flowctl/flowctl/engine/flow"
)

// requireSettings fails with exitSetting, before anything is stored, when
// connections that the flow calls cannot be opened for want of settings. It tells
// of all of them.
func requireSettings(c *cli.Context, e *engine.Engine, f *flow.Flow) error {
	var errs []error
	for _, name := range connectionsOf(f) {
		errs = append(errs, requireConnection(c.Context, e, c.String("instance"), name))
	}
	if err := errors.Join(errs...); err != nil {
		return failure(codeOf(err), "%w", err)
	}
	return nil
}

// requireConnection says which settings a connection lacks, and how to set them.
func requireConnection(ctx context.Context, e *engine.Engine, instance, name string) error {
	declared, ok := e.App().Connection(name)
	if !ok {
		return nil
	}
	missing, err := e.Settings().Missing(ctx, instance, declared)
	if err != nil {
		return asSettingError(err)
	}
	says := "not complete"
	if len(missing) == 0 {
		_, err := e.Connection(ctx, instance, name) // touches no network
		if err == nil {
			return nil
		}
		if !connectors.HasCode(err, connectors.CodeBadConfig) {
			return asSettingError(err)
		}
		says = "not right: " + err.Error()
		if missing, err = e.Settings().Empty(ctx, instance, declared); err != nil {
			return asSettingError(err)
		}
	}
	var b strings.Builder
	fmt.Fprintf(&b, "the settings of %s (instance %s) are %s", name, instance, says)
	if len(missing) > 0 {
		b.WriteString("\nWithout a value:")
	}
	for _, s := range missing {
		fmt.Fprintf(&b, "\n  %-18s %-20s %s or %s=…", s.Name, s.Title, howToSet(s, instance), variableOf(s))
	}
	return failure(exitSetting, "%s", b.String())
}

// howToSet is the command that sets a setting.
func howToSet(s flow.Setting, instance string) string {
	command := "flowctl settings set "
	if instance != "main" {
		command += "--instance " + instance + " "
	}
	if s.Type == "secret" {
		return command + s.Name + " - <file"
	}
	return command + s.Name + " …"
}

// asSettingError gives errors of reading settings their exit code.
func asSettingError(err error) error {
	var exit *exitError
	if err = asStoreError(err); errors.As(err, &exit) {
		return err
	}
	return &exitError{exitSetting, err}
}

// connectionsOf lists the connections that a flow and the flows it calls use, in
// the order they are met.
func connectionsOf(f *flow.Flow) []string {
	var names []string
	seen, seenFlows := map[string]bool{}, map[*flow.Flow]bool{}
	var visit func(*flow.Flow)
	call := func(c *flow.Call) {
		switch {
		case c == nil:
		case c.Flow != nil:
			visit(c.Flow)
		case !seen[c.Connection]:
			seen[c.Connection] = true
			names = append(names, c.Connection)
		}
	}
	visit = func(f *flow.Flow) {
		if seenFlows[f] {
			return
		}
		seenFlows[f] = true
		for _, s := range f.Steps {
			call(s.Call)
			if s.Link != nil {
				call(s.Link.Match)
				call(s.Link.Create)
				call(s.Link.Update)
			}
		}
	}
	visit(f)
	return names
}
