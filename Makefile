# Two commands are enough: `make demo` and `make test`. All that is installed lands in .venv.
PYTHON ?= python3
BIN := .venv/bin
READY := .venv/.ready
export YOLO_AUTOINSTALL = false
export YOLO_OFFLINE = true

.PHONY: setup demo test check format bench screens clean

setup: $(READY)

# uv where it is installed, else the one that pip brings into the environment itself.
$(READY): pyproject.toml constraints.txt
	@if ! command -v uv >/dev/null 2>&1; then \
	  $(BIN)/python -m pip --version >/dev/null 2>&1 || $(PYTHON) -m venv .venv; \
	  test -x $(BIN)/uv || $(BIN)/python -m pip install --quiet --disable-pip-version-check uv; \
	else \
	  test -x $(BIN)/python || uv venv --quiet --python $(PYTHON) .venv; \
	fi
	@echo "Setting up .venv (several gigabytes the first time, mostly torch) ..."
	@PATH="$(CURDIR)/$(BIN):$$PATH" uv pip install --quiet --python $(BIN)/python \
	  --constraints constraints.txt --editable . --group dev
	@touch $@

# Exit status 1 and 3 are verdicts (rejected, for review), not failures.
demo: setup
	@$(BIN)/loupe demo --out out/demo; status=$$?; \
	  [ $$status -eq 0 ] || [ $$status -eq 1 ] || [ $$status -eq 3 ]

test: setup
	@$(BIN)/python -m pytest

check: setup
	@$(BIN)/ruff check
	@$(BIN)/ruff format --check
	@$(BIN)/mypy
	@$(BIN)/lint-imports

format: setup
	@$(BIN)/ruff check --fix
	@$(BIN)/ruff format

# What the benchmark compares with lies beside the environment, not in it; without it the rest is measured.
bench: setup
	@[ -d .venv/peers/anomalib ] || { echo "Fetching anomalib to compare with (230 MB) ..."; \
	  PATH="$(CURDIR)/$(BIN):$$PATH" uv pip install --quiet --python $(BIN)/python --target .venv/peers \
	    --no-deps --requirement tests/bench/peers.txt || echo "anomalib could not be fetched"; }
	@$(BIN)/python -m tests.bench

# The pictures of the app in the README; takes about a minute.
screens: setup
	@$(BIN)/python -m tests.tui.screens examples/screens

clean:
	rm -rf .venv out build *.egg-info
