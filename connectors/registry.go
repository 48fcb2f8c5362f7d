package connectors

import (
	"fmt"
	"slices"
	"sync"
)

var registry = struct {
	sync.RWMutex
	byName map[string]Connector
}{byName: map[string]Connector{}}

// Register makes a connector known by its Spec's name. It panics when the name
// is empty or taken: that is a mistake in the program.
func Register(c Connector) {
	name := c.Spec().Name
	registry.Lock()
	defer registry.Unlock()
	if name == "" {
		panic("connectors: a connector without a name")
	}
	if _, taken := registry.byName[name]; taken {
		panic(fmt.Sprintf("connectors: %q registered twice", name))
	}
	registry.byName[name] = c
}

// Lookup finds a registered connector.
func Lookup(name string) (Connector, bool) {
	registry.RLock()
	defer registry.RUnlock()
	c, ok := registry.byName[name]
	return c, ok
}

// Names lists the registered connectors, sorted.
func Names() []string {
	registry.RLock()
	defer registry.RUnlock()
	names := make([]string, 0, len(registry.byName))
	for name := range registry.byName {
		names = append(names, name)
	}
	slices.Sort(names)
	return names
}
