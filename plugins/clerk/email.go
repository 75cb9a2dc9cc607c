package main

import (
	"context"
	"errors"
	"fmt"
	"net/http"
	"slices"
	"strings"
	"time"

	"github.com/zen-auth/zen/core/clerk"
	"github.com/zen-auth/zen/core/loopback"
	"github.com/zen-auth/zen/core/provider"
)

const (
	// maxTries is the number of prompts for a code, maxWaits the number of waits for a
	// rate limit, and maxWait the longest wait.
	maxTries = 5
	maxWaits = 3
	maxWait  = time.Minute
	// maxFactors is the largest number of factors in one sign-in.
	maxFactors = 4
)

// loginEmail signs in without a browser, with a code sent by e-mail and, if the account
// has one, a second factor.
func (p *clerkProvider) loginEmail(ctx context.Context, req provider.LoginRequest, host provider.Host) error {
	ctx, cancel := loopback.WithEnd(ctx, loginTimeout)
	defer cancel()
	address, err := host.Ask(ctx, "E-mail address of your account at "+p.settings.instance.Host)
	if err != nil {
		return err
	}
	if address = strings.TrimSpace(address); address == "" {
		return &provider.Error{Kind: provider.ErrNoCredential, Message: "clerk: no e-mail address was given", Hint: loginHint}
	}
	var attempt *clerk.Attempt
	err = p.patiently(ctx, host, func() (err error) {
		attempt, err = p.frontend.Begin(ctx, address)
		return err
	})
	for i := 0; err == nil && attempt.Status != clerk.StatusComplete; i++ {
		var factors []clerk.Factor
		if factors, err = choices(attempt); err == nil && i == maxFactors {
			err = clerk.Unavailable("sign in", "Clerk asks for ever more factors")
		}
		if err == nil {
			err = p.answer(ctx, attempt, factors, host)
		}
	}
	if err != nil {
		return err
	}
	s, err := attempt.Session()
	if err != nil {
		return err
	}
	_, err = p.store(ctx, s, req, host)
	return err
}

// choices returns the factors with which a sign-in can continue in a terminal, the best
// first.
func choices(a *clerk.Attempt) ([]clerk.Factor, error) {
	offered, wanted, what := a.SecondFactors, []string{"totp", "phone_code", "email_code", "backup_code"}, "as a second factor"
	switch a.Status {
	case clerk.StatusFirstFactor:
		offered, wanted, what = a.FirstFactors, []string{"email_code"}, "by a code"
	case clerk.StatusClientTrust:
		wanted, what = []string{"email_code", "phone_code"}, "to confirm this new device"
	case clerk.StatusSecondFactor:
	default:
		_, err := a.Session() // the error says what is missing
		return nil, err
	}
	var found []clerk.Factor
	for _, strategy := range wanted {
		if i := slices.IndexFunc(offered, func(f clerk.Factor) bool { return f.Strategy == strategy }); i >= 0 {
			found = append(found, offered[i])
		}
	}
	if len(found) > 0 {
		return found, nil
	}
	others := make([]string, 0, len(offered))
	for _, f := range offered {
		if name := clerk.Harmless(f.Strategy); name != "" {
			others = append(others, name)
		}
	}
	if len(others) == 0 {
		others = []string{"nothing"}
	}
	return nil, &provider.Error{
		Kind:    provider.ErrRejected,
		Message: fmt.Sprintf("clerk: sign in: the account takes no code in the terminal %s: Clerk offers %s", what, strings.Join(others, ", ")),
		Hint:    "sign in in a browser: --method bridge or oauth",
	}
}

// answer completes one factor: the first available one or, instead of an authenticator, a
// backup code.
func (p *clerkProvider) answer(ctx context.Context, a *clerk.Attempt, factors []clerk.Factor, host provider.Host) error {
	factor := factors[0]
	i := slices.IndexFunc(factors, func(f clerk.Factor) bool { return f.Strategy == "backup_code" })
	if err := p.send(ctx, a, factor, host); err != nil {
		return err
	}
	question, before := ask(factor, i > 0), ""
	if a.Status == clerk.StatusClientTrust {
		question += ", to confirm this new device"
	}
	for range maxTries {
		code, err := host.Ask(ctx, before+question)
		if err != nil {
			return err
		}
		code = strings.Map(func(r rune) rune {
			if r == ' ' || r == '\t' {
				return -1
			}
			return r
		}, code)
		if code == "" {
			before = "That was none. "
			continue
		}
		by := factor
		if i > 0 && !isSixDigits(code) {
			by = factors[i]
		}
		err = p.patiently(ctx, host, func() error { return p.frontend.Answer(ctx, a, by, code) })
		switch clerk.Code(err) {
		case "form_code_incorrect":
			before = "That was not it. "
		case "verification_expired":
			if err := p.send(ctx, a, factor, host); err != nil {
				return err
			}
			before = "That code had expired, and there is a new one. "
		case "verification_failed":
			return &provider.Error{Kind: provider.ErrRejected, Message: err.Error(), Err: err, Hint: "there were too many wrong codes: run zen login for a new one"}
		default:
			return err
		}
	}
	return &provider.Error{Kind: provider.ErrRejected, Message: fmt.Sprintf("clerk: sign in: none of %d codes was right", maxTries), Hint: "run zen login for a new one"}
}

// send makes Clerk send a code, if the factor is a code.
func (p *clerkProvider) send(ctx context.Context, a *clerk.Attempt, factor clerk.Factor, host provider.Host) error {
	if !factor.Sends() {
		return nil
	}
	return p.patiently(ctx, host, func() error { return p.frontend.Prepare(ctx, a, factor) })
}

func ask(factor clerk.Factor, orBackup bool) string {
	var question string
	where := clerk.Harmless(factor.Where)
	switch {
	case factor.Strategy == "totp":
		question = "Code of your authenticator app"
	case factor.Strategy == "backup_code":
		question = "One of your backup codes"
	case where != "":
		question = "Code that was sent to " + where
	default:
		question = "Code that was sent to you"
	}
	if orBackup {
		question += ", or a backup code"
	}
	return question
}

func isSixDigits(code string) bool { return len(code) == 6 && strings.Trim(code, "0123456789") == "" }

// patiently makes a call, and waits and repeats it if Clerk's rate limit is hit.
func (p *clerkProvider) patiently(ctx context.Context, host provider.Host, call func() error) error {
	for range maxWaits {
		err := call()
		after := provider.RetryAfter(err)
		var answer *clerk.AnswerError
		if !errors.As(err, &answer) || answer.Status != http.StatusTooManyRequests || after <= 0 || after > maxWait {
			return err
		}
		if err := host.Progress(ctx, fmt.Sprintf("Clerk limits how often this can be done: waiting %s", after)); err != nil {
			return err
		}
		if p.wait(ctx, after) != nil {
			return err
		}
	}
	return call()
}
