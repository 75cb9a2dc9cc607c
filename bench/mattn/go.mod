module github.com/zen-auth/zen/bench/mattn

go 1.26.0

require github.com/zen-auth/zen v0.0.0

require github.com/mattn/go-sqlite3 v1.14.53

replace github.com/zen-auth/zen => ../..
