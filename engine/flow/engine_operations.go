package flow

import (
	"slices"

	"github.com/flowctl/flowctl/connectors"
)

// EngineOperations lists the calls that are the engine's own, as run.<name>.
func EngineOperations() []connectors.Operation { return slices.Clone(engineOperations) }

// engineOperations are the calls that end a run by the flow's own decision:
// run.hold, run.skip and run.fail.
var engineOperations = []connectors.Operation{
	{
		Name: "hold", Title: "Hold the run", Effect: connectors.Read,
		Summary: "Stops the run until a person, or a later event of its key, tries it again.",
		Params: connectors.Object(map[string]*connectors.Schema{
			"reason": connectors.String().Described("what is wrong, in words for the shop owner"),
			"advice": connectors.String().Described("what to do about it"),
			"code":   connectors.String().Described("a short word for the kind of reason"),
		}, "reason"),
	},
	{
		Name: "skip", Title: "Skip the run", Effect: connectors.Read,
		Summary: "Ends the run: there is nothing to do.",
		Params:  connectors.Object(map[string]*connectors.Schema{"reason": connectors.String().Described("why there is nothing to do")}, "reason"),
	},
	{
		Name: "fail", Title: "Fail the run", Effect: connectors.Read,
		Summary: "Ends the run as failed.",
		Params: connectors.Object(map[string]*connectors.Schema{
			"reason": connectors.String().Described("what went wrong"),
			"advice": connectors.String().Described("what to do about it"),
			"code":   connectors.String().Described("a short word for the kind of reason"),
		}, "reason"),
	},
}
