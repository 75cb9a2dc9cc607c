package loopback

import (
	"crypto/sha256"
	"encoding/base64"
	"html"
	"strings"
)

const style = `
:root{color-scheme:light dark;--ink:#1c1c1e;--soft:#6b6b70;--paper:#f6f6f4;--card:#fff;--line:#e4e4e0;--good:#1a7f4b;--bad:#b3362b}
@media(prefers-color-scheme:dark){:root{--ink:#ededed;--soft:#9a9aa0;--paper:#121213;--card:#1c1c1e;--line:#2e2e31;--good:#4cc38a;--bad:#f2786b}}
*{box-sizing:border-box;margin:0}
body{min-height:100vh;display:grid;place-items:center;padding:1.5rem;background:var(--paper);color:var(--ink);font:1rem/1.55 system-ui,-apple-system,"Segoe UI",sans-serif}
main{max-width:27rem;width:100%;padding:2.25rem 2rem;background:var(--card);border:1px solid var(--line);border-radius:14px}
.mark{display:grid;place-items:center;width:2.75rem;height:2.75rem;border-radius:50%;border:2px solid currentColor;font-size:1.35rem;line-height:1;margin-bottom:1.25rem}
.good{color:var(--good)}
.bad{color:var(--bad)}
h1{font-size:1.35rem;line-height:1.3;font-weight:600;margin-bottom:.4rem}
p{overflow-wrap:anywhere}
p+p{margin-top:1.1rem;color:var(--soft);font-size:.92rem}
`

const page = `<!doctype html>
<html lang="en">
<head>
<meta charset="utf-8">
<meta name="viewport" content="width=device-width,initial-scale=1">
<title>{title}</title>
<style>` + style + `</style>
</head>
<body>
<main>
<div class="mark {class}" aria-hidden="true">{mark}</div>
<h1>{title}</h1>
<p>{text}</p>
<p>You can close this window and go back to the terminal.</p>
</main>
</body>
</html>
`

// render makes the page of a result; all of it that varies is escaped.
func render(ok bool, title, text string) []byte {
	class, mark := "good", "✓"
	if !ok {
		class, mark = "bad", "✕"
	}
	return []byte(strings.NewReplacer(
		"{class}", class, "{mark}", mark,
		"{title}", html.EscapeString(title), "{text}", html.EscapeString(text),
	).Replace(page))
}

// contentPolicy lets a page have its own style and nothing else: no script, no
// request, no form, no frame around it.
func contentPolicy() string {
	sum := sha256.Sum256([]byte(style))
	return "default-src 'none'; style-src 'sha256-" + base64.StdEncoding.EncodeToString(sum[:]) +
		"'; base-uri 'none'; form-action 'none'; frame-ancestors 'none'"
}
