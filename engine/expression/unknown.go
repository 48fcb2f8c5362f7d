package expression

// Unknown, as the value of a variable or of a record's field, stands for what
// nobody knows yet: in a plan, the id of a record that is still to be made. An
// evaluation that reads it fails with [CodeUnknown]; one that does not need it is
// not disturbed.
type Unknown struct{}

// readable gives CodeUnknown for a value that is not known yet.
func readable(v any) error {
	if _, is := v.(Unknown); is {
		return failf(CodeUnknown, "this is not known yet")
	}
	return nil
}
