// Reads an organization with @clerk/backend, as an application's server does, and prints
// who is in it and who was invited, as JSON, for the Go test to judge.
import { createClerkClient } from "@clerk/backend";

const { CLERK_SECRET_KEY, CLERK_API_URL } = process.env;
const clerk = createClerkClient({ secretKey: CLERK_SECRET_KEY, apiUrl: CLERK_API_URL });

const { data: organizations } = await clerk.organizations.getOrganizationList();
const organizationId = organizations.find((o) => o.slug === "acme").id;
const { data: members } = await clerk.organizations.getOrganizationMembershipList({ organizationId });
const { data: invitations } = await clerk.organizations.getOrganizationInvitationList({ organizationId });
const { data: [alice] } = await clerk.users.getUserList({ emailAddress: ["alice@example.test"] });
const days = (i) => Math.round((i.expiresAt - i.createdAt) / 86_400_000);

console.log(JSON.stringify({
	members: members.map((m) => [m.publicUserData.identifier, m.role]).sort(),
	invitations: invitations.map((i) => [i.emailAddress, i.role, i.status, days(i), i.raw.inviter_id === alice.id]).sort(),
}));
