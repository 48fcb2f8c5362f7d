// Package connectortest is the bar that every connector passes: what its spec
// says is whole, and what it refuses it refuses as the contract says, before it
// touches the network.
package connectortest

import (
	"errors"
	"fmt"
	"maps"
	"net"
	"regexp"
	"slices"
	"strings"
	"sync"
	"testing"
	"time"

	"github.com/shopspring/decimal"

	"github.com/flowctl/flowctl/connectors"
)

// Subject is a connector under test.
type Subject struct {
	Connector connectors.Connector
	// Settings that open, for a system at this address of this machine.
	Settings func(address *net.TCPAddr) map[string]any
	// Waivers are checks that this connector does not pass, each with its
	// reason: "check" for all of them, "check: where" for one.
	Waivers map[string]string
}

// Run puts a connector to the test. A waiver that is not needed is an error.
func Run(t *testing.T, s Subject) {
	t.Helper()
	r := &run{t: t, subject: s, spec: s.Connector.Spec(), used: map[string]bool{}}
	r.checkSpec()
	for _, op := range r.spec.Operations {
		r.checkOperation(op)
	}
	for _, event := range r.spec.Events {
		r.checkEvent(event)
	}
	r.checkEmptySettings()
	r.checkRefusals()
	for _, waiver := range slices.Sorted(maps.Keys(s.Waivers)) {
		switch {
		case s.Waivers[waiver] == "":
			t.Errorf("the waiver %q has no reason", waiver)
		case !r.used[waiver]:
			t.Errorf("the waiver %q is not needed", waiver)
		}
	}
}

type run struct {
	t       *testing.T
	subject Subject
	spec    connectors.Spec
	used    map[string]bool
}

// fails reports that a check is not passed, unless that is waived.
func (r *run) fails(check, where, format string, args ...any) {
	r.t.Helper()
	for _, waiver := range []string{check, check + ": " + where} {
		if _, waived := r.subject.Waivers[waiver]; waived {
			r.used[waiver] = true
			return
		}
	}
	r.t.Errorf("%s: %s: %s", check, where, fmt.Sprintf(format, args...))
}

var (
	connectorName = regexp.MustCompile(`^[a-z][a-z0-9_]*$`)
	dottedName    = regexp.MustCompile(`^[a-z][a-z0-9_]*(\.[a-z][a-z0-9_]*)*$`)
)

func (r *run) checkSpec() {
	if !connectorName.MatchString(r.spec.Name) {
		r.fails("spec", "name", "%q is no name as calls write it", r.spec.Name)
	}
	r.checkSentence("spec", "summary", r.spec.Summary)
	if r.spec.Title == "" {
		r.fails("spec", "title", "it is empty")
	}
	if len(r.spec.Operations) == 0 {
		r.fails("spec", "operations", "there are none")
	}
	r.checkNames()
	settings := r.spec.Settings
	if settings == nil || settings.Type != "object" || settings.Open {
		r.fails("settings", "schema", "it must be a closed object")
		return
	}
	for name, setting := range settings.Properties {
		if setting.Description == "" {
			r.fails("settings", name, "it has no description")
		}
		if soundsSecret(name) && !setting.Secret {
			r.fails("secrets", name, "it is not marked as secret")
		}
		if setting.Secret && setting.Default != nil {
			r.fails("secrets", name, "a secret with a default")
		}
	}
	r.checkRequired("settings", "schema", settings)
}

func (r *run) checkNames() {
	seen := map[string]bool{}
	for _, op := range r.spec.Operations {
		if seen[op.Name] || !dottedName.MatchString(op.Name) {
			r.fails("operation", op.Name, "the name is taken, or none that calls can write")
		}
		seen[op.Name] = true
	}
	events := map[string]bool{}
	for _, event := range r.spec.Events {
		if events[event.Name] || !dottedName.MatchString(event.Name) {
			r.fails("event", event.Name, "the name is taken, or none that triggers can write")
		}
		events[event.Name] = true
	}
}

// soundsSecret tells whether a setting's name promises a secret. A header that
// holds one, or a user's name, is none.
func soundsSecret(name string) bool {
	for part := range strings.SplitSeq(name, "_") {
		if part == "header" || part == "url" {
			return false
		}
	}
	return slices.ContainsFunc([]string{"secret", "password", "token", "key"}, func(word string) bool {
		return strings.HasSuffix(name, word)
	})
}

func (r *run) checkSentence(check, where, text string) {
	if text == "" || !strings.HasSuffix(text, ".") || strings.TrimSpace(text) != text {
		r.fails(check, where, "%q must be a sentence", text)
	}
}

func (r *run) checkRequired(check, where string, s *connectors.Schema) {
	for _, name := range s.Required {
		if _, ok := s.Property(name); !ok {
			r.fails(check, where, "%s is required, and not described", name)
		}
	}
}

