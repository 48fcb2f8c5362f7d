package expression

import (
	"context"
	"fmt"
	"maps"
	"slices"
	"strings"

	"github.com/flowctl/flowctl/connectors"
)

// Template is a compiled text that may hold ${…}, safe for concurrent use.
type Template struct {
	parts  []templatePart
	single bool // one whole ${…}, which keeps its type
	plain  bool // no ${…}: parts[0] is all there is
	names  []string
	lets   int
	loops  int
}

// templatePart is a literal text or an expression.
type templatePart struct {
	text string
	code code // with eval nil, the part is a text
	at   place
}

// unterminatedHint says what mostly lies behind a ${ without its end.
const unterminatedHint = `YAML cuts a plain value at " #" and breaks it at ": ": ` +
	"put the value in quotes or in a block that begins with |-"

// CompileTemplate compiles a text that may hold ${…}. A text that is one whole
// ${…} keeps its type; otherwise the parts are joined as text: decimals plainly,
// instants as RFC 3339, nil as nothing; lists and records are a problem. $${ is
// a literal ${. Inside ${…}, braces are counted and strings and comments
// skipped, as the expression's own parser reads them.
//
// Either the problems are empty or the template is nil. Problems are in the
// order of the text.
func CompileTemplate(source string, env Env) (*Template, []Problem) {
	if !strings.Contains(source, "${") { // most values hold none
		return literalTemplate(source), nil
	}
	pieces, problem := cutTemplate(source)
	if problem != nil {
		return nil, []Problem{*problem}
	}
	if len(pieces) == 1 && !pieces[0].expression { // only $${
		return literalTemplate(pieces[0].text), nil
	}
	t := &Template{single: len(pieces) == 1 && pieces[0].expression}
	names := make(map[string]bool)
	var problems []Problem
	for _, piece := range pieces {
		if !piece.expression {
			t.parts = append(t.parts, templatePart{text: piece.text})
			continue
		}
		compiled, found := compile(piece.text, piece.at.offset+len("${"), env, names)
		problems = append(problems, found...)
		if len(found) > 0 {
			continue
		}
		if !t.single {
			if p := notText(compiled.typ, piece.at, source); p != nil {
				problems = append(problems, *p)
			}
		}
		t.parts = append(t.parts, templatePart{code: compiled, at: piece.at})
		t.lets, t.loops = max(t.lets, compiled.lets), max(t.loops, compiled.loops)
	}
	if len(problems) > 0 {
		return nil, problems
	}
	t.names = slices.Sorted(maps.Keys(names))
	return t, nil
}

func literalTemplate(text string) *Template {
	return &Template{parts: []templatePart{{text: text}}, plain: true}
}

// notText reports an expression whose value cannot stand in a text.
func notText(typ *connectors.Schema, at place, source string) *Problem {
	k := kindOf(typ)
	if k&(kindList|kindRecord) == 0 {
		return nil
	}
	p := &Problem{
		Offset: at.offset, Length: at.length, Code: CodeType,
		Message: fmt.Sprintf("%s cannot stand in a text", k),
		Hint:    "join(…) makes one text of many, json(…) writes JSON; a value that is one whole ${…} stays what it is",
	}
	if strings.TrimSpace(source) == source[at.offset:at.offset+at.length] {
		p.Hint = "around this ${…} stand spaces or line breaks, so it is part of a text; a block that begins with |- has none at its end"
	}
	return p
}

// Type is the type of the value.
func (t *Template) Type() *connectors.Schema {
	if t.single {
		return t.parts[0].code.typ
	}
	return typeText
}

// Names lists the variables that the template reads, sorted.
func (t *Template) Names() []string { return slices.Clone(t.names) }

// Secrets lists the secret fields whose values may be in the template's: what is
// only compared is not.
func (t *Template) Secrets() []string {
	var secrets []string
	for _, part := range t.parts {
		if kindOf(part.code.typ) != kindBoolean {
			secrets = append(secrets, part.code.secrets...)
		}
	}
	slices.Sort(secrets)
	return slices.Compact(secrets)
}

// Constant returns the text of a template that holds no ${…}; ok tells whether
// it is one.
func (t *Template) Constant() (value any, ok bool) {
	if !t.plain {
		return nil, false
	}
	return t.parts[0].text, true
}

// Eval evaluates the template. The result is canonical (see connectors.Schema);
// it may share lists and records with vars, so neither may be modified after.
// Errors are of type [*Error]. One set of [Limits] covers all of its ${…}.
func (t *Template) Eval(ctx context.Context, vars map[string]any) (any, error) {
	if t.plain {
		return t.parts[0].text, nil
	}
	e := newEvaluation(ctx, vars, t.lets, t.loops)
	if t.single {
		return t.parts[0].code.run(e)
	}
	var out strings.Builder
	for _, part := range t.parts {
		text := part.text
		if part.code.eval != nil {
			var err error
			if text, err = part.evalText(e); err != nil {
				return nil, err
			}
		}
		if out.Len()+len(text) > e.limits.Output {
			return nil, part.at.fail(failf(CodeLimit, "the text is longer than %d bytes", e.limits.Output))
		}
		out.WriteString(text)
	}
	return out.String(), nil
}

func (part templatePart) evalText(e *evaluation) (string, error) {
	v, err := part.code.run(e)
	if err != nil {
		return "", err
	}
	text, ok := textOf(v)
	if !ok {
		return "", part.at.fail(failf(CodeType, "%s cannot stand in a text", describe(v)).
			hinted("join(…) makes one text of many, json(…) writes JSON"))
	}
	return text, nil
}
