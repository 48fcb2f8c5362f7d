package sandbox

import (
	"crypto/hmac"
	"crypto/sha1"
	"crypto/sha256"
	"encoding/base64"
	"hash"
	"regexp"
	"strings"
)

func hmacOf(method, key, text string) string {
	newHash := map[string]func() hash.Hash{"HMAC-SHA1": sha1.New, "HMAC-SHA256": sha256.New}[method]
	mac := hmac.New(newHash, []byte(key))
	mac.Write([]byte(text))
	return base64.StdEncoding.EncodeToString(mac.Sum(nil))
}

// unrecorded are steps between recordings that nobody recorded.
var unrecorded = map[int]func(*replayShop){}

// notCovered lists recordings that the sandbox does not answer as the shop did.
var notCovered = map[int]string{}

// volatilePaths are members that depend on the moment, on chance, or on texts
// that only the theme shows.
var volatilePaths = regexp.MustCompile(`(^|\.)(date_(created|modified|paid|completed)(_gmt)?|order_key|payment_url|price_html|related_ids|avatar_url|cart_hash|average_rating)$|meta_data\[\d+\]\.id$`)

func volatile(path string) bool { return volatilePaths.MatchString(path) }

// trimmedTo cuts an answer to the members that the recording kept: many were
// shortened to what matters, with null for what the answer did not have.
func trimmedTo(want, got any) any {
	switch want := want.(type) {
	case map[string]any:
		record, ok := got.(map[string]any)
		if !ok {
			return got
		}
		_, whole := want["_links"]
		if whole || want["code"] != nil || strings.Contains(short(want), `"href"`) && len(want) < 4 {
			out := map[string]any{}
			for name, value := range record {
				out[name] = trimmedTo(want[name], value)
			}
			return out
		}
		out := map[string]any{}
		for name, w := range want {
			if value, given := record[name]; given || w != nil {
				out[name] = trimmedTo(w, value)
				if !given {
					delete(out, name)
				}
			} else {
				out[name] = nil
			}
		}
		return out
	case []any:
		items, ok := got.([]any)
		if !ok {
			return got
		}
		out := make([]any, len(items))
		for i := range items {
			if i < len(want) {
				out[i] = trimmedTo(want[i], items[i])
			} else {
				out[i] = items[i]
			}
		}
		return out
	}
	return got
}
