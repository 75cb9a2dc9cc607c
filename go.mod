module github.com/zen-auth/zen

go 1.25.0
