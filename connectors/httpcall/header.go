package httpcall

import (
	"net/http"
	"net/url"
	"strconv"
	"strings"
	"time"
)

// RetryAfter reads the header of that name, in seconds or as a date: how long the
// server asks to be left alone, at most so long; 0 when it asks nothing.
func RetryAfter(header http.Header, now time.Time, most time.Duration) time.Duration {
	text := strings.TrimSpace(header.Get("Retry-After"))
	var wait time.Duration
	if seconds, err := strconv.ParseFloat(text, 64); err == nil && strings.Trim(text, "0123456789.") == "" {
		wait = time.Duration(min(seconds, most.Seconds()) * float64(time.Second))
	} else if at, err := http.ParseTime(text); err == nil {
		wait = at.Sub(now)
	}
	return min(max(wait, 0), most)
}

// Redirect returns where an answer sends the one who asked at from, nil when it
// is no redirect.
func Redirect(status int, header http.Header, from *url.URL) *url.URL {
	switch status {
	case http.StatusMovedPermanently, http.StatusFound, http.StatusSeeOther,
		http.StatusTemporaryRedirect, http.StatusPermanentRedirect:
	default:
		return nil
	}
	location := header.Get("Location")
	next, err := from.Parse(location)
	if err != nil || location == "" {
		return nil
	}
	return next
}

// SameOrigin tells whether two addresses are of one server, so that what may be
// told to one may be told to the other.
func SameOrigin(a, b *url.URL) bool {
	return a.Scheme == b.Scheme && strings.EqualFold(a.Host, b.Host) && b.User == nil
}
