package mail

import (
	"context"
	"crypto/tls"
	"crypto/x509"
	"errors"
	"fmt"
	"net"
	"net/textproto"
	"strings"
	"syscall"

	gomail "github.com/wneessen/go-mail"

	"github.com/flowctl/flowctl/connectors"
)

// send hands a mail to the server. The errors say whether it may have taken it:
// that is so only between the mail's last byte and the answer to it.
func (c *Connection) send(ctx context.Context, l *letter) error {
	ctx, done := context.WithCancel(ctx)
	defer done()
	client, err := c.client(ctx)
	if err != nil {
		return badConfig("the mail server cannot be used: %v", err)
	}
	session, err := client.DialToSMTPClientWithContext(ctx)
	if err != nil {
		return c.notReady(ctx, err)
	}
	failed := client.SendWithSMTPClient(session, l.message)
	// The server has answered, or it never will: how it takes the goodbye
	// changes nothing.
	_ = client.CloseWithSMTPClient(session)
	if failed == nil || l.message.IsDelivered() {
		return nil
	}
	return c.notSent(ctx, failed)
}

// client is made for one mail: its connection is closed when the context ends.
func (c *Connection) client(ctx context.Context) (*gomail.Client, error) {
	s := c.settings
	options := []gomail.Option{
		gomail.WithPort(s.port), gomail.WithTimeout(Timeout), gomail.WithTLSConfig(c.trust.Clone()),
		gomail.WithoutNoop(), gomail.WithoutRset(),
		gomail.WithDialContextFunc(func(dialing context.Context, network, address string) (net.Conn, error) {
			conn, err := (&net.Dialer{}).DialContext(dialing, network, address)
			if err != nil {
				return nil, err
			}
			context.AfterFunc(ctx, func() { conn.Close() })
			if s.encryption != encryptionTLS {
				return conn, nil
			}
			secure := tls.Client(conn, c.trust)
			if err := secure.HandshakeContext(dialing); err != nil {
				return nil, errors.Join(err, conn.Close())
			}
			return secure, nil
		}),
	}
	switch s.encryption {
	case encryptionTLS:
		options = append(options, gomail.WithSSL())
	case encryptionNone:
		options = append(options, gomail.WithTLSPolicy(gomail.NoTLS))
	default:
		options = append(options, gomail.WithTLSPolicy(gomail.TLSMandatory))
	}
	if s.password != "" {
		options = append(options, gomail.WithUsername(s.user), gomail.WithPassword(s.password),
			gomail.WithOpportunisticSMTPAuth(gomail.SMTPAuthSCRAMSHA256, gomail.SMTPAuthSCRAMSHA1, gomail.SMTPAuthPlain, gomail.SMTPAuthLogin, gomail.SMTPAuthCramMD5))
	}
	return gomail.NewClient(s.host, options...)
}

