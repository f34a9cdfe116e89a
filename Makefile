# `make` lists the targets. Everything that needs it runs the set-up step first, so that a bare machine needs no other
# command than the one that is wanted.

.DEFAULT_GOAL := help
.NOTPARALLEL:
.SUFFIXES:

TARGET   := x86_64-unknown-none
LINUX    := x86_64-unknown-linux-gnu
# The kernel with its symbols, for people and debuggers, and the one that is booted.
KERNEL   := target/$(TARGET)/release/assay-kernel
STRIPPED := target/kernel/assay-kernel
ASSAY    := target/release/assay

# tools/setup.sh leaves the toolchain to use in this file. It is read by each recipe and not by make, because make
# would read it before the set-up step has written it.
ENV   := . ./.toolchain/env &&
CARGO := $(ENV) cargo

# Left out: the kernel, which is built for another target; the worker programs, which have no standard library and so no
# test harness; and the image tool, which is always built in the release profile, because its loader takes minutes to build
# in each further profile.
HOST_CRATES := --workspace --exclude kernel --exclude image --exclude worker-programs
CLIPPY      := $(CARGO) clippy --quiet
DENY        := -- -D warnings

ARGS ?=
# All that can be told apart: our kernel entered directly and behind the BIOS, Linux as it comes and without mitigations.
SYSTEMS ?= assay,assay-bios,linux,linux-mitigations-off,native

# $(call assay,COMMAND): with ARGS, and with its exit code said, since make itself ends with 2 whatever it was.
assay = @$(ASSAY) $(1) $(ARGS) || { code=$$?; \
    echo "assay $(1): exit code $$code (make itself ends with 2)" >&2; exit $$code; }

##@ Measure
.PHONY: run-smp-process-scale run-linux-smp-process-scale compare-smp-process-scale controls soak bench bench-verdict doctor
run-smp-process-scale: build ## speed-up from 1 to 2 and 4 CPUs, gated (ARGS=... goes to `assay run`)
	$(call assay,run manifests/smp-process-scale.toml)

run-linux-smp-process-scale: build ## the same workers as processes of a Linux guest
	$(call assay,run manifests/smp-process-scale.toml --systems linux)

compare-smp-process-scale: build ## our kernel, Linux and the host itself, in one shuffled session
	$(call assay,run manifests/smp-process-scale.toml --systems $(SYSTEMS))

controls: build ## provoke everything that can go wrong, and see the gate say so
	$(call assay,dev controls)

soak: build ## boot four CPUs 500 times (ARGS="--rounds N" for another number), and expect each to pass
	$(call assay,run manifests/soak.toml)

bench: build ## what this project promises of itself: size, memory, time to the first worker
	$(call assay,dev bench)

bench-verdict: build ## how good the verdict of `assay compare` is: false alarms, and what it finds
	$(call assay,dev bench-verdict)

doctor: build ## is this host fit for a measurement?
	$(call assay,doctor)

##@ Build
.PHONY: setup build kernel workers twin host images
setup: ## install what is missing (as root, by apt), or say what that is
	@tools/setup.sh

build: kernel workers twin host ## kernel, workers, Linux twin, image tool and the assay command

kernel: setup ## the kernel alone
	$(CARGO) build --release -p kernel --target $(TARGET)
	@# Renamed into place: a half-written kernel must not look newer than its source.
	@[ $(STRIPPED) -nt $(KERNEL) ] || { $(ENV) mkdir -p $(dir $(STRIPPED)) && \
	    "$$ASSAY_OBJCOPY" --strip-all $(KERNEL) $(STRIPPED).new && mv $(STRIPPED).new $(STRIPPED); }

# A command of its own, always the same: the features of other crates must not reach the bytes that are measured.
workers: setup ## the workers alone
	$(CARGO) build --release -p worker-programs --bins

# Static, since it is the first and only program of its guest. Its target is named so that it has a folder of its own,
# where no other build puts one that is not static.
twin: setup ## the Linux twin alone
	$(CARGO) rustc --release -p linux-twin --bin assay-twin --target $(LINUX) -- \
	    -C target-feature=+crt-static -C strip=symbols

host: setup ## the assay command and the image tool alone
	@[ -x target/release/assay-image ] || \
	    echo 'The first build of the image tool takes 2 to 4 minutes: its loader compiles five programs.'
	$(CARGO) build --release -p assay -p image

images: build ## an experiment as ISO, disks and what clouds take, in target/images (ARGS=... goes to `assay image`)
	@tools/setup.sh images
	@$(ASSAY) image $(ARGS)

##@ Check
.PHONY: test lint test-host test-guest test-images test-boot fuzz fuzz-keep fmt
test: lint test-host test-guest ## everything: format, lints, unit tests, and guests under QEMU

lint: setup ## format and clippy, nothing forgiven
	$(CARGO) fmt --all --check
	$(CLIPPY) $(HOST_CRATES) --all-targets $(DENY)
	$(CLIPPY) --release -p worker-programs --bins $(DENY)
	$(CLIPPY) --release -p image --all-targets $(DENY)
	$(CLIPPY) --release -p kernel --target $(TARGET) $(DENY)
	$(CLIPPY) -p kernel --lib --tests $(DENY)

test-host: setup ## what needs no guest: all crates, and the kernel's logic
	$(CARGO) test $(HOST_CRATES)
	$(CARGO) test --release -p image
	$(CARGO) test -p kernel --lib

# One guest at a time: two of them on two host CPUs would only show that they disturb each other.
test-guest: build ## boot the kernel under QEMU, from BIOS and UEFI
	$(CARGO) test -p assay --test guest -- --include-ignored --test-threads=1
	@tools/setup.sh images
	$(CARGO) test -p assay --test images -- --include-ignored --test-threads=1 formats:: boots::the_iso

# Not part of `test`: what it adds are seven more packages to look at the formats with, and two minutes.
test-images: build ## look at every image by other people's tools, and boot it from BIOS and UEFI
	@tools/setup.sh image-readers
	ASSAY_IMAGE_READERS=all $(CARGO) test -p assay --test images -- --include-ignored --test-threads=1

# Not part of `test`: minutes, and what it boots differs from that cross-section in firmware and devices alone.
test-boot: build ## boot it on every kind of machine that can be emulated (ASSAY_BOOT=WORD for some, ASSAY_QEMU)
	$(CARGO) test -p assay --test boot -- --include-ignored

fuzz: ## look for bytes that break a parser (FUZZ_SECONDS=60 each, FUZZ_TARGETS="..." for some)
	@tools/setup.sh fuzz
	@$(ENV) tools/fuzz.sh $(FUZZ_TARGETS)

fuzz-keep: ## add what `make fuzz` found to the corpus in fuzz/corpus (FUZZ_TARGETS="..." for some)
	@tools/setup.sh fuzz
	@$(ENV) tools/fuzz.sh --keep $(FUZZ_TARGETS)

fmt: setup ## format the sources
	$(CARGO) fmt --all

##@ Tidy
.PHONY: clean distclean help
clean: ## remove what was built; measured results in target/ stay
	rm -rf target/debug target/release target/$(TARGET) target/$(LINUX) target/kernel

distclean: ## remove everything that is not in git: results and the local toolchain too
	rm -rf target .toolchain

help: ## this list
	@awk 'BEGIN { FS = ":.*## " } /^##@/ { print substr($$0, 5) ":" } /^[a-z-]+:.*## / { printf "  %-29s%s\n", $$1, $$2 }' \
	    $(firstword $(MAKEFILE_LIST))
