# `make demo` and `make test` are all that is needed; each sets up .venv first and skips what is done.
PYTHON ?= python3
VENV := .venv
BIN := $(VENV)/bin
SWEEP ?= sweeps/digits.yaml

.PHONY: demo test test-fast check audit lock clean

demo: $(VENV)/.installed
	$(BIN)/prunesweep run $(SWEEP)

# Two processes on two cores: with threads of their own they would mostly wait for each other.
test test-fast: export OMP_NUM_THREADS = 1
test: check
	$(BIN)/pytest -m "not slow" -n 2
	$(BIN)/pytest -m slow -n 2 --dist loadfile --no-loadscope-reorder --durations 25

test-fast: $(VENV)/.installed-dev
	$(BIN)/pytest -m "not slow" -n 2

check: $(VENV)/.installed-dev
	$(BIN)/ruff check .
	$(BIN)/ruff format --check .
	$(BIN)/mypy
	$(BIN)/lint-imports

# Known vulnerabilities of what is locked; asks a service on the network.
audit: $(VENV)/.installed-dev
	$(BIN)/python .ci/audit requirements.lock requirements-cluster.lock

$(VENV)/.installed: requirements.lock pyproject.toml
	$(PYTHON) -m venv $(VENV)
	$(BIN)/pip install --quiet --require-hashes --requirement requirements.lock
	$(BIN)/pip install --quiet --no-deps --no-build-isolation --editable .
	touch $@

$(VENV)/.installed-dev: requirements-dev.lock $(VENV)/.installed
	$(BIN)/pip install --quiet --require-hashes --requirement requirements-dev.lock
	touch $@

# Locks hold versions and hashes only, so that they work behind any index.
LOCK := uv pip compile --quiet --universal --python-version 3.11 --generate-hashes --no-emit-index-url --no-annotate
lock:
	$(LOCK) pyproject.toml --extra dev --extra cluster --output-file requirements-dev.lock
	$(LOCK) pyproject.toml --constraint requirements-dev.lock --output-file requirements.lock
	$(LOCK) pyproject.toml --extra cluster --constraint requirements-dev.lock --output-file requirements-cluster.lock

clean:
	rm -rf $(VENV) .mypy_cache .ruff_cache .pytest_cache .import_linter_cache *.egg-info
