package woocommerce

import (
	"net"
	"net/url"
	"strings"
	"unicode"

	"github.com/flowctl/flowctl/connectors"
)

// apiRoot is where WordPress serves the API unless permalinks are Plain.
const apiRoot = "/wp-json"

// CanonicalURL brings a shop's address, as people enter it, into the one form
// that is stored and compared: scheme, lower-case host, no default port, the
// folder WordPress stands in, no trailing slash. What follows from /wp-json,
// /wp-admin or /index.php on is cut; without a scheme it is https.
func CanonicalURL(text string) (string, error) {
	text = strings.TrimSpace(text)
	if text == "" {
		return "", badURL("the shop's URL is not set")
	}
	if !strings.Contains(text, "://") {
		text = "https://" + text
	}
	u, err := url.Parse(text)
	if err != nil {
		return "", badURL("the shop's URL cannot be read") // err quotes the text, which may hold a password
	}
	scheme := strings.ToLower(u.Scheme)
	if scheme != "https" && scheme != "http" {
		return "", badURL("the shop's URL must begin with https:// or http://, not " + u.Scheme + "://")
	}
	if u.User != nil {
		return "", badURL("the shop's URL must not hold a user or password")
	}
	host, port := strings.ToLower(u.Hostname()), u.Port()
	if host == "" || strings.ContainsFunc(host, func(r rune) bool {
		return unicode.IsSpace(r) || unicode.IsControl(r) || strings.ContainsRune("<>\"`{}|\\^%", r)
	}) {
		return "", badURL("the shop's URL names no host")
	}
	if port == map[string]string{"https": "443", "http": "80"}[scheme] {
		port = ""
	}
	if strings.Contains(host, ":") {
		host = "[" + host + "]"
	}
	if port != "" {
		host = net.JoinHostPort(strings.Trim(host, "[]"), port)
	}
	return scheme + "://" + host + folderOf(u.EscapedPath()), nil
}

// folderOf returns the path of the folder WordPress stands in, "" for the root.
func folderOf(path string) string {
	var kept []string
	for segment := range strings.SplitSeq(path, "/") {
		switch segment {
		case "", ".":
			continue
		case "wp-json", "wp-admin", "index.php", "wp-login.php":
			return joined(kept)
		}
		kept = append(kept, segment)
	}
	return joined(kept)
}

func joined(segments []string) string {
	if len(segments) == 0 {
		return ""
	}
	return "/" + strings.Join(segments, "/")
}

func badURL(message string) *connectors.Error {
	return &connectors.Error{
		Class:   connectors.Permanent,
		Code:    connectors.CodeBadConfig,
		Message: message,
		Advice:  "Enter the shop's address as its front page shows it, such as https://mystore.com.",
	}
}
