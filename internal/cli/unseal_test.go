package cli

import (
	"bytes"
	"context"
	"encoding/base64"
	"encoding/hex"
	"encoding/json"
	"fmt"
	"io/fs"
	"os"
	"path/filepath"
	"strconv"
	"strings"
	"time"

	"github.com/rogpeppe/go-internal/testscript"

	"github.com/zen-auth/zen/internal/keyring"
	"github.com/zen-auth/zen/internal/store"
)

// unsealMain prints every secret of the default profile and its seal, one per line.
func unsealMain() {
	ring := keyring.New(keyring.Options{Timeout: time.Minute})
	record, err := store.New(os.Getenv("ZEN_STATE_DIR"), store.WithKeyring(ring)).Load("default")
	if err != nil {
		fmt.Fprintln(os.Stderr, "unseal:", err)
		os.Exit(1)
	}
	for _, account := range record.Accounts {
		var parts map[string]any
		if json.Unmarshal([]byte(account.Credential.Data.Reveal()), &parts) != nil {
			fmt.Println(account.Credential.Data.Reveal())
		}
		for _, part := range parts {
			if text, ok := part.(string); ok && len(text) >= 20 {
				fmt.Println(text)
			}
		}
	}
	for _, token := range record.Tokens {
		fmt.Println(token.Value.Reveal())
		parts := strings.Split(token.Value.Reveal(), ".")
		fmt.Println(parts[len(parts)-1]) // the signature alone
	}
	data, err := os.ReadFile(filepath.Join(os.Getenv("ZEN_STATE_DIR"), "profiles", "default.json"))
	var sealed struct{ Key string }
	if err == nil && json.Unmarshal(data, &sealed) == nil && sealed.Key != "" {
		key, err := ring.Get(context.Background(), "default/"+sealed.Key)
		if err != nil {
			fmt.Fprintln(os.Stderr, "unseal:", err)
			os.Exit(1)
		}
		fmt.Println(key.Reveal())
	}
}

// wantNowhere is the command "nowhere N DIR...". It checks that the secrets printed by the
// last command, at least N, are in no file below the directories: neither literally, nor in
// hexadecimal, nor within base64.
func wantNowhere(ts *testscript.TestScript, neg bool, args []string) {
	secrets := strings.Fields(ts.ReadFile("stdout"))
	n, err := strconv.Atoi(args[0])
	ts.Check(err)
	if len(secrets) < n {
		ts.Fatalf("%d secrets, want at least %d", len(secrets), n)
	}
	found := 0
	for _, dir := range args[1:] {
		ts.Check(filepath.WalkDir(ts.MkAbs(dir), func(path string, d fs.DirEntry, err error) error {
			if err != nil || !d.Type().IsRegular() {
				return err
			}
			data, err := os.ReadFile(path)
			for i, secret := range secrets {
				for _, form := range forms(secret) {
					if bytes.Contains(data, []byte(form)) {
						found++
						ts.Logf("secret %d is in %s", i, path)
					}
				}
			}
			return err
		}))
	}
	if (found == 0) == neg {
		ts.Fatalf("%d secrets were found", found)
	}
}

// forms returns the encodings in which a secret may be written.
func forms(secret string) []string {
	forms := []string{secret, hex.EncodeToString([]byte(secret)), strings.ToUpper(hex.EncodeToString([]byte(secret)))}
	if raw, err := base64.StdEncoding.DecodeString(secret); err == nil {
		forms = append(forms, string(raw), hex.EncodeToString(raw))
	}
	for _, encoding := range []*base64.Encoding{base64.RawStdEncoding, base64.RawURLEncoding} {
		for shift := range 3 { // its offset in a longer text
			text := encoding.EncodeToString([]byte(strings.Repeat("x", shift) + secret))
			forms = append(forms, text[4:len(text)-4])
		}
	}
	return forms
}
