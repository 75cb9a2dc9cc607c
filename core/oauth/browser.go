package oauth

import (
	"cmp"
	"context"
	"crypto/rand"
	"crypto/subtle"
	"errors"
	"fmt"
	"net/http"
	"net/url"
	"slices"
	"strconv"
	"strings"
	"sync"
	"time"

	"golang.org/x/oauth2"

	"github.com/zen-auth/zen/core/httpclient"
	"github.com/zen-auth/zen/core/loopback"
	"github.com/zen-auth/zen/core/provider"
)

// callbackPath is the path of every redirect URI of zen's.
const callbackPath = "/callback"

// defaultSilence is BrowserOptions.Silence where that is zero.
const defaultSilence = 20 * time.Second

// BrowserOptions shape a sign-in in a browser.
type BrowserOptions struct {
	Scopes []string
	// Params are further parameters of the authorization request, such as audience.
	Params url.Values
	// Ports are for an issuer that compares redirect URIs to the letter: those of
	// 127.0.0.1 that are registered there. None means any port, for an issuer that follows
	// RFC 8252 section 7.3.
	Ports []int
	// Mismatch is the text of the issuer's page for a redirect URI that is not
	// registered: "Callback URL mismatch". If empty, general words are shown.
	Mismatch string
	// Where says where addresses are registered: "Allowed Callback URLs of the
	// application, in the Auth0 dashboard".
	Where string
	// Silence is the time after which a person whose page is still open is told what could be
	// wrong: an issuer that doesn't know the redirect URI shows that in the browser
	// alone. Zero means 20 s.
	Silence time.Duration
	// Otherwise says how to sign in where no port can be had: "--method device".
	Otherwise string
}

// CallbackURLs returns the addresses that have to be registered at the issuer for ports.
func CallbackURLs(ports []int) []string {
	if len(ports) == 0 {
		return []string{"http://127.0.0.1" + callbackPath}
	}
	urls := make([]string, len(ports))
	for i, port := range ports {
		urls[i] = "http://127.0.0.1:" + strconv.Itoa(port) + callbackPath
	}
	return urls
}

// Browser signs in by the authorization code with PKCE (RFC 6749, 7636, 8252): it opens
// the issuer's page, waits for the callback on loopback (or for its address, pasted),
// and exchanges the code. finish has the tokens and stores them; the browser shows
// success, with the name that it returns, only once finish has. It is called at most
// once.
func (c *Client) Browser(ctx context.Context, host Host, o BrowserOptions, finish func(context.Context, Tokens) (name string, err error)) error {
	if c.Metadata.AuthorizationEndpoint == "" {
		return c.lacks("authorization_endpoint")
	}
	ctx, cancel := loopback.WithEnd(ctx, signInTimeout)
	defer cancel()
	listener, err := loopback.Listen(ctx, loopback.Options{Path: callbackPath, Ports: o.Ports})
	if err != nil {
		return c.listenError(err, o)
	}
	defer func() { _ = listener.Close() }()

	request := c.authorization(listener.RedirectURL(), listener.State(), o)
	if err := host.OpenURL(ctx, request.url, ""); err != nil {
		return err
	}
	callback, err := c.waitFor(ctx, host, listener, o)
	if err != nil {
		return err
	}
	name, err := c.finish(ctx, callback, request, finish)
	if err != nil {
		callback.Fail(err)
		return err
	}
	callback.Succeed("This terminal is authorised as " + name + ".")
	return nil
}

// authorizationRequest is one authorization request, and what its answer is held to.
type authorizationRequest struct {
	url, redirectURI, verifier, nonce string
}

func (c *Client) authorization(redirectURI, state string, o BrowserOptions) authorizationRequest {
	r := authorizationRequest{redirectURI: redirectURI, verifier: oauth2.GenerateVerifier()}
	config := oauth2.Config{
		ClientID: c.ID, RedirectURL: r.redirectURI, Scopes: o.Scopes,
		Endpoint: oauth2.Endpoint{AuthURL: c.Metadata.AuthorizationEndpoint},
	}
	options := []oauth2.AuthCodeOption{oauth2.S256ChallengeOption(r.verifier)}
	if slices.Contains(o.Scopes, "openid") {
		r.nonce = rand.Text()
		options = append(options, oauth2.SetAuthURLParam("nonce", r.nonce))
	}
	for name, values := range o.Params {
		for _, value := range values {
			options = append(options, oauth2.SetAuthURLParam(name, value))
		}
	}
	r.url = config.AuthCodeURL(state, options...)
	return r
}

// waitFor waits for the callback, and says after a while what may be wrong.
func (c *Client) waitFor(ctx context.Context, host Host, listener *loopback.Listener, o BrowserOptions) (*loopback.Callback, error) {
	if err := host.Progress(ctx, "waiting for the browser"); err != nil {
		return nil, err
	}
	waiting, stop := context.WithCancel(ctx)
	var telling sync.WaitGroup
	telling.Go(func() {
		timer := time.NewTimer(cmp.Or(o.Silence, defaultSilence))
		defer timer.Stop()
		select {
		case <-timer.C:
			_ = host.Progress(waiting, c.mismatch(listener.RedirectURL(), o))
		case <-waiting.Done():
		}
	})
	callback, err := listener.WaitOrPaste(ctx, host.AskSecret)
	stop()
	telling.Wait()
	if err != nil {
		return nil, c.waitError(err)
	}
	return callback, nil
}

