# `make help` says what there is to make.

PYTHON ?= python3
BIN := .venv/bin
READY := .venv/.ready
COLAB := .venv-colab
# Three processes with one thread each, for browsers leave time to a third on two cores; a notebook or a file of tests stays
# in one of them. In the order in which they are found, notebooks first, and not by the number of tests, of which the longest
# have the fewest: so nobody waits for one at the end.
PARALLEL := --numprocesses=3 --dist=loadscope --no-loadscope-reorder

# What does not wait for each other goes side by side.
MAKEFLAGS += --jobs=3

.DEFAULT_GOAL := help
.PHONY: help book serve print test portable imports browser colab lowest newest notebooks lint types mutants bench clean

help: ## list what there is to make
	@sed -n 's/^\([a-z]*\):.*## /\1\t/p' $(MAKEFILE_LIST) | expand -t 12

book: $(READY) ## build the book and say where it is
	@$(BIN)/jupyter-book build .
	@echo "The book: $(CURDIR)/_build/html/index.html"

serve: book ## build the book and open it in a browser
	@(sleep 1; $(BIN)/python -m webbrowser http://localhost:8000/ >/dev/null) &
	@$(BIN)/python -m http.server --bind 127.0.0.1 --directory _build/html 8000

print: book ## build the book, and make one PDF and one EPUB of it; wants Chromium
	@$(BIN)/python tools/pdf.py
	@$(BIN)/python tools/epub.py

# Kernels and subprocesses by the dozen read what the first of them compiled, also where the environment says otherwise.
test imports: export PYTHONDONTWRITEBYTECODE :=
test: lint types imports browser ## check style and types; run unit tests, notebooks, the build of the book and its pages in a browser
	@OMP_NUM_THREADS=1 $(BIN)/pytest $(PARALLEL) --perturb-rounding=1

# Once, before three processes would each compile all that the tests import.
imports: $(READY)
	@OMP_NUM_THREADS=1 $(BIN)/pytest --collect-only --quiet --quiet >/dev/null || true

# Seeds that perturb rounding stand for machines elsewhere; then come the oldest instructions here, and two threads.
portable: NUMBERS = $(BIN)/pytest $(PARALLEL) tests/theory tests/losses tests/experiments tests/optim book
portable: $(READY) ## run the mathematics and every notebook as other machines would round
	@for seed in 2 3 4; do OMP_NUM_THREADS=1 $(NUMBERS) --perturb-rounding=$$seed || exit; done
	@OMP_NUM_THREADS=1 ATEN_CPU_CAPABILITY=default MKL_CBWR=COMPATIBLE OPENBLAS_CORETYPE=Prescott \
		NPY_DISABLE_CPU_FEATURES="AVX512_SPR AVX512_ICL X86_V4 X86_V3" \
		GLIBC_TUNABLES=glibc.cpu.hwcaps=-AVX512F,-AVX2,-FMA $(NUMBERS)
	@OMP_NUM_THREADS=2 $(NUMBERS)

# Without Chromium the browser tests are skipped, and without Java that of the EPUB, except in CI. Debian has Chromium also
# without its windows, which takes half the time. The layout is tested in both families of fonts.
browser:
	@if [ -n "$$CI" ] && command -v apt-get >/dev/null; then \
		sudo=; [ "$$(id -u)" = 0 ] || sudo=sudo; set -- fonts-dejavu-core fonts-liberation; \
		command -v java >/dev/null || set -- default-jre-headless "$$@"; \
		command -v google-chrome >/dev/null || set -- chromium-headless-shell "$$@"; \
		dpkg -s "$$@" >/dev/null 2>&1 || { $$sudo apt-get update -q; $$sudo apt-get install -qy --no-install-recommends "$$@"; }; fi

colab: $(COLAB)/.ready ## run every notebook with the versions that Google Colab has
	@rm -rf build && $(COLAB)/bin/pip install --quiet --disable-pip-version-check --no-deps --force-reinstall .
	@OMP_NUM_THREADS=1 PYDEVD_DISABLE_FILE_VALIDATION=1 $(COLAB)/bin/pytest $(PARALLEL) \
		--override-ini=addopts= --nbval-lax --nbval-current-env book

# What a user may have: the oldest and the newest that pyproject.toml takes. Torch comes with CUDA here, several GB of it.
# Their warnings about each other are nobody's fault, so they are shown; notebooks need only run.
lowest newest:
	@rm -rf .venv-$@ && $(PYTHON) -m venv .venv-$@
	@$(PYTHON) tools/promised.py $@ >.venv-$@/promised.txt
	@sed -n 's/^\(pytest\|pytest-xdist\|nbval\|nbclient\|hypothesis\|filelock\)==/&/p' requirements.txt >.venv-$@/tests.txt
	@.venv-$@/bin/pip install --quiet --disable-pip-version-check -r .venv-$@/promised.txt -r .venv-$@/tests.txt
	@rm -rf build && .venv-$@/bin/pip install --quiet --disable-pip-version-check --no-deps .
	@.venv-$@/bin/pip list --format=freeze | grep -iE "^($$(sed 's/[>=].*//' .venv-$@/promised.txt | paste -sd'|'))="
	@OMP_NUM_THREADS=1 .venv-$@/bin/pytest $(PARALLEL) --override-ini=addopts= --import-mode=importlib -W default \
		tests/optim tests/losses tests/colour tests/theory tests/experiments tests/figures tests/test_import.py tests/test_readme.py
	@OMP_NUM_THREADS=1 .venv-$@/bin/pytest $(PARALLEL) --override-ini=addopts= --nbval-lax --nbval-current-env book

lowest: ## run tests and notebooks with the lowest versions that pyproject.toml promises, in .venv-lowest
newest: ## run tests and notebooks with the newest versions that pip finds, in .venv-newest

notebooks: $(READY) ## run every notebook again and store what it prints
	@$(BIN)/python tools/execute_notebooks.py

lint: $(READY) ## check the style of code and notebooks
	@$(BIN)/ruff check
	@$(BIN)/ruff format --check

types: $(READY) ## check the types of the optimizers
	@$(BIN)/mypy hilladam/optim

# Hours. MUTANTS="hilladam.theory.*" takes a part; `mutmut show NAME` prints one, `mutmut results` those that nothing noticed.
mutants: $(READY) ## change the mathematics line by line and list the changes that no test notices
	@$(BIN)/pip install --quiet --disable-pip-version-check mutmut==3.8.1
	@OMP_NUM_THREADS=1 $(BIN)/mutmut run --max-children 2 $(MUTANTS)
	@$(BIN)/mutmut results

bench: $(READY) ## measure what the package promises about speed
	@for script in benchmarks/*.py; do $(BIN)/python $$script || exit; done

clean: ## remove what was built, but not the environment
	rm -rf _build mutants .pytest_cache .ruff_cache .mypy_cache .hypothesis

# A new environment whenever what it is made from has changed. Most of its modules are never imported, nor compiled here.
$(READY): requirements.txt pyproject.toml
	@command -v git >/dev/null || { echo "git is missing: install it first." >&2; exit 1; }
	@$(PYTHON) -c 'import ensurepip, sys; sys.exit(sys.version_info < (3, 11))' 2>/dev/null || { \
		echo "Python 3.11 or newer with venv is missing: install it, or name it as in PYTHON=python3.12." >&2; exit 1; }
	$(PYTHON) -m venv .venv
	$(BIN)/pip install --quiet --disable-pip-version-check --no-compile -r requirements.txt -e .
	@touch $@

$(COLAB)/.ready: requirements-colab.txt | $(READY)
	$(BIN)/python -m venv $(COLAB)
	$(COLAB)/bin/pip install --quiet --disable-pip-version-check -r $<
	@touch $@
