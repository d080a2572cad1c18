# Targets for development. `make help` lists them; README.md and CONTRIBUTING.md explain them.
# Settings (.env.example) pass through from the environment or from the command line: make run PORT=9000

PYTHON ?=
DEMO ?= 1
VENV = .venv
BIN = $(VENV)/bin
PIP_INSTALL = $(BIN)/python -m pip install --quiet --disable-pip-version-check --require-hashes
LOCK = $(BIN)/uv pip compile --quiet --universal --python-version 3.11 --generate-hashes --no-header
PACKAGES = athena sales notifications
APART = VAR_DIR=$(VENV)/var

help: ## List the targets
	@sed -n 's/^\([a-z-]*\):[^#]*## \(.*\)/\1@\2/p' Makefile | awk -F@ '{ printf "  make %-12s %s\n", $$1, $$2 }'

run: $(VENV)/installed ## Serve Athena with demo data on http://localhost:8080 (PORT=, DATABASE_URL=, REDIS_URL=)
	@exec env DEMO=$(DEMO) $(BIN)/python manage.py up

admin: $(VENV)/installed ## Create an administrator, such as the first one (with the DATABASE_URL=, VAR_DIR= of `make run`)
	@exec $(BIN)/python manage.py createsuperuser

test: $(VENV)/installed-dev ## Run all tests, on SQLite and on PostgreSQL with Redis (ARGS="-k transfer")
	@sh tests/need nginx nginx-light
	@exec $(BIN)/python -m tests --ignore tests/faults --ignore tests/browser $(ARGS)

test-browser: $(VENV)/installed-dev ## Run the tests that need a browser (Chromium)
	@sh tests/need chromium chromium
	@exec $(BIN)/python -m tests tests/browser $(ARGS)

test-faults: $(VENV)/installed-dev ## Test with killed workers and servers that go away; minutes (FAULT_LEADS=100000 for the long form)
	@exec $(BIN)/python -m tests tests/faults $(ARGS)

check: $(VENV)/installed-dev ## Check format, style, types, imports, migrations and deployment settings
	$(BIN)/ruff format --check .
	$(BIN)/ruff check .
	$(APART) $(BIN)/mypy $(PACKAGES) tests bench manage.py
	$(BIN)/lint-imports
	$(APART) $(BIN)/python manage.py makemigrations --check --dry-run
	$(APART) SECRET_KEY=$$($(BIN)/python -c 'import secrets; print(secrets.token_urlsafe(64))') \
	BASE_URL=https://athena.example.com ALLOWED_HOSTS=athena.example.com \
	$(BIN)/python manage.py check --deploy --fail-level WARNING

format: $(VENV)/installed-dev ## Format the code and fix what ruff can fix
	$(BIN)/ruff check --fix .
	$(BIN)/ruff format .

lock: $(VENV)/installed-dev ## Compile the pinned requirements from requirements*.in (ARGS=--upgrade)
	$(LOCK) $(ARGS) requirements.in --output-file requirements.txt
	$(LOCK) $(ARGS) requirements-dev.in --output-file requirements-dev.txt

screens: $(VENV)/installed-dev ## Take the pictures of README.md and docs/ anew (Chromium; ARGS="merge roi" for some)
	@ATHENA_REQUIRE_SERVICES=1 sh tests/need chromium chromium
	@exec $(BIN)/python -m tests.browser.screens $(ARGS)

env: $(VENV)/installed ## Write .env, with new keys and passwords, for docker compose
	@sh deploy/make-env .env $(BIN)/python

clean: ## Remove the virtual environment and caches (never var/, which holds the data)
	rm -rf $(VENV) .mypy_cache .ruff_cache .pytest_cache .import_linter_cache .hypothesis
	find . -name __pycache__ -type d -prune -exec rm -rf {} +

# A changed requirements file recreates the environment, so that no removed package stays behind.
$(VENV)/installed: requirements.txt deploy/make-venv
	@sh deploy/make-venv $(VENV) $(PYTHON)
	@echo "Installing Athena's packages ..."
	@$(PIP_INSTALL) -r requirements.txt
	@touch $@

$(VENV)/installed-dev: $(VENV)/installed requirements-dev.txt
	@echo "Installing what tests and checks need ..."
	@$(PIP_INSTALL) -r requirements-dev.txt
	@touch $@

.PHONY: help run admin test test-browser test-faults check format lock env clean
