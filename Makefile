.DEFAULT_GOAL := help
.PHONY: help install run test lint tools faults fuzz audit bench lock clean

PYTHON ?= python3
VENV := .venv
BIN := $(VENV)/bin
INSTALLED := $(VENV)/.installed

help: ## Show the targets
	@awk -F ':.*## ' '/^[a-z-]+:.*## / {printf "  make %-10s %s\n", $$1, $$2}' $(MAKEFILE_LIST)

install: $(INSTALLED) ## Set up .venv with the locked dependencies, ingest and loadgen

$(INSTALLED): pyproject.toml requirements-dev.lock
	@$(PYTHON) -c 'import sys; sys.exit(sys.version_info < (3, 11))' || \
		{ echo "Pulso needs Python 3.11 or newer; name it with: make $(MAKECMDGOALS) PYTHON=python3.13" >&2; exit 1; }
	@echo "Setting up $(VENV): about a minute, once"
	@$(PYTHON) -m venv $(VENV)
	@$(BIN)/python -m pip install --quiet --disable-pip-version-check --require-hashes -r requirements-dev.lock
	@$(BIN)/python -m pip install --quiet --disable-pip-version-check --no-deps --no-build-isolation -e .
	@touch $@

run: install ## Start the service on port 5000 and 1000 simulated events/s (RATE=…); Ctrl-C stops both
	@$(BIN)/python -m tools.main_job

test: install tools lint ## Run everything that CI runs: lint, types, tests on a real InfluxDB
	$(BIN)/python -m pytest -q

lint: install ## Check style and types
	$(BIN)/ruff format --check --quiet
	$(BIN)/ruff check --quiet
	$(BIN)/mypy

tools: install ## Get the real programs that tests and benchmarks need (about 11 minutes, once)
	@$(BIN)/python -m tools

bench: install tools ## Measure, and print the tables of docs/performance.md (more than an hour; NAME= for a part)
	$(BIN)/python -m benchmarks $(NAME)

faults: install tools ## Kill, break and starve the service, and prove that nothing is lost (SECONDS= SEED= FAULT= STORE= MIXED=1)
	@$(BIN)/python -m tests.faults --seconds $(or $(SECONDS),0) $(if $(SEED),--seed $(SEED)) \
		$(if $(FAULT),--fault $(FAULT)) $(if $(STORE),--store $(STORE)) $(if $(MIXED),--mixed)

fuzz: install tools ## Send a million broken requests to both stores: no 5xx, no hang, no growth (INPUTS=… SEED=…)
	@$(BIN)/python -m tests.fuzz $(if $(INPUTS),--inputs $(INPUTS)) $(if $(SEED),--seed $(SEED))

audit: install ## Look up the locked packages in the database of known vulnerabilities, osv.dev
	@$(BIN)/python -m tools.audit

lock: install ## Bring the lock files up to date with pyproject.toml
	$(BIN)/uv pip compile --quiet --upgrade --universal --generate-hashes --no-header --no-annotate pyproject.toml -o requirements.lock
	$(BIN)/uv pip compile --quiet --upgrade --universal --generate-hashes --no-header --no-annotate pyproject.toml --group dev -o requirements-dev.lock

clean: ## Remove what was installed and cached here; events in ./data stay
	rm -rf $(VENV) .mypy_cache .pytest_cache .ruff_cache .hypothesis
