# Everything a fresh clone needs: Python 3.11 to 3.13, make and git.
.DEFAULT_GOAL := help
.DELETE_ON_ERROR:
.SUFFIXES:
SHELL := /bin/sh

PYTHON ?= python3
ARGS ?=
PYTEST_ARGS ?=
SIZE ?= 40000
PORTFOLIO ?= $(wildcard ../shared/data/loantap_sample.csv)
LOANS ?= 20000
CARDS ?=
AREA ?=
SINCE ?=

VENV := .venv
BIN := $(VENV)/bin
READY := $(VENV)/.ready
SERVERS := $(VENV)/.servers
# kedro-mlflow starts `mlflow` by name.
WITH_VENV := PATH="$(CURDIR)/$(BIN):$$PATH"

# Nothing reports home.
export KEDRO_DISABLE_TELEMETRY := 1
export DO_NOT_TRACK := 1
export MLFLOW_DISABLE_TELEMETRY := true
export STREAMLIT_BROWSER_GATHER_USAGE_STATS := false
# Or MLflow's server starts ten more processes of 240 MB each.
export MLFLOW_SERVER_ENABLE_JOB_EXECUTION := false
# One thread in each BLAS: the same sums in the same order, so the same metrics to the last digit.
export OMP_NUM_THREADS ?= 1
export OPENBLAS_NUM_THREADS ?= 1
export MKL_NUM_THREADS ?= 1
export NUMEXPR_MAX_THREADS ?= 1

.PHONY: help run docs validate serve test test-fast mutants lint bench bench-api bench-early-warning bench-full bench-gate \
    bench-monitoring bench-sources viz lineage notebook ui sources-up sources-down system-packages image scan lock clean

help: ## Show what make can do
	@awk -F ':.*## ' '/^[a-z-]+:.*## / { printf "make %-19s %s\n", $$1, $$2 }' Makefile

run: $(READY) ## Set up once, then run the pipelines; ARGS="--pipelines scoring"
	@$(BIN)/kedro run $(ARGS)

lint: $(READY) ## Check import rules, style, types, Dockerfile, compose.yaml, pipelines file, infra/
	@$(BIN)/lint-imports
	@$(BIN)/ruff check
	@$(BIN)/ruff format --check
	@$(BIN)/mypy
	@$(BIN)/hadolint Dockerfile
	@$(BIN)/check-jsonschema --quiet --builtin-schema vendor.compose-spec compose.yaml
	@$(BIN)/check-jsonschema --quiet --builtin-schema vendor.bitbucket-pipelines bitbucket-pipelines.yml
	@$(BIN)/python -m tools.shipping.pipelines_lint
	@if command -v terraform > /dev/null; then terraform fmt -check -recursive -diff infra; \
	else echo "infra/ is not checked: terraform is not installed"; fi

# On all cores, in a random order whose seed is printed and can be given: --randomly-seed=N.
# docs/testing.md says how tests share what is dear to make.
PYTEST := $(WITH_VENV) $(BIN)/python -m pytest -n auto --dist loadfile --no-loadscope-reorder

# The drivers and Spark are half a gigabyte: in CI they are installed, elsewhere by make sources-up.
# Tracing branches takes two fifths of the time, so elsewhere it is asked for: PYTEST_ARGS=--cov.
# The floor holds in CI alone, where no test is skipped for want of a server.
test: lint $(if $(CI),$(SERVERS)) ## Run the checks of lint and all tests; PYTEST_ARGS="-k emi"
	@$(PYTEST) $(if $(CI),--cov --cov-fail-under=97) $(PYTEST_ARGS)

test-fast: $(READY) ## Run tests without server, whole run, browser or registry, a minute; PYTEST_ARGS="-k emi"
	@$(PYTEST) -m "not slow" $(PYTEST_ARGS)

mutants: $(READY) ## Change what decides in small ways, and see if a test notices; AREA=promotion, SINCE=main
	@$(WITH_VENV) $(BIN)/python -m tools.mutants $(addprefix --area ,$(AREA)) $(addprefix --since ,$(SINCE)) $(ARGS)

