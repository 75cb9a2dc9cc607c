package store

import (
	"crypto/aes"
	"crypto/cipher"
	"crypto/rand"
	"encoding/base64"
	"encoding/hex"
	"encoding/json"
	"errors"
	"fmt"

	"github.com/zen-auth/zen/core/provider"
)

// keySize is the key size of AES-256. In a keyring it is 44 characters: Windows takes 2,560
// bytes an item, which a credential with its tokens outgrows, and so it is the key
// that rests there.
const keySize = 32

// newKey makes a key and the name by which its file finds it. The name is random,
// so that two state directories with a profile of one name never share an item.
func newKey() (id string, key provider.Secret) {
	random := make([]byte, 8+keySize)
	_, _ = rand.Read(random) // crypto/rand: never an error
	return hex.EncodeToString(random[:8]), provider.NewSecret(base64.StdEncoding.EncodeToString(random[8:]))
}

func isKeyID(id string) bool {
	raw, err := hex.DecodeString(id)
	return err == nil && len(raw) == 8
}

// keyItem returns the item of a profile's key.
func keyItem(profile, id string) string { return profile + "/" + id }

// seal encrypts the content of a plain file: AES-256-GCM, the nonce random and in
// front. A key seals one profile's writes, far below the 2^32 at which a random
// nonce may repeat (NIST SP 800-38D, section 8.3).
func seal(profile, id string, key provider.Secret, plain []byte) ([]byte, error) {
	aead, err := newAEAD(key)
	if err != nil {
		return nil, err
	}
	return json.Marshal(file{
		SchemaVersion: sealedVersion, Profile: profile, Key: id,
		Sealed: aead.Seal(nil, nil, plain, additionalData(profile, id)),
	})
}

// unseal returns the content that was sealed for the profile.
func (f file) unseal(profile string, key provider.Secret, oneToken bool) (file, error) {
	aead, err := newAEAD(key)
	if err != nil {
		return file{}, err
	}
	plain, err := aead.Open(nil, nil, f.Sealed, additionalData(profile, f.Key))
	if err != nil {
		return file{}, errors.New("it is damaged (its key doesn't open it: a byte changed)")
	}
	inner, err := parse(plain, oneToken)
	if err == nil && inner.storage() != StorageFile {
		err = errors.New("it is damaged (sealed twice)")
	}
	return inner, err
}

func newAEAD(key provider.Secret) (cipher.AEAD, error) {
	raw, err := base64.StdEncoding.DecodeString(key.Reveal())
	if err != nil || len(raw) != keySize {
		return nil, errors.New("the item in the keyring is not a key of zen")
	}
	block, err := aes.NewCipher(raw)
	if err != nil {
		return nil, err
	}
	return cipher.NewGCMWithRandomNonce(block)
}

// additionalData binds what is sealed to its version, its profile and its key.
func additionalData(profile, id string) []byte {
	return fmt.Appendf(nil, "zen credentials %d\x00%s\x00%s", sealedVersion, profile, id)
}
