package panel

import (
	"errors"
	"fmt"
	"net/http"
	"net/url"
	"strconv"
	"strings"

	"github.com/flowctl/flowctl/engine/store"
)

// linkView is a link as the page shows it.
type linkView struct {
	store.Link
	Title               string
	LocalName, LocalURL string
	RemoteName          string
	RemoteURL           string
}

// tableView is a link table with what is needed to choose it.
type tableView struct{ Name, Title, Words string }

type linksView struct {
	Table, Find string
	Tables      []tableView
	Links       []linkView
	Next, Self  string
	Searched    bool
	Rebuild     bool // the table that is chosen can be found again
}

const linkPage = 50

func (p *Panel) links(v *visit) error {
	view := linksView{Table: v.FormValue("table"), Find: strings.TrimSpace(v.FormValue("find"))}
	app := p.engine.App()
	for _, t := range app.Tables {
		view.Tables = append(view.Tables, tableView{t.Name, t.Title, sideName(t.Local) + " – " + sideName(t.Remote)})
	}
	if view.Table != "" {
		table, ok := app.Table(view.Table)
		if !ok {
			return notFound("There is no such link table.")
		}
		view.Rebuild = p.canRebuild(table)
	}
	if len(view.Find) > store.MaxName {
		return badRequest("What is looked for is too long.")
	}
	var after int64
	if text := v.FormValue("after"); text != "" {
		var err error
		if after, err = strconv.ParseInt(text, 10, 64); err != nil {
			return badRequest("%q is no id of a link.", text)
		}
	}
	found, err := p.findLinks(v, view.Table, view.Find, after)
	if err != nil {
		return err
	}
	query := url.Values{}
	if view.Table != "" {
		query.Set("table", view.Table)
	}
	if view.Find != "" {
		query.Set("find", view.Find)
		view.Searched = true
	}
	view.Self = v.base() + "/links?" + query.Encode()
	if len(found) > linkPage {
		found = found[:linkPage]
		query.Set("after", strconv.FormatInt(found[linkPage-1].ID, 10))
		view.Next = v.base() + "/links?" + query.Encode()
	}
	settings, err := p.engine.Settings().Values(v.Context(), v.instance.Name)
	if err != nil {
		return err
	}
	for _, link := range found {
		view.Links = append(view.Links, p.viewLink(v, link, settings))
	}
	return p.pages.render(v, http.StatusOK, "links", p.layout(v, "links", "Links"), view)
}

// findLinks lists links, or those that have the record on either side.
func (p *Panel) findLinks(v *visit, table, find string, after int64) ([]store.Link, error) {
	filter := store.LinkFilter{Instance: v.instance.Name, Table: table, After: after, Limit: linkPage + 1}
	if find == "" {
		return p.store.Links(v.Context(), filter)
	}
	find = strings.TrimPrefix(find, "#")
	tables := []string{table}
	if table == "" {
		tables = nil
		for _, t := range p.engine.App().Tables {
			tables = append(tables, t.Name)
		}
	}
	var found []store.Link
	for _, name := range tables {
		for _, side := range []store.Side{store.Local, store.Remote} {
			link, err := p.store.FindLink(v.Context(), v.instance.Name, store.LinkKey{Table: name, Side: side, Value: find})
			if err != nil {
				return nil, err
			}
			if link != nil && (len(found) == 0 || found[len(found)-1].ID != link.ID) {
				found = append(found, *link)
			}
		}
	}
	return found, nil
}

func (p *Panel) viewLink(v *visit, link store.Link, settings map[string]any) linkView {
	view := linkView{Link: link, Title: link.Table, LocalName: "local", RemoteName: "remote"}
	if table, ok := p.engine.App().Table(link.Table); ok {
		view.Title = table.Title
		view.LocalName, view.RemoteName = sentence(sideName(table.Local)), sentence(sideName(table.Remote))
		view.LocalURL = table.Local.Address(v.Context(), settings, link.Local)
		view.RemoteURL = table.Remote.Address(v.Context(), settings, link.Remote)
	}
	return view
}

// unlink forgets a link. With again, the run that wrote it last is done again
// from the start: it matches the records anew.
func (p *Panel) unlink(v *visit) error {
	id, err := v.id("id")
	if err != nil {
		return err
	}
	found, err := p.store.Links(v.Context(), store.LinkFilter{Instance: v.instance.Name, After: id - 1, Limit: 1})
	if err != nil {
		return err
	}
	if len(found) == 0 || found[0].ID != id {
		return notFound("This link is gone already.")
	}
	link := found[0]
	if err := p.store.DeleteLink(v.Context(), v.instance.Name, id); errors.Is(err, store.ErrNotFound) {
		return notFound("This link is gone already.")
	} else if err != nil {
		return err
	}
	p.log.Info("a link was removed", "account", v.account.Name, "instance", v.instance.Name, "table", link.Table, "local", link.Local, "remote", link.Remote)
	note := fmt.Sprintf("The link of %s and %s is gone. Both records stay as they are.", link.Local, link.Remote)
	if v.PostFormValue("again") == "true" && link.RunID != 0 {
		again, err := p.engine.Retry(v.Context(), true, link.RunID)
		if err != nil {
			return err
		}
		if len(again) > 0 {
			note += fmt.Sprintf(" Run %d is done again, and matches them anew.", link.RunID)
		} else {
			note += fmt.Sprintf(" Run %d cannot be done again now.", link.RunID)
		}
	}
	p.sessions.note(v.Request, note)
	back := v.PostFormValue("back")
	if back == "" {
		back = v.base() + "/links"
	}
	return v.redirect(back)
}
