# What is used to judge this module. Versions are pinned so that a new release cannot break a build.
GOLANGCI := github.com/golangci/golangci-lint/v2/cmd/golangci-lint@v2.15.0

ACTIONLINT := github.com/rhysd/actionlint/cmd/actionlint@v1.7.12

.PHONY: demo tools build site test lint matrix bench fuzz

demo: ## judge the embedded reference target
	go run ./cmd/emaconform server

build:
	CGO_ENABLED=0 go build -trimpath -o bin/emaconform ./cmd/emaconform

site: ## the documentation, as static pages in site/
	go run ./cmd/emaconform docs site --out site

tools: ## what the tests need besides Go
	.ci/tools

test: tools lint ## everything a reviewer would look at; installs what it needs
	go test -race -short -timeout 30m ./...
	go test -timeout 60m ./cmd/... ./suites/client/... # the kill matrices and third-party software, too long under the race detector

lint:
	go vet ./...
	go run $(GOLANGCI) run ./...
	go run $(GOLANGCI) fmt --diff ./...
	go run $(ACTIONLINT) -shellcheck= -pyflakes=
	go mod verify

matrix: ## every check against every defect
	go run ./cmd/emaconform matrix

bench:
	go test -run '^$$' -bench . -benchmem ./...
