"""Works with an Odoo as a script of the OdooRPC library would.

Called with host, port, database, login and key. Prints one JSON object of what
it saw; any other outcome is a failure.
"""

import json
import sys

import odoorpc

host, port, database, login, key = sys.argv[1:6]
odoo = odoorpc.ODOO(host, port=int(port), timeout=20)
seen = {"version": odoo.version, "databases": odoo.db.list()}

try:
    odoo.login(database, login, "not the key")
    seen["wrong_login"] = "accepted"
except odoorpc.error.RPCError as error:
    seen["wrong_login"] = str(error)

odoo.login(database, login, key)
seen["user"] = odoo.env.user.name

partners = odoo.env["res.partner"]
seen["found"] = len(partners.search([("name", "=", "Administrator")]))

created = partners.create({"name": "Client", "email": "Client@Example.test"})
record = partners.browse(created)
seen["email"] = record.email_normalized
record.name = "Client renamed"
seen["renamed"] = partners.read([created], ["name"])[0]["name"]

order = odoo.env["sale.order"].create({"partner_id": created, "order_line": [(0, 0, {"product_id": 4, "product_uom_qty": 2})]})
odoo.execute("sale.order", "action_confirm", [order])
seen["order"] = odoo.env["sale.order"].browse(order).state
seen["lines"] = len(odoo.env["sale.order"].browse(order).order_line)

try:
    partners.create({"phone": "1"})
    seen["refused"] = "accepted"
except odoorpc.error.RPCError as error:
    seen["refused"] = error.info["data"]["name"]

lonely = partners.create({"name": "Short-lived"})
seen["unlinked"] = partners.unlink([lonely])
seen["logged_out"] = odoo.logout()
print(json.dumps(seen, sort_keys=True))
