// Package chaos holds only tests. They run real flowctl processes on a real
// Redis and a real database between a simulated shop and a simulated Odoo, and
// break everything while orders arrive: see docs/chaos.md.
package chaos
