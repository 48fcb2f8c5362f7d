// Package watch tells when files of a folder were saved.
package watch

import (
	"context"
	"fmt"
	"hash/fnv"
	"io/fs"
	"os"
	"path/filepath"
	"strings"
	"time"

	"github.com/fsnotify/fsnotify"
)

const (
	// quiet is how long nothing must happen before a change is told: editors write
	// a file in several strokes, and people save several files at once.
	quiet = 100 * time.Millisecond
	// longest is how long a change waits for quiet.
	longest = 2 * time.Second
	// look is how often the folder is looked through for changes that the system
	// told nothing of, as on network drives and mounted volumes.
	look = 10 * time.Second
)

// Folder calls changed once when it has begun to look, so that nothing is missed
// before, and then after files of the folder and those below it were saved, made,
// renamed or removed, until the context ends. Files whose names the filter refuses
// do not count. Calls never overlap, and nothing is told while the content is as
// it was. The error is about the folder; nil after the context's end.
func Folder(ctx context.Context, folder string, filter func(path string) bool, changed func()) error {
	w, err := fsnotify.NewWatcher()
	if err != nil {
		return fmt.Errorf("watching %s: %w", folder, err)
	}
	defer w.Close()
	if err := add(w, folder); err != nil {
		return fmt.Errorf("watching %s: %w", folder, err)
	}
	f := &follower{folder: folder, filter: filter, changed: changed}
	if f.last, err = f.print(); err != nil {
		return fmt.Errorf("watching %s: %w", folder, err)
	}
	changed()
	return f.follow(ctx, w)
}

// follower knows how a folder was when it was looked at last.
type follower struct {
	folder  string
	filter  func(string) bool
	changed func()
	last    uint64
}

func (f *follower) follow(ctx context.Context, w *fsnotify.Watcher) error {
	every := time.NewTicker(look)
	defer every.Stop()
	var settled <-chan time.Time
	var since time.Time
	for {
		select {
		case <-ctx.Done():
			return nil
		case event, ok := <-w.Events:
			if !ok {
				return nil
			}
			if event.Has(fsnotify.Create) {
				// What cannot be watched any more is found by looking.
				_ = add(w, event.Name)
			}
			if settled == nil {
				since = time.Now()
			}
			settled = time.After(max(0, min(quiet, longest-time.Since(since))))
		case _, ok := <-w.Errors:
			if !ok {
				return nil
			}
			// Events were lost, perhaps; so look.
			settled = time.After(quiet)
		case <-settled:
			settled = nil
			f.tell()
		case <-every.C:
			f.tell()
		}
	}
}

// tell calls changed if the folder is not as it was. A folder that cannot be read
// just now is looked at again later.
func (f *follower) tell() {
	now, err := f.print()
	if err != nil || now == f.last {
		return
	}
	f.last = now
	f.changed()
}

// maxFiles bounds what is looked at.
const maxFiles = 10_000

// print is a number that changes with the content of the files that count.
func (f *follower) print() (uint64, error) {
	sum := fnv.New64a()
	files := 0
	err := filepath.WalkDir(f.folder, func(path string, entry fs.DirEntry, err error) error {
		if err != nil {
			return err
		}
		if entry.IsDir() {
			if hidden(path, f.folder) {
				return filepath.SkipDir
			}
			return nil
		}
		if !f.filter(path) {
			return nil
		}
		if files++; files > maxFiles {
			return fmt.Errorf("more than %d files", maxFiles)
		}
		data, err := os.ReadFile(path)
		if err != nil {
			return err
		}
		fmt.Fprintf(sum, "%s\x00%d\x00", path, len(data))
		sum.Write(data)
		return nil
	})
	return sum.Sum64(), err
}

func hidden(path, folder string) bool {
	return path != folder && strings.HasPrefix(filepath.Base(path), ".")
}

// add watches a folder and those below it; a file is nothing to add.
func add(w *fsnotify.Watcher, folder string) error {
	return filepath.WalkDir(folder, func(path string, entry fs.DirEntry, err error) error {
		if err != nil || !entry.IsDir() {
			return err
		}
		if hidden(path, folder) {
			return filepath.SkipDir
		}
		return w.Add(path)
	})
}
