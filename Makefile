# Only Python 3.11 or newer, make and the package registries are needed; no AWS account anywhere.

SCENARIO ?= local/scenarios/guide_example.json
PORT ?= 8080
ARGS ?=
SEEDS ?= 300
SEED ?= 0
BODIES ?= 100000
SIZE ?= 1
ODOO_TESTS ?= tests/connector tests/odoo
CONTRACT_TESTS := tests/contract/test_openapi.py tests/contract/test_availabilities_schema.py tests/unit/test_event_schemas.py $(wildcard tests/contract/test_*_openapi.py)

shipped := layers/inventory_sync/inventory_sync functions cli
not_shipped := local tools examples
code := $(shipped) $(not_shipped)
in_parallel := --numprocesses auto --dist worksteal
pip_install = -m pip --disable-pip-version-check install -qq --no-deps --no-compile --require-hashes

# The operator's commands reach the AWS account that the shell has set; nothing else here may.
operator := cli locations products package $(if $(findstring --stack,$(ARGS)),room)
ifneq ($(or $(filter-out $(operator),$(MAKECMDGOALS)),$(if $(MAKECMDGOALS),,help)),)
unexport $(filter-out AWS_CA_BUNDLE,$(filter AWS_%,$(.VARIABLES)))
export AWS_ACCESS_KEY_ID := none
export AWS_SECRET_ACCESS_KEY := none
export AWS_DEFAULT_REGION := eu-west-1
export AWS_CONFIG_FILE := /dev/null
export AWS_SHARED_CREDENTIALS_FILE := /dev/null
export AWS_EC2_METADATA_DISABLED := true
endif
export SAM_CLI_TELEMETRY := 0

.DEFAULT_GOAL := help
.PHONY: help cli locations products setup demo room pictures room-test local test contract connector-test test-odoo test-odoo-at-hand contract-fuzz e2e e2e-reads e2e-stacks engines simulate simulate-mutants exhaust fuzz mutate bench scale coverage format lint types validate build deployer package security audit sbom invoke sam-local check lock clean distclean

help: ## List the targets
	@awk -F ':.*## ' '/^[a-z0-9-]+:.*## / { printf "  %-17s %s\n", $$1, $$2 }' Makefile

setup: .venv/.dev ## Make the virtual environment, with .venv/bin/inventory-sync in it

demo: .venv/.local ## Play a story through the real code (SCENARIO=file.json)
	@PYTHONPATH=layers/inventory_sync .venv/bin/python -m local.demo $(SCENARIO)

room: .venv/.local ## Show a story on a page, live (SCENARIO=file.json PORT=8080 ARGS="--pace 1"; --stack: of `make local`)
	@PYTHONPATH=layers/inventory_sync .venv/bin/python -m local.room $(SCENARIO) --port $(PORT) $(ARGS)

pictures: .venv/.browser ## Draw docs/pictures anew from a story that the real code plays
	@tools/get_chromium.sh
	@PYTHONPATH=layers/inventory_sync .venv/bin/python -m local.pictures

room-test: .venv/.browser ## Test the pages in Chromium; screenshots in build/room
	@tools/get_axe.sh || true
	.venv/bin/python -m pytest tests/e2e/test_room.py tests/e2e/test_room_looks.py tests/e2e/test_shadow_page_looks.py $(ARGS)

local: .venv/.local .venv-e2e/.installed build ## Leave the deployed stack running in a local AWS, until Ctrl-C
	@PYTHONPATH=layers/inventory_sync .venv/bin/python -m local.up

test: .venv/.dev ## Run the tests, without network or AWS account (ARGS="-k late"; SWEEPS=full for every case)
	@tools/get_dynoxide.sh || true
	.venv/bin/python -m pytest $(in_parallel) $(ARGS)

# Reads that fan out have a local AWS of their own, beside the one that all other tests share.
e2e: .venv/.dev .venv-e2e/.installed build ## Deploy template.yaml into two local AWS and drive it over HTTP
	$(MAKE) --no-print-directory --jobs 2 --output-sync=target e2e-reads e2e-stacks

e2e-reads e2e-stacks: .venv/.dev .venv-e2e/.installed
	E2E=$@ .venv/bin/python -m pytest $($@) --durations=0 $(ARGS)

e2e-reads := tests/e2e/deployed/test_fan_out.py
e2e-stacks := tests/e2e/deployed --ignore=$(e2e-reads)

simulate: .venv/.dev ## Run the fault simulation (SEEDS=10000 SEED=0 ARGS="--newstore immediate --reading find_out")
	PYTHONPATH=layers/inventory_sync .venv/bin/python -m tests.simulation --seeds $(SEEDS) --seed $(SEED) $(ARGS)

fuzz: .venv/.dev ## Throw hostile bodies at the webhook (BODIES=100000)
	FUZZ_BODIES=$(BODIES) .venv/bin/python -m pytest $(in_parallel) tests/property/test_event_body_fuzz.py

