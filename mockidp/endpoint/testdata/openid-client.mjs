// Signs in with openid-client as its documentation says, then refreshes, introspects, asks for userinfo, exchanges the ID
// token for an ID-JAG, and revokes. It writes the authorization URL, reads the URL that the browser came back to, and
// writes what it got.
import { createInterface } from 'node:readline/promises';
import * as client from 'openid-client';

const { issuer, id, secret, redirect, audience, resource } = JSON.parse(process.env.SIGN_IN);
const config = await client.discovery(new URL(issuer), id, secret, undefined, { execute: [client.allowInsecureRequests] });
const verifier = client.randomPKCECodeVerifier();
const state = client.randomState();
const nonce = client.randomNonce();
const to = client.buildAuthorizationUrl(config, {
  redirect_uri: redirect, scope: 'openid profile email offline_access', state, nonce,
  code_challenge: await client.calculatePKCECodeChallenge(verifier), code_challenge_method: 'S256'
});
console.log(to.href);
const lines = createInterface({ input: process.stdin });
const back = await new Promise((resolve) => lines.once('line', resolve));
lines.close();

const tokens = await client.authorizationCodeGrant(config, new URL(back), {
  pkceCodeVerifier: verifier, expectedState: state, expectedNonce: nonce, idTokenExpected: true
});
const { sub, email } = await client.fetchUserInfo(config, tokens.access_token, tokens.claims().sub);
const fresh = await client.refreshTokenGrant(config, tokens.refresh_token);
const grant = await client.genericGrantRequest(config, 'urn:ietf:params:oauth:grant-type:token-exchange', {
  requested_token_type: 'urn:ietf:params:oauth:token-type:id-jag', audience, resource,
  subject_token: tokens.id_token, subject_token_type: 'urn:ietf:params:oauth:token-type:id_token'
});
const before = await client.tokenIntrospection(config, fresh.access_token);
await client.tokenRevocation(config, fresh.refresh_token);
const after = await client.tokenIntrospection(config, fresh.access_token);
console.log(JSON.stringify({
  sub, email, rotated: fresh.refresh_token !== tokens.refresh_token, active: [before.active, after.active],
  type: grant.token_type, issued: grant.issued_token_type
}));
