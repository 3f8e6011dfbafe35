# `make run` and `make test` are all the set-up there is. `make help` lists the rest.
PORT ?= 8501
VENV := .venv
BIN := $(VENV)/bin
INSTALLED := $(VENV)/.installed
# The first interpreter on the machine that is new enough; PYTHON= names another.
PYTHON ?= $(firstword $(foreach name,python3.13 python3.12 python3.11 python3,\
	$(shell $(name) -c 'import sys; print("$(name)" if sys.version_info >= (3, 11) else "")' 2>/dev/null)))

.PHONY: help install run test lint bench lock clean
.DEFAULT_GOAL := help

help:  ## list the targets
	@grep -E '^[a-z]+:.*##' $(MAKEFILE_LIST) | sed 's/:.*## /\t/' | expand -t 12

install: $(INSTALLED)  ## make .venv from the hashed lock

$(INSTALLED): requirements/all.txt requirements/installer.txt pyproject.toml
	@test -n "$(PYTHON)" || { echo "Python 3.11 or later is needed and was not found; install it, or say PYTHON=/path/to/python3.11"; exit 1; }
	@echo "Installing into $(VENV) (once; about a minute) ..."
	@$(PYTHON) -m venv $(VENV)
	@$(BIN)/python -m pip install --quiet --disable-pip-version-check --require-hashes -r requirements/installer.txt
	@$(BIN)/uv pip install --quiet --python $(BIN)/python --require-hashes --compile-bytecode -r requirements/all.txt
	@$(BIN)/uv pip install --quiet --python $(BIN)/python --no-deps --no-build-isolation --editable .
	@touch $@

run: install  ## prepare the shipped conversations and open the app on 127.0.0.1 (PORT=8501)
	@$(BIN)/qbs app --prepare --port $(PORT)

test: lint  ## lint, types, import directions, then every test
	@PYTHONDONTWRITEBYTECODE= $(BIN)/python -m pytest -n 2 --dist loadfile --no-loadscope-reorder

lint: install  ## ruff, mypy, import-linter
	@$(BIN)/ruff format --check --quiet . || { echo "ruff format would change files: run .venv/bin/ruff format"; exit 1; }
	@$(BIN)/ruff check --quiet .
	@$(BIN)/mypy
	@$(BIN)/lint-imports --no-logo >.lint-imports.log 2>&1 || { cat .lint-imports.log; exit 1; }

bench: install  ## the performance goals, as ratios measured in one run
	@$(BIN)/python -m tests.benchmarks

lock: install  ## resolve the dependencies anew (addresses stay out of the files)
	@$(BIN)/uv pip compile pyproject.toml --quiet --upgrade --generate-hashes --no-emit-index-url --no-emit-find-links \
		--no-header --no-annotate --all-extras --universal --python-version 3.11 --output-file requirements/all.txt
	@echo uv | $(BIN)/uv pip compile - --quiet --upgrade --generate-hashes --no-emit-index-url --no-emit-find-links \
		--no-header --no-annotate --universal --output-file requirements/installer.txt

clean:  ## remove what was installed and cached (never .qbs, which holds your work)
	rm -rf $(VENV) .mypy_cache .ruff_cache .pytest_cache .import_linter_cache .hypothesis .lint-imports.log
	find . -name __pycache__ -not -path './$(VENV)/*' -prune -exec rm -rf {} +
