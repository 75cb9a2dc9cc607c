// The bridge page at /cli of a Next.js app with @clerk/nextjs: bridge.js beside it is the
// page, and this says who is signed in. Let clerkMiddleware() run for /cli, and let no
// Content-Security-Policy of the app's be added there.
import { auth, clerkClient } from "@clerk/nextjs/server";

import { bridge } from "./bridge.js";

export const dynamic = "force-dynamic";

const template = "turso"; // the JWT template of the tokens of --method redirect

async function handle(request) {
  const { userId, actor, orgId, orgSlug, orgRole, getToken, redirectToSignIn } = await auth();
  const clerk = await clerkClient();
  const user = userId ? await clerk.users.getUser(userId) : null;
  return bridge(request, {
    secretKey: process.env.CLERK_SECRET_KEY,
    person: user && {
      userId,
      name: user.primaryEmailAddress?.emailAddress ?? userId,
      acting: Boolean(actor),
      organization: orgId && { id: orgId, slug: orgSlug, role: orgRole },
    },
    signIn: (back) => redirectToSignIn({ returnBackUrl: back }),
    ticket: async (userId, expiresInSeconds) => (await clerk.signInTokens.createSignInToken({ userId, expiresInSeconds })).token,
    token: () => getToken({ template }),
  });
}

export { handle as GET, handle as POST };
