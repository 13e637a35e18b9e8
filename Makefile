# make demo           executes the quickstart and leaves build/quickstart.html
# make test           ruff, mypy and all tests but the slow ones; about 17 minutes on 2 cores
# make test-all       the same with the slow ones, before a release; about 35 minutes
# make quick-test     ruff, mypy, the tests that hardly train, and a small demo; about 4 minutes
# make browser-test   the panel in JupyterLab and Notebook 7, in Chromium; its pictures in build/screenshots
# make film           films a search in JupyterLab for the README: notebooks/search.webp
# make kernel-matrix  the same on several versions of ipykernel; about fifteen minutes
# make compat         what `make test` tests, on the oldest versions that pyproject.toml admits and on the newest there are
# make package-test   installs the wheel, checks a user's script against its types, and tests the sdist
# make coverage       what `make test` tests, and which lines that reached, in build/coverage
# make conformance    141 models against plain model.fit; writes docs/conformance.md; about 40 minutes; JOBS=4: four at a time
# make docs           the documentation site, in build/docs
# make soak           kills processes at 50 random moments, starts and stops 100 searches, fills disks; about an hour
# make bench          nbtune and others on the same grids; hours. A part: make bench BENCH="a --peers nbtune_fused,bare_loop"
# make bench-zoo      nbtune, KerasTuner and model.fit on sixteen architectures as people train them; hours
# make lab            JupyterLab on the quickstart
# make course         executes every lesson of the course; about fifteen minutes on 2 cores
# make notebook       executes the quickstart and keeps its outputs in it
# make clean          removes what these left behind
#
# Each sets itself up in .venv first. Another Python, with an environment of its own: make demo PYTHON=python3.12

PYTHON ?= python3
VERSION := $(shell $(PYTHON) -c 'import sys; print("%d.%d" % sys.version_info[:2])' 2>/dev/null)
VENV := .venv$(if $(filter-out python3,$(PYTHON)),-$(VERSION))
BIN := $(VENV)/bin
READY := $(VENV)/.ready
DOCS_VENV := .venv-docs
BENCH_VENV := .venv-bench
QUICKSTART := notebooks/quickstart.ipynb
INSTALL := -m pip install --quiet --disable-pip-version-check
TESTS := -n 2 --dist worksteal --durations 30 --ignore tests/browser

.PHONY: help demo test test-all quick-test browser-test film kernel-matrix compat oldest newest package-test coverage conformance docs soak bench bench-zoo lab \
	course notebook clean python
.DEFAULT_GOAL := help

help:
	@sed -n 's/^# make/make/p' Makefile

demo: $(READY)
	@$(BIN)/python notebooks/execute.py $(QUICKSTART) build/quickstart.html

test: $(READY)
	@$(BIN)/ruff check .
	@$(BIN)/mypy
	@$(BIN)/pytest $(TESTS) -m "not slow"

test-all: $(READY)
	@$(BIN)/ruff check .
	@$(BIN)/mypy
	@NBTUNE_PROGRAMS=12 $(BIN)/pytest $(TESTS)

quick-test: $(READY)
	@$(BIN)/ruff check .
	@$(BIN)/mypy
	@$(BIN)/pytest -n 2 --dist worksteal -m "not slow and not kernel" tests/ask tests/data tests/execution tests/record tests/views
	@$(BIN)/python notebooks/execute.py --tune layers=1 --tune epochs=2 $(QUICKSTART) build/quickstart-$(VERSION).html

browser-test: $(READY)
	@NBTUNE_BROWSER=required $(BIN)/pytest tests/browser

film: $(READY)
	@$(BIN)/python -m tests.browser.film

kernel-matrix: $(READY)
	@NBTUNE_BROWSER=required $(BIN)/python tests/browser/matrix.py

compat: oldest newest

oldest: python
	@test $(VERSION) = 3.11 || { echo "The oldest versions have wheels for Python 3.11 only: make oldest PYTHON=python3.11"; exit 1; }
	@$(PYTHON) -m venv --clear .venv-oldest
	@.venv-oldest/bin/python $(INSTALL) --constraint tests/compat/oldest.txt --editable '.[cpu,test]'
	@.venv-oldest/bin/pytest $(TESTS) -m "not slow"

newest: python
	@$(PYTHON) -m venv --clear .venv-newest
	@.venv-newest/bin/python $(INSTALL) --upgrade --upgrade-strategy eager --editable '.[cpu,lab,test]'
	@.venv-newest/bin/pytest $(TESTS) -m "not slow"

package-test: $(READY)
	@$(BIN)/python tests/package.py

coverage: $(READY)
	@$(BIN)/pytest $(TESTS) -m "not slow" --cov --cov-report html:build/coverage --cov-report term

conformance: $(READY)
	@$(BIN)/python -m tests.conformance --jobs=$(or $(JOBS),1)

docs: $(DOCS_VENV)/.ready
	@$(DOCS_VENV)/bin/sphinx-build --fail-on-warning --keep-going --quiet docs build/docs
	@echo "Open build/docs/index.html"

soak: $(READY)
	@NBTUNE_SOAK=50 NBTUNE_STARTS=100 $(BIN)/pytest tests/test_faults.py tests/test_memory.py tests/run/test_lifecycle.py -n 2 --dist loadfile -s
	@NBTUNE_DASK_SOAK=20 $(BIN)/pytest tests/execution/dask/test_faults.py -s

bench: $(BENCH_VENV)/.ready
	@$(BENCH_VENV)/bin/python -m benchmarks $(BENCH)

bench-zoo: $(BENCH_VENV)/.ready
	@$(BENCH_VENV)/bin/python -m benchmarks.zoo $(BENCH)

lab: $(READY)
	@$(BIN)/jupyter lab $(QUICKSTART)

course: $(READY)
	@NBTUNE_COURSE=1 $(BIN)/pytest tests/test_course.py

notebook: $(READY)
	@$(BIN)/python notebooks/execute.py $(QUICKSTART) $(QUICKSTART)

clean:
	rm -rf .venv .venv-* build dist .coverage .mypy_cache .pytest_cache .ruff_cache .hypothesis .nbtune notebooks/.nbtune
	find nbtune tests notebooks -name __pycache__ -prune -exec rm -rf {} +

python:
	@test -n "$(VERSION)" || { echo "$(PYTHON) does not run here; nbtune needs Python 3.11, 3.12 or 3.13."; exit 1; }
	@case "$(VERSION)" in 3.11|3.12|3.13) ;; *) \
		echo "nbtune needs Python 3.11, 3.12 or 3.13, and $(PYTHON) is $(VERSION)."; \
		echo "Name another one: make $(or $(firstword $(MAKECMDGOALS)),demo) PYTHON=python3.12"; exit 1;; esac

$(READY): pyproject.toml | python
	@echo "Setting up $(VENV); the first time this downloads about 0.5 GB, most of it TensorFlow ..."
	@$(PYTHON) -m venv $(VENV)
	@$(BIN)/python $(INSTALL) --editable '.[cpu,lab,test]'
	@touch $@

$(DOCS_VENV)/.ready: pyproject.toml | python
	@echo "Setting up $(DOCS_VENV) ..."
	@$(PYTHON) -m venv $(DOCS_VENV)
	@$(DOCS_VENV)/bin/python $(INSTALL) --editable '.[docs]'
	@touch $@

$(BENCH_VENV)/.ready: $(READY)
	@echo "Setting up $(BENCH_VENV) with what nbtune is compared with ..."
	@$(PYTHON) -m venv $(BENCH_VENV)
	@$(BENCH_VENV)/bin/python $(INSTALL) --editable '.[cpu,bench]'
	@touch $@
