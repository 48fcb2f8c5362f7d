// Package flows is the WooCommerce app: app.yaml and its flow files, built into
// the program so that it runs without a folder of its own.
package flows

import "embed"

// Files is this folder's app, its flows and their tests.
//
//go:embed *.yaml parts/*.yaml tests
var Files embed.FS
