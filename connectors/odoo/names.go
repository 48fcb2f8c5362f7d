package odoo

// renamed holds, by model, the fields that older versions call otherwise: the
// name of Odoo 19 and the older one. Only fields of the same meaning and kind
// are here; one that became something else (stock.picking group_id, one record,
// became reference_ids, several) must be asked for by its own name.
//
// Which of the two a server has is found out by fields_get, not by its version.
// Source: fields_get of 18 and 19 (recordings odoo18/100 to 144, odoo19/200 to
// 231); account.payment changed between 17 and 18.
var renamed = map[string]map[string]string{
	"sale.order.line":   {"tax_ids": "tax_id", "product_uom_id": "product_uom"},
	"account.payment":   {"memo": "ref"},
	"res.users":         {"group_ids": "groups_id"},
	"ir.actions.server": {"group_ids": "groups_id"},
	"res.company":       {"restrictive_audit_trail": "check_account_audit_trail"},
}

func olderName(model, newer string) (string, bool) {
	older, ok := renamed[model][newer]
	return older, ok
}

func newerName(model, older string) (string, bool) {
	for newer, name := range renamed[model] {
		if name == older {
			return newer, true
		}
	}
	return "", false
}
