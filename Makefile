# Start with `make demo` and `make test`. Each target installs what it needs.
.POSIX:
.SUFFIXES:

PYTHON ?= python3
VENV := .venv
BIN := $(VENV)/bin
STAMP := $(VENV)/.installed
LOCAL_STAMP := $(VENV)/.installed-local
EXTENSION := vscode-extension
MODULES := $(EXTENSION)/node_modules/.package-lock.json
EDITORS := $(abspath $(or $(WRITEIT_EDITORS),.cache/editors))
NPM := cd $(EXTENSION) && PATH="$(EDITORS)/node/bin:$$PATH" npm

.PHONY: bench-facts bench-search bench-stalls bench-store bench-prompts bench-cold bench-warm
.PHONY: extension check-extension
.PHONY: help demo test check format ci-setup bench bench-startup bench-models soak wheel clean drill-kill drill-two drill-replace drill-markdown drill-fuzz

help: ## Show this list
	@grep -hE '^[a-z-]+:.*##' $(MAKEFILE_LIST) | sed -E 's/:.*## /\t/'

# Nothing is installed whose hash is not in a file of locks/.
INSTALL := -m pip install --quiet --disable-pip-version-check
LOCKED := $(INSTALL) --require-hashes --requirement
OURSELVES := $(INSTALL) --no-deps --no-build-isolation --editable .

$(STAMP): pyproject.toml locks/dev.txt
	$(PYTHON) -m venv $(VENV)
	$(BIN)/python $(LOCKED) locks/dev.txt
	$(BIN)/python $(OURSELVES)
	@touch $@

# The embedded model's runtime is an extra: everything else works without it.
$(LOCAL_STAMP): $(STAMP) locks/runtime.txt
	-$(BIN)/python $(LOCKED) locks/runtime.txt
	@touch $@

demo: $(LOCAL_STAMP) ## Show a finished run, then make a text with the embedded model
	$(BIN)/python examples/demo.py

test: $(LOCAL_STAMP) ## Run every check and test that this machine can run
	$(MAKE) check
	$(BIN)/python -m pytest -n 2 --no-loadscope-reorder

drill-kill: $(STAMP) ## Kill servers at random moments, 300 times (slow)
	cd tests && ../$(BIN)/python -m drills.kill --rounds 300

drill-two: $(STAMP) ## Run two servers on one workspace for a minute, then kill one
	cd tests && ../$(BIN)/python -m drills.two --seconds 60

drill-replace: $(STAMP) ## Replace, overwrite and delete the store under servers, 50 times each (slow)
	cd tests && ../$(BIN)/python -m drills.replace --rounds 50

drill-markdown: $(STAMP) ## Polish, apply, restore and export forty markdown files in three encodings (slow)
	cd tests && ../$(BIN)/python -m drills.markdown

drill-fuzz: $(STAMP) ## Send a million mutated messages, and read as many mutated files (slow)
	cd tests && ../$(BIN)/python -m drills.fuzz --messages 1000000 --files 1000000

check: $(STAMP) ## Lint, format and type checks
	$(BIN)/ruff check .
	$(BIN)/ruff format --check .
	$(BIN)/mypy
	@$(MAKE) --no-print-directory check-lua
	@if [ -e $(MODULES) ]; then $(MAKE) --no-print-directory check-extension; else \
	  echo "$(EXTENSION) is not checked: its npm packages are missing (make ci-setup)"; fi

check-extension: $(MODULES) ## Types, lint and format of the VS Code extension
	$(NPM) run check

extension: $(STAMP) $(MODULES) ## Build the VS Code extension: its bundle, its own tests and its .vsix
	$(NPM) run build
	$(NPM) run build-tests
	$(NPM) run package

$(MODULES): $(EXTENSION)/package-lock.json
	$(NPM) ci --no-audit --no-fund

.PHONY: schemas
schemas: $(STAMP) ## Regenerate the schemas and docs/commands.md from the code
	$(BIN)/python scripts/protocol_schema.py docs
	$(BIN)/python scripts/library_schema.py docs
	@if [ -e $(MODULES) ]; then cd $(EXTENSION) && PATH="$(EDITORS)/node/bin:$$PATH" npm run protocol; else \
	  echo "$(EXTENSION)/src/protocol.ts was not updated: its npm packages are missing (make ci-setup)"; fi

