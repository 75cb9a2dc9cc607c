package devstack

import (
	"context"
	"encoding/json"
	"fmt"
	"io"
	"net/http"
	"net/url"
	"slices"
	"strings"
	"sync"
	"time"
)

const mailPath = "/_zen/mail"

// maxMails limits the mails in the inbox.
const maxMails = 50

// Mail is a message that the stack would have sent: a one-time code.
type Mail struct {
	At   time.Time `json:"at"`
	To   string    `json:"to"`
	Code string    `json:"code"`
}

// inbox stands in for everybody's mailboxes.
type inbox struct {
	mu    sync.Mutex
	mails []Mail        // newest last
	more  chan struct{} // closed when one arrives
}

func (i *inbox) receive(m Mail) {
	i.mu.Lock()
	defer i.mu.Unlock()
	i.mails = append(i.mails, m)
	i.mails = i.mails[max(0, len(i.mails)-maxMails):]
	if i.more != nil {
		close(i.more)
		i.more = nil
	}
}

// to returns the mails of an address or the part of it before the @, newest first; an empty
// one is everybody. The channel is closed when there are more.
func (i *inbox) to(address string) ([]Mail, <-chan struct{}) {
	i.mu.Lock()
	defer i.mu.Unlock()
	if i.more == nil {
		i.more = make(chan struct{})
	}
	found := []Mail{}
	for _, m := range slices.Backward(i.mails) {
		local, _, _ := strings.Cut(m.To, "@")
		if address == "" || strings.EqualFold(m.To, address) || strings.EqualFold(local, address) {
			found = append(found, m)
		}
	}
	return found, i.more
}

// Mails returns the codes that were sent to an address, or to whoever's part before the @ it
// is, newest first. An empty one is everybody's.
func (s *Stack) Mails(address string) []Mail {
	found, _ := s.inbox.to(address)
	return found
}

// mailHandler lists mails (GET). With after, a time, it waits for one that is later.
func (s *Stack) mailHandler(w http.ResponseWriter, r *http.Request) {
	if r.Header.Get(adminHeader) == "" {
		http.Error(w, "the header "+adminHeader+" is missing", http.StatusForbidden)
		return
	}
	query := r.URL.Query()
	after, err := time.Parse(time.RFC3339Nano, query.Get("after"))
	if err != nil && query.Has("after") {
		http.Error(w, "after is not a time", http.StatusBadRequest)
		return
	}
	mails, more := s.inbox.to(query.Get("to"))
	for query.Has("after") && (len(mails) == 0 || !mails[0].At.After(after)) {
		select {
		case <-more:
			mails, more = s.inbox.to(query.Get("to"))
		case <-r.Context().Done():
			return
		case <-s.background.Done():
			http.Error(w, "the stack has ended", http.StatusServiceUnavailable)
			return
		}
	}
	w.Header().Set("Content-Type", "application/json")
	_ = json.NewEncoder(w).Encode(mails)
}

// Mails returns the stack's mails for an address, newest first. With wait, the answer comes
// when there is one that is newer than the last.
func (a Admin) Mails(ctx context.Context, address string, wait bool) ([]Mail, error) {
	list := func(query url.Values) ([]Mail, error) {
		var mails []Mail
		err := a.do(ctx, http.MethodGet, mailPath+"?"+query.Encode(), nil, &mails)
		return mails, err
	}
	query := url.Values{"to": {address}}
	mails, err := list(query)
	if err != nil || !wait {
		return mails, err
	}
	query.Set("after", time.Time{}.Format(time.RFC3339Nano))
	if len(mails) > 0 {
		query.Set("after", mails[0].At.Format(time.RFC3339Nano))
	}
	return list(query)
}

// send makes a call and returns the body of a good answer.
func (a Admin) send(req *http.Request) ([]byte, error) {
	req.Header.Set(adminHeader, "1")
	client := a.Client
	if client == nil {
		client = http.DefaultClient
	}
	resp, err := client.Do(req)
	if err != nil {
		return nil, fmt.Errorf("%w: %w", ErrNoStack, err)
	}
	defer resp.Body.Close()
	answer, err := io.ReadAll(io.LimitReader(resp.Body, 1<<20))
	if err != nil {
		return nil, fmt.Errorf("read the stack's answer: %w", err)
	}
	switch resp.StatusCode {
	case http.StatusOK:
		return answer, nil
	case http.StatusNotFound: // of the switches alone
		return nil, fmt.Errorf("%w: %s", ErrNoFault, strings.TrimSpace(string(answer)))
	}
	return nil, fmt.Errorf("the stack answered %s: %s", resp.Status, strings.TrimSpace(string(answer)))
}
