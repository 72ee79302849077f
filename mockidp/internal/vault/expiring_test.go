package vault

import (
	"strconv"
	"testing"
	"time"
)

func TestExpiringIsBounded(t *testing.T) {
	e := newExpiring[int](100, time.Second)
	t0 := time.Unix(1_000_000, 0)
	for i := range 1000 {
		e.put(KeyOf(strconv.Itoa(i)), i, t0.Add(time.Duration(i+1)*time.Second), t0)
	}
	if n := e.len(); n > 100 {
		t.Errorf("holds %d", n)
	}
	if _, found := e.get(KeyOf("999"), t0); !found {
		t.Error("the one that lives longest was forgotten")
	}
	if fresh, ok := e.add(KeyOf("new"), 0, t0.Add(time.Hour), t0); fresh || ok {
		t.Errorf("a full memory took one that must not be forgotten: fresh %t, ok %t", fresh, ok)
	}
	later := t0.Add(2000 * time.Second)
	if fresh, ok := e.add(KeyOf("new"), 0, later.Add(time.Hour), later); !fresh || !ok || e.len() != 1 {
		t.Errorf("what has ended was not forgotten: %d are left", e.len())
	}
}

func TestPutAgainOutlivesItsFirstSlot(t *testing.T) {
	e := newExpiring[int](10, time.Second)
	t0 := time.Unix(1_000_000, 0)
	e.put(KeyOf("x"), 1, t0.Add(time.Second), t0)
	e.put(KeyOf("x"), 2, t0.Add(time.Hour), t0)
	e.put(KeyOf("y"), 3, t0.Add(time.Hour), t0.Add(time.Minute))
	if v, found := e.get(KeyOf("x"), t0.Add(time.Minute)); !found || v != 2 {
		t.Error(v, found)
	}
}

func TestAFullSlotForgetsItsOldestFirst(t *testing.T) {
	e := newExpiring[int](100, time.Hour)
	t0 := time.Unix(1_000_000, 0)
	for i := range 1000 {
		e.put(KeyOf(strconv.Itoa(i)), i, t0.Add(time.Minute), t0)
		if n := e.len(); n > 100 {
			t.Fatalf("holds %d", n)
		}
		if _, found := e.get(KeyOf(strconv.Itoa(max(0, i-10))), t0); !found {
			t.Fatalf("of %d the one that came ten before was forgotten", i)
		}
	}
}

// Codes are removed when they are redeemed: what is left of them must not grow.
func TestRemovedEntriesLeaveNothing(t *testing.T) {
	e := newExpiring[int](10, time.Hour)
	t0 := time.Unix(1_000_000, 0)
	for i := range 100_000 {
		e.put(KeyOf(strconv.Itoa(i)), i, t0.Add(time.Minute), t0)
		e.remove(KeyOf(strconv.Itoa(i)))
	}
	kept := 0
	for _, keys := range e.slots {
		kept += len(keys)
	}
	if kept > 2000 {
		t.Errorf("%d keys are left of entries that were removed", kept)
	}
}
