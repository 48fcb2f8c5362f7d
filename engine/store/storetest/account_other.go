//go:build !unix

package storetest

import "os/exec"

// runAs is for root, whom only Unix knows.
func runAs(*exec.Cmd, int, int) {}