// mismatch explains what an issuer shows in the browser alone.
func (c *Client) mismatch(redirectURI string, o BrowserOptions) string {
	shows := "an error about the redirect or callback URL"
	if o.Mismatch != "" {
		shows = strconv.Quote(o.Mismatch)
	}
	where := "at the issuer"
	if o.Where != "" {
		where = "in " + o.Where
	}
	return fmt.Sprintf("Nothing came back to %s yet. If the browser shows %s, register for the application %s, %s: %s",
		redirectURI, shows, Harmless(c.ID), where, strings.Join(CallbackURLs(o.Ports), ", "))
}

func (c *Client) listenError(err error, o BrowserOptions) error {
	failure := unavailable(c.Name, "sign in", err.Error())
	failure.Err = err
	if _, ok := errors.AsType[*loopback.BusyError](err); ok {
		failure.Hint = "end one of these programs (ss -ltnp shows them)"
		if o.Otherwise != "" {
			failure.Hint += ", or sign in with " + o.Otherwise
		}
	}
	return failure
}

func (c *Client) waitError(err error) error {
	var denied *loopback.DeniedError
	if !errors.As(err, &denied) {
		return &provider.Error{
			Kind: provider.ErrNoCredential, Message: prefixed(c.Name, "%v", err), Err: err,
			Hint: "run zen login again in a terminal, open the address that it shows, and paste the one where the browser ends",
		}
	}
	failure := &provider.Error{
		Kind: provider.ErrRejected, Message: prefixed(c.Name, "%v", err), Hint: "nothing was authorised: run zen login to try again",
		Err: errors.Join(err, &Error{Code: denied.Code, Description: Harmless(denied.Description)}),
	}
	switch denied.Code {
	case CodeUnauthorizedClient, "invalid_scope", "unsupported_response_type", "invalid_request", "invalid_target":
		failure.Kind = provider.ErrConfig
		failure.Hint = "it is about the application at the issuer, or the settings of this provider"
	case "temporarily_unavailable", "server_error":
		failure.Kind = provider.ErrUnavailable
	}
	return failure
}

// finish exchanges the code of a callback.
func (c *Client) finish(ctx context.Context, callback *loopback.Callback, r authorizationRequest, finish func(context.Context, Tokens) (string, error)) (string, error) {
	// RFC 9207: the issuer that answered is the one that was asked.
	issuer := callback.Get("iss")
	if (issuer != "" || c.Metadata.NamesItself) && subtle.ConstantTimeCompare([]byte(issuer), []byte(c.Metadata.Issuer)) != 1 {
		return "", &provider.Error{
			Kind:    provider.ErrTokenInvalid,
			Message: prefixed(c.Name, "the browser brought the answer of the issuer %.100q, not of %s", issuer, c.Metadata.Issuer),
		}
	}
	code := callback.Get("code")
	if code == "" {
		return "", &provider.Error{Kind: provider.ErrTokenInvalid, Message: prefixed(c.Name, "the browser brought no code")}
	}
	tokens, err := c.grant(ctx, "exchange the code", url.Values{
		"grant_type": {"authorization_code"}, "code": {code}, "redirect_uri": {r.redirectURI}, "code_verifier": {r.verifier},
	})
	if err != nil {
		return "", err
	}
	tokens.Nonce = r.nonce
	return finish(ctx, tokens)
}

// TryBrowser begins a sign-in and goes no further: it finds out whether the issuer
// knows a redirect URI of the application, which it shows in the browser alone. For one
// that it knows, the error is what the issuer would answer there.
func (c *Client) TryBrowser(ctx context.Context, redirectURI string, o BrowserOptions) (known bool, err error) {
	const what = "begin a sign-in"
	if c.Metadata.AuthorizationEndpoint == "" {
		return false, c.lacks("authorization_endpoint")
	}
	ctx, cancel := context.WithTimeout(ctx, callTimeout)
	defer cancel()
	req, err := http.NewRequestWithContext(ctx, http.MethodGet, c.authorization(redirectURI, rand.Text(), o).url, nil)
	if err != nil {
		return false, unavailable(c.Name, what, "the request can't be made")
	}
	res, err := httpClient(c.HTTP).Do(req)
	if err != nil {
		return false, httpclient.Failure(prefixed(c.Name, "%s", what), err)
	}
	_ = res.Body.Close() // it is for a person
	if res.StatusCode == http.StatusTooManyRequests || res.StatusCode >= 500 {
		failure := unavailable(c.Name, what, "HTTP "+strconv.Itoa(res.StatusCode))
		failure.RetryAfter = httpclient.RetryAfter(res.Header)
		return false, failure
	}
	location, err := res.Location()
	if err != nil || res.StatusCode/100 != 3 {
		return false, nil
	}
	code := location.Query().Get("error")
	if code == "" || !strings.HasPrefix(location.String(), redirectURI) {
		return true, nil
	}
	refused := &Error{Code: Harmless(code), Description: Harmless(location.Query().Get("error_description"))}
	return true, &provider.Error{Kind: provider.ErrConfig, Message: prefixed(c.Name, "no sign-in can begin: %v", refused), Err: refused}
}

// EndSessionURL returns the page that ends the browser's own session at the issuer (OpenID
// Connect RP-Initiated Logout 1.0), or "" if there is none.
func (c *Client) EndSessionURL() string {
	u, err := url.Parse(c.Metadata.EndSessionEndpoint)
	if err != nil || u.Host == "" {
		return ""
	}
	query := u.Query()
	query.Set("client_id", c.ID)
	u.RawQuery = query.Encode()
	return u.String()
}
