.DEFAULT_GOAL := help
PYTHON ?= python3.10
MINUTES ?= 60
BIN := .venv/bin
STAMP := .venv/.complete

.PHONY: help setup demo test check zoo format

help: ## show this list
	@grep -E '^[a-z]+:.*##' $(MAKEFILE_LIST) | sed -E 's/:.*## /\t/' | expand -t 10

setup: $(STAMP) ## make .venv with snnc, Lava, PyTorch and the tools

$(STAMP): pyproject.toml constraints.txt
	$(PYTHON) -m venv .venv
	$(BIN)/python -m pip install --quiet --disable-pip-version-check --constraint constraints.txt --editable '.[lava,train,dev]'
	@touch $@

demo: $(STAMP) ## train on digits, compile for T = 2, 3, 4, run on Lava, print the table
	$(BIN)/python -m examples.digits.demo

test: check ## everything in check, then the tests on the Lava simulator and PyTorch
	$(BIN)/pytest -q -m "lava or torch"

check: $(STAMP) ## format, lint, types, import contracts and the quick tests
	$(BIN)/ruff format --check .
	$(BIN)/ruff check .
	$(BIN)/mypy
	$(BIN)/lint-imports
	$(BIN)/pytest -q -n auto -m "not lava and not torch"

zoo: $(STAMP) ## every network, code and width of weights, MINUTES=60 of them on Lava: a few hours
	PYTHONPATH=.:tests $(BIN)/python -m zoo.product --lava $(MINUTES)

format: $(STAMP) ## rewrite the files as ruff formats them
	$(BIN)/ruff format .
	$(BIN)/ruff check --fix .
