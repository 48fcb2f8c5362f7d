package mail

import (
	"bytes"
	"context"
	"errors"
	"io"
	"net"
	"net/mail"
	"slices"
	"strings"
	"testing"
	"time"

	"pgregory.net/rapid"

	"github.com/flowctl/flowctl/connectors"
)

func letterTo(to ...any) record {
	return record{"to": to, "subject": "Order 12 is held", "text": "Look at it.\n.\nPlease."}
}

func with(p record, name string, value any) record { p[name] = value; return p }

func send(t *testing.T, conn *Connection, p record) (record, error) {
	t.Helper()
	got, err := conn.Call(t.Context(), connectors.Call{Operation: "send", Params: p})
	result, _ := got.(record)
	return result, err
}

func TestSend(t *testing.T) {
	t.Parallel()
	none, first := record{"encryption": "none"}, record{"encryption": "tls"}
	login := record{"user": "jo", "password": "s3cret"}
	for name, test := range map[string]struct {
		server   behaviour
		settings []record
	}{
		"STARTTLS":             {behaviour{}, nil},
		"STARTTLS and a login": {behaviour{login: "jo s3cret"}, []record{login}},
		"TLS":                  {behaviour{tlsFirst: true}, []record{first}},
		"TLS and a login":      {behaviour{tlsFirst: true, login: "jo s3cret"}, []record{first, login}},
		"in the open":          {behaviour{noSTARTTLS: true}, []record{none}},
		"a rude goodbye":       {behaviour{hangUp: "QUIT"}, nil},
	} {
		t.Run(name, func(t *testing.T) {
			t.Parallel()
			p := serve(t, test.server)
			params := letterTo("jo@example.com", "Ann <ann@example.com>", "jo@example.com")
			params["bcc"], params["cc"], params["reply_to"] = []any{"boss@example.com"}, []any{"team@example.com"}, "help@example.com"
			params["html"], params["message_id"] = "<p>Look at it.</p>", "order-12-held"
			got, err := send(t, p.open(test.settings...), params)
			if err != nil {
				t.Fatal(err)
			}
			if got["message_id"] != "order-12-held@example.com" || got["recipients"] != int64(4) {
				t.Errorf("got %v", got)
			}
			taken := p.taken()
			if len(taken) != 1 {
				t.Fatalf("%d mails", len(taken))
			}
			slices.Sort(taken[0].to)
			if want := "TO:<ann@example.com> TO:<boss@example.com> TO:<jo@example.com> TO:<team@example.com>"; strings.Join(taken[0].to, " ") != want {
				t.Errorf("to %v", taken[0].to)
			}
			if wantsLogin := len(test.settings) > 0 && test.server.login != ""; wantsLogin != (taken[0].user == "jo") {
				t.Errorf("logged in as %q", taken[0].user)
			}
			checkMail(t, taken[0].data)
		})
	}
}

func checkMail(t *testing.T, data string) {
	t.Helper()
	m, err := mail.ReadMessage(strings.NewReader(data))
	if err != nil {
		t.Fatal(err)
	}
	for name, want := range map[string]string{
		"From": `"Shop" <shop@example.com>`, "To": `<jo@example.com>, "Ann" <ann@example.com>`, "Cc": "<team@example.com>",
		"Reply-To": "<help@example.com>", "Message-Id": "<order-12-held@example.com>", "Auto-Submitted": "auto-generated",
		"Bcc": "", "Subject": "Order 12 is held",
	} {
		if got := m.Header.Get(name); got != want {
			t.Errorf("%s: %q, want %q", name, got, want)
		}
	}
	body, err := io.ReadAll(m.Body)
	if err != nil {
		t.Fatal(err)
	}
	if !strings.Contains(string(body), "Look at it.\n.\nPlease.") || !strings.Contains(string(body), "<p>Look at it.</p>") {
		t.Errorf("body %s", body)
	}
}

