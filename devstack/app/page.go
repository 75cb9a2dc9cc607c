package app

import (
	"embed"
	"errors"
	"io/fs"
	"log/slog"
	"net/http"

	"github.com/zen-auth/zen/devstack/portal"
)

//go:embed page
var files embed.FS

const stylePath = "/app/style.css"

func newSite(name string, logger *slog.Logger) (*portal.Site, error) {
	pages, err := fs.Sub(files, "page")
	if err != nil {
		return nil, err
	}
	return portal.New(portal.Options{
		Brand: name, Footer: "A development app. Its users are made up.", StylePath: stylePath, Pages: pages, Logger: logger,
	}), nil
}

// clerkDown shows that a request to Clerk failed. A refusal is shown in Clerk's words,
// anything else only in the log.
func (a *App) clerkDown(w http.ResponseWriter, err error) {
	a.opts.Logger.Warn("app: clerk", "error", err)
	text := "Clerk did not answer. Try again in a moment."
	if refused, ok := errors.AsType[*clerkError](err); ok {
		text = "Clerk answered: " + refused.Text
	}
	a.site.Fail(w, http.StatusBadGateway, "Clerk can't do this now", text)
}
