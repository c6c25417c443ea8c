# Two commands for a newcomer:   make demo    make test
# The rest is for developers; `make help` lists it.

PYTHON ?= python3
VENV   := .venv
BIN    := $(VENV)/bin
STAMP  := $(VENV)/.installed
APT_TESTS := nut-server nut-client usbip procps iproute2 gcc libc6-dev shellcheck busybox

.PHONY: help demo test test-vm lint types check bench clean distribution-packages

help:  ## this list
	@grep -hE '^[a-z-]+:.*##' $(MAKEFILE_LIST) | sed 's/:.*##/\t/' | expand -t 14

demo: $(STAMP)  ## a simulated UPS loses and regains mains; no hardware, no root
	$(BIN)/python tools/demo.py

test: $(STAMP) distribution-packages  ## set up and run all tests (not the virtual machine's)
	$(BIN)/python -m pytest -m "not vm and not slow" $(PYTEST_ARGS)

test-vm: $(STAMP)  ## the tests on a real kernel in QEMU
	$(BIN)/python -m pytest -m vm tests/vm $(PYTEST_ARGS)

lint: $(STAMP)  ## style
	$(BIN)/ruff format --check .
	$(BIN)/ruff check .

types: $(STAMP)  ## mypy --strict
	$(BIN)/mypy

check: lint types test  ## what a pull request must pass

# A virtual environment of our own; Debian splits `venv` off its Python, so root may have to add it.
$(STAMP): pyproject.toml
	@$(PYTHON) -c 'import sys; sys.exit(sys.version_info < (3, 11))' 2>/dev/null || tools/install-packages python3
	@$(PYTHON) -c 'import ensurepip, venv' 2>/dev/null || tools/install-packages python3-venv
	$(PYTHON) -m venv $(VENV)
	$(BIN)/python -m pip install --quiet --disable-pip-version-check --editable '.[dev]'
	@touch $@

# As root the tests' real parts are installed; otherwise the tests that need them skip and say so.
distribution-packages:
	@tools/install-packages $(APT_TESTS)

clean:  ## remove what the above made
	rm -rf $(VENV) build dist .mypy_cache .ruff_cache .pytest_cache .hypothesis
