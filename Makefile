# Every target makes its own .venv from pyproject.toml and requirements.lock; nothing else needs installing by hand.
PYTHON ?= python3
VENV := .venv
BIN := $(VENV)/bin
STAMP := $(VENV)/.complete
# Passed on to what the target runs: make demo ARGS="--days 7 --no-wait --json"; make test ARGS="-k ledger".
ARGS ?=
DEMO_FLAGS ?=

.DEFAULT_GOAL := help
.PHONY: help setup demo test check lint types contracts docs bench kafka grafana lock clean

help:  ## what there is to run
	@awk -F ':.*## ' '/^[a-z]+:.*## / {printf "  make %-10s %s\n", $$1, $$2}' $(MAKEFILE_LIST)

$(STAMP): pyproject.toml requirements.lock
	@$(PYTHON) -c 'import sys; sys.exit("Tokenweir needs Python 3.11 or newer; this is " + sys.version.split()[0] + ". Try make PYTHON=python3.12") if sys.version_info < (3, 11) else None'
	@echo 'making $(VENV) (about a minute)' >&2
	@$(PYTHON) -m venv --clear $(VENV) >&2
	@$(BIN)/python -m pip install --quiet --disable-pip-version-check --require-hashes -r requirements.lock >&2
	@PATH="$(CURDIR)/$(BIN):$$PATH" $(BIN)/python -m pip install --quiet --disable-pip-version-check --no-deps --no-build-isolation -e . >&2
	@touch $@

setup: $(STAMP)  ## make .venv with everything in it

demo: $(STAMP)  ## a month of a simulated fleet through the whole pipeline, then its page (Ctrl-C ends it)
	@$(BIN)/weir demo $(DEMO_FLAGS) $(ARGS)

test: $(STAMP)  ## all tests
	$(BIN)/python -m pytest -n 4 --dist loadfile --no-loadscope-reorder $(ARGS)

check: $(STAMP) lint types contracts  ## lint, types, the house's floors

lint: $(STAMP)
	$(BIN)/ruff check .
	$(BIN)/ruff format --check .

types: $(STAMP)
	$(BIN)/mypy

contracts: $(STAMP)
	$(BIN)/lint-imports

bench: $(STAMP)  ## measure against the bars; prints a table, writes build/bench.json
	$(BIN)/python -m benchmarks $(ARGS)

kafka: $(STAMP)  ## a real single-node Apache Kafka on 127.0.0.1:9092 (needs Java 17 and Maven)
	$(BIN)/python -m tests.kafka.apache --port 9092

grafana: $(STAMP)  ## hold a real Grafana to the code: its dashboards, rules and every query (needs Docker and .env)
	@PATH="$(CURDIR)/$(BIN):$$PATH" sh deploy/grafana/check.sh

lock: $(STAMP)  ## write requirements.lock anew (needs uv)
	uv pip compile pyproject.toml --extra all --group dev --universal --python-version 3.11 --generate-hashes --no-header -o requirements.lock

clean:  ## remove what the targets made
	rm -rf $(VENV) build dist .mypy_cache .ruff_cache .pytest_cache .hypothesis .import_linter_cache
