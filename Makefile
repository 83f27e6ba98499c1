# The targets use .venv, created with `python3`; PYTHON=python3.12 chooses another interpreter. The tests of
# Azure use .venv-azure, because the plugin for Azure needs an older MLflow.
PYTHON ?= python3
PORT ?= 8000
MINUTES ?= 10
VENV := .venv
BIN := $(VENV)/bin
AZURE_VENV := .venv-azure
# An installation builds the GraphiQL page from these files.
FRONTEND := hatch_build.py $(shell find frontend -path frontend/node_modules -prune -o -type f -print)
PIP := -m pip --disable-pip-version-check install --quiet
# The constraints are the newest versions of today, without what the index gets while it is asked.
TODAY := $(shell date -u +%F)
RESOLVE := $(BIN)/uv pip compile --quiet --universal --python-version 3.11 --no-annotate --no-header \
	--exclude-newer $(TODAY)T00:00:00Z
# Replace the versions in a constraint file; its comment stays, with the new date.
WRITE = sed -n 's/published before .*/published before $(TODAY)./; /^\#/p' $(1) \
	| cat - $(VENV)/resolved.txt > $(VENV)/new.txt && mv $(VENV)/new.txt $(1)

.PHONY: help install demo test test-azure test-versions dumps fuzz check bench format lock clean

help: ## List the targets
	@grep -E '^[a-z-]+:.*##' $(MAKEFILE_LIST) | sed -E 's/^([a-z-]+):.*## /\1\t/' | expand -t 14

$(BIN)/python:
	$(PYTHON) -m venv $(VENV)

$(VENV)/.installed: pyproject.toml constraints.txt $(FRONTEND) | $(BIN)/python
	$(BIN)/python $(PIP) --constraint constraints.txt --editable .
	@touch $@

$(VENV)/.developed: pyproject.toml constraints.txt $(FRONTEND) | $(BIN)/python
	$(BIN)/python $(PIP) --constraint constraints.txt --editable '.[dev]'
	@touch $@ $(VENV)/.installed

# With uv, because pip takes minutes for a second environment.
$(AZURE_VENV)/.developed: pyproject.toml constraints-azure.txt $(FRONTEND) | $(VENV)/.developed
	$(BIN)/uv venv --quiet --allow-existing --python $(BIN)/python $(AZURE_VENV)
	$(BIN)/uv pip install --quiet --python $(AZURE_VENV) --constraint constraints-azure.txt --editable '.[dev,azure]'
	@touch $@

install: $(VENV)/.installed ## Create .venv with the command gql-server

demo: $(VENV)/.installed ## Fill a local demo store and serve it (PORT=8123 sets the port)
	@$(BIN)/gql-server demo --port $(PORT)

test: $(VENV)/.developed $(AZURE_VENV)/.developed ## Run the tests
	$(BIN)/python -m pytest -m 'not azure'
	$(AZURE_VENV)/bin/python -m pytest -m azure

test-azure: $(AZURE_VENV)/.developed ## Run only the tests that need the plugin for Azure
	$(AZURE_VENV)/bin/python -m pytest -m azure

test-versions: $(VENV)/.developed ## Read the stores of all supported versions of MLflow
	GQL_TEST_ALL_VERSIONS=true $(BIN)/python -m pytest tests/upstream

dumps: $(VENV)/.developed ## Write the databases of all supported versions of MLflow to tests/data/upstream
	$(BIN)/python -m tests.upstream.dump

fuzz: $(VENV)/.developed ## Run the property tests with random examples (MINUTES=60 for an hour)
	$(BIN)/python -m tests.fuzz $(MINUTES)

check: $(VENV)/.developed ## Check lint rules, format and types
	$(BIN)/ruff check
	$(BIN)/ruff format --check
	$(BIN)/mypy

bench: $(VENV)/.developed ## Run the benchmarks and write docs/performance.md (BENCH_POSTGRES_URL adds Postgres)
	$(BIN)/python -m benchmarks --write docs/performance.md

format: $(VENV)/.developed ## Format the code
	$(BIN)/ruff check --fix --fix-only
	$(BIN)/ruff format

# mlflow-skinny is taken only with its mlflow, of which the tests start the server.
lock: $(VENV)/.developed ## Resolve the newest versions and write both constraint files
	echo mlflow | $(RESOLVE) - | grep '^mlflow-skinny==' > $(VENV)/mlflow.txt
	$(RESOLVE) --extra dev --constraint $(VENV)/mlflow.txt pyproject.toml > $(VENV)/resolved.txt
	$(call WRITE,constraints.txt)
	$(RESOLVE) --extra dev --extra azure pyproject.toml > $(VENV)/resolved.txt
	$(call WRITE,constraints-azure.txt)

clean: ## Remove all generated files
	rm -rf $(VENV) $(AZURE_VENV) .mlflow demo-store gql_server/http/graphiql/built frontend/node_modules \
		examples/dashboard/node_modules examples/dashboard/dist examples/dashboard/src/gql \
		.mypy_cache .pytest_cache .ruff_cache .hypothesis .schemathesis
