package connectors_test

import (
	"net/http"
	"testing"
	"time"

	"github.com/flowctl/flowctl/connectors"
)

func TestClockCheck(t *testing.T) {
	t.Parallel()
	sent := time.Date(2026, 3, 1, 12, 0, 0, 0, time.UTC)
	received := sent.Add(2 * time.Second)
	for name, test := range map[string]struct {
		theirs time.Duration // from the middle of the exchange
		level  connectors.Level
		says   string
	}{
		"agree":           {0, connectors.OK, "the clocks agree to 1s"},
		"some seconds":    {7 * time.Second, connectors.OK, "the clocks agree to 8s"}, // half a second for the header, rounded up
		"a minute ahead":  {time.Minute, connectors.Warn, "its clock is 1m1s ahead of this machine's"},
		"a minute behind": {-time.Minute, connectors.Warn, "its clock is 1m0s behind this machine's"},
		"an hour behind":  {-time.Hour, connectors.Fail, "its clock is 1h0m0s behind this machine's"},
	} {
		t.Run(name, func(t *testing.T) {
			t.Parallel()
			header := http.Header{"Date": {sent.Add(time.Second + test.theirs).Format(http.TimeFormat)}}
			got, ok := connectors.ClockCheck(header, sent, received)
			if !ok || got.Level != test.level || got.Message != test.says {
				t.Errorf("got %+v, %v", got, ok)
			}
		})
	}
	if _, ok := connectors.ClockCheck(http.Header{}, sent, received); ok {
		t.Error("an answer without a date was believed")
	}
}
