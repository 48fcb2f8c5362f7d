//go:build linux

package chaos

import (
	"fmt"
	"hash/fnv"
	"math/rand/v2"
	"os"
	"os/exec"
	"path/filepath"
	"strconv"
	"sync"
	"testing"
	"time"
)

// Environment variables of this test.
const (
	ordersVariable = "FLOWCTL_CHAOS_ORDERS" // how many orders; default 100
	seedVariable   = "FLOWCTL_CHAOS_SEED"   // default: another one each time
)

func TestMain(m *testing.M) {
	code := m.Run()
	if binary.folder != "" {
		if err := os.RemoveAll(binary.folder); err != nil {
			fmt.Fprintln(os.Stderr, "removing the built program:", err)
			code = 1
		}
	}
	os.Exit(code)
}

// binary is the program under test, built once for all tests.
var binary struct {
	once   sync.Once
	folder string
	path   string
	err    error
}

// program builds flowctl and returns where it is.
func program(t *testing.T) string {
	t.Helper()
	binary.once.Do(func() {
		if binary.folder, binary.err = os.MkdirTemp("", "flowctl-chaos-"); binary.err != nil {
			return
		}
		// Built for its owner and readable by all: PostgreSQL's user is another one.
		binary.path = filepath.Join(binary.folder, "flowctl")
		out, err := exec.Command("go", "build", "-o", binary.path, "github.com/flowctl/flowctl/cmd/flowctl").CombinedOutput()
		if err != nil {
			binary.err = fmt.Errorf("building flowctl: %w\n%s", err, out)
		}
	})
	if binary.err != nil {
		t.Fatal(binary.err)
	}
	return binary.path
}

// number reads an environment variable.
func number(t *testing.T, name string, otherwise uint64) uint64 {
	t.Helper()
	text := os.Getenv(name)
	if text == "" {
		return otherwise
	}
	n, err := strconv.ParseUint(text, 10, 63)
	if err != nil {
		t.Fatalf("%s=%q is no number", name, text)
	}
	return n
}

// chance is where all of a test's decisions come from. What each part of the test
// decides depends on the seed and on what is decided, not on who asks first.
type chance struct{ seed uint64 }

// newChance takes the seed of the environment or a new one, and tells it.
func newChance(t *testing.T) chance {
	t.Helper()
	seed := number(t, seedVariable, uint64(time.Now().UnixNano()%1_000_000_000))
	t.Logf("%s=%d makes the same decisions again", seedVariable, seed)
	return chance{seed}
}

// of returns the source of decisions about something.
func (c chance) of(what ...any) *rand.Rand {
	sum := fnv.New64a()
	fmt.Fprint(sum, what...)
	return rand.New(rand.NewPCG(c.seed, sum.Sum64()))
}

// eventually waits for a condition; the limit is only there to end a failure.
func eventually(t *testing.T, limit time.Duration, what string, condition func() bool) {
	t.Helper()
	for end := time.Now().Add(limit); !condition(); time.Sleep(20 * time.Millisecond) {
		if t.Failed() {
			t.FailNow()
		}
		if time.Now().After(end) {
			t.Fatalf("not within %v: %s", limit, what)
		}
	}
}
