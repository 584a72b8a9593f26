# The menu. `make` lists it.
SHELL := /bin/bash
.SHELLFLAGS := -euo pipefail -c

SWIFT_FLAGS := -c release -Xswiftc -enable-testing
VENV := .venv
CAUSEWAY := .build/release/causeway

.PHONY: help packages build test fixtures soak demo bench bench-evm bench-chain bench-streams contracts contracts-check gas \
	protobuf format lint clean

help: ## list the targets
	@grep -hE '^[a-z-]+:.*## ' $(MAKEFILE_LIST) | sed -E 's/:.*## /\t/' | expand -t 18

packages: ## install the Debian packages that are missing
	@scripts/install-packages.sh

$(VENV)/.complete: scripts/requirements.txt
	@scripts/python-environment.sh

build: packages ## build everything once, release with testing enabled
	@swift build $(SWIFT_FLAGS) --product causeway

# The public suites take both cores for themselves; tests that keep both cores busy starve tests that wait for sockets, and
# those starve whole networks. So there is a run for each of these, and one for each room with sockets and processes: some of
# their tests hold a thread of the pool while they wait, and a few of those at once make every other one late.
PURE_ROOMS := EthereumTests EVMTests CCIPTests OffchainReportingTests CommittingTests ExecutingTests TransactionsTests \
	GuardingTests PriceStreamsTests ConfigurationTests ArchitectureTests FuzzTests
EDGE_ROOMS := $(filter-out $(PURE_ROOMS) ConformanceTests EndToEndTests,$(notdir $(wildcard Tests/*Tests)))
empty :=
one_of = ^($(subst $(empty) ,|,$(strip $(1))))\.

test: packages $(VENV)/.complete ## everything that must hold, end to end included
	@swift build $(SWIFT_FLAGS) --build-tests
	@scripts/check-hot-loop.py
	@CAUSEWAY_BINARY='$(CURDIR)/$(CAUSEWAY)' $(VENV)/bin/python -m unittest discover -s Tests/Contracts
	@swift test $(SWIFT_FLAGS) --skip-build --filter '^ConformanceTests\.'
	@swift test $(SWIFT_FLAGS) --skip-build --filter '$(call one_of,$(PURE_ROOMS))'
	@for room in $(EDGE_ROOMS); do swift test $(SWIFT_FLAGS) --skip-build --filter "^$$room\."; done
	@swift test $(SWIFT_FLAGS) --skip-build --no-parallel --filter '^EndToEndTests\.'

fixtures: packages ## the public suites alone; DIR=PATH runs another folder or archive laid out like them
	@swift build $(SWIFT_FLAGS) --build-tests >&2
	@scripts/fixtures.sh $(if $(DIR),'$(DIR)')

# Seconds for each of the fuzz entries, which run two at a time; and a seed that is new each time.
SOAK_SECONDS ?= 120
SOAK_SEED ?= $(shell date +%s)

soak: packages $(VENV)/.complete ## what takes too long for every day: the public suites' extreme files, a long walk over a bridge, damaged input for SOAK_SECONDS=120 an entry, all cells of the acceptance table
	@swift build $(SWIFT_FLAGS) --build-tests >&2
	@scripts/fixtures.sh --extreme $(if $(DIR),'$(DIR)')
	@CAUSEWAY_BINARY='$(CURDIR)/$(CAUSEWAY)' CAUSEWAY_SEED=$(SOAK_SEED) CAUSEWAY_STEPS=$$((40 * $(SOAK_SECONDS))) \
		$(VENV)/bin/python -m unittest discover -s Tests/Contracts -p test_properties.py -k WalksOnCauseway
	@CAUSEWAY_FUZZ_SECONDS=$(SOAK_SECONDS) CAUSEWAY_SEED=$(SOAK_SEED) swift test $(SWIFT_FLAGS) --skip-build --filter '^FuzzTests\.'
	@CAUSEWAY_ACCEPTANCE_CELLS=all swift test $(SWIFT_FLAGS) --skip-build --no-parallel --filter '^EndToEndTests\.AcceptanceTests'

demo: build ## crossings on fresh local networks, told as they happen: four, then every kind over six lanes
	@scripts/demo.sh $(DEMO_FLAGS)

bench: build $(VENV)/.complete ## latency, throughput, gas and memory; figures as a table and as JSON
	@scripts/bench.sh

$(VENV)/bench/.complete: scripts/requirements-bench.txt
	@python3 -m venv $(VENV)/bench
	@$(VENV)/bench/bin/pip install --quiet --disable-pip-version-check --requirement scripts/requirements-bench.txt
	@touch $@

bench-evm: packages $(VENV)/bench/.complete ## the interpreter and recovery beside revm and libsecp256k1, program by program
	@swift build $(SWIFT_FLAGS) --product causeway-bench
	@$(VENV)/bench/bin/python Benchmarks/yardsticks.py --json Benchmarks/yardsticks.json $(BENCH_FLAGS)

bench-chain: bench-evm ## bench-evm, then the chain: transfers and state, a node under load, RPC (CHAIN_FLAGS=--quick for a minute)
	@python3 Benchmarks/chain.py --json Benchmarks/chain.json $(CHAIN_FLAGS)

bench-streams: packages ## price streams beside libzmq and libsecp256k1, as a table and as JSON (STREAM_FLAGS="--seconds 3600 --only soak" for the hour)
	@swift build $(SWIFT_FLAGS) --product causeway-stream-bench >&2
	@.build/release/causeway-stream-bench $(STREAM_FLAGS) > Benchmarks/streams.json

contracts: $(VENV)/.complete ## compile chains/contracts into chains/artifacts
	@$(VENV)/bin/python scripts/contracts.py

contracts-check: $(VENV)/.complete ## fail when the artifacts are not what the sources compile to
	@$(VENV)/bin/python scripts/contracts.py --check

gas: $(VENV)/.complete ## measure what the contracts cost, beside the published figures, into docs/reference/gas.md
	@$(VENV)/bin/python Tests/Contracts/gas_table.py

protobuf: ## generate Swift from the .proto schemas (needs protoc and protoc-gen-swift)
	@scripts/generate-protobuf.sh

format: ## format the sources in place
	@swift format --in-place --recursive Sources Tests Benchmarks

lint: ## fail when a source is not formatted
	@swift format lint --strict --recursive Sources Tests Benchmarks

clean: ## remove what the build made
	@rm -rf .build $(VENV) data