func TestWhatTheServerSays(t *testing.T) {
	t.Parallel()
	login := record{"user": "jo", "password": "s3cret"}
	for name, test := range map[string]struct {
		server   behaviour
		settings record
		class    connectors.Class
		code     string
	}{
		"busy":                    {behaviour{refuse: map[string]string{"greeting": "421 come back"}}, nil, connectors.Transient, connectors.CodeUnreachable},
		"not for us":              {behaviour{refuse: map[string]string{"greeting": "554 go away"}}, nil, connectors.Permanent, "smtp_554"},
		"no STARTTLS":             {behaviour{noSTARTTLS: true}, nil, connectors.Permanent, connectors.CodeBadConfig},
		"a wrong password":        {behaviour{login: "jo other"}, login, connectors.Permanent, connectors.CodeUnauthorized},
		"no login offered":        {behaviour{}, login, connectors.Permanent, connectors.CodeBadConfig},
		"login later":             {behaviour{login: "jo s3cret", refuse: map[string]string{"AUTH": "454 later"}}, login, connectors.Transient, connectors.CodeUnreachable},
		"sender refused":          {behaviour{refuse: map[string]string{"MAIL": "550 not you"}}, nil, connectors.Permanent, "smtp_550"},
		"recipient refused":       {behaviour{refuse: map[string]string{"RCPT": "550 5.1.1 nobody here"}}, nil, connectors.Permanent, "smtp_550"},
		"recipient later":         {behaviour{refuse: map[string]string{"RCPT": "450 greylisted"}}, nil, connectors.Transient, "smtp_450"},
		"mail refused":            {behaviour{refuse: map[string]string{".": "554 spam"}}, nil, connectors.Permanent, "smtp_554"},
		"mail later":              {behaviour{refuse: map[string]string{".": "452 full"}}, nil, connectors.Transient, "smtp_452"},
		"broken off at greeting":  {behaviour{hangUp: "greeting"}, nil, connectors.Transient, connectors.CodeUnreachable},
		"broken off before":       {behaviour{hangUp: "MAIL"}, nil, connectors.Transient, connectors.CodeUnreachable},
		"broken off at the data":  {behaviour{hangUp: "DATA"}, nil, connectors.Transient, connectors.CodeUnreachable},
		"broken off after a mail": {behaviour{hangUp: "."}, nil, connectors.Unclear, connectors.CodeUnreachable},
	} {
		t.Run(name, func(t *testing.T) {
			t.Parallel()
			p := serve(t, test.server)
			_, err := send(t, p.open(test.settings), letterTo("jo@example.com"))
			var told *connectors.Error
			if !errors.As(err, &told) || told.Class != test.class || told.Code != test.code {
				t.Fatalf("%s: %v", connectors.ClassOf(err), err)
			}
			if strings.Contains(told.Message, "s3cret") {
				t.Errorf("the password is shown: %s", told.Message)
			}
			if n := len(p.taken()); n != 0 && test.class != connectors.Unclear {
				t.Errorf("%d mails were taken", n)
			}
		})
	}
}

func TestNobodyThere(t *testing.T) {
	t.Parallel()
	nobody, err := net.Listen("tcp", "127.0.0.1:0")
	if err != nil {
		t.Fatal(err)
	}
	port := int64(nobody.Addr().(*net.TCPAddr).Port)
	nobody.Close()
	p := serve(t, behaviour{})
	if _, err := send(t, p.open(record{"port": port}), letterTo("jo@example.com")); connectors.ClassOf(err) != connectors.Transient || !connectors.HasCode(err, connectors.CodeUnreachable) {
		t.Errorf("nobody: %v", err)
	}
	conn := p.open()
	conn.trust.RootCAs = nil
	if _, err := send(t, conn, letterTo("jo@example.com")); !connectors.HasCode(err, connectors.CodeUnreachable) || !strings.Contains(err.Error(), "certificate") {
		t.Errorf("a certificate of nobody: %v", err)
	}
	if n := len(p.taken()); n > 0 {
		t.Errorf("%d mails were taken", n)
	}
}

