package doctor

import (
	"context"
	"net/http"
	"net/url"
	"strings"
	"time"

	"github.com/flowctl/flowctl/connectors"
	"github.com/flowctl/flowctl/engine/flow"
)

// checkConnection looks whether a connection is configured, and lets it look at
// its system.
func (p *patient) checkConnection(ctx context.Context, c *flow.Connection) []connectors.Finding {
	if p.engine == nil {
		return []connectors.Finding{connectors.Warned("settings", "", "not looked at, because the database cannot be used")}
	}
	found, err := p.engine.Check(ctx, p.Instance, c)
	if err != nil {
		return []connectors.Finding{connectors.Failed("settings", err)}
	}
	return found
}

// checkPublicURL asks for our own health by the address that others use.
func (p *patient) checkPublicURL(ctx context.Context) []connectors.Finding {
	const check = "public address"
	if p.PublicURL == "" {
		return []connectors.Finding{connectors.Warned(check,
			"Set FLOWCTL_PUBLIC_URL to the address at which the other systems reach flowctl serve; then their webhooks are looked at too.",
			"not known, so it was not looked at whether webhooks are registered")}
	}
	address, err := url.Parse(p.PublicURL)
	if err != nil || address.Host == "" || address.Scheme != "http" && address.Scheme != "https" {
		f := connectors.Warned(check, "Write it like https://flows.example.com.", "FLOWCTL_PUBLIC_URL is no address")
		f.Level = connectors.Fail
		return []connectors.Finding{f}
	}
	client := &http.Client{Timeout: 10 * time.Second}
	if p.HTTPClient != nil {
		copied := *p.HTTPClient
		client = &copied
	}
	// Senders of webhooks take a redirect for success and do not follow it.
	client.CheckRedirect = func(*http.Request, []*http.Request) error { return http.ErrUseLastResponse }
	request, err := http.NewRequestWithContext(ctx, http.MethodGet, strings.TrimSuffix(p.PublicURL, "/")+"/healthz", nil)
	if err != nil {
		return []connectors.Finding{connectors.Failed(check, err)}
	}
	response, err := client.Do(request)
	if err != nil {
		return []connectors.Finding{connectors.Warned(check,
			"Is flowctl serve running, and does the name lead to it? From inside some networks it cannot be asked.", "%v", err)}
	}
	defer response.Body.Close()
	switch {
	case response.StatusCode == http.StatusNoContent:
		return []connectors.Finding{connectors.Found(check, "%s leads to flowctl serve", p.PublicURL)}
	case response.StatusCode >= 300 && response.StatusCode < 400:
		f := connectors.Warned(check, "Set FLOWCTL_PUBLIC_URL, and the webhooks, to the address behind the redirect: shops do not follow it, and events are lost without a word.",
			"%s redirects to %s", p.PublicURL, response.Header.Get("Location"))
		f.Level = connectors.Fail
		return []connectors.Finding{f}
	}
	return []connectors.Finding{connectors.Warned(check, "Something else answers at this address: check the proxy before flowctl serve.",
		"%s/healthz answers %s", strings.TrimSuffix(p.PublicURL, "/"), response.Status)}
}
