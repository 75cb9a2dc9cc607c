package app

import (
	"crypto/x509"
	"fmt"
	"io"
	"os"
	"path/filepath"

	"github.com/urfave/cli/v2"

	"github.com/zen-auth/zen/core/provider"
)

// trustAuthorities makes this process, and the providers that it starts, trust the
// authorities in the file of --ca-file, by SSL_CERT_FILE.
func trustAuthorities(c *cli.Context) error {
	name := GlobalString(c, "ca-file")
	if name == "" {
		return nil
	}
	wrong := func(err error) error {
		return &provider.Error{Kind: provider.ErrConfig, Message: fmt.Sprintf("--ca-file: %v", err), Hint: "name a file with certificates in PEM", Err: err}
	}
	path, err := filepath.Abs(name)
	if err != nil {
		return wrong(err)
	}
	f, err := Open(c.Context, path)
	if err != nil {
		return wrong(err)
	}
	defer f.Close()
	text, err := io.ReadAll(f)
	if err != nil {
		return wrong(err)
	}
	if !x509.NewCertPool().AppendCertsFromPEM(text) {
		return wrong(fmt.Errorf("there is no certificate in %s", OneLine(name)))
	}
	return os.Setenv("SSL_CERT_FILE", path)
}
