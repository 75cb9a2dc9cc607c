package pin

import (
	"context"
	"fmt"
	"path/filepath"
)

// Overrides is the file of the providers that are being written. Each has a path in
// place of its pin: a program, which runs however often it was built anew, or the
// socket of a process. It is safe for concurrent use, by other processes, too.
type Overrides struct{ file file }

// NewOverrides returns the file at path, which need not exist.
func NewOverrides(path string) *Overrides { return &Overrides{file{path}} }

type overrides struct {
	Version   int               `toml:"version"`
	Overrides map[string]string `toml:"overrides"`
}

// Load reads the paths, by the name of the provider. Its errors are those of
// Lock.Load.
func (o *Overrides) Load() (map[string]string, error) {
	doc := overrides{Overrides: map[string]string{}}
	err := o.file.load(&doc, "move it away: there is no override then", func() error {
		if doc.Version != lockVersion {
			return fmt.Errorf("its version is %d, not %d", doc.Version, lockVersion)
		}
		for name, path := range doc.Overrides {
			if !filepath.IsAbs(path) {
				return fmt.Errorf("the path of %q is not absolute", name)
			}
		}
		return nil
	})
	if err != nil {
		return nil, err
	}
	return doc.Overrides, nil
}

// Set lets the provider of that name run from path, which is absolute.
func (o *Overrides) Set(ctx context.Context, name, path string) error {
	return o.update(ctx, func(paths map[string]string) { paths[name] = path })
}

// Remove ends an override. It reports whether there was one.
func (o *Overrides) Remove(ctx context.Context, name string) (found bool, err error) {
	err = o.update(ctx, func(paths map[string]string) {
		_, found = paths[name]
		delete(paths, name)
	})
	return found, err
}

func (o *Overrides) update(ctx context.Context, change func(paths map[string]string)) error {
	return o.file.alone(ctx, func() error {
		paths, err := o.Load()
		if err != nil {
			return err
		}
		change(paths)
		return o.file.save("# Providers that are being written. zen provider dev writes it.\n", overrides{lockVersion, paths})
	})
}
