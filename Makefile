PYTHON ?= python3
BIN = .venv/bin
WORKERS = -n 2 --dist loadfile --no-loadscope-reorder
PRODUCTION = LORA_PIPELINE_PUBLIC_URL=https://console.example

.PHONY: install install-dev install-trainer check test test-long chaos demo serve bench screens bench-estimator clean

.venv/installed: requirements.lock
	$(PYTHON) -m venv .venv
	$(BIN)/pip install -q --disable-pip-version-check --require-hashes -r requirements.lock
	touch $@

.venv/installed-dev: requirements-dev.lock .venv/installed
	$(BIN)/pip install -q --disable-pip-version-check --require-hashes -r requirements-dev.lock
	touch $@

.venv-trainer/installed: requirements-trainer.lock
	$(PYTHON) -m venv .venv-trainer
	.venv-trainer/bin/pip install -q --disable-pip-version-check -r requirements-trainer.lock
	touch $@

install: .venv/installed

install-trainer: .venv-trainer/installed

demo: install install-trainer
	$(BIN)/python manage.py demo $(ARGS)

serve: install install-trainer
	$(BIN)/python manage.py up $(ARGS)

install-dev: .venv/installed-dev

check: install-dev
	$(BIN)/ruff check .
	$(BIN)/ruff format --check .
	$(BIN)/mypy .
	cd training/trainer && ../../$(BIN)/mypy --config-file mypy.ini .
	$(BIN)/djlint --quiet --lint templates
	$(BIN)/lint-imports
	$(BIN)/python manage.py makemigrations --check --dry-run
	$(PRODUCTION) $(BIN)/python manage.py check --deploy --fail-level WARNING
	$(BIN)/python manage.py spectacular --validate --fail-on-warn --file /dev/null

test: check install-trainer
	$(BIN)/python -m pytest -m "not long" $(WORKERS) $(ARGS)

test-long: install-dev install-trainer
	$(BIN)/python -m pytest -m long $(ARGS)

chaos: install-dev install-trainer
	$(BIN)/python -m tests.trainer.chaos $(ARGS)

bench: install-dev
	$(BIN)/python -m pytest -p no:cacheprovider -s tests/benchmarks --override-ini addopts='-p tests.environment'

screens: install-dev install-trainer
	$(BIN)/python -m pytest --override-ini python_files=screens.py tests/browser/screens.py

bench-estimator: install-dev
	$(BIN)/python -m pytest -p no:cacheprovider -s tests/benchmarks/estimator --override-ini addopts='-p tests.environment -q -rs' $(ARGS)

clean:
	rm -rf .venv .venv-trainer
