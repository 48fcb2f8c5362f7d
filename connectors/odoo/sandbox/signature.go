package sandbox

import (
	"net/http"
	"slices"
)

// signature says which arguments a method takes by name, besides the context.
type signature struct {
	required []string
	optional []string
	// open: others are passed on to a function that refuses them itself.
	open string
}

// signatures are those of the methods that every model has. The sandbox's own
// methods of single models are not checked.
var signatures = map[string]signature{
	"search":       {required: []string{"domain"}, optional: []string{"offset", "limit", "order"}},
	"search_count": {required: []string{"domain"}, optional: []string{"limit"}},
	"search_read":  {optional: []string{"domain", "fields", "offset", "limit", "order"}, open: "BaseModel._read_format()"},
	"read":         {optional: []string{"fields", "load"}},
	"create":       {required: []string{"vals_list"}},
	"write":        {required: []string{"vals"}},
	"unlink":       {},
	"fields_get":   {optional: []string{"allfields", "attributes"}},
	"name_search":  {optional: []string{"name", "domain", "operator", "limit"}},
	"has_access":   {required: []string{"operation"}},
	"default_get":  {required: []string{"fields"}},
	"load":         {required: []string{"fields", "data"}},
}

// checkSignature is about arguments that are missing or too many (odoo19/052 to
// 056).
func checkSignature(method string, named map[string]any) error {
	s, known := signatures[method]
	if !known {
		return nil
	}
	for _, name := range s.required {
		if _, ok := named[name]; !ok {
			return werkzeug(http.StatusUnprocessableEntity, "missing a required argument: '"+name+"'")
		}
	}
	for name := range named {
		switch {
		case name == "context" || slices.Contains(s.required, name) || slices.Contains(s.optional, name):
		case s.open != "":
			return fault("builtins.TypeError", "%s got an unexpected keyword argument '%s'", s.open, name)
		default:
			return werkzeug(http.StatusUnprocessableEntity, "got an unexpected keyword argument '"+name+"'")
		}
	}
	return nil
}

func isModelMethod(name string) bool { return slices.Contains(modelMethods, name) }
