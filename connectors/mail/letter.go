package mail

import (
	"crypto/rand"
	"encoding/hex"
	"net/mail"
	"slices"
	"strings"

	gomail "github.com/wneessen/go-mail"

	"github.com/flowctl/flowctl/connectors"
)

// Bounds of one mail.
const (
	MaxRecipients = 100
	MaxSubject    = 500     // characters
	MaxContent    = 5 << 20 // bytes of text and HTML together
)

// letter is a mail that can be sent.
type letter struct {
	message    *gomail.Msg
	id         string // Message-ID without brackets
	recipients int
}

// letter writes the mail of a call. What comes from data can be nothing but a
// value: addresses are parsed and written anew, the subject has no line breaks,
// the Message-ID has the characters that it may have.
func (c *Connection) letter(given map[string]any) (*letter, error) {
	p, err := complete(given)
	if err != nil {
		return nil, err
	}
	l := &letter{message: gomail.NewMsg()}
	l.message.FromMailAddress(c.settings.from)
	for name, add := range map[string]func(...*mail.Address){
		"to": l.message.ToMailAddress, "cc": l.message.CcMailAddress, "bcc": l.message.BccMailAddress,
	} {
		addresses, err := p.addresses(name)
		if err != nil {
			return nil, err
		}
		if len(addresses) > 0 {
			add(addresses...)
		}
		l.recipients += len(addresses)
	}
	if l.recipients > MaxRecipients {
		return nil, badParams("send: %d recipients, more than %d", l.recipients, MaxRecipients)
	}
	if text := p.text("reply_to"); text != "" {
		address, err := readAddress(text)
		if err != nil {
			return nil, badParams("send: reply_to: %v", err)
		}
		l.message.ReplyToMailAddress(address)
	}
	subject := oneLine(p.text("subject"))
	if n := len([]rune(subject)); n > MaxSubject {
		return nil, badParams("send: the subject has %d characters, more than %d", n, MaxSubject)
	}
	l.message.Subject(subject)
	if l.id, err = c.messageID(p.text("message_id")); err != nil {
		return nil, err
	}
	l.message.SetMessageIDWithValue(l.id)
	l.message.SetDate()
	l.message.SetUserAgent("flowctl")
	// Nobody's holiday note should answer (RFC 3834).
	l.message.SetGenHeader("Auto-Submitted", "auto-generated")

	text, html := p.text("text"), p.text("html")
	if len(text)+len(html) > MaxContent {
		return nil, badParams("send: text and html have %d bytes, more than %d", len(text)+len(html), MaxContent)
	}
	l.message.SetBodyString(gomail.TypeTextPlain, text)
	if html != "" {
		l.message.AddAlternativeString(gomail.TypeTextHTML, html)
	}
	return l, nil
}

// oneLine turns every control character into a space, and runs of spaces into one.
func oneLine(text string) string {
	return strings.Join(strings.Fields(strings.Map(func(r rune) rune {
		if isControl(r) {
			return ' '
		}
		return r
	}, text)), " ")
}

// messageID completes the name of a mail, or makes a random one.
func (c *Connection) messageID(given string) (string, error) {
	_, domain, _ := strings.Cut(c.settings.from.Address, "@")
	local := given
	if given == "" {
		random := make([]byte, 16)
		// Read never fails (crypto/rand).
		_, _ = rand.Read(random)
		local = hex.EncodeToString(random)
	} else if before, after, whole := strings.Cut(given, "@"); whole {
		local, domain = before, after
	}
	id := local + "@" + domain
	// The part of RFC 5322, 3.6.4 that every server takes. 200 characters keep
	// the header within one line.
	if !isDotAtom(local) || !isDotAtom(domain) || len(id) > 200 {
		return "", badParams("send: message_id %q must be letters, digits, dots, - and _, at most 200", given)
	}
	return id, nil
}

func isDotAtom(text string) bool {
	for part := range strings.SplitSeq(text, ".") {
		if part == "" || strings.ContainsFunc(part, func(r rune) bool {
			letter := 'a' <= r && r <= 'z' || 'A' <= r && r <= 'Z' || '0' <= r && r <= '9'
			return !letter && r != '-' && r != '_'
		}) {
			return false
		}
	}
	return true
}

// params are the checked parameters of a call.
type params map[string]any

func complete(given map[string]any) (params, error) {
	schema := sendOperation().Params
	p := params{}
	for name, value := range given {
		property, known := schema.Property(name)
		if !known {
			return nil, badParams("send has no parameter %q; it takes %s", name, strings.Join(schema.PropertyNames(), ", "))
		}
		if value == nil {
			continue
		}
		if _, isText := value.(string); property.Type == "string" && !isText {
			return nil, badParams("send: %s must be text", name)
		}
		p[name] = value
	}
	for _, name := range schema.Required {
		if p[name] == nil || p[name] == "" {
			return nil, badParams("send needs the parameter %q", name)
		}
	}
	if to, _ := p["to"].([]any); len(to) == 0 {
		return nil, badParams("send: to must be a list of at least one address")
	}
	return p, nil
}

func (p params) text(name string) string {
	text, _ := p[name].(string)
	return text
}

func (p params) addresses(name string) ([]*mail.Address, error) {
	if p[name] == nil {
		return nil, nil
	}
	list, ok := p[name].([]any)
	if !ok {
		return nil, badParams("send: %s must be a list of addresses", name)
	}
	var addresses []*mail.Address
	for _, item := range list {
		text, _ := item.(string)
		address, err := readAddress(text)
		if err != nil {
			return nil, badParams("send: %s: %v", name, err)
		}
		same := func(other *mail.Address) bool { return other.Address == address.Address }
		if !slices.ContainsFunc(addresses, same) {
			addresses = append(addresses, address)
		}
	}
	return addresses, nil
}

func badParams(format string, args ...any) *connectors.Error {
	return connectors.Errorf(connectors.Permanent, connectors.CodeBadParams, "mail: "+format, args...)
}
