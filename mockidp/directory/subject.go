package directory

import (
	"cmp"
	"crypto/sha256"
	"encoding/base64"
	"fmt"
	"math/big"
)

// SubjectOf is how sub names a user in this style. audience is what pairwise subjects depend on.
func SubjectOf(style SubjectStyle, u *User, audience string) string {
	switch style {
	case SubjectLogin:
		return u.Login
	case SubjectEmail:
		return cmp.Or(u.Email, u.Login)
	case SubjectUUID:
		sum := sha256.Sum256([]byte("uuid\x00" + u.ID))
		sum[6], sum[8] = sum[6]&0x0f|0x80, sum[8]&0x3f|0x80 // version 8 (RFC 9562 section 5.8): made our own way
		return fmt.Sprintf("%x-%x-%x-%x-%x", sum[:4], sum[4:6], sum[6:8], sum[8:10], sum[10:16])
	case SubjectNumeric:
		sum := sha256.Sum256([]byte("numeric\x00" + u.ID))
		return new(big.Int).SetBytes(sum[:]).Text(10)[:21]
	case SubjectPairwise:
		sum := sha256.Sum256([]byte("pairwise\x00" + audience + "\x00" + u.ID))
		return base64.RawURLEncoding.EncodeToString(sum[:])
	}
	return u.ID
}

// Named finds the user whom a sub of this style names.
func (d *Directory) Named(style SubjectStyle, sub, audience string) *User {
	switch style {
	case SubjectID, "":
		return d.User(sub)
	case SubjectLogin:
		return d.Login(sub)
	}
	for n := range d.Users {
		if SubjectOf(style, &d.Users[n], audience) == sub {
			return &d.Users[n]
		}
	}
	return nil
}
