package http

import (
	"strings"
	"testing"
	"time"

	"github.com/flowctl/flowctl/connectors"
)

func TestSettingsThatCannotWork(t *testing.T) {
	t.Parallel()
	base := "https://api.example.com"
	for name, test := range map[string]struct {
		settings record
		says     string
	}{
		"none at all":          {record{}, "base_url is missing"},
		"no address":           {record{"base_url": "api.example.com"}, "must look like"},
		"another scheme":       {record{"base_url": "ftp://api.example.com"}, "must look like"},
		"a login in it":        {record{"base_url": "https://jo:s3cret@api.example.com"}, "must not hold a user"},
		"a query in it":        {record{"base_url": base + "?key=s3cret"}, "must end before ?"},
		"an unknown auth":      {record{"base_url": base, "auth": "digest"}, "must be none, bearer, basic or header"},
		"no token":             {record{"base_url": base, "auth": "bearer"}, "token is missing"},
		"a broken token":       {record{"base_url": base, "auth": "bearer", "token": "s3\ncret"}, "token holds characters"},
		"no password":          {record{"base_url": base, "auth": "basic", "user": "jo"}, "password is missing"},
		"a broken header name": {record{"base_url": base, "auth": "header", "token": "t", "token_header": "a b"}, "token_header"},
		"plain http":           {record{"base_url": "http://api.example.com", "auth": "bearer", "token": "s3cret"}, "is not https"},
		"no time":              {record{"base_url": base, "timeout": int64(0)}, "timeout must be"},
		"too long":             {record{"base_url": base, "timeout": int64(601)}, "timeout must be"},
		"no number":            {record{"base_url": base, "timeout": "soon"}, "timeout"},
		"a secret header":      {record{"base_url": base, "headers": record{"Authorization": "s3cret"}}, "set by the connection"},
	} {
		_, err := Connector{}.Open(connectors.Config{Settings: test.settings})
		if !connectors.HasCode(err, connectors.CodeBadConfig) || !strings.Contains(err.Error(), test.says) || strings.Contains(err.Error(), "s3cret") {
			t.Errorf("%s: %v", name, err)
		}
	}
	_, err := Connector{}.Open(connectors.Config{Settings: record{"auth": "basic", "timeout": int64(-1)}})
	for _, says := range []string{"base_url", "user or password", "timeout"} {
		if err == nil || !strings.Contains(err.Error(), says) {
			t.Errorf("%s is not named: %v", says, err)
		}
	}
}

func TestTimeoutIsTheSettings(t *testing.T) {
	t.Parallel()
	if got := open(t, nil, record{"base_url": "https://api.example.com", "timeout": int64(5)}).client.Timeout; got != 5*time.Second {
		t.Errorf("%s", got)
	}
	if got := open(t, nil, record{"base_url": "http://api.example.com/"}); got.client.Timeout != DefaultTimeout || got.settings.base.Path != "" {
		t.Errorf("%s, %s", got.client.Timeout, got.settings.base)
	}
}
