//go:build cgo

package main

import _ "github.com/zen-auth/zen/core/libsql/replica" // for files
