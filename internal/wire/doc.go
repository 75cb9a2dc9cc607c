// Package wire carries the contract of package provider over gRPC, as the
// services of zen.provider.v1 in zen/provider/v1.
//
// [Register] serves a Go provider, [NewClient] calls one in whatever language, and
// both together behave as the value itself: times, nil where it means something,
// replaced credentials and the class, hint and retry-after of an error survive.
// What comes from the other side is taken as foreign: text for people is made one
// clean line of bounded length, timestamps are clamped to years that can be
// encoded, unknown enum values never widen what a token may do.
package wire
