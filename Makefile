# Arobase: short targets. `make help` lists them.
SHELL := /bin/bash
PYTHON ?= python3
BIN := .venv/bin
# In a Debian root entered by plain chroot, namespaces need a root directory that is a mount point.
ROOTED := $(BIN)/python -m lab.root $(BIN)/python -m
# A process namespace: when the command ends, however it ends, the kernel ends all that it started (pid_namespaces(7)).
# Workers of nginx and granian outlive a master that is killed, and dnsmasq takes off its parent-death signal.
UNSHARE := unshare --pid --fork --kill-child --mount-proc
# The shell is the namespace's first process: the kernel keeps SIGTERM from that one.
CONTAINED := $(if $(shell $(UNSHARE) true 2>/dev/null && echo yes),$(UNSHARE) sh -c '"$$@"; exit $$?' sh)
# What the tests need of Debian; the hotspot itself says what it needs (lab/packages.py).
TEST_PACKAGES := nftables iproute2 dnsmasq-base openssl nginx curl procps slapd ldap-utils postgresql pgbouncer chromium chromium-headless-shell libatomic1 iputils-ping tcpdump conntrack util-linux poppler-utils ffmpeg freeradius freeradius-rest freeradius-utils eapoltest opennds iptables php-cli wget libfaketime prometheus
# Load generators, for the bench alone.
BENCH_PACKAGES := $(TEST_PACKAGES) iperf3 wrk
# Two more than processors: many tests wait, for a network, a browser or a deadline.
WORKERS := -n $(shell echo $$(($$(nproc) + 2))) --dist loadfile --no-loadscope-reorder
# Whoever forbids Python to keep what it compiled pays for it in each worker and in each program that a test starts.
unexport PYTHONDONTWRITEBYTECODE

.PHONY: help setup run code phone tour test test-all mutants coverage house check bench bench-quick bench-check messages lock packages

help: ## Show this list
	@grep -hE '^[a-z-]+:.*## ' $(MAKEFILE_LIST) | awk -F ':.*## ' '{printf "  make %-8s %s\n", $$1, $$2}'

setup: $(BIN)/.ready ## Make the virtual environment from the locks

$(BIN)/.ready: requirements.txt
	@# Without python3-venv, python3 leaves half an environment behind, which has no pip.
	@$(BIN)/python -m pip --version >/dev/null 2>&1 || $(PYTHON) -m venv --clear .venv || { \
	  echo "make: python3-venv is missing: apt-get install python3-venv, then this again"; exit 1; }
	$(BIN)/python -m pip install --quiet --require-hashes -r requirements.txt
	@touch $@

$(BIN)/.ready-dev: requirements-dev.txt $(BIN)/.ready
	$(BIN)/python -m pip install --quiet --require-hashes -r requirements-dev.txt
	@touch $@

run: setup ## Set up all it needs and open the live hotspot; the desk is on http://127.0.0.1:8080
	@$(ROOTED) lab.run

code: setup ## The one-time codes of the demo town's staff, to sign in at /staff
	@$(BIN)/python -m lab.staff

phone: setup ## A shell in the phone of the running hotspot
	@$(ROOTED) lab.phone

tour: setup ## Walk the journeys in a hotspot of its own, seconds for minutes; print what was measured
	@$(ROOTED) lab.tour

test: $(BIN)/.ready-dev ## Install what the tests need and run everything
	@$(BIN)/python -m lab.packages --needed $(TEST_PACKAGES)
	$(BIN)/ruff check .
	$(BIN)/ruff format --check .
	$(BIN)/mypy
	$(BIN)/lint-imports
	@# A file to a worker, so that what it builds for all its tests is built once; tests/order.py says which come first.
	STRICT_PARTS=1 $(BIN)/python -m lab.root $(CONTAINED) $(BIN)/python -m pytest $(WORKERS) -p tests.order --durations=15

test-all: ## The same, with the long tests, and all of it on either database (before a release)
	@TEST_ALL=1 $(MAKE) --no-print-directory test

mutants: $(BIN)/.ready-dev ## Take each guard out in a copy of the tree, and see its tests go red (ONLY="feed leases": those alone)
	@$(BIN)/python -m lab.packages --needed $(TEST_PACKAGES)
	@$(ROOTED) lab.mutants $(ONLY)

coverage: $(BIN)/.ready-dev ## Run the tests and list the lines and branches that none reaches (ONLY="tests/auth": those alone)
	@rm -rf .coverage && mkdir .coverage
	-@STRICT_PARTS=1 $(ROOTED) coverage run -m pytest -q -n 2 --dist loadgroup $(ONLY)
	@$(BIN)/coverage combine -q && $(BIN)/coverage report --sort=-miss

house: ## Measure the sources: sizes, imports for each file, names that recur
	@$(BIN)/python -m lab.house

check: $(BIN)/.ready-dev ## Style, types and who imports whom
	$(BIN)/ruff check .
	$(BIN)/ruff format --check .
	$(BIN)/mypy
	$(BIN)/lint-imports

bench: $(BIN)/.ready-dev ## Measure; one JSON object a line (KEEP=1: in the place of the committed run)
	@$(BIN)/python -m lab.packages --needed $(BENCH_PACKAGES)
	@$(ROOTED) lab.bench $(if $(KEEP),--keep)

bench-quick: $(BIN)/.ready-dev ## The same with small numbers, in three minutes
	@$(BIN)/python -m lab.packages --needed $(BENCH_PACKAGES)
	@$(ROOTED) lab.bench --quick $(if $(KEEP),--keep)

bench-check: $(BIN)/.ready-dev ## What the committed runs of the bench have slower than those before; test-all does it too
	@$(ROOTED) lab.bench --check

messages: setup ## Add new texts to the catalogues, and take out what nothing says any more
	@$(BIN)/python -m lab.messages

lock: ## Make the locks anew from the ranges in pyproject.toml (needs uv)
	uv pip compile -q --generate-hashes --universal --python-version 3.11 --no-emit-index-url --no-emit-find-links pyproject.toml -o requirements.txt
	uv pip compile -q --generate-hashes --universal --python-version 3.11 --no-emit-index-url --no-emit-find-links --extra parquet -c requirements.txt pyproject.toml -o requirements-parquet.txt
	uv pip compile -q --generate-hashes --universal --python-version 3.11 --no-emit-index-url --no-emit-find-links --extra dev --extra parquet -c requirements.txt pyproject.toml -o requirements-dev.txt
