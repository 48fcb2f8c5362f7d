package sandbox

import (
	"crypto/hmac"
	"crypto/sha1"
	"crypto/sha256"
	"encoding/base64"
	"hash"
	"net/http"
	"net/url"
	"slices"
	"strconv"
	"strings"
	"time"
)

const (
	authError = "woocommerce_rest_authentication_error"
	// stampWindow is how far an OAuth timestamp may be off.
	stampWindow = 15 * time.Minute
)

// authenticate finds the key of a request. Without a known key the request goes
// on as a stranger's, whom the routes then refuse: a wrong key looks like none
// (woo/002, 013, 014, 016). A known key that is not proven is refused at once.
func (s *Shop) authenticate(c *call, method string) *apiError {
	if isTLS(c.r) {
		key, secret, given := c.r.BasicAuth()
		if q := c.query; q.Get("consumer_key") != "" && q.Get("consumer_secret") != "" {
			key, secret, given = q.Get("consumer_key"), q.Get("consumer_secret"), true
		}
		if found := s.findKey(key); given && found != nil {
			if !hmac.Equal([]byte(found.Secret), []byte(secret)) {
				return refuse(http.StatusUnauthorized, authError, "Consumer secret is invalid.")
			}
			c.key = found
		}
	}
	if c.key == nil {
		if refused := s.verifyOAuth(c); refused != nil {
			return refused
		}
	}
	if c.key == nil {
		return nil
	}
	return c.key.allows(method)
}

// allows refuses with 401, not 403 (woo/018, 019).
func (k *Key) allows(method string) *apiError {
	write := method != http.MethodGet && method != http.MethodOptions
	switch {
	case write && k.Permission == "read":
		return refuse(http.StatusUnauthorized, authError, "The API key provided does not have write permissions.")
	case !write && k.Permission == "write":
		return refuse(http.StatusUnauthorized, authError, "The API key provided does not have read permissions.")
	}
	return nil
}

func (s *Shop) findKey(key string) *Key {
	for i := range s.keys {
		if s.keys[i].Key == key && key != "" {
			return &s.keys[i]
		}
	}
	return nil
}

var oauthNames = []string{"oauth_consumer_key", "oauth_timestamp", "oauth_nonce", "oauth_signature", "oauth_signature_method"}

// verifyOAuth checks an OAuth 1.0a signature in the query or the header
// (woo/003 to 011).
func (s *Shop) verifyOAuth(c *call) *apiError {
	params := oauthParams(c)
	var absent []string
	for _, name := range oauthNames {
		if params.Get(name) == "" {
			absent = append(absent, name)
		}
	}
	switch {
	case len(absent) == len(oauthNames):
		return nil
	case len(absent) == 1:
		return refuse(http.StatusUnauthorized, "woocommerce_rest_authentication_missing_parameter", "Missing OAuth parameter %s", absent[0])
	case len(absent) > 1:
		return refuse(http.StatusUnauthorized, "woocommerce_rest_authentication_missing_parameter", "Missing OAuth parameters %s", strings.Join(absent, ", "))
	}
	key := s.findKey(params.Get("oauth_consumer_key"))
	if key == nil {
		return refuse(http.StatusUnauthorized, authError, "Consumer key is invalid.")
	}
	hashes := map[string]func() hash.Hash{"HMAC-SHA1": sha1.New, "HMAC-SHA256": sha256.New}
	newHash, known := hashes[params.Get("oauth_signature_method")]
	if !known {
		return refuse(http.StatusUnauthorized, authError, "Invalid signature - signature method is invalid.")
	}
	given := params.Get("oauth_signature")
	params.Del("oauth_signature")
	mac := hmac.New(newHash, []byte(key.Secret+"&"))
	mac.Write([]byte(baseString(c, params)))
	if !hmac.Equal([]byte(base64.StdEncoding.EncodeToString(mac.Sum(nil))), []byte(given)) {
		return refuse(http.StatusUnauthorized, authError, "Invalid signature - provided signature does not match.")
	}
	if refused := s.checkFresh(key.Key, params); refused != nil {
		return refused
	}
	c.key = key
	return nil
}

// checkFresh refuses old stamps and nonces that were used.
func (s *Shop) checkFresh(key string, params url.Values) *apiError {
	stamp, err := strconv.ParseInt(params.Get("oauth_timestamp"), 10, 64)
	now := s.now()
	if off := now.Sub(time.Unix(stamp, 0)); err != nil || off > stampWindow || off < -stampWindow {
		return refuse(http.StatusUnauthorized, authError, "Invalid timestamp.")
	}
	for nonce, at := range s.nonces {
		if now.Unix()-at > int64(stampWindow.Seconds()) {
			delete(s.nonces, nonce)
		}
	}
	nonce := key + " " + params.Get("oauth_nonce")
	if _, used := s.nonces[nonce]; used {
		return refuse(http.StatusUnauthorized, authError, "Invalid nonce - nonce has already been used.")
	}
	s.nonces[nonce] = stamp
	return nil
}

// oauthParams are the query's parameters and those of an OAuth header.
func oauthParams(c *call) url.Values {
	params := url.Values{}
	for name, values := range queryOf(c.r) {
		params[name] = values
	}
	rest, ok := strings.CutPrefix(c.r.Header.Get("Authorization"), "OAuth ")
	if !ok {
		return params
	}
	for part := range strings.SplitSeq(rest, ",") {
		name, value, found := strings.Cut(strings.TrimSpace(part), "=")
		if text, err := url.PathUnescape(strings.Trim(value, `"`)); found && err == nil && slices.Contains(oauthNames, name) {
			params.Set(name, text)
		}
	}
	return params
}

// baseString is the text that was signed, with the shop's own address in it.
func baseString(c *call, params url.Values) string {
	var pairs []string
	for name, values := range params {
		for _, value := range values {
			pairs = append(pairs, escape(name)+"="+escape(value))
		}
	}
	slices.Sort(pairs)
	return c.r.Method + "&" + escape(originOf(c.home)+c.r.URL.Path) + "&" + escape(strings.Join(pairs, "&"))
}

// originOf cuts the folder off an address: the request's path has it already.
func originOf(home string) string {
	u, err := url.Parse(home)
	if err != nil {
		return home
	}
	return u.Scheme + "://" + u.Host
}

// escape percent-encodes all but the unreserved characters of RFC 3986.
func escape(text string) string {
	const digits = "0123456789ABCDEF"
	var b strings.Builder
	for i := range len(text) {
		ch := text[i]
		if ch >= 'a' && ch <= 'z' || ch >= 'A' && ch <= 'Z' || ch >= '0' && ch <= '9' || strings.IndexByte("-._~", ch) >= 0 {
			b.WriteByte(ch)
			continue
		}
		b.WriteByte('%')
		b.WriteByte(digits[ch>>4])
		b.WriteByte(digits[ch&15])
	}
	return b.String()
}
