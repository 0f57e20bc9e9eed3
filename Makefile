# Plain python3 >= 3.11, pip and make are enough. `make help` lists the targets.
PYTHON ?= python3
VENV   ?= .venv
BIN    := $(VENV)/bin
DATA   ?= data
SETS   ?= $(DATA)/sets
SOAK   ?= 3600
READY  := $(VENV)/.ready

# Tests wait for processes more than they compute. Those of one file share its services, so they stay together; the files
# come in the order in which they are collected, the longest first.
SIDE_BY_SIDE := --numprocesses auto --maxprocesses 4 --dist loadfile --no-loadscope-reorder

# Every run of pip is held to the pinned versions, build environments too.
export PIP_CONSTRAINT := $(CURDIR)/constraints.txt

.DEFAULT_GOAL := help
.PHONY: help demo test test-long soak check format protos docs serve trainer bench bench-peers prove default-model clean

help:  ## List the targets
	@grep -E '^[a-z-]+:.*## ' $(MAKEFILE_LIST) | awk -F ':.*## ' '{printf "  make %-14s %s\n", $$1, $$2}'

$(READY): pyproject.toml constraints.txt
	@$(PYTHON) -c 'import sys; sys.exit(sys.version_info < (3, 11) and "latentwalk needs Python 3.11 or newer, this is " + sys.version)'
	$(PYTHON) -m venv $(VENV)
	$(BIN)/python -m pip install --quiet --editable '.[dev]'
	@touch $@

demo: $(READY)  ## Steer a real face generator, end to end; pictures in demo/
	$(BIN)/latentwalk demo --out demo --data $(DATA)

test: $(READY)  ## The whole test suite
	$(BIN)/python -m pytest $(SIDE_BY_SIDE)

test-long: $(READY)  ## The long forms of the tests as well
	$(BIN)/python -m pytest $(SIDE_BY_SIDE) -m 'long or not long'

soak: $(READY)  ## An hour of use in every way, with a flat memory line; SOAK=seconds
	$(BIN)/python -m pytest tests/e2e/test_survival.py -k memory_stays_flat --soak-seconds $(SOAK)

check: $(READY)  ## Lint, types, import contracts, protos up to date, Dockerfile
	$(BIN)/ruff check .
	$(BIN)/ruff format --check .
	$(BIN)/pyright --pythonpath $(BIN)/python
	$(BIN)/lint-imports
	$(BIN)/buf lint protos
	$(BIN)/buf format --diff --exit-code protos
	$(BIN)/python protos/generate.py --check
	$(BIN)/hadolint Dockerfile

format: $(READY)  ## Put the code into its one form
	$(BIN)/ruff check --fix .
	$(BIN)/ruff format .
	$(BIN)/buf format --write protos

protos: $(READY)  ## Generate the stubs from the .proto files
	$(BIN)/python protos/generate.py

docs: $(READY)  ## Write docs/settings.md from the settings of both services
	$(BIN)/python docs/generate.py

serve: $(READY)  ## Serve the generators in data/store
	$(BIN)/latentwalk serve --store $(DATA)/store

trainer: $(READY)  ## Run the trainer on data/
	$(BIN)/latentwalk trainer --store $(DATA)/store --folder $(DATA)/jobs --database sqlite:///$(DATA)/trainer.db

bench: $(READY)  ## What we claim about speed, measured here
	$(BIN)/python -m benchmarks

bench-peers: $(READY)  ## Ourselves beside PyTriton, Ray Serve, mosec and LitServe, each in its own environment
	$(BIN)/python -m benchmarks.peers

prove: $(READY)  ## What the papers claim, reproduced here; SETS=folder with MNIST/raw
	$(BIN)/python -m proofs --data $(SETS) --work $(DATA)/proofs

default-model: $(READY)  ## Train the built-in digits and their directions again
	$(BIN)/python -m proofs.embedded_default --data $(SETS) --work $(DATA)/proofs

clean:  ## Remove the environment and everything generated
	rm -rf $(VENV) .venv-peers demo $(DATA) benchmarks/results proofs/results .pytest_cache .ruff_cache .hypothesis .import_linter_cache
