package catalogue

import "testing"

func TestFind(t *testing.T) {
	for _, r := range All() {
		if got, ok := Find(r.ID); !ok || got.ID != r.ID {
			t.Errorf("Find(%s) does not find it", r.ID)
		}
	}
	if len(ForRole("ras")) == 0 {
		t.Error("no requirement for ras")
	}
}
