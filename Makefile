# Every target with a comment after "##" is listed by `make help`.
SHELL := /bin/bash
.SHELLFLAGS := -euo pipefail -c
.DEFAULT_GOAL := help
MAKEFLAGS += --no-builtin-rules

VERSION ?= $(shell git describe --tags --always --dirty 2>/dev/null || echo dev)

# The packages whose goroutines meet: tested with the race detector, which needs
# a C compiler. Empty to go without.
RACE_PACKAGES ?= ./engine/...

# What all tests together may take.
TEST_MINUTES ?= 15

.PHONY: help
help: ## List the targets
	@grep -hE '^[a-z0-9-]+:.*##' $(MAKEFILE_LIST) | awk -F':.*## ' '{ printf "  %-9s %s\n", $$1, $$2 }'

.PHONY: build
build: ## Build bin/flowctl
	go build -trimpath -ldflags '-s -w -X main.version=$(VERSION)' -o bin/flowctl ./cmd/flowctl

.PHONY: test
test: ## Install what the tests need, then vet and test everything
	@.ci/install
	go vet ./...
	@.ci/test $(TEST_MINUTES) $(RACE_PACKAGES)

.PHONY: lint
lint: ## Check formatting, vet, staticcheck, unreachable code, shell scripts
	@.ci/lint

.PHONY: e2e
e2e: ## Test against a real Odoo 19 from Debian's package (skips where there is none)
	@mkdir -p build; rm -f build/e2e.skipped; \
	code=0; .ci/e2e || code=$$?; \
	if [ $$code = 77 ]; then \
		echo 'no Odoo 19 on this machine' >build/e2e.skipped; \
		echo '**** e2e SKIPPED: nothing was tested against a real Odoo' >&2; \
	else exit $$code; fi

.PHONY: chaos
chaos: ## Break everything while 1,000 orders arrive (see docs/chaos.md)
	@.ci/install
	FLOWCTL_CHAOS_ORDERS=$${FLOWCTL_CHAOS_ORDERS:-1000} go test -count=1 -timeout 60m -v ./cmd/flowctl/chaos

.PHONY: bench
bench: ## Print delays of the feeds, of another shop beside a backlog of 10,000, and of validate
	go test -run '^$$' -bench StockLatency -benchtime 15x -timeout 10m ./cmd/flowctl/behaviour
	go test -run '^$$' -bench Validate -benchtime 10x ./cmd/flowctl
	FLOWCTL_BACKLOG=10000 go test -count=1 -v -run TestABacklogOfOneShopIsNoWaitOfAnother ./engine | grep -E 'median|ok|FAIL'

.PHONY: demo
demo: ## Run the app between a simulated shop and a simulated Odoo
	go run ./cmd/flowctl demo

.PHONY: clean
clean: ## Remove what was built here
	rm -rf bin build
