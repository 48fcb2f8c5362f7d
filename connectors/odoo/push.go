package odoo

import (
	"context"
	"net/url"
	"slices"
	"strings"

	"github.com/flowctl/flowctl/connectors"
)

// pushPrefix begins the names of the automation rules that are ours.
const pushPrefix = "flowctl: "

// pushUser is the user name that goes with the push secret.
const pushUser = "flowctl"

func pushOperations() []connectors.Operation {
	object, array := connectors.Object, connectors.Array
	hookURL := func() *connectors.Schema {
		return connectors.String().Described("Address that Odoo posts to, without a login; the push secret is added")
	}
	rule := object(map[string]*connectors.Schema{
		"id": connectors.Integer(), "model": connectors.String(), "url": connectors.String(),
		"active": connectors.Boolean(), "fields": array(connectors.String()),
	}, "id", "model", "url", "active", "fields")
	return []connectors.Operation{
		{
			Name: "push.register", Title: "Have Odoo announce changes", Effect: connectors.Create, Repeat: connectors.Idempotent,
			Summary: "Makes or repairs an automation rule that posts the id of each record created or written to an address (Odoo 17 and later, the app base_automation, and a login with the right Settings). " +
				"Name the fields: without them Odoo posts many times for one change. Odoo posts once, before it commits and without trying again, so keep polling with odoo.changed too.",
			Params: object(map[string]*connectors.Schema{
				"model": modelParam(), "url": hookURL(),
				"fields": array(connectors.String()).Described("Only a change of one of these is announced"),
			}, "model", "url", "fields"),
			Result: object(map[string]*connectors.Schema{
				"id":      connectors.Integer().Described("Of the automation rule"),
				"changed": connectors.Boolean().Described("False when all was as it should be"),
			}, "id", "changed"),
		},
		{
			Name: "push.unregister", Title: "Stop announcements", Effect: connectors.Delete, Repeat: connectors.Idempotent,
			Summary: "Removes the automation rules that push.register made for an address, of one model or of all. Others are not touched.",
			Params:  object(map[string]*connectors.Schema{"url": hookURL(), "model": modelParam()}, "url"),
			Result: object(map[string]*connectors.Schema{
				"removed": connectors.Integer().Described("How many rules"),
			}, "removed"),
		},
		{
			Name: "push.list", Title: "List announcements", Effect: connectors.Read,
			Summary: "Lists the automation rules that push.register made, those of one address or all.",
			Params:  object(map[string]*connectors.Schema{"url": hookURL()}),
			Result:  object(map[string]*connectors.Schema{"rules": array(rule)}, "rules"),
		},
	}
}

// pushRule is an automation rule of ours.
type pushRule struct {
	id, action int64
	model      string
	url        string // as stored, with the login
	active     bool
	fieldIDs   []int64
}

// address is the rule's URL without the login.
func (r pushRule) address() string { return withoutLogin(r.url) }

func withoutLogin(text string) string {
	u, err := url.Parse(text)
	if err != nil {
		return text
	}
	u.User = nil
	return u.String()
}

// pushURL adds the push secret to an address, as the login that an HTTP client
// turns into a header: Odoo can sign nothing and set no header itself.
func (c *Connection) pushURL(p params) (string, error) {
	text, err := p.required("url")
	if err != nil {
		return "", err
	}
	u, err := url.Parse(text)
	if err != nil || u.Host == "" || u.Scheme != "http" && u.Scheme != "https" || u.User != nil {
		return "", badParams("odoo.%s: url wants an address such as https://flows.example.com/hooks/main/odoo, without a login", p.operation)
	}
	if c.pushSecret == "" {
		return "", noPushSecret()
	}
	u.User = url.UserPassword(pushUser, c.pushSecret)
	return u.String(), nil
}

func noPushSecret() error {
	return &connectors.Error{
		Class:   connectors.Permanent,
		Code:    connectors.CodeBadConfig,
		Message: "push_secret is not set, so no announcement of Odoo can be trusted",
		Advice:  "Set push_secret to a long random text, then register the announcements again.",
	}
}

