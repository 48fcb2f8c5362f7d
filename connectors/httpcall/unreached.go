package httpcall

import (
	"context"
	"crypto/tls"
	"crypto/x509"
	"errors"
	"io"
	"net"
	"strings"
	"syscall"
)

// Reason is why there was no answer.
type Reason int

// The reasons, in the order in which they are looked for.
const (
	NameUnknown         Reason = iota // Detail is the name
	CertificateUnsigned               // by no authority known here
	CertificateName                   // Detail is the host it is not for
	CertificateInvalid                // Detail says how: expired, say
	NotHTTPS                          // another protocol is spoken at this port
	Cancelled
	NoAnswerInTime
	Refused // nobody listens there
	Broken  // after a connection was made; Detail is the cause
	HungUp  // before anything was said, as a server without https does
	Unreachable
)

// Trouble is what stood between us and an answer.
type Trouble struct {
	Reason Reason
	Detail string
}

// Diagnose tells why an exchange had no answer.
func Diagnose(err error) Trouble {
	var (
		unanswered  *Unanswered
		dns         *net.DNSError
		authority   x509.UnknownAuthorityError
		hostname    x509.HostnameError
		certificate *tls.CertificateVerificationError
		record      tls.RecordHeaderError
		timeout     net.Error
	)
	connected := errors.As(err, &unanswered) && unanswered.Connected
	switch {
	case errors.As(err, &dns):
		return Trouble{NameUnknown, dns.Name}
	case errors.As(err, &authority):
		return Trouble{CertificateUnsigned, ""}
	case errors.As(err, &hostname):
		return Trouble{CertificateName, hostname.Host}
	case errors.As(err, &certificate):
		return Trouble{CertificateInvalid, certificate.Err.Error()}
	case errors.As(err, &record), strings.Contains(err.Error(), "HTTP response to HTTPS client"):
		return Trouble{NotHTTPS, ""}
	case errors.Is(err, context.Canceled):
		return Trouble{Cancelled, ""}
	case errors.Is(err, context.DeadlineExceeded), errors.As(err, &timeout) && timeout.Timeout():
		return Trouble{NoAnswerInTime, ""}
	case errors.Is(err, syscall.ECONNREFUSED):
		return Trouble{Refused, ""}
	case connected:
		return Trouble{Broken, err.Error()}
	case errors.Is(err, io.EOF):
		return Trouble{HungUp, ""}
	}
	return Trouble{Unreachable, err.Error()}
}

// Untrusted tells whether the certificate was refused.
func (t Trouble) Untrusted() bool {
	return t.Reason == CertificateUnsigned || t.Reason == CertificateName || t.Reason == CertificateInvalid
}
