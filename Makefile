# Everything is set up by what needs it; nothing asks questions. A bare `make` lists what there is.
.DEFAULT_GOAL := help
.DELETE_ON_ERROR:
SHELL := /bin/bash
.SHELLFLAGS := -euo pipefail -c

PYTHON ?= python3
VENV := .venv
BIN := $(VENV)/bin
INSTALLED := $(VENV)/.installed
APT := $(if $(filter 0,$(shell id -u)),,sudo )apt-get

.PHONY: help setup parts run demo check test bench lock clean

help: ## list the targets
	@awk -F ':.*## ' '/^[a-z]+:.*## / { printf "  make %-8s %s\n", $$1, $$2 }' $(MAKEFILE_LIST)

setup: $(INSTALLED) ## make the virtual environment .venv, with .venv/bin/callrouter

$(INSTALLED): requirements-dev.txt pyproject.toml
	@$(PYTHON) -c 'import sys; sys.exit(sys.version_info < (3, 11))' || { echo "callrouter needs Python 3.11 or newer; set PYTHON=/path/to/python3.11"; exit 1; }
	@$(PYTHON) -c 'import ensurepip, venv' 2>/dev/null || DEBIAN_FRONTEND=noninteractive $(APT) install -qq -y python3-venv
	@test -x $(BIN)/python || $(PYTHON) -m venv $(VENV)
	@echo "installing Python packages into $(VENV)"
	@$(BIN)/python -m pip install -q --disable-pip-version-check --require-hashes -r requirements-dev.txt
	@$(BIN)/python -m pip install -q --disable-pip-version-check --no-deps --no-build-isolation -e .
	@touch $@

parts: ## install what real calls need from Debian's packages
	@deploy/parts

run: setup parts ## run the router with ./rules beside a sandbox Asterisk, which stays up (ARGS= for more)
	@deploy/asterisk/sandbox up
	@eval "$$(deploy/asterisk/sandbox env)"; export CALLROUTER_STATE=$${CALLROUTER_STATE:-.state}; \
	exec $(BIN)/callrouter run $(ARGS)

demo: setup parts ## real calls through a real Asterisk, and what became of each
	@$(BIN)/python -m tests.demo

check: setup ## lint, format, strict types, import contract, generated files, example rules and their tests
	@$(BIN)/ruff format --check -q .
	@$(BIN)/ruff check -q .
	@$(BIN)/mypy
	@$(BIN)/lint-imports --no-cache | tail -n 6
	@$(BIN)/python -m router.edge.ari.generate --check
	@$(BIN)/callrouter schema --check rules
	@for rules in rules rules/examples/first rules/examples/answering-service; do \
	$(BIN)/callrouter check $$rules; $(BIN)/callrouter test $$rules --coverage --fail-under 100; done

test: setup ## all tests, real calls included; fails below the coverage gate (DB=postgresql: real calls on that)
	@deploy/parts --tests
	@deploy/test-all $(ARGS)

bench: setup parts ## the table of costs: dialplan, bare application, node application, callrouter
	@$(BIN)/python -m tests.bench $(ARGS)

lock: setup ## pin the requirements anew
	@$(BIN)/python -m pip install -q uv
	@for extra in "" "-dev --extra dev"; do set -- $$extra; \
	$(BIN)/uv pip compile -q pyproject.toml --extra fast $${2:-} $${3:-} --universal --python-version 3.11 \
	--generate-hashes --no-emit-index-url --no-emit-find-links --no-header -o requirements$${1:-}.txt; done

clean: ## remove the virtual environment and what tests left; the cached Asterisk stays
	@rm -rf $(VENV) .state .coverage .coverage.* .mypy_cache .pytest_cache .ruff_cache .hypothesis dist
	@find . -name __pycache__ -type d -prune -exec rm -rf {} +
