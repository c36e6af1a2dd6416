# Two commands carry a fresh machine: `make run` shows a first write, `make test` proves the house stands.
# Python 3.11+ is all they need; everything else is installed into .venv.

PYTHON ?= python3
VENV := .venv
BIN := $(VENV)/bin
PIP := $(BIN)/python -m pip --quiet --disable-pip-version-check
NODE := headless/ui tests/oauth_servers/oidc tests/browser/react tests/server/notifying/verifier tests/server/api/validators

.PHONY: install run test test-e2e ui lint types bench chaos wheel lock clean node chromium

install: $(VENV)/run.stamp

run: $(VENV)/run.stamp
	$(BIN)/isthmus demo

test: $(VENV)/test.stamp node chromium
	$(BIN)/python -m pytest $(PYTEST_ARGS)

# A part of the above: what customers see, in a real browser.
test-e2e: $(VENV)/test.stamp node chromium
	$(BIN)/python -m pytest tests/browser $(PYTEST_ARGS)

# The browser modules that are shipped; commit what it makes. `make test` says when they are stale.
ui: headless/ui/node_modules/.package-lock.json
	cd headless/ui && npm run --silent build

lint: $(VENV)/test.stamp
	$(BIN)/ruff check .
	$(BIN)/ruff format --check .

types: $(VENV)/test.stamp
	$(BIN)/mypy

bench: $(VENV)/test.stamp node chromium
	for name in pipeline transport store access proxy writes element; do $(BIN)/python -m tests.benchmarks.$$name || exit 1; done
	$(BIN)/python -m tests.benchmarks.durable accepts completion

# What is promised, against kill -9, crashed databases, full disks and jumping clocks; RUNS="crash disk" for a part of it.
chaos: $(VENV)/test.stamp
	$(BIN)/python -m tests.chaos full $(RUNS:%=--only %)

# Installed into an empty environment and imported from outside the checkout, so that a file the wheel lacks is noticed.
wheel: $(VENV)/test.stamp
	rm -rf dist $(VENV)/wheel
	$(BIN)/python -m build --wheel --no-isolation --outdir dist . > /dev/null
	$(PYTHON) -m venv $(VENV)/wheel
	$(VENV)/wheel/bin/python -m pip --quiet --disable-pip-version-check install --require-hashes -r .ci/requirements/run.txt
	$(VENV)/wheel/bin/python -m pip --quiet --disable-pip-version-check install --no-deps dist/isthmus-*.whl
	cd / && $(abspath $(VENV))/wheel/bin/python -c "import server.app, headless, connectors.catalog, installations, migrations"
	cd / && $(abspath $(VENV))/wheel/bin/python -c "from headless.embed import read_assets; assert {'install.js', 'headless.js', 'embed.js', 'install.d.ts'} <= {*read_assets().files}"
	cd / && $(abspath $(VENV))/wheel/bin/python -m zipfile -l $(abspath dist)/isthmus-*.whl | (! grep -E "node_modules|headless/ui/(src|[^a])|tests/")
	cd / && $(abspath $(VENV))/wheel/bin/isthmus --help > /dev/null

# The pins carry hashes and no index, so that any mirror serves.
lock: $(VENV)/test.stamp
	$(PIP) install pip-tools
	cd .ci/requirements && ../../$(BIN)/pip-compile --quiet --strip-extras --generate-hashes --no-emit-index-url --no-emit-find-links --no-emit-trusted-host --no-header --allow-unsafe -o run.txt ../../pyproject.toml
	cd .ci/requirements && ../../$(BIN)/pip-compile --quiet --strip-extras --generate-hashes --no-emit-index-url --no-emit-find-links --no-emit-trusted-host --no-header --allow-unsafe --extra test -c run.txt -o test.txt ../../pyproject.toml

$(BIN)/python:
	$(PYTHON) -c 'import sys; sys.exit("Isthmus needs Python 3.11 or newer" if sys.version_info < (3, 11) else 0)'
	$(PYTHON) -m venv $(VENV)

$(VENV)/run.stamp: $(BIN)/python .ci/requirements/run.txt pyproject.toml
	$(PIP) install --require-hashes -r .ci/requirements/run.txt
	$(PIP) install --no-deps --editable .
	touch $@

$(VENV)/test.stamp: $(BIN)/python .ci/requirements/test.txt pyproject.toml
	$(PIP) install --require-hashes -r .ci/requirements/test.txt
	$(PIP) install --no-deps --no-build-isolation --editable .
	touch $@ $(VENV)/run.stamp

# Parts of others that the tests run: from npm, and a browser. Where one is absent, its tests skip and say so.
node: $(NODE:%=%/node_modules/.package-lock.json)

%/node_modules/.package-lock.json: %/package-lock.json
	@if command -v node > /dev/null && command -v npm > /dev/null; then \
		cd $* && npm ci --ignore-scripts --no-audit --no-fund --loglevel=error > /dev/null && touch node_modules/.package-lock.json; fi

chromium:
	@for name in chromium chromium-browser google-chrome; do command -v $$name > /dev/null && exit 0; done; \
	if test "$$(id -u)" = 0 && command -v apt-get > /dev/null; then \
		{ apt-get update && apt-get install --yes --no-install-recommends chromium; } > /dev/null || true; fi

clean:
	rm -rf $(VENV) dist .isthmus $(NODE:%=%/node_modules)
