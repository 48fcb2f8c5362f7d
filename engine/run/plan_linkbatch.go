package run

import (
	"context"
	"errors"
	"maps"
	"slices"

	"github.com/flowctl/flowctl/connectors"
	"github.com/flowctl/flowctl/engine/flow"
	"github.com/flowctl/flowctl/engine/link"
	"github.com/flowctl/flowctl/engine/store"
)

// linksPlan is a batched link step being planned.
type linksPlan struct {
	*planner
	step   *flow.Step
	path   string
	vars   *scope
	failed failures
}

// plannedItem is an item of a batched link step being planned.
type plannedItem struct {
	*linkPlan
	item          possible
	at            int
	other, before possible
	linked        bool
	how           string // how the link comes to be, "" when it is there
	created       possible
	updated       bool
	failed        bool
	value         possible
}

// batchedLinks plans a link step for lists of items.
func (p *planner) batchedLinks(ctx context.Context, s *flow.Step, vars *scope, path string, list possible) (possible, error) {
	l := &linksPlan{planner: p, step: s, path: path, vars: vars}
	all, err := l.prepare(ctx, split(list, 0))
	if err != nil {
		return possible{}, err
	}
	values := make([]possible, len(all))
	for start := 0; start < len(all); start += s.Batch {
		batch := slices.DeleteFunc(slices.Clone(all[start:min(start+s.Batch, len(all))]), func(i *plannedItem) bool { return i == nil })
		for len(batch) > 0 {
			now, later := l.distinct(batch)
			if err := l.batch(ctx, now); err != nil {
				return possible{}, err
			}
			batch = later
		}
	}
	for i, item := range all {
		values[i] = known(nil)
		if item != nil {
			values[i] = item.value
		}
	}
	l.failed.total = len(all)
	if failure := l.failed.itemsError(path); failure != nil && s.OnError != flow.ContinueOnError {
		return possible{}, failure
	}
	return listed(values), nil
}

// listed makes one possible list of possible values.
func listed(values []possible) possible {
	out := possible{v: []any{}, a: []any{}, b: []any{}}
	for _, one := range values {
		out = possible{append(out.v.([]any), one.v), append(out.a.([]any), one.a), append(out.b.([]any), one.b), union(out.because, one.because)}
	}
	return out
}

// prepare evaluates what is asked for each item; nil for one of which it fails.
func (l *linksPlan) prepare(ctx context.Context, items []possible) ([]*plannedItem, error) {
	names := newNamer()
	all := make([]*plannedItem, len(items))
	for i, item := range items {
		inner := l.vars.clone()
		inner.set(l.step.As, item)
		inner.set("position", known(int64(i)))
		path := l.path + "[" + names.name(item.a) + "]"
		one, err := l.linkPlan(ctx, l.step, inner, path)
		if err != nil {
			if l.mustEnd(ctx, err) {
				return nil, atStep(path, err)
			}
			l.fail(ctx, path, err)
			continue
		}
		all[i] = &plannedItem{linkPlan: one, item: item, at: i, created: known(false), value: known(nil)}
	}
	return all, nil
}

func (l *linksPlan) fail(ctx context.Context, path string, err error) {
	l.failed.count(path, l.outcomeOf(ctx, err), err)
}

// distinct sets aside the items of a key that one before them has.
func (l *linksPlan) distinct(batch []*plannedItem) (now, later []*plannedItem) {
	seen := map[string]bool{}
	for _, item := range batch {
		if key := link.Text(item.key.v); item.key.isKnown() && seen[key] {
			later = append(later, item)
			continue
		} else if item.key.isKnown() {
			seen[key] = true
		}
		now = append(now, item)
	}
	return now, later
}

