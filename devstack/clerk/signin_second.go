package clerk

import (
	"crypto/hmac"
	"crypto/sha1"
	"encoding/base32"
	"encoding/binary"
	"fmt"
	"slices"
	"strings"
	"time"

	"github.com/zen-auth/zen/devstack/random"
)

// admitUser refuses users who may not sign in.
func (inst *Instance) admitUser(u *user) error {
	switch {
	case u.Banned || inst.fault(FaultUserBanned):
		return errUserBanned()
	case u.Locked:
		return errUserLocked()
	}
	return nil
}

// sso returns the strategy that a user signs in with alone, or "".
func (inst *Instance) sso(u *user) string {
	if inst.fault(FaultSSOOnly) {
		return "oauth_google"
	}
	return u.SSO
}

// offers reports whether a user may sign in by a strategy as the first factor.
func (inst *Instance) offers(u *user, strategy string) bool {
	return inst.sso(u) == "" && (strategy == "email_code" || strategy == "password" && u.Password != "")
}

// firstFactors returns the ways in which a user may sign in.
func (inst *Instance) firstFactors(u *user) []object {
	if sso := inst.sso(u); sso != "" {
		return []object{{"strategy": sso}}
	}
	factors := []object{emailFactor(u)}
	if u.Password != "" {
		factors = append(factors, object{"strategy": "password"})
	}
	return factors
}

func emailFactor(u *user) object {
	return object{"strategy": "email_code", "safe_identifier": safe(u.Email), "email_address_id": u.emailID, "primary": true}
}

// obstacle returns what a sign-in still requires after the first factor, or "".
func (inst *Instance) obstacle(attempt *signIn, known bool) string {
	attempt.trust = "new"
	if known {
		attempt.trust = "known"
	}
	switch {
	case inst.fault(FaultProtectCheck):
		return needsProtectCheck
	case inst.fault(FaultSecondFactor):
		return needsSecondFactor
	case inst.fault(FaultClientTrust):
		return needsClientTrust
	case attempt.strategy == "ticket":
		return ""
	case len(attempt.user.SecondFactors) > 0:
		return needsSecondFactor
	case inst.opts.ClientTrust && attempt.strategy == "password" && !known:
		return needsClientTrust
	}
	return ""
}

// knows reports whether a user has been signed in to the client before.
func (cl *client) knows(u *user) bool { return slices.Contains(cl.known, u.ID) }

// secondFactors returns the factors of the sign-in's second step.
func (inst *Instance) secondFactors(a *signIn) []object {
	switch {
	case a.status == needsClientTrust:
		return []object{emailFactor(a.user)}
	case a.status != needsSecondFactor:
		return nil
	case len(a.user.SecondFactors) == 0: // the fault's
		return []object{{"strategy": "totp"}}
	}
	var factors []object
	for _, strategy := range a.user.SecondFactors {
		factor := object{"strategy": strategy}
		if strategy == "email_code" {
			factor = emailFactor(a.user)
		}
		factors = append(factors, factor)
	}
	return factors
}

// takes finds the second factor of a strategy.
func (inst *Instance) takes(a *signIn, strategy string) error {
	switch {
	case strategy == "":
		return errParamMissing("strategy")
	case a.status == complete:
		return errVerificationDone()
	case !slices.ContainsFunc(inst.secondFactors(a), func(f object) bool { return f["strategy"] == strategy }):
		return errNoSecondFactors(strategy)
	}
	return nil
}

func prepareSecondFactor(inst *Instance, c *call) (any, error) {
	attempt, err := c.attempt()
	if err != nil {
		return nil, err
	}
	strategy := c.form.Get("strategy")
	if strategy != "" && strategy != "email_code" {
		return nil, errParamValue("strategy", strategy) // the others need no preparation
	}
	if err := inst.takes(attempt, strategy); err != nil {
		return nil, err
	}
	if id := c.form.Get("email_address_id"); id != "" && id != attempt.user.emailID {
		return nil, errParamInvalid("email_address_id")
	}
	if err := inst.sendCode(attempt, &attempt.second); err != nil {
		return nil, err
	}
	return inst.wrap(c, inst.signInView(attempt)), nil
}

func attemptSecondFactor(inst *Instance, c *call) (any, error) {
	attempt, err := c.attempt()
	if err != nil {
		return nil, err
	}
	strategy, code := c.form.Get("strategy"), c.form.Get("code")
	if err := inst.takes(attempt, strategy); err != nil {
		return nil, err
	}
	u := attempt.user
	switch {
	case code == "":
		return nil, errParamMissing("code")
	case strategy == "email_code":
		if err := inst.checkCode(attempt, code); err != nil {
			return nil, err
		}
	case strategy == "totp":
		if want, err := TOTP(u.TOTPSecret, inst.now()); err != nil || !random.Same(code, want) {
			return nil, errCodeIncorrect()
		}
	case strategy == "backup_code":
		i := slices.IndexFunc(u.BackupCodes, func(known string) bool { return random.Same(known, code) })
		if i < 0 {
			return nil, errCodeIncorrect()
		}
		u.BackupCodes = slices.Delete(slices.Clone(u.BackupCodes), i, i+1)
	}
	attempt.second = strategy
	if err := inst.admitUser(u); err != nil {
		return nil, err
	}
	return inst.finishSignIn(c, attempt)
}

// TOTP returns what an authenticator shows at a time: six digits of HMAC-SHA-1, every 30
// seconds others (RFC 6238).
func TOTP(secret string, at time.Time) (string, error) {
	key, err := base32.StdEncoding.WithPadding(base32.NoPadding).DecodeString(strings.ToUpper(secret))
	if err != nil || len(key) == 0 {
		return "", fmt.Errorf("clerk: TOTP: the secret is not of base 32")
	}
	mac := hmac.New(sha1.New, key)
	_ = binary.Write(mac, binary.BigEndian, at.Unix()/30) // a hash takes all there is
	sum := mac.Sum(nil)
	offset := sum[len(sum)-1] & 0xf
	return fmt.Sprintf("%06d", (binary.BigEndian.Uint32(sum[offset:])&0x7fffffff)%1e6), nil
}
