.DEFAULT_GOAL := help
PYTHON ?= $(shell for each in 3.10 3.11 3.12 3.13; do \
	python$$each -c '' 2>/dev/null && echo python$$each && break; done)
LAVA_MINUTES ?= 60
BIN := .venv/bin
STAMP := .venv/.complete
MINUTES ?= 30
SEED ?= 0

.PHONY: help setup demo test check docs outputs figures notebooks zoo bench fuzz mutants format

help: ## show this list
	@grep -E '^[a-z]+:.*##' $(MAKEFILE_LIST) | sed -E 's/:.*## /\t/' | expand -t 10

setup: $(STAMP) ## make .venv with snnc, Lava, PyTorch and the tools (PYTHON=python3.13 names another Python)

PIP := $(BIN)/python -m pip install --quiet --disable-pip-version-check
PINS = $$($(BIN)/python -c 'import sys; print("-3.10" if sys.version_info < (3, 11) else "")')

$(STAMP): pyproject.toml constraints.txt constraints-3.10.txt
	@test -n "$(PYTHON)" || { echo "no python3.10 to python3.13 runs here; name one: make setup PYTHON=..."; exit 1; }
	$(PYTHON) -m venv --clear .venv
	$(PIP) --constraint constraints$(PINS).txt --editable '.[slayer,train,docs,nir-oracles,dev]'
	$(PIP) --no-deps --ignore-requires-python lava-nc==0.10.0 lava-dl==0.6.0
	@touch $@

demo: $(STAMP) ## train on digits, compile for T = 2, 3, 4, run on Lava, print the table
	@$(BIN)/python -m examples.digits.demo

test: check docs ## everything in check, the site, then the tests on the Lava simulator and PyTorch
	$(BIN)/pytest -q -m "lava or torch"

check: $(STAMP) ## format, lint, types, import contracts and the quick tests
	$(BIN)/ruff format --check .
	$(BIN)/ruff check .
	$(BIN)/mypy
	$(BIN)/lint-imports
	$(BIN)/pytest -q -n auto -m "not lava and not torch"

docs: $(STAMP) ## the site in out/site; a broken link is an error
	NO_MKDOCS_2_WARNING=1 $(BIN)/mkdocs build --quiet

outputs: $(STAMP) ## run what README and docs show, and write what it prints; ONLY=hello,qonnx, or quick
	$(BIN)/python -m docs.site.outputs $(if $(filter quick,$(ONLY)),--quick,$(if $(ONLY),--only $(ONLY)))

figures: $(STAMP) ## draw the pictures of docs/figures from networks of today
	$(BIN)/python -m docs.site.figures

notebooks: $(STAMP) ## run the notebooks of docs/notebooks and store what they print
	$(BIN)/python -m docs.site.notebooks

zoo: $(STAMP) ## every network, code and width of weights, LAVA_MINUTES=60 of them on Lava: a few hours
	PYTHONPATH=.:tests $(BIN)/python -m zoo.product --lava $(LAVA_MINUTES)

bench: $(STAMP) ## the ratios of benchmarks/README.md, in short
	$(BIN)/python -m benchmarks.vgg16
	$(BIN)/python -m benchmarks.zoo
	$(BIN)/python -m benchmarks.netx

fuzz: $(STAMP) ## attack snnc for MINUTES=30 with cases of SEED=0; findings are in out/fuzz
	$(BIN)/python -m tests.fuzz --minutes $(MINUTES) --seed $(SEED)

format: $(STAMP) ## rewrite the files as ruff formats them
	$(BIN)/ruff format .
	$(BIN)/ruff check --fix .

mutants: $(STAMP) ## small slips in the compiler that the quick tests miss; ROOM=compiler/rules SAMPLE=60
	$(PIP) --constraint constraints$(PINS).txt --editable '.[mutants]'
	PYTHONPATH=tests $(BIN)/python -m mutation $(if $(ROOM),--room $(ROOM)) $(if $(SAMPLE),--sample $(SAMPLE))
