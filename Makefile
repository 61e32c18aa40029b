# make demo: build, then run a real state machine end to end.   make test: build, lint, all tests.
# Both do all of their own set-up (Debian packages, virtual environment, build) and are quick when nothing changed.

SHELL := bash
.SHELLFLAGS := -euo pipefail -c
MAKEFLAGS += --no-print-directory --no-builtin-rules
.DELETE_ON_ERROR:
.DEFAULT_GOAL := help

# One cache for all checkouts and for pip's builds too, so that RocksDB (some minutes) is built once on a machine.
# Everything is built with --release, tests as well: a second profile would build it a second time.
export CARGO_TARGET_DIR := $(or $(XDG_CACHE_HOME),$(HOME)/.cache)/stepwell/target
export PIP_DISABLE_PIP_VERSION_CHECK := 1

SYSTEM_PACKAGES := build-essential libclang-dev python3-venv
VENV            := .venv
BIN             := $(VENV)/bin
CARGO           := scripts/with-build-cache cargo
CLIPPY          := $(CARGO) clippy --workspace --all-targets --release --locked --quiet
RUST_SOURCES    := $(shell find rust -name '*.rs' -o -name Cargo.toml) Cargo.toml Cargo.lock
PYTHON_SOURCES  := $(shell find python -name '*.py' -o -name '*.pyi' -o -name py.typed -o -path '*/static/*' -type f)
PYTHON_FOLDERS  := python tests scripts/site $(wildcard benches examples fuzz)

.PHONY: help system setup build wheel wheels sdist sbom fmt lint lint-python lint-rust lint-workflows audit test test-python test-rust test-clients bench bench-docs peers emulators fuzz soak conformance-cluster screenshots docs demo clean

help: ## this list
	@grep -hE '^[a-z-]+:.*## ' $(MAKEFILE_LIST) | sed -E 's/:.*## /\t/' | expand -t 14

system:
	@scripts/install-system-packages $(SYSTEM_PACKAGES)

# What builds and runs the package. The rest takes pip a minute and 1.6 GB: a newcomer's "make demo" need not wait for it.
$(VENV)/.tools: pyproject.toml | system
	@echo "Setting up $(VENV) ..."
	@[ -x $(BIN)/python ] || "$$(scripts/find-python)" -m venv $(VENV)
	@$(BIN)/python -m pip install --quiet --upgrade 'pip>=25.1'
	@$(BIN)/python -m pip install --quiet --group build
	@touch $@

$(VENV)/.installed: $(VENV)/.tools
	@echo "Installing what tests, linters and documents need ..."
	@$(BIN)/python -m pip install --quiet --group dev
	@touch $@

setup: $(VENV)/.installed ## the Debian packages and the virtual environment that build, tests and documents need

# Without build isolation, so that maturin finds the crates that it has built before. The module comes to lie beside the
# Python sources.
$(VENV)/.built: $(VENV)/.tools $(RUST_SOURCES)
	@echo "Building the native module ..."
	@[ -d $(CARGO_TARGET_DIR)/release ] || echo "The first build on a machine takes 5 to 10 minutes, mostly for RocksDB."
	@PATH="$(abspath $(BIN)):$$PATH" scripts/with-build-cache \
	    $(BIN)/python -m pip install --quiet --no-build-isolation --no-deps --editable .
	@touch $@

build: setup $(VENV)/.built ## build the native module and install the package, editable, in .venv

dist/.built: $(VENV)/.tools $(RUST_SOURCES) $(PYTHON_SOURCES) README.md LICENSE
	@rm -rf dist && mkdir -p dist
	@scripts/with-build-cache $(BIN)/maturin build --release --locked --quiet --out dist
	@touch $@

