// Package flows is the WooCommerce app: app.yaml and its flow files, built into
// the program so that it runs without a folder of its own.
package flows

import "embed"

// Files is this folder's app and flows.
//
//go:embed *.yaml parts/*.yaml
var Files embed.FS
