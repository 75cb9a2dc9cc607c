//go:build query

package main

import "github.com/zen-auth/zen/internal/front/query"

// program is zen db query with a good stored token, and leaves everything else to zen-full.
var program = query.Run
