package sandbox

// arguments of a method, after the ids.
type arguments struct {
	list  []any
	named map[string]any
}

// get reads an argument by its place or its name; -1 is no place.
func (a arguments) get(place int, name string) (any, bool) {
	if place >= 0 && place < len(a.list) {
		return a.list[place], true
	}
	value, ok := a.named[name]
	return value, ok
}

// notDomain is about a domain that is none (odoo19/036, 066).
func notDomain(value any) error {
	return fault("builtins.TypeError", "Domain() invalid argument type for domain: %s", python(value))
}

func (a arguments) domain(place int) ([]any, error) {
	value, _ := a.get(place, "domain")
	if value == nil || value == false {
		return nil, nil
	}
	domain, ok := value.([]any)
	if !ok {
		return nil, notDomain(value)
	}
	return domain, nil
}

func (a arguments) number(place int, name string) int64 {
	value, _ := a.get(place, name)
	n, _ := asID(value)
	return n
}

func (a arguments) text(place int, name string) string {
	value, _ := a.get(place, name)
	s, _ := value.(string)
	return s
}

func (a arguments) names(place int, name string) []string {
	value, _ := a.get(place, name)
	list, _ := value.([]any)
	var out []string
	for _, item := range list {
		if s, ok := item.(string); ok {
			out = append(out, s)
		}
	}
	return out
}

func (a arguments) values(place int, name string) (Values, error) {
	value, _ := a.get(place, name)
	values, ok := value.(map[string]any)
	if !ok {
		return nil, fault("builtins.TypeError", "missing a required argument: '%s'", name)
	}
	return values, nil
}
