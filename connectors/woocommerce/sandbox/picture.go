package sandbox

import (
	"errors"
	"fmt"
	"io"
	"net/http"
	"net/url"
	"path"
	"slices"
	"strconv"
	"strings"
	"syscall"
	"time"
)

// maxPicture bounds a picture that is downloaded, in bytes.
const maxPicture = 8 << 20

// pictureKinds are the pictures that the shop takes, by what their bytes are,
// with the extension they are kept under.
var pictureKinds = map[string]string{"image/png": ".png", "image/jpeg": ".jpg", "image/gif": ".gif", "image/webp": ".webp"}

// pictureExtensions are those that an address may end with (woo/137, 138).
var pictureExtensions = []string{".png", ".jpg", ".jpeg", ".gif", ".webp"}

// fetchPicture downloads a picture as the shop does: anew each time (woo/133),
// and kept under the extension of what it is (woo/139). Without Options.Pictures
// nothing is downloaded and any address is good.
func (s *Shop) fetchPicture(src string) (name string, refused *apiError) {
	name = path.Base(strings.SplitN(src, "?", 2)[0])
	if s.pictures == nil {
		return name, nil
	}
	address, err := url.Parse(src)
	if err != nil || address.Host == "" || address.Scheme != "http" && address.Scheme != "https" { // woo/143
		return "", badPicture("Error getting remote image http://%s. Error: A valid URL was not provided.", strings.ReplaceAll(src, " ", "%20"))
	}
	response, err := s.pictures.Get(src)
	if err != nil {
		says := err.Error()
		if errors.Is(err, syscall.ECONNREFUSED) { // woo/142
			says = fmt.Sprintf("cURL error 7: Failed to connect to %s port %s after 0 ms: Couldn't connect to server", address.Hostname(), address.Port())
		}
		return "", badPicture("Error getting remote image %s. Error: %s", src, says)
	}
	defer response.Body.Close()
	data, err := io.ReadAll(io.LimitReader(response.Body, maxPicture))
	switch {
	case err != nil:
		return "", badPicture("Error getting remote image %s. Error: %v", src, err)
	case response.StatusCode != http.StatusOK: // woo/135
		return "", badPicture("Error getting remote image %s. Error: %s", src, http.StatusText(response.StatusCode))
	case len(data) == 0: // woo/140
		return "", badPicture("Invalid image: File is empty. Please upload something more substantial. This error could also be caused by uploads being disabled in your php.ini file or by post_max_size being defined as smaller than upload_max_filesize in php.ini.")
	}
	kind, known := pictureKinds[http.DetectContentType(data)]
	extension := strings.ToLower(path.Ext(name))
	if !known || !slices.Contains(pictureExtensions, extension) { // woo/136 to 138
		return "", badPicture("Invalid image: Sorry, you are not allowed to upload this file type.")
	}
	if extension == ".jpeg" {
		extension = ".jpg"
	}
	if kind != extension {
		name = strings.TrimSuffix(name, path.Ext(name)) + kind
	}
	return name, nil
}

func badPicture(format string, args ...any) *apiError {
	return refuse(http.StatusBadRequest, "woocommerce_product_image_upload_error", format, args...)
}

// writeImages keeps pictures named by id and takes over those named by src,
// which get a new id each time (woo/133). One that fails refuses the whole
// request (woo/145).
func (c *call) writeImages(p *product) *apiError {
	raw, given := c.body["images"]
	if !given {
		return nil
	}
	var images []Image
	for _, entry := range asArray(raw) {
		r := asRecord(entry)
		image, refused := c.picture(r)
		if refused != nil {
			return refused
		}
		if name, given := r["name"]; given {
			image.Name = asText(name)
		}
		if alt, given := r["alt"]; given {
			image.Alt = asText(alt)
		}
		c.shop.gallery[image.ID] = image
		images = append(images, image)
	}
	p.images = images
	return nil
}

// picture finds or downloads one picture.
func (c *call) picture(r map[string]any) (Image, *apiError) {
	s := c.shop
	if id := asInt(r["id"]); id != 0 {
		image, known := s.gallery[id]
		if !known { // woo/144
			return Image{}, refuse(http.StatusBadRequest, "woocommerce_product_invalid_image_id", "#%d is an invalid image ID.", id)
		}
		return image, nil
	}
	src := asText(r["src"])
	name, refused := s.fetchPicture(src)
	if refused != nil {
		return Image{}, refused
	}
	s.ids.post++
	image := Image{ID: s.ids.post, Src: src, Name: name, at: s.clock()}
	if s.pictures != nil {
		folder := "/wp-content/uploads/" + image.at.In(s.zone).Format("2006/01/")
		image.Name = s.freeFile(folder, name)
		image.Src = folder + image.Name
	}
	return image, nil
}

// freeFile adds a number to a file's name that is taken (woo/133).
func (s *Shop) freeFile(folder, name string) string {
	taken := func(name string) bool {
		for _, image := range s.gallery {
			if image.Src == folder+name {
				return true
			}
		}
		return false
	}
	free := name
	for n := 1; taken(free); n++ {
		free = strings.TrimSuffix(name, path.Ext(name)) + "-" + strconv.Itoa(n) + path.Ext(name)
	}
	return free
}

// pictureTimes are the stamps of a picture: those named GMT are, the others are
// the shop's time twice over, as WooCommerce writes them (woo/132).
func (c *call) pictureTimes(at time.Time) object {
	twice := at
	_, offset := at.In(c.shop.zone).Zone()
	twice = twice.Add(time.Duration(offset) * time.Second)
	return object{{"date_created", c.shop.local(twice)}, {"date_created_gmt", gmt(at)}, {"date_modified", c.shop.local(twice)}, {"date_modified_gmt", gmt(at)}}
}