wheel: dist/.built ## build the wheel into dist/
	@ls dist/*.whl

# A release (.github/workflows/release.yml) is made of what the next three put into release/.
wheels: $(VENV)/.tools ## the wheels of a release, all targets that this Rust can build or TARGETS="x86_64-unknown-linux-musl"
	@PATH="$(abspath $(BIN)):$$PATH" scripts/build-wheels $(TARGETS)

sdist: $(VENV)/.tools ## the sources of a release, from which pip builds
	@mkdir -p release
	@SOURCE_DATE_EPOCH=$${SOURCE_DATE_EPOCH:-$$(git log -1 --format=%ct)} $(BIN)/maturin sdist --out release

sbom: $(VENV)/.tools ## what the package is made of (CycloneDX)
	@mkdir -p release
	@$(BIN)/python scripts/make-sbom release/stepwell.cdx.json

fmt: build ## format all code, and write the pages that are made: docs/api-coverage.md, docs/reference/cli.md
	@cargo fmt --all
	@$(BIN)/ruff check --quiet --fix-only $(PYTHON_FOLDERS)
	@$(BIN)/ruff format --quiet $(PYTHON_FOLDERS)
	@$(BIN)/python scripts/make-api-coverage
	@$(BIN)/python scripts/make-cli-reference

lint-python: build
	@$(BIN)/ruff format --quiet --check $(PYTHON_FOLDERS) || { echo 'Not formatted: run "make fmt".' >&2; exit 1; }
	@$(BIN)/ruff check --quiet $(PYTHON_FOLDERS)
	@$(BIN)/pyright --warnings

lint-rust: build
	@cargo fmt --all --check
	@$(CLIPPY) -- -D warnings
	@if cargo deny --version >/dev/null 2>&1; then cargo deny --log-level error check; fi

lint-workflows:
	@scripts/lint-workflows

lint: lint-python lint-rust lint-workflows ## formatting, linters and types, of Python, Rust and the workflows

# Advisories are looked up over the network, so no other target needs this one.
audit: setup ## known weaknesses of the dependencies, by cargo-deny and pip-audit, and what could not be checked
	@scripts/audit "$$($(BIN)/python -c 'import sysconfig; print(sysconfig.get_path("purelib"))')"

# What needs servers of NATS says so and is skipped where they cannot be installed.
test-rust: build
	@scripts/install-nats-server >/dev/null || true
	@$(CARGO) test --workspace --release --locked --quiet

# Crash tests mostly wait, so three processes keep two cores busy. A file is tested in one process. The console's tests
# need a browser; where none can be installed they are skipped, and say so.
test-python: build wheel
	@scripts/install-system-packages chromium || echo 'Not tested: the console in a browser (chromium).'
	@$(BIN)/python -m pytest -n 3 --dist loadfile

# Those of Java and Go too, whose compilers take minutes at first. Their package managers' own configuration is used.
test-clients: build ## AWS's command line and its SDKs for JavaScript, Java and Go against a server
	@$(BIN)/python -m pytest tests/clients tests/clients/java_and_go.py --timeout 1200

# In this order, so that what fails fast fails first, and pytest's summary is the last line.
test: ## build, lint, all tests
	@$(MAKE) lint
	@$(MAKE) test-rust
	@$(MAKE) test-python

# The last lines are our row of figures. SAVE=1 keeps it in docs/bench and writes it into docs/performance.md.
bench: build wheel ## the benchmarks (some minutes), and our row beside the disk's own floor
	@scripts/install-system-packages wrk || true
	@mkdir -p .benchmarks
	@$(BIN)/python -m pytest $(or $(BENCH),benches) --benchmark-enable --benchmark-only -p no:cacheprovider \
	    --timeout 900 --benchmark-columns=min,median,rounds --benchmark-max-time=0.3 --benchmark-json=.benchmarks/run.json
	@$(BIN)/python benches/report.py .benchmarks/run.json $(if $(SAVE),--save --docs)

bench-docs: setup ## the tables and charts of docs/performance.md, from docs/bench
	@$(BIN)/python benches/report.py --docs

peers: build ## the same work on Stepwell, DBOS and Restate (benches/peers/setup installs them; POSTGRES=URL)
	@$(BIN)/python benches/peers/compare.py --save docs/bench/peers.json $(if $(POSTGRES),--postgres '$(POSTGRES)')

emulators: build ## the same requests to our server, moto's and LocalStack's (benches/emulators/setup; needs wrk)
	@$(BIN)/python benches/emulators/compare.py --save docs/bench/emulators.json

fuzz: build ## the fuzz targets, SECONDS=600 each, all of them or TARGETS="log id"
	@scripts/fuzz $(or $(SECONDS),600) $(TARGETS)

# ARGS are those of the recordings' own scorer: ARGS="--kind api -v".
conformance-cluster: build ## AWS's recorded answers on a cluster of three nodes (some minutes)
	@$(BIN)/python tests/cluster/conformance.py $(ARGS)

soak: build ## a steady load with retention for a minute: memory and disk must stay flat
	@$(BIN)/python benches/soak.py $(SOAK)

screenshots: build ## the pictures of docs/console.md, of a shop's busy day, in chromium
	@scripts/install-system-packages chromium
	@$(BIN)/python scripts/make-console-pictures docs/console

docs: build ## the site of the documents, in site/, with its links checked
	@$(BIN)/python scripts/site/make.py

demo: $(VENV)/.built ## run the order service: killed half-way, recovered, finished
	@$(BIN)/python examples/order_service/demo.py

clean: ## remove what was built here (the shared build cache stays)
	@rm -rf dist site $(VENV)/.built python/stepwell/*.so .pytest_cache .ruff_cache
