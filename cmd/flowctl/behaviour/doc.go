// Package behaviour holds the tests that the shipped flows pass between a
// simulated shop and a simulated Odoo: something changes in one system, the other
// follows, and nothing else is touched. It has no code outside its tests.
package behaviour
