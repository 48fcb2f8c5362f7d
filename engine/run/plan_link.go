package run

import (
	"context"
	"errors"
	"slices"

	"github.com/flowctl/flowctl/connectors"
	"github.com/flowctl/flowctl/engine/flow"
	"github.com/flowctl/flowctl/engine/link"
	"github.com/flowctl/flowctl/engine/store"
)

// How a planned link comes to be.
const (
	linkGiven   = "given"
	linkMatched = "matched"
	linkCreated = "created"
	linkEither  = "matched or created"
)

// linkPlan is a link step being planned.
type linkPlan struct {
	*planner
	step *flow.Step
	path string
	vars *scope // with values, once they are known
	side store.Side
	key  possible
	also []alsoRow
	// fingerprints of the row that exists.
	fingerprints []byte
}

type alsoRow struct {
	table *flow.Table
	key   possible
}

// link plans a link step: it looks for the row and for the record, and writes
// down what would be created, updated and linked.
func (p *planner) link(ctx context.Context, s *flow.Step, vars *scope, path string) (possible, error) {
	if savesPairs(s) {
		l := &linkPlan{planner: p, step: s, path: path, vars: vars.clone(), side: store.Remote}
		remote, err := vars.eval(s.Link.Remote.Names(), evalOf(ctx, s.Link.Remote))
		if err != nil {
			return possible{}, err
		}
		local, err := vars.eval(s.Link.Local.Names(), evalOf(ctx, s.Link.Local))
		if err != nil {
			return possible{}, err
		}
		return l.given(ctx, local, remote)
	}
	l, err := p.linkPlan(ctx, s, vars, path)
	if err != nil {
		return possible{}, err
	}
	return l.ensure(ctx)
}

// linkPlan evaluates what a link step asks for.
func (p *planner) linkPlan(ctx context.Context, s *flow.Step, vars *scope, path string) (*linkPlan, error) {
	l := &linkPlan{planner: p, step: s, path: path, vars: vars.clone(), side: store.Remote}
	key := s.Link.Remote
	if s.Link.Local != nil {
		l.side, key = store.Local, s.Link.Local
	}
	var err error
	if l.key, err = vars.eval(key.Names(), evalOf(ctx, key)); err != nil {
		return nil, err
	}
	if l.key.isKnown() && link.Text(l.key.v) == "" {
		_, _, err := linkRequest(ctx, s, vars.v)
		return nil, err
	}
	for _, also := range s.Link.Also {
		key, err := vars.eval(also.Value.Names(), evalOf(ctx, also.Value))
		if err != nil {
			return nil, err
		}
		if !key.isKnown() || link.Text(key.v) != "" {
			l.also = append(l.also, alsoRow{also.Table, key})
		}
	}
	if s.Link.Values != nil {
		values, err := vars.eval(s.Link.Values.Names(), recordOf(ctx, s.Link.Values))
		if err != nil {
			return nil, err
		}
		l.vars.set("values", values)
	}
	return l, nil
}

// given plans to remember a pair whose sides are both known to the flow.
func (l *linkPlan) given(ctx context.Context, local, remote possible) (possible, error) {
	if local.isKnown() && remote.isKnown() {
		row, err := l.executor.Store.FindLink(ctx, l.run.Instance, store.LinkKey{Table: l.step.Link.Table.Name, Side: store.Remote, Value: link.Text(remote.v)})
		if err != nil {
			return possible{}, err
		}
		if row == nil || row.State != store.Linked || row.Local != link.Text(local.v) {
			l.note(l.step.Link.Table, local, remote, linkGiven)
		}
	} else {
		l.note(l.step.Link.Table, local, remote, linkGiven)
	}
	return l.value(local, remote, known(false), known(false)), nil
}

// ensure finds the other side, or plans to make it.
func (l *linkPlan) ensure(ctx context.Context) (possible, error) {
	other, linked, err := l.find(ctx)
	if err != nil {
		return possible{}, err
	}
	how, created := "", known(false)
	if !linked || l.recheck() {
		before := other
		if other, how, err = l.make(ctx); err != nil {
			var missing *link.MissingError
			if errors.As(err, &missing) && l.step.Missing == flow.MissingContinues {
				return known(nil), nil
			}
			return possible{}, err
		}
		switch how {
		case linkCreated:
			created = known(true)
		case linkEither:
			created = l.invent(connectors.Boolean(), "", other.because)
		}
		if linked && other.isKnown() && before.isKnown() && link.Text(before.v) == link.Text(other.v) {
			how = ""
		}
	}
	updated, err := l.update(ctx, other, how)
	if err != nil {
		return possible{}, err
	}
	local, remote := other, l.key
	if l.side == store.Local {
		local, remote = remote, local
	}
	if how != "" {
		l.note(l.step.Link.Table, local, remote, how)
		for _, row := range l.also {
			l.note(row.table, local, row.key, how)
		}
	}
	return l.value(local, remote, created, known(updated)), nil
}

func (l *linkPlan) recheck() bool { return l.step.Link.Recheck && l.step.Link.Match != nil }

