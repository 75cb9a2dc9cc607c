// Package fault has the switches for simulated faults.
//
// A [Fault] is declared once, by the part of the stack that can fail that way, and
// checked at the place where it takes effect:
//
//	if s.faults.On(fault.JWKSStuck) { ... }
//
// Everything is off until it is switched on.
package fault

import (
	"fmt"
	"maps"
	"slices"
	"strings"
	"sync"
)

// Fault is one way to fail.
type Fault struct {
	Name    string // what it is switched by: lower case, hyphens
	Summary string // one line: what a client sees while it is on
}

// State is a fault and whether it is on.
type State struct {
	Fault
	On bool
}

// Set is a registry of faults. It is safe for concurrent use. A nil Set has no
// faults, so that a part can be used without one.
type Set struct {
	mu     sync.RWMutex // guards states
	states map[string]State
}

// NewSet returns a Set of the given faults, all off. A duplicate name is a programming
// error and panics.
func NewSet(faults ...Fault) *Set {
	s := &Set{states: make(map[string]State, len(faults))}
	for _, f := range faults {
		if _, ok := s.states[f.Name]; ok {
			panic("fault: " + f.Name + " declared twice")
		}
		s.states[f.Name] = State{Fault: f}
	}
	return s
}

// On reports whether the fault is switched on. An unknown fault never is.
func (s *Set) On(name string) bool {
	if s == nil {
		return false
	}
	s.mu.RLock()
	defer s.mu.RUnlock()
	return s.states[name].On
}

// Switch turns the fault on or off, at once and for every request from now on.
func (s *Set) Switch(name string, on bool) error {
	s.mu.Lock()
	defer s.mu.Unlock()
	st, ok := s.states[name]
	if !ok {
		return fmt.Errorf("%q (known: %s)", name, strings.Join(slices.Sorted(maps.Keys(s.states)), ", "))
	}
	st.On = on
	s.states[name] = st
	return nil
}

// List returns all faults, sorted by name.
func (s *Set) List() []State {
	if s == nil {
		return nil
	}
	s.mu.RLock()
	defer s.mu.RUnlock()
	list := make([]State, 0, len(s.states))
	for _, name := range slices.Sorted(maps.Keys(s.states)) {
		list = append(list, s.states[name])
	}
	return list
}
