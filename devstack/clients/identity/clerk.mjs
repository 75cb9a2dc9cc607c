// Looks at an instance with @clerk/backend, as an application's server does, and prints
// what it saw as JSON, for the Go test to judge.
import { createClerkClient, verifyToken } from "@clerk/backend";

const { CLERK_SECRET_KEY, CLERK_PUBLISHABLE_KEY, CLERK_API_URL, API_KEY, SESSION_TOKEN, JWT_KEY } = process.env;
const clerk = createClerkClient({ secretKey: CLERK_SECRET_KEY, publishableKey: CLERK_PUBLISHABLE_KEY, apiUrl: CLERK_API_URL });
const seen = {};
const failure = (promise) => promise.then(() => "no error", (e) => e.errors?.[0]?.code ?? e.code ?? String(e));

const { data: [alice] } = await clerk.users.getUserList({ emailAddress: ["alice@example.test"] });
const { data: organizations } = await clerk.organizations.getOrganizationList();
const acme = organizations.find((o) => o.slug === "acme");

const key = await clerk.apiKeys.verify(API_KEY);
seen.key = { mine: key.subject === alice.id, scopes: key.scopes, revoked: key.revoked, expired: key.expired, claims: key.claims };
const made = await clerk.apiKeys.create({ name: "made here", subject: acme.id, scopes: ["db:read"], claims: { a: "ro" }, secondsUntilExpiration: 60 });
seen.organizationKey = { organization: (await clerk.apiKeys.verify(made.secret)).subject === acme.id };
await clerk.apiKeys.revoke({ apiKeyId: made.id, revocationReason: "test" });
seen.revokedKey = await failure(clerk.apiKeys.verify(made.secret));

const session = await verifyToken(SESSION_TOKEN, { jwtKey: JWT_KEY });
seen.session = { alice: session.sub === alice.id, organization: session.o?.slg };

const invitation = await clerk.organizations.createOrganizationInvitation({
	organizationId: acme.id, emailAddress: "carol@example.test", role: "org:member", inviterUserId: alice.id,
});
seen.invitation = invitation.status;
seen.duplicate = await failure(clerk.organizations.createOrganizationInvitation({
	organizationId: acme.id, emailAddress: "carol@example.test", role: "org:member", inviterUserId: alice.id,
}));
const members = await clerk.organizations.getOrganizationMembershipList({ organizationId: acme.id });
seen.members = members.data.map((m) => [m.publicUserData.identifier, m.role]);

const template = await clerk.jwtTemplates.create({ name: "made-here", claims: { a: "rw", who: "{{user.id}}" }, lifetime: 120 });
seen.template = { name: template.name, lifetime: template.lifetime, claims: template.claims };
seen.reserved = await failure(clerk.jwtTemplates.create({ name: "bad", claims: { sub: "x" } }));

console.log(JSON.stringify(seen));
