package main

import (
	"cmp"
	"context"
	"crypto/tls"
	"crypto/x509"
	"fmt"
	"net"
	"net/http"
	"net/url"
	"os"
	"path/filepath"
	"regexp"
	"strings"
	"time"

	"github.com/zen-auth/zen/core/httpclient"
	"github.com/zen-auth/zen/core/provider"
)

const (
	keyAddress       = "address"
	keyNamespace     = "namespace"
	keyCACert        = "ca_cert"
	keyCAPath        = "ca_path"
	keyClientCert    = "client_cert"
	keyClientKey     = "client_key"
	keyTLSServerName = "tls_server_name"
	keyWrapTTL       = "wrap_ttl"
	keyToken         = "token"
	keyMount         = "mount"
	keyRole          = "role"
	keyAuthMount     = "auth_mount"
	keyAuthRole      = "auth_role"
	keyAudience      = "audience"
	keyOIDCPort      = "oidc_port"
	keyRoleID        = "role_id"
	keySecretID      = "secret_id"
	keyJWTFile       = "kubernetes_token_file"

	defaultAddress = "https://127.0.0.1:8200"
	defaultJWTFile = "/var/run/secrets/kubernetes.io/serviceaccount/token"
)

// env has the variables of both command lines, OpenBao's first, as its command line reads
// them.
func env(name string) []string { return []string{"BAO_" + name, "VAULT_" + name} }

func fields() []provider.Field {
	return []provider.Field{
		{Key: keyAddress, Type: provider.TypeURL, Env: env("ADDR"), Default: defaultAddress, Example: "https://bao.example.com:8200", Doc: "The address of OpenBao or Vault."},
		{Key: keyRole, Type: provider.TypeString, Required: true, Example: "app", Doc: "The role of the secrets engine turso that issues the tokens: MOUNT/creds/ROLE is read."},
		{Key: keyMount, Type: provider.TypeString, Default: "turso", Doc: "The path at which the secrets engine turso is mounted."},
		{Key: keyAuthRole, Type: provider.TypeString, Example: "app", Doc: "The role of the auth method; if not set, the mount's default."},
		{Key: keyAuthMount, Type: provider.TypeString, Doc: "The path of the auth method under auth/; if not set, jwt, clerk (for Clerk API keys), oidc, approle or kubernetes, depending on what signs in."},
		{Key: keyAudience, Type: provider.TypeString, Example: "https://bao.example.com", Doc: "The audience for which the provider that signed in has to make its statement; bound_audiences of the auth method's role has it, too."},
		{Key: keyNamespace, Type: provider.TypeString, Env: env("NAMESPACE"), Example: "team/", Doc: "The namespace of all paths."},
		{Key: keyCACert, Type: provider.TypeString, Env: env("CACERT"), Doc: "The file with the certificates (PEM) of the trusted authorities."},
		{Key: keyCAPath, Type: provider.TypeString, Env: env("CAPATH"), Doc: "A directory with such files."},
		{Key: keyClientCert, Type: provider.TypeString, Env: env("CLIENT_CERT"), Doc: "The file with a client certificate (PEM)."},
		{Key: keyClientKey, Type: provider.TypeString, Env: env("CLIENT_KEY"), Doc: "The file with its private key (PEM)."},
		{Key: keyTLSServerName, Type: provider.TypeString, Env: env("TLS_SERVER_NAME"), Doc: "The name that the server's certificate has to be for, if it isn't the address's."},
		{Key: keyWrapTTL, Type: provider.TypeDuration, Env: env("WRAP_TTL"), Example: "1m", Doc: "The life of wrapped answers: OpenBao wraps those with tokens, and zen unwraps them, where a policy demands it."},
		{Key: keyToken, Type: provider.TypeString, Sensitive: true, Env: env("TOKEN"), Doc: "A token of OpenBao's, for the method token."},
		{Key: keyRoleID, Type: provider.TypeString, Doc: "The role_id, for the method approle."},
		{Key: keySecretID, Type: provider.TypeString, Sensitive: true, Doc: "The secret_id, for the method approle."},
		{Key: keyJWTFile, Type: provider.TypeString, Default: defaultJWTFile, Doc: "The file with the service account's token, for the method kubernetes."},
		{Key: keyOIDCPort, Type: provider.TypeInt, Default: "8250", Doc: "The port of 127.0.0.1 that the browser comes back to, for the method oidc: http://127.0.0.1:PORT/oidc/callback has to be among the role's allowed_redirect_uris, and at the issuer."},
	}
}

