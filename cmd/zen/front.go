//go:build front

package main

import "github.com/zen-auth/zen/internal/front"

// run answers from what is stored, and leaves everything else to zen-full.
var run = front.Run
