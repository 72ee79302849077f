package server

import (
	"crypto/rand"
	"math/big"
	"strings"
)

// Like is a random text of the form of another one: letters for letters of the same case, digits for digits, all else
// as it is. What is made up is not to be told from what is true by how it looks. Of a URL and of short texts it is a
// word.
func Like(text string) string {
	const letters, digits = "abcdefghijklmnopqrstuvwxyz", "0123456789"
	if len(text) < 8 || strings.Contains(text, "://") {
		return strings.ToLower(rand.Text()[:20])
	}
	return strings.Map(func(r rune) rune {
		switch {
		case r >= 'a' && r <= 'z':
			return rune(letters[below(len(letters))])
		case r >= 'A' && r <= 'Z':
			return rune(strings.ToUpper(letters)[below(len(letters))])
		case r >= '0' && r <= '9':
			return rune(digits[below(len(digits))])
		}
		return r
	}, text)
}

func below(n int) int {
	drawn, err := rand.Int(rand.Reader, big.NewInt(int64(n)))
	if err != nil {
		panic(err) // crypto/rand ends the program first
	}
	return int(drawn.Int64())
}