func (l *linksPlan) batch(ctx context.Context, batch []*plannedItem) error {
	var unknown, fine []*plannedItem
	for _, item := range batch {
		var err error
		if item.other, item.linked, err = item.find(ctx); err != nil {
			return atStep(item.path, err)
		}
		if item.before = item.other; !item.linked || item.recheck() {
			unknown = append(unknown, item)
		} else {
			fine = append(fine, item)
		}
	}
	found, missing, unsure, err := l.match(ctx, unknown)
	if err != nil {
		return err
	}
	fine = append(fine, found...)
	if err := l.update(ctx, append(slices.Clone(fine), unsure...)); err != nil {
		return err
	}
	if err := l.create(ctx, missing, unsure); err != nil {
		return err
	}
	for _, item := range slices.Concat(fine, missing, unsure) {
		if !item.failed {
			l.finish(item)
		}
	}
	return nil
}

// match matches for real: items that are there, that are not, and those of which
// it is not known yet.
func (l *linksPlan) match(ctx context.Context, at []*plannedItem) (found, missing, unsure []*plannedItem, err error) {
	c := l.step.Link.Match
	if len(at) == 0 {
		return nil, nil, nil, nil
	}
	taken := make([]any, len(at))
	if c != nil {
		candidates, err := l.taken(ctx, c, at, l.about(at), ".match", len(at))
		if err != nil || !candidates.isKnown() {
			for _, item := range at {
				item.other = l.invent(item.otherSide(), item.step.Link.Table.Name+" of "+item.path, candidates.because)
			}
			return nil, nil, at, l.failAll(ctx, at, err)
		}
		taken = candidates.v.([]any)
	}
	for i, item := range at {
		name := item.step.Link.Table.Name
		ids, ok := taken[i].([]any)
		if !ok {
			ids = []any{taken[i]}
		}
		ids = slices.DeleteFunc(slices.Clone(ids), func(c any) bool { return link.Text(c) == "" })
		switch {
		case len(ids) > 1:
			l.fail(ctx, item.path, &link.AmbiguousError{Table: name, Key: item.key.a, Candidates: ids})
		case len(ids) == 1:
			item.other, item.how = known(ids[0]), linkMatched
			found = append(found, item)
		case l.step.Link.Create != nil:
			missing = append(missing, item)
		case l.step.Missing != flow.MissingContinues:
			l.fail(ctx, item.path, &link.MissingError{Table: name, Key: item.key.a})
		}
	}
	return found, missing, nil, nil
}

// failAll counts a failure of all these items; an error that ends the planning
// is returned.
func (l *linksPlan) failAll(ctx context.Context, at []*plannedItem, err error) error {
	if err == nil {
		return nil
	}
	var end *plannedEnd
	if l.mustEnd(ctx, err) {
		return atStep(l.pathOf(at), err)
	}
	if errors.As(err, &end) && end.outcome.State == store.Skipped {
		for _, item := range at {
			item.failed = true // it only has no value
		}
		return nil
	}
	for _, item := range at {
		item.failed = true
		l.fail(ctx, item.path, err)
	}
	return nil
}

func (l *linksPlan) pathOf(at []*plannedItem) string {
	names := newNamer()
	items := make([]batchItem, len(at))
	for i, item := range at {
		items[i] = batchItem{name: names.name(item.item.a)}
	}
	return batchPath(l.path, items)
}

func (i *plannedItem) otherSide() *connectors.Schema {
	if i.side == store.Local {
		return i.step.Link.Table.Remote.Schema()
	}
	return i.step.Link.Table.Local.Schema()
}

// about sets the names that a call about these items reads.
func (l *linksPlan) about(at []*plannedItem) *scope {
	inner := l.vars.clone()
	items, values := make([]possible, len(at)), make([]possible, len(at))
	for i, item := range at {
		items[i] = item.item
		values[i] = known(nil)
		if item.step.Link.Values != nil {
			values[i] = item.vars.get("values")
		}
	}
	inner.set("items", listed(items))
	inner.set(l.step.As, listed(items))
	inner.set("values", listed(values))
	inner.set("position", known(int64(at[0].at)))
	return inner
}

