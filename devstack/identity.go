package devstack

import (
	"crypto/rand"
	"crypto/rsa"
	"crypto/x509"
	"encoding/json"
	"encoding/pem"
	"errors"
	"fmt"
	"io/fs"
	"os"
	"path/filepath"
	"strings"
)

// identity is what makes a Clerk instance the same one in the next run.
type identity struct {
	Key        *rsa.PrivateKey
	InstanceID string
	SecretKey  string
}

type identityFile struct {
	PrivateKey string `json:"private_key"`
	InstanceID string `json:"instance_id"`
	SecretKey  string `json:"secret_key"`
}

// loadIdentity reads the identity that dir keeps, or makes one there. Without a
// dir the instance makes its own.
func loadIdentity(dir string) (identity, error) {
	if dir == "" {
		return identity{}, nil
	}
	path := filepath.Join(dir, "clerk.json")
	data, err := os.ReadFile(path)
	if errors.Is(err, fs.ErrNotExist) {
		return createIdentity(path)
	}
	if err != nil {
		return identity{}, fmt.Errorf("read the Clerk instance: %w", err)
	}
	var f identityFile
	if err := json.Unmarshal(data, &f); err != nil {
		return identity{}, fmt.Errorf("read the Clerk instance: %s is damaged", path)
	}
	block, _ := pem.Decode([]byte(f.PrivateKey))
	if block == nil {
		return identity{}, fmt.Errorf("read the Clerk instance: %s has no private key", path)
	}
	parsed, err := x509.ParsePKCS8PrivateKey(block.Bytes)
	key, ok := parsed.(*rsa.PrivateKey)
	if err != nil || !ok {
		return identity{}, fmt.Errorf("read the Clerk instance: the private key in %s is not an RSA key", path)
	}
	return identity{key, f.InstanceID, f.SecretKey}, nil
}

func createIdentity(path string) (identity, error) {
	key, err := rsa.GenerateKey(rand.Reader, 2048)
	if err != nil {
		return identity{}, err
	}
	der, err := x509.MarshalPKCS8PrivateKey(key)
	if err != nil {
		return identity{}, err
	}
	id := identity{key, "ins_" + randomText(27), "sk_test_" + randomText(42)}
	data, err := json.MarshalIndent(identityFile{
		PrivateKey: string(pem.EncodeToMemory(&pem.Block{Type: "PRIVATE KEY", Bytes: der})),
		InstanceID: id.InstanceID,
		SecretKey:  id.SecretKey,
	}, "", "  ")
	if err == nil {
		err = os.MkdirAll(filepath.Dir(path), 0o700)
	}
	if err == nil {
		err = os.WriteFile(path, data, 0o600)
	}
	if err != nil {
		return identity{}, fmt.Errorf("keep the Clerk instance: %w", err)
	}
	return id, nil
}

// randomText is n letters and digits, as Clerk's ids have.
func randomText(n int) string {
	text := rand.Text() // 26 of base 32: 130 bits
	for len(text) < n {
		text += rand.Text()
	}
	return strings.ToLower(text[:n])
}
