# Everything runs in .venv, which is made when it is first needed.
# `uv` is used where it is installed, else pip.

.DEFAULT_GOAL := help
.DELETE_ON_ERROR:
.PHONY: help demo test lint deep docs bench-env bench mutate test-spark spark-env frames-hashes clean

PY    ?= python3
VENV  := .venv
BIN   := $(VENV)/bin
TYPED := $(wildcard src tests benchmarks examples conftest.py)
CODE  := $(TYPED) $(wildcard docs)
UV    := $(shell command -v uv 2>/dev/null)

ifdef UV
MAKE_VENV := $(UV) venv --quiet --allow-existing --python $(PY) $(VENV)
INSTALL   := $(UV) pip install --quiet --python $(BIN)/python
else
MAKE_VENV := $(PY) -m venv $(VENV) && $(BIN)/python -m pip install --quiet --upgrade pip
INSTALL   := $(BIN)/python -m pip install --quiet --disable-pip-version-check
endif

say = printf '\033[2m--\033[0m %s\n'

help:  ## Show this list
	@grep -hE '^[a-z-]+:.*## ' $(MAKEFILE_LIST) | awk -F ':.*## ' '{printf "  make %-10s %s\n", $$1, $$2}'

demo: $(VENV)/.demo  ## Segments, stages and tiers of 23,570 real customers [FILE=purchases.csv]
	@$(BIN)/python examples/cdnow.py $(if $(FILE),--file "$(FILE)")

test: lint  ## Style, types, architecture, then every test and example, with coverage
	@$(say) tests
	@mkdir -p build
	@HYPOTHESIS_PROFILE=ci $(BIN)/coverage run -m pytest -q
	@$(BIN)/coverage report

lint: $(VENV)/.test  ## Style, types and architecture only
	@$(say) ruff
	@$(BIN)/ruff check --quiet $(CODE)
	@$(BIN)/ruff format --check $(CODE)
	@$(say) mypy
	@$(BIN)/mypy $(TYPED)
	@$(say) pyright
	@$(BIN)/pyright
	@$(say) import-linter
	@$(BIN)/lint-imports --no-logo --cache-dir build/import-linter

deep: $(VENV)/.test  ## The property tests with thousands of examples, and the long tests
	@HYPOTHESIS_PROFILE=deep $(BIN)/python -m pytest -q -m "law or deep"

docs: $(VENV)/.docs  ## The documentation, in build/docs/index.html
	@$(BIN)/sphinx-build -q -W -n -d build/doctrees docs build/docs
	@$(say) build/docs/index.html

bench-env: $(VENV)/.bench  ## Install the peers that the benchmarks compare with

bench: bench-env  ## Compare with peers [NAMES="layers-1m shares-1m"]
	@$(BIN)/python -m benchmarks $(NAMES)

mutate: $(VENV)/.mutate  ## Break the rules one by one and see which tests notice [NAMES="*rules*"]
	@HYPOTHESIS_PROFILE=ci $(BIN)/mutmut run $(NAMES)
	@$(BIN)/mutmut results | sed '/: not checked$$/d'

test-spark:  ## The tests on a real session of Spark; needs Java 17, makes .venv-spark (1.5 GB)
	@$(MAKE) --no-print-directory VENV=.venv-spark spark-env
	@.venv-spark/bin/python -m pytest -q tests/spark

frames-hashes:  ## One hash for eight data frame engines on a million purchases
	@$(MAKE) --no-print-directory VENV=.venv-spark spark-env
	@.venv-spark/bin/python -m benchmarks.frames_hashes

spark-env: $(VENV)/.spark

clean:  ## Remove everything that was made, the environment too
	@rm -rf $(VENV) .venv-spark build dist mutants .hypothesis .pytest_cache docs/_build docs/reference docs/machines.md docs/zh/machines.md .jupyter_cache
	@find . -name __pycache__ -type d -prune -exec rm -rf {} +

$(VENV)/.made:
	@$(say) 'making $(VENV)'
	@$(MAKE_VENV)
	@touch $@

# The data file of the demo comes with a peer; the peer itself stays without its dependencies.
$(VENV)/.demo: pyproject.toml | $(VENV)/.made
	@$(say) 'installing the library'
	@$(INSTALL) --editable .
	@$(INSTALL) --no-deps --group demo
	@touch $@

$(VENV)/.test: pyproject.toml $(VENV)/.demo
	@$(say) 'installing the test tools'
	@$(INSTALL) --editable . --group dev
	@touch $@

$(VENV)/.docs: pyproject.toml $(VENV)/.demo
	@$(say) 'installing the documentation tools'
	@$(INSTALL) --editable . --group docs
	@touch $@

$(VENV)/.bench: pyproject.toml $(VENV)/.demo
	@$(say) 'installing the peers'
	@$(INSTALL) --editable . --group bench
	@touch $@

$(VENV)/.mutate: pyproject.toml $(VENV)/.test
	@$(say) 'installing mutmut'
	@$(INSTALL) --group mutate
	@touch $@

$(VENV)/.spark: pyproject.toml | $(VENV)/.made
	@$(say) 'installing Spark and the other engines'
	@$(INSTALL) --editable . --group spark
	@touch $@