type settings struct {
	address    *url.URL
	socket     string // of a Unix socket, where address has the scheme unix
	namespace  string
	mount      string
	role       string
	authMount  string
	authRole   string
	wrapTTL    time.Duration
	token      provider.Secret
	roleID     string
	secretID   provider.Secret
	jwtFile    string
	oidcPort   int
	caCert     string
	caPath     string
	clientCert string
	clientKey  string
	serverName string
}

// A mount may contain slashes; neither value can escape the path.
var (
	validPath = regexp.MustCompile(`^[A-Za-z0-9_.-]+(/[A-Za-z0-9_.-]+)*$`)
	validRole = regexp.MustCompile(`^[A-Za-z0-9_]([A-Za-z0-9_.-]*[A-Za-z0-9_])?$`)
)

func parseSettings(values provider.Settings) (settings, error) {
	trim := func(key string) string { return strings.Trim(strings.TrimSpace(values.Get(key)), "/") }
	s := settings{
		namespace: trim(keyNamespace), mount: trim(keyMount), role: values.Get(keyRole),
		authMount: strings.TrimPrefix(trim(keyAuthMount), "auth/"), authRole: values.Get(keyAuthRole),
		token: provider.NewSecret(strings.TrimSpace(values.Get(keyToken))), roleID: values.Get(keyRoleID),
		secretID: provider.NewSecret(strings.TrimSpace(values.Get(keySecretID))), jwtFile: values.Get(keyJWTFile),
		caCert: values.Get(keyCACert), caPath: values.Get(keyCAPath),
		clientCert: values.Get(keyClientCert), clientKey: values.Get(keyClientKey), serverName: values.Get(keyTLSServerName),
	}
	for key, value := range map[string]string{keyNamespace: s.namespace, keyMount: s.mount, keyAuthMount: s.authMount} {
		if value != "" && (!validPath.MatchString(value) || strings.Contains("/"+value+"/", "/../") || strings.Contains("/"+value+"/", "/./")) {
			return settings{}, wrong(key, "%.64q is not a path like turso or team/turso", value)
		}
	}
	if s.role == "" {
		return settings{}, wrong(keyRole, "it is missing: the role of the secrets engine turso, as bao list %s/roles shows it", cmp.Or(s.mount, "turso"))
	}
	for key, value := range map[string]string{keyRole: s.role, keyAuthRole: s.authRole} {
		if value != "" && !validRole.MatchString(value) {
			return settings{}, wrong(key, "%.64q is not a role's name: letters, digits, dashes, dots and underscores", value)
		}
	}
	if text := values.Get(keyWrapTTL); text != "" {
		var err error
		if s.wrapTTL, err = time.ParseDuration(text); err != nil || s.wrapTTL < time.Second {
			return settings{}, wrong(keyWrapTTL, "%.20q is not a duration of at least 1s", text)
		}
	}
	if _, err := fmt.Sscanf(cmp.Or(values.Get(keyOIDCPort), "8250"), "%d", &s.oidcPort); err != nil || s.oidcPort < 1 || s.oidcPort > 65535 {
		return settings{}, wrong(keyOIDCPort, "it is not a port")
	}
	if (s.clientCert == "") != (s.clientKey == "") {
		return settings{}, wrong(keyClientCert, "a client certificate needs both %s and %s", keyClientCert, keyClientKey)
	}
	return s, s.parseAddress(cmp.Or(values.Get(keyAddress), defaultAddress))
}

