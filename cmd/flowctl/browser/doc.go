// Package browser tries the panel as people do: with a real browser, against the
// simulated shop and Odoo. It holds tests only.
package browser
