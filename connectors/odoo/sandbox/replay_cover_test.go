package sandbox

import (
	"path/filepath"
	"strings"
	"testing"
)

// shownBy are the recordings that other tests show, by the names of these.
var shownBy = map[string]map[string]string{
	"odoo18": {
		"056":     "TestEnvelope",
		"100-144": "TestFieldsAreOdoos",
		"039-040": "TestRights",
		"660-661": "TestWebhooksAreSent",
		"662-677": "TestWebhooksAreSent",
	},
	"odoo19": {
		"108-109": "TestRights", "176": "TestRights",
		"092-093": "TestReplay: sections with orders say the same over JSON-RPC", "178": "TestReplay: as 322 of the same server",
		"179":     "TestReplay: as 033 of the same server",
		"200-231": "TestFieldsAreOdoos",
		"460-464": "TestWorkedOneAfterTheOther",
		"540-553": "TestWebhooksAreSent",
	},
}

// waivers are the recordings that nothing here shows, and why.
var waivers = map[string]map[string]string{
	"odoo18": {
		"008":         "lists the databases of that server",
		"038 041-042": "record rules: here a user may read a model or not",
		"080-090":     "XML-RPC, which flowctl does not speak",
		"183":         "the modules of that server",
		"532":         "the texts of counted moves",
		"678":         "the rights of an administrator's models",
	},
	"odoo19": {
		"031 039":     "lists of that database: all units, taxes inside of products",
		"065":         "a button of the web client",
		"107 110-112": "record rules and groups of fields: here a user may read a model or not",
		"151-155":     "pages about the server that flowctl does not read",
		"181-186":     "XML-RPC, which flowctl does not speak",
		"465-466":     "locks of PostgreSQL held by another session",
		"513":         "the order in which lines that nobody wrote are kept",
		"528":         "follows a write that was not recorded",
		"565":         "a page about the server that flowctl does not read",
		"595":         "an invoice that was not recorded",
	},
}

// maxWaived is the share of the recordings that may be waived, in percent.
const maxWaived = 5

func listed(lists map[string]string, number string) bool {
	for ranges := range lists {
		if contains(ranges, number) {
			return true
		}
	}
	return false
}

// Every recording is replayed, shown by another test, or waived with a reason,
// and only one of these.
func TestEveryRecordingCounts(t *testing.T) {
	t.Parallel()
	folder := recordings(t)
	total, replayed, shown, waived := 0, 0, 0, 0
	for _, version := range []string{"odoo18", "odoo19"} {
		for _, file := range numbered(t, filepath.Join(folder, version)) {
			number := file[:3]
			plays := contains(onTheWire[version], number)
			for _, s := range sections {
				plays = plays || s.folder == version && contains(s.files, number)
			}
			shows, waives := listed(shownBy[version], number), listed(waivers[version], number)
			ways := 0
			for way, count := range map[*int]bool{&replayed: plays, &shown: shows, &waived: waives} {
				if count {
					*way++
					ways++
				}
			}
			if ways != 1 {
				t.Errorf("%s/%s: replayed %v, shown %v, waived %v", version, strings.TrimSuffix(file, ".json"), plays, shows, waives)
			}
			total++
		}
	}
	if waived*100 > maxWaived*total {
		t.Errorf("%d of %d recordings are waived, more than %d %%", waived, total, maxWaived)
	}
	t.Logf("of %d recordings %d are replayed, %d shown by other tests, %d waived", total, replayed, shown, waived)
}
