package team

import (
	"bytes"
	"context"
	"encoding/csv"
	"errors"
	"fmt"
	"io"
	"slices"
	"strings"

	"github.com/zen-auth/zen/core/provider"
	"github.com/zen-auth/zen/internal/cli/app"
)

// Bounds of a file of people.
const (
	maxFile   = 1 << 20
	maxPeople = 1000
)

var columns = []string{"email", "role", "redirect_url", "expires"}

// readPeople calls add for each line of a CSV file; "-" is standard input. What a line
// leaves out is as in usual. Errors name the line.
func readPeople(ctx context.Context, file string, stdin io.Reader, usual provider.Invite, add func(provider.Invite) error) error {
	data, err := readBounded(ctx, file, stdin)
	if err != nil {
		return err
	}
	r := csv.NewReader(bytes.NewReader(bytes.TrimPrefix(data, []byte("\ufeff"))))
	r.TrimLeadingSpace = true
	names, err := r.Read()
	if errors.Is(err, io.EOF) {
		return fmt.Errorf("%s is empty: its first line names the columns: %s", file, strings.Join(columns, ","))
	}
	if err != nil {
		return fmt.Errorf("%s: %w", file, err)
	}
	for i, name := range names {
		names[i] = strings.ToLower(strings.TrimSpace(name))
		if !slices.Contains(columns, names[i]) || slices.Contains(names[:i], names[i]) {
			return fmt.Errorf("%s:1: the column %.40q is unknown or there twice; the first line names the columns: %s", file, name, strings.Join(columns, ","))
		}
	}
	if !slices.Contains(names, "email") {
		return fmt.Errorf("%s:1: there is no column email", file)
	}
	for n := 0; ; n++ {
		fields, err := r.Read()
		switch {
		case errors.Is(err, io.EOF):
			return nil
		case err != nil:
			return fmt.Errorf("%s: %w", file, err)
		case n == maxPeople:
			return fmt.Errorf("%s has more than %d people", file, maxPeople)
		}
		invite := usual
		for i, value := range fields {
			if value = strings.TrimSpace(value); value != "" && err == nil {
				err = setColumn(&invite, names[i], value)
			}
		}
		if err == nil {
			err = add(invite)
		}
		if err != nil {
			line, _ := r.FieldPos(0)
			return fmt.Errorf("%s:%d: %w", file, line, err)
		}
	}
}

func setColumn(i *provider.Invite, name, value string) (err error) {
	switch name {
	case "email":
		i.Email = value
	case "role":
		i.Role = value
	case "redirect_url":
		i.RedirectURL, err = value, checkRedirect(value)
	case "expires":
		i.Lifetime, err = parseLifetime(value)
	}
	return err
}

func readBounded(ctx context.Context, file string, stdin io.Reader) ([]byte, error) {
	in, err := app.Input(ctx, stdin, file)
	if err != nil {
		return nil, err
	}
	defer in.Close()
	data, err := io.ReadAll(io.LimitReader(in, maxFile+1))
	if err == nil && len(data) > maxFile {
		err = fmt.Errorf("%s is larger than 1 MiB", file)
	}
	return data, err
}
