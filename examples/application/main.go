// Command application uses a database with the sign-in and the providers of the command
// line: run zen login, then this.
package main

import (
	"context"
	"flag"
	"fmt"
	"os"
	"os/signal"
	"time"

	"github.com/zen-auth/zen/core"
)

func main() {
	every := flag.Duration("every", time.Second, "write a row each `D`")
	total := flag.Duration("for", time.Minute, "go on for `D`")
	flag.Parse()
	ctx, stop := signal.NotifyContext(context.Background(), os.Interrupt)
	defer stop()
	if err := run(ctx, *every, *total); err != nil {
		fmt.Fprintln(os.Stderr, "application:", err)
		os.Exit(1)
	}
}

// run holds one handle, whose tokens are renewed underneath it.
func run(ctx context.Context, every, total time.Duration) error {
	db, err := core.Open(ctx, core.Database{})
	if err != nil {
		return err
	}
	defer db.Close()
	if _, err := db.ExecContext(ctx, "CREATE TABLE IF NOT EXISTS visits (at TEXT NOT NULL)"); err != nil {
		return err
	}
	end := time.After(total)
	tick := time.NewTicker(every)
	defer tick.Stop()
	for rows := 0; ; rows++ {
		if _, err := db.ExecContext(ctx, "INSERT INTO visits VALUES (CURRENT_TIMESTAMP)"); err != nil {
			return fmt.Errorf("after %d rows: %w", rows, err)
		}
		select {
		case <-tick.C:
		case <-end:
			fmt.Println(rows+1, "rows")
			return nil
		case <-ctx.Done():
			return ctx.Err()
		}
	}
}
