package flow

import (
	"slices"
	"sync"
)

// keptVersions is how many loaded apps are remembered. A run in flight ends
// within hours; an app is seldom changed more often than this in that time.
const keptVersions = 16

// Versions holds the app in use and those before it, so that a run goes on with
// the flow it began with while new runs take the newest. It is safe for
// concurrent use.
type Versions struct {
	mu   sync.RWMutex
	apps []*App // newest first
}

// Use makes an app the current one.
func (v *Versions) Use(app *App) {
	v.mu.Lock()
	defer v.mu.Unlock()
	v.apps = append([]*App{app}, v.apps...)
	if len(v.apps) > keptVersions {
		v.apps = slices.Delete(v.apps, keptVersions, len(v.apps))
	}
}

// Current returns the app in use; nil before the first Use.
func (v *Versions) Current() *App {
	v.mu.RLock()
	defer v.mu.RUnlock()
	if len(v.apps) == 0 {
		return nil
	}
	return v.apps[0]
}

// Flow finds a flow by name and version among the apps remembered.
func (v *Versions) Flow(name, version string) (*Flow, bool) {
	v.mu.RLock()
	defer v.mu.RUnlock()
	for _, app := range v.apps {
		if f, ok := app.Flow(name); ok && f.Version == version {
			return f, true
		}
	}
	return nil, false
}
