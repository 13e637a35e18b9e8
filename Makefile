# make demo           executes the quickstart and leaves build/quickstart.html
# make test           ruff, mypy and the tests
# make browser-test   the panel in JupyterLab and Notebook 7, in Chromium; its pictures in build/screenshots
# make kernel-matrix  the same on several versions of ipykernel; about fifteen minutes
# make soak           kills processes at 50 random moments and trains 300 trials; about half an hour
# make bench          nbtune and others on the same grids; hours. A part: make bench BENCH="a --peers nbtune_fused,bare_loop"
# make lab            JupyterLab on the quickstart
# make notebook       executes the quickstart and keeps its outputs in it
# make clean          removes what these left behind
#
# Each sets itself up in .venv first. Another Python: make demo PYTHON=python3.12

PYTHON ?= python3
VENV := .venv
BIN := $(VENV)/bin
READY := $(VENV)/.ready
BENCH_VENV := .venv-bench
QUICKSTART := notebooks/quickstart.ipynb

.PHONY: help demo test browser-test kernel-matrix soak bench lab notebook clean
.DEFAULT_GOAL := help

help:
	@sed -n 's/^# make/make/p' Makefile

demo: $(READY)
	@$(BIN)/python notebooks/execute.py $(QUICKSTART) build/quickstart.html

test: $(READY)
	@$(BIN)/ruff check .
	@$(BIN)/mypy
	@$(BIN)/pytest -n 2 --dist loadfile --ignore tests/browser

browser-test: $(READY)
	@NBTUNE_BROWSER=required $(BIN)/pytest tests/browser

kernel-matrix: $(READY)
	@NBTUNE_BROWSER=required $(BIN)/python tests/browser/matrix.py

soak: $(READY)
	@NBTUNE_SOAK=50 $(BIN)/pytest tests/test_faults.py tests/test_memory.py -n 2 --dist loadfile -s

bench: $(BENCH_VENV)/.ready
	@$(BENCH_VENV)/bin/python -m benchmarks $(BENCH)

lab: $(READY)
	@$(BIN)/jupyter lab $(QUICKSTART)

notebook: $(READY)
	@$(BIN)/python notebooks/execute.py $(QUICKSTART) $(QUICKSTART)

clean:
	rm -rf $(VENV) $(BENCH_VENV) build dist .mypy_cache .pytest_cache .ruff_cache .hypothesis .nbtune notebooks/.nbtune
	find nbtune tests notebooks -name __pycache__ -prune -exec rm -rf {} +

$(READY): pyproject.toml
	@command -v $(PYTHON) >/dev/null || { echo "There is no $(PYTHON) here; nbtune needs Python 3.11, 3.12 or 3.13."; exit 1; }
	@$(PYTHON) -c 'import sys; sys.exit(not (3, 11) <= sys.version_info[:2] <= (3, 13))' || { \
		echo "nbtune needs Python 3.11, 3.12 or 3.13, and $(PYTHON) is $$($(PYTHON) -V 2>&1)."; \
		echo "Name another one: make $(or $(firstword $(MAKECMDGOALS)),demo) PYTHON=python3.12"; exit 1; }
	@echo "Setting up $(VENV); the first time this downloads about 0.5 GB, most of it TensorFlow ..."
	@$(PYTHON) -m venv $(VENV)
	@$(BIN)/python -m pip install --quiet --disable-pip-version-check --editable '.[cpu,lab,test]'
	@touch $@

$(BENCH_VENV)/.ready: $(READY)
	@echo "Setting up $(BENCH_VENV) with what nbtune is compared with ..."
	@$(PYTHON) -m venv $(BENCH_VENV)
	@$(BENCH_VENV)/bin/python -m pip install --quiet --disable-pip-version-check --editable '.[cpu,bench]'
	@touch $@
