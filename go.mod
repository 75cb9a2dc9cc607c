module github.com/zen-auth/zen

go 1.25.0

require (
	github.com/adrg/xdg v0.5.3
	github.com/google/go-cmp v0.7.0
	github.com/pelletier/go-toml/v2 v2.4.3
)

require golang.org/x/sys v0.26.0 // indirect
