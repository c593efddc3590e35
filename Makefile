# Two commands do all the set-up on a fresh machine: `make up` and `make test`. Beforehand: Python 3.11 or later, and make.
#
#   .venv/               what builds and tests (requirements.txt, requirements-dev.txt)
#   .local/ministack/    the emulator, apart because its packages would leak into the functions that it runs
#   .local/scanners/     checkov and pip-audit, apart because their dependencies contradict ours (`make check` only)
#   .local/mutants/      mutmut, apart because its packages are not ours (`make mutants` only)
#   .local/localstripe/  what plays Stripe in tests, apart because it is another's licence and web framework
#   .local/dynoxide/     a DynamoDB engine, for tests of races and counts

PORT ?= 4566
DETACH ?=
AUTH ?=
# The shell's own USER is who is logged in here, not who should sign in there.
SIGN_IN := $(if $(filter command,$(firstword $(origin USER))),$(USER),alice)

PYTHON := .venv/bin/python
PIP := -m pip install -qq --disable-pip-version-check
.DEFAULT_GOAL := help
.PHONY: help install up down demo token step steps status test quick proof mutants bench check format written clean

help:  ## this list
	@awk -F ':.*## ' '/^[a-z-]+:.*## / {printf "  make %-10s %s\n", $$1, $$2}' $(firstword $(MAKEFILE_LIST))
	@echo; echo "  PORT=4566  the local cloud's port    DETACH=1  up returns once ready    AUTH=1  up enforces every role"

install: .venv/.installed .local/ministack/.installed .local/localstripe/.installed .local/dynoxide/.installed  ## set everything up (the others do it too)

up: .venv/.installed .local/ministack/.installed  ## start the local cloud with the real templates; Ctrl-C ends it
	@$(PYTHON) -m infra up --port $(PORT) $(if $(filter-out 0,$(DETACH)),--detach) $(if $(filter-out 0,$(AUTH)),--auth)

down: .venv/.installed  ## stop the local cloud
	@$(PYTHON) -m infra down

demo: .venv/.installed .local/ministack/.installed  ## play the main job over HTTP; starts the local cloud if none runs
	@$(PYTHON) -m infra demo --port $(PORT)

token: .venv/.installed  ## a token of USER=alice, in the last line
	@$(PYTHON) -m infra token $(SIGN_IN)

steps: .venv/.installed  ## the map: every step, its trigger, function and permissions
	@$(PYTHON) -m infra steps

step: .venv/.installed  ## write a new step: WORKFLOW=coupons NAME=claim_coupon TRIGGER="POST /v1/campaigns/{campaign}/coupons"
	@$(PYTHON) -m infra new-step "$(WORKFLOW)" "$(NAME)" "$(TRIGGER)"

status: .venv/.installed  ## each step's live version
	@$(PYTHON) -m infra status

test: install  ## all tests
	@$(PYTHON) -m pytest tests -n auto

quick: install  ## the rules and the architecture alone
	@$(PYTHON) -m pytest tests/rules tests/architecture -n auto

proof: install  ## all tests with new random cases, 10,000 bills and 100,000 charges, and all benchmarks, as before a release
	@BILLFOLD_DUE_BILLS=10000 BILLFOLD_COMPARED_CHARGES=100000 $(PYTHON) -m pytest tests -n auto --hypothesis-profile=default
	@$(PYTHON) -m tests.bench

bench: install  ## measure what the README states
	@$(PYTHON) -m tests.bench

mutants: install .local/mutants/.installed  ## how many small bugs the tests of rules and rows notice (long: one module by name is a minute or more)
	@$(PYTHON) -m tests.proof.mutants

check: install .local/scanners/.installed  ## format, lint, types, arrows, templates, known vulnerabilities
	@.venv/bin/ruff format --check .
	@.venv/bin/ruff check .
	@.venv/bin/mypy
	@PYTHONPATH=.:layers/billfold/python .venv/bin/lint-imports --no-logo
	@$(PYTHON) -m infra check-templates
	@.local/scanners/bin/pip-audit --progress-spinner off --disable-pip --no-deps -r layers/packages/constraints.txt \
		-r layers/stripe/constraints.txt -r layers/reading/requirements.txt

