package control

import (
	"errors"
	"fmt"
	"slices"

	"github.com/emaconform/emaconform/mockidp/idp"
	"github.com/emaconform/emaconform/mockidp/mint"
	"github.com/emaconform/emaconform/mockidp/saml"
)

// orderKind is what can be asked for.
type orderKind string

const (
	idToken      = orderKind(mint.TokenID)
	idJAG        = orderKind(mint.TokenIDJAG)
	accessToken  = orderKind(mint.TokenAccess)
	samlResponse = orderKind("saml_response")
)

var orderKinds = []orderKind{idToken, idJAG, accessToken, samlResponse}

// tokenOrder asks for a token. Without user and client it starts with no claims.
type tokenOrder struct {
	Kind      orderKind `json:"kind,omitempty"`      // id_token, id_jag, access_token or saml_response
	User      string    `json:"user,omitempty"`      // login
	Client    string    `json:"client,omitempty"`    // id
	Connector string    `json:"connector,omitempty"` // id
	// id of the custom authorization server of an access token; "" is default
	Server string         `json:"server,omitempty"`
	Set    tokenContent   `json:"set,omitempty"`
	Delete []string       `json:"delete,omitempty"`
	Header map[string]any `json:"header,omitempty"` // null takes a member away
}

// tokenContent is what a token says, for the most part: claims, or members of an assertion.
type tokenContent map[string]any

type mintedToken struct {
	Token string `json:"token"`
}

func mintAny(p *idp.IdP, _ arguments, in tokenOrder) (mintedToken, error) {
	var token *mint.Token
	var err error
	switch {
	case in.Kind == samlResponse:
		return mintSAML(p, in)
	case in.Kind != "" && !slices.Contains(orderKinds, in.Kind):
		return mintedToken{}, fmt.Errorf("kind %q: expected one of %s", in.Kind, orderKinds)
	case in.User == "" && in.Kind != accessToken:
		token = mint.NewToken(p.Issuer().Keys.Signing(), "", map[string]any{})
	case in.Kind == idJAG:
		token, err = p.NewIDJAG(in.User, in.Client, in.Connector)
	case in.Kind == accessToken:
		token, err = p.NewAccessToken(in.User, in.Client, in.Server)
	default:
		token, err = p.NewIDToken(in.User, in.Client)
	}
	if err != nil {
		return mintedToken{}, err
	}
	mint.Edit{Set: in.Set, Delete: in.Delete, Header: in.Header}.Change(token)
	signed, err := token.Sign()
	return mintedToken{signed}, err
}

// mintSAML makes a signed Response for a user and a client with SAML sign-on, as base64.
func mintSAML(p *idp.IdP, in tokenOrder) (mintedToken, error) {
	if len(in.Header) > 0 || in.Connector != "" || in.Server != "" {
		return mintedToken{}, errors.New("a saml_response takes user, client, set and delete, nothing else")
	}
	a, err := p.NewSAMLAssertion(in.User, in.Client)
	if err == nil {
		err = saml.Change(a, in.Set, in.Delete)
	}
	if err != nil {
		return mintedToken{}, err
	}
	response, err := p.SAMLResponse(in.Client, a)
	return mintedToken{response}, err
}
