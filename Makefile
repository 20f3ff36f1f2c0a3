# The whole developer interface. `make help` lists it.
PYTHON ?= python3
BIN = .venv/bin
PIP = $(BIN)/python -m pip install --quiet --disable-pip-version-check --require-hashes
# Locks one file for every platform and every Python from 3.11 on. An older lock decides, unless its .in file says otherwise.
LOCK = $(BIN)/uv pip compile --quiet --universal --python-version 3.11 --generate-hashes --custom-compile-command 'make requirements'
PRODUCTION = ENVIRONMENT=production SECRET_KEY=$$($(BIN)/python -c 'import secrets; print(secrets.token_urlsafe(64))') \
	ALLOWED_HOSTS=example.com OPEN_WORKSPACE_IDS= DEBUG=false

TIMESCALEDB = tests/timescaledb/node_modules/.package-lock.json
# One worker more than cores: tests/conftest.py says why, and which tests stay together.
PYTEST = $(BIN)/python -m pytest -q -m "not faults" --numprocesses auto --no-loadscope-reorder
SLOW = analytics/test_api_fuzz.py analytics/test_oracle.py analytics/test_query_oracle.py analytics/test_workers.py browser budgets/test_oracle.py faults fuzz ingest/test_captures.py \
	observability/test_launcher.py observability/test_settings.py prices/test_price_list.py security timescaledb \
	web/test_chunked.py

.PHONY: help run demo format test test-coverage test-fast test-oracle test-api-fuzz test-fuzz test-faults check requirements sbom

help: ## List the targets
	@sed -n 's/^\([a-z-]*\):.*## /  make \1\t/p' Makefile

run: .venv/runtime ## Start everything and serve on http://127.0.0.1:8000 (PORT=9000 make run: another port)
	@exec $(BIN)/python -m observability.launcher

demo: .venv/runtime ## Fill the demo workspace with two months of data
	@$(BIN)/python -m observability.launcher.demo

format: .venv/development ## Format code and templates, and fix what the linters can fix
	@$(BIN)/ruff format --quiet .
	@$(BIN)/ruff check --fix .
	@$(BIN)/djlint templates --reformat --quiet

test: .venv/development $(TIMESCALEDB) ## Run the tests
	@$(PYTEST)

test-coverage: .venv/development $(TIMESCALEDB) ## Run the tests, which takes longer, and print the lines that they run
	@$(PYTEST) --cov --cov-report=

test-fast: .venv/development ## Run the tests that take about a minute: all but browser, attacks, captures, faults, fuzzing, oracle, launcher, TimescaleDB
	@$(PYTEST) $(SLOW:%=--ignore=tests/%)

test-faults: .venv/development ## Kill, stop, freeze and flood every process for ten minutes; prints a table of what was lost
	@$(BIN)/python -m pytest -q tests/faults

test-fuzz: .venv/fuzzing ## Fuzz the parsers with malformed bodies for some minutes; prints counts
	@FUZZ_EXAMPLES=$${FUZZ_EXAMPLES:-1000} $(BIN)/python -m pytest -q tests/fuzz
	@$(BIN)/python -m tests.fuzz.run

test-oracle: .venv/development ## Compare every read and budget with plain Python over 2,000 new random cases
	@ORACLE_CASES=$${ORACLE_CASES:-2000} $(BIN)/python -m pytest -q tests/analytics/test_oracle.py tests/analytics/test_query_oracle.py tests/budgets/test_oracle.py

test-api-fuzz: .venv/development ## Make 100 requests of each operation from the OpenAPI document
	@FUZZ_CASES=$${FUZZ_CASES:-100} $(BIN)/python -m pytest -q tests/analytics/test_api_fuzz.py

check: .venv/development ## Lint, types, order of imports, templates, migrations, production settings
	$(BIN)/ruff check .
	$(BIN)/ruff format --check .
	$(BIN)/mypy .
	$(BIN)/lint-imports --no-cache
	$(BIN)/djlint templates --lint --check --quiet
	$(BIN)/python manage.py makemigrations --check --dry-run
	$(PRODUCTION) $(BIN)/python manage.py check --deploy --fail-level WARNING

requirements: .venv/release ## Lock every package and its hashes again, after a change of a requirements*.in
	@$(LOCK) requirements.in -o requirements.txt
	@$(LOCK) requirements-run.in -c requirements.txt -o requirements-run.txt
	@$(LOCK) requirements-dev.in -c requirements-run.txt -o requirements-dev.txt
	@for name in bench fuzz release; do $(LOCK) requirements-$$name.in -c requirements-dev.txt -o requirements-$$name.txt; done

sbom: .venv/release ## Write sbom.json: the packages that the product ships with, as CycloneDX
	@PYTHONWARNINGS=ignore $(BIN)/cyclonedx-py requirements --pyproject pyproject.toml --mc-type application --output-reproducible -o sbom.json requirements.txt
	@echo "  sbom.json lists what the product ships with"

.venv/bin/python:
	@echo "  creating .venv …"
	@$(PYTHON) -c 'import sys; sys.exit(sys.version_info < (3, 11) and "Python 3.11 or newer is needed; say which: make PYTHON=python3.12 run")'
	@$(PYTHON) -m venv .venv

.venv/runtime: requirements-run.txt | .venv/bin/python
	@echo "  installing what the product needs …"
	@$(PIP) -r requirements-run.txt
	@touch $@

.venv/development: requirements-dev.txt | .venv/bin/python
	@echo "  installing what tests and checks need …"
	@$(PIP) -r requirements-dev.txt
	@touch $@ .venv/runtime

.venv/fuzzing: requirements-fuzz.txt | .venv/development
	@$(PIP) -r requirements-fuzz.txt
	@touch $@

.venv/release: requirements-release.txt | .venv/bin/python
	@$(PIP) -r requirements-release.txt
	@touch $@

# The TimescaleDB of the tests; where there is no Node.js they are skipped, and in CI they fail.
$(TIMESCALEDB): tests/timescaledb/package-lock.json
	@if command -v npm >/dev/null; then \
		echo "  installing the tests' TimescaleDB …"; \
		npm ci --prefix tests/timescaledb --ignore-scripts --no-audit --no-fund --loglevel=error >/dev/null; \
	else \
		echo "  no npm here: tests against TimescaleDB are skipped"; \
	fi
