package panel

import (
	"net"
	"net/http"
	"net/netip"
	"strings"
)

// policy is what the pages may load and do: nothing that is not theirs, and no
// script or style within a page, so that text from a record can never act.
const policy = "default-src 'none'; script-src 'self'; style-src 'self'; img-src 'self'; font-src 'self'; connect-src 'self'; " +
	"form-action 'self'; base-uri 'none'; frame-ancestors 'none'"

// maxForm bounds what a page sends. An edited payload is the largest.
const maxForm = 2 << 20

// secured sets the headers that every answer carries, refuses hosts that are not
// ours, and bounds bodies.
func (p *Panel) secured(next http.Handler) http.Handler {
	return http.HandlerFunc(func(w http.ResponseWriter, r *http.Request) {
		h := w.Header()
		h.Set("Content-Security-Policy", policy)
		h.Set("X-Frame-Options", "DENY")
		h.Set("X-Content-Type-Options", "nosniff")
		h.Set("Referrer-Policy", "same-origin")
		h.Set("Cross-Origin-Opener-Policy", "same-origin")
		h.Set("Cross-Origin-Resource-Policy", "same-origin")
		h.Set("Permissions-Policy", "camera=(), microphone=(), geolocation=(), payment=()")
		h.Set("Cache-Control", "no-store")
		if encrypted(r) {
			h.Set("Strict-Transport-Security", "max-age=31536000")
		}
		if !p.ours(r) {
			// Not a page: whoever asks under another name gets nothing of ours.
			http.Error(w, "This host is not served here.", http.StatusMisdirectedRequest)
			return
		}
		r.Body = http.MaxBytesReader(w, r.Body, maxForm)
		next.ServeHTTP(w, r)
	})
}

// ours tells whether the request names a host that this panel answers to. It
// keeps a foreign site from leading a browser here under its own name.
func (p *Panel) ours(r *http.Request) bool {
	host := hostOf(r.Host)
	if loopback(host) {
		// In the demo there is no login: then the other end must be this machine too.
		return !p.config.Demo || local(r.RemoteAddr)
	}
	if p.config.Demo {
		return false
	}
	return p.hosts == nil || p.hosts[host] || isAddress(host)
}

func hostOf(hostport string) string {
	if host, _, err := net.SplitHostPort(hostport); err == nil {
		hostport = host
	}
	return strings.ToLower(strings.Trim(hostport, "[]"))
}

func loopback(host string) bool {
	addr, err := netip.ParseAddr(host)
	return host == "localhost" || err == nil && addr.IsLoopback()
}

// isAddress tells whether a host is a bare address: no site can take its name.
func isAddress(host string) bool {
	_, err := netip.ParseAddr(host)
	return err == nil
}

func local(remote string) bool {
	addr, err := netip.ParseAddrPort(remote)
	return err == nil && addr.Addr().Unmap().IsLoopback()
}

// encrypted tells whether the browser came by TLS, here or at a proxy before us.
func encrypted(r *http.Request) bool {
	return r.TLS != nil || strings.EqualFold(r.Header.Get("X-Forwarded-Proto"), "https")
}
