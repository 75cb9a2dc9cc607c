package httpclient

import (
	"errors"
	"net/url"
	"strings"
	"testing"

	"github.com/zen-auth/zen/core/provider"
)

func TestProxies(t *testing.T) {
	for _, test := range []struct {
		env  string // NAME=VALUE, separated by commas
		url  string
		want string
	}{
		{"", "https://db.example", ""},
		{"HTTPS_PROXY=http://p:1", "https://db.example", "http://p:1"},
		{"https_proxy=p:1", "https://db.example", "http://p:1"},
		{"HTTPS_PROXY=socks5://p:1", "https://db.example", "socks5://p:1"},
		{"HTTP_PROXY=http://p:1", "https://db.example", ""},
		{"ALL_PROXY=http://p:1", "https://db.example", "http://p:1"},
		{"all_proxy=socks5h://p:1", "http://db.example", "socks5h://p:1"},
		{"ALL_PROXY=http://all:1,HTTPS_PROXY=http://p:1", "https://db.example", "http://p:1"},
		{"ALL_PROXY=http://p:1,NO_PROXY=db.example", "https://db.example", ""},
		{"HTTPS_PROXY=http://p:1", "https://127.0.0.1:8080", ""},
		{"HTTPS_PROXY=http://p:1", "https://localhost", ""},
		{"HTTPS_PROXY=http://u:a%25%2Fb@p:1/", "https://db.example", "http://u:a%25%2Fb@p:1/"},
		{"REQUEST_METHOD=GET,HTTP_PROXY=http://p:1", "http://db.example", ""},
	} {
		find, err := proxies(environment(test.env))
		if err != nil {
			t.Errorf("proxies(%s): %v", test.env, err)
			continue
		}
		u, err := url.Parse(test.url)
		if err != nil {
			t.Fatal(err)
		}
		got, err := find(u)
		if err != nil || got == nil && test.want != "" || got != nil && got.String() != test.want {
			t.Errorf("%s: %s goes through %v, %v; want %q", test.env, test.url, got, err, test.want)
		}
	}
}

func TestProxyThatCannotBeUsed(t *testing.T) {
	for _, value := range []string{
		"http://u:s3cret%zz@p:1", "http://u:s3cret/x@p:1", "http://u:s3cret#x@p:1", "http://u:s3cret x@p:1",
		"http://u:s3cret?x@p:1", "ftp://u:s3cret@p:1", "http://", "http://u:s3cret@", "http://p:port",
		"u:s3cret%@p:1", "//", "http://p:1/path",
	} {
		for _, name := range []string{"HTTPS_PROXY", "https_proxy", "HTTP_PROXY", "ALL_PROXY"} {
			_, err := proxies(environment(name + "=" + value))
			if !errors.Is(err, provider.ErrConfig) || !strings.Contains(err.Error(), name) {
				t.Errorf("%s=%s: %v, want ErrConfig that names the variable", name, value, err)
				continue
			}
			if strings.Contains(err.Error()+provider.Hint(err), "s3cret") {
				t.Errorf("%s: the error contains the value: %v", name, err)
			}
		}
	}
}

func environment(text string) func(string) string {
	return func(name string) string {
		for part := range strings.SplitSeq(text, ",") {
			if key, value, _ := strings.Cut(part, "="); key == name {
				return value
			}
		}
		return ""
	}
}