// find looks for the other side in the link tables, and among the rows that this
// plan would have written.
func (l *linkPlan) find(ctx context.Context) (other possible, linked bool, err error) {
	rows := append([]alsoRow{{l.step.Link.Table, l.key}}, l.also...)
	for i, row := range rows {
		if !row.key.isKnown() {
			continue
		}
		key := store.LinkKey{Table: row.table.Name, Side: l.side, Value: link.Text(row.key.v)}
		if planned, ok := l.links[key]; ok {
			return planned, true, nil
		}
		found, err := l.executor.Store.FindLink(ctx, l.run.Instance, key)
		if err != nil {
			return possible{}, false, err
		}
		if found == nil || found.State != store.Linked {
			continue
		}
		if i == 0 {
			l.fingerprints = found.Fingerprints
		}
		pair, err := TableOf(row.table).Pair(found.Local, found.Remote)
		if err != nil {
			return possible{}, false, err
		}
		if l.side == store.Local {
			return known(pair.Remote), true, nil
		}
		return known(pair.Local), true, nil
	}
	return possible{}, false, nil
}

// make matches for real, and plans to create what is not there.
func (l *linkPlan) make(ctx context.Context) (other possible, how string, err error) {
	name := l.step.Link.Table.Name
	missing := &link.MissingError{Table: name, Key: l.key.a}
	if l.step.Link.Match != nil {
		candidates, err := l.taken(ctx, l.step.Link.Match, l.path+".match", "ids")
		if err != nil {
			return possible{}, "", err
		}
		if !candidates.isKnown() {
			return l.either(ctx, candidates.because)
		}
		found, _ := candidates.v.([]any)
		found = slices.DeleteFunc(slices.Clone(found), func(c any) bool { return link.Text(c) == "" })
		if len(found) > 1 {
			return possible{}, "", &link.AmbiguousError{Table: name, Key: l.key.a, Candidates: found}
		}
		if len(found) == 1 {
			return known(found[0]), linkMatched, nil
		}
	}
	if l.step.Link.Create == nil {
		return possible{}, "", missing
	}
	other, err = l.taken(ctx, l.step.Link.Create, l.path+".create", "id")
	return other, linkCreated, err
}

// either plans for a record of which it is not known whether it is there.
func (l *linkPlan) either(ctx context.Context, because []string) (possible, string, error) {
	if l.step.Link.Create != nil {
		under, why := l.under, l.why
		l.under = append(under[:len(under):len(under)], "nothing matches "+l.step.Link.Table.Name)
		l.why = union(why, because)
		_, err := l.taken(ctx, l.step.Link.Create, l.path+".create", "id")
		l.under, l.why = under, why
		if err != nil {
			return possible{}, "", err
		}
	}
	side := l.step.Link.Table.Local
	if l.side == store.Local {
		side = l.step.Link.Table.Remote
	}
	return l.invent(side.Schema(), l.step.Link.Table.Name+" of "+l.path, because), linkEither, nil
}

// taken plans a match or create and picks what it is about.
func (l *linkPlan) taken(ctx context.Context, c *flow.Call, path, property string) (possible, error) {
	result, err := l.call(ctx, c, l.vars, path)
	if err != nil {
		return possible{}, err
	}
	inner := l.vars.clone()
	inner.set("result", result)
	names := append(c.Take.Names(), "result")
	return inner.eval(names, func(vars map[string]any) (any, error) {
		if property == "ids" {
			return taken[[]any](ctx, c, vars["result"], property, vars)
		}
		return taken[any](ctx, c, vars["result"], property, vars)
	})
}

// update plans the update of a record that is there already.
func (l *linkPlan) update(ctx context.Context, other possible, how string) (bool, error) {
	if l.step.Link.Update == nil || how == linkCreated {
		return false, nil
	}
	changes, err := l.changes()
	if err != nil {
		return false, err
	}
	if record, ok := changes.a.(map[string]any); ok && len(record) == 0 && changes.isKnown() {
		return false, nil
	}
	inner := l.vars.clone()
	local, remote := other, l.key
	if l.side == store.Local {
		local, remote = remote, local
	}
	inner.set("local", local)
	inner.set("remote", remote)
	inner.set("changes", changes)
	_, err = l.call(ctx, l.step.Link.Update, inner, l.path+".update")
	return true, err
}

// changes are the values that differ from those last written.
func (l *linkPlan) changes() (possible, error) {
	last, err := link.DecodeFingerprints(l.fingerprints)
	if err != nil {
		return possible{}, err
	}
	return l.vars.eval([]string{"values"}, func(vars map[string]any) (any, error) {
		values, _ := vars["values"].(map[string]any)
		if hasHoles(values) {
			return values, nil
		}
		return link.Changes(values, last), nil
	})
}

// note writes down a row that would be written.
func (l *linkPlan) note(table *flow.Table, local, remote possible, how string) {
	l.plan.Steps = append(l.plan.Steps, PlannedStep{
		Path: l.path, If: slices.Clone(l.under), DependsOn: union(union(local.because, remote.because), l.why),
		Link: &PlannedLink{Table: table.Name, Local: l.shown(local), Remote: l.shown(remote), How: how},
	})
	if len(l.under) > 0 {
		return // it may not be there
	}
	if remote.isKnown() {
		l.links[store.LinkKey{Table: table.Name, Side: store.Remote, Value: link.Text(remote.v)}] = local
	}
	if local.isKnown() {
		l.links[store.LinkKey{Table: table.Name, Side: store.Local, Value: link.Text(local.v)}] = remote
	}
}

// value is what the step makes.
func (l *linkPlan) value(local, remote, created, updated possible) possible {
	record := func(local, remote, created, updated any) map[string]any {
		return map[string]any{"local": local, "remote": remote, "created": created, "updated": updated}
	}
	var because []string
	for _, part := range []possible{local, remote, created, updated} {
		because = union(because, part.because)
	}
	return possible{
		v:       record(local.v, remote.v, created.v, updated.v),
		a:       record(local.a, remote.a, created.a, updated.a),
		b:       record(local.b, remote.b, created.b, updated.b),
		because: because,
	}
}
