package vault_test

import (
	"runtime"
	"strconv"
	"testing"
	"time"

	"github.com/emaconform/emaconform/mockidp/directory"
	"github.com/emaconform/emaconform/mockidp/internal/vault"
)

// BenchmarkMemory reports what fifty thousand of each cost, in bytes apiece.
func BenchmarkMemory(b *testing.B) {
	const many = 50_000
	for name, fill := range map[string]func(*vault.Vault, int){
		"jti": func(v *vault.Vault, i int) {
			if _, err := v.Seen(now.Add(time.Duration(i%3600)*time.Second), now, "client", strconv.Itoa(i)); err != nil {
				b.Fatal(err)
			}
		},
		"refresh-token": func(v *vault.Vault, _ int) {
			g := vault.NewGrant("client", "user", scopes, directory.Authentication{Time: now, AMR: scopes}, now.Add(time.Hour))
			v.Keep(g, now)
			_ = v.RefreshToken(g)
		},
	} {
		b.Run(name, func(b *testing.B) {
			for b.Loop() {
				before := heap()
				v := vault.New()
				for i := range many {
					fill(v, i)
				}
				b.ReportMetric(float64(heap()-before)/many, "B/entry")
				runtime.KeepAlive(v)
			}
		})
	}
}

var scopes = []string{"openid", "offline_access"}

func heap() uint64 {
	runtime.GC()
	var m runtime.MemStats
	runtime.ReadMemStats(&m)
	return m.HeapAlloc
}
