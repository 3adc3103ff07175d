# Everything runs in .venv, with the versions in constraints.txt.
PYTHON ?= python3
BIN := .venv/bin

.PHONY: audit test check bench clean

audit: .venv/installed
	$(BIN)/vestige audit digits

test: .venv/installed-dev
	$(BIN)/python -m pytest

check: .venv/installed-dev
	PATH="$(CURDIR)/$(BIN):$$PATH" scripts/check

bench: .venv/installed-dev
	$(BIN)/python -m benchmarks

.venv/bin/python:
	$(PYTHON) -m venv .venv
	$(BIN)/pip install --quiet --upgrade pip

# torch first and by its exact version: a range would take the newest build, with gigabytes of CUDA
.venv/installed: .venv/bin/python pyproject.toml constraints.txt
	$(BIN)/pip install --quiet -c constraints.txt "$$(grep '^torch==' constraints.txt)"
	$(BIN)/pip install --quiet -c constraints.txt -e .
	touch $@

.venv/installed-dev: .venv/installed
	$(BIN)/pip install --quiet -c constraints.txt -e ".[dev]"
	touch $@

clean:
	rm -rf .venv
