package run

import (
	"encoding/json"

	"github.com/flowctl/flowctl/engine/store"
)

// WorkedVersion is the version of the flow that a run's last attempt used, by the
// run's journal; "" before the first. It differs from the version that the run
// was made with when the flow was saved in between.
func WorkedVersion(steps []store.Step) string {
	for _, s := range steps {
		var begun head
		if s.Path == HeadPath && json.Unmarshal(s.Output, &begun) == nil {
			return begun.Version
		}
	}
	return ""
}
