package http

import (
	"context"
	"errors"
	"fmt"
	"net"
	nethttp "net/http"
	"net/netip"
	"syscall"
	"time"
)

// A flow's address comes from people who edit settings, and names resolve to
// what their owner likes today. So what is refused is decided when a connection
// is made, by the address that it is made to.

// forbiddenError says that a connection was refused here, before anything was sent.
type forbiddenError struct {
	address netip.Addr
	private bool // allow_private would allow it
}

func (e *forbiddenError) Error() string {
	if e.private {
		return fmt.Sprintf("%s is an address of a private network", e.address)
	}
	return fmt.Sprintf("%s is an address that no API has", e.address)
}

var (
	// neverAllowed are metadata services of clouds, which give credentials to
	// whoever asks, where they are not link-local (169.254.169.254 is).
	neverAllowed = prefixes(
		"fd00:ec2::/32",      // Amazon
		"fd20:ce::/32",       // Google
		"100.100.100.200/32", // Alibaba
		"168.63.129.16/32",   // Azure
		"192.0.0.192/32",     // Oracle
		"0.0.0.0/8", "::/128",
		"255.255.255.255/32",
	)
	// privateNetworks are addresses that are not of the open internet.
	privateNetworks = prefixes(
		"127.0.0.0/8", "::1/128",
		"10.0.0.0/8", "172.16.0.0/12", "192.168.0.0/16", "fc00::/7",
		"100.64.0.0/10",                 // shared by a provider's customers (RFC 6598)
		"192.0.0.0/24", "198.18.0.0/15", // protocols, benchmarks
		"240.0.0.0/4",    // reserved
		"64:ff9b:1::/48", // local NAT64
		"fec0::/10",      // site-local, deprecated
	)
	// carriers hold an IPv4 address in their last or a middle part.
	nat64     = netip.MustParsePrefix("64:ff9b::/96")
	sixToFour = netip.MustParsePrefix("2002::/16")
)

func prefixes(texts ...string) []netip.Prefix {
	all := make([]netip.Prefix, len(texts))
	for i, text := range texts {
		all[i] = netip.MustParsePrefix(text)
	}
	return all
}

func within(address netip.Addr, networks []netip.Prefix) bool {
	for _, network := range networks {
		if network.Contains(address) {
			return true
		}
	}
	return false
}

// allowed tells whether a connection may be made to an address.
func allowed(address netip.Addr, allowPrivate bool) error {
	address = innermost(address)
	switch {
	case address.IsLinkLocalUnicast(), address.IsMulticast(), !address.IsValid(), within(address, neverAllowed):
		return &forbiddenError{address: address}
	case !allowPrivate && within(address, privateNetworks):
		return &forbiddenError{address: address, private: true}
	}
	return nil
}

// innermost is the IPv4 address within an IPv6 address that only carries it.
func innermost(address netip.Addr) netip.Addr {
	address = address.WithZone("").Unmap()
	if !address.Is6() {
		return address
	}
	bytes := address.As16()
	switch {
	case nat64.Contains(address):
		return netip.AddrFrom4([4]byte(bytes[12:16]))
	case sixToFour.Contains(address):
		return netip.AddrFrom4([4]byte(bytes[2:6]))
	}
	return address
}

// guardedClient is a client that connects only where it may, directly and not
// through a proxy, and follows no redirect by itself. TLS and pool settings are
// those of the client given.
func guardedClient(given *nethttp.Client, s settings) (*nethttp.Client, error) {
	client := &nethttp.Client{Timeout: s.timeout}
	base := nethttp.DefaultTransport
	if given != nil {
		if given.Transport != nil {
			base = given.Transport
		}
		if given.Timeout > 0 && !s.ownTimeout {
			client.Timeout = given.Timeout
		}
	}
	plain, ok := base.(*nethttp.Transport)
	if !ok {
		// Going on without the guard would be worse than not going on.
		return nil, badConfig("the program's HTTP client (%T) does not let addresses be checked", base)
	}
	transport := plain.Clone()
	transport.Proxy = nil // its address would be checked in place of the API's
	transport.DialTLSContext = nil
	transport.ForceAttemptHTTP2 = true
	transport.MaxResponseHeaderBytes = 256 << 10
	dialer := &net.Dialer{Timeout: 10 * time.Second, KeepAlive: 30 * time.Second}
	dialer.ControlContext = func(_ context.Context, _, address string, _ syscall.RawConn) error {
		found, err := netip.ParseAddrPort(address)
		if err != nil {
			return errors.New("the address of the connection cannot be read")
		}
		return allowed(found.Addr(), s.allowPrivate)
	}
	transport.DialContext = dialer.DialContext
	client.Transport = transport
	client.CheckRedirect = func(*nethttp.Request, []*nethttp.Request) error { return nethttp.ErrUseLastResponse }
	return client, nil
}
