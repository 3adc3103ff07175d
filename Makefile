# Everything runs in .venv, with the versions in constraints.txt.
PYTHON ?= python3
WORKERS ?= 2
BIN := .venv/bin

.PHONY: audit test check bench clean

audit: .venv/installed
	$(BIN)/vestige audit digits

# one thread for each worker: processes that share cores with several threads each wait for one another
test: .venv/installed-dev
	OMP_NUM_THREADS=1 $(BIN)/python -m pytest -n $(WORKERS) --dist loadfile

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
