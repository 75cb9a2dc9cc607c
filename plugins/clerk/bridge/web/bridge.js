// A page at which an app's users authorise a terminal that signs in with zen and Clerk.
// Copy this file and change it as you like; it needs only what browsers and servers have
// in common: Request, Response, crypto.

const ticketSeconds = 30; // long enough for a redirect
const formSeconds = 600;
const acting = "You act as somebody else here, and a terminal would be that person. Sign in as yourself.";

/**
 * Answers a request to the page.
 * @param {Request} request
 * @param {object} app
 * @param {string} app.secretKey the Clerk instance's, sk_...
 * @param {{userId: string, name: string, acting: boolean, organization?: {id: string,
 *   slug?: string | null, role?: string | null} | null} | null} app.person who is signed in,
 *   in which organization, and whether somebody acts as them: a terminal would be that person
 *   for a week
 * @param {(back: string) => Response | Promise<Response>} app.signIn sends the browser to sign in, and back
 * @param {(userId: string, seconds: number) => Promise<string>} app.ticket makes a Clerk sign-in token
 * @param {() => Promise<string>} [app.token] makes a token from the session and a JWT template,
 *   for --method redirect; without it the page hands over tickets alone
 */
export async function bridge(request, app) {
  const asked = read(new URL(request.url).searchParams);
  if (request.method !== "GET" && request.method !== "POST") {
    return problem(405, "This page is opened, or answered by its buttons.");
  }
  // Before the person is asked to sign in, and never with a redirect.
  if (asked.problem) return problem(400, `This link can't be used: ${asked.problem}.`);
  if (asked.mode === "token" && !app.token) return problem(400, "This page hands over tickets alone (--method bridge).");
  if (request.method === "GET") {
    if (!app.person) return app.signIn(request.url);
    if (app.person.acting) return problem(403, acting);
    return ask(asked, app.person, await token(app, asked, Math.floor(Date.now() / 1000) + formSeconds));
  }
  if (!fromHere(request)) return problem(403, "This came from another site. Nothing was authorised.");
  if (!app.person) return problem(403, "You are signed out. Nothing was authorised: start again from your terminal.");
  if (app.person.acting) return problem(403, acting);
  const form = await request.formData();
  if (!(await checks(app, asked, String(form.get("token"))))) {
    return problem(403, "This form is not yours, or older than ten minutes. Nothing was authorised: start again from your terminal.");
  }
  switch (form.get("decision")) {
    case "cancel":
      return reply(asked, { error: "access_denied" });
    case "authorise":
      try {
        if (asked.mode === "token") return reply(asked, { token: await app.token(), ...shown(app.person) });
        return reply(asked, { ticket: await app.ticket(app.person.userId, ticketSeconds) });
      } catch (err) {
        console.error("cli bridge:", err);
        return problem(502, "This can't be done now. Nothing was authorised: try again in a moment.");
      }
  }
  return problem(400, "No decision was made. Start again from your terminal, and press one of the buttons.");
}

// read checks a terminal's request. Each expression covers the whole text: no user, no
// query, no other host. Tickets are sent only to a program on this machine (RFC 8252,
// section 7.3).
function read(query) {
  const asked = {};
  for (const name of ["redirect_uri", "state", "code", "client", "mode"]) {
    const values = query.getAll(name);
    if (values.length > 1) return { problem: `${name} is there twice` };
    asked[name] = values[0] ?? "";
  }
  const port = /^http:\/\/127\.0\.0\.1:([1-9][0-9]{0,4})\/callback$/.exec(asked.redirect_uri)?.[1];
  if (!port || Number(port) > 65535) {
    return { problem: "redirect_uri is not http://127.0.0.1:PORT/callback, a program on your own machine" };
  }
  if (!/^[A-Za-z0-9_.~-]{16,256}$/.test(asked.state)) return { problem: "state is not of 16 to 256 URL-safe characters" };
  if (!/^[A-Z0-9]{4}-[A-Z0-9]{4}$/.test(asked.code)) return { problem: "code does not look like WXYZ-2345" };
  if (!/^[A-Za-z0-9][A-Za-z0-9 ._-]{0,39}$/.test(asked.client)) return { problem: "client is not a plain name of at most 40 characters" };
  if (!["", "ticket", "token"].includes(asked.mode)) return { problem: "mode is neither ticket nor token" };
  return { ...asked, port };
}

