package panel

import "html/template"

// icons are drawn on a grid of 20 by 20, in lines.
var icons = map[string]string{
	"overview": `<path d="M3 10.5 10 4l7 6.5V17h-5v-4H8v4H3z"/>`,
	"needs":    `<path d="M4 15V9a6 6 0 0 1 12 0v6M2.5 15h15M8.5 17.5h3"/>`,
	"activity": `<path d="M2.5 10.5h3.5l2.5-6 3.5 11 2.5-5h3"/>`,
	"flows":    `<circle cx="5" cy="5" r="2"/><circle cx="15" cy="10" r="2"/><circle cx="5" cy="15" r="2"/><path d="M7 5.6 13 9.2M7 14.4l6-3.6"/>`,
	"links":    `<path d="M8.5 11.5a3 3 0 0 0 4.2 0l3-3a3 3 0 0 0-4.2-4.2l-1 1M11.500 8.500a3 3 0 0 0-4.200 0l-3 3a3 3 0 0 0 4.200 4.200l1-1"/>`,
	"settings": `<path d="M3 6h8m4 0h2M3 14h2m4 0h8"/><circle cx="13" cy="6" r="2"/><circle cx="7" cy="14" r="2"/>`,
	"queues":   `<path d="M3 5h14M3 10h14M3 15h9"/>`,
	"check":    `<path d="m4 10.500 4 4 8-9"/>`,
	"wait":     `<circle cx="10" cy="10" r="7"/><path d="M10 6v4.500l3 1.500"/>`,
	"alert":    `<path d="M10 3 18 17H2zM10 8v4M10 14.200v.3"/>`,
	"open":     `<path d="M8 4H4v12h12v-4M11 4h5v5M16 4l-7 7"/>`,
	"user":     `<circle cx="10" cy="7" r="3"/><path d="M4 17c0-3.500 3-5 6-5s6 1.500 6 5"/>`,
	"down":     `<path d="m6 8 4 4 4-4"/>`,
	"shop":     `<path d="M3.500 8v8.500h13V8M2.500 8l1.500-4.500h12L17.500 8a2.500 2.500 0 0 1-5 0 2.500 2.500 0 0 1-5 0 2.500 2.500 0 0 1-5 0z"/>`,
}

// icon is a picture that says nothing to a screen reader: the words beside it do.
func icon(name string) template.HTML {
	return template.HTML(`<svg class="icon" viewBox="0 0 20 20" aria-hidden="true" focusable="false">` + icons[name] + `</svg>`)
}