// A call that ends while the server keeps silent ends the connection; whether
// the mail was taken depends on when.
func TestCancelled(t *testing.T) {
	t.Parallel()
	for at, class := range map[string]connectors.Class{"MAIL": connectors.Transient, ".": connectors.Unclear} {
		p := serve(t, behaviour{silent: at})
		ctx, cancel := context.WithTimeout(t.Context(), 200*time.Millisecond)
		_, err := p.open().Call(ctx, connectors.Call{Operation: "send", Params: letterTo("jo@example.com")})
		cancel()
		if connectors.ClassOf(err) != class {
			t.Errorf("silent at %s: %s: %v", at, connectors.ClassOf(err), err)
		}
	}
}

func TestParametersThatCannotBe(t *testing.T) {
	t.Parallel()
	p := serve(t, behaviour{})
	conn := p.open()
	many := make([]any, MaxRecipients+1)
	for i := range many {
		many[i] = strings.Repeat("a", i+1) + "@example.com"
	}
	for name, test := range map[string]struct {
		params record
		says   string
	}{
		"nobody":                    {letterTo(), "at least one address"},
		"no list":                   {with(letterTo(), "to", "jo@example.com"), "must be a list"},
		"no subject":                {with(letterTo("jo@example.com"), "subject", ""), `needs the parameter "subject"`},
		"no text":                   {with(letterTo("jo@example.com"), "text", nil), `needs the parameter "text"`},
		"no address":                {letterTo("jo"), "no mail address"},
		"a line break in it":        {letterTo("jo@example.com\r\nBcc: eve@example.com"), "no mail address"},
		"a quoted line break in it": {letterTo("\"jo\r\neve\"@example.com"), "no mail address"},
		"two in one":                {letterTo("jo@example.com, eve@example.com"), "no mail address"},
		"reply to no address":       {with(letterTo("jo@example.com"), "reply_to", "x"), "reply_to"},
		"a name with a line break":  {with(letterTo("jo@example.com"), "message_id", "a\r\nBcc: eve@example.com"), "message_id"},
		"a name with brackets":      {with(letterTo("jo@example.com"), "message_id", "a><b"), "message_id"},
		"a long name":               {with(letterTo("jo@example.com"), "message_id", strings.Repeat("a", 200)), "message_id"},
		"too many":                  {letterTo(many...), "more than 100"},
		"too long a subject":        {with(letterTo("jo@example.com"), "subject", strings.Repeat("x", MaxSubject+1)), "more than 500"},
		"too much":                  {with(letterTo("jo@example.com"), "html", strings.Repeat("x", MaxContent)), "more than"},
		"an unknown one":            {with(letterTo("jo@example.com"), "body", "x"), `no parameter "body"`},
		"a number for a text":       {with(letterTo("jo@example.com"), "text", int64(1)), "must be text"},
	} {
		_, err := send(t, conn, test.params)
		if !connectors.HasCode(err, connectors.CodeBadParams) || !strings.Contains(err.Error(), test.says) {
			t.Errorf("%s: %v", name, err)
		}
	}
	if _, err := conn.Call(t.Context(), connectors.Call{Operation: "read"}); !connectors.HasCode(err, connectors.CodeBadParams) {
		t.Errorf("an unknown operation: %v", err)
	}
	if n := len(p.taken()); n > 0 {
		t.Errorf("%d mails were taken", n)
	}
}