simulate-mutants: .venv/.dev ## Take each safety away and show that the simulation notices
	PYTHONPATH=layers/inventory_sync .venv/bin/python -m tests.simulation.mutants

exhaust: .venv/.dev ## Search every order of a few steps in small worlds (SIZE=2)
	PYTHONPATH=layers/inventory_sync .venv/bin/python -m tests.exhaust $(SIZE)

bench: .venv/.dev .venv-bench/.installed build engines ## Measure against the goals; writes build/bench.json (ARGS="warm load")
	PYTHONPATH=layers/inventory_sync .venv/bin/python -m tests.bench $(ARGS)

scale: .venv/.dev ## Bring the tables of docs/benchmarks.md and docs/scale.md up to date
	PYTHONPATH=layers/inventory_sync .venv/bin/python -m tools.scale

contract: .venv/.dev ## Hold clients and simulator against NewStore's own files, in ../shared/newstore-openapi
	OPENAPI_REQUIRED=true .venv/bin/python -m pytest $(CONTRACT_TESTS) -rs $(ARGS)

connector-test: .venv/.dev ## Run the contract suite against a connector (CONNECTOR=odoo, or module:bench on PYTHONPATH)
	@test -n "$(CONNECTOR)" || { echo "usage: make connector-test CONNECTOR=<name or module:factory>; see docs/connectors.md"; exit 2; }
	CONNECTOR=$(CONNECTOR) PYTHONPATH="layers/inventory_sync:.:$$PYTHONPATH" .venv/bin/python -m pytest tests/connector -rs $(ARGS)

test-odoo: .venv/.dev ## Run the Odoo connector against a real Odoo 19 from Debian's package (minutes)
	@rm -f build/odoo.txt
	CONNECTOR=odoo ODOO=1 .venv/bin/python -m pytest $(ODOO_TESTS) $(ARGS)
	@test ! -f build/odoo.txt || cat build/odoo.txt

# Why not all of it: docs/decisions/0032-the-real-odoo-in-ci.md.
test-odoo-at-hand: .venv/.dev ## Of test-odoo what a change may break, where its packages are cached
	@if .venv/bin/python -m tests.odoo.at_hand; then \
		$(MAKE) test-odoo ODOO_TESTS="tests/connector tests/odoo/test_forms.py tests/odoo/test_guide_example.py"; fi

contract-fuzz: .venv/.dev .venv-fuzz/.installed ## Hold docs/erp-openapi.yaml against the simulated ERP, call by call
	PYTHONPATH=layers/inventory_sync .venv/bin/python -m tests.fuzz $(ARGS)

engines: ## Fetch the second DynamoDB engine of the contract tests from npm
	tools/get_dynoxide.sh

SAMPLED := use_cases adapters bootstrap functions cli

mutate: .venv-mutation/.installed .venv/.dev ## Change the code bit by bit and show that a test notices (ARGS="cut guards" of the domain, ARGS="bootstrap cli" a sample of these folders)
	$(if $(filter $(SAMPLED),$(ARGS)),.venv/bin/python tools/mutation_sample.py,.venv-mutation/bin/python tools/mutation.py) $(ARGS)

coverage: .venv/.dev ## Run all tests and show what they leave untested
	SWEEPS=full .venv/bin/python -m pytest $(in_parallel) --cov --cov-report term-missing:skip-covered $(ARGS)

format: .venv/.dev ## Format the code and mend what the linter can mend
	.venv/bin/ruff check --fix .
	.venv/bin/ruff format .

lint: .venv/.dev ## Check style and format
	.venv/bin/ruff check .
	.venv/bin/ruff format --check .

types: .venv/.dev ## Check types
	.venv/bin/mypy $(code) tests

# The two find different faults.
validate: .venv-sam/.installed ## Validate the template
	.venv-sam/bin/sam validate --lint
	.venv-sam/bin/sam validate --region eu-west-1

# The build looks for the runtime's interpreter on PATH, where a pyenv shim would fail.
build: .venv-sam/.installed .aws-sam/.started ## Build the functions and their layer
	PATH="$(CURDIR)/.venv-sam/bin:$$PATH" sam build

deployer: .venv-sam/.installed ## Install the SAM CLI, to deploy what was built elsewhere