func (r *run) checkOperation(op connectors.Operation) {
	if op.Title == "" {
		r.fails("operation", op.Name, "it has no title")
	}
	r.checkSentence("operation", op.Name, op.Summary)
	switch op.Effect {
	case connectors.Read:
		if op.Repeat != "" {
			r.fails("repeat", op.Name, "it reads, and says how it is repeated")
		}
	case connectors.Create, connectors.Update, connectors.Delete:
		if !slices.Contains([]connectors.Repeat{connectors.Idempotent, connectors.NaturalKey, connectors.ReadBack, connectors.Unrepeatable}, op.Repeat) {
			r.fails("repeat", op.Name, "it writes, and %q is no way to repeat it", op.Repeat)
		}
	default:
		r.fails("operation", op.Name, "%q is no effect", op.Effect)
	}
	if op.Params == nil || op.Params.Type != "object" || op.Params.Open {
		r.fails("params", op.Name, "they must be a closed object")
	} else {
		r.checkRequired("params", op.Name, op.Params)
	}
	if op.Result == nil {
		r.fails("result", op.Name, "nothing is said of it")
	}
	if narrowed := op.ResultType(map[string]any{}); narrowed == nil {
		r.fails("result", op.Name, "it has no type without constant parameters")
	}
}

func (r *run) checkEvent(event connectors.Event) {
	r.checkSentence("event", event.Name, event.Summary)
	if event.Payload == nil || event.Payload.Type != "object" {
		r.fails("event", event.Name, "its payload must be an object")
	}
}

// checkEmptySettings: without settings it does not open, and says which are missing.
func (r *run) checkEmptySettings() {
	connection, err := r.subject.Connector.Open(connectors.Config{Instance: "main"})
	if err == nil {
		r.fails("open", "without settings", "it opens")
		if err := connection.Close(); err != nil {
			r.fails("close", "without settings", "%v", err)
		}
		return
	}
	if !connectors.HasCode(err, connectors.CodeBadConfig) {
		r.fails("open", "without settings", "the error has no code %s: %v", connectors.CodeBadConfig, err)
	}
	if connectors.ClassOf(err) != connectors.Permanent {
		r.fails("open", "without settings", "the error is %s", connectors.ClassOf(err))
	}
	named := slices.ContainsFunc(r.spec.Settings.PropertyNames(), func(name string) bool {
		return strings.Contains(strings.ToLower(err.Error()), strings.ReplaceAll(name, "_", " ")) || strings.Contains(err.Error(), name)
	})
	if !named {
		r.fails("open", "without settings", "the error names no setting: %v", err)
	}
}

// checkRefusals: opening, and calls that cannot be, touch no network.
func (r *run) checkRefusals() {
	listener, err := net.Listen("tcp", "127.0.0.1:0")
	if err != nil {
		r.t.Fatal(err)
	}
	var (
		accepting sync.WaitGroup
		visits    int
	)
	accepting.Go(func() {
		for {
			conn, err := listener.Accept()
			if err != nil {
				return
			}
			visits++
			conn.Close()
		}
	})
	connection, err := r.subject.Connector.Open(connectors.Config{Instance: "main", Settings: r.subject.Settings(listener.Addr().(*net.TCPAddr))})
	if err != nil {
		r.t.Fatalf("the settings of the test do not open: %v", err)
	}
	r.refused(connection, "no_such_operation", map[string]any{}, "unknown operation")
	for _, op := range r.spec.Operations {
		if op.Params == nil {
			continue
		}
		// The parameters it needs are there, so that the unknown one is what is wrong.
		params := map[string]any{"no_such_parameter": int64(1)}
		for _, name := range op.Params.Required {
			property, _ := op.Params.Property(name)
			params[name] = plausible(property)
		}
		r.refused(connection, op.Name, params, "unknown parameter")
		if len(op.Params.Required) > 0 {
			r.refused(connection, op.Name, map[string]any{}, "missing parameter")
		}
	}
	for range 2 {
		if err := connection.Close(); err != nil {
			r.fails("close", "twice", "%v", err)
		}
	}
	listener.Close()
	accepting.Wait()
	if visits > 0 {
		r.fails("network", "refusals", "%d connections were made by opening and by calls that cannot be", visits)
	}
}

// plausible is some value of a type.
func plausible(s *connectors.Schema) any {
	switch {
	case s == nil:
		return "x"
	case len(s.Enum) > 0:
		return s.Enum[0]
	case s.IsDecimal():
		return decimal.NewFromInt(1)
	case s.IsTime():
		return time.Unix(0, 0).UTC()
	}
	switch s.Type {
	case "integer":
		return int64(1)
	case "boolean":
		return true
	case "array":
		return []any{plausible(s.Items)}
	case "object":
		return map[string]any{}
	}
	return "x"
}

func (r *run) refused(connection connectors.Connection, operation string, params map[string]any, check string) {
	_, err := connection.Call(r.t.Context(), connectors.Call{Operation: operation, Params: params})
	var told *connectors.Error
	switch {
	case err == nil:
		r.fails(check, operation, "it was accepted")
	case !errors.As(err, &told) || told.Code != connectors.CodeBadParams || told.Class != connectors.Permanent:
		r.fails(check, operation, "want a permanent error with code %s, got: %v", connectors.CodeBadParams, err)
	}
}
