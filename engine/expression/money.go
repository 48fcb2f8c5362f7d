package expression

import (
	"math/big"
	"slices"

	"github.com/shopspring/decimal"
)

// The arithmetic of amounts. None of it passes through a float, and what is
// split always adds up to what was there.

// roundHalfDown rounds to digits after the point; a half goes towards zero.
// WooCommerce rounds tax so in shops whose prices include it: 3 × 9.99 with 20 %
// holds 4.99 of tax, not 5.00.
func roundHalfDown(d decimal.Decimal, digits int32) decimal.Decimal {
	cut := d.Truncate(digits)
	if digits < 0 {
		// Truncate leaves such digits alone.
		cut = d.Shift(digits).Truncate(0).Shift(-digits)
	}
	unit := decimal.New(1, -digits)
	if d.Sub(cut).Abs().Mul(decimal.NewFromInt(2)).Cmp(unit) > 0 {
		if d.Sign() < 0 {
			return cut.Sub(unit)
		}
		return cut.Add(unit)
	}
	return cut
}

// unitsOf is how many whole units the amount rounds to, half away from zero.
// unit is positive.
func unitsOf(d, unit decimal.Decimal) *big.Int {
	// |d| / unit = x / y in whole numbers; (2x + y) / 2y rounds it.
	x, y := decimal.RescalePair(d.Abs(), unit)
	numerator := new(big.Int).Lsh(x.Coefficient(), 1)
	numerator.Add(numerator, y.Coefficient())
	units := numerator.Quo(numerator, new(big.Int).Lsh(y.Coefficient(), 1))
	if d.Sign() < 0 {
		units.Neg(units)
	}
	return units
}

// inUnits is n units as an amount.
func inUnits(n *big.Int, unit decimal.Decimal) decimal.Decimal {
	return decimal.NewFromBigInt(n, 0).Mul(unit)
}

// wholeUnits is the amount in units, if it is a multiple of the unit.
func wholeUnits(amount, unit decimal.Decimal, what string) (*big.Int, error) {
	n := unitsOf(amount, unit)
	if inUnits(n, unit).Cmp(amount) != 0 {
		return nil, failf(CodeValue, "the %s %s is no multiple of %s", what, amount, unit).
			hinted("round_to(…) it first, knowing where the rest goes")
	}
	return n, nil
}

// allocate splits the total into parts in proportion to the weights, each a
// multiple of the unit. They add up to the total exactly: each part is first cut
// to whole units, and the units left go one each to the parts that lost most,
// then to the largest weight, then to the first. If all weights are 0, the first
// part is all.
func allocate(total decimal.Decimal, weights []decimal.Decimal, unit decimal.Decimal) ([]decimal.Decimal, error) {
	units, err := wholeUnits(total, unit, "total")
	if err != nil {
		return nil, err
	}
	if len(weights) == 0 {
		if units.Sign() != 0 {
			return nil, failf(CodeValue, "%s cannot be allocated to an empty list", total)
		}
		return []decimal.Decimal{}, nil
	}
	shares, err := wholeWeights(weights)
	if err != nil {
		return nil, err
	}
	parts := split(new(big.Int).Abs(units), shares)
	out := make([]decimal.Decimal, len(parts))
	for i, part := range parts {
		if units.Sign() < 0 {
			part.Neg(part)
		}
		out[i] = inUnits(part, unit)
	}
	return out, nil
}

// wholeWeights scales the weights to whole numbers of the same proportions.
// Weights that are all negative are as good as their opposites.
func wholeWeights(weights []decimal.Decimal) ([]*big.Int, error) {
	least, negative, positive := int32(0), false, false
	for _, w := range weights {
		least = min(least, w.Exponent())
		negative = negative || w.Sign() < 0
		positive = positive || w.Sign() > 0
	}
	if negative && positive {
		return nil, failf(CodeValue, "the weights are partly negative").hinted("allocate what is positive and what is negative apart")
	}
	out := make([]*big.Int, len(weights))
	for i, w := range weights {
		out[i] = w.Shift(-least).Abs().BigInt()
	}
	return out, nil
}

// split splits a number of units that is not negative.
func split(units *big.Int, shares []*big.Int) []*big.Int {
	sum := new(big.Int)
	for _, share := range shares {
		sum.Add(sum, share)
	}
	parts := make([]*big.Int, len(shares))
	if sum.Sign() == 0 {
		for i := range parts {
			parts[i] = new(big.Int)
		}
		parts[0].Set(units)
		return parts
	}
	left := new(big.Int).Set(units)
	rests := make([]*big.Int, len(shares))
	for i, share := range shares {
		product := new(big.Int).Mul(units, share)
		parts[i], rests[i] = product.QuoRem(product, sum, new(big.Int))
		left.Sub(left, parts[i])
	}
	one := big.NewInt(1)
	for _, i := range ranked(len(shares), func(i, j int) int {
		if by := rests[j].Cmp(rests[i]); by != 0 {
			return by
		}
		return shares[j].Cmp(shares[i])
	})[:left.Int64()] { // fewer than there are parts
		parts[i].Add(parts[i], one)
	}
	return parts
}

// ranked lists 0 … n-1 in an order, equal ones by position.
func ranked(n int, compare func(i, j int) int) []int {
	out := make([]int, n)
	for i := range out {
		out[i] = i
	}
	slices.SortStableFunc(out, compare)
	return out
}

// spread rounds each value to the unit, half away from zero, and then adds or
// takes whole units until they add up to the target: one for each value, the
// largest absolute value first, and round again while units are left.
func spread(values []decimal.Decimal, target, unit decimal.Decimal) ([]decimal.Decimal, error) {
	wanted, err := wholeUnits(target, unit, "target")
	if err != nil {
		return nil, err
	}
	if len(values) == 0 {
		if wanted.Sign() != 0 {
			return nil, failf(CodeValue, "%s cannot be spread over an empty list", target)
		}
		return []decimal.Decimal{}, nil
	}
	units := make([]*big.Int, len(values))
	missing := wanted
	for i, v := range values {
		units[i] = unitsOf(v, unit)
		missing = new(big.Int).Sub(missing, units[i])
	}
	// Every value gets the same number of rounds; the first ones get one more.
	each, rest := new(big.Int).QuoRem(missing, big.NewInt(int64(len(values))), new(big.Int))
	extra := int(new(big.Int).Abs(rest).Int64())
	step := big.NewInt(int64(missing.Sign()))
	order := ranked(len(values), func(i, j int) int { return values[j].Abs().Cmp(values[i].Abs()) })
	out := make([]decimal.Decimal, len(values))
	for rank, i := range order {
		units[i].Add(units[i], each)
		if rank < extra {
			units[i].Add(units[i], step)
		}
		out[i] = inUnits(units[i], unit)
	}
	return out, nil
}
