# Everything happens in .venv, made with whatever `python3` is; PYTHON=python3.12 picks another.
PYTHON ?= python3
PORT ?= 8000
VENV := .venv
BIN := $(VENV)/bin
# The page at /graphql is made of these by the build, which installs start.
FRONTEND := hatch_build.py $(shell find frontend -path frontend/node_modules -prune -o -type f -print)
PIP := $(BIN)/python -m pip --disable-pip-version-check

.PHONY: help install demo test check bench format lock clean

help: ## List what can be made
	@grep -E '^[a-z]+:.*##' $(MAKEFILE_LIST) | sed -E 's/^([a-z]+):.*## /\1\t/' | expand -t 10

$(BIN)/python:
	$(PYTHON) -m venv $(VENV)

$(VENV)/.installed: pyproject.toml constraints.txt $(FRONTEND) | $(BIN)/python
	$(PIP) install --quiet --constraint constraints.txt --editable .
	@touch $@

$(VENV)/.developed: pyproject.toml constraints.txt $(FRONTEND) | $(BIN)/python
	$(PIP) install --quiet --constraint constraints.txt --editable '.[dev]'
	@touch $@ $(VENV)/.installed

install: $(VENV)/.installed ## Make .venv with the gql-server command

demo: $(VENV)/.installed ## Fill a local store with real runs, once, and serve it (PORT=8123 picks the port)
	@$(BIN)/gql-server demo --port $(PORT)

test: $(VENV)/.developed ## Run the tests
	$(BIN)/python -m pytest

check: $(VENV)/.developed ## Lint, check the format and the types
	$(BIN)/ruff check
	$(BIN)/ruff format --check
	$(BIN)/mypy

bench: $(VENV)/.developed ## Measure against the limit, and write docs/performance.md (BENCH_POSTGRES_URL adds Postgres)
	$(BIN)/python -m benchmarks --write docs/performance.md

format: $(VENV)/.developed ## Format the code
	$(BIN)/ruff check --fix --fix-only
	$(BIN)/ruff format

lock: $(VENV)/.developed ## Choose versions anew and write constraints.txt
	$(PIP) install --quiet uv
	sed -n '/^#/p' constraints.txt > $(VENV)/constraints.head
	echo 'mlflow-skinny<=3.15.0' > $(VENV)/constraints.bound
	$(BIN)/uv pip compile --quiet --universal --python-version 3.11 --all-extras --no-annotate --no-header \
		--constraint $(VENV)/constraints.bound pyproject.toml | grep -v 'mlflow-gql-server' \
		| cat $(VENV)/constraints.head - > $(VENV)/constraints.new
	mv $(VENV)/constraints.new constraints.txt

clean: ## Remove what was made
	rm -rf $(VENV) demo-store gql_server/http/graphiql/built frontend/node_modules \
		examples/dashboard/node_modules examples/dashboard/dist examples/dashboard/src/gql \
		.mypy_cache .pytest_cache .ruff_cache .hypothesis .schemathesis
