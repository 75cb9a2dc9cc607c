package clerk

import (
	"errors"
	"fmt"
	"time"

	"github.com/golang-jwt/jwt/v5"
)

const (
	ticketPending  = "pending"
	ticketAccepted = "accepted"
	ticketRevoked  = "revoked"
)

// signInToken is a one-time ticket that signs its user in.
type signInToken struct {
	id           string
	user         *user
	organization string // id or slug, or ""
	status       string
	token        string
	createdAt    time.Time
	updatedAt    time.Time
	expireAt     time.Time
}

// newTicket makes a sign-in token. Its string is a JWT signed by the instance;
// to clients it is opaque.
func (inst *Instance) newTicket(u *user, organization string, lifetime time.Duration) (*signInToken, error) {
	now := inst.now()
	t := &signInToken{
		id: newID("sit"), user: u, organization: organization, status: ticketPending, createdAt: now, updatedAt: now,
		expireAt: now.Add(lifetime),
	}
	token, err := inst.keys.sign(nil, map[string]any{
		"exp": t.expireAt.Unix(),
		"iid": inst.opts.InstanceID,
		"sid": t.id,
		"st":  "sign_in_token",
	})
	if err != nil {
		return nil, err
	}
	t.token = token
	inst.tickets[t.id] = t
	return t, nil
}

// acceptTicket redeems a ticket.
func (inst *Instance) acceptTicket(token string) (*signInToken, error) {
	claims, err := inst.verify(token)
	if errors.Is(err, jwt.ErrTokenExpired) {
		return nil, errTicketExpired()
	}
	id, _ := claims["sid"].(string)
	t := inst.tickets[id]
	if err != nil || t == nil {
		return nil, errTicketInvalid()
	}
	switch t.status {
	case ticketAccepted:
		return nil, errTicketUsed()
	case ticketRevoked:
		return nil, errTicketRevoked()
	}
	t.status, t.updatedAt = ticketAccepted, inst.now()
	return t, nil
}

// Ticket makes a sign-in token without the Backend API, for tests. A negative
// lifetime makes an expired one.
func (inst *Instance) Ticket(userID string, lifetime time.Duration) (string, error) {
	inst.mu.Lock()
	defer inst.mu.Unlock()
	u := inst.userByID(userID)
	if u == nil {
		return "", fmt.Errorf("clerk: ticket: no user %q", userID)
	}
	t, err := inst.newTicket(u, "", lifetime)
	if err != nil {
		return "", err
	}
	return t.token, nil
}
