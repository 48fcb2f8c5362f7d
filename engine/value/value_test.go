package value

import (
	"testing"
	"time"

	"github.com/shopspring/decimal"
	"pgregory.net/rapid"
)

func anyValue(depth int) *rapid.Generator[any] {
	leaves := []*rapid.Generator[any]{
		rapid.Just[any](nil),
		rapid.Map(rapid.Bool(), func(b bool) any { return b }),
		rapid.Map(rapid.Int64(), func(i int64) any { return i }),
		rapid.Map(rapid.String(), func(s string) any { return s }),
		rapid.Custom(func(t *rapid.T) any {
			return decimal.New(rapid.Int64().Draw(t, "units"), rapid.Int32Range(-12, 12).Draw(t, "exponent"))
		}),
		rapid.Custom(func(t *rapid.T) any {
			return time.Unix(rapid.Int64Range(0, 4e9).Draw(t, "second"), rapid.Int64Range(0, 999_999_999).Draw(t, "nano")).UTC()
		}),
	}
	if depth == 0 {
		return rapid.OneOf(leaves...)
	}
	inner := anyValue(depth - 1)
	return rapid.OneOf(append(leaves,
		rapid.Map(rapid.SliceOfN(inner, 0, 4), func(l []any) any { return l }),
		rapid.Map(rapid.MapOfN(rapid.String(), inner, 0, 4), func(m map[string]any) any { return m }),
	)...)
}

func TestValuesSurviveTheStore(t *testing.T) {
	t.Parallel()
	rapid.Check(t, func(t *rapid.T) {
		before := anyValue(3).Draw(t, "value")
		data, err := Encode(before)
		if err != nil {
			t.Fatal(err)
		}
		after, err := Decode(data)
		if err != nil {
			t.Fatalf("%s: %v", data, err)
		}
		if !Equal(before, after) {
			t.Fatalf("%#v came back as %#v through %s", before, after, data)
		}
	})
}

func TestEqualComparesAmountsNotSpelling(t *testing.T) {
	t.Parallel()
	a, b := decimal.RequireFromString("1.10"), decimal.RequireFromString("1.1")
	if !Equal(a, b) || !Equal(int64(2), decimal.NewFromInt(2)) || Equal(a, int64(1)) || Equal(nil, int64(0)) {
		t.Error("1.10 is 1.1, 2 is 2.0, 1.1 is not 1, nothing is not zero")
	}
}
