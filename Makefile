# Every target works on a fresh machine with Python 3.11+ and make: the first call builds .venv.
PYTHON ?= python3
VENV := .venv
BIN := $(VENV)/bin
export CRIME_PLATFORM_HOME ?= $(CURDIR)/data
export DAGSTER_HOME := $(CRIME_PLATFORM_HOME)/dagster_home
export DAGSTER_DISABLE_TELEMETRY := 1

.PHONY: run streets test oldest check dev dashboard bench clean

run: $(VENV)/.runtime ## the whole pipeline on the bundled Toronto data
	$(BIN)/crime-platform run

streets: $(VENV)/.runtime ## the daily forecast on downtown Toronto's streets
	$(BIN)/crime-platform run --streets

test: $(VENV)/.dev ## the whole test suite, a process per core
	$(BIN)/pytest --numprocesses auto --dist loadfile

oldest: ## a quick pipeline on the oldest versions that pyproject.toml admits
	$(PYTHON) -m venv .venv-oldest
	.venv-oldest/bin/python -m pip install --quiet --constraint constraints-oldest.txt --editable . pytest hypothesis
	.venv-oldest/bin/python -m pytest --quiet --override-ini addopts=--import-mode=importlib -p no:jaxtyping -W default \
		crime_platform_tests/commands/test_pipeline_run.py::test_files_become_a_published_release \
		crime_platform_tests/sources/test_table.py crime_platform_tests/sources/test_table_formats.py \
		crime_platform_tests/sources/test_places.py \
		crime_platform_tests/warehouse/test_warehouse.py crime_platform_tests/commands/test_sql.py \
		crime_platform_tests/commands/test_leaderboard.py

check: $(VENV)/.dev ## format, lint, types, import contract
	$(BIN)/ruff format --check .
	$(BIN)/ruff check .
	$(BIN)/basedpyright
	$(BIN)/lint-imports

dev: $(VENV)/.runtime ## the Dagster UI with daemon, schedules and sensors
	$(BIN)/python -m crime_platform.defs.dagster_home
	$(BIN)/dagster dev

dashboard: $(VENV)/.runtime ## the 3D page of the published release on 127.0.0.1
	$(BIN)/crime-platform dashboard

bench: $(VENV)/.dev ## every benchmark; results go to benchmarks/RESULTS.md
	$(BIN)/python benchmarks/run_all.py

clean: ## forget what runs made; incident files, study areas and finished searches stay
	if [ -d data/artifacts ]; then \
		find data/artifacts -mindepth 2 -maxdepth 2 ! -name tuning -exec rm -rf {} +; fi
	rm -rf data/releases data/exports data/forecasts.duckdb data/warehouse.duckdb*

$(BIN)/python:
	$(PYTHON) -c 'import sys; sys.exit(sys.version_info < (3, 11) and "Python 3.11 or newer is needed: make run PYTHON=python3.12")'
	$(PYTHON) -m venv $(VENV)

$(VENV)/.runtime: $(BIN)/python pyproject.toml constraints.txt
	$(BIN)/python -m pip install --quiet --constraint constraints.txt --editable .
	touch $@

$(VENV)/.dev: $(BIN)/python pyproject.toml constraints.txt
	$(BIN)/python -m pip install --quiet --constraint constraints.txt --editable '.[dev]'
	touch $@ $(VENV)/.runtime
