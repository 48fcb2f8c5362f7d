package flow_test

import (
	"testing"
	"testing/fstest"
	"time"

	"github.com/flowctl/flowctl/engine/flow"
)

// The last slot at or before now and the next one after it.
func TestSlots(t *testing.T) {
	t.Parallel()
	cases := []struct{ name, schedule, now, last, next string }{
		{"every counts from midnight UTC", "every: 15m", "2026-03-01T10:07:00Z", "2026-03-01T10:00:00Z", "2026-03-01T10:15:00Z"},
		{"a slot is its own last", "every: 15m", "2026-03-01T10:15:00Z", "2026-03-01T10:15:00Z", "2026-03-01T10:30:00Z"},
		{"by a setting", "every: \"${settings.often}\"", "2026-03-01T10:07:00Z", "2026-03-01T10:05:00Z", "2026-03-01T10:10:00Z"},
		{"cron", `cron: "0 6 * * *"`, "2026-03-01T05:59:59Z", "2026-02-28T06:00:00Z", "2026-03-01T06:00:00Z"},
		{"cron at its time", `cron: "0 6 * * *"`, "2026-03-01T06:00:00Z", "2026-03-01T06:00:00Z", "2026-03-02T06:00:00Z"},
		{"cron of a month", `cron: "30 2 1 * *"`, "2026-03-20T00:00:00Z", "2026-03-01T02:30:00Z", "2026-04-01T02:30:00Z"},
		{"a rare cron", `cron: "0 0 29 2 *"`, "2026-03-01T00:00:00Z", "2024-02-29T00:00:00Z", "2028-02-29T00:00:00Z"},
		{"cron in a zone, in winter", `cron: "0 6 * * *", zone: Europe/Berlin`, "2026-01-10T12:00:00Z", "2026-01-10T05:00:00Z", "2026-01-11T05:00:00Z"},
		{"cron in a zone, in summer", `cron: "0 6 * * *", zone: Europe/Berlin`, "2026-07-10T12:00:00Z", "2026-07-10T04:00:00Z", "2026-07-11T04:00:00Z"},
	}
	for _, c := range cases {
		t.Run(c.name, func(t *testing.T) {
			t.Parallel()
			app, found, err := flow.Load(fstest.MapFS{"app.yaml": {Data: []byte("app: test\ntitle: Test\nconnections: {}\nflows: []\n" +
				"settings: [{tab: m, title: M, fields: [{name: often, title: Often, type: text, default: 5m}]}]\nschedules: {s: {" + c.schedule + "}}\n")}}, "")
			if err != nil || found.Failed() {
				t.Fatal(err, found)
			}
			now, err := time.Parse(time.RFC3339, c.now)
			if err != nil {
				t.Fatal(err)
			}
			last, next, err := app.Schedules[0].Slot(t.Context(), map[string]any{"often": "5m"}, now)
			if err != nil || last.Format(time.RFC3339) != c.last || next.Format(time.RFC3339) != c.next {
				t.Errorf("got %s and %s, %v", last.Format(time.RFC3339), next.Format(time.RFC3339), err)
			}
		})
	}
}
