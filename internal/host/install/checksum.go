package install

import (
	"bufio"
	"bytes"
	"cmp"
	"context"
	"crypto/ed25519"
	"crypto/sha256"
	"encoding/base64"
	"encoding/hex"
	"io"
	"net/http"
	"os"
	"strings"

	"github.com/zen-auth/zen/internal/host/pin"
)

// wanted finds the sum that the source has to have, and how it is known. Without
// any it is "": only what is on this machine already may do without.
func wanted(ctx context.Context, client *http.Client, r Request, source string) (sum, known string, err error) {
	switch {
	case r.SHA256 != "" && r.Checksums != "":
		return "", "", failed("", "a sum and a checksums file were given")
	case r.Key != "" && r.Checksums == "":
		return "", "", failed("give the checksums file that it signed, too", "a key was given without a checksums file")
	case r.SHA256 != "":
		if sum, err = parseSum(r.SHA256); err != nil {
			return "", "", err
		}
		return sum, pin.SHA256, nil
	case r.Checksums == "" && isURL(source):
		return "", "", failed("give its --sha256, or --checksums and --key", "a download needs a sum")
	case r.Checksums == "":
		return "", pin.Local, nil
	case r.Key == "" && isURL(r.Checksums):
		return "", "", failed("give the --key that signed it, or the sum itself with --sha256", "a checksums file from the network needs a signature")
	}
	list, err := text(ctx, client, r.Checksums)
	if err != nil {
		return "", "", err
	}
	known = pin.Checksums
	if r.Key != "" {
		signature := cmp.Or(r.Signature, r.Checksums+".sig")
		signed, err := text(ctx, client, signature)
		if err != nil {
			return "", "", err
		}
		if known, err = checkSignature(r.Key, list, signed); err != nil {
			return "", "", err
		}
	}
	sum, err = findSum(list, baseName(source))
	return sum, known, err
}

func text(ctx context.Context, client *http.Client, source string) ([]byte, error) {
	ctx, cancel := context.WithTimeout(ctx, fetchLimit)
	defer cancel()
	in, err := open(ctx, client, source)
	if err != nil {
		return nil, err
	}
	defer in.Close()
	data, err := io.ReadAll(io.LimitReader(in, maxText+1))
	if err != nil || len(data) > maxText {
		return nil, failed("", "%s can't be read, or is larger than 1 MiB", baseName(source))
	}
	return data, nil
}

// checkSignature checks an Ed25519 signature, raw or in base64, with a public key
// in base64, and returns how what was signed is known from then on.
func checkSignature(key string, message, signature []byte) (known string, err error) {
	public, err := base64.StdEncoding.DecodeString(strings.TrimSpace(key))
	if err != nil || len(public) != ed25519.PublicKeySize {
		return "", failed("", "the key is not an Ed25519 public key: 32 bytes in base64")
	}
	if len(signature) != ed25519.SignatureSize {
		if signature, err = base64.StdEncoding.DecodeString(strings.TrimSpace(string(signature))); err != nil {
			return "", failed("", "the signature is neither 64 bytes nor base64")
		}
	}
	if !ed25519.Verify(public, message, signature) {
		return "", failed("it, or the key, is not the author's", "the signature of the checksums file is wrong")
	}
	id := sha256.Sum256(public)
	return pin.Ed25519(hex.EncodeToString(id[:8])), nil
}

// findSum reads what sha256sum writes: a sum, a space, a space or a star, a name.
func findSum(list []byte, name string) (string, error) {
	found := ""
	lines := bufio.NewScanner(bytes.NewReader(list))
	for lines.Scan() {
		sum, file, ok := strings.Cut(strings.TrimRight(lines.Text(), "\r"), " ")
		if !ok || len(file) < 2 || file[1:] != name {
			continue
		}
		parsed, err := parseSum(sum)
		if err != nil {
			return "", err
		}
		if found != "" && found != parsed {
			return "", failed("", "the checksums file has two sums for %s", name)
		}
		found = parsed
	}
	if found == "" || lines.Err() != nil {
		return "", failed("", "the checksums file has no sum for %s", name)
	}
	return found, nil
}

func parseSum(s string) (string, error) {
	sum, err := hex.DecodeString(s)
	if err != nil || len(sum) != sha256.Size {
		return "", failed("", "%.20q is not a SHA-256 sum of 64 hexadecimal digits", s)
	}
	return hex.EncodeToString(sum), nil
}

// checkFile compares a file with the sum that it has to have, if there is one.
func checkFile(file, want string) error {
	if want == "" {
		return nil
	}
	f, err := os.Open(file)
	if err != nil {
		return failed("", "%v", err)
	}
	defer f.Close()
	hash := sha256.New()
	if _, err := io.Copy(hash, f); err != nil {
		return failed("", "%v", err)
	}
	if got := hex.EncodeToString(hash.Sum(nil)); got != want {
		return failed("it is not what its author published", "the sum is %.12s..., not %.12s...", got, want)
	}
	return nil
}
