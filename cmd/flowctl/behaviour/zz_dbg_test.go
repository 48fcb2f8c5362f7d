package behaviour

import "fmt"

func (w *world) dump() {
	for _, f := range w.Engine.App().Flows {
		for _, r := range w.runs(f.Name) {
			fmt.Println(r.ID, r.Flow, r.Key, r.EventName, r.State, r.Attempt, r.Reason)
		}
	}
}
