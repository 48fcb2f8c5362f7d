package expression

import (
	"slices"
	"strings"
)

// didYouMean proposes the known name that is closest to a wrong one, or lists
// them all where they are few.
func didYouMean(wrong string, known []string) string {
	known = slices.Clone(known)
	slices.Sort(known)
	best, bestDistance := "", max(1, len(wrong)/3)+1
	for _, name := range known {
		if d := editDistance(strings.ToLower(wrong), strings.ToLower(name), bestDistance); d < bestDistance {
			best, bestDistance = name, d
		}
	}
	switch {
	case best != "":
		return "did you mean " + best + "?"
	case len(known) == 0:
		return ""
	case len(known) <= 12:
		return "there are " + strings.Join(known, ", ")
	}
	return ""
}

// editDistance counts the characters to insert, delete, replace or swap with
// their neighbour to make one word of the other. It may answer any number of at
// least limit once the distance is at least limit.
func editDistance(a, b string, limit int) int {
	if abs := len(a) - len(b); abs >= limit || -abs >= limit {
		return limit
	}
	before, last, row := make([]int, len(b)+1), make([]int, len(b)+1), make([]int, len(b)+1)
	for j := range last {
		last[j] = j
	}
	for i := 1; i <= len(a); i++ {
		row[0] = i
		for j := 1; j <= len(b); j++ {
			cost := 1
			if a[i-1] == b[j-1] {
				cost = 0
			}
			row[j] = min(last[j]+1, row[j-1]+1, last[j-1]+cost)
			if i > 1 && j > 1 && a[i-1] == b[j-2] && a[i-2] == b[j-1] {
				row[j] = min(row[j], before[j-2]+1)
			}
		}
		before, last, row = last, row, before
	}
	return last[len(b)]
}
