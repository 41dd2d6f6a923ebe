# The commands of the project; `make help` lists them.
.DEFAULT_GOAL := help
.PHONY: help setup build release test fuzz simulate demo check format lint examples bench clean

SWIFT ?= swift
ARROWS := --explicit-target-dependency-import-check error

help: ## List the commands.
	@grep -hE '^[a-z]+:.*##' $(MAKEFILE_LIST) | sed 's/:.*## /\t/' | expand -t 12

setup: ## Install what the build needs (Debian packages, libwasmtime into .deps).
	@.ci/setup

build: setup ## Build everything for debugging.
	$(SWIFT) build $(ARROWS)

release: setup ## Build the programs optimised.
	$(SWIFT) build -c release --product meshd
	$(SWIFT) build -c release --product meshctl
	$(SWIFT) build -c release --product meshbench
	$(SWIFT) build -c release --product netsim

test: setup ## Build with warnings as errors and run every test.
	@.ci/test

fuzz: setup ## A minute of spoilt programs, contracts, graphs and documents (MESH_FUZZ_SECONDS).
	@.ci/fuzz --build

simulate: setup ## Every scenario and many fresh seeds, in virtual time.
	@.ci/simulate

demo: setup ## Three nodes on loopback, one real job, a verified receipt, the graph.
	@.ci/demo

check: setup lint ## What to run before a commit: format, build, tests.
	@.ci/test

format: ## Format the sources in place.
	$(SWIFT) format --in-place --recursive --parallel Sources Tests netsim Package.swift

lint: ## Fail when a source is not formatted.
	$(SWIFT) format lint --strict --recursive --parallel Sources Tests netsim Package.swift

examples: ## Rebuild the example jobs with the toolchain's own compilers.
	@examples/build

bench: release ## Measure, each figure beside the raw library's.
	.build/release/meshbench run

clean: ## Remove what was built; .deps stays.
	rm -rf .build
