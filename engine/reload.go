package engine

import (
	"context"
	"path/filepath"
	"slices"
	"strings"
	"sync"

	"github.com/flowctl/flowctl/engine/flow"
	"github.com/flowctl/flowctl/engine/watch"
)

// reloading takes over flow files that were saved.
type reloading struct {
	mu       sync.Mutex
	problems flow.Diagnostics
	stop     context.CancelFunc // nil before it was begun
	done     chan struct{}
}

// FlowProblems are the mistakes for which the flow files, as they were saved
// last, are not in use. There are none when they are.
func (e *Engine) FlowProblems() flow.Diagnostics {
	e.reloading.mu.Lock()
	defer e.reloading.mu.Unlock()
	return slices.Clone(e.reloading.problems)
}

// reload reads the flow files anew. Without mistakes they are in use for runs that
// begin from now on; runs in flight go on with what they began with. With
// mistakes, which are returned, those before stay in use.
func (e *Engine) reload() flow.Diagnostics {
	app, found, err := flow.Load(e.config.Flows, e.config.FlowsName)
	if err != nil {
		found = flow.Diagnostics{{
			Position: flow.Position{File: e.config.FlowsName, Line: 1, Column: 1},
			Severity: flow.SeverityError, Code: "unreadable", Message: err.Error(),
		}}
	}
	e.reloading.mu.Lock()
	defer e.reloading.mu.Unlock()
	if found.Failed() {
		e.reloading.problems = found
		for _, d := range found {
			if d.Severity == flow.SeverityError {
				e.config.Log.Error("the flows as saved have a mistake; those before stay in use", "at", d.Position.String(), "code", d.Code, "mistake", d.Message, "hint", d.Hint)
			}
		}
		return found
	}
	e.reloading.problems = nil
	if e.App().Same(app) {
		return nil
	}
	changed := changedFlows(e.App(), app)
	e.versions.Use(app)
	e.config.Log.Info("saved flows are in use from the next run on", "changed", strings.Join(changed, ", "))
	return nil
}

// changedFlows names the flows that are new, gone or of another version.
func changedFlows(before, after *flow.App) []string {
	var names []string
	for _, f := range after.Flows {
		if old, ok := before.Flow(f.Name); !ok || old.Version != f.Version {
			names = append(names, f.Name)
		}
	}
	for _, f := range before.Flows {
		if _, ok := after.Flow(f.Name); !ok {
			names = append(names, f.Name+" (gone)")
		}
	}
	return names
}

// watchFlows reloads whenever a file of the app is saved, until stopWatching.
func (e *Engine) watchFlows(ctx context.Context) {
	if e.config.FlowsFolder == "" {
		return
	}
	ctx, stop := context.WithCancel(ctx)
	done := make(chan struct{})
	e.reloading.mu.Lock()
	e.reloading.stop, e.reloading.done = stop, done
	e.reloading.mu.Unlock()
	go func() {
		defer close(done)
		err := watch.Folder(ctx, e.config.FlowsFolder, isAppFile, func() { e.reload() })
		if err != nil {
			e.config.Log.Error("saved flows are not noticed; they are in use after the next start", "error", err)
		}
	}()
}

// isAppFile tells whether a file is read when an app is loaded.
func isAppFile(path string) bool {
	return strings.HasSuffix(path, ".yaml") && !strings.HasSuffix(path, flow.TestSuffix) || filepath.Ext(path) == ".json"
}

func (e *Engine) stopWatching() {
	e.reloading.mu.Lock()
	stop, done := e.reloading.stop, e.reloading.done
	e.reloading.mu.Unlock()
	if stop != nil {
		stop()
		<-done
	}
}
