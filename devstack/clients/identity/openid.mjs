// Signs in with openid-client, by code and by device, as an application would, refreshes,
// and revokes. It prints an address a line for the person to open, and at the end what it
// saw as JSON, for the Go test to judge.
import { once } from "node:events";
import { createServer } from "node:http";
import * as client from "openid-client";

const { ISSUER, CLIENT_ID, AUDIENCE, PORTS } = process.env;
const config = await client.discovery(new URL(ISSUER), CLIENT_ID, undefined, client.None(), {
	execute: [client.allowInsecureRequests],
});
const scope = "openid profile email offline_access";
const audience = AUDIENCE ? { audience: AUDIENCE } : {};
const open = (address) => console.log(JSON.stringify({ open: String(address) }));
const seen = {};

// By code.
let arrive;
const arrived = new Promise((resolve) => { arrive = resolve; });
const server = createServer((request, response) => {
	response.end("You can close this page");
	arrive(new URL(request.url, `http://127.0.0.1:${server.address().port}`));
});
for (const port of PORTS.split(" ")) { // of those that the client may come back to, one is free
	try {
		server.listen(Number(port), "127.0.0.1");
		await once(server, "listening");
		break;
	} catch (error) {
		if (error.code !== "EADDRINUSE") throw error;
	}
}
const [verifier, state, nonce] = [client.randomPKCECodeVerifier(), client.randomState(), client.randomNonce()];
open(client.buildAuthorizationUrl(config, {
	redirect_uri: `http://127.0.0.1:${server.address().port}/callback`,
	scope, state, nonce, ...audience,
	code_challenge: await client.calculatePKCECodeChallenge(verifier),
	code_challenge_method: "S256",
}));
const tokens = await client.authorizationCodeGrant(config, await arrived, {
	pkceCodeVerifier: verifier, expectedState: state, expectedNonce: nonce, idTokenExpected: true,
});
server.close();
server.closeAllConnections();
seen.code = { email: tokens.claims().email, refresh: Boolean(tokens.refresh_token) };
const info = await client.fetchUserInfo(config, tokens.access_token, tokens.claims().sub);
seen.userinfo = info.email;

// Refresh, and an end.
const again = await client.refreshTokenGrant(config, tokens.refresh_token);
seen.rotated = Boolean(again.refresh_token) && again.refresh_token !== tokens.refresh_token;
const last = again.refresh_token ?? tokens.refresh_token;
await client.tokenRevocation(config, last, { token_type_hint: "refresh_token" });
seen.revoked = await client.refreshTokenGrant(config, last).then(() => "no error", (e) => e.error);

// By device.
const device = await client.initiateDeviceAuthorization(config, { scope, ...audience });
open(device.verification_uri_complete);
const polled = await client.pollDeviceAuthorizationGrant(config, device);
seen.device = polled.claims().email;

console.log(JSON.stringify(seen));