// taken plans a call about these items and picks something for each of them.
func (l *linksPlan) taken(ctx context.Context, c *flow.Call, at []*plannedItem, inner *scope, suffix string, want int) (possible, error) {
	result, err := l.call(ctx, c, inner, l.pathOf(at)+suffix)
	if err != nil || c.Take == nil {
		return result, err
	}
	inner.set("result", result)
	return inner.eval(append(c.Take.Names(), "result"), func(vars map[string]any) (any, error) {
		return takeItems(ctx, c, vars, want)
	})
}

// create plans to make what is missing, and under a condition what may be.
func (l *linksPlan) create(ctx context.Context, missing, unsure []*plannedItem) error {
	if len(missing) > 0 {
		made, err := l.taken(ctx, l.step.Link.Create, missing, l.about(missing), createSuffix, len(missing))
		if err != nil {
			return l.failAll(ctx, missing, err)
		}
		ids, _ := made.v.([]any)
		for i, item := range missing {
			item.how, item.created = linkCreated, known(true)
			if i < len(ids) && made.isKnown() {
				item.other = known(ids[i])
				continue
			}
			item.other = l.invent(item.otherSide(), item.step.Link.Table.Name+" of "+item.path, made.because)
		}
	}
	unsure = slices.DeleteFunc(slices.Clone(unsure), func(item *plannedItem) bool { return item.failed })
	if len(unsure) == 0 {
		return nil
	}
	for _, item := range unsure {
		item.how, item.created = linkEither, l.invent(nil, "", item.other.because)
	}
	if l.step.Link.Create == nil {
		return nil
	}
	under, why := l.under, l.why
	defer func() { l.under, l.why = under, why }()
	l.under = append(under[:len(under):len(under)], "nothing matches "+l.step.Link.Table.Name)
	l.why = union(why, unsure[0].other.because)
	_, err := l.call(ctx, l.step.Link.Create, l.about(unsure), l.pathOf(unsure)+createSuffix)
	return l.failAll(ctx, unsure, err)
}

// update plans the update of records that are there already.
func (l *linksPlan) update(ctx context.Context, at []*plannedItem) error {
	if l.step.Link.Update == nil {
		return nil
	}
	var changed []possible
	var items []*plannedItem
	for _, item := range at {
		if item.before.isKnown() && item.linked && link.Text(item.before.v) != link.Text(item.other.v) {
			item.fingerprints = nil // those of another record
		}
		changes, err := item.changes()
		if err != nil {
			return atStep(item.path, err)
		}
		if record, ok := changes.a.(map[string]any); ok && len(record) == 0 && changes.isKnown() {
			continue
		}
		item.updated = true
		local, remote := item.sides()
		values := item.vars.get("values")
		one := map[string]possible{"local": local, "remote": remote, "item": item.item, "values": values, "changes": changes}
		changed, items = append(changed, recorded(one)), append(items, item)
	}
	if len(items) == 0 {
		return nil
	}
	inner := l.about(items)
	inner.set("changed", listed(changed))
	_, err := l.taken(ctx, l.step.Link.Update, items, inner, ".update", len(items))
	return l.failAll(ctx, items, err)
}

// recorded makes one possible record of possible fields.
func recorded(fields map[string]possible) possible {
	v, a, b := map[string]any{}, map[string]any{}, map[string]any{}
	var because []string
	for _, name := range slices.Sorted(maps.Keys(fields)) {
		field := fields[name]
		v[name], a[name], b[name] = field.v, field.a, field.b
		because = union(because, field.because)
	}
	return possible{v, a, b, because}
}

func (i *plannedItem) sides() (local, remote possible) {
	if i.side == store.Local {
		return i.key, i.other
	}
	return i.other, i.key
}

// finish writes down an item's rows, and what the step makes of it.
func (l *linksPlan) finish(item *plannedItem) {
	if item.linked && item.other.isKnown() && item.before.isKnown() && link.Text(item.before.v) == link.Text(item.other.v) {
		item.how = ""
	}
	local, remote := item.sides()
	if item.how != "" {
		item.note(item.step.Link.Table, local, remote, item.how)
		for _, row := range item.also {
			item.note(row.table, local, row.key, item.how)
		}
	}
	item.value = item.linkPlan.value(local, remote, item.created, known(item.updated))
}
