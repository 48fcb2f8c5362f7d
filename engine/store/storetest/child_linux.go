package storetest

import (
	"os/exec"
	"syscall"
)

// Tie makes a server that a test starts die with the test's process, even if
// that is killed.
func Tie(cmd *exec.Cmd) {
	if cmd.SysProcAttr == nil {
		cmd.SysProcAttr = &syscall.SysProcAttr{}
	}
	cmd.SysProcAttr.Pdeathsig = syscall.SIGKILL
}
