package woocommerce

import (
	"maps"
	"net/url"
	"sync"
	"time"
)

// maxKept bounds the answers that a connection keeps.
const maxKept = 64

// kept holds answers that do not change between two runs: countries, currencies.
// Nobody changes a result, so all callers may share it.
type kept struct {
	mu      sync.Mutex
	answers map[string]keptAnswer
}

type keptAnswer struct {
	result any
	until  time.Time
}

func (k *kept) get(r *request) (any, bool) {
	if r.op.keep == 0 {
		return nil, false
	}
	k.mu.Lock()
	defer k.mu.Unlock()
	answer, ok := k.answers[keyOf(r)]
	return answer.result, ok && time.Now().Before(answer.until)
}

func (k *kept) put(r *request, result any) {
	if r.op.keep == 0 {
		return
	}
	k.mu.Lock()
	defer k.mu.Unlock()
	if k.answers == nil || len(k.answers) >= maxKept {
		now := time.Now()
		fresh := map[string]keptAnswer{}
		for key, answer := range maps.All(k.answers) {
			if now.Before(answer.until) && len(fresh) < maxKept/2 {
				fresh[key] = answer
			}
		}
		k.answers = fresh
	}
	k.answers[keyOf(r)] = keptAnswer{result, time.Now().Add(r.op.keep)}
}

func keyOf(r *request) string {
	return (&url.URL{Path: r.path, RawQuery: r.query.Encode()}).String()
}
