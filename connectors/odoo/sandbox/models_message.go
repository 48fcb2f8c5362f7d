package sandbox

import (
	"slices"
	"strings"
)

// threaded are the models whose records have messages.
var threaded = []string{
	"sale.order", "res.partner", "account.move", "stock.picking", "product.template", "product.product", "account.payment",
}

// Kinds of messages, in the order of their ids: what followers are told of, and
// what stays inside.
const (
	discussion int64 = iota + 1
	note
)

// messageModels are the messages on records.
func (e *ERP) messageModels() []*model {
	return []*model{
		{
			name: "mail.message.subtype", label: "Message subtypes", order: "id",
			list: []*field{
				declare("name", char, "Message Type", required),
				declare("internal", boolean, "Internal Only"),
			},
		},
		{
			name: "mail.message", label: "Message", order: "id desc",
			list: []*field{
				declare("model", char, "Related Document Model"),
				declare("res_id", integer, "Related Document ID"),
				declare("body", html, "Contents"),
				declare("subject", char, "Subject"),
				declare("date", datetime, "Date", initially(func(tx *transaction) any { return tx.now })),
				declare("message_type", selection, "Type", required, initial("comment"), choices("email", "Incoming Email", "comment", "Comment",
					"email_outgoing", "Outgoing Email", "notification", "System notification", "auto_comment", "Automated Targeted Notification",
					"user_notification", "User Specific Notification")),
				declare("subtype_id", many2one, "Subtype", to("mail.message.subtype")),
				declare("is_internal", boolean, "Employee Only"),
				declare("author_id", many2one, "Author", to("res.partner"), initially(func(tx *transaction) any {
					return tx.record("res.users", tx.uid).ref("partner_id")
				})),
				declare("email_from", char, "From"),
				declare("record_name", char, "Message Record Name", computed(func(tx *transaction, r *row) any {
					m, known := tx.erp.models[r.text("model")]
					if !known {
						return nil
					}
					if about := tx.row(m, number64(r.get("res_id"))); about != nil {
						return tx.displayName(m, about)
					}
					return nil
				})),
			},
			display: func(*transaction, *row) string { return "" },
		},
	}
}

// withMessages gives the models that have messages their field and method.
func withMessages(models []*model) []*model {
	for _, m := range models {
		if !slices.Contains(threaded, m.name) {
			continue
		}
		name := m.name
		m.list = append(m.list, declare("message_ids", one2many, "Messages", to("mail.message"), computed(func(tx *transaction, r *row) any {
			rows := tx.where(tx.must("mail.message"), func(message *row) bool {
				return message.text("model") == name && number64(message.get("res_id")) == r.id
			})
			slices.Reverse(rows)
			return idsOf(rows)
		})))
		m.methods = overlay(map[string]method{"message_post": postMessage(name)}, m.methods)
	}
	return models
}

// messageArguments are those of message_post that matter here.
var messageArguments = []string{"body", "subject", "message_type", "subtype_xmlid", "subtype_id", "body_is_html", "author_id", "email_from", "partner_ids", "attachment_ids", "context"}

// postMessage writes a message on a record. A body is text, unless it is said to
// be HTML; without a kind it is a note. 18 answers an id, 19 a list (asked of a
// running 19).
func postMessage(model string) method {
	return func(tx *transaction, ids []int64, a arguments) (any, error) {
		if len(ids) != 1 {
			return nil, valueError("Expected singleton: %s(%s)", model, python(toAny(ids)))
		}
		if _, err := tx.existing(tx.must(model), ids); err != nil {
			return nil, err
		}
		for name := range a.named {
			if !slices.Contains(messageArguments, name) {
				return nil, valueError("Those values are not supported when posting or notifying: %s", name)
			}
		}
		body := a.text(-1, "body")
		if body != "" && a.named["body_is_html"] != true {
			body = "<p>" + escapeText(body) + "</p>"
		}
		values := Values{
			"model": model, "res_id": ids[0], "body": body, "message_type": "notification", "subtype_id": note, "subject": a.named["subject"],
		}
		if kind := a.text(-1, "message_type"); kind != "" {
			values["message_type"] = kind
		}
		if strings.HasSuffix(a.text(-1, "subtype_xmlid"), "mt_comment") {
			values["subtype_id"] = discussion
		}
		if given, ok := asID(a.named["subtype_id"]); ok && given != 0 {
			values["subtype_id"] = given
		}
		id, err := tx.create(tx.must("mail.message"), values)
		if err != nil || !tx.erp.latest() {
			return id, err
		}
		return []int64{id}, nil
	}
}
