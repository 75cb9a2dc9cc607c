package devstack

import (
	"bytes"
	"context"
	"encoding/json"
	"errors"
	"fmt"
	"net/http"

	"github.com/zen-auth/zen/devstack/fault"
)

const adminPath = "/_zen/faults"

// adminHeader has to be on every request to the switches. A page of another origin can't
// send it without a CORS preflight, which is always refused.
const adminHeader = "Zen-Dev"

// FaultState is a fault as the switches encode it.
type FaultState struct {
	Name    string `json:"name"`
	Summary string `json:"summary"`
	On      bool   `json:"on"`
}

// adminHandler lists the faults (GET) and switches one (PUT).
func adminHandler(faults *fault.Set) http.Handler {
	return http.HandlerFunc(func(w http.ResponseWriter, r *http.Request) {
		switch {
		case r.Header.Get(adminHeader) == "":
			http.Error(w, "the header "+adminHeader+" is missing", http.StatusForbidden)
			return
		case r.Method == http.MethodPut:
			var change FaultState
			if err := json.NewDecoder(http.MaxBytesReader(w, r.Body, 4096)).Decode(&change); err != nil {
				http.Error(w, "the body is not {\"name\":…,\"on\":…}", http.StatusBadRequest)
				return
			}
			if err := faults.Switch(change.Name, change.On); err != nil {
				http.Error(w, err.Error(), http.StatusNotFound)
				return
			}
		case r.Method != http.MethodGet:
			w.Header().Set("Allow", "GET, PUT")
			http.Error(w, "GET lists, PUT switches", http.StatusMethodNotAllowed)
			return
		}
		states := []FaultState{}
		for _, s := range faults.List() {
			states = append(states, FaultState{s.Name, s.Summary, s.On})
		}
		w.Header().Set("Content-Type", "application/json")
		_ = json.NewEncoder(w).Encode(states)
	})
}

var (
	// ErrNoStack: there is no stack at the address.
	ErrNoStack = errors.New("no stack answers")
	// ErrNoFault: the stack has no fault with that name.
	ErrNoFault = errors.New("no such fault")
)

// Admin switches the faults of a stack in another process, and reads its mail.
type Admin struct {
	// URL is the stack's.
	URL string
	// Client makes the calls; nil means http.DefaultClient.
	Client *http.Client
}

// Faults lists the stack's faults.
func (a Admin) Faults(ctx context.Context) (states []FaultState, err error) {
	return states, a.do(ctx, http.MethodGet, adminPath, nil, &states)
}

// Switch turns a fault on or off, and returns the state of all faults.
func (a Admin) Switch(ctx context.Context, name string, on bool) (states []FaultState, err error) {
	return states, a.do(ctx, http.MethodPut, adminPath, FaultState{Name: name, On: on}, &states)
}

// do makes a call, and decodes a successful response.
func (a Admin) do(ctx context.Context, method, path string, change, into any) error {
	body, err := json.Marshal(change)
	if err != nil {
		return err
	}
	req, err := http.NewRequestWithContext(ctx, method, a.URL+path, bytes.NewReader(body))
	if err != nil {
		return fmt.Errorf("reach the stack: %w", err)
	}
	answer, err := a.send(req)
	if err != nil {
		return err
	}
	if err := json.Unmarshal(answer, into); err != nil {
		return fmt.Errorf("read the stack's answer: %w", err)
	}
	return nil
}
