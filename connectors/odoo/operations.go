package odoo

import (
	"slices"

	"github.com/flowctl/flowctl/connectors"
)

// operations lists what a flow can call, in the order it is documented. own are
// the types of records that the database itself told.
func operations(own recordTypes) []connectors.Operation {
	return slices.Concat(basicOperations(own), onceOperations(), methodOperations(),
		[]connectors.Operation{changedOperation(own)}, pushOperations())
}

func basicOperations(own recordTypes) []connectors.Operation {
	object, array := connectors.Object, connectors.Array
	ids := array(connectors.Integer())
	return []connectors.Operation{
		{
			Name: "version", Title: "Version of the server", Effect: connectors.Read,
			Summary: "Tells the version of Odoo, without a login.",
			Params:  object(nil),
			Result: object(map[string]*connectors.Schema{
				"major": connectors.Integer().Described("18"), "version": connectors.String().Described("18.0"),
			}, "major", "version"),
		},
		{
			Name: "fields", Title: "Fields of a model", Effect: connectors.Read,
			Summary: "Lists the fields that a model has in this database, by the names of Odoo 19.",
			Params:  object(map[string]*connectors.Schema{"model": modelParam()}, "model"),
			Result: object(map[string]*connectors.Schema{
				"names":  array(connectors.String()),
				"fields": openObject("By name: type, label, relation, required, readonly, stored, selection"),
			}, "names", "fields"),
		},
		{
			Name: "search", Title: "Search ids", Effect: connectors.Read,
			Summary: "Finds the ids of the records that match a domain; with count, also how many match regardless of the limit.",
			Params: object(with(queryParams(), "count", connectors.Boolean().Described("Also count all matches")),
				"model"),
			Result: object(map[string]*connectors.Schema{
				"ids": ids, "count": connectors.Integer().OrNull(),
			}, "ids"),
		},
		{
			Name: "search_read", Title: "Search and read records", Effect: connectors.Read,
			Summary:   "Reads the records that match a domain. Name the fields: without them every field is read, which is slow.",
			Params:    object(with(queryParams(), "fields", fieldsParam()), "model"),
			Result:    recordsOf(openRecord()),
			ResultFor: own.recordsFor,
		},
		{
			Name: "read", Title: "Read records by id", Effect: connectors.Read,
			Summary:   "Reads records by their ids. An id that does not exist is left out.",
			Params:    object(with(contextParams(), "ids", ids, "fields", fieldsParam()), "model", "ids"),
			Result:    recordsOf(openRecord()),
			ResultFor: own.recordsFor,
		},
		{
			Name: "get", Title: "Read one record", Effect: connectors.Read,
			Summary:   "Reads one record; an id that does not exist is the error not_found.",
			Params:    object(with(contextParams(), "id", connectors.Integer(), "fields", fieldsParam()), "model", "id"),
			Result:    openRecord(),
			ResultFor: own.recordFor,
		},
		{
			Name: "count", Title: "Count records", Effect: connectors.Read,
			Summary: "Counts the records that match a domain.",
			Params:  object(with(contextParams(), "domain", domainParam()), "model"),
			Result:  object(map[string]*connectors.Schema{"count": connectors.Integer()}, "count"),
		},
		{
			Name: "create", Title: "Create records", Effect: connectors.Create, Repeat: connectors.NaturalKey,
			Summary: "Creates one record (values) or several at once (values_list, all or none, ids in the same order).",
			Params: object(with(contextParams(),
				"values", openObject("Values of one record by field"),
				"values_list", array(openObject("Values by field")),
			), "model"),
			Result: object(map[string]*connectors.Schema{
				"id": connectors.Integer().Described("The first one's"), "ids": ids,
			}, "id", "ids"),
		},
		{
			Name: "write", Title: "Write records", Effect: connectors.Update, Repeat: connectors.Idempotent,
			Summary: "Writes the same values to one record (id) or several (ids). It only sets values: to add lines, create them on their own model.",
			Params: object(with(contextParams(),
				"id", connectors.Integer(), "ids", ids, "values", openObject("Values by field"),
			), "model", "values"),
			Result: object(map[string]*connectors.Schema{
				"written": connectors.Integer().Described("How many records"),
			}, "written"),
			Present: presentOfWrite,
		},
		{
			Name: "unlink", Title: "Delete records", Effect: connectors.Delete, Repeat: connectors.Idempotent,
			Summary: "Deletes records for good; those already gone are passed over. Archive (write active: false) what may be needed again.",
			Params:  object(with(contextParams(), "id", connectors.Integer(), "ids", ids), "model"),
			Result: object(map[string]*connectors.Schema{
				"deleted": connectors.Integer().Described("How many records"),
			}, "deleted"),
		},
	}
}

func openObject(description string) *connectors.Schema {
	return &connectors.Schema{Type: "object", Open: true, Description: description}
}

func modelParam() *connectors.Schema {
	return connectors.String().Described("Technical name of the model, such as sale.order")
}

func domainParam() *connectors.Schema {
	return connectors.Array(connectors.Any()).Described("Conditions [field, operator, value], all of which must hold; {or: [...]}, {and: [...]} and {not: [...]} group them, and Odoo's own & | ! work too")
}

func fieldsParam() *connectors.Schema {
	return connectors.Array(connectors.String()).Described("Names of the fields to read, by their names in Odoo 19; none for all but computed images")
}

func contextParams() map[string]*connectors.Schema {
	return map[string]*connectors.Schema{
		"model":   modelParam(),
		"context": openObject("Odoo's context for this call, such as active_test or warehouse_id"),
	}
}

func queryParams() map[string]*connectors.Schema {
	return with(contextParams(),
		"domain", domainParam(),
		"limit", connectors.Integer().Described("At most so many records; 0 or none for all"),
		"offset", connectors.Integer(),
		"order", connectors.String().Described("Fields with asc or desc, such as write_date, id"),
	)
}

// with adds properties given as name, schema pairs.
func with(properties map[string]*connectors.Schema, pairs ...any) map[string]*connectors.Schema {
	for i := 0; i+1 < len(pairs); i += 2 {
		properties[pairs[i].(string)] = pairs[i+1].(*connectors.Schema)
	}
	return properties
}
