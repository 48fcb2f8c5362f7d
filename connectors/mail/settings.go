package mail

import (
	"fmt"
	"net/mail"
	"strings"

	"github.com/flowctl/flowctl/connectors"
)

// The ways to keep a mail unread on its way to the server.
const (
	encryptionSTARTTLS = "starttls" // asked for on the plain connection; without it nothing is sent
	encryptionTLS      = "tls"      // from the first byte
	encryptionNone     = "none"
)

var defaultPorts = map[string]int64{encryptionSTARTTLS: 587, encryptionTLS: 465, encryptionNone: 25}

func settingsSchema() *connectors.Schema {
	encryption := connectors.String().OrNull().Described("starttls (port 587), tls from the first byte (port 465), or none (port 25; then without a password)")
	encryption.Enum = []any{encryptionSTARTTLS, encryptionTLS, encryptionNone}
	encryption.Default = encryptionSTARTTLS
	password := connectors.String().OrNull().Described("Password of that user")
	password.Secret = true
	return connectors.Object(map[string]*connectors.Schema{
		"host":       connectors.String().Described("Name of the mail server, such as smtp.example.com"),
		"port":       connectors.Integer().OrNull().Described("Port, where it is not the usual one of the encryption"),
		"encryption": encryption,
		"user":       connectors.String().OrNull().Described("User to log in as; empty for a server that asks for none"),
		"password":   password,
		"from":       connectors.String().Described("Sender of all mails, such as Shop <shop@example.com>"),
	}, "host", "from")
}

// settings are the checked values of Spec.Settings.
type settings struct {
	host, encryption string
	port             int
	user, password   string
	from             *mail.Address
}

func readSettings(config connectors.Config) (settings, error) {
	typed, err := settingsSchema().Convert(config.Settings)
	if err != nil {
		return settings{}, badConfig("the settings of the mail server cannot be read: %v", err)
	}
	values, _ := typed.(map[string]any)
	text := func(name string) string {
		s, _ := values[name].(string)
		return strings.TrimSpace(s)
	}
	s := settings{host: text("host"), encryption: text("encryption"), user: text("user")}
	s.password, _ = values["password"].(string) // may begin or end with a space
	if s.encryption == "" {
		s.encryption = encryptionSTARTTLS
	}
	port, given := values["port"].(int64)
	if !given {
		port = defaultPorts[s.encryption]
	}
	s.port = int(port)

	var problems []string
	problem := func(format string, args ...any) { problems = append(problems, fmt.Sprintf(format, args...)) }
	switch {
	case s.host == "":
		problem("host is missing")
	case strings.ContainsAny(s.host, "/@ ") || strings.ContainsFunc(s.host, isControl):
		problem("host must be a name such as smtp.example.com")
	}
	if _, known := defaultPorts[s.encryption]; !known {
		problem("encryption must be starttls, tls or none, not %q", s.encryption)
	} else if port < 1 || port > 65535 {
		problem("port must be 1 to 65535")
	}
	if (s.user == "") != (s.password == "") {
		problem("user and password belong together")
	}
	if s.encryption == encryptionNone && s.password != "" {
		problem("encryption is none, and anyone on the way could read the password")
	}
	if text("from") == "" {
		problem("from is missing")
	} else if s.from, err = readAddress(text("from")); err != nil {
		problem("from %v", err)
	}
	if len(problems) > 0 {
		return settings{}, badConfig("the mail server is not configured rightly: %s", strings.Join(problems, ", "))
	}
	return s, nil
}

// readAddress reads one address, with or without a name before it.
func readAddress(text string) (*mail.Address, error) {
	address, err := mail.ParseAddress(text)
	if err != nil || strings.ContainsFunc(address.Address, func(r rune) bool { return isControl(r) || r == ' ' }) {
		return nil, fmt.Errorf("%q is no mail address", text)
	}
	return address, nil
}

func isControl(r rune) bool { return r < ' ' || r == 0x7f }

func badConfig(format string, args ...any) *connectors.Error {
	return &connectors.Error{Class: connectors.Permanent, Code: connectors.CodeBadConfig,
		Message: fmt.Sprintf(format, args...), Advice: "Correct the settings of the connection."}
}