serve: $(READY) ## Serve API and dashboard on what the last run left, until Ctrl-C; ARGS="--port 8001"
	@$(WITH_VENV) exec $(BIN)/loantap-serve $(ARGS)

validate: $(READY) ## Recompute the champion's figures from raw loans and predictions; ARGS="NAME VERSION"
	@$(BIN)/loantap-models validate $(ARGS)

# Ten applications are scored for each loan that is searched on: 4 million at full size.
bench: $(READY) ## Measure time and memory against baselines; SIZE=396030 for full size, PORTFOLIO=FILE.csv
	@$(BIN)/python -m tools.benchmarks.bench_search --loans $(SIZE) --growth $$(($(SIZE) / 4)) $(SIZE)
	@$(BIN)/python -m tools.benchmarks.bench_scoring --rows $$(($(SIZE) * 10))
	@$(BIN)/python -m tools.benchmarks.bench_one_row
	@$(BIN)/python -m tools.benchmarks.bench_offers
	@if [ -n "$(PORTFOLIO)" ]; then \
	    $(BIN)/python -m tools.benchmarks.bench_figures --portfolio "$(PORTFOLIO)" && \
	    $(BIN)/python -m tools.benchmarks.bench_policy --portfolio "$(PORTFOLIO)"; \
	else echo "No figures of the models: name a real portfolio with PORTFOLIO=FILE.csv"; fi

bench-api: $(READY) ## Measure the API: throughput, latency, overload, kill -9; ARGS="--only capacity"
	@$(BIN)/python -m tools.benchmarks.bench_api $(ARGS)

bench-gate: $(READY) ## Plant leaks, count what the gate catches and its false alarms; PORTFOLIO=FILE.csv
	@$(BIN)/python -m tools.benchmarks.bench_gate $(if $(PORTFOLIO),--portfolio "$(PORTFOLIO)") $(ARGS)

bench-early-warning: $(READY) ## Measure how early simulated loans are found, and card holders with CARDS=FILE; minutes
	@$(BIN)/python -m tools.early_warning.simulated $(ARGS)
	@if [ -n "$(CARDS)" ]; then $(BIN)/python -m tools.early_warning.card_figures --data "$(CARDS)"; fi

bench-full: $(READY) ## Measure the main job at 396,030 loans, node by node; ARGS="--loans 4000000"
	@$(BIN)/python -m tools.benchmarks.bench_full $(ARGS)

bench-monitoring: $(READY) ## Measure monitoring of a million decisions; ARGS="--decisions 200000"
	@$(BIN)/python -m tools.benchmarks.bench_monitoring $(ARGS)

bench-sources: system-packages $(SERVERS) ## Measure extraction and write-back on PostgreSQL; SIZE=400000 for full size
	@$(BIN)/python -m tools.benchmarks.bench_extraction --rows $(SIZE)
	@$(BIN)/python -m tools.benchmarks.bench_write_back --rows $(SIZE)

# Asked first: neither server ends with a message that helps.
REQUIRE_PORT = $(BIN)/python -c 'import socket; socket.create_server(("127.0.0.1", int("$(PORT)")))' \
    2> /dev/null || { echo "Port $(PORT) cannot be used: it is taken, or none. Name another: make $@ PORT=5055" >&2; exit 2; }

docs: $(READY) ## Build the documentation into site/, which opens without a network; any warning is an error
	@NO_MKDOCS_2_WARNING=1 $(BIN)/python -m mkdocs build --quiet --strict -f tools/docs/mkdocs.yml $(ARGS)
	@echo "Open site/index.html"

viz: PORT ?= 4141
viz: $(READY) ## Open the lineage in Kedro-Viz; PORT=4141
	@$(REQUIRE_PORT)
	@$(WITH_VENV) $(BIN)/kedro viz run --host 127.0.0.1 --port $(PORT) $(ARGS)

lineage: $(READY) ## Write the lineage as static pages, without data, into site/lineage
	@$(BIN)/python -m tools.lineage $(ARGS)

