package clerk

import (
	"strings"
	"time"

	"github.com/zen-auth/zen/devstack/random"
)

// Limits of a one-time code.
const (
	codeLifetime = 10 * time.Minute
	codeAttempts = 5 // an assumption: Clerk publishes no number
	codeWait     = 30 * time.Second
)

// signIn is a client's sign-in attempt.
type signIn struct {
	id        string
	user      *user // nil until identified
	status    string
	sessionID string // once complete
	strategy  string // of the first factor, once prepared or verified
	abandonAt time.Time

	code         string // current one-time code, or ""
	codeSentAt   time.Time
	codeExpireAt time.Time
	codeTries    int

	organization string // of a ticket: what becomes active
	second       string // strategy of the second factor, once prepared or attempted
	trust        string // client_trust_state
}

const (
	needsIdentifier  = "needs_identifier"
	needsFirstFactor = "needs_first_factor"
	complete         = "complete"

	// Where a sign-in can get stuck; see the faults.
	needsSecondFactor = "needs_second_factor"
	needsClientTrust  = "needs_client_trust"
	needsProtectCheck = "needs_protect_check"
)

// createSignIn starts a sign-in and, if the parameters suffice, completes it.
func createSignIn(inst *Instance, c *call) (any, error) {
	if inst.fault(FaultSatellite) {
		return nil, errSatellite()
	}
	if c.client != nil && !inst.opts.MultiSession && len(inst.activeSessions(c.client)) > 0 {
		return nil, errSessionExists()
	}
	attempt := &signIn{id: newID("sia"), status: needsIdentifier, abandonAt: inst.now().Add(24 * time.Hour)}
	switch strategy := c.form.Get("strategy"); strategy {
	case "ticket":
		if c.form.Get("ticket") == "" {
			return nil, errParamMissing("ticket")
		}
		ticket, err := inst.acceptTicket(c.form.Get("ticket"))
		if err != nil {
			return nil, err
		}
		attempt.user, attempt.organization = ticket.user, ticket.organization
		return inst.completeSignIn(c, attempt, strategy)
	case "", "password", "email_code":
		if err := inst.identify(c, attempt); err != nil {
			return nil, err
		}
	default:
		return nil, errParamValue("strategy", strategy)
	}
	switch c.form.Get("strategy") {
	case "password":
		return inst.attemptPassword(c, attempt)
	case "email_code":
		if !inst.offers(attempt.user, "email_code") {
			return nil, errStrategyInvalid()
		}
		if err := inst.sendCode(attempt, &attempt.strategy); err != nil {
			return nil, err
		}
	}
	if err := inst.begin(c, attempt); err != nil {
		return nil, err
	}
	return inst.wrap(c, inst.signInView(attempt)), nil
}

// begin makes the attempt the client's current one, and the client if there is none.
func (inst *Instance) begin(c *call, attempt *signIn) error {
	if c.client == nil {
		var err error
		if c.client, err = inst.newClient(); err != nil {
			return err
		}
	}
	c.client.signIn = attempt
	return nil
}

// identify finds the user with the identifier. A sign-in without a strategy needs none.
func (inst *Instance) identify(c *call, attempt *signIn) error {
	identifier := c.form.Get("identifier")
	if identifier == "" {
		if c.form.Get("strategy") == "" {
			return nil
		}
		return errParamMissing("identifier")
	}
	if attempt.user = inst.userByEmail(identifier); attempt.user == nil {
		return errIdentifierNotFound()
	}
	attempt.status = needsFirstFactor
	return nil
}

func getSignIn(inst *Instance, c *call) (any, error) {
	attempt, err := c.attempt()
	if err != nil {
		return nil, err
	}
	return inst.wrap(c, inst.signInView(attempt)), nil
}

func prepareFirstFactor(inst *Instance, c *call) (any, error) {
	attempt, err := c.attempt()
	if err != nil {
		return nil, err
	}
	switch strategy := c.form.Get("strategy"); {
	case strategy == "":
		return nil, errParamMissing("strategy")
	case attempt.status == complete:
		return nil, errVerificationDone()
	case strategy != "email_code":
		return nil, errParamValue("strategy", strategy)
	case attempt.user == nil || !inst.offers(attempt.user, strategy):
		return nil, errStrategyInvalid()
	}
	if id := c.form.Get("email_address_id"); id == "" {
		return nil, errParamMissing("email_address_id")
	} else if id != attempt.user.emailID {
		return nil, errParamInvalid("email_address_id")
	}
	if err := inst.sendCode(attempt, &attempt.strategy); err != nil {
		return nil, err
	}
	return inst.wrap(c, inst.signInView(attempt)), nil
}

