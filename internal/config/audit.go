package config

import (
	"path/filepath"

	"github.com/zen-auth/zen/core/provider"
)

// auditVariable goes before the user file's key audit.
const auditVariable = "ZEN_AUDIT"

// auditDefault stands for the file in the state directory, which a document
// doesn't know.
const auditDefault = "true"

const auditHint = "audit takes true, false or the absolute path of a file"

// setAudit reads the key audit of a user file.
func (d *document) setAudit(n node) error {
	if d.kind == KindProjectFile {
		return d.errorf(n.line, "put it into the user file", "has audit, which a project file may not")
	}
	text := ""
	switch {
	case n.shape == shapeBool:
		if n.text == "true" {
			text = auditDefault
		}
	case n.shape != shapeText:
		return d.errorf(n.line, auditHint, "has an audit that is neither a boolean nor a path")
	case !filepath.IsAbs(n.text):
		return d.errorf(n.line, auditHint, "has an audit that is not an absolute path")
	default:
		text = filepath.Clean(n.text)
	}
	d.audit = Value[string]{Value: text, Origin: d.origin(n.line)}
	return nil
}

// setAudit resolves the file of the audit log, from the environment or the user
// file.
func (c *Config) setAudit() error {
	c.Audit = c.user.audit
	if text, ok := c.environ.lookup(auditVariable); ok {
		c.Audit.Origin = Origin{Kind: KindEnvironment, Name: auditVariable}
		switch {
		case text == "0" || text == "false":
			c.Audit.Value = ""
		case text == "1" || text == "true":
			c.Audit.Value = auditDefault
		case filepath.IsAbs(text):
			c.Audit.Value = filepath.Clean(text)
		default:
			return &provider.Error{
				Kind: provider.ErrConfig, Hint: auditHint,
				Message: auditVariable + " is neither 1, 0 nor an absolute path",
			}
		}
	}
	if c.Audit.Value == auditDefault {
		c.Audit.Value = filepath.Join(c.Paths.StateDir, "audit.log")
	}
	return nil
}
