package browse

import (
	"context"
	"errors"
	"fmt"
	"io"
	"net/http"
	"net/url"
	"slices"
	"strings"
)

// answer is the answer to a step: a redirect, or a page.
type answer struct {
	status   int
	location *url.URL
	page     *page
}

func (v *visit) send(ctx context.Context, step request) (*answer, error) {
	var body io.Reader
	if step.method == http.MethodPost {
		body = strings.NewReader(step.form.Encode())
	}
	req, err := http.NewRequestWithContext(ctx, step.method, step.to.String(), body)
	if err != nil {
		return nil, fmt.Errorf("browse: %w", err)
	}
	req.Header.Set("Accept", "text/html")
	if body != nil {
		req.Header.Set("Content-Type", "application/x-www-form-urlencoded")
		// A browser sends this for a form on the same site.
		req.Header.Set("Origin", step.to.Scheme+"://"+step.to.Host)
		req.Header.Set("Sec-Fetch-Site", "same-origin")
	}
	resp, err := v.client.Do(req)
	if err != nil {
		return nil, fmt.Errorf("browse: %s %s: %w", step.method, show(step.to), unwrapURL(err))
	}
	defer resp.Body.Close()
	got := &answer{status: resp.StatusCode}
	if location, err := resp.Location(); err == nil && resp.StatusCode/100 == 3 {
		got.location = location
		v.say("%-4s %s -> %d %s", step.method, show(step.to), resp.StatusCode, show(location))
		return got, nil
	}
	raw, err := io.ReadAll(io.LimitReader(resp.Body, maxPage))
	if err != nil {
		return nil, fmt.Errorf("browse: read %s: %w", show(step.to), err)
	}
	if got.page, err = parsePage(raw); err != nil {
		return nil, fmt.Errorf("browse: %s: %w", show(step.to), err)
	}
	v.say("%-4s %s -> %d %s", step.method, show(step.to), resp.StatusCode, got.page.title)
	return got, nil
}

func (v *visit) say(format string, args ...any) {
	if v.browser.Out != nil {
		fmt.Fprintln(v.browser.Out, strings.TrimRight(fmt.Sprintf(format, args...), " "))
	}
}

// show writes an address without the values of its query, which may be tickets.
func show(u *url.URL) string {
	clean := url.URL{Scheme: u.Scheme, Host: u.Host, Path: u.Path}
	names := make([]string, 0)
	for name := range u.Query() {
		names = append(names, url.QueryEscape(name)+"=…")
	}
	if len(names) == 0 {
		return clean.String()
	}
	slices.Sort(names)
	return clean.String() + "?" + strings.Join(names, "&")
}

// unwrapURL drops the address from an error of net/http: it holds the whole
// query.
func unwrapURL(err error) error {
	if wrapped, ok := errors.AsType[*url.Error](err); ok {
		return wrapped.Err
	}
	return err
}
