package store

import (
	"encoding/json"
	"strings"
	"time"

	"github.com/zen-auth/zen/core/provider"
	"github.com/zen-auth/zen/internal/text"
)

// Failure is the error of a command as the terminal showed it, without a secret.
type Failure struct {
	Time time.Time `json:"time"`
	// Class is the name of the failure's class, "" if it has none.
	Class   string `json:"class,omitempty"`
	Message string `json:"message"`
	Hint    string `json:"hint,omitempty"`
}

// Kind returns the class of the failure, or nil.
func (f Failure) Kind() error {
	for _, kind := range provider.Kinds() {
		if provider.KindName(kind) == f.Class {
			return kind
		}
	}
	return nil
}

// maxFailureText bounds a text of a failure.
const maxFailureText = 500

func (s *Store) failurePath(profile string) string {
	return strings.TrimSuffix(s.Path(profile), ".json") + ".failed"
}

// NoteFailure writes down that a command failed for a profile, in a file that only its
// owner reads, until the next one of that name. With a nil failure it forgets the last
// one: the command went well.
func (s *Store) NoteFailure(profile, command string, failure error, now time.Time) error {
	if err := checkName(profile); err != nil || s.memory != nil {
		return err
	}
	noted := s.Failures(profile)
	if failure == nil {
		if _, ok := noted[command]; !ok {
			return nil
		}
		delete(noted, command)
	} else {
		noted[command] = Failure{
			Time: now.UTC(), Class: provider.KindName(failure),
			Message: text.Line(failure.Error(), maxFailureText), Hint: text.Line(provider.Hint(failure), maxFailureText),
		}
	}
	data, err := json.Marshal(noted)
	if err == nil {
		err = s.makeDir()
	}
	if err != nil {
		return err
	}
	return writePrivate(s.failurePath(profile), data)
}

// Failures returns the failures of a profile's commands that were written down, by the
// command. One that can't be read counts as none: it is only a help.
func (s *Store) Failures(profile string) map[string]Failure {
	noted := map[string]Failure{}
	if checkName(profile) != nil || s.memory != nil {
		return noted
	}
	if data, err := s.readPrivate(s.failurePath(profile)); err != nil || json.Unmarshal(data, &noted) != nil || noted == nil {
		return map[string]Failure{}
	}
	return noted
}
