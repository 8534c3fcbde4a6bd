# `make demo` and `make test` work on a clean clone, with Python 3.11 or newer and make. `make help` lists the rest.
# Stamps under .venv/ make a second call instant; a changed lock or pyproject.toml installs again.

PYTHON ?= python3
VENV := .venv
BIN := $(VENV)/bin
PYTEST_WORKERS ?= 2

.DEFAULT_GOAL := help
.PHONY: help setup setup-dev demo test soak lint ci lock openapi clean

help:
	@sed -n 's/^\([a-z-]*\):.*## \(.*\)/make \1\t\2/p' $(MAKEFILE_LIST) | expand -t 18

setup: $(VENV)/.runtime ## create .venv from the lock, with the project in it

setup-dev: $(VENV)/.dev ## setup, with all that tests and linters need; installs Chromium on Debian as root

demo: setup ## load the demo network, run its day and night, and go on serving (NO_SERVE=1 ends instead)
	@$(BIN)/oms demo

test: setup-dev ## all tests, on a real PostgreSQL and in a real browser
	@$(BIN)/python -m pytest -n $(PYTEST_WORKERS) --dist loadfile

soak: setup-dev ## the tests of faults at length, one to two hours; writes docs/reliability.md (OMS_SOAK=0.05 is a try)
	@$(BIN)/python -m tests.faults.soak

lint: setup-dev ## ruff, mypy, import contracts, tidy tests
	@.ci/lint

ci: ## what decides whether a change is accepted
	@.ci/run

# uv resolves for every Python from 3.11 on, and every platform. The files name packages, versions and hashes, and no
# address: whoever installs chooses the index.
lock: setup-dev ## resolve the dependencies again
	@$(BIN)/uv pip compile --quiet $(LOCK_FLAGS) --group pyproject.toml:build pyproject.toml -o requirements.lock
	@$(BIN)/uv pip compile --quiet $(LOCK_FLAGS) --group pyproject.toml:build --group pyproject.toml:dev pyproject.toml \
		--constraint requirements.lock -o requirements-dev.lock
	@! grep -n '://' requirements.lock requirements-dev.lock

LOCK_FLAGS := --upgrade --universal --python-version 3.11 --generate-hashes --no-header --no-annotate

openapi: setup ## write docs/openapi.json anew from the code
	@$(BIN)/oms openapi > docs/openapi.json

clean: ## remove .venv, caches and what was built
	@rm -rf $(VENV) build dist *.egg-info .pytest_cache .mypy_cache .ruff_cache .hypothesis .import_linter_cache
	@find . -name __pycache__ -type d -prune -exec rm -rf {} +

$(VENV)/bin/python:
	@$(PYTHON) -c 'import sys; sys.exit(sys.version_info < (3, 11))' 2>/dev/null || { \
		echo "This project needs Python 3.11 or newer; '$(PYTHON)' is $$($(PYTHON) --version 2>&1)." >&2; \
		echo "Name another one: make PYTHON=python3.12 $(MAKECMDGOALS)" >&2; exit 1; }
	@$(PYTHON) -c 'import ensurepip, venv' 2>/dev/null || { \
		echo "'$(PYTHON)' has no venv module; on Debian and Ubuntu: apt-get install python3-venv" >&2; exit 1; }
	@$(PYTHON) -m venv $(VENV)

$(VENV)/.runtime: requirements.lock pyproject.toml | $(VENV)/bin/python
	@echo "Installing the locked dependencies into $(VENV) ..."
	@$(BIN)/python -m pip install --quiet --disable-pip-version-check --no-compile --require-hashes -r requirements.lock
	@$(BIN)/python -m pip install --quiet --disable-pip-version-check --no-deps --no-build-isolation --editable .
	@touch $@

$(VENV)/.dev: requirements-dev.lock $(VENV)/.runtime
	@echo "Installing the locked development tools into $(VENV) ..."
	@$(BIN)/python -m pip install --quiet --disable-pip-version-check --no-compile --require-hashes -r requirements-dev.lock
	@.ci/chromium
	@touch $@
