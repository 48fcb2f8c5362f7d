package link

import (
	"crypto/sha256"
	"encoding/base64"
	"encoding/json"
	"fmt"
	"maps"

	"github.com/shopspring/decimal"

	"github.com/flowctl/flowctl/engine/value"
)

// Fingerprints gives each value a short hash. Amounts that are equal have the
// same one, however they are written.
func Fingerprints(values map[string]any) map[string]string {
	prints := make(map[string]string, len(values))
	for name, v := range values {
		prints[name] = fingerprint(v)
	}
	return prints
}

func fingerprint(v any) string {
	// Plain values: JSON sorts the keys of records.
	data, err := json.Marshal(value.Plain(canonical(v)))
	if err != nil {
		// Typed values always encode; a fingerprint that never equals another is
		// the safe answer to anything else.
		return fmt.Sprintf("!%p", &v)
	}
	sum := sha256.Sum256(data)
	return base64.RawStdEncoding.EncodeToString(sum[:9])
}

// canonical writes equal amounts alike: 1.10 and 1.1, 2.0 and the whole number 2.
func canonical(v any) any {
	switch v := v.(type) {
	case int64:
		return decimal.NewFromInt(v)
	case map[string]any:
		out := make(map[string]any, len(v))
		for name, item := range v {
			out[name] = canonical(item)
		}
		return out
	case []any:
		out := make([]any, len(v))
		for i, item := range v {
			out[i] = canonical(item)
		}
		return out
	}
	return v
}

// Merge sets the fingerprints of values among those of a link row, and keeps the
// others.
func Merge(last []byte, values map[string]any) ([]byte, error) {
	prints, err := DecodeFingerprints(last)
	if err != nil {
		return nil, err
	}
	maps.Copy(prints, Fingerprints(values))
	return encodePrints(prints)
}

func encodePrints(prints map[string]string) ([]byte, error) {
	if len(prints) == 0 {
		return nil, nil
	}
	data, err := json.Marshal(prints)
	if err != nil {
		return nil, fmt.Errorf("encoding fingerprints: %w", err)
	}
	return data, nil
}

// DecodeFingerprints reads the fingerprints of a link row; none is an empty record.
func DecodeFingerprints(data []byte) (map[string]string, error) {
	prints := map[string]string{}
	if len(data) == 0 {
		return prints, nil
	}
	if err := json.Unmarshal(data, &prints); err != nil {
		return nil, fmt.Errorf("decoding fingerprints: %w", err)
	}
	return prints, nil
}
