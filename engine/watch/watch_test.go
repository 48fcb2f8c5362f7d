package watch_test

import (
	"context"
	"os"
	"path/filepath"
	"strings"
	"testing"
	"time"

	"github.com/flowctl/flowctl/engine/watch"
)

// Savings of files that count are told, also in folders that were made since;
// those of others, and of the same content, are not.
func TestFolder(t *testing.T) {
	t.Parallel()
	folder := t.TempDir()
	write := func(name, text string) {
		t.Helper()
		path := filepath.Join(folder, name)
		if err := os.MkdirAll(filepath.Dir(path), 0o755); err != nil {
			t.Fatal(err)
		}
		if err := os.WriteFile(path, []byte(text), 0o644); err != nil {
			t.Fatal(err)
		}
	}
	write("a.yaml", "one")
	told := make(chan struct{}, 100)
	ctx, cancel := context.WithCancel(context.Background())
	ended := make(chan error, 1)
	go func() {
		ended <- watch.Folder(ctx, folder, func(path string) bool { return strings.HasSuffix(path, ".yaml") }, func() { told <- struct{}{} })
	}()
	<-told // it has begun
	wait := func(what string, save func(i int)) {
		t.Helper()
		deadline := time.After(30 * time.Second)
		for i := 0; ; i++ {
			save(i)
			select {
			case <-told:
				return
			case <-deadline:
				t.Fatal("never told of ", what)
			case <-time.After(300 * time.Millisecond):
			}
		}
	}
	wait("a saved file", func(i int) { write("a.yaml", strings.Repeat("x", i+5)) })
	wait("a file in a new folder", func(i int) { write("parts/b.yaml", strings.Repeat("y", i+5)) })
	drain(told)
	write("notes.txt", "nobody reads this")
	write("a.yaml", "the same")
	wait("the same", func(int) {})
	write("a.yaml", "the same")
	select {
	case <-told:
		t.Error("told of a file that does not count, or of the same content")
	case <-time.After(time.Second):
	}
	cancel()
	if err := <-ended; err != nil {
		t.Error(err)
	}
}

// drain forgets what was told until it is quiet.
func drain(told chan struct{}) {
	for {
		select {
		case <-told:
		case <-time.After(500 * time.Millisecond):
			return
		}
	}
}

func TestFolderThatIsNone(t *testing.T) {
	t.Parallel()
	if err := watch.Folder(context.Background(), filepath.Join(t.TempDir(), "gone"), func(string) bool { return true }, func() {}); err == nil {
		t.Error("a folder that is not there was watched")
	}
}
