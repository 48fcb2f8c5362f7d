package link

import (
	"fmt"
	"slices"

	"github.com/flowctl/flowctl/engine/store"
)

// pairOf is a link by its keys.
type pairOf struct{ local, remote string }

// gathered is what a rebuild heard from the systems, in the order of hearing.
type gathered struct {
	table  Table
	pairs  []pairOf
	weak   map[pairOf]bool
	seen   map[pairOf]int // its place in pairs
	doubts []heardDoubt
	alone  int
}

type heardDoubt struct {
	Doubt
	weak bool
}

// add takes candidates in. Keys are brought to the form that link tables keep.
func (g *gathered) add(candidates []Candidate) error {
	if g.seen == nil {
		g.seen, g.weak = map[pairOf]int{}, map[pairOf]bool{}
	}
	for _, c := range candidates {
		locals, err := g.keys(c.Local, store.Local)
		if err != nil {
			return err
		}
		remotes, err := g.keys(c.Remote, store.Remote)
		if err != nil {
			return err
		}
		switch {
		case len(locals) == 0 && len(remotes) == 0:
		case len(locals) == 0 || len(remotes) == 0:
			g.alone++
		case len(locals) > 1 && len(remotes) == 1:
			g.doubts = append(g.doubts, heardDoubt{Doubt{store.Remote, remotes[0], locals}, c.Weak})
		case len(remotes) > 1:
			g.doubts = append(g.doubts, heardDoubt{Doubt{store.Local, locals[0], remotes}, c.Weak})
		default:
			g.pair(pairOf{locals[0], remotes[0]}, c.Weak)
		}
	}
	if len(g.pairs) > maxPairs {
		return fmt.Errorf("the systems tell of more than %d links of %s", maxPairs, g.table.Name)
	}
	return nil
}

// pair notes a pair; told again, it moves to the end: the last word counts.
func (g *gathered) pair(p pairOf, weak bool) {
	if at, known := g.seen[p]; known {
		g.weak[p] = g.weak[p] && weak
		if weak {
			return
		}
		g.pairs[at] = pairOf{}
	} else {
		g.weak[p] = weak
	}
	g.seen[p] = len(g.pairs)
	g.pairs = append(g.pairs, p)
}

func (g *gathered) keys(given []string, side store.Side) ([]string, error) {
	schema := g.table.Remote
	if side == store.Local {
		schema = g.table.Local
	}
	var keys []string
	for _, text := range given {
		if text == "" {
			continue
		}
		typed, err := schema.Convert(text)
		if err != nil {
			return nil, fmt.Errorf("link table %s, %s side: %w", g.table.Name, side, err)
		}
		if key := Text(typed); !slices.Contains(keys, key) {
			keys = append(keys, key)
		}
	}
	return keys, nil
}

// resolve decides which pairs are links:
//
//	weak ones             count where no other tells of either side
//	one remote, two locals  is for a person
//	one local, two remotes  the last one, where the remote key may change; else
//	                        for a person
func (g *gathered) resolve() ([]pairOf, Rebuilt) {
	report := Rebuilt{Alone: g.alone}
	strongLocal, strongRemote := map[string]bool{}, map[string]bool{}
	for _, p := range g.pairs {
		if p != (pairOf{}) && !g.weak[p] {
			strongLocal[p.local], strongRemote[p.remote] = true, true
		}
	}
	// Records in doubt are not linked by another's word either, unless the doubt
	// itself was weak.
	doubtful := map[store.LinkKey]bool{}
	for _, d := range g.doubts {
		known := strongLocal
		if d.Side == store.Remote {
			known = strongRemote
		}
		key := store.LinkKey{Side: d.Side, Value: d.Key}
		if d.weak && known[d.Key] || doubtful[key] {
			continue
		}
		doubtful[key] = true
		report.Doubtful = append(report.Doubtful, d.Doubt)
	}
	var pairs []pairOf
	byRemote, byLocal := map[string][]string{}, map[string][]string{}
	for _, p := range g.pairs {
		if p == (pairOf{}) || g.weak[p] && (strongLocal[p.local] || strongRemote[p.remote]) {
			continue
		}
		pairs = append(pairs, p)
		byRemote[p.remote] = append(byRemote[p.remote], p.local)
		byLocal[p.local] = append(byLocal[p.local], p.remote)
	}
	told := map[store.LinkKey]bool{}
	doubt := func(side store.Side, key string, maybe []string) {
		if k := (store.LinkKey{Side: side, Value: key}); !told[k] && !doubtful[k] {
			told[k] = true
			report.Doubtful = append(report.Doubtful, Doubt{side, key, maybe})
		}
	}
	var sure []pairOf
	for _, p := range pairs {
		locals, remotes := byRemote[p.remote], byLocal[p.local]
		switch {
		case doubtful[store.LinkKey{Side: store.Remote, Value: p.remote}] || doubtful[store.LinkKey{Side: store.Local, Value: p.local}]:
		case len(locals) > 1:
			doubt(store.Remote, p.remote, locals)
		case len(remotes) > 1 && !g.table.KeyMayChange:
			doubt(store.Local, p.local, remotes)
		case len(remotes) > 1 && remotes[len(remotes)-1] != p.remote:
			// The record has another key by now.
		default:
			sure = append(sure, p)
		}
	}
	return sure, report
}