func (c *Connection) registerPush(ctx context.Context, p params) (any, error) {
	model, err := p.model()
	if err != nil {
		return nil, err
	}
	target, err := c.pushURL(p)
	if err != nil {
		return nil, err
	}
	modelID, fieldIDs, err := c.pushFields(ctx, p, model)
	if err != nil {
		return nil, err
	}
	rules, err := c.pushRules(ctx, withoutLogin(target), model)
	if err != nil {
		return nil, err
	}
	if len(rules) == 0 {
		id, err := c.createRule(ctx, model, target, modelID, fieldIDs)
		return map[string]any{"id": id, "changed": true}, err
	}
	// Two rules are what a lost answer leaves behind.
	changed := len(rules) > 1
	if err := c.removeRules(ctx, rules[1:]); err != nil {
		return nil, err
	}
	rule := rules[0]
	if !rule.active || !slices.Equal(rule.fieldIDs, fieldIDs) {
		changed = true
		err := c.pushWrite(ctx, "base.automation", rule.id, map[string]any{
			"active": true, "trigger_field_ids": []any{[]any{commandSet, 0, fieldIDs}},
		})
		if err != nil {
			return nil, err
		}
	}
	if rule.url != target {
		changed = true
		if err := c.pushWrite(ctx, "ir.actions.server", rule.action, map[string]any{"webhook_url": target}); err != nil {
			return nil, err
		}
	}
	return map[string]any{"id": rule.id, "changed": changed}, nil
}

// pushFields finds the ids by which Odoo knows the model and its fields.
func (c *Connection) pushFields(ctx context.Context, p params, model string) (modelID int64, fieldIDs []int64, err error) {
	list, err := p.list("fields")
	if err != nil {
		return 0, nil, err
	}
	if len(list) == 0 {
		return 0, nil, badParams("odoo.push.register: fields is empty; without fields Odoo posts many times for one change")
	}
	names := []string{}
	for _, item := range list {
		name, ok := item.(string)
		if !ok {
			return 0, nil, p.wrong("fields", "names of fields")
		}
		remote, _, err := c.encodePath(ctx, model, name)
		if err != nil {
			return 0, nil, err
		}
		names = append(names, remote)
	}
	tree, err := c.answer(ctx, invocation{model: "ir.model", method: "search",
		args: []argument{{"domain", []any{[]any{"model", "=", model}}}}})
	if err != nil {
		return 0, nil, err
	}
	ids, err := typedIDs(tree)
	if err != nil || len(ids) != 1 {
		return 0, nil, unreadable("ir.model", "search", nil, err)
	}
	slices.Sort(names)
	names = slices.Compact(names)
	tree, err = c.answer(ctx, invocation{model: "ir.model.fields", method: "search",
		args: []argument{{"domain", []any{[]any{"model", "=", model}, []any{"name", "in", names}}}}})
	if err != nil {
		return 0, nil, err
	}
	if fieldIDs, err = typedIDs(tree); err != nil || len(fieldIDs) != len(names) {
		return 0, nil, unreadable("ir.model.fields", "search", nil, err)
	}
	slices.Sort(fieldIDs)
	return ids[0], fieldIDs, nil
}

func typedIDs(tree any) ([]int64, error) {
	list, err := readIDs(tree)
	if err != nil {
		return nil, err
	}
	ids, _ := toIDs(list.([]any))
	return ids, nil
}

func (c *Connection) createRule(ctx context.Context, model, target string, modelID int64, fieldIDs []int64) (int64, error) {
	call := invocation{model: "base.automation", method: "create", write: true, args: []argument{{"vals_list", []any{map[string]any{
		"name": pushPrefix + model, "model_id": modelID, "trigger": "on_create_or_write",
		"trigger_field_ids": []any{[]any{commandSet, 0, fieldIDs}},
		"action_server_ids": []any{[]any{commandCreate, 0, map[string]any{
			"name": pushPrefix + model, "model_id": modelID, "state": "webhook", "webhook_url": target,
			// The record is read again anyway, so no field goes along.
			"webhook_field_ids": []any{[]any{commandSet, 0, []int64{}}},
		}}},
	}}}}}
	tree, err := c.change(ctx, call)
	if err != nil {
		return 0, err
	}
	ids, err := typedIDs(tree)
	if err != nil || len(ids) != 1 {
		return 0, afterWrite(call, err)
	}
	return ids[0], nil
}

func (c *Connection) pushWrite(ctx context.Context, model string, id int64, values map[string]any) error {
	_, err := c.change(ctx, invocation{model: model, method: "write", ids: []int64{id}, args: []argument{{"vals", values}}, write: true})
	return err
}

