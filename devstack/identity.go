package devstack

import (
	"encoding/json"
	"encoding/pem"
	"errors"
	"fmt"
	"io/fs"
	"os"
	"path/filepath"

	"github.com/zen-auth/zen/devstack/jose"
)

// identity holds what makes a Clerk instance the same one in the next run.
type identity struct {
	Key       jose.Key // by the instance's id
	SecretKey string
}

type identityFile struct {
	PrivateKey string `json:"private_key"`
	InstanceID string `json:"instance_id"`
	SecretKey  string `json:"secret_key"`
}

func identityPath(dir string) string { return filepath.Join(dir, "clerk.json") }

// loadIdentity reads the identity that dir keeps. It is zero if there is none.
func loadIdentity(dir string) (identity, error) {
	path := identityPath(dir)
	data, err := os.ReadFile(path)
	if dir == "" || errors.Is(err, fs.ErrNotExist) {
		return identity{}, nil
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
	key, err := jose.ParseKey(f.InstanceID, block.Bytes)
	if err != nil {
		return identity{}, fmt.Errorf("read the Clerk instance: the private key in %s is not an RSA key", path)
	}
	return identity{key, f.SecretKey}, nil
}

// keep writes the identity into dir.
func (id identity) keep(dir string) error {
	der, err := id.Key.Marshal()
	if err != nil {
		return err
	}
	data, err := json.MarshalIndent(identityFile{
		PrivateKey: string(pem.EncodeToMemory(&pem.Block{Type: "PRIVATE KEY", Bytes: der})),
		InstanceID: id.Key.ID,
		SecretKey:  id.SecretKey,
	}, "", "  ")
	if err == nil {
		err = os.MkdirAll(dir, 0o700)
	}
	if err == nil {
		err = os.WriteFile(identityPath(dir), data, 0o600)
	}
	if err != nil {
		return fmt.Errorf("keep the Clerk instance: %w", err)
	}
	return nil
}
