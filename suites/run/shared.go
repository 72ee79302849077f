package run

// PeakMemory is the largest resident size of this process so far, in bytes; 0 where that is not known.
func PeakMemory() int64 { return ownPeakMemory() }