format: .venv/.installed  ## format the code
	@.venv/bin/ruff format .
	@.venv/bin/ruff check --fix-only --quiet .

written: install  ## write anew what is made from the code: contract, tables, drawings
	@$(PYTHON) -m infra written

clean:  ## remove what was built and installed here (stop the local cloud first)
	rm -rf build .venv .local .mypy_cache .ruff_cache .pytest_cache .import_linter_cache .hypothesis

# The first Python that runs, is recent enough and can make environments; a shim of pyenv may do none of it. The one that
# .python-version names comes first: functions run on the version that builds them.
.venv/bin/python:
	@for candidate in python3.13 python3.12 python3.11 python3.14 python3 /usr/bin/python3 python; do \
		if "$$candidate" -c 'import sys, venv, ensurepip; sys.exit(not (3, 11) <= sys.version_info[:2] <= (3, 14))' >/dev/null 2>&1; then \
			echo "Making .venv with $$("$$candidate" -c 'import platform, sys; print("Python", platform.python_version(), sys.executable)')"; \
			"$$candidate" -m venv --clear .venv && exit 0; \
		fi; \
	done; \
	echo "Billfold needs Python 3.11 to 3.14 with venv and ensurepip (Debian: apt-get install python3-venv)." >&2; exit 1

LAYERS := layers/packages/constraints.txt layers/stripe/requirements.txt layers/stripe/constraints.txt layers/reading/requirements.txt
.venv/.installed: .venv/bin/python requirements.txt requirements-dev.txt $(LAYERS)
	@echo "Installing what builds and tests into .venv (about a minute) ..."
	@$(PYTHON) $(PIP) -r requirements.txt -r requirements-dev.txt -c layers/packages/constraints.txt
	@$(PYTHON) $(PIP) -r layers/stripe/requirements.txt -c layers/stripe/constraints.txt
	@$(PYTHON) $(PIP) --no-deps -r layers/reading/requirements.txt
	@touch $@

.local/ministack/.installed: infra/local/requirements-local.txt | .venv/bin/python
	@echo "Installing the local cloud's emulator into .local/ministack (about 20 s) ..."
	@mkdir -p .local && rm -rf .local/ministack && $(PYTHON) -m venv .local/ministack
	@.local/ministack/bin/python $(PIP) -r $<
	@touch $@

.local/localstripe/.installed: infra/local/requirements-localstripe.txt | .venv/bin/python
	@echo "Installing what plays Stripe in tests into .local/localstripe (about 5 s) ..."
	@mkdir -p .local && rm -rf .local/localstripe && $(PYTHON) -m venv .local/localstripe
	@.local/localstripe/bin/python $(PIP) -r $<
	@touch $@

.local/scanners/.installed: infra/local/requirements-check.txt | .venv/bin/python
	@echo "Installing the scanners into .local/scanners (about two minutes) ..."
	@mkdir -p .local && rm -rf .local/scanners && $(PYTHON) -m venv .local/scanners
	@.local/scanners/bin/python $(PIP) -r $<
	@touch $@

.local/mutants/.installed: infra/local/requirements-mutants.txt | .venv/.installed
	@echo "Installing mutmut into .local/mutants (about 20 s) ..."
	@mkdir -p .local && rm -rf .local/mutants && $(PYTHON) -m venv .local/mutants
	@.local/mutants/bin/python $(PIP) -r $<
	@site='import site; print(site.getsitepackages()[0])'; \
		$(PYTHON) -c "$$site" > "$$(.local/mutants/bin/python -c "$$site")/billfold.pth"
	@touch $@

.local/dynoxide/.installed: infra/local/engines.py | .venv/.installed
	@$(PYTHON) -m infra.local.engines
	@touch $@