func wrong(key, format string, args ...any) error {
	return &provider.Error{Kind: provider.ErrConfig, Message: "openbao: " + key + ": " + fmt.Sprintf(format, args...)}
}

// parseAddress doesn't repeat the address in its errors, since it may contain a password.
func (s *settings) parseAddress(text string) error {
	u, err := url.Parse(strings.TrimRight(text, "/"))
	switch {
	case err == nil && u.Scheme == "unix" && u.Path != "":
		s.socket = u.Path
		s.address = &url.URL{Scheme: "http", Host: "localhost"}
		return nil
	case err != nil || u.Hostname() == "":
		return wrong(keyAddress, "it is not a whole URL like %s", defaultAddress)
	case u.User != nil || u.RawQuery != "" || u.Fragment != "":
		return wrong(keyAddress, "it has a user name, a query or a fragment")
	case u.Scheme == "http" && !provider.IsLoopback(u.Hostname()):
		return wrong(keyAddress, "it is http:// on %s, which is not this machine: write https://", u.Hostname())
	case u.Scheme != "https" && u.Scheme != "http":
		return wrong(keyAddress, "it has the scheme %.20q: write https://", u.Scheme)
	}
	u.Path = strings.TrimSuffix(strings.TrimRight(u.Path, "/"), "/v1")
	s.address = u
	return nil
}

// maxFile is the largest file that a setting may name: a system's complete authorities
// are smaller.
const maxFile = 4 << 20

// client has the authorities and the client certificate that the settings name.
func (s *settings) client() (*http.Client, error) {
	transport := httpclient.New()
	transport.TLSClientConfig.MinVersion, transport.TLSClientConfig.ServerName = tls.VersionTLS12, s.serverName
	pool, err := s.authorities()
	if err != nil {
		return nil, err
	}
	if pool != nil {
		transport.TLSClientConfig.RootCAs = pool
	}
	if s.clientCert != "" {
		cert, err := provider.ReadFile(s.clientCert, maxFile)
		if err != nil {
			return nil, wrong(keyClientCert, "%v", err)
		}
		key, err := provider.ReadFile(s.clientKey, maxFile)
		if err != nil {
			return nil, wrong(keyClientKey, "%v", err)
		}
		pair, err := tls.X509KeyPair(cert, key)
		if err != nil {
			return nil, wrong(keyClientCert, "%v", err)
		}
		transport.TLSClientConfig.Certificates = []tls.Certificate{pair}
	}
	if s.socket != "" {
		transport.Proxy = nil
		transport.DialContext = func(ctx context.Context, _, _ string) (net.Conn, error) {
			return new(net.Dialer).DialContext(ctx, "unix", s.socket)
		}
	}
	return httpclient.Over(httpclient.Wrap(transport)), nil
}

// authorities returns the configured authorities, or the system's.
func (s *settings) authorities() (*x509.CertPool, error) {
	var files []string
	key := keyCACert
	switch {
	case s.caCert != "":
		files = []string{s.caCert}
	case s.caPath != "":
		key = keyCAPath
		err := filepath.WalkDir(s.caPath, func(path string, entry os.DirEntry, err error) error {
			if err == nil && !entry.IsDir() {
				files = append(files, path)
			}
			return err
		})
		if err != nil {
			return nil, wrong(key, "%v", err)
		}
	default:
		return nil, nil
	}
	pool := x509.NewCertPool()
	for _, file := range files {
		data, err := provider.ReadFile(file, maxFile)
		if err != nil {
			return nil, wrong(key, "%v", err)
		}
		if !pool.AppendCertsFromPEM(data) {
			return nil, wrong(key, "%s has no certificate in PEM", file)
		}
	}
	return pool, nil
}
