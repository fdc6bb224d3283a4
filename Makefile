# Two commands do everything on a fresh Debian machine with Swift: `make run` and `make test`.

SWIFT ?= swift
# For every build, for example --scratch-path /tmp/build.
SWIFT_FLAGS ?=
RELEASE_FLAGS ?= -c release
PREFIX ?= /usr/local
DESTDIR ?=

SHELL := bash
.SHELLFLAGS := -euo pipefail -c
# One shell a recipe, so that recipes can have variables.
.ONESHELL:
.DEFAULT_GOAL := help

export SWIFT SWIFT_FLAGS
release := $(SWIFT) build $(SWIFT_FLAGS) $(RELEASE_FLAGS)
debug := $(SWIFT) build $(SWIFT_FLAGS)
sources = find Package.swift Sources Tests workers -name '*.swift' -not -path '*/Generated/*'
share := $(DESTDIR)$(PREFIX)/share

.PHONY: run test build release install format lint check clean help

run: release ## Build, run a real batch, and show the result
	@cohort="$$($(release) --show-bin-path)/cohort"
	for options in --dry-run --no-progress '--no-progress --output json'; do
	    echo
	    echo "$$ cohort run $$options workers/examples/first.yaml"
	    "$$cohort" run $$options workers/examples/first.yaml
	done

test: ## Run all tests, then all checks
	.ci/prepare test
	$(debug) --build-tests
	.ci/tests
	.ci/check

build: ## Build for debugging
	.ci/prepare
	$(debug)

release: ## Build for use
	.ci/prepare
	$(release) --product cohort

install: release ## Install the program, its manual pages and its shell completions under PREFIX
	@command -v python3 >/dev/null || { echo 'make install: python3 is missing; install it with: apt-get install python3' >&2; exit 1; }
	cohort="$$($(release) --show-bin-path)/cohort"
	made="$$(mktemp -d)"
	trap 'rm -rf "$$made"' EXIT
	.ci/manual "$$cohort" "$$made/man"
	for shell in bash zsh fish; do "$$cohort" --generate-completion-script "$$shell" >"$$made/$$shell"; done
	install -D -m 755 "$$cohort" "$(DESTDIR)$(PREFIX)/bin/cohort"
	install -D -m 644 -t "$(share)/man/man1" "$$made"/man/*
	install -D -m 644 "$$made/bash" "$(share)/bash-completion/completions/cohort"
	install -D -m 644 "$$made/zsh" "$(share)/zsh/site-functions/_cohort"
	install -D -m 644 "$$made/fish" "$(share)/fish/vendor_completions.d/cohort.fish"
	echo "installed under $(DESTDIR)$(PREFIX)"

format: ## Format the Swift files in place
	$(sources) -exec $(SWIFT) format -i --parallel --configuration .swift-format {} +

lint: ## Check the formatting only
	@.ci/check format

check: ## Run the repository's own checks
	@.ci/check

clean: ## Remove what was built
	$(SWIFT) package $(SWIFT_FLAGS) clean

help: ## Show this list
	@awk -F ':.*## ' '/^[a-z]+:.*## / { printf "make %-9s %s\n", $$1, $$2 }' $(MAKEFILE_LIST)

