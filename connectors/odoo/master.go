package odoo

import (
	"bytes"
	"context"
	"encoding/json"
	"slices"
	"strconv"
	"sync"
	"time"

	"golang.org/x/sync/singleflight"
)

// masterModels are the models whose records seldom change and are looked up by
// every run: their reads are cached. Stock, prices and customers are not here.
var masterModels = []string{
	"account.fiscal.position",
	"account.fiscal.position.tax",
	"account.incoterms",
	"account.journal",
	"account.payment.method.line",
	"account.payment.term",
	"account.tax",
	"account.tax.group",
	"crm.team",
	"decimal.precision",
	"delivery.carrier",
	"product.pricelist",
	"res.company",
	"res.country",
	"res.country.group",
	"res.country.state",
	"res.currency",
	"res.lang",
	"res.partner.category",
	"stock.location",
	"stock.picking.type",
	"stock.warehouse",
	"uom.uom",
}

const (
	masterTTL = 3 * time.Minute
	// masterEntries bounds the memory of the cache: a look-up is some hundred
	// bytes, a whole tax table some ten thousand.
	masterEntries = 1000
	// masterBytes bounds it as well; an answer larger than masterLargest is not kept.
	masterBytes   = 16 << 20
	masterLargest = 1 << 20
)

// masterCache keeps the answers to reads of master data. Answers are kept as
// the JSON that came, so that nobody can change what another one reads.
type masterCache struct {
	remote transport
	now    func() time.Time
	calls  singleflight.Group

	mu sync.Mutex
	// generation is raised by every write to master data. An answer that was
	// asked for before is not kept, and nobody joins in waiting for it.
	generation int
	answers    map[string]masterAnswer
	size       int // of all answers, in bytes
}

type masterAnswer struct {
	raw   json.RawMessage
	until time.Time
}

func newMasterCache(remote transport) *masterCache {
	return &masterCache{remote: remote, now: time.Now, answers: map[string]masterAnswer{}}
}

// execute answers reads of master data from the cache and passes all else on.
func (m *masterCache) execute(ctx context.Context, call invocation) (json.RawMessage, error) {
	if !slices.Contains(masterModels, call.model) {
		return m.remote.execute(ctx, call)
	}
	if call.write {
		// Before, for those who read while the write is under way, and after.
		m.drop()
		defer m.drop()
		return m.remote.execute(ctx, call)
	}
	values := make([]any, len(call.args))
	for i, arg := range call.args {
		values[i] = arg.value
	}
	key, err := json.Marshal([]any{call.model, call.method, call.ids, values, call.kwargs})
	if err != nil {
		return m.remote.execute(ctx, call)
	}
	return m.read(ctx, string(key), call)
}

func (m *masterCache) read(ctx context.Context, key string, call invocation) (json.RawMessage, error) {
	m.mu.Lock()
	generation := m.generation
	answer, ok := m.answers[key]
	m.mu.Unlock()
	if ok && m.now().Before(answer.until) {
		return answer.raw, nil
	}
	shared := m.calls.DoChan(strconv.Itoa(generation)+key, func() (any, error) {
		// The call outlives the one who happened to ask first: others wait for
		// it as well. The transport bounds its time.
		raw, err := m.remote.execute(context.WithoutCancel(ctx), call)
		if err == nil && worthKeeping(raw) {
			m.keep(key, generation, raw)
		}
		return raw, err
	})
	select {
	case <-ctx.Done():
		return nil, unreachable(ctx.Err(), "transient", call.model+"."+call.method)
	case result := <-shared:
		raw, _ := result.Val.(json.RawMessage)
		return raw, result.Err
	}
}

// worthKeeping leaves out what was not found: who is told of a missing tax or
// journal makes it and tries again at once.
func worthKeeping(raw json.RawMessage) bool {
	switch string(bytes.TrimSpace(raw)) {
	case "[]", "0", "false", "null", "{}", "":
		return false
	}
	return len(raw) <= masterLargest
}

func (m *masterCache) keep(key string, generation int, raw json.RawMessage) {
	m.mu.Lock()
	defer m.mu.Unlock()
	if generation != m.generation {
		return
	}
	now := m.now()
	if m.full(raw) {
		for k, answer := range m.answers {
			if now.After(answer.until) {
				m.size -= len(answer.raw)
				delete(m.answers, k)
			}
		}
	}
	if m.full(raw) {
		clear(m.answers)
		m.size = 0
	}
	m.size += len(raw) - len(m.answers[key].raw)
	m.answers[key] = masterAnswer{raw: raw, until: now.Add(masterTTL)}
}

func (m *masterCache) full(more json.RawMessage) bool {
	return len(m.answers) >= masterEntries || m.size+len(more) > masterBytes
}

func (m *masterCache) drop() {
	m.mu.Lock()
	defer m.mu.Unlock()
	m.generation++
	clear(m.answers)
	m.size = 0
}
