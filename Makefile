# `make search`: from nothing to a searched, retrained and reported model on the shipped speech sample.
# `make test`: lint, types, import contracts, every test. `make docs`: the documentation site, warnings as errors.
# All need only Python 3.11 or 3.12.

PYTHON ?= $(shell command -v python3.11 || command -v python3.12 || command -v python3)
VENV ?= .venv
BIN = $(VENV)/bin
RUN := runs/first-$(shell date +%Y%m%d-%H%M%S)

.PHONY: search test docs install

search: $(VENV)/installed
	@echo "== 1/3 search: DARTS on NNI over the small space, on the shipped EMO-DB sample (fold 1 is left out)"
	$(BIN)/audionas search --out $(RUN)
	@echo "== 2/3 retrain: the genotype from scratch under all five speaker folds, one seed"
	$(BIN)/audionas retrain $(RUN) --seeds 1 --epochs 40
	@echo "== 3/3 report"
	$(BIN)/audionas report $(RUN)
	@echo
	@echo "genotype: $(RUN)/genotype.json"
	@echo "report:   $(RUN)/report.html (open it in a browser)"
	@echo "next:     $(BIN)/audionas search YOUR_FOLDER          your own data: one folder per label"
	@echo "          $(BIN)/audionas search --nested             one search per fold: every score clean"
	@echo "          $(BIN)/audionas list                        spaces, strategies, operations, features"

test: $(VENV)/installed
	$(BIN)/ruff check .
	$(BIN)/ruff format --check .
	$(BIN)/mypy
	$(BIN)/lint-imports
	OMP_NUM_THREADS=1 $(BIN)/python -m pytest -n 2 --dist worksteal

# The variable silences a notice of the theme's that would be taken for a warning of ours.
docs: $(VENV)/installed
	NO_MKDOCS_2_WARNING=1 $(BIN)/mkdocs build --strict
	@echo "site: build/site/index.html (its search needs a server: $(BIN)/python -m http.server --directory build/site)"

install: $(VENV)/installed

$(VENV)/installed: setup.cfg constraints.txt pyproject.toml
	@$(PYTHON) -c 'import sys; sys.exit(not (3, 11) <= sys.version_info[:2] < (3, 13))' \
		|| { echo "audionas needs Python 3.11 or 3.12; $(PYTHON) is another: make $(MAKECMDGOALS) PYTHON=python3.11"; exit 1; }
	$(PYTHON) -m venv $(VENV)
	$(BIN)/python -m pip install --quiet --upgrade pip
	$(BIN)/python -m pip install -qq -c constraints.txt -e '.[dev,docs]'
	@touch $@
