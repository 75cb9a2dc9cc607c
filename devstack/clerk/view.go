package clerk

import (
	"cmp"
	"slices"
	"time"
)

// ms returns a point in time as the APIs write it.
func ms(t time.Time) int64 { return t.UnixMilli() }

// nullable makes an empty text null.
func nullable(s string) any {
	if s == "" {
		return nil
	}
	return s
}

func (inst *Instance) clientView(cl *client) object {
	if cl == nil {
		return nil
	}
	sessions := []object{}
	var last any
	for _, s := range inst.activeSessions(cl) {
		if inst.sessionsGone() {
			continue
		}
		sessions = append(sessions, inst.clientSessionView(s))
		last = s.id
	}
	var attempt any
	if cl.signIn != nil {
		attempt = inst.signInView(cl.signIn)
	}
	return object{
		"object":                       "client",
		"id":                           cl.id,
		"sessions":                     sessions,
		"sign_in":                      attempt,
		"sign_up":                      nil,
		"last_active_session_id":       last,
		"last_authentication_strategy": nil,
		"cookie_expires_at":            nil,
		"captcha_bypass":               false,
		"created_at":                   ms(cl.createdAt),
		"updated_at":                   ms(cl.updatedAt),
	}
}

// sessionView is both APIs' view of a session.
func (inst *Instance) sessionView(s *session) object {
	return object{
		"object":                      "session",
		"id":                          s.id,
		"status":                      s.status,
		"actor":                       nil,
		"last_active_organization_id": nullable(s.organizationID),
		"last_active_at":              ms(s.lastActiveAt),
		"expire_at":                   ms(s.expireAt),
		"abandon_at":                  ms(s.createdAt.Add(30 * 24 * time.Hour)),
		"created_at":                  ms(s.createdAt),
		"updated_at":                  ms(s.updatedAt),
	}
}

func (inst *Instance) clientSessionView(s *session) object {
	view := inst.sessionView(s)
	view["factor_verification_age"] = []int{int(inst.now().Sub(s.createdAt) / time.Minute), -1}
	view["last_active_token"] = nil
	view["user"] = inst.userView(s.user)
	view["public_user_data"] = publicUserView(s.user)
	return view
}

func (inst *Instance) backendSessionView(s *session) object {
	view := inst.sessionView(s)
	view["user_id"] = s.user.ID
	view["client_id"] = s.clientID
	view["tasks"] = nil
	return view
}

func (inst *Instance) userView(u *user) object {
	memberships := []object{}
	for _, m := range u.memberships {
		memberships = append(memberships, inst.membershipView(u, m))
	}
	return object{
		"object":                          "user",
		"id":                              u.ID,
		"username":                        nil,
		"first_name":                      nullable(u.FirstName),
		"last_name":                       nullable(u.LastName),
		"image_url":                       "",
		"has_image":                       false,
		"primary_email_address_id":        u.emailID,
		"primary_phone_number_id":         nil,
		"primary_web3_wallet_id":          nil,
		"password_enabled":                u.Password != "",
		"two_factor_enabled":              len(u.SecondFactors) > 0,
		"totp_enabled":                    slices.Contains(u.SecondFactors, "totp"),
		"backup_code_enabled":             slices.Contains(u.SecondFactors, "backup_code"),
		"email_addresses":                 []object{emailView(u)},
		"phone_numbers":                   []object{},
		"web3_wallets":                    []object{},
		"passkeys":                        []object{},
		"organization_memberships":        memberships,
		"external_accounts":               []object{},
		"saml_accounts":                   []object{},
		"public_metadata":                 u.PublicMetadata,
		"unsafe_metadata":                 u.UnsafeMetadata,
		"external_id":                     nil,
		"last_sign_in_at":                 nil,
		"banned":                          u.Banned,
		"locked":                          u.Locked,
		"lockout_expires_in_seconds":      nil,
		"verification_attempts_remaining": nil,
		"delete_self_enabled":             true,
		"create_organization_enabled":     true,
		"last_active_at":                  nil,
		"mfa_enabled_at":                  nil,
		"mfa_disabled_at":                 nil,
		"legal_accepted_at":               nil,
		"created_at":                      ms(u.createdAt),
		"updated_at":                      ms(u.updatedAt),
	}
}

func emailView(u *user) object {
	return object{
		"object":        "email_address",
		"id":            u.emailID,
		"email_address": u.Email,
		"reserved":      false,
		"verification":  object{"object": "verification_admin", "status": "verified", "strategy": "admin", "attempts": nil, "expire_at": nil},
		"linked_to":     []object{},
		"created_at":    ms(u.createdAt),
		"updated_at":    ms(u.createdAt),
	}
}

func roleName(role string) string {
	switch role {
	case "org:admin":
		return "Admin"
	case "org:member":
		return "Member"
	}
	return role
}

func (inst *Instance) signInView(a *signIn) object {
	view := object{
		"object":                     "sign_in_attempt",
		"id":                         a.id,
		"status":                     a.status,
		"supported_identifiers":      []string{"email_address"},
		"supported_first_factors":    nil,
		"supported_second_factors":   nil,
		"first_factor_verification":  nil,
		"second_factor_verification": nil,
		"identifier":                 nil,
		"user_data":                  nil,
		"created_session_id":         nullable(a.sessionID),
		"abandon_at":                 ms(a.abandonAt),
		"client_trust_state":         cmp.Or(a.trust, "pending"),
	}
	if u := a.user; u != nil {
		view["supported_first_factors"] = inst.firstFactors(u)
		if factors := inst.secondFactors(a); factors != nil {
			view["supported_second_factors"] = factors
		}
		view["identifier"] = u.Email
		view["user_data"] = object{
			"first_name": nullable(u.FirstName), "last_name": nullable(u.LastName), "image_url": "", "has_image": false,
		}
	}
	if a.strategy != "" {
		view["first_factor_verification"] = inst.verificationView(a, a.strategy, a.second == "" && a.status != complete)
	}
	if a.second != "" {
		view["second_factor_verification"] = inst.verificationView(a, a.second, a.status != complete)
	}
	return view
}

// verificationView returns a step of a sign-in. One that is open waits for the code that was
// sent.
func (inst *Instance) verificationView(a *signIn, strategy string, open bool) object {
	status, expire := "verified", any(nil)
	if open && a.code != "" {
		status, expire = "unverified", ms(a.codeExpireAt)
		if !inst.now().Before(a.codeExpireAt) {
			status = "expired"
		}
	}
	kinds := map[string]string{
		"ticket": "verification_ticket", "password": "verification_password", "email_code": "verification_otp",
		"totp": "verification_totp", "backup_code": "verification_backup_code",
	}
	return object{"object": kinds[strategy], "status": status, "strategy": strategy, "attempts": a.codeTries, "expire_at": expire}
}

// safe hides most of an address, as Clerk shows it to someone not signed in yet.
func safe(email string) string {
	for i, r := range email {
		if r == '@' && i > 1 {
			return email[:1] + "****" + email[i-1:]
		}
	}
	return email
}

func ticketView(t *signInToken, withToken bool) object {
	view := object{
		"object":     "sign_in_token",
		"id":         t.id,
		"status":     t.status,
		"user_id":    t.user.ID,
		"url":        nil,
		"created_at": ms(t.createdAt),
		"updated_at": ms(t.updatedAt),
	}
	if withToken {
		view["token"] = t.token
	}
	return view
}
