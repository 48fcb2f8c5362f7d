package sandbox

import (
	"encoding/json"
	"fmt"
	"os"
	"slices"
	"testing"
)

// sharedDir is where the recordings and cases lie: FLOWCTL_RECORDINGS, or
// ../shared beside the repository. Tests that need them skip without them.
func sharedDir(t *testing.T) string {
	t.Helper()
	dir := os.Getenv("FLOWCTL_RECORDINGS")
	if dir == "" {
		dir = "../../../../shared"
	}
	if _, err := os.Stat(dir); err != nil {
		t.Skipf("NO RECORDINGS: set FLOWCTL_RECORDINGS to the folder that holds recordings/ and cases/ (%v)", err)
	}
	return dir
}

// differences compares decoded JSON and names what differs by its path. Members
// whose path is in ignored are not compared.
func differences(at string, want, got any, ignored func(path string) bool) []string {
	if ignored != nil && ignored(at) {
		return nil
	}
	switch want := want.(type) {
	case map[string]any:
		record, ok := got.(map[string]any)
		if !ok {
			return []string{fmt.Sprintf("%s is %s, want a record", at, short(got))}
		}
		var all []string
		var names []string
		for name := range want {
			names = append(names, name)
		}
		for name := range record {
			if _, known := want[name]; !known {
				names = append(names, name)
			}
		}
		slices.Sort(names)
		for _, name := range names {
			path := at + "." + name
			w, wanted := want[name]
			g, given := record[name]
			switch {
			case ignored != nil && ignored(path):
			case !wanted:
				all = append(all, fmt.Sprintf("%s is %s, and should not be there", path, short(g)))
			case !given:
				all = append(all, fmt.Sprintf("%s is missing, want %s", path, short(w)))
			default:
				all = append(all, differences(path, w, g, ignored)...)
			}
		}
		return all
	case []any:
		items, ok := got.([]any)
		if !ok || len(items) != len(want) {
			return []string{fmt.Sprintf("%s is %s, want %s", at, short(got), short(want))}
		}
		var all []string
		for i := range want {
			all = append(all, differences(fmt.Sprintf("%s[%d]", at, i), want[i], items[i], ignored)...)
		}
		return all
	}
	if fmt.Sprintf("%T %v", want, want) != fmt.Sprintf("%T %v", got, got) {
		return []string{fmt.Sprintf("%s is %s, want %s", at, short(got), short(want))}
	}
	return nil
}

func short(v any) string {
	text, err := json.Marshal(v)
	if err != nil {
		return err.Error()
	}
	if len(text) > 160 {
		return string(text[:160]) + "…"
	}
	return string(text)
}