// pushRules reads the rules of ours, for one address or all (""), for one model
// or all ("").
func (c *Connection) pushRules(ctx context.Context, address, model string) ([]pushRule, error) {
	tree, err := c.answer(ctx, invocation{
		model: "base.automation", method: "search_read",
		args: []argument{{"domain", []any{[]any{"name", "=like", pushPrefix + "%"}}}},
		kwargs: map[string]any{
			"fields": []string{"model_name", "active", "trigger_field_ids", "action_server_ids"}, "order": "id",
			"context": map[string]any{"active_test": false},
		},
	})
	if err != nil {
		return nil, err
	}
	list, err := listOf(tree)
	if err != nil {
		return nil, unreadable("base.automation", "search_read", nil, err)
	}
	var rules []pushRule
	for _, item := range list {
		raw, _ := item.(map[string]any)
		actions, err := typedIDs(raw["action_server_ids"])
		if err != nil || len(actions) != 1 {
			continue // changed by somebody: not ours any more
		}
		rule := pushRule{action: actions[0]}
		if rule.id, err = wholeNumber(raw["id"]); err != nil {
			return nil, unreadable("base.automation", "search_read", nil, err)
		}
		if rule.fieldIDs, err = typedIDs(raw["trigger_field_ids"]); err != nil {
			return nil, unreadable("base.automation", "search_read", nil, err)
		}
		slices.Sort(rule.fieldIDs)
		rule.model, _ = raw["model_name"].(string)
		rule.active, _ = raw["active"].(bool)
		if model == "" || rule.model == model {
			rules = append(rules, rule)
		}
	}
	if err := c.pushTargets(ctx, rules); err != nil {
		return nil, err
	}
	return slices.DeleteFunc(rules, func(r pushRule) bool {
		return r.url == "" || address != "" && r.address() != address
	}), nil
}

// pushTargets reads where rules post to.
func (c *Connection) pushTargets(ctx context.Context, rules []pushRule) error {
	if len(rules) == 0 {
		return nil
	}
	ids := make([]int64, len(rules))
	for i, r := range rules {
		ids[i] = r.action
	}
	tree, err := c.answer(ctx, invocation{model: "ir.actions.server", method: "read", ids: ids,
		kwargs: map[string]any{"fields": []string{"state", "webhook_url"}}})
	if err != nil {
		return err
	}
	list, err := listOf(tree)
	if err != nil {
		return unreadable("ir.actions.server", "read", nil, err)
	}
	for _, item := range list {
		raw, _ := item.(map[string]any)
		id, err := wholeNumber(raw["id"])
		if err != nil {
			return unreadable("ir.actions.server", "read", nil, err)
		}
		if i := slices.Index(ids, id); i >= 0 && raw["state"] == "webhook" {
			rules[i].url, _ = raw["webhook_url"].(string)
		}
	}
	return nil
}

func (c *Connection) removeRules(ctx context.Context, rules []pushRule) error {
	for _, step := range []struct {
		model string
		id    func(pushRule) int64
	}{
		{"base.automation", func(r pushRule) int64 { return r.id }},
		{"ir.actions.server", func(r pushRule) int64 { return r.action }},
	} {
		var ids []int64
		for _, r := range rules {
			ids = append(ids, step.id(r))
		}
		// An action may go with its rule.
		ids, err := c.existing(ctx, step.model, ids)
		if err != nil {
			return err
		}
		if len(ids) == 0 {
			continue
		}
		if _, err := c.change(ctx, invocation{model: step.model, method: "unlink", ids: ids, write: true}); err != nil {
			return err
		}
	}
	return nil
}

func (c *Connection) unregisterPush(ctx context.Context, p params) (any, error) {
	address, err := p.required("url")
	if err != nil {
		return nil, err
	}
	model, err := p.text("model")
	if err != nil {
		return nil, err
	}
	rules, err := c.pushRules(ctx, withoutLogin(address), model)
	if err != nil {
		return nil, err
	}
	if err := c.removeRules(ctx, rules); err != nil {
		return nil, err
	}
	return map[string]any{"removed": int64(len(rules))}, nil
}

func (c *Connection) listPushes(ctx context.Context, p params) (any, error) {
	address, err := p.text("url")
	if err != nil {
		return nil, err
	}
	rules, err := c.pushRules(ctx, withoutLogin(address), "")
	if err != nil {
		return nil, err
	}
	out := []any{}
	for _, r := range rules {
		names, err := c.fieldNames(ctx, r)
		if err != nil {
			return nil, err
		}
		out = append(out, map[string]any{"id": r.id, "model": r.model, "url": r.address(), "active": r.active, "fields": names})
	}
	return map[string]any{"rules": out}, nil
}

// fieldNames are the names of a rule's fields, as flows know them.
func (c *Connection) fieldNames(ctx context.Context, r pushRule) ([]any, error) {
	names := []any{}
	if len(r.fieldIDs) == 0 {
		return names, nil
	}
	tree, err := c.answer(ctx, invocation{model: "ir.model.fields", method: "read", ids: r.fieldIDs, kwargs: map[string]any{"fields": []string{"name"}}})
	if err != nil {
		return nil, err
	}
	fields, err := c.fields.of(ctx, r.model)
	if err != nil {
		return nil, err
	}
	list, err := listOf(tree)
	if err != nil {
		return nil, unreadable("ir.model.fields", "read", nil, err)
	}
	for _, item := range list {
		raw, _ := item.(map[string]any)
		name, _ := raw["name"].(string)
		names = append(names, fields.flowName(strings.TrimSpace(name)))
	}
	return names, nil
}
