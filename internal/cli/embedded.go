package cli

// Replicas and local databases are linked where go-libsql is; elsewhere they are an
// error that says so.
import _ "github.com/zen-auth/zen/core/libsql/replica"
