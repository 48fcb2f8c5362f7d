package sandbox

import (
	"bytes"
	"encoding/json"
	"fmt"
	"net/http"
	"slices"
	"time"
)

// automationModels are the rules by which Odoo announces changes, and the models
// and fields that they name.
func (e *ERP) automationModels() []*model {
	modelName := computed(func(tx *transaction, r *row) any {
		if m := tx.record("ir.model", r.ref("model_id")); m != nil {
			return m.text("model")
		}
		return nil
	})
	return []*model{
		{
			name: "ir.model", label: "Models", order: "model",
			list: []*field{declare("name", char, "Model Description", required), declare("model", char, "Model", required)},
		},
		{
			name: "ir.model.fields", label: "Fields", order: "name, id",
			list: []*field{
				declare("name", char, "Field Name", required),
				declare("model", char, "Model Name", required),
				declare("model_id", many2one, "Model", to("ir.model"), required, cascade),
				declare("field_description", char, "Field Label", required, initial("")),
				declare("ttype", selection, "Field Type", required, choices(fieldKinds()...)),
				declare("relation", char, "Related Model"),
			},
		},
		{
			name: "base.automation", label: "Automation Rule",
			list: []*field{
				declare("name", char, "Automation Rule Name", required),
				declare("active", boolean, "Active", initial(true)),
				declare("model_id", many2one, "Model", to("ir.model"), required, cascade),
				declare("model_name", char, "Model Name", modelName),
				declare("trigger", selection, "Trigger", required, choices("on_create_or_write", "On create and edit", "on_create", "On create",
					"on_write", "On update", "on_unlink", "On deletion", "on_webhook", "On webhook")),
				declare("trigger_field_ids", many2many, "Trigger Fields", to("ir.model.fields")),
				declare("filter_domain", char, "Apply on"),
				declare("action_server_ids", one2many, "Actions", to("ir.actions.server"), by("base_automation_id")),
				declare("url", char, "Url", computed(func(*transaction, *row) any { return "" })),
				declare("webhook_uuid", char, "Webhook UUID", initially(func(tx *transaction) any {
					return fmt.Sprintf("00000000-0000-4000-8000-%012d", tx.number("webhook_uuid"))
				})),
				declare("log_webhook_calls", boolean, "Log Calls"),
			},
		},
		{
			name: "ir.actions.server", label: "Server Action",
			list: []*field{
				declare("name", char, "Action Name", required),
				declare("type", char, "Action Type", required, initial("ir.actions.server")),
				declare("model_id", many2one, "Model", to("ir.model"), required, cascade),
				declare("model_name", char, "Model Name", modelName),
				declare("usage", selection, "Usage", required, initial("ir_actions_server"),
					choices("ir_actions_server", "Server Action", "ir_cron", "Scheduled Action", "base_automation", "Automation Rule")),
				declare("state", selection, "Type", required, initial("object_write"), choices("object_write", "Update Record",
					"code", "Execute Code", "webhook", "Send Webhook Notification", "multi", "Multi Actions")),
				declare("webhook_url", char, "Webhook URL"),
				declare("webhook_field_ids", many2many, "Webhook Fields", to("ir.model.fields")),
				declare("base_automation_id", many2one, "Automation Rule", to("base.automation"), cascade),
			},
			check: noRestrictedFields,
		},
	}
}

func fieldKinds() []string {
	var pairs []string
	for _, k := range []kind{binary, boolean, char, date, datetime, float, html, integer, jsonField, many2many, many2one, monetary, one2many, selection, text} {
		pairs = append(pairs, string(k), string(k))
	}
	return append(pairs, "many2one_reference", "many2one_reference")
}

// restricted are fields of partners that only some users may see.
var restricted = []string{"credit_limit", "signup_type"}

