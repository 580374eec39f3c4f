# Everything a developer or a release manager types. The virtual environment sets itself up, and again whenever a lock changes.

SHELL := bash
.SHELLFLAGS := -euo pipefail -c
.DEFAULT_GOAL := help
.DELETE_ON_ERROR:

VERSION ?= 3.15.0a3
VENV := .venv
PYTHON := $(VENV)/bin/python
RUNTIME := $(VENV)/.stamp
DEVELOPMENT := $(VENV)/.stamp-dev
PIP_INSTALL := $(PYTHON) -m pip install --quiet --disable-pip-version-check --no-input
COMPILE := $(VENV)/bin/uv pip compile pyproject.toml --quiet --universal --python-version 3.11 --generate-hashes --custom-compile-command "make lock"

# Pages that `python -m bot NAME docs` writes as docs/NAME.md.
GENERATED := profile commands dossier

.PHONY: help rehearse run test chaos verify-real bench-verify check docs lock

help: ## show this list
	@awk -F ':.*## ' '/^[a-z-]+:.*## / { printf "make %-13s %s\n", $$1, $$2 }' $(MAKEFILE_LIST)

rehearse: $(RUNTIME) ## carry a release through a world in a box: make rehearse VERSION=3.15.0a3, or VERSION="azure-core 1.30.0"
	@$(PYTHON) -m bot rehearse $(VERSION)

run: $(RUNTIME) ## run the bot on this machine, configured by the environment
	@BOT_HOME="$${BOT_HOME:-$(CURDIR)/.bot-home}" $(PYTHON) -m bot serve

# Stories mostly wait for each other's next look, so more of them than processors run at once.
# Measuring makes everything slower, so it is done where the parts lie that must be covered, and not for the stories.
test: $(DEVELOPMENT) ## run the tests and measure what they cover
	@$(PYTHON) -m pytest -n 2 --cov --cov-report= tests/test_*.py
	@$(PYTHON) -m coverage report --fail-under=100
	@$(PYTHON) -m pytest -n 4 --dist worksteal --ignore-glob='tests/test_*.py'

chaos: $(DEVELOPMENT) ## run every story with lost, doubled and shuffled deliveries and with deaths, and the rarer cases
	@$(PYTHON) -m pytest -n 2 -m chaos

verify-real: $(DEVELOPMENT) ## bring every row of the real artifacts' MANIFEST to its verdict, and every bundle of CPython's history
	@$(PYTHON) -m tests.verify_real

bench-verify: $(RUNTIME) ## measure what verifying costs: speed of digests, memory, a tarball against its tree
	@$(PYTHON) -m bench.verify

check: $(DEVELOPMENT) ## lint, format, types, generated pages
	@$(PYTHON) -m ruff check
	@$(PYTHON) -m ruff format --check
	@$(PYTHON) -m mypy
	@for page in $(GENERATED); do \
		$(PYTHON) -m bot $$page docs | diff -u docs/$$page.md - || { echo "docs/$$page.md is out of date: run make docs." >&2; exit 1; }; \
	done

docs: $(RUNTIME) ## write the generated pages
	@for page in $(GENERATED); do $(PYTHON) -m bot $$page docs > docs/$$page.md.new && mv docs/$$page.md.new docs/$$page.md; done

lock: $(DEVELOPMENT) ## write requirements.lock and requirements-dev.lock anew from pyproject.toml; UPGRADE=1 takes newer versions
	@$(COMPILE) --all-extras $(if $(UPGRADE),--upgrade) --output-file requirements-dev.lock
	@$(COMPILE) --extra build --constraint requirements-dev.lock $(if $(UPGRADE),--upgrade) --output-file requirements.lock

$(RUNTIME): requirements.lock pyproject.toml
	@if ! $(PYTHON) -c '' 2>/dev/null; then \
		for python in python3.11 python3.12 python3.13 python3.14 python3; do \
			if $$python -c 'import sys; sys.exit(sys.version_info < (3, 11))' 2>/dev/null; then found=$$python; break; fi; \
		done; \
		if [ -z "$${found:-}" ]; then \
			echo "There is no Python 3.11 or newer on this machine: install it (Debian: apt-get install python3.11 python3.11-venv)." >&2; exit 2; \
		fi; \
		if ! $$found -c 'import ensurepip, venv' 2>/dev/null; then \
			echo "$$found cannot make virtual environments: install that part of it (Debian: apt-get install $$found-venv)." >&2; exit 2; \
		fi; \
		echo "Setting up $(VENV) with $$found"; \
		$$found -m venv --clear $(VENV); \
	fi
	@$(PIP_INSTALL) --require-hashes --requirement requirements.lock
	@$(PIP_INSTALL) --no-deps --no-build-isolation --editable .
	@touch $@

$(DEVELOPMENT): $(RUNTIME) requirements-dev.lock
	@$(PIP_INSTALL) --require-hashes --requirement requirements-dev.lock
	@touch $@
