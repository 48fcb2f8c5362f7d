package mail

import (
	"bufio"
	"crypto/tls"
	"crypto/x509"
	"encoding/base64"
	"io"
	"maps"
	"net"
	"net/http"
	"net/http/httptest"
	"net/textproto"
	"strings"
	"sync"
	"testing"

	"github.com/flowctl/flowctl/connectors"
)

// record is a record of a flow.
type record = map[string]any

// post is a mail server that does as the test says.
type post struct {
	t         *testing.T
	listener  net.Listener
	behaviour behaviour
	tls       *tls.Config
	client    *http.Client // trusts the server

	mu    sync.Mutex
	mails []delivered
}

// delivered is a mail that the server took.
type delivered struct {
	from string
	to   []string
	data string
	user string
}

// behaviour changes what the server does.
type behaviour struct {
	tlsFirst   bool // from the first byte
	noSTARTTLS bool
	login      string            // "user password" that it takes; it asks for one when set
	refuse     map[string]string // by command ("MAIL", "RCPT", ".", "greeting"): what it answers instead
	hangUp     string            // command at which it breaks off; "." after it has the mail
	silent     string            // command at which it never answers
}

func serve(t *testing.T, b behaviour) *post {
	t.Helper()
	// The standard library's test certificate is for 127.0.0.1.
	certificates := httptest.NewTLSServer(http.NotFoundHandler())
	certificates.Close()
	roots := x509.NewCertPool()
	roots.AddCert(certificates.Certificate())
	listener, err := net.Listen("tcp", "127.0.0.1:0")
	if err != nil {
		t.Fatal(err)
	}
	p := &post{
		t: t, listener: listener, behaviour: b, tls: &tls.Config{Certificates: certificates.TLS.Certificates},
		client: &http.Client{Transport: &http.Transport{TLSClientConfig: &tls.Config{RootCAs: roots}}},
	}
	var sessions sync.WaitGroup
	ended := make(chan struct{})
	sessions.Go(func() {
		for {
			conn, err := listener.Accept()
			if err != nil {
				return
			}
			sessions.Go(func() { p.session(conn, ended) })
		}
	})
	t.Cleanup(func() {
		close(ended)
		listener.Close()
		sessions.Wait()
	})
	return p
}

func (p *post) port() int64 { return int64(p.listener.Addr().(*net.TCPAddr).Port) }

func (p *post) open(settings ...record) *Connection {
	p.t.Helper()
	all := record{"host": "127.0.0.1", "port": p.port(), "from": "Shop <shop@example.com>"}
	for _, more := range settings {
		maps.Copy(all, more)
	}
	conn, err := Connector{}.Open(connectors.Config{Settings: all, HTTPClient: p.client})
	if err != nil {
		p.t.Fatal(err)
	}
	return conn.(*Connection)
}

func (p *post) taken() []delivered {
	p.mu.Lock()
	defer p.mu.Unlock()
	return p.mails
}

// session speaks SMTP with one client (RFC 5321), as far as the tests need it.
func (p *post) session(conn net.Conn, ended <-chan struct{}) {
	b := p.behaviour
	defer func() { conn.Close() }()
	gone := make(chan struct{})
	defer close(gone)
	go func() {
		select {
		case <-ended:
			conn.Close()
		case <-gone:
		}
	}()
	if b.tlsFirst {
		conn = tls.Server(conn, p.tls)
	}
	text := textproto.NewConn(conn)
	say := func(command, line string) bool {
		if b.hangUp == command {
			return false
		}
		if b.silent == command {
			// Until the client goes.
			_, _ = io.Copy(io.Discard, conn)
			return false
		}
		if other, ok := b.refuse[command]; ok {
			line = other
		}
		return text.PrintfLine("%s", line) == nil
	}
	if !say("greeting", "220 mail.test ready") {
		return
	}
	var got delivered
	for {
		line, err := text.ReadLine()
		if err != nil {
			return
		}
		verb, rest, _ := strings.Cut(line, " ")
		switch verb = strings.ToUpper(verb); verb {
		case "EHLO", "HELO":
			if !p.hello(text, conn) {
				return
			}
		case "STARTTLS":
			if !say(verb, "220 go on") {
				return
			}
			conn = tls.Server(conn, p.tls)
			text = textproto.NewConn(conn)
		case "AUTH":
			_, initial, _ := strings.Cut(rest, " ")
			given, _ := base64.StdEncoding.DecodeString(initial)
			answer := "235 welcome"
			if parts := strings.Split(string(given), "\x00"); len(parts) != 3 || parts[1]+" "+parts[2] != b.login {
				answer = "535 5.7.8 wrong: " + string(given)
			} else {
				got.user = parts[1]
			}
			if !say(verb, answer) {
				return
			}
		case "MAIL":
			got.from = rest
			if !say(verb, "250 ok") {
				return
			}
		case "RCPT":
			got.to = append(got.to, rest)
			if !say(verb, "250 ok") {
				return
			}
		case "DATA":
			if !say(verb, "354 go on") {
				return
			}
			data, err := io.ReadAll(bufio.NewReader(text.DotReader()))
			if err != nil {
				return
			}
			got.data = string(data)
			if b.refuse["."] == "" {
				p.mu.Lock()
				p.mails = append(p.mails, got)
				p.mu.Unlock()
			}
			if !say(".", "250 taken") {
				return
			}
		case "QUIT":
			say(verb, "221 bye")
			return
		default:
			if !say(verb, "250 ok") {
				return
			}
		}
	}
}

func (p *post) hello(text *textproto.Conn, conn net.Conn) bool {
	lines := []string{"250-mail.test"}
	_, secure := conn.(*tls.Conn)
	if !secure && !p.behaviour.noSTARTTLS {
		lines = append(lines, "250-STARTTLS")
	}
	if p.behaviour.login != "" {
		lines = append(lines, "250-AUTH PLAIN")
	}
	for _, line := range append(lines, "250 8BITMIME") {
		if text.PrintfLine("%s", line) != nil {
			return false
		}
	}
	return true
}
