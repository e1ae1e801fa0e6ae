# The suite's time budget on 2 cores: 10 minutes for everything that is not marked `slow`, 5 more for that.
# What a target needs is made once: a marker in .venv or node_modules tells whether its lock file changed.

SHELL := /bin/bash
PYTHON ?= python3.11
VENV := .venv
BIN := $(VENV)/bin
PIP := $(BIN)/python -m pip --disable-pip-version-check --no-input
RUN_READY := $(VENV)/.ready-run
DEV_READY := $(VENV)/.ready-dev
FRONTEND_READY := static/vendor/.ready
MESSAGES := locale/en/LC_MESSAGES/django.mo
KERN := node_modules/@kern-ux/native/dist
CHROMIUM := chromium chromium-browser google-chrome google-chrome-stable

.DEFAULT_GOAL := help
.PHONY: help env frontend demo demo-keycloak test faults lint bench clean lock chromium java libreoffice

help: ## Diese Übersicht
	@awk -F ':.*## ' '/^[a-z-]+:.*## / {printf "  make %-14s %s\n", $$1, $$2}' $(MAKEFILE_LIST)

env: $(DEV_READY) $(MESSAGES) ## Python-Umgebung .venv aus den Sperrdateien

frontend: $(FRONTEND_READY) ## Bausteine der Oberfläche nach static/vendor/

demo: $(RUN_READY) $(MESSAGES) frontend ## Alles starten, mit Demodaten (PORT=8000); Strg+C beendet es
	@exec $(BIN)/python -m zsk.supervisor demo

demo-keycloak: $(RUN_READY) frontend ## Dasselbe mit einem Keycloak zum Anmelden (KEYCLOAK_PORT=8180)
	@exec $(BIN)/python -m zsk.supervisor demo --keycloak

test: env frontend chromium java libreoffice ## Alle Tests
	$(BIN)/python -m pytest --durations=10 $(TESTS)

# As many accidents as the ordinary suite has a few of; ZSK_FAULTS_SEED repeats those of an earlier run.
faults: env ## Ausfälle in voller Größe: kill -9, volle Platte, viele auf einmal, beliebige Eingaben
	ZSK_FAULTS=full $(BIN)/python -m pytest --durations=10 tests/faults tests/transactions/test_properties.py

lint: env ## Stil, Typen, Pfeile der Architektur, fehlende Migrationen
	$(BIN)/ruff check .
	$(BIN)/ruff format --check .
	$(BIN)/mypy
	$(BIN)/lint-imports
	$(BIN)/python manage.py makemigrations --check --dry-run

bench: env ## Messungen; jede Zeile ist ein JSON-Objekt
	@$(BIN)/python -m bench

clean: ## Laufende Demo und Server beenden, .zsk/ mit allen Daten entfernen
	@if [ -e .zsk ]; then $(MAKE) -s $(RUN_READY) && $(BIN)/python -m zsk.supervisor clean; fi
	@rm -rf .pytest_cache .ruff_cache .mypy_cache .hypothesis .import_linter_cache

lock: ## Sperrdateien neu auflösen (make lock UPGRADE=--upgrade hebt alles an)
	@$(PYTHON) -m venv tmp/lock && tmp/lock/bin/python -m pip install --quiet --disable-pip-version-check uv
	@for name in requirements requirements-dev; do \
	  tmp/lock/bin/uv pip compile --quiet $(UPGRADE) --generate-hashes --no-annotate --no-header \
	    --python-version 3.11 $$name.in -o $$name.lock || exit 1; \
	done
	@npm install --package-lock-only

chromium: ## Chromium für die Browsertests, als root aus der Distribution
	@for name in $(CHROMIUM); do command -v $$name >/dev/null && exit 0; done; \
	[ -n "$$CHROME_PATH" ] && exit 0; \
	if [ "$$(id -u)" = 0 ] && command -v apt-get >/dev/null; then \
	  apt-get update -qq && DEBIAN_FRONTEND=noninteractive apt-get install -y -qq chromium >/dev/null && exit 0; \
	fi; \
	echo "Kein Chromium oder Chrome gefunden: die Browsertests laufen nicht." >&2

java: ## Java und Maven für Keycloak und das Beispiel in Java, als root aus der Distribution
	@command -v javac >/dev/null && command -v mvn >/dev/null && exit 0; \
	if [ "$$(id -u)" = 0 ] && command -v apt-get >/dev/null; then \
	  apt-get update -qq && DEBIAN_FRONTEND=noninteractive \
	    apt-get install -y -qq openjdk-17-jdk-headless maven >/dev/null && exit 0; \
	fi; \
	echo "JDK 17 oder Maven fehlt: die Tests mit Keycloak und das Beispiel in Java laufen nicht." >&2

libreoffice: ## LibreOffice für die Tests mit Tabellen, als root aus der Distribution
	@command -v soffice >/dev/null && exit 0; \
	if [ "$$(id -u)" = 0 ] && command -v apt-get >/dev/null; then \
	  apt-get update -qq && DEBIAN_FRONTEND=noninteractive \
	    apt-get install -y -qq --no-install-recommends libreoffice-calc-nogui >/dev/null && exit 0; \
	fi; \
	echo "LibreOffice fehlt: die Tests mit seinen Dateien laufen nicht." >&2

$(RUN_READY): requirements.lock
	@command -v $(PYTHON) >/dev/null || { echo "Python 3.11 fehlt: $(PYTHON) nicht gefunden." >&2; exit 1; }
	@$(PIP) --version >/dev/null 2>&1 || $(PYTHON) -m venv --clear $(VENV)
	@echo "Umgebung: Pakete werden installiert …"
	@$(PIP) install --quiet --require-hashes -r $<
	@touch $@

$(DEV_READY): requirements-dev.lock $(RUN_READY)
	@echo "Umgebung: Werkzeuge werden installiert …"
	@$(PIP) install --quiet --require-hashes -r $<
	@touch $@

# With Babel, so that nobody needs the programs of gettext.
$(MESSAGES): $(MESSAGES:.mo=.po) $(RUN_READY)
	@$(BIN)/pybabel --quiet compile --directory locale --domain django

$(FRONTEND_READY): package-lock.json package.json
	@echo "Oberfläche: Pakete werden geholt …"
	@npm ci --silent
	@rm -rf static/vendor && mkdir -p static/vendor/kern/fonts/fira-sans static/vendor/htmx
	@cp $(KERN)/kern.min.css static/vendor/kern/
	@cp $(KERN)/fonts/fira-sans.css static/vendor/kern/fonts/
	@cp $(KERN)/fonts/fira-sans/*.woff2 static/vendor/kern/fonts/fira-sans/
	@cp node_modules/htmx.org/dist/htmx.min.js static/vendor/htmx/
	@touch $@
