package proxy

import (
	"fmt"
	"strings"

	"github.com/zen-auth/zen/internal/cli/app"
	"github.com/zen-auth/zen/internal/gateway"
)

type proxyDocument struct {
	SchemaVersion int    `json:"schema_version"`
	Profile       string `json:"profile"`
	Database      string `json:"database"`
	Access        string `json:"access"`
	URL           string `json:"url"`
	AuthToken     string `json:"auth_token,omitempty"`
	EnvFile       string `json:"env_file,omitempty"`
	AdminURL      string `json:"admin_url,omitempty"`
}

// tell prints how the proxy is reached; forget takes back what is in a file.
func (p *proxy) tell(server *gateway.Server, admin *adminServer) (forget func(), err error) {
	forget = func() {}
	document := proxyDocument{
		SchemaVersion: app.SchemaVersion, Profile: p.session.Profile(), Database: p.session.Target().URL, Access: string(p.session.Access()),
		URL: server.URL(), AuthToken: server.Bearer().Reveal(), EnvFile: p.EnvFile, AdminURL: admin.url(),
	}
	if document.EnvFile != "" {
		document.AuthToken = ""
		if p.Keep {
			err = keepVariables(p.EnvFile, variables(server)[:2])
		} else {
			forget, err = writeVariables(p.EnvFile, variables(server)[:2])
		}
		if err != nil {
			return nil, err
		}
	}
	switch {
	case p.env.JSON:
		err = printJSONLine(p.env.Out, document)
	case document.EnvFile == "" && p.network == "tcp":
		_, err = fmt.Fprintln(p.env.Out, strings.Join(variables(server)[:2], "\n"))
	}
	if err != nil {
		forget()
		return nil, err
	}
	fmt.Fprintf(p.env.Notes(), "zen: proxy for %s at %s\n", p.session.Target().URL, server.URL())
	if admin != nil {
		fmt.Fprintf(p.env.Notes(), "zen: health and metrics at %s\n", admin.url())
	}
	return forget, nil
}
