// Package e2e tests against a real Odoo 19: what the rest of the code believes
// of Odoo is asked of Odoo itself. `make e2e` brings one up with .ci/odoo19.sh and
// runs the tests; without FLOWCTL_E2E in the environment they skip.
package e2e
