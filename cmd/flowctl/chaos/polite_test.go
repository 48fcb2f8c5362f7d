//go:build linux

package chaos

import (
	"net/http"
	"sync"
	"testing"
	"time"

	shopsandbox "github.com/flowctl/flowctl/connectors/woocommerce/sandbox"
	"github.com/flowctl/flowctl/engine/store"
)

// TestRetryAfter has the shop ask two busy processes, with eight workers each, to
// leave it alone for some seconds: from when its answer has gone round no one
// asks, and afterwards all orders are imported.
func TestRetryAfter(t *testing.T) {
	t.Parallel()
	const pause = 4 * time.Second
	// Requests that were on their way when the shop spoke still arrive.
	const underway = 300 * time.Millisecond
	w := setup(t, databases[0].start(t)(t), newChance(t), 2)
	c := startCourier(w)

	var mu sync.Mutex
	var asked time.Time // when the shop first asked to be left alone
	var inTime, early, seen int
	w.shop.SetFault(func(*http.Request) *shopsandbox.Fault {
		mu.Lock()
		defer mu.Unlock()
		seen++
		switch since := time.Since(asked); {
		case seen < 60:
			return nil
		case asked.IsZero():
			asked = time.Now()
		case since > pause:
			return nil
		case since > underway:
			early++
		default:
			inTime++
		}
		return &shopsandbox.Fault{Status: http.StatusTooManyRequests, Header: http.Header{"Retry-After": {"4"}}, Body: `{"code":"too_many","message":"Too many requests"}`}
	})
	s := w.shoppers(40, func() { time.Sleep(5 * time.Millisecond) })
	<-s.done
	c.settle(2 * time.Minute)
	eventually(t, 3*time.Minute, "nothing is left to do", func() bool { return open(w.counts()) == 0 })
	if n := len(w.runs(store.RunFilter{Flow: importing, States: []store.State{store.Succeeded}})); n < 40 {
		t.Errorf("%d runs imported orders", n)
	}
	w.verify(s.orders, c)
	mu.Lock()
	defer mu.Unlock()
	t.Logf("after a 429 with Retry-After: 4, %d requests that were under way; %d calls in the forbidden time; %d requests in all", inTime, early, seen)
	if asked.IsZero() || early > 0 {
		t.Errorf("the shop asked at %s, and was asked %d times in the forbidden time", asked, early)
	}
}
