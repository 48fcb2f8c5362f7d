package main

import (
	"testing"

	"github.com/flowctl/flowctl/engine/flow"
	"github.com/flowctl/flowctl/flows"
)

// BenchmarkValidate loads and checks the whole app: what validate, and a saved
// file, cost.
func BenchmarkValidate(b *testing.B) {
	steps := 0
	for b.Loop() {
		app, found, err := flow.Load(flows.Files, "flows")
		if err != nil || found.Failed() {
			b.Fatal(err, found)
		}
		steps = 0
		for _, f := range app.Flows {
			steps += len(f.Steps)
		}
		b.ReportMetric(float64(len(app.Flows)), "flows")
	}
	b.ReportMetric(float64(steps), "steps")
}
