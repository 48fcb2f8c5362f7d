package builtin

import (
	"context"

	"github.com/flowctl/flowctl/engine/files"
)

// file makes an address at which a picture can be fetched for a while.
func (c *connection) file(ctx context.Context, p params) (any, error) {
	values, err := c.Settings.Values(ctx, c.instance)
	if err != nil {
		return nil, err
	}
	extension := files.Extension(p.text("sample"))
	if extension == "" {
		extension = "jpg"
	}
	with, _ := p["with"].(map[string]any)
	path, err := c.Files.Path(c.instance, files.Request{
		Connection: p.text("connection"), Operation: p.text("operation"), With: with, Field: p.text("field"),
	}, files.Named(p.text("name"), extension))
	if err != nil {
		return nil, err
	}
	var address any
	if base := c.publicURL(values); base != "" {
		address = base + path
	}
	return map[string]any{"url": address}, nil
}
