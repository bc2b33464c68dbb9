# `make help` lists every command. Nothing but Python 3.11, git and make is needed beforehand.

PYTHON ?= python3
# A Python that was chosen is taken as it is; else the distribution's own may be quicker (scripts/venv.py).
CHOSEN := $(if $(filter environment command,$(firstword $(origin PYTHON))),--this-python)
BIN := .venv/bin
PYTEST := $(BIN)/python -m pytest

.DEFAULT_GOAL := help
.PHONY: help up down reset status doctor test quick check lint unit parity parity-tracking parity-telling stacks e2e crash soak bench lock contracts venv venv-local

help:  ## list the commands
	@grep -hE '^[a-z0-9-]+:.*## ' $(MAKEFILE_LIST) | awk -F ':.*## ' '{printf "  make %-12s %s\n", $$1, $$2}'

up: venv-local  ## install what is missing, start everything, load the sample; Ctrl-C stops
	@exec $(BIN)/luodi up

down: venv-local  ## stop what `make up` started; the data stays
	@$(BIN)/luodi down

reset: venv-local  ## delete the data of the stopped stack, after asking
	@$(BIN)/luodi reset

status: venv-local  ## show what runs, and where
	@$(BIN)/luodi status

doctor: venv-local  ## find what is wrong, and the command that mends it
	@$(BIN)/luodi doctor

test: venv  ## install what the tests need, then run all of them
	$(PYTEST) -m "not soak"

quick: lint unit  ## what every commit must pass, about two minutes: lint, types, imports, unit and contract tests

check: quick  ## everything that CI runs
	@$(MAKE) --no-print-directory -j2 --output-sync=target crash parity-telling parity-tracking e2e stacks

lint: venv  ## ruff, mypy, import-linter, contracts without a diff
	$(BIN)/ruff check .
	$(BIN)/ruff format --check .
	$(BIN)/mypy
	$(BIN)/lint-imports
	$(BIN)/python -m schemas.generate --check

unit: venv  ## unit and contract tests: no server
	$(PYTEST) -n logical -m "not soak" tests/unit tests/contract

parity: parity-tracking parity-telling  ## parity and integration tests: a real Kafka and a real MongoDB

# Two halves. `make check` runs them, and what follows, two at a time: each has servers of its own, and mostly waits.
parity-tracking: venv
	$(PYTEST) -m "not soak" tests/parity/tracker tests/integration/tracker tests/integration/ingest

parity-telling: venv
	$(PYTEST) -m "not soak" tests/parity tests/integration \
		--ignore tests/parity/tracker --ignore tests/integration/tracker \
		--ignore tests/integration/ingest --ignore tests/integration/local

stacks: venv  ## the local stack as its user runs it: started, killed, moved, reset
	$(PYTEST) -m "not soak" tests/integration/local

e2e: venv  ## end to end: separate processes
	$(PYTEST) -m "not soak" tests/e2e

crash: venv  ## kill -9 of every process under load, notify in a storm: the short runs
	$(PYTEST) -m "not soak" tests/crash

soak: venv  ## the long runs of the crash tests: hundreds of kills, 5,000 messages in a storm
	$(PYTEST) -m soak

bench: venv  ## measure against the baseline, interleaved
	$(BIN)/python -m bench

lock: venv  ## make the lock files anew
	scripts/lock.sh

contracts: venv  ## generate OpenAPI, AsyncAPI and JSON Schema
	$(BIN)/python -m schemas.generate

venv: ## make .venv with everything that development needs
	@$(PYTHON) scripts/venv.py dev $(CHOSEN)

venv-local:
	@$(PYTHON) scripts/venv.py local $(CHOSEN)
