package panel

import (
	"bytes"
	"crypto/sha256"
	"encoding/base64"
	"io"
	"net/http"
	"net/url"
	"regexp"
	"strings"
	"sync"

	"github.com/hibiken/asynqmon"
)

// monitor is asynqmon, for owners and for viewers. It is made with the first
// visit: before that there may be no queue.
type monitor struct {
	mu            sync.Mutex
	full, looking *asynqmon.HTTPHandler
}

const queuesPath = "/queues"

func (m *monitor) handler(p *Panel, owner bool) (*asynqmon.HTTPHandler, bool) {
	m.mu.Lock()
	defer m.mu.Unlock()
	server, ok := p.engine.QueueServer()
	if !ok {
		return nil, false
	}
	of := &m.looking
	if owner {
		of = &m.full
	}
	if *of == nil {
		*of = asynqmon.New(asynqmon.Options{RootPath: queuesPath, RedisConnOpt: server, ReadOnly: !owner})
	}
	return *of, true
}

func (m *monitor) close() error {
	m.mu.Lock()
	defer m.mu.Unlock()
	var first error
	for _, h := range []**asynqmon.HTTPHandler{&m.full, &m.looking} {
		if *h != nil {
			if err := (*h).Close(); err != nil && first == nil {
				first = err
			}
			*h = nil
		}
	}
	return first
}

// queues serves asynqmon under the panel's login. Its pages are not ours: they
// carry their script and styles within, and get a policy of their own that names
// just those scripts.
func (p *Panel) queues(v *visit) error {
	handler, ok := p.monitor.handler(p, v.owner())
	if !ok {
		return &httpError{http.StatusServiceUnavailable, "There is no queue in this process.", "The panel runs here without workers. Open it where flowctl serve works flows, or give this process the same Redis."}
	}
	// It looks at the path alone, and would take it for a file's.
	if u, err := url.PathUnescape(v.URL.EscapedPath()); err != nil || strings.Contains(u, "..") {
		return notFound("There is no such page.")
	}
	held := &heldPage{ResponseWriter: v.w, status: http.StatusOK}
	handler.ServeHTTP(held, v.Request)
	return held.release()
}

var inlineScript = regexp.MustCompile(`(?s)<script>(.*?)</script>`)

// outside are style sheets of other hosts, which the policy would block anyway.
var outside = regexp.MustCompile(`<link[^>]+href="https?://[^"]*"[^>]*/?>`)

// heldPage keeps an HTML page back until its scripts are known; all else goes
// through.
type heldPage struct {
	http.ResponseWriter
	status int
	decided,
	page bool
	body bytes.Buffer
}

// WriteHeader notes the status.
func (h *heldPage) WriteHeader(status int) { h.status = status }

// Write keeps a page, and passes other answers on.
func (h *heldPage) Write(data []byte) (int, error) {
	if !h.decided {
		h.decided = true
		kind := h.Header().Get("Content-Type")
		if kind == "" {
			kind = http.DetectContentType(data)
			h.Header().Set("Content-Type", kind)
		}
		h.page = strings.HasPrefix(kind, "text/html")
		if !h.page {
			h.ResponseWriter.WriteHeader(h.status)
		}
	}
	if h.page {
		return h.body.Write(data)
	}
	return h.ResponseWriter.Write(data)
}

// release sends a page that was kept, with the policy for its scripts.
func (h *heldPage) release() error {
	if !h.decided {
		h.ResponseWriter.WriteHeader(h.status)
		return nil
	}
	if !h.page {
		return nil
	}
	body := outside.ReplaceAll(h.body.Bytes(), nil)
	scripts := "script-src 'self'"
	for _, match := range inlineScript.FindAllSubmatch(body, -1) {
		sum := sha256.Sum256(match[1])
		scripts += " 'sha256-" + base64.StdEncoding.EncodeToString(sum[:]) + "'"
	}
	h.Header().Set("Content-Security-Policy", strings.NewReplacer("script-src 'self'", scripts,
		"style-src 'self'", "style-src 'self' 'unsafe-inline'", "img-src 'self'", "img-src 'self' data:").Replace(policy)+"; manifest-src 'self'")
	h.Header().Del("Content-Length")
	h.ResponseWriter.WriteHeader(h.status)
	_, err := io.Copy(h.ResponseWriter, bytes.NewReader(body))
	return err
}