func attemptFirstFactor(inst *Instance, c *call) (any, error) {
	attempt, err := c.attempt()
	if err != nil {
		return nil, err
	}
	switch strategy := c.form.Get("strategy"); {
	case strategy == "":
		return nil, errParamMissing("strategy")
	case attempt.status == complete:
		return nil, errVerificationDone()
	case strategy != "password" && strategy != "email_code":
		return nil, errParamValue("strategy", strategy)
	case attempt.user == nil || !inst.offers(attempt.user, strategy):
		return nil, errStrategyInvalid()
	case strategy == "password":
		return inst.attemptPassword(c, attempt)
	default:
		return inst.attemptCode(c, attempt)
	}
}

// attempt returns the client's current sign-in, if the path names it.
func (c *call) attempt() (*signIn, error) {
	id := c.r.PathValue("id")
	if c.client == nil || c.client.signIn == nil || c.client.signIn.id != id {
		return nil, errSignInNotFound(id)
	}
	return c.client.signIn, nil
}

func (inst *Instance) attemptPassword(c *call, attempt *signIn) (any, error) {
	password := c.form.Get("password")
	switch {
	case !inst.offers(attempt.user, "password"):
		return nil, errStrategyInvalid()
	case password == "":
		return nil, errParamMissing("password")
	case !random.Same(password, attempt.user.Password):
		return nil, errPasswordIncorrect()
	}
	return inst.completeSignIn(c, attempt, "password")
}

// sendCode makes a code and sends it in place of e-mail. Test addresses have Clerk's
// fixed code (clerk.com/docs/testing/test-emails-and-phones). A second one has to wait if
// the instance has rate limits.
func (inst *Instance) sendCode(attempt *signIn, strategy *string) error {
	now := inst.now()
	soon := inst.opts.RateLimits != nil && !attempt.codeSentAt.IsZero() && now.Sub(attempt.codeSentAt) < codeWait
	if soon || inst.fault(FaultCodeLimited) {
		return errCodeTooMany()
	}
	*strategy = "email_code"
	attempt.codeTries = 0
	attempt.codeSentAt, attempt.codeExpireAt = now, now.Add(codeLifetime)
	if local, _, _ := strings.Cut(attempt.user.Email, "@"); strings.HasSuffix(local, "+clerk_test") {
		attempt.code = "424242"
		return nil
	}
	attempt.code = newCode()
	if inst.opts.SendCode != nil {
		inst.opts.SendCode(attempt.user.Email, attempt.code)
	}
	return nil
}

// checkCode compares a code that a person typed.
func (inst *Instance) checkCode(attempt *signIn, code string) error {
	switch {
	case code == "":
		return errParamMissing("code")
	case attempt.code == "":
		return errVerificationMissing()
	case !inst.now().Before(attempt.codeExpireAt):
		return errVerificationExpired()
	case attempt.codeTries >= codeAttempts:
		return errVerificationFailed()
	case !random.Same(code, attempt.code):
		attempt.codeTries++
		return errCodeIncorrect()
	}
	attempt.code, attempt.codeSentAt = "", time.Time{}
	return nil
}

func (inst *Instance) attemptCode(c *call, attempt *signIn) (any, error) {
	if err := inst.checkCode(attempt, c.form.Get("code")); err != nil {
		return nil, err
	}
	return inst.completeSignIn(c, attempt, "email_code")
}

// completeSignIn creates the session, unless something else is required first.
func (inst *Instance) completeSignIn(c *call, attempt *signIn, strategy string) (any, error) {
	if err := inst.admitUser(attempt.user); err != nil {
		return nil, err
	}
	known := c.client != nil && c.client.knows(attempt.user)
	if err := inst.begin(c, attempt); err != nil {
		return nil, err
	}
	attempt.strategy = strategy
	if status := inst.obstacle(attempt, known); status != "" {
		attempt.status = status
		return inst.wrap(c, inst.signInView(attempt)), nil
	}
	return inst.finishSignIn(c, attempt)
}

// finishSignIn makes the session and rotates the client's token.
func (inst *Instance) finishSignIn(c *call, attempt *signIn) (any, error) {
	s := inst.newSession(attempt.user, c.client.id, attempt.organization)
	c.client.sessions = append(c.client.sessions, s)
	c.client.known = append(c.client.known, attempt.user.ID)
	attempt.status, attempt.sessionID = complete, s.id
	if err := inst.rotate(c.client); err != nil {
		return nil, err
	}
	// The answer's client has no sign_in left: it is done.
	response := inst.signInView(attempt)
	c.client.signIn = nil
	return inst.wrap(c, response), nil
}
