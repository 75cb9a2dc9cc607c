module github.com/zen-auth/zen

go 1.25.0

require (
	github.com/gofrs/flock v0.13.1
	github.com/google/go-cmp v0.7.0
	github.com/google/renameio/v2 v2.0.2
)

require (
	github.com/golang-jwt/jwt/v5 v5.3.1
	golang.org/x/sys v0.47.0 // indirect
)
