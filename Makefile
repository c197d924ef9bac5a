# Everything a fresh clone needs: `make demo` to hear it, `make test` to prove it.
PYTHON ?= python3
VENV := .venv
BIN := $(VENV)/bin
STAMP := $(VENV)/.installed
export PYTHON

.DEFAULT_GOAL := help
.PHONY: help setup demo test check lock clean

help: ## List the targets
	@awk -F ':.*## ' '/^[a-z]+:.*## / { printf "make %-6s %s\n", $$1, $$2 }' Makefile

setup: $(STAMP) ## Make .venv and install the tested versions into it

demo: $(STAMP) ## Render the demo clip: a file, a picture, three lines of figures
	$(BIN)/highband demo

# Two at a time, then what plays in real time alone; one thread each, as torch's threads wait for each other on a busy
# machine. The target fails where either does, and both are run.
test: $(STAMP) ## Install what the tests need of the system, then run them
	scripts/system-packages.sh test
	export OMP_NUM_THREADS=1; $(BIN)/pytest -q -n 2 --dist loadgroup -m "not realtime"; first=$$?; \
		$(BIN)/pytest -q -m realtime && exit $$first

check: $(STAMP) ## Lint, format, types, import contracts
	$(BIN)/ruff check .
	$(BIN)/ruff format --check .
	$(BIN)/mypy
	$(BIN)/lint-imports

lock: $(STAMP) ## Write the versions in .venv to requirements.lock
	$(BIN)/python scripts/lock.py

clean: ## Remove .venv and everything that was built or cached
	rm -rf $(VENV) build dist *.egg-info .pytest_cache .mypy_cache .ruff_cache .hypothesis
	find . -name __pycache__ -type d -prune -exec rm -rf {} +

$(STAMP): requirements.lock pyproject.toml scripts/system-packages.sh
	scripts/system-packages.sh run
	@$(PYTHON) -c 'import sys; sys.exit(sys.version_info < (3, 11))' || \
		{ echo "Highband needs Python 3.11 or newer; name one with: make setup PYTHON=python3.12" >&2; exit 1; }
	test -x $(BIN)/pip || $(PYTHON) -m venv $(VENV)
	$(BIN)/python -m pip install --quiet --disable-pip-version-check -r requirements.lock
	$(BIN)/python -m pip install --quiet --disable-pip-version-check --no-deps --no-build-isolation --editable .
	$(BIN)/python -c 'from models.artifact.load import load_extender; load_extender("live")' # compiles the kernels, once
	@touch $@
