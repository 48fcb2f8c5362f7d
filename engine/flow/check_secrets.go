package flow

import (
	"regexp"
	"strings"

	"gopkg.in/yaml.v3"

	"github.com/flowctl/flowctl/engine/expression"
)

// warnOfExposed warns of secrets that become part of what is kept and shown:
// values of steps, keys, links, results and reasons.
func (c *checker) warnOfExposed(doc *document, f *Flow) {
	c.warnOfSecrets(doc, f.Trigger.Key, "the run's key")
	c.warnOfSecrets(doc, f.Result, "the flow's result")
	for _, s := range f.Steps {
		c.warnOfSecrets(doc, s.Map, "what the step makes")
		for _, call := range s.calls() {
			switch {
			case call.Flow != nil:
				c.warnOfSecrets(doc, call.With, "what another flow is given, which can read the setting itself")
			case call.Connection == "run":
				c.warnOfSecrets(doc, call.With, "why the run ended")
			case call.Connection == AppName:
				c.warnOfSecrets(doc, call.With, "what flowctl keeps")
			}
		}
		if l := s.Link; l != nil {
			for _, v := range []*Value{l.Remote, l.Local, l.Values} {
				c.warnOfSecrets(doc, v, "a link")
			}
			for _, also := range l.Also {
				c.warnOfSecrets(doc, also.Value, "a link")
			}
		}
	}
}

func (c *checker) warnOfSecrets(doc *document, v *Value, what string) {
	v.eachValue(func(v *Value) {
		if v.template == nil {
			return
		}
		for _, name := range v.template.Secrets() {
			doc.warn(v.At, nodeLength(v.node), "secret-exposed", "give it to the call that needs it, as ${settings."+name+"}",
				"the secret %s becomes part of %s", name, what)
		}
	})
}

// eachValue visits a value's scalars.
func (v *Value) eachValue(visit func(*Value)) {
	if v == nil {
		return
	}
	if v.kind == yaml.ScalarNode {
		visit(v)
	}
	for _, item := range v.items {
		item.eachValue(visit)
	}
	for _, field := range v.fields {
		field.Value.eachValue(visit)
	}
}

var (
	// secretName are names of fields that hold secrets.
	secretName = regexp.MustCompile(`(?i)(^|[_-])(password|passwd|passphrase|secret|token|api_?key|private_?key|authorization|credentials?)$`)
	// secretText is how keys and tokens look that services hand out.
	secretText = regexp.MustCompile(`^(c[ks]_[0-9a-f]{40}|[srp]k_(live|test)_\w{16,}|gh[pousr]_\w{30,}|xox[abprs]-[\w-]{10,}|AKIA[0-9A-Z]{16}|(?i:bearer|basic) [\w+/=.~-]{12,}|-----BEGIN [A-Z ]*PRIVATE KEY-----[\s\S]*)$`)
)

// minPlainSecret is the shortest text that is taken for a secret by its name.
const minPlainSecret = 6

// warnOfPlain warns of secrets that are written out in a file.
func (c *checker) warnOfPlain(doc *document, name string, v *Value, declared bool) {
	if v == nil {
		return
	}
	for _, field := range v.fields {
		c.warnOfPlain(doc, field.Name, field.Value, false)
	}
	for _, item := range v.items {
		c.warnOfPlain(doc, name, item, declared)
	}
	text, isText := v.constant.(string)
	if v.kind != yaml.ScalarNode || !isText || text == "" || v.computed() || strings.Contains(text, "${") {
		return
	}
	named := secretName.MatchString(name) && len(text) >= minPlainSecret && !strings.ContainsAny(text, " \t\n")
	if declared || named || secretText.MatchString(text) {
		doc.warn(v.At, nodeLength(v.node), "plain-secret", "declare a setting of type secret and write ${settings.…}",
			"this looks like a secret, and everybody who reads the file reads it")
	}
}

// warnOfPlainSettings looks at the settings of a connection: those that its
// connector declares secret must not be written out, however short.
func (c *checker) warnOfPlainSettings(doc *document, connection *Connection) {
	for _, field := range connection.Settings.Fields() {
		property, _ := connection.Spec.Settings.Property(field.Name)
		c.warnOfPlain(doc, field.Name, field.Value, property != nil && property.Secret)
	}
}

// warnOfPlainFlow looks at all values of a flow.
func (c *checker) warnOfPlainFlow(doc *document, f *Flow) {
	for _, s := range f.Steps {
		for _, v := range s.values() {
			c.warnOfPlain(doc, "", v, false)
		}
	}
	c.warnOfPlain(doc, "", f.Result, false)
}

// hintAtEnvironment says where the environment can be read.
func hintAtEnvironment(problems []expression.Problem) {
	for i := range problems {
		if problems[i].Code == expression.CodeUnknownName && strings.Contains(problems[i].Message, `"env"`) {
			problems[i].Hint = "only the connections of " + AppFile + " read the environment; a flow reads settings"
		}
	}
}
