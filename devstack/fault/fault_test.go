package fault

import (
	"strings"
	"sync"
	"testing"
)

func TestSwitch(t *testing.T) {
	s := NewSet(Fault{Name: "b"}, Fault{Name: "a"})
	if s.On("a") {
		t.Error("a new fault is on")
	}
	if err := s.Switch("a", true); err != nil {
		t.Fatal(err)
	}
	if !s.On("a") || s.On("b") {
		t.Errorf("a %v, b %v; want only a on", s.On("a"), s.On("b"))
	}
	list := s.List()
	if len(list) != 2 || list[0].Name != "a" || !list[0].On || list[1].Name != "b" || list[1].On {
		t.Errorf("List() = %+v", list)
	}
	if err := s.Switch("a", false); err != nil || s.On("a") {
		t.Errorf("switch off: %v, on %v", err, s.On("a"))
	}
}

func TestSwitchUnknown(t *testing.T) {
	err := NewSet(Known()...).Switch("nope", true)
	if err == nil || !strings.Contains(err.Error(), JWKSStuck) {
		t.Errorf("error %v does not list the known faults", err)
	}
}

func TestNilSet(t *testing.T) {
	var s *Set
	if s.On(JWKSStuck) || s.List() != nil {
		t.Error("a nil set has faults")
	}
}

func TestConcurrentUse(t *testing.T) {
	s := NewSet(Known()...)
	var wg sync.WaitGroup
	for i := range 8 {
		wg.Go(func() {
			for range 100 {
				if err := s.Switch(JWKSStuck, i%2 == 0); err != nil {
					t.Error(err)
				}
				s.On(JWKSStuck)
				s.List()
			}
		})
	}
	wg.Wait()
}
