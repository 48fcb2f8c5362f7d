package woocommerce

import (
	"context"
	"crypto/tls"
	"crypto/x509"
	"errors"
	"fmt"
	"io"
	"net"
	"strings"
	"syscall"

	"github.com/flowctl/flowctl/connectors"
)

// unreached is the error of an exchange without an answer. Before there was a
// connection nothing can have happened; after it a write may have arrived.
func unreached(r *request, cause error, connected bool) *connectors.Error {
	e := &connectors.Error{Class: connectors.Transient, Code: connectors.CodeUnreachable, Err: cause}
	if connected && r.writes() {
		e.Class = connectors.Unclear
	}
	var (
		dns         *net.DNSError
		authority   x509.UnknownAuthorityError
		hostname    x509.HostnameError
		certificate *tls.CertificateVerificationError
		record      tls.RecordHeaderError
		timeout     net.Error
	)
	switch {
	case errors.As(cause, &dns):
		e.Message = fmt.Sprintf("the name %s is not known", dns.Name)
		e.Advice = "Check the shop's URL and this machine's name resolution."
	case errors.As(cause, &authority):
		e.Message = "the shop's certificate is signed by no authority known here"
		e.Advice = "Install a full certificate chain in the shop, or name its root in FLOWCTL_CA_FILE."
	case errors.As(cause, &hostname):
		e.Message = fmt.Sprintf("the shop's certificate is not for %s", hostname.Host)
		e.Advice = "Check the shop's URL: with or without www?"
	case errors.As(cause, &certificate):
		e.Message = "the shop's certificate is not valid: " + certificate.Err.Error()
		e.Advice = "Renew the shop's certificate."
	case errors.As(cause, &record) || strings.Contains(cause.Error(), "HTTP response to HTTPS client"):
		e.Message = "the shop does not speak https at this port"
		e.Advice = "Check the scheme and port of the shop's URL."
	case errors.Is(cause, context.Canceled):
		e.Message = "the call was cancelled"
	case errors.Is(cause, context.DeadlineExceeded), errors.As(cause, &timeout) && timeout.Timeout():
		e.Message = "the shop did not answer in time"
		e.Advice = "A slow shop: ask for less at once, or see what keeps it busy."
	case errors.Is(cause, syscall.ECONNREFUSED):
		e.Message = "the shop refuses connections"
		e.Advice = "Is its web server running, and is the port right?"
	case connected:
		e.Message = "the connection broke before the answer was complete: " + cause.Error()
	case errors.Is(cause, io.EOF):
		// A server without https hangs up at the first bytes of a handshake.
		e.Message = "the shop hangs up instead of speaking https"
		e.Advice = "Check the scheme and port of the shop's URL."
	default:
		e.Message = "the shop cannot be reached: " + cause.Error()
	}
	if e.Class == connectors.Unclear {
		e.Message += "; whether the write happened is not known"
	}
	return e
}

// scrubbed takes the keys out of an error: a page may echo the query.
func (c *Connection) scrubbed(e *connectors.Error) error {
	dirty := func(text string) bool {
		return strings.Contains(text, c.keys.secret) || strings.Contains(text, c.keys.key)
	}
	clean := strings.NewReplacer(c.keys.secret, "•••", c.keys.key, "•••")
	e.Message, e.Advice = clean.Replace(e.Message), clean.Replace(e.Advice)
	if e.Err != nil && dirty(e.Err.Error()) {
		e.Err = nil
	}
	return e
}
