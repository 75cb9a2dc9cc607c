package host

import (
	"os"
	"sync"
)

// expected are the programs of providers that will probably be started: they are opened and
// hashed while something else is done, and the Manager that starts one takes it. One that
// isn't started has only been read.
type expected struct {
	hashing sync.WaitGroup

	mu       sync.Mutex // guards programs
	programs map[string]*program
}

// expect begins with the providers of these names, found in dirs. One that can't run is left
// to its start, which says why. Close what is returned.
func expect(dirs, names []string) *expected {
	e := &expected{programs: map[string]*program{}}
	for _, name := range names {
		path, err := find(dirs, name)
		if err != nil || e.programs[path] != nil {
			continue
		}
		p, err := openProgram(name, path)
		if err != nil {
			continue
		}
		e.programs[path] = p
		e.hashing.Go(func() { _, _ = p.sum() }) // an error is the start's to tell
	}
	return e
}

// take returns the program that was opened at path, or nil where that isn't what a start would
// open now. It is the caller's to close.
func (e *expected) take(name, path string) *program {
	e.mu.Lock()
	defer e.mu.Unlock()
	p := e.programs[path]
	if p == nil {
		return nil
	}
	delete(e.programs, path)
	opened, err := p.Stat()
	there, thereErr := os.Stat(path)
	if err != nil || thereErr != nil || p.name != name || !os.SameFile(opened, there) || unsafe(opened) != "" || !p.untouched() {
		_ = p.Close() // its hash ends with an error that is no one's
		return nil
	}
	return p
}

// close ends what is expected and wasn't started.
func (e *expected) close() {
	e.hashing.Wait()
	e.mu.Lock()
	defer e.mu.Unlock()
	for _, p := range e.programs {
		_ = p.Close()
	}
	clear(e.programs)
}
