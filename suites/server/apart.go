package server

// Apart is in how many places two texts have another character: few, where one can be guessed from the other.
func Apart(a, b string) int {
	n := max(len(a), len(b)) - min(len(a), len(b))
	for i := range min(len(a), len(b)) {
		if a[i] != b[i] {
			n++
		}
	}
	return n
}
