package panel

import (
	"context"
	"errors"
	"strconv"
	"strings"
	"sync"
	"time"

	"github.com/flowctl/flowctl/connectors"
	"github.com/flowctl/flowctl/engine/flow"
	"github.com/flowctl/flowctl/engine/settings"
)

const (
	// maxOptions is how many records a list offers; where there are more, the id is
	// typed.
	maxOptions   = 1000
	choicesLimit = 6 * time.Second
	// choicesFresh is how long looked up choices are shown without asking again,
	// and choicesAgain how long a system that did not answer is left alone.
	choicesFresh = 10 * time.Minute
	choicesAgain = time.Minute
)

// choiceCache keeps records that were looked up for settings.
type choiceCache struct {
	mu    sync.Mutex
	known map[choiceKey]knownChoices
}

type choiceKey struct{ shop, record string }

type knownChoices struct {
	options []option
	until   time.Time
}

func (p *Panel) forgetChoices(shop string) {
	p.choices.mu.Lock()
	defer p.choices.mu.Unlock()
	for key := range p.choices.known {
		if key.shop == shop {
			delete(p.choices.known, key)
		}
	}
}

// choicesFor are the records that settings may name, by the settings' choice
// names: those that a flow has saved, otherwise what the system answers now. A
// system that does not answer leaves a field in which the id is typed.
func (p *Panel) choicesFor(ctx context.Context, shop string, all []flow.Setting) map[string][]option {
	offered := map[string][]option{}
	live := map[string][]string{} // record → choice names
	for _, s := range all {
		for _, name := range s.ChoiceNames() {
			kept, err := p.engine.Settings().Choices(ctx, shop, name)
			if err != nil {
				p.log.Warn("reading choices", "instance", shop, "setting", name, "error", err)
			}
			if len(kept) > 0 && len(kept) <= maxOptions {
				offered[name] = keptOptions(kept)
				continue
			}
			if len(kept) == 0 {
				record, _ := p.engine.App().ChoicesOf(name)
				live[record] = append(live[record], name)
			}
		}
	}
	if len(live) == 0 {
		return offered
	}
	ctx, cancel := context.WithTimeout(ctx, choicesLimit)
	defer cancel()
	var mu sync.Mutex
	var wait sync.WaitGroup
	for record, names := range live {
		wait.Go(func() {
			options := p.lookUp(ctx, shop, record)
			mu.Lock()
			defer mu.Unlock()
			for _, name := range names {
				offered[name] = options
			}
		})
	}
	wait.Wait()
	return offered
}

func keptOptions(kept []settings.Choice) []option {
	options := make([]option, len(kept))
	for i, c := range kept {
		options[i] = option{strconv.FormatInt(c.Value, 10), c.Label}
	}
	return options
}

// lookUp asks the connections for the records of a kind.
func (p *Panel) lookUp(ctx context.Context, shop, record string) []option {
	key := choiceKey{shop, record}
	p.choices.mu.Lock()
	known, ok := p.choices.known[key]
	p.choices.mu.Unlock()
	if ok && time.Now().Before(known.until) {
		return known.options
	}
	known = knownChoices{until: time.Now().Add(choicesAgain)}
	for _, declared := range p.engine.App().Connections {
		connection, err := p.engine.Connection(ctx, shop, declared.Name)
		if err != nil {
			continue // not set up yet: the first page says so
		}
		chooser, ok := connection.(connectors.Chooser)
		if !ok {
			continue
		}
		found, err := chooser.Choices(ctx, record, maxOptions+1)
		if err != nil {
			p.log.Info("looking up choices", "instance", shop, "record", record, "error", err)
			continue
		}
		if len(found) > maxOptions {
			break
		}
		known.options = []option{} // there may be none: that is an answer too
		for _, c := range found {
			known.options = append(known.options, option{strconv.FormatInt(c.ID, 10), c.Label})
		}
		known.until = time.Now().Add(choicesFresh)
		break
	}
	p.choices.mu.Lock()
	defer p.choices.mu.Unlock()
	if p.choices.known == nil {
		p.choices.known = map[choiceKey]knownChoices{}
	}
	p.choices.known[key] = known
	return known.options
}

// checkLimit bounds a connection's look at its system.
const checkLimit = 45 * time.Second

// checkConnection lets a connection look at its system.
func (p *Panel) checkConnection(ctx context.Context, shop string, c *flow.Connection) ([]checkView, error) {
	title := c.Spec.Title
	missing, err := p.engine.Settings().Missing(ctx, shop, c)
	if err != nil {
		return nil, err
	}
	if len(missing) > 0 {
		var names []string
		for _, s := range missing {
			names = append(names, s.Title)
		}
		return []checkView{{Name: title, Message: "still empty: " + strings.Join(names, ", "), Advice: "Enter and save them, then test again.", Tone: "warn"}}, nil
	}
	connection, err := p.engine.Connection(ctx, shop, c.Name)
	if err != nil {
		view := checkView{Name: title, Message: err.Error(), Tone: "bad"}
		var told *connectors.Error
		if !errors.As(err, &told) {
			return nil, err
		}
		view.Advice = told.Advice
		return []checkView{view}, nil
	}
	checker, ok := connection.(connectors.Checker)
	if !ok {
		return nil, nil // nothing that could be looked at, as of a mail server
	}
	ctx, cancel := context.WithTimeout(ctx, checkLimit)
	defer cancel()
	var views []checkView
	for _, f := range checker.Check(ctx, connectors.Wanted{}) {
		view := checkView{Name: title + ", " + f.Check, Message: f.Message, Advice: f.Advice, Tone: "good"}
		switch f.Level {
		case connectors.Warn:
			view.Tone = "warn"
		case connectors.Fail:
			view.Tone = "bad"
		}
		views = append(views, view)
	}
	return views, nil
}