// fromHere refuses requests that the browser marks as coming from another site.
function fromHere(request) {
  const site = request.headers.get("sec-fetch-site");
  if (site) return site === "same-origin";
  try {
    return new URL(request.headers.get("origin")).host === request.headers.get("host");
  } catch {
    return false;
  }
}

// token is the value that a form has to return: it is bound to this person and this
// request, and no one else can read it.
async function token(app, asked, until) {
  return `${until}.${hex(await crypto.subtle.sign("HMAC", await key(app), content(app, asked, until)))}`;
}

async function checks(app, asked, text) {
  const [, until, mac] = /^([0-9]{1,12})\.([0-9a-f]{64})$/.exec(text) ?? [];
  if (!until || Number(until) <= Date.now() / 1000) return false;
  const bytes = Uint8Array.from(mac.match(/../g), (pair) => parseInt(pair, 16));
  return crypto.subtle.verify("HMAC", await key(app), bytes, content(app, asked, until)); // in constant time
}

const encoder = new TextEncoder();
const key = (app) => crypto.subtle.importKey("raw", encoder.encode(app.secretKey), { name: "HMAC", hash: "SHA-256" }, false, ["sign", "verify"]);
const content = (app, asked, until) => // none of them has a line break
  encoder.encode(["zen cli bridge", until, app.person.userId, asked.redirect_uri, asked.state, asked.code, asked.client, asked.mode].join("\n"));
const hex = (bytes) => Array.from(new Uint8Array(bytes), (b) => b.toString(16).padStart(2, "0")).join("");

// shown is what zen status shows about the person in addition to the token. No decision
// uses it.
function shown({ name, organization }) {
  const { id, slug, role } = organization ?? {};
  return Object.fromEntries(Object.entries({ name, org_id: id, org_slug: slug, org_role: role }).filter(([, value]) => value));
}

// reply sends the browser back to the terminal.
function reply(asked, answer) {
  const to = `${asked.redirect_uri}?${new URLSearchParams({ state: asked.state, ...answer })}`;
  return new Response(null, { status: 303, headers: { Location: to, "Cache-Control": "no-store", "Referrer-Policy": "no-referrer" } });
}

// Browsers apply form-action also to the redirect after a form, so it names the one port
// that the answer is sent to.
function ask(asked, person, token) {
  return page(200, `'self' http://127.0.0.1:${asked.port}`, `<h1>Authorise a terminal?</h1>
<p><strong>${escape(asked.client)}</strong>, running on this computer, wants to act as <strong>${escape(person.name)}</strong>.</p>
<p>Your terminal shows<br><output class="code">${escape(asked.code)}</output></p>
${asked.mode === "token" ? "<p>It gets a token for databases, which nobody can take back before it ends.</p>\n" : ""}<p>Go on only if you started this yourself and the code is the one in your terminal.</p>
<form method="post">
<input type="hidden" name="token" value="${token}">
<button name="decision" value="authorise">Authorise this terminal</button>
<button name="decision" value="cancel">Cancel</button>
</form>`);
}

const problem = (status, why) => page(status, "'none'", `<h1>Nothing was authorised</h1>\n<p>${escape(why)}</p>`);

// The form is posted to the page's full address. With the policy no-referrer its POST
// would have no Origin.
function page(status, action, main) {
  const nonce = crypto.randomUUID();
  return new Response(`<!doctype html>
<html lang="en">
<head>
<meta charset="utf-8">
<meta name="viewport" content="width=device-width">
<title>Authorise a terminal</title>
<style nonce="${nonce}">
body { font: 1rem/1.5 system-ui, sans-serif; max-width: 34rem; margin: 4rem auto; padding: 0 1rem }
.code { font: 2rem/2 ui-monospace, monospace }
button { font: inherit; padding: .5rem 1rem }
</style>
</head>
<body>
<main>
${main}
</main>
</body>
</html>
`, {
    status,
    headers: {
      "Content-Type": "text/html; charset=utf-8",
      "Content-Security-Policy": `default-src 'none'; style-src 'nonce-${nonce}'; form-action ${action}; frame-ancestors 'none'; base-uri 'none'`,
      "X-Frame-Options": "DENY",
      "X-Content-Type-Options": "nosniff",
      "Referrer-Policy": "same-origin",
      "Cache-Control": "no-store",
    },
  });
}

const escape = (s) => s.replace(/[&<>"']/g, (c) => `&#${c.charCodeAt(0)};`);
