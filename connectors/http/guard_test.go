package http

import (
	"errors"
	nethttp "net/http"
	"net/http/httptest"
	"net/netip"
	"strings"
	"sync/atomic"
	"testing"

	"github.com/flowctl/flowctl/connectors"
)

func TestAddressesThatAreRefused(t *testing.T) {
	t.Parallel()
	for text, want := range map[string]string{ // "", "private" or "never"
		"8.8.8.8": "", "2606:4700::1": "", "64:ff9b::808:808": "", "100.128.0.1": "", "172.32.0.1": "",
		"127.0.0.1": "private", "127.8.8.8": "private", "::1": "private", "::ffff:127.0.0.1": "private",
		"10.1.2.3": "private", "172.16.0.1": "private", "172.31.255.255": "private", "192.168.1.1": "private",
		"100.64.0.1": "private", "fd12::1": "private", "::ffff:10.0.0.1": "private", "240.0.0.1": "private",
		"64:ff9b::a00:1": "private", "2002:a00:1::": "private", "198.18.0.1": "private",
		"169.254.169.254": "never", "169.254.1.1": "never", "fe80::1": "never", "fe80::1%eth0": "never", "::ffff:169.254.169.254": "never",
		"64:ff9b::a9fe:a9fe": "never", "2002:a9fe:a9fe::": "never", "fd00:ec2::254": "never", "100.100.100.200": "never", "168.63.129.16": "never",
		"fd20:ce::254": "never", "0.0.0.0": "never", "::": "never", "224.0.0.1": "never", "ff02::1": "never", "255.255.255.255": "never",
	} {
		for _, allowPrivate := range []bool{false, true} {
			err := allowed(netip.MustParseAddr(text), allowPrivate)
			refused := want == "never" || want == "private" && !allowPrivate
			var forbidden *forbiddenError
			if refused != errors.As(err, &forbidden) || refused && forbidden.private != (want == "private") {
				t.Errorf("%s, private networks allowed %v: %v", text, allowPrivate, err)
			}
		}
	}
}

// A name is judged by the address it resolves to, when it is connected to.
func TestNamesAreResolvedBeforeTheyAreJudged(t *testing.T) {
	t.Parallel()
	var asked atomic.Int64
	server := httptest.NewServer(nethttp.HandlerFunc(func(nethttp.ResponseWriter, *nethttp.Request) { asked.Add(1) }))
	t.Cleanup(server.Close)
	port := server.URL[strings.LastIndex(server.URL, ":"):]
	for _, host := range []string{"localhost", "127.0.0.1", "[::ffff:127.0.0.1]"} {
		for _, operation := range []string{"get", "post"} {
			told := fail(t, open(t, nil, record{"base_url": "http://" + host + port}), operation, record{"path": "/"})
			if told.Code != connectors.CodeBadConfig || told.Class != connectors.Permanent || !strings.Contains(told.Advice, "allow_private") {
				t.Errorf("%s: %s, %s: %s", host, told.Class, told.Code, told.Message)
			}
		}
	}
	if asked.Load() > 0 {
		t.Errorf("%d requests arrived", asked.Load())
	}
	told := fail(t, open(t, nil, record{"base_url": "http://169.254.169.254", "allow_private": true}), "get", record{"path": "/latest/meta-data"})
	if told.Code != connectors.CodeBadConfig || told.Class != connectors.Permanent {
		t.Errorf("metadata: %s: %s", told.Code, told.Message)
	}
}

// A client of the program's own keeps its certificates, and gets the guard.
func TestAClientGivenIsGuardedToo(t *testing.T) {
	t.Parallel()
	server := httptest.NewTLSServer(answers(200, `{}`))
	t.Cleanup(server.Close)
	told := fail(t, open(t, server.Client(), record{"base_url": server.URL}), "get", record{"path": "/"})
	if told.Code != connectors.CodeBadConfig {
		t.Errorf("%s: %s", told.Code, told.Message)
	}
	_, err := Connector{}.Open(connectors.Config{
		Settings: record{"base_url": server.URL}, HTTPClient: &nethttp.Client{Transport: roundTripper{}},
	})
	if !connectors.HasCode(err, connectors.CodeBadConfig) {
		t.Errorf("a client that cannot be guarded was taken: %v", err)
	}
}

type roundTripper struct{}

func (roundTripper) RoundTrip(*nethttp.Request) (*nethttp.Response, error) {
	return nil, errors.New("not to be used")
}
