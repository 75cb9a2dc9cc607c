package plugin

import (
	"bufio"
	"crypto/tls"
	"encoding/base64"
	"io"
	"os"
	"strings"
)

// tellCertificate puts the certificate into the line with which go-plugin greets, which
// is the first on standard output: go-plugin passes on no certificate but its own.
func tellCertificate(config *tls.Config) error {
	read, write, err := os.Pipe()
	if err != nil {
		return err
	}
	stdout := os.Stdout
	os.Stdout = write
	go func() { // as long as the process
		lines := bufio.NewReader(read)
		line, err := lines.ReadString('\n')
		if parts := strings.Split(strings.TrimSuffix(line, "\n"), "|"); err == nil && len(parts) > 5 {
			parts[5] = base64.RawStdEncoding.EncodeToString(config.Certificates[0].Certificate[0])
			line = strings.Join(parts, "|") + "\n"
		}
		_, _ = stdout.WriteString(line)
		_, _ = io.Copy(stdout, lines)
	}()
	return nil
}
