# What is used to judge this module. Versions are pinned so that a new release cannot break a build.
GOLANGCI := github.com/golangci/golangci-lint/v2/cmd/golangci-lint@v2.15.0

ACTIONLINT := github.com/rhysd/actionlint/cmd/actionlint@v1.7.12

# The product, and the library, which is a module of its own (go.work).
ALL := ./... ./mockidp/...

.PHONY: demo tools build site test lint tidy matrix bench fuzz vulncheck

demo: ## judge the embedded reference target
	go run ./cmd/emaconform server

build:
	CGO_ENABLED=0 go build -trimpath -o bin/emaconform ./cmd/emaconform

site: ## the documentation, as static pages in site/
	go run ./cmd/emaconform docs site --out site
	go run ./cmd/emaconform results results --out site/results.html

tools: ## what the tests need besides Go
	.ci/tools

# The matrices are the proof of the suite: every check can fail, no lawful choice fails, no disturbance changes a verdict; and
# what others have written is judged as its baseline says.
MATRICES := Matrix|NoDisturbance|NoHonestVariant|EveryDefect|EveryCheck|ThirdParty|HonestIdentityProviders|Official|TestHostile|StaysWithinItsMemory|NoStreamShows|NoBarriers

test: tools lint ## what a merge has to pass; installs what it needs
	go test -race -short -timeout 60m $(ALL)
	go test -timeout 80m -run '$(MATRICES)' ./cmd/emaconform ./suites/client ./fixtures/hostile ./packaging

lint:
	go vet $(ALL)
	go run $(GOLANGCI) run $(ALL)
	go run $(GOLANGCI) fmt --diff ./...
	go run $(ACTIONLINT) -shellcheck= -pyflakes=
	go mod verify

tidy: ## both go.mod files; the workspace is what resolves the library before it is published
	cd mockidp && GOWORK=off go mod tidy
	go mod edit -replace=$(LIBRARY)=./mockidp
	GOWORK=off go mod tidy; code=$$?; go mod edit -dropreplace=$(LIBRARY); exit $$code

LIBRARY := github.com/emaconform/emaconform/mockidp

matrix: ## every check against every defect
	go run ./cmd/emaconform matrix

bench:
	go test -run '^$$' -bench . -benchmem $(ALL)

vulncheck: ## known vulnerabilities in what is linked, where their database can be had
	.ci/vulncheck

FUZZTIME := 2m

fuzz: ## every fuzz target, each for FUZZTIME; the tests run them with their corpora alone
	grep -rlE '^func Fuzz' --include='*_test.go' . | while read file; do \
		grep -oE '^func Fuzz[A-Za-z]+' $$file | while read _ name; do \
			echo "$$(dirname $$file) $$name"; \
			go test -run '^$$' -fuzz "^$$name$$" -fuzztime $(FUZZTIME) ./$$(dirname $$file) || exit 1; \
		done || exit 1; \
	done