// noRestrictedFields: a webhook must not tell what not everybody may see
// (odoo18/677).
func noRestrictedFields(tx *transaction, rows []*row) error {
	for _, r := range rows {
		labels := ""
		for _, id := range r.refs("webhook_field_ids") {
			if f := tx.record("ir.model.fields", id); slices.Contains(restricted, f.text("name")) {
				labels += ", " + f.text("field_description")
			}
		}
		if labels != "" {
			return fault("odoo.exceptions.ValidationError", "Group-restricted fields cannot be included in webhook payloads, as it could allow any user "+
				"to accidentally leak sensitive information. You will have to remove the following fields from the webhook payload in the following actions:\n %s: %s",
				r.text("name"), labels[2:])
		}
	}
	return nil
}

// seedModels lists the models and fields of the sandbox itself.
func (e *ERP) seedModels(s *seeder) {
	if s.err != nil {
		return
	}
	models, fields := s.tx.must("ir.model"), s.tx.must("ir.model.fields")
	for _, m := range e.ordered {
		id := s.tx.insert(models, Values{"name": m.label, "model": m.name})
		for _, f := range m.list {
			s.tx.insert(fields, Values{
				"name": f.name, "model": m.name, "model_id": id, "field_description": f.label, "ttype": string(f.kind), "relation": f.relation,
			})
		}
		if m.name == "res.partner" {
			s.tx.insert(fields, Values{"name": "credit_limit", "model": m.name, "model_id": id, "field_description": "Credit Limit", "ttype": "float"})
			s.tx.insert(fields, Values{"name": "signup_type", "model": m.name, "model_id": id, "field_description": "Signup Token Type", "ttype": "char"})
		}
	}
}

// announcement is a post to be sent.
type announcement struct {
	url  string
	body []byte
}

// announce notes the posts that a change calls for. They are sent before the
// change is committed, one for each record (odoo18/662 to 676, odoo19/541 to 553).
func (tx *transaction) announce(m *model, ids []int64, given Values, created bool) {
	for _, rule := range tx.all(tx.must("base.automation")) {
		if !rule.flag("active") || tx.record("ir.model", rule.ref("model_id")).text("model") != m.name {
			continue
		}
		trigger := rule.text("trigger")
		if trigger != "on_create_or_write" && !(created && trigger == "on_create") && !(!created && trigger == "on_write") {
			continue
		}
		if named := rule.refs("trigger_field_ids"); len(named) > 0 && !created && !slices.ContainsFunc(named, func(id int64) bool {
			_, ok := given[tx.record("ir.model.fields", id).text("name")]
			return ok
		}) {
			continue
		}
		for _, action := range tx.holding("ir.actions.server", "base_automation_id", rule.id) {
			if action.text("state") != "webhook" {
				continue
			}
			for _, id := range ids {
				tx.posts = append(tx.posts, tx.webhookPost(m, action, id))
			}
		}
	}
}

func (tx *transaction) webhookPost(m *model, action *row, id int64) announcement {
	payload := map[string]any{
		"_action": fmt.Sprintf("%s(#%d)", action.text("name"), action.id), "_id": id, "_model": m.name,
	}
	r := tx.row(m, id)
	for _, fieldID := range action.refs("webhook_field_ids") {
		name := tx.record("ir.model.fields", fieldID).text("name")
		if f, ok := m.fields[name]; ok && r != nil {
			payload[name] = tx.wire(m, f, r)
			if pair, ok := payload[name].([]any); ok && f.kind == many2one {
				payload[name] = pair[0]
			}
		}
	}
	body, err := json.Marshal(payload)
	if err != nil {
		body = []byte("{}")
	}
	return announcement{url: action.text("webhook_url"), body: body}
}

// webhookTimeout is how long Odoo waits for a receiver, in the user's own call.
const webhookTimeout = time.Second

// send posts announcements. What becomes of them is nobody's concern: Odoo logs
// a failure and goes on (odoo19/547, 553).
func (e *ERP) send(posts []announcement) {
	client := &http.Client{Timeout: webhookTimeout}
	for _, p := range posts {
		answer, err := client.Post(p.url, "application/json", bytes.NewReader(p.body))
		if err == nil {
			_ = answer.Body.Close()
		}
	}
}
