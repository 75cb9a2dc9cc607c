// The bridge page at /cli as a Cloudflare Worker on a route of the app's own domain, where
// the app's cookies are: bridge.js beside it is the page, and this says who is signed in.
import { createClerkClient } from "@clerk/backend";

import { bridge } from "./bridge.js";

const template = "turso"; // the JWT template of the tokens of --method redirect

export default {
  async fetch(request, env) {
    const url = new URL(request.url);
    if (url.pathname !== "/cli") return new Response("There is no such page.\n", { status: 404 });
    const clerk = createClerkClient({
      secretKey: env.CLERK_SECRET_KEY,
      publishableKey: env.CLERK_PUBLISHABLE_KEY,
      ...(env.CLERK_API_URL && { apiUrl: env.CLERK_API_URL }),
    });
    // A request of its own: the form is read later.
    const state = await clerk.authenticateRequest(new Request(request.url, { headers: request.headers }), {
      authorizedParties: [url.origin],
      signInUrl: env.CLERK_SIGN_IN_URL,
      ...(env.CLERK_PROXY_URL && { proxyUrl: env.CLERK_PROXY_URL }),
    });
    if (request.method === "GET" && state.headers.get("location")) return new Response(null, { status: 307, headers: state.headers });
    const { userId, actor, orgId, orgSlug, orgRole, getToken } = state.toAuth() ?? {};
    const user = userId ? await clerk.users.getUser(userId) : null;
    return bridge(request, {
      secretKey: env.CLERK_SECRET_KEY,
      person: user && {
        userId,
        name: user.primaryEmailAddress?.emailAddress ?? userId,
        acting: Boolean(actor),
        organization: orgId && { id: orgId, slug: orgSlug, role: orgRole },
      },
      signIn(back) {
        const to = new URL(env.CLERK_SIGN_IN_URL);
        to.searchParams.set("redirect_url", back);
        return Response.redirect(to.href, 303);
      },
      ticket: async (userId, expiresInSeconds) => (await clerk.signInTokens.createSignInToken({ userId, expiresInSeconds })).token,
      token: () => getToken({ template }),
    });
  },
};
