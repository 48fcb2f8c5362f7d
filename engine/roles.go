package engine

import (
	"fmt"
	"slices"
	"strings"
)

// Role is a part of the work that a process may do.
type Role string

// The roles. One process has all of them unless it is told otherwise.
const (
	RoleIngress   Role = "ingress"   // accepts webhooks
	RoleWorker    Role = "worker"    // works runs
	RoleScheduler Role = "scheduler" // polls feeds, fires schedules, rings for runs
	RolePanel     Role = "panel"     // shows the panel
)

// Roles lists all roles.
func Roles() []Role { return []Role{RoleIngress, RoleWorker, RoleScheduler, RolePanel} }

// ParseRoles reads roles separated by commas; none means all.
func ParseRoles(text string) ([]Role, error) {
	var roles []Role
	for name := range strings.SplitSeq(text, ",") {
		role := Role(strings.TrimSpace(name))
		switch {
		case role == "":
		case !slices.Contains(Roles(), role):
			return nil, fmt.Errorf("there is no role %q; there are ingress, worker, scheduler and panel", role)
		default:
			roles = append(roles, role)
		}
	}
	if len(roles) == 0 {
		return Roles(), nil
	}
	return roles, nil
}

// Has tells whether the engine plays a role.
func (c Config) Has(role Role) bool { return len(c.Roles) == 0 || slices.Contains(c.Roles, role) }
