package inspect

// word explains a member. says, when there is one, tells what a value means here.
type word struct {
	meaning string
	source  Source
	says    func(t *token, value any, idp Provider) string
}

var headerWords = map[string]word{
	"alg": {"The signature algorithm.", "RFC 7515 §4.1.1", sayAlgorithm},
	"kid": {"Which of the issuer's keys signed it.", "RFC 7515 §4.1.4", sayKey},
	"typ": {"What kind of JWT this is, so that one kind is not taken for another.", "RFC 8725 §3.11", nil},
	"cty": {"What is inside, when the payload is itself a token.", "RFC 7519 §5.2", nil},
	"jwk": {"A key that the token brings along. Nobody may verify with it: anyone can bring a key.",
		"RFC 7515 §4.1.3", nil},
	"jku": {"An address of keys that the token names. Nobody may fetch it.", "RFC 7515 §4.1.2", nil},
	"x5u": {"An address of certificates that the token names. Nobody may fetch it.", "RFC 7515 §4.1.5", nil},
	"x5c": {"Certificates that the token brings along. Nobody may trust them for being there.", "RFC 7515 §4.1.6", nil},
	"x5t": {"Thumbprint of the certificate of the key.", "RFC 7515 §4.1.7", nil},
	"b64": {"Whether the payload is base64url. A JWT's always is.", "RFC 7515 §4.1.11", nil},
	"enc": {"How the content is encrypted.", "RFC 7516 §4.1.2", nil},
	"zip": {"How the content was compressed before it was encrypted.", "RFC 7516 §4.1.3", nil},
	"crit": {"Members of the header that whoever reads the token has to understand, or else refuse it.",
		"RFC 7515 §4.1.11", nil},
}

var claimWords = map[string]word{
	"iss": {"Who made the token: the issuer identifier of the identity provider.", "ID-JAG draft-04 §3.1", sayIssuer},
	"sub": {"The user, as the RAS knows them from single sign-on. Unique only together with iss (and tenant).",
		"ID-JAG draft-04 §3.1", saySubject},
	"aud": {"Whom the token is for. In an ID-JAG the issuer identifier of the one RAS that may take it; in an ID " +
		"token the client.",
		"ID-JAG draft-04 §4.4.1", sayAudience},
	"client_id": {"The client by its id at the RAS, which need not be its id here. The RAS compares it with the " +
		"client that has authenticated.",
		"ID-JAG draft-04 §4.4.1", sayClient},
	"resource": {"The MCP server that the access token will be for: its resource identifier.", "EMA §7.6.2", sayResource},
	"scope": {"What the identity provider's policy allows, separated by spaces. The RAS grants no more.",
		"ID-JAG draft-04 §3.1", nil},
	"jti": {"Identifies this one token, so that a RAS can refuse it when it comes a second time.", "EMA §7.4.2", nil},
	"exp": {"The token is not to be taken at or after this time.", "RFC 7519 §4.1.4", sayTime},
	"iat": {"When it was made.", "RFC 7519 §4.1.6", sayTime},
	"nbf": {"Not to be taken before this time.", "RFC 7519 §4.1.5", sayTime},
	"email": {"The user's address. It may help to find an account where the identity provider is authoritative for " +
		"the domain; the account is identified by sub.", "ID-JAG draft-04 §3.1", nil},
	"email_verified": {"Whether the issuer has made sure that the address is the user's.",
		"OpenID Connect Core §5.1", nil},
	"name": {"The user's full name, for show.", "OpenID Connect Core §5.1", nil},
	"preferred_username": {"What the user signs in with, for show. It can change, and is no identifier.",
		"OpenID Connect Core §5.1", nil},
	"updated_at": {"When the user's data were last changed.", "OpenID Connect Core §5.1", sayTime},
	"groups":     {"Groups that the user is in.", "Okta", nil},
	"auth_time": {"When the user authenticated, which may be long before the token was made.",
		"ID-JAG draft-04 §3.1", sayTime},
	"acr": {"The class of authentication that was satisfied.", "ID-JAG draft-04 §3.1", nil},
	"amr": {"The methods by which the user authenticated.", "RFC 8176 §2", sayMethods},
	"act": {"Who acts on behalf of the user, for instance an agent. It authenticates nobody.",
		"RFC 8693 §4.1", nil},
	"cnf": {"The key that the sender has to prove. With jkt the RAS wants a DPoP proof of the key with this thumbprint.",
		"ID-JAG draft-04 §9.8.1", nil},
	"tenant": {"The customer of a multi-tenant issuer: sub is unique only together with it.",
		"ID-JAG draft-04 §6.1", nil},
	"aud_tenant": {"The customer's tenant at the RAS, when that is multi-tenant.", "ID-JAG draft-04 §3.1", nil},
	"aud_sub":    {"The user's account at the RAS, by the RAS's own id.", "ID-JAG draft-04 §3.1", nil},
	"sub_id":     {"The user in another form, here as SAML single sign-on names them.", "ID-JAG draft-04 §3.2.2", nil},
	"authorization_details": {"What is allowed, in a form richer than scope: an array of objects.",
		"RFC 9396 §2", nil},
	"nonce": {"Comes back from the authorization request, so that the client sees that the ID token answers it.",
		"OpenID Connect Core §2", nil},
	"at_hash": {"Half a hash of the access token that came along.", "OpenID Connect Core §3.1.3.6", nil},
	"azp":     {"The client that the ID token was issued to.", "OpenID Connect Core §2", nil},
	"sid":     {"The session at the identity provider.", "OpenID Connect Core §2", nil},
	"ver":     {"Version of Okta's layout.", "Okta", nil},
	"idp":     {"Okta's id of the organisation or provider that authenticated the user.", "Okta", nil},
	"cid":     {"The client that the access token was issued to.", "Okta", sayClientHere},
	"uid":     {"Okta's id of the user.", "Okta", nil},
	"scp":     {"The scopes of an access token, as an array.", "Okta", nil},
}

// members explains the members of an object.
func (t *token) members(o object, words map[string]word, idp Provider) []Member {
	out := make([]Member, 0, len(o))
	for _, m := range o {
		x := Member{Name: visible(m.name, 80), Value: show(m.value), Again: m.again}
		if w, known := words[m.name]; known {
			x.Meaning, x.Source = w.meaning, w.source
			if w.says != nil && idp.Directory != nil {
				x.Says = w.says(t, m.value, idp)
			}
		} else {
			x.Meaning = "Not a member that these specifications know. Whoever does not know it ignores it, and it grants " +
				"nothing."
			x.Source = "RFC 7519 §4"
		}
		out = append(out, x)
	}
	return out
}