# SAM's cache knows the sources, but not how they are packed.
.aws-sam/.started: $(wildcard tools/artifacts/*)
	rm -rf .aws-sam
	mkdir .aws-sam
	touch $@

package: build ## Put what is built into a bucket and write build/packaged.yaml (BUCKET=name)
	@test -n "$(BUCKET)" || { echo 'usage: make package BUCKET=<bucket of your account>'; exit 2; }
	@mkdir -p build
	.venv-sam/bin/sam package --s3-bucket "$(BUCKET)" --s3-prefix inventory-sync --output-template-file build/packaged.yaml

# What is not shipped starts programs (without a shell: ruff asks for a reason at each), and has
# made-up secrets and seeded randomness for its simulators. What is shipped is excused from nothing.
security: .venv-sam/.installed .venv-security/.installed audit sbom ## Look for insecure infrastructure, code and packages
	.venv-sam/bin/python -m tools.expand_template template.yaml build/template.expanded.json
	.venv-sam/bin/cfn-lint --ignore-checks W2001 --template build/template.expanded.json # SAM uses one up
	.venv-security/bin/checkov --config-file .checkov.yaml --file build/template.expanded.json
	.venv-security/bin/bandit --quiet --recursive $(shipped)
	.venv-security/bin/bandit --quiet --recursive --skip B105,B106,B311,B404,B603 $(not_shipped)

audit: .venv-audit/.installed ## Look for known vulnerabilities of all that is pinned (needs the internet)
	.venv-audit/bin/python -m tools.audit

sbom: .venv-audit/.installed .venv/.local ## Write the bill of materials of what the layer ships: build/sbom.json
	.venv-audit/bin/python -m tools.sbom build/sbom.json

invoke: .venv/.local build ## Run a built function in the Lambda runtime (FUNCTION= EVENT=)
	@test -n "$(FUNCTION)" -a -n "$(EVENT)" || \
		{ echo "usage: make invoke FUNCTION=ImportStockFunction EVENT=events/<event>.json"; exit 2; }
	@PYTHONPATH=layers/inventory_sync .venv/bin/python -m local.invoke $(FUNCTION) $(EVENT)

sam-local: .venv/.local build ## Serve what `sam local invoke` and `start-api` need, until Ctrl-C (containers)
	@PYTHONPATH=layers/inventory_sync .venv/bin/python -m local.sam_local

cli: .venv/.local ## Operate a deployed stack (ARGS="holds list --stack inventory-sync")
	@.venv/bin/python -m cli $(if $(ARGS),$(ARGS),--help)

locations: .venv/.local ## Load the location map of a deployed stack (FILE=map.csv)
	@test -n "$(FILE)" || { echo 'usage: make locations FILE=map.csv [ARGS="--stack NAME"]'; exit 2; }
	@.venv/bin/python -m cli locations load "$(FILE)" $(ARGS)

products: .venv/.local ## Load the product map of a deployed stack (FILE=map.csv)
	@test -n "$(FILE)" || { echo 'usage: make products FILE=map.csv [ARGS="--stack NAME"]'; exit 2; }
	@.venv/bin/python -m cli products load "$(FILE)" $(ARGS)

# The tests take every case of their sweeps. Where npm is, they may not leave its engine out.
check: export SWEEPS := full
check: export ENGINES_REQUIRED := true
check: export BUILD_REQUIRED := true
check: .venv-audit/.installed lint types build test exhaust contract-fuzz e2e validate security ## Everything CI runs

lock: .venv-lock/.installed ## Pin the requirements anew (ARGS=--upgrade for newer ones)
	.venv-lock/bin/python tools/lock.py $(ARGS)

clean: ## Remove what was built
	rm -rf build .aws-sam .pytest_cache .mypy_cache .ruff_cache .hypothesis .coverage

distclean: clean ## Remove the virtual environments too
	rm -rf .venv .venv-sam .venv-e2e .venv-security .venv-audit .venv-bench .venv-mutation .venv-fuzz .venv-lock

.venv/.local: requirements/local.txt
	@echo "Making .venv (once)"
	@python=$$(tools/find_python.sh 3.11+) && rm -rf .venv && "$$python" -m venv .venv
	@.venv/bin/python $(pip_install) -r requirements/local.txt
	@ln -sf ../../tools/inventory-sync .venv/bin/inventory-sync
	@touch $@

.venv/.dev: requirements/dev.txt .venv/.local
	@echo "Adding the tools for tests and checks to .venv (once)"
	@.venv/bin/python $(pip_install) -r requirements/dev.txt
	@touch $@

.venv/.browser: requirements/browser.txt .venv/.dev
	@echo "Adding the browser driver to .venv (once)"
	@.venv/bin/python $(pip_install) -r requirements/browser.txt
	@touch $@

.venv-sam/.installed .venv-e2e/.installed .venv-bench/.installed: python := 3.13
.venv-security/.installed .venv-audit/.installed .venv-mutation/.installed .venv-fuzz/.installed .venv-lock/.installed: python := 3.11+

.venv-%/.installed: requirements/%.txt
	@echo "Making $(@D) (once)"
	@python=$$(tools/find_python.sh $(python)) && rm -rf $(@D) && "$$python" -m venv $(@D)
	@$(@D)/bin/python $(pip_install) -r requirements/$*.txt
	@touch $@
