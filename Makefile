# All targets use .venv, created with `python3`; PYTHON=python3.12 chooses another interpreter.
PYTHON ?= python3
PORT ?= 8000
MINUTES ?= 10
VENV := .venv
BIN := $(VENV)/bin
# An installation builds the GraphiQL page from these files.
FRONTEND := hatch_build.py $(shell find frontend -path frontend/node_modules -prune -o -type f -print)
PIP := $(BIN)/python -m pip --disable-pip-version-check

.PHONY: help install demo test fuzz check bench format lock clean

help: ## List the targets
	@grep -E '^[a-z]+:.*##' $(MAKEFILE_LIST) | sed -E 's/^([a-z]+):.*## /\1\t/' | expand -t 10

$(BIN)/python:
	$(PYTHON) -m venv $(VENV)

$(VENV)/.installed: pyproject.toml constraints.txt $(FRONTEND) | $(BIN)/python
	$(PIP) install --quiet --constraint constraints.txt --editable .
	@touch $@

$(VENV)/.developed: pyproject.toml constraints.txt $(FRONTEND) | $(BIN)/python
	$(PIP) install --quiet --constraint constraints.txt --editable '.[dev]'
	@touch $@ $(VENV)/.installed

install: $(VENV)/.installed ## Create .venv with the command gql-server

demo: $(VENV)/.installed ## Fill a local demo store and serve it (PORT=8123 sets the port)
	@$(BIN)/gql-server demo --port $(PORT)

test: $(VENV)/.developed ## Run the tests
	$(BIN)/python -m pytest

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

lock: $(VENV)/.developed ## Resolve the newest versions and write constraints.txt
	sed -n '/^#/p' constraints.txt > $(VENV)/constraints.head
	echo 'mlflow-skinny<=3.15.0' > $(VENV)/constraints.bound
	$(BIN)/uv pip compile --quiet --universal --python-version 3.11 --all-extras --no-annotate --no-header \
		--constraint $(VENV)/constraints.bound pyproject.toml | grep -v 'mlflow-gql-server' \
		| cat $(VENV)/constraints.head - > $(VENV)/constraints.new
	mv $(VENV)/constraints.new constraints.txt

clean: ## Remove all generated files
	rm -rf $(VENV) .mlflow demo-store gql_server/http/graphiql/built frontend/node_modules \
		examples/dashboard/node_modules examples/dashboard/dist examples/dashboard/src/gql \
		.mypy_cache .pytest_cache .ruff_cache .hypothesis .schemathesis