format: $(STAMP) ## Format the Python source
	$(BIN)/ruff check --fix .
	$(BIN)/ruff format .

.PHONY: check-lua style-lua
check-lua: ## Lint and format of the Neovim plug-in
	@WRITEIT_EDITORS="$(EDITORS)" scripts/check-lua

style-lua: ## Format the Lua files with StyLua (from make ci-setup)
	PATH="$(EDITORS)/node/bin:$$PATH" node tests/neovim/style/stylua.mjs neovim "$(EDITORS)/stylua"
	PATH="$(EDITORS)/node/bin:$$PATH" node tests/neovim/style/stylua.mjs examples "$(EDITORS)/stylua"

ci-setup: ## Install the editors and the Lua tools that the tests use
	@PYTHON=$(PYTHON) WRITEIT_EDITORS="$(EDITORS)" scripts/ci-setup
	@$(MAKE) --silent --no-print-directory $(MODULES)

bench: $(LOCAL_STAMP) bench-startup bench-prompts bench-cold bench-warm ## Measure everything, as ratios in one run

bench-startup: $(STAMP) ## Compare startup and idle memory with a bare pygls server
	$(BIN)/python benchmarks/startup.py

wheel: $(STAMP) ## Build the wheel and the source distribution into dist/
	$(BIN)/python -m build --no-isolation

RELEASE := .cache/release
.PHONY: release lock
release: wheel ## The wheel, and a CycloneDX bill of materials of what it installs
	$(PYTHON) -m venv $(RELEASE)
	$(RELEASE)/bin/python $(LOCKED) locks/release.txt
	$(RELEASE)/bin/cyclonedx-py requirements --pyproject pyproject.toml --output-reproducible \
	  --output-file dist/writeit.cdx.json locks/runtime.txt

UV := .cache/uv
COMPILE := $(UV)/bin/uv pip compile --quiet --universal --generate-hashes --python-version 3.11 \
  --custom-compile-command 'make lock' --no-annotate --no-emit-index-url --no-emit-find-links
lock: ## Lock versions and hashes again, after a change of the dependencies
	$(PYTHON) -m venv $(UV)
	$(UV)/bin/python $(INSTALL) uv
	$(COMPILE) --group dev pyproject.toml --output-file locks/dev.txt
	$(COMPILE) --constraint locks/dev.txt --extra local pyproject.toml --output-file locks/runtime.txt
	$(COMPILE) --group release --output-file locks/release.txt
	$(COMPILE) --group bench --output-file locks/bench.txt

soak: $(STAMP) ## Ten streams for three minutes with cancels and kills; nothing may grow
	$(BIN)/python benchmarks/soak.py

bench-prompts: $(STAMP) ## Count how much of a run's prompts a provider has read before
	$(BIN)/python benchmarks/shared_prompts.py

bench-search: $(STAMP) ## Measure searches in RUNS=2000 runs of 5 KB, and their index
	nice $(BIN)/python benchmarks/search_runs.py $(RUNS)

bench-facts: $(STAMP) ## Count the planted errors that the facts checker finds, by kind
	$(BIN)/python benchmarks/facts_quality.py

bench-stalls: $(STAMP) ## Measure the longest stall of a server's event loop in hostile folders
	$(BIN)/python benchmarks/stalls.py

bench-store: $(STAMP) ## Measure reads of list, open and branch at 100, 1,000 and 10,000 runs
	$(BIN)/python benchmarks/store_reads.py

LLM := .cache/llm
$(LLM)/.installed: locks/bench.txt
	$(PYTHON) -m venv $(LLM)
	$(LLM)/bin/python $(LOCKED) locks/bench.txt
	@touch $@

bench-cold: $(STAMP) $(LLM)/.installed ## Compare a cold `writeit run` with the `llm` command
	$(BIN)/python benchmarks/cold_run.py $(LLM)/bin/llm

bench-warm: $(STAMP) ## Compare a call of a running host with LiteLLM alone and raw httpx
	$(BIN)/python benchmarks/model_host.py --calls

bench-models: $(STAMP) ## Compare the model host with LiteLLM alone and raw httpx
	$(BIN)/python benchmarks/model_host.py

clean: ## Remove everything that was built
	rm -rf $(VENV) .cache dist build demo-output .mypy_cache .ruff_cache .pytest_cache test-artefacts
	rm -rf $(addprefix $(EXTENSION)/,node_modules dist dist-test server *.vsix)
