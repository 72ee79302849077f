package mint

import (
	"testing"

	"github.com/go-jose/go-jose/v4"
)

// Making keys takes a while, RSA keys above all: metadata must not wait for it.
func TestMetadataDoesNotWaitForKeys(t *testing.T) {
	begun, finish := make(chan struct{}), make(chan struct{})
	ring := NewRing(nil, false, func() (*KeySet, error) {
		close(begun)
		<-finish
		return NewKeySet(jose.ES256)
	})
	made := make(chan *KeySet)
	go func() { made <- ring.Set() }()
	<-begun
	if alg := ring.Algorithm(jose.ES256); alg != jose.ES256 { // hangs when it waits
		t.Errorf("algorithm %s", alg)
	}
	close(finish)
	if keys := <-made; keys != ring.Set() {
		t.Error("the keys were made twice")
	}
}
