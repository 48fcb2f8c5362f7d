package main

import (
	"crypto/tls"
	"crypto/x509"
	"fmt"
	"net/http"
	"os"
	"time"
)

// answerTimeout bounds a request where roots are given and no --request-timeout
// is: the connectors' own clients, which know better, do not know the roots.
const answerTimeout = 130 * time.Second

// clientWithRoots is a client that trusts the certificates of a PEM file besides
// the machine's own, for a shop or an ERP with a certificate of its own making.
// nil when no file is named.
func clientWithRoots(file string) (*http.Client, error) {
	if file == "" {
		return nil, nil
	}
	pem, err := os.ReadFile(file)
	if err != nil {
		return nil, fmt.Errorf("FLOWCTL_CA_FILE: %w", err)
	}
	roots, err := x509.SystemCertPool()
	if err != nil {
		return nil, fmt.Errorf("reading the machine's own certificates: %w", err)
	}
	if !roots.AppendCertsFromPEM(pem) {
		return nil, fmt.Errorf("FLOWCTL_CA_FILE: there is no certificate in %s; it must be in PEM form", file)
	}
	transport := http.DefaultTransport.(*http.Transport).Clone()
	transport.MaxIdleConnsPerHost = 8
	transport.TLSClientConfig = &tls.Config{RootCAs: roots, MinVersion: tls.VersionTLS12}
	return &http.Client{Timeout: answerTimeout, Transport: transport}, nil
}