// Whatever data a flow puts in, the mail has the headers it has, and goes to
// whom it goes.
func TestNothingIsInjected(t *testing.T) {
	t.Parallel()
	conn := serve(t, behaviour{}).open()
	nasty := rapid.Custom(func(t *rapid.T) string {
		parts := rapid.SliceOfN(rapid.OneOf(rapid.String(), rapid.SampledFrom([]string{
			"\r\n", "\n", "\r", "\x00", "Bcc: eve@example.com", "\r\n\r\n", "=?utf-8?q?=0D=0ABcc:_eve@example.com?=", "<eve@example.com>", `"`, ",", "\u2028",
		})), 0, 5).Draw(t, "parts")
		return strings.Join(parts, "")
	})
	allowed := []string{"Auto-Submitted", "Content-Transfer-Encoding", "Content-Type", "Date", "From", "Message-Id", "Mime-Version", "Reply-To", "Subject", "To", "User-Agent", "X-Mailer"}
	rapid.Check(t, func(t *rapid.T) {
		params := letterTo("jo@example.com")
		params["subject"] = "S" + nasty.Draw(t, "subject")
		name := nasty.Draw(t, "name")
		params["to"] = []any{(&mail.Address{Name: name, Address: "jo@example.com"}).String()}
		if reply := nasty.Draw(t, "reply"); rapid.Bool().Draw(t, "with reply") {
			params["reply_to"] = reply + " <help@example.com>"
		}
		if id := nasty.Draw(t, "id"); rapid.Bool().Draw(t, "with id") {
			params["message_id"] = id
		}
		l, err := conn.letter(params)
		if err != nil {
			if !connectors.HasCode(err, connectors.CodeBadParams) {
				t.Fatal(err)
			}
			return
		}
		var written bytes.Buffer
		if _, err := l.message.WriteTo(&written); err != nil {
			t.Fatal(err)
		}
		m, err := mail.ReadMessage(&written)
		if err != nil {
			t.Fatalf("unreadable: %v", err)
		}
		for header, values := range m.Header {
			if !slices.Contains(allowed, header) || len(values) != 1 {
				t.Fatalf("%s: %q", header, values)
			}
		}
		to, err := m.Header.AddressList("To")
		if err != nil || len(to) != 1 || to[0].Address != "jo@example.com" {
			t.Fatalf("to %v, %v", to, err)
		}
		recipients, err := l.message.GetRecipients()
		if err != nil || !slices.Equal(recipients, []string{"<jo@example.com>"}) {
			t.Fatalf("goes to %v, %v", recipients, err)
		}
	})
}

func TestSettingsThatCannotWork(t *testing.T) {
	t.Parallel()
	for name, test := range map[string]struct {
		settings record
		says     string
	}{
		"none at all":            {record{}, "host is missing"},
		"no sender":              {record{"host": "smtp.example.com"}, "from is missing"},
		"a sender of no address": {record{"host": "smtp.example.com", "from": "Shop"}, "from"},
		"an address as a host":   {record{"host": "smtp://smtp.example.com", "from": "a@example.com"}, "host must be"},
		"an unknown encryption":  {record{"host": "smtp.example.com", "from": "a@example.com", "encryption": "ssl"}, "encryption must be"},
		"no port":                {record{"host": "smtp.example.com", "from": "a@example.com", "port": int64(70000)}, "port must be"},
		"half a login":           {record{"host": "smtp.example.com", "from": "a@example.com", "user": "jo"}, "belong together"},
		"a password in the open": {record{"host": "smtp.example.com", "from": "a@example.com", "encryption": "none", "user": "jo", "password": "s3cret"}, "could read the password"},
	} {
		_, err := Connector{}.Open(connectors.Config{Settings: test.settings})
		if !connectors.HasCode(err, connectors.CodeBadConfig) || !strings.Contains(err.Error(), test.says) || strings.Contains(err.Error(), "s3cret") {
			t.Errorf("%s: %v", name, err)
		}
	}
	for encryption, port := range map[string]int{"": 587, "starttls": 587, "tls": 465, "none": 25} {
		s, err := readSettings(connectors.Config{Settings: record{"host": "smtp.example.com", "from": "a@example.com", "encryption": encryption}})
		if err != nil || s.port != port {
			t.Errorf("%s: port %d, %v", encryption, s.port, err)
		}
	}
}