// notReady is an error before the mail: nothing was sent.
func (c *Connection) notReady(ctx context.Context, cause error) *connectors.Error {
	e := &connectors.Error{Class: connectors.Transient, Code: connectors.CodeUnreachable, Err: cause}
	var (
		refused     *textproto.Error
		dns         *net.DNSError
		certificate *tls.CertificateVerificationError
		authority   x509.UnknownAuthorityError
		timeout     net.Error
		says        string
	)
	switch {
	case errors.As(cause, &refused):
		says = "the server says " + serverWords(refused)
		switch {
		case refused.Code == 530 || refused.Code == 534 || refused.Code == 535: // RFC 4954, 6
			e.Class, e.Code = connectors.Permanent, connectors.CodeUnauthorized
			e.Advice = "Check user and password; some providers want a password made for the app."
		case refused.Code >= 500:
			e.Class, e.Code = connectors.Permanent, fmt.Sprintf("smtp_%d", refused.Code)
		}
	case errors.As(cause, &dns):
		says = fmt.Sprintf("the name %s is not known", dns.Name)
		e.Advice = "Check host."
	case errors.As(cause, &authority), errors.As(cause, &certificate):
		says = "the server's certificate is not trusted: " + cause.Error()
		e.Advice = "Use the name that the certificate is for, or name its root in FLOWCTL_CA_FILE."
	case strings.Contains(cause.Error(), "does not support STARTTLS"):
		e.Class, e.Code = connectors.Permanent, connectors.CodeBadConfig
		says = "the server offers no STARTTLS, and without it nothing is sent"
		e.Advice = "Set encryption to tls with its port, or to none for a server within your own network."
	case strings.Contains(cause.Error(), "does not support SMTP AUTH"), errors.Is(cause, gomail.ErrNoSupportedAuthDiscovered):
		e.Class, e.Code = connectors.Permanent, connectors.CodeBadConfig
		says = "the server offers no login that is known here"
		e.Advice = "Leave user and password empty where the server asks for none; otherwise check port and encryption."
	case ctx.Err() != nil:
		says = "stopped before the mail was sent"
	case errors.As(cause, &timeout) && timeout.Timeout(), errors.Is(cause, context.DeadlineExceeded):
		says = "no answer in time"
		e.Advice = "Check host, port and encryption: a server that speaks TLS from the first byte waits in silence for starttls."
	case errors.Is(cause, syscall.ECONNREFUSED):
		says = "the server refuses connections"
		e.Advice = "Is the port right?"
	default:
		says = "not reached: " + cause.Error()
		e.Advice = "Check host, port and encryption."
	}
	return c.scrubbed(e, says)
}

// notSent is an error of the mail itself. A server that says no has not taken
// it; one that breaks off has not either, unless it had all of it.
func (c *Connection) notSent(ctx context.Context, cause error) *connectors.Error {
	e := &connectors.Error{Class: connectors.Transient, Code: connectors.CodeUnreachable, Err: cause}
	var sent *gomail.SendError
	if !errors.As(cause, &sent) {
		e.Class = connectors.Unclear
		return c.scrubbed(e, cause.Error()+"; whether the mail was sent is not known")
	}
	said := sent.ErrorCode()
	switch {
	case said >= 500:
		e.Class, e.Code = connectors.Permanent, fmt.Sprintf("smtp_%d", said)
		if sent.Reason == gomail.ErrSMTPRcptTo {
			e.Advice = "Correct the address; the mail went to nobody."
		}
	case said >= 400:
		e.Code = fmt.Sprintf("smtp_%d", said)
		if said == 421 || said == 450 || said == 451 || said == 452 {
			e.Advice = "The server asks to come back later; it is tried again."
		}
	case sent.Reason == gomail.ErrSMTPDataClose:
		e.Class = connectors.Unclear
		e.Advice = "Look whether the mail arrived: the server broke off after it had all of it. Then let the run go on, or try it again."
		return c.scrubbed(e, "no answer after the mail; whether the server took it is not known: "+sent.Error())
	case sent.Reason == gomail.ErrGetSender, sent.Reason == gomail.ErrGetRcpts, sent.Reason == gomail.ErrNoUnencoded:
		e.Class, e.Code = connectors.Permanent, connectors.CodeBadParams
	case ctx.Err() != nil:
		return c.scrubbed(e, "stopped before the mail was sent")
	}
	return c.scrubbed(e, "not sent: "+sent.Error())
}

func serverWords(e *textproto.Error) string {
	words := strings.Join(strings.Fields(e.Msg), " ")
	if runes := []rune(words); len(runes) > 300 {
		words = string(runes[:300]) + "…"
	}
	return fmt.Sprintf("%d %s", e.Code, words)
}

// scrubbed words the error, without the password.
func (c *Connection) scrubbed(e *connectors.Error, says string) *connectors.Error {
	e.Message = fmt.Sprintf("mail by %s: %s", c.settings.host, says)
	if secret := c.settings.password; secret != "" {
		e.Message = strings.ReplaceAll(e.Message, secret, "•••")
		if e.Err != nil && strings.Contains(e.Err.Error(), secret) {
			e.Err = nil
		}
	}
	return e
}
