module github.com/zen-auth/zen/bench/libsqlclientgo

go 1.26.0

require (
	github.com/tursodatabase/libsql-client-go v0.0.0-20260514053736-a9a8fadfe885
	github.com/zen-auth/zen v0.0.0
)

require (
	github.com/antlr4-go/antlr/v4 v4.13.0 // indirect
	github.com/coder/websocket v1.8.15 // indirect
	golang.org/x/exp v0.0.0-20240325151524-a685a6edb6d8 // indirect
	golang.org/x/net v0.62.0 // indirect
	golang.org/x/sys v0.49.0 // indirect
	golang.org/x/text v0.43.0 // indirect
)

replace github.com/zen-auth/zen => ../..
