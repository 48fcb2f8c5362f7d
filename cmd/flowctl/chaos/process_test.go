//go:build linux

package chaos

import (
	"bytes"
	"errors"
	"fmt"
	"net"
	"net/http"
	"os"
	"os/exec"
	"path/filepath"
	"slices"
	"strings"
	"sync"
	"syscall"
	"testing"
	"time"

	"github.com/flowctl/flowctl/engine/store/storetest"
)

// process is a flowctl serve that is started again whenever it ends, as a
// machine's supervisor does.
type process struct {
	t           *testing.T
	name        string
	address     string
	environment []string
	command     []string // runs the program, if there is one
	log         string

	mu      sync.Mutex
	cmd     *exec.Cmd
	down    time.Duration // how long to stay down after the end that comes
	wanted  bool          // the end that comes is the test's doing
	stopped bool
	fell    []string // ends that nobody wanted
	done    chan struct{}
}

// startProcess starts a process that ends with the test. A command, if there is
// one, is what runs flowctl with the arguments that follow it.
func startProcess(t *testing.T, name string, environment []string, command ...string) *process {
	t.Helper()
	p := &process{t: t, name: name, address: freeAddress(t), environment: environment, command: command,
		log: filepath.Join(t.TempDir(), name+".log"), done: make(chan struct{})}
	path := program(t)
	go p.supervise(path)
	t.Cleanup(p.stop)
	eventually(t, time.Minute, name+" listens", p.answers)
	return p
}

func freeAddress(t *testing.T) string {
	t.Helper()
	listener, err := net.Listen("tcp", "127.0.0.1:0")
	if err != nil {
		t.Fatal(err)
	}
	defer listener.Close()
	return listener.Addr().String()
}

func (p *process) supervise(path string) {
	defer close(p.done)
	log, err := os.Create(p.log)
	if err != nil {
		p.t.Error(err)
		return
	}
	defer log.Close()
	for {
		line := slices.Concat(p.command, []string{path, "serve", "--listen", p.address})
		cmd := exec.Command(line[0], line[1:]...)
		cmd.Env = append([]string{"PATH=" + os.Getenv("PATH"), "HOME=" + os.Getenv("HOME"), "FLOWCTL_LOG_LEVEL=warn"}, p.environment...)
		cmd.Dir = filepath.Dir(p.log)
		cmd.Stdout, cmd.Stderr = log, log
		storetest.Tie(cmd)
		p.mu.Lock()
		if p.stopped {
			p.mu.Unlock()
			return
		}
		if err := cmd.Start(); err != nil {
			p.mu.Unlock()
			p.t.Error(err)
			return
		}
		p.cmd, p.down, p.wanted = cmd, 100*time.Millisecond, false
		p.mu.Unlock()
		err := cmd.Wait()
		p.mu.Lock()
		p.cmd = nil
		if !p.wanted && !p.stopped {
			p.fell = append(p.fell, fmt.Sprint(err))
		}
		down := p.down
		p.mu.Unlock()
		time.Sleep(down)
	}
}

// signal sends a signal to the process if it runs.
func (p *process) signal(s syscall.Signal) {
	p.mu.Lock()
	defer p.mu.Unlock()
	p.send(s)
}

func (p *process) send(s syscall.Signal) {
	if p.cmd == nil {
		return
	}
	if err := p.cmd.Process.Signal(s); err != nil && !errors.Is(err, os.ErrProcessDone) {
		p.t.Errorf("signal %v to %s: %v", s, p.name, err)
	}
}

// pause stops the process and returns when it stands still.
func (p *process) pause() {
	p.signal(syscall.SIGSTOP)
	pid := p.pid()
	for end := time.Now().Add(10 * time.Second); time.Now().Before(end); time.Sleep(time.Millisecond) {
		// The state follows the program's name, which is in brackets.
		stat, err := os.ReadFile(fmt.Sprintf("/proc/%d/stat", pid))
		if _, rest, ok := bytes.Cut(stat, []byte(") ")); err == nil && ok && rest[0] == 'T' {
			return
		}
	}
	p.t.Errorf("%s does not stand still", p.name)
}

func (p *process) pid() int {
	p.mu.Lock()
	defer p.mu.Unlock()
	if p.cmd == nil {
		return 0
	}
	return p.cmd.Process.Pid
}

// says tells whether the log has a text.
func (p *process) says(text string) bool { return p.count(text) > 0 }

// count tells how often the log has a text.
func (p *process) count(text string) int {
	data, err := os.ReadFile(p.log)
	if err != nil {
		p.t.Error(err)
	}
	return bytes.Count(data, []byte(text))
}

// end ends the process by a signal; it comes back after a while.
func (p *process) end(s syscall.Signal, down time.Duration) {
	p.mu.Lock()
	defer p.mu.Unlock()
	p.wanted, p.down = true, down
	p.send(s)
}

// stop ends the process for good.
func (p *process) stop() {
	p.mu.Lock()
	if !p.stopped {
		p.stopped = true
		p.send(syscall.SIGKILL)
	}
	p.mu.Unlock()
	<-p.done
	if p.t.Failed() {
		p.t.Logf("the end of %s's log:\n%s", p.name, tail(p.log, 15))
	}
}

func (p *process) hooks() string { return "http://" + p.address + "/hooks/main/woocommerce" }

// answers tells whether the process is up and its store can be written.
func (p *process) answers() bool { return p.status() == http.StatusNoContent }

func (p *process) status() int {
	client := http.Client{Timeout: 5 * time.Second, Transport: &http.Transport{DisableKeepAlives: true}}
	response, err := client.Get("http://" + p.address + "/readyz")
	if err != nil {
		return 0
	}
	response.Body.Close()
	return response.StatusCode
}

// falls are the ends that nobody wanted. A crash, which the log tells, fails the
// test.
func (p *process) falls() []string {
	p.t.Helper()
	data, err := os.ReadFile(p.log)
	if err != nil {
		p.t.Error(err)
	}
	for _, word := range []string{"panic", "fatal error:", "SIGSEGV", "DATA RACE"} {
		if at := bytes.Index(data, []byte(word)); at >= 0 {
			p.t.Errorf("%s crashed:\n%s", p.name, data[max(0, at-200):min(len(data), at+2000)])
			break
		}
	}
	p.mu.Lock()
	defer p.mu.Unlock()
	return slices.Clone(p.fell)
}

// tail is the end of a text file.
func tail(path string, lines int) string {
	data, err := os.ReadFile(path)
	if err != nil {
		return err.Error()
	}
	all := strings.Split(strings.TrimRight(string(data), "\n"), "\n")
	return strings.Join(all[max(0, len(all)-lines):], "\n")
}
