package vault

import (
	"container/heap"
	"crypto/sha256"
	"sync"
	"time"
)

// Key is what a secret or an identifier is remembered by: half of its SHA-256, so that a store holds no secret and
// entries of any length cost the same.
type Key [16]byte

// KeyOf makes the Key of some parts, which no other parts make.
func KeyOf(parts ...string) Key {
	h := sha256.New()
	for _, p := range parts {
		n := len(p)
		h.Write([]byte{byte(n >> 24), byte(n >> 16), byte(n >> 8), byte(n)})
		h.Write([]byte(p))
	}
	return Key(h.Sum(nil)[:16])
}

// expiring is a map whose entries are forgotten when their time is over. It holds no more than limit entries.
//
// Entries are filed in slots of time by when they end. A sweep, at each put, drops the slots that are over.
type expiring[V any] struct {
	mu      sync.Mutex
	entries map[Key]entry[V]
	slots   map[int64][]Key
	order   slotHeap // of the keys of slots
	slot    int64    // seconds in a slot
	limit   int
	filed   int // keys in slots, those of removed entries among them
}

type entry[V any] struct {
	value V
	ends  int64 // Unix seconds
}

func newExpiring[V any](limit int, slot time.Duration) *expiring[V] {
	return &expiring[V]{
		entries: map[Key]entry[V]{}, slots: map[int64][]Key{}, slot: max(1, int64(slot/time.Second)), limit: limit,
	}
}

// put adds or replaces an entry. At the limit the entries that end first make room.
func (e *expiring[V]) put(k Key, v V, ends, now time.Time) {
	e.mu.Lock()
	defer e.mu.Unlock()
	e.sweep(now.Unix())
	for len(e.entries) >= e.limit && len(e.order) > 0 {
		e.evict()
	}
	e.file(k, v, ends.Unix())
}

// add puts an entry unless it is there: fresh says that it was not. ok is false at the limit: nothing was added, for
// whoever must not forget.
func (e *expiring[V]) add(k Key, v V, ends, now time.Time) (fresh, ok bool) {
	e.mu.Lock()
	defer e.mu.Unlock()
	e.sweep(now.Unix())
	if old, there := e.entries[k]; there && old.ends > now.Unix() {
		return false, true
	}
	if len(e.entries) >= e.limit {
		return false, false
	}
	e.file(k, v, ends.Unix())
	return true, true
}

func (e *expiring[V]) file(k Key, v V, ends int64) {
	slot := ends / e.slot
	if _, there := e.slots[slot]; !there {
		heap.Push(&e.order, slot)
	}
	e.slots[slot] = append(e.slots[slot], k)
	e.entries[k] = entry[V]{v, ends}
	if e.filed++; e.filed > 2*e.limit+1024 {
		e.refile()
	}
}

// refile files every entry anew: what was removed or replaced stood in its slot still.
func (e *expiring[V]) refile() {
	e.slots, e.order, e.filed = map[int64][]Key{}, nil, len(e.entries)
	for k, v := range e.entries {
		slot := v.ends / e.slot
		if _, there := e.slots[slot]; !there {
			heap.Push(&e.order, slot)
		}
		e.slots[slot] = append(e.slots[slot], k)
	}
}

func (e *expiring[V]) get(k Key, now time.Time) (V, bool) {
	e.mu.Lock()
	defer e.mu.Unlock()
	found, there := e.entries[k]
	if !there || found.ends <= now.Unix() {
		var zero V
		return zero, false
	}
	return found.value, true
}

func (e *expiring[V]) remove(k Key) {
	e.mu.Lock()
	defer e.mu.Unlock()
	delete(e.entries, k)
}

// each calls f with every entry under the lock; f says whether to keep it.
func (e *expiring[V]) each(f func(V) (keep bool)) {
	e.mu.Lock()
	defer e.mu.Unlock()
	for k, v := range e.entries {
		if !f(v.value) {
			delete(e.entries, k)
		}
	}
}

func (e *expiring[V]) len() int {
	e.mu.Lock()
	defer e.mu.Unlock()
	return len(e.entries)
}

func (e *expiring[V]) sweep(now int64) {
	for len(e.order) > 0 && (e.order[0]+1)*e.slot <= now {
		e.dropSlot()
	}
}

// dropSlot forgets the entries of the slot that ends first, except those filed again in a later one.
func (e *expiring[V]) dropSlot() {
	slot := heap.Pop(&e.order).(int64)
	e.forget(slot, e.slots[slot])
	delete(e.slots, slot)
}

// evict makes room: it forgets the half of that slot that was filed first, so that not all go who came with the newest.
func (e *expiring[V]) evict() {
	slot := e.order[0]
	keys := e.slots[slot]
	half := (len(keys) + 1) / 2
	e.forget(slot, keys[:half])
	if e.slots[slot] = keys[half:]; half == len(keys) {
		e.dropSlot()
	}
}

func (e *expiring[V]) forget(slot int64, keys []Key) {
	e.filed -= len(keys)
	for _, k := range keys {
		if v, there := e.entries[k]; there && v.ends/e.slot == slot {
			delete(e.entries, k)
		}
	}
}

type slotHeap []int64

func (h slotHeap) Len() int           { return len(h) }
func (h slotHeap) Less(i, j int) bool { return h[i] < h[j] }
func (h slotHeap) Swap(i, j int)      { h[i], h[j] = h[j], h[i] }
func (h *slotHeap) Push(x any)        { *h = append(*h, x.(int64)) }
func (h *slotHeap) Pop() any {
	last := (*h)[len(*h)-1]
	*h = (*h)[:len(*h)-1]
	return last
}
