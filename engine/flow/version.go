package flow

import (
	"crypto/sha256"
	"encoding/hex"
	"maps"
	"reflect"
	"slices"
)

// setVersions gives every flow the hash of its text and of the flows it calls:
// whoever changes a part changes the whole. The calls have been resolved.
func setVersions(flows []*Flow, docs map[*Flow]*document) {
	done := map[*Flow]bool{}
	for _, f := range flows {
		setVersion(f, docs, done)
	}
}

func setVersion(f *Flow, docs map[*Flow]*document, done map[*Flow]bool) string {
	if done[f] {
		return f.Version
	}
	done[f] = true // before the parts: a cycle was reported, and must end here
	called := map[*Flow]bool{}
	for _, s := range f.Steps {
		for _, c := range s.calls() {
			if c.Flow != nil {
				called[c.Flow] = true
			}
		}
	}
	parts := make([]string, 0, len(called))
	for part := range maps.Keys(called) {
		parts = append(parts, part.Name+" "+setVersion(part, docs, done))
	}
	slices.Sort(parts)
	hash := sha256.New()
	for _, text := range append([]string{docs[f].src.text}, parts...) {
		hash.Write([]byte(text))
		hash.Write([]byte{0})
	}
	f.Version = hex.EncodeToString(hash.Sum(nil)[:6])
	return f.Version
}

// calls lists the calls that a step may make.
func (s *Step) calls() []*Call {
	var all []*Call
	if s.Call != nil {
		all = append(all, s.Call)
	}
	if s.Link != nil {
		for _, c := range []*Call{s.Link.Match, s.Link.Create, s.Link.Update} {
			if c != nil {
				all = append(all, c)
			}
		}
	}
	return all
}

// Calls lists the calls that a step may make: its own, or those of its link.
func (s *Step) Calls() []*Call { return s.calls() }

// Called is the flow that a step calls: as its call, or as the match, create or
// update of its link. nil when it calls none there.
func (s *Step) Called(action string) *Flow {
	var c *Call
	switch {
	case action == "":
		c = s.Call
	case s.Link == nil:
	case action == "match":
		c = s.Link.Match
	case action == "create":
		c = s.Link.Create
	case action == "update":
		c = s.Link.Update
	}
	if c == nil {
		return nil
	}
	return c.Flow
}

// Same tells whether two apps were loaded from the same files.
func (a *App) Same(other *App) bool {
	return maps.Equal(a.Sources, other.Sources) && reflect.DeepEqual(a.resources, other.resources)
}

// WithCalled lists the flow and all that it calls, also by way of others.
func (f *Flow) WithCalled() []*Flow {
	all := []*Flow{f}
	for i := 0; i < len(all); i++ {
		for _, s := range all[i].Steps {
			for _, c := range s.calls() {
				if c.Flow != nil && !slices.Contains(all, c.Flow) {
					all = append(all, c.Flow)
				}
			}
		}
	}
	return all
}
