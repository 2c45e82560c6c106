# What a person or CI runs. Every target honours CARGO_TARGET_DIR and names or installs the tools
# it needs. `make help` lists them.

TARGET := $(if $(CARGO_TARGET_DIR),$(CARGO_TARGET_DIR),target)
NEED   := sh scripts/need.sh
CASE   ?= 1
SECONDS ?= 60
# Of e2e-model.
API    ?= ollama
MODEL  ?= qwen2.5:3b
NAMES  ?= declined_payments orders_latency quiet_json
# Here TARGET=name on the command line means a target of fuzz/.
FUZZ   := $(if $(filter command,$(origin TARGET)),$(TARGET))

.PHONY: help build demo demo-selfheal test check memcheck fuzz bench score e2e e2e-model dist bindings clean

help: ## this list
	@sed -n 's/^\([a-z0-9-]*\):.*## /  make \1\t/p' Makefile | expand -t 22

build: ## optimised: dist/out_autofix.so and dist/autofix
	@$(NEED) cargo cc
	cargo rustc --locked --release --lib --crate-type cdylib
	cargo build --locked --release --bin autofix
	mkdir -p dist
	cp "$(TARGET)/release/libautofix.so" dist/out_autofix.so
	cp "$(TARGET)/release/autofix" dist/autofix

demo: ## a crash in a sample service becomes a diff; CASE=1, 2 or 3
	@$(NEED) cargo cc git
	@CASE="$(CASE)" TARGET="$(TARGET)" sh examples/demo/run.sh

demo-selfheal: ## a bad release crash-loops under supervisord and is rolled back, with a diff; MODE=approve or auto
	@$(NEED) cargo cc git python3 fluent-bit supervisor
	@TARGET="$(TARGET)" sh examples/selfheal/run.sh

test: ## every test; those whose tools are absent print SKIPPED
	@$(NEED) cargo cc git
	@bash scripts/test.sh

check: ## format, lints, documentation, tests
	@$(NEED) cargo cc git
	cargo fmt --check
	cargo clippy --locked --all-targets -- -D warnings
	RUSTDOCFLAGS="-D warnings" cargo doc --locked --no-deps
	@bash scripts/test.sh

e2e: build ## from a log to a pull request and what became of it; the optimised library in every Fluent Bit on PATH; a real model
	@$(NEED) git npm
	sh scripts/prism.sh
	bash scripts/test.sh --test deliver --test forge --test forge_more --test order
	sh scripts/moto.sh bash scripts/test.sh --test recover_ecs
	AUTOFIX_LIBRARY="$(CURDIR)/dist/out_autofix.so" bash scripts/test.sh --test abi --test router --test router_fix --test router_deliver
	AUTOFIX_LIBRARY="$(CURDIR)/dist/out_autofix.so" AUTOFIX="$(CURDIR)/dist/autofix" sh scripts/e2e.sh
	sh scripts/kubectl.sh bash scripts/test.sh --test recover_kubernetes
	sh scripts/model.sh bash scripts/test.sh --test llm --test inquiry

e2e-model: ## scenarios read by a real model: MODEL_URL=… MODEL=… API=openai or ollama, NAMES=…
	@test -n "$(MODEL_URL)" || { echo "usage: make e2e-model MODEL_URL=http://127.0.0.1:11434 MODEL=qwen2.5:3b API=ollama" >&2; exit 2; }
	@$(NEED) cargo cc
	cargo run --locked --profile quick --bin autofix -- eval triage $(NAMES) --set Triage=$(API) \
		--set Triage_Url=$(MODEL_URL) --set Triage_Model=$(MODEL)

bench: $(if $(filter-out tools,$(or $(PARTS),all)),build) ## what it costs: CPU beside other outputs, by stage, in a flush, memory; SIZE_MB, PARTS
	@$(NEED) python3
	@sh benches/run.sh

score: ## against labelled data: make score DATA=DIR
	@test -n "$(DATA)" || { echo "usage: make score DATA=DIR" >&2; exit 2; }
	@$(NEED) cargo cc git
	cargo run --locked --profile quick --example score_traces -- "$(DATA)"
	cargo run --locked --profile quick --example score_locate -- "$(DATA)"
	cargo run --locked --profile quick --example score_templates -- "$(DATA)"

dist: ## for any x86-64 Linux with glibc 2.17 or newer, checked, with checksums
	@$(NEED) cargo cc python3 pip readelf
	@TARGET="$(TARGET)" sh scripts/dist.sh

memcheck: ## the library under Valgrind in a C host: no error, nothing lost
	@$(NEED) cargo cc valgrind
	sh tests/memcheck.sh

fuzz: ## each target of fuzz/ for SECONDS (60) under sanitizers; TARGET=name picks one; nightly
	@$(NEED) cargo cc
	@SECONDS_EACH="$(SECONDS)" TARGET="$(FUZZ)" sh scripts/fuzz.sh

bindings: ## writes src/ffi/bindings.rs from include/autofix_host.h; needs libclang
	@$(NEED) cargo cc
	sh tests/bindings.sh

clean: ## removes what was built
	cargo clean
	rm -rf dist
