# make demo | test | coverage | oracles | soak | perf | docs | lint | wheel | clean
# Needs python3, python3-venv, make and git; everything else is installed into .venv by `make`. Works as root or not.

PYTHON ?= python3
VENV := .venv
BIN := $(VENV)/bin
PIP := $(BIN)/python -m pip --disable-pip-version-check --quiet
NPM_DIR := tests/peers/ocpp_rpc
PACKAGES := chargepoint iso15118 hal certs bench
# Three more than cores of the least machine: tests with foreign programs mostly wait.
JOBS ?= 5

.DEFAULT_GOAL := test
.DELETE_ON_ERROR:
.PHONY: demo test lint types arrows wheel tests coverage soak perf docs oracles clean

$(VENV)/.stamp: pyproject.toml
	test -x $(BIN)/python || $(PYTHON) -m venv $(VENV)
	$(PIP) install --editable '.[dev]'
	touch $@

$(NPM_DIR)/node_modules/.stamp: $(NPM_DIR)/package.json $(NPM_DIR)/package-lock.json $(VENV)/.stamp
	cd $(NPM_DIR) && PATH="$(CURDIR)/$(BIN):$$PATH" npm ci --silent --no-audit --no-fund --ignore-scripts
	touch $@

demo: $(VENV)/.stamp
	@$(BIN)/chargepoint demo

# pytest stands last, so that its summary is the end of the output.
test: lint types arrows wheel tests

lint: $(VENV)/.stamp
	$(BIN)/ruff check --quiet .
	$(BIN)/ruff format --check --quiet .

types: $(VENV)/.stamp
	$(BIN)/mypy

arrows: $(VENV)/.stamp
	$(BIN)/lint-imports --no-logo

# What an image or an installation takes; it must build, and hold all five packages.
wheel: $(VENV)/.stamp
	rm -rf dist
	$(BIN)/python -m build --wheel --outdir dist . >/dev/null
	$(BIN)/python -m zipfile --list dist/*.whl | grep ' *chargepoint/py.typed' >/dev/null

tests: $(VENV)/.stamp $(NPM_DIR)/node_modules/.stamp
	$(BIN)/python -m pytest -q -n $(JOBS) --dist loadgroup --doctest-modules tests $(PACKAGES)

# Which lines the tests of each room reach. Not in `make test`: tracing takes as long as half of it, and nothing is asserted of it.
coverage: $(VENV)/.stamp
	$(BIN)/python -m pytest -q -n $(JOBS) --dist loadgroup --doctest-modules --cov --cov-report=term tests/unit $(PACKAGES)

# The long campaigns, whole; `make test` runs seeded slices of them.
soak: $(VENV)/.stamp $(NPM_DIR)/node_modules/.stamp
	SOAK=1 $(BIN)/python -m pytest -q -n $(JOBS) --dist loadgroup -m soak --timeout=0 tests

perf: $(VENV)/.stamp
	$(BIN)/python -m bench.perf

# What is generated under docs/; tests/house says when it is stale.
docs: $(VENV)/.stamp
	$(BIN)/python -m tests.house.generate

# Foreign programs that tests compare with, where there is root and apt. Extend the list with the test that needs it.
ORACLES := openssl iproute2 libgnutls30 tshark softhsm2 swtpm libtpm2-pkcs11-1 libtss2-tcti-swtpm0 opensc
oracles:
	apt-get -qq update
	DEBIAN_FRONTEND=noninteractive apt-get -qq install --no-install-recommends --yes $(ORACLES) >/dev/null

clean:
	rm -rf $(VENV) $(NPM_DIR)/node_modules .mypy_cache .ruff_cache .pytest_cache .hypothesis .coverage
