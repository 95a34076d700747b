PYTHON ?= python3
BIN = .venv/bin
QUIET = LORA_PIPELINE_NO_DATABASE=1

.PHONY: install install-dev check test serve clean

.venv/installed: requirements.lock
	$(PYTHON) -m venv .venv
	$(BIN)/pip install -q --disable-pip-version-check --require-hashes -r requirements.lock
	touch $@

.venv/installed-dev: requirements-dev.lock .venv/installed
	$(BIN)/pip install -q --disable-pip-version-check --require-hashes -r requirements-dev.lock
	touch $@

install: .venv/installed

install-dev: .venv/installed-dev

check: install-dev
	$(BIN)/ruff check .
	$(BIN)/ruff format --check .
	$(QUIET) $(BIN)/mypy .
	$(BIN)/lint-imports
	$(BIN)/python manage.py makemigrations --check --dry-run

test: check
	$(BIN)/python -m pytest $(ARGS)

clean:
	rm -rf .venv .venv-trainer