# JupyterLab asks for news, for its newest version and for extensions unless it is told not to.
notebook: PORT ?= 8888
notebook: NAME ?= explore_portfolio
notebook: $(READY) ## Open a notebook in JupyterLab; NAME=what_the_model_learned or policy_experiment, PORT=8888
	@test -f notebooks/$(NAME).ipynb || { echo "There is no notebook $(NAME). There are:" notebooks/*.ipynb >&2; exit 2; }
	@$(REQUIRE_PORT)
	@$(WITH_VENV) $(BIN)/jupyter lab --ip 127.0.0.1 --port $(PORT) --LabApp.news_url=None \
	    --LabApp.check_for_updates_class=jupyterlab.NeverCheckForUpdate --LabApp.extension_manager=readonly \
	    $(ARGS) notebooks/$(NAME).ipynb

# The front page of MLflow's UI is another view, so name the runs of the latest run's experiment.
LATEST_EXPERIMENT := select experiment_id from runs order by start_time desc limit 1
ui: PORT ?= 5000
ui: $(READY) ## Open MLflow's UI at the runs of the latest experiment; PORT=5000
	@test -f mlflow.db || { echo "There are no runs yet: make run makes some." >&2; exit 1; }
	@$(REQUIRE_PORT)
	@$(BIN)/python -c 'import sqlite3, sys; \
	    row = sqlite3.connect("mlflow.db").execute("$(LATEST_EXPERIMENT)").fetchone(); \
	    row or sys.exit("There are no runs yet: make run makes some."); \
	    print(f"Runs: http://127.0.0.1:$(PORT)/#/experiments/{row[0]}/runs", flush=True)'
	@$(WITH_VENV) $(BIN)/kedro mlflow ui --host 127.0.0.1 --port $(PORT) $(ARGS)

# The shell that starts the servers has ended when they are used, so what they are reached by is
# written to a file only its owner can read.
sources-up: system-packages $(SERVERS) ## Start the three source systems for --env odbc, with a demo portfolio; LOANS=20000
	@$(BIN)/python -m tools.sources up --loans $(LOANS) $(ARGS)

# Asked first: the set-up takes minutes, and does not help where a server is missing.
system-packages:
	@$(PYTHON) -m tools.sources.system_packages

sources-down: $(READY) ## Stop the three servers and remove what they hold
	@$(BIN)/python -m tools.sources down

# The tag is the commit's full SHA, as a deployment wants it; `latest` is for compose.yaml.
IMAGES := batch api dashboard mlflow
REVISION = $(shell git rev-parse HEAD)
image: ## Build the images of batch, api, dashboard and mlflow with Docker; ARGS="--network host"
	@for target in $(IMAGES); do \
	    DOCKER_BUILDKIT=1 docker build --target $$target --tag loantap/$$target:$(REVISION) \
	        --tag loantap/$$target:latest --build-arg REVISION=$(REVISION) \
	        --build-arg VERSION=$$(sed -n 's/^version = "\(.*\)"/\1/p' pyproject.toml) \
	        --build-arg SOURCE=$${BITBUCKET_GIT_HTTP_ORIGIN:-unknown} $(ARGS) . || exit 1; \
	done

scan: $(READY) ## Look for secrets and data in the built images, and list their packages in build/sbom/
	@$(BIN)/python -m tools.shipping.scan --tag $(REVISION)

clean: ## Remove the environments, caches and builds; data and registered models stay
	rm -rf $(VENV) build dist site htmlcov .coverage .coverage.* .hypothesis .import_linter_cache \
	    .mypy_cache .pytest_cache .ruff_cache .viz
	find src tests tools notebooks -name __pycache__ -prune -exec rm -rf {} + 2>/dev/null || true

# --- An environment that was moved or copied with its folder runs the code of the old one.
ifneq ($(wildcard $(READY)),)
ifneq ($(shell cat $(READY)),$(CURDIR))
$(shell rm -f $(BIN)/uv $(READY) $(SERVERS))
endif
endif

# --- Set-up: uv alone first, by hash; it installs the rest of the lock in a fraction of pip's time.

$(BIN)/uv: requirements/uv.txt
	@$(PYTHON) -c 'import sys; sys.exit(not (3, 11) <= sys.version_info[:2] <= (3, 13))' || { \
	    echo "LoanTap needs Python 3.11, 3.12 or 3.13; '$(PYTHON)' is $$($(PYTHON) -V 2>&1)." >&2; \
	    echo "Name another one: make $(MAKECMDGOALS) PYTHON=python3.12" >&2; exit 1; }
	@echo "Creating $(VENV)"
	@$(PYTHON) -m venv --clear $(VENV)
	@$(BIN)/python -m pip install --quiet --disable-pip-version-check --require-hashes -r $<
	@touch $@

# pip is there for where uv can't go, such as an index that only pip's configuration names.
$(READY): $(BIN)/uv requirements.txt requirements/run.txt requirements/serving.txt pyproject.toml
	@echo "Installing requirements.txt into $(VENV), about a minute"
	@$(BIN)/uv pip sync --quiet --python $(BIN)/python --require-hashes --compile-bytecode \
	    requirements.txt \
	    || { echo "uv could not; trying pip, which takes some minutes." >&2; \
	    $(BIN)/python -m pip install --quiet --disable-pip-version-check --require-hashes --no-deps \
	        -r requirements.txt; }
	@$(BIN)/python -m pip install --quiet --disable-pip-version-check --no-deps --no-build-isolation \
	    --editable .
	@echo "$(CURDIR)" > $@

# The locks of the drivers and of Spark hold what they add to run.txt.
SERVER_LOCKS := requirements/run.txt requirements/sources.txt requirements/spark.txt

$(SERVERS): $(READY) $(SERVER_LOCKS)
	@echo "Installing the drivers of the sources and Spark into $(VENV), about half a minute"
	@$(BIN)/uv pip install --quiet --python $(BIN)/python --require-hashes --compile-bytecode \
	    $(SERVER_LOCKS:%=-r %) \
	    || { echo "uv could not; trying pip, which takes some minutes." >&2; \
	    $(BIN)/python -m pip install --quiet --disable-pip-version-check --require-hashes --no-deps \
	        $(SERVER_LOCKS:%=-r %); }
	@touch $@

# --- Locks: one universal resolution for development; the others are compiled under it. Hashes of
# files for other systems are taken out, then what run.txt holds is taken out of those that are
# installed with it. The development lock is one of these; it names run.txt and serving.txt itself.
# make lock ARGS=--upgrade moves every pin to the newest release that pyproject.toml allows.

COMPILE = UV_NO_CONFIG=1 UV_CUSTOM_COMPILE_COMMAND="make lock" $(BIN)/uv pip compile --quiet \
    --universal --python-version 3.11 --fork-strategy fewest --generate-hashes --no-annotate \
    -c requirements/constraints.in $(ARGS)

LOCKS := requirements.txt requirements/run.txt requirements/serving.txt requirements/sources.txt \
    requirements/spark.txt
PYLOCK := $(VENV)/pylock.files.toml

lock: $(BIN)/uv ## Compile requirements.txt and requirements/ anew; ARGS=--upgrade
	@$(COMPILE) pyproject.toml --extra odbc --extra insights --extra serving --extra aws --extra dev \
	    -o requirements.txt
	@$(COMPILE) pyproject.toml -c requirements.txt -o requirements/run.txt
	@$(COMPILE) pyproject.toml -c requirements.txt --extra serving -o requirements/serving.txt
	@$(COMPILE) pyproject.toml -c requirements.txt --extra odbc --extra db2 --extra databricks \
	    -o requirements/sources.txt
	@$(COMPILE) pyproject.toml -c requirements.txt --extra spark -o requirements/spark.txt
	@$(COMPILE) pyproject.toml --all-extras $(LOCKS:%=-c %) --format pylock.toml -o $(PYLOCK)
	@echo uv | $(COMPILE) - -c requirements.txt -o $(VENV)/uv.txt
	@$(BIN)/python -m tools.narrow_locks $(PYLOCK) $(LOCKS) $(VENV)/uv.txt
	@$(BIN)/python -m tools.slim_locks requirements/run.txt requirements/serving.txt \
	    requirements/sources.txt requirements/spark.txt
	@$(BIN)/python -m tools.slim_locks --include requirements/run.txt requirements/serving.txt \
	    requirements.txt
	@cmp -s $(VENV)/uv.txt requirements/uv.txt || cp $(VENV)/uv.txt requirements/uv.txt
