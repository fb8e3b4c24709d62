# Everything runs in .venv, which these targets make; nothing else on the machine is touched.
PYTHON ?= python3
BIN := .venv/bin
PIP := $(BIN)/pip install --quiet --disable-pip-version-check --constraint constraints.txt

.PHONY: help demo test test-slow soak lint clean

help:
	@echo "make demo       install, run the whole path on the built-in vehicle, write demo/report.html"
	@echo "make test       install the test extras and run the test suite"
	@echo "make test-slow  the tests that take longer than the suite may"
	@echo "make soak       2,000 frames in one process: time and memory must stay flat (half an hour)"
	@echo "make lint       format check, lint, types"
	@echo "make clean      remove what these targets made"

.venv/installed: pyproject.toml constraints.txt
	$(PYTHON) -m venv .venv
	@echo "installing (about a minute)"
	$(PIP) --editable .
	touch $@

.venv/installed-test: .venv/installed
	$(PIP) --editable ".[test]"
	touch $@

.venv/installed-lint: .venv/installed
	$(PIP) --editable ".[test,lint]"
	touch $@

demo: .venv/installed
	$(BIN)/clearcoat demo --out demo

test: .venv/installed-test
	$(BIN)/pytest -n 2 -m "not slow"

test-slow: .venv/installed-test
	$(BIN)/pytest -m slow

soak: .venv/installed
	OMP_NUM_THREADS=1 $(BIN)/python benchmarks/soak.py

lint: .venv/installed-lint
	$(BIN)/ruff format --check .
	$(BIN)/ruff check .
	$(BIN)/mypy

clean:
	rm -rf .venv demo build src/*.egg-info
