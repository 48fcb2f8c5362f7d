package odoo

import (
	"context"
	"encoding/json"
	"net/http"
	"sync"
	"time"

	"golang.org/x/sync/singleflight"

	"github.com/flowctl/flowctl/connectors"
)

// versionTTL is how long the server's version is believed; an upgrade of Odoo
// takes it down for longer than any run waits.
const versionTTL = time.Hour

// negotiated is the transport that suits the server: JSON-2 from version 19 on
// when there is an API key, which JSON-2 needs, and JSON-RPC otherwise.
type negotiated struct {
	wire  *wire
	rpc   *jsonRPC
	json2 *json2
	asks  singleflight.Group

	mu    sync.Mutex
	known Version
	asked time.Time
}

var _ transport = (*negotiated)(nil)

func negotiate(w *wire) *negotiated {
	return &negotiated{wire: w, rpc: &jsonRPC{wire: w}, json2: &json2{wire: w}}
}

func (n *negotiated) execute(ctx context.Context, call invocation) (json.RawMessage, error) {
	if !n.wire.settings.key || !call.named() {
		// What is given by its place can only be sent where places count.
		return n.rpc.execute(ctx, call)
	}
	v, err := n.version(ctx)
	if err != nil {
		return nil, err
	}
	if v.Major < firstJSON2 {
		return n.rpc.execute(ctx, call)
	}
	result, err := n.json2.execute(ctx, call)
	if connectors.HasCode(err, connectors.CodeBadAnswer) && connectors.ClassOf(err) == connectors.Permanent {
		// Perhaps another server answers at this address by now.
		n.forget()
	}
	return result, err
}

// named tells whether every argument has a name.
func (i invocation) named() bool {
	for _, arg := range i.args {
		if arg.name == "" {
			return false
		}
	}
	return true
}

func (n *negotiated) version(ctx context.Context) (Version, error) {
	n.mu.Lock()
	known, asked := n.known, n.asked
	n.mu.Unlock()
	if known.Text != "" && time.Since(asked) < versionTTL {
		return known, nil
	}
	answer := n.asks.DoChan("", func() (any, error) {
		// Shared by all who wait, so it must not end with the first one's context.
		v, err := n.askVersion(context.WithoutCancel(ctx))
		if err == nil {
			n.mu.Lock()
			defer n.mu.Unlock()
			n.known, n.asked = v, time.Now()
		}
		return v, err
	})
	select {
	case <-ctx.Done():
		return Version{}, unreachable(ctx.Err(), connectors.Transient, "asking Odoo for its version")
	case result := <-answer:
		if result.Err != nil {
			return Version{}, result.Err
		}
		return result.Val.(Version), nil
	}
}

// askVersion reads the page that 19 and later have, which needs no login and no
// database (recordings odoo19/145, 563); where there is none it asks over
// JSON-RPC, as for all versions before.
func (n *negotiated) askVersion(ctx context.Context) (Version, error) {
	call := rpcCall{service: "web", method: "version", path: "/web/version"}
	answer, failed := n.wire.do(ctx, http.MethodGet, call, nil, nil)
	if failed != nil {
		return Version{}, n.wire.scrub(failed)
	}
	var told struct {
		Version string `json:"version"`
	}
	if answer.Status == http.StatusOK && json.Unmarshal(answer.Body, &told) == nil && majorVersion(told.Version) > 0 {
		return Version{Major: majorVersion(told.Version), Text: told.Version}, nil
	}
	if status := answer.Status; status >= 500 || status == http.StatusTooManyRequests {
		return Version{}, n.wire.scrub(statusError(answer, call))
	}
	return n.rpc.version(ctx)
}

// forget makes the next call ask for the version again.
func (n *negotiated) forget() {
	n.mu.Lock()
	defer n.mu.Unlock()
	n.known = Version{}
}

func (n *negotiated) clockFinding() (connectors.Finding, bool) { return n.wire.clockFinding() }

func (n *negotiated) serverTime() (time.Time, bool) { return n.wire.serverTime() }
