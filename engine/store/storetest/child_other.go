//go:build !linux

package storetest

import "os/exec"

// Tie makes a server that a test starts die with the test's process, where the
// platform can do that.
func Tie(*exec.Cmd) {}
