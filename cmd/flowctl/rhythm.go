package main

import (
	"net/http"
	"strings"
	"time"

	"github.com/urfave/cli/v2"

	"github.com/flowctl/flowctl/engine"
	executor "github.com/flowctl/flowctl/engine/run"
)

// minLease keeps a lease longer than a slow commit, or a busy machine would lose
// it while it works.
const minLease = time.Second

// rhythmFlags say how long things may take: an answer, a silence, a wait between
// two attempts.
func rhythmFlags() []cli.Flag {
	return []cli.Flag{
		&cli.DurationFlag{Name: "lease", EnvVars: []string{"FLOWCTL_LEASE"}, Value: executor.DefaultLease,
			Usage: "how long a run waits for a worker that died before another takes it; workers that are only slow renew it"},
		&cli.StringFlag{Name: "retry-backoff", EnvVars: []string{"FLOWCTL_RETRY_BACKOFF"}, Value: backoffText(executor.DefaultBackoff),
			Usage: "waits before each further attempt of a run whose other system failed, by comma; then it has failed"},
		&cli.DurationFlag{Name: "request-timeout", EnvVars: []string{"FLOWCTL_REQUEST_TIMEOUT"},
			Usage: "how long the shop or Odoo may take to answer a request; without it 90 s and 130 s"},
		&cli.DurationFlag{Name: "unclear-wait", EnvVars: []string{"FLOWCTL_UNCLEAR_WAIT"},
			Usage: "the least wait before a write that got no answer is tried again, for the other system may still be at it; without it 5 s"},
		&cli.DurationFlag{Name: "late-wait", EnvVars: []string{"FLOWCTL_LATE_WAIT"},
			Usage: "how long the shop or Odoo may be at a request that got no answer, before an invoice, a payment or a return that it would have made is looked for; without it 150 s, more than Odoo's limit_time_real"},
	}
}

// setRhythm reads the flags into the engine's configuration.
func setRhythm(c *cli.Context, config *engine.Config) error {
	config.LeaseTTL, config.UnclearWait, config.LateWait = c.Duration("lease"), c.Duration("unclear-wait"), c.Duration("late-wait")
	if config.LeaseTTL < minLease {
		return failure(exitUsage, "--lease: %v is too short, at least %v is needed", config.LeaseTTL, minLease)
	}
	for text := range strings.SplitSeq(c.String("retry-backoff"), ",") {
		wait, err := time.ParseDuration(strings.TrimSpace(text))
		if err != nil || wait <= 0 {
			return failure(exitUsage, "--retry-backoff: %q is no time such as 30s; give several by comma: 1s,10s,1m", text)
		}
		config.Backoff = append(config.Backoff, wait)
	}
	if config.UnclearWait < 0 {
		return failure(exitUsage, "--unclear-wait: %v is less than nothing", config.UnclearWait)
	}
	if config.LateWait < 0 {
		return failure(exitUsage, "--late-wait: %v is less than nothing", config.LateWait)
	}
	switch timeout := c.Duration("request-timeout"); {
	case timeout < 0:
		return failure(exitUsage, "--request-timeout: %v is less than nothing", timeout)
	case timeout > 0:
		transport := http.DefaultTransport.(*http.Transport)
		if config.HTTPClient != nil { // with roots of the user's own
			transport = config.HTTPClient.Transport.(*http.Transport)
		}
		transport = transport.Clone()
		transport.MaxIdleConnsPerHost = config.Workers
		config.HTTPClient = &http.Client{Timeout: timeout, Transport: transport}
	}
	return nil
}

func backoffText(waits []time.Duration) string {
	texts := make([]string, len(waits))
	for i, wait := range waits {
		text := wait.String()
		for _, nothing := range []string{"m0s", "h0m"} { // 2m and not 2m0s
			if short, ok := strings.CutSuffix(text, nothing); ok {
				text = short + nothing[:1]
			}
		}
		texts[i] = text
	}
	return strings.Join(texts, ",")
}
