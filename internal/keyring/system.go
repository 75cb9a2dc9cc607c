package keyring

import "github.com/zalando/go-keyring"

// system is the keyring itself.
type system struct{}

func (system) get(item string) (string, error) { return keyring.Get(service(), item) }
func (system) set(item, secret string) error   { return keyring.Set(service(), item, secret) }
func (system) delete(item string) error        { return keyring.Delete(service(), item) }

// Interface guards
var _ backend = system{}
