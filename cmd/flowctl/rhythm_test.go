package main

import (
	"bytes"
	"strings"
	"testing"

	executor "github.com/flowctl/flowctl/engine/run"
)

func TestBackoffTextIsWhatTheFlagReads(t *testing.T) {
	t.Parallel()
	const want = "1s,3s,10s,30s,1m,2m,5m,10m,20m,30m,1h,2h,4h,8h,8h"
	if got := backoffText(executor.DefaultBackoff); got != want {
		t.Fatalf("got %s, want %s", got, want)
	}
}

func TestServeRefusesATimeThatCannotWork(t *testing.T) {
	t.Parallel()
	for _, test := range []struct{ flag, value, says string }{
		{"--lease", "10ms", "too short"},
		{"--retry-backoff", "1s,soon", `"soon" is no time`},
		{"--retry-backoff", "1s,,2s", "is no time"},
		{"--retry-backoff", "-1s", "is no time"},
		{"--request-timeout", "-1s", "less than nothing"},
		{"--unclear-wait", "-1s", "less than nothing"},
	} {
		var out, errors bytes.Buffer
		code := execute(t.Context(), []string{"flowctl", "serve", "--data", t.TempDir(), test.flag, test.value}, nil, &out, &errors)
		if code != exitUsage || !strings.Contains(errors.String(), test.says) {
			t.Errorf("%s %s: exit code %d, %s", test.flag, test.value, code, &errors)
		}
	}
}
