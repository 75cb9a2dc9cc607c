package wire

import (
	"time"

	"google.golang.org/protobuf/types/known/durationpb"
	"google.golang.org/protobuf/types/known/timestamppb"
)

// The times that can be told apart from "absent" (the zero time.Time) and encoded
// as JSON, which ends with the year 9999.
var (
	earliest = time.Unix(0, 0).UTC()
	latest   = time.Date(9999, time.December, 31, 23, 59, 59, 0, time.UTC)
)

func timestamp(t time.Time) *timestamppb.Timestamp {
	if t.IsZero() {
		return nil
	}
	return timestamppb.New(t)
}

// moment clamps: a foreign expiry that can't be represented must not turn into
// "no expiry".
func moment(t *timestamppb.Timestamp) time.Time {
	switch {
	case t == nil:
		return time.Time{}
	case t.GetSeconds() < earliest.Unix():
		return earliest
	case t.GetSeconds() > latest.Unix():
		return latest
	}
	return t.AsTime()
}

func duration(d time.Duration) *durationpb.Duration {
	if d == 0 {
		return nil
	}
	return durationpb.New(d)
}

// span returns the positive duration of d, or zero.
func span(d *durationpb.Duration) time.Duration { return max(0, d.AsDuration()) }
