package server

import (
	"crypto/rand"

	"github.com/emaconform/emaconform/mockidp"
	"github.com/emaconform/emaconform/mockidp/hostile"
)

// Chain is where the canary publishes a certificate of the attacker's key, in PEM; "" where nobody can be sent there.
func (t *T) Chain() string {
	if t.Canary == "" {
		return ""
	}
	return Shared(t.World, "the attacker's certificate", func() string { return t.PublishChain(rand.Text()) })
}

// PublishChain is Chain below this id of the canary, by which is seen who asks for it.
func (t *T) PublishChain(id string) string {
	MustControl(t, t.World.Control.Publish(t, id, "chain.pem", mockidp.Reply{
		Header: map[string]string{"Content-Type": "application/pem-certificate-chain"},
		Body:   string(hostile.CertificatePEM(t.Attacker))}))
	return t.Canary + "/" + id + "/chain.pem"
}
