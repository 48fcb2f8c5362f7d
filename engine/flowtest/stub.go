package flowtest

import (
	"slices"

	"github.com/flowctl/flowctl/connectors"
	"github.com/flowctl/flowctl/engine/flow"
)

// stubbed is the app with the calls of mocked flows made calls of a connection: so
// that they are answered like any other. Everything else stays the app's own.
func stubbed(app *flow.App, test *flow.Test, c *flow.Case) *flow.App {
	mocked := map[string]bool{}
	for _, mock := range slices.Concat(c.Calls, test.Calls) {
		mocked[mock.Call] = true
	}
	s := &stubber{mocked: mocked, done: map[*flow.Flow]*flow.Flow{}}
	out := *app
	out.Flows = make([]*flow.Flow, len(app.Flows))
	for i, f := range app.Flows {
		out.Flows[i] = s.flow(f)
	}
	return &out
}

type stubber struct {
	mocked map[string]bool
	done   map[*flow.Flow]*flow.Flow
}

func (s *stubber) flow(f *flow.Flow) *flow.Flow {
	if twin, ok := s.done[f]; ok {
		return twin
	}
	twin := *f
	s.done[f] = &twin
	twin.Steps = make([]*flow.Step, len(f.Steps))
	for i, step := range f.Steps {
		twin.Steps[i] = s.step(step)
	}
	return &twin
}

func (s *stubber) step(step *flow.Step) *flow.Step {
	twin := *step
	twin.Call = s.call(step.Call)
	if step.Link != nil {
		link := *step.Link
		link.Match, link.Create, link.Update = s.call(link.Match), s.call(link.Create), s.call(link.Update)
		twin.Link = &link
	}
	return &twin
}

func (s *stubber) call(c *flow.Call) *flow.Call {
	if c == nil {
		return nil
	}
	twin := *c
	switch {
	case c.Flow == nil:
		return c
	case !s.mocked[c.Name]:
		twin.Flow = s.flow(c.Flow)
	default:
		// A read: what the flow would have written is its own tests' matter.
		twin.Flow = nil
		twin.Connection = "flow"
		twin.Operation = connectors.Operation{Name: c.Flow.Name, Effect: connectors.Read}
	}
	return &twin
}
