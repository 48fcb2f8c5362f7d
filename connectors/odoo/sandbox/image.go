package sandbox

import (
	"bytes"
	"encoding/base64"
	"slices"
)

// imageSizes are the fields that show an image, besides image_1920 itself. The
// sandbox does not scale: each holds the whole image, as Odoo's do for one that
// is small enough (odoo18/468).
var imageSizes = []string{"1024", "512", "256", "128"}

// imageFields are those of a record that has an image.
func imageFields(image func(*transaction, *row) any) []*field {
	var fields []*field
	for _, size := range imageSizes {
		fields = append(fields, declare("image_"+size, binary, "Image "+size, computed(image)))
	}
	return fields
}

// imageHeads are the first bytes of the formats that Odoo takes.
var imageHeads = [][]byte{[]byte("\x89PNG\r\n\x1a\n"), []byte("\xff\xd8\xff"), []byte("GIF8"), []byte("RIFF"), []byte("<svg"), []byte("BM")}

// checkImage refuses what is no image (odoo18/470, 471).
func checkImage(value any) error {
	text, ok := value.(string)
	if !ok || text == "" {
		return nil
	}
	data, err := base64.StdEncoding.DecodeString(text)
	if err != nil {
		return userError("Image is not encoded in base64.")
	}
	if !slices.ContainsFunc(imageHeads, func(head []byte) bool { return bytes.HasPrefix(data, head) }) {
		return userError("This file could not be decoded as an image file.")
	}
	return nil
}

// templateImage and variantImage: a variant without an image of its own shows
// its template's.
func templateImage(_ *transaction, r *row) any { return r.get("image_1920") }

func variantImage(tx *transaction, r *row) any {
	if own := r.get("image_variant_1920"); own != nil {
		return own
	}
	return tx.template(r).get("image_1920")
}
