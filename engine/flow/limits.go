package flow

import (
	"strconv"

	"gopkg.in/yaml.v3"
)

// Limits are how many requests a connection sends; zero fields take the engine's
// defaults.
type Limits struct {
	PerSecond float64
	Burst     int // at once, after a pause
}

// decodeLimits reads a connection's limits; their form was checked.
func decodeLimits(n *yaml.Node) Limits {
	var l Limits
	l.PerSecond, _ = strconv.ParseFloat(text(get(n, "per_second")), 64)
	l.Burst, _ = strconv.Atoi(text(get(n, "burst")))
	return l
}
