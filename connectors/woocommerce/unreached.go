package woocommerce

import (
	"errors"
	"fmt"

	"github.com/flowctl/flowctl/connectors"
	"github.com/flowctl/flowctl/connectors/httpcall"
)

// unreached is the error of an exchange without an answer. Before there was a
// connection nothing can have happened; after it a write may have arrived.
func unreached(r *request, cause error) *connectors.Error {
	if refused, ok := connectors.NotSent(cause); ok {
		return refused
	}
	e := &connectors.Error{Class: connectors.Transient, Code: connectors.CodeUnreachable, Err: cause}
	if u := (*httpcall.Unanswered)(nil); errors.As(cause, &u) && u.Connected && r.writes() {
		e.Class = connectors.Unclear
	}
	switch trouble := httpcall.Diagnose(cause); trouble.Reason {
	case httpcall.NameUnknown:
		e.Message = fmt.Sprintf("the name %s is not known", trouble.Detail)
		e.Advice = "Check the shop's URL and this machine's name resolution."
	case httpcall.CertificateUnsigned:
		e.Message = "the shop's certificate is signed by no authority known here"
		e.Advice = "Install a full certificate chain in the shop, or name its root in FLOWCTL_CA_FILE."
	case httpcall.CertificateName:
		e.Message = fmt.Sprintf("the shop's certificate is not for %s", trouble.Detail)
		e.Advice = "Check the shop's URL: with or without www?"
	case httpcall.CertificateInvalid:
		e.Message = "the shop's certificate is not valid: " + trouble.Detail
		e.Advice = "Renew the shop's certificate."
	case httpcall.NotHTTPS:
		e.Message = "the shop does not speak https at this port"
		e.Advice = "Check the scheme and port of the shop's URL."
	case httpcall.Cancelled:
		e.Message = "the call was cancelled"
	case httpcall.NoAnswerInTime:
		e.Message = "the shop did not answer in time"
		e.Advice = "A slow shop: ask for less at once, or see what keeps it busy."
	case httpcall.Refused:
		e.Message = "the shop refuses connections"
		e.Advice = "Is its web server running, and is the port right?"
	case httpcall.Broken:
		e.Message = "the connection broke before the answer was complete: " + trouble.Detail
	case httpcall.HungUp:
		// A server without https hangs up at the first bytes of a handshake.
		e.Message = "the shop hangs up instead of speaking https"
		e.Advice = "Check the scheme and port of the shop's URL."
	default:
		e.Message = "the shop cannot be reached: " + trouble.Detail
	}
	if e.Class == connectors.Unclear {
		e.Message += "; whether the write happened is not known"
	}
	return e
}

// scrubbed takes the keys out of an error: a page may echo the query.
func (c *Connection) scrubbed(e *connectors.Error) error {
	return httpcall.NewScrubber(c.keys.secret, c.keys.key).Error(e)
}
