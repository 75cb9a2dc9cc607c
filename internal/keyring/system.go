package keyring

import "github.com/zalando/go-keyring"

// system is the keyring itself.
type system struct{}

func (system) get(item string) (string, error) {
	secret, err := keyring.Get(service(), item)
	return secret, told(err)
}
func (system) set(item, secret string) error { return told(keyring.Set(service(), item, secret)) }
func (system) delete(item string) error      { return told(keyring.Delete(service(), item)) }

// Interface guards
var _ backend = system{}
