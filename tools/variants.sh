#!/bin/sh
# variants.sh: builds worker programs for instructions that not every x86-64 has. A manifest chooses a build by `requires`.
#
# Compiler flags reach every crate of a build, so each set of instructions has a target folder of its own. The programs are
# linked into a folder beside the others that is named by the set. Each line below is one of `Task::NEEDS.builds`; a test
# compares them.
set -eu

build() { # FEATURES FLAG PROGRAM...
    features=$1 flag=$2
    shift 2
    folder=target/workers/$features
    for program; do
        CARGO_ENCODED_RUSTFLAGS="$(tools/remap-paths.sh)$(printf '\037')$flag" \
            cargo build --release -p worker-programs --bin "$program" --target-dir "$folder"
        mkdir -p "target/release/$features"
        ln -f "$folder/release/$program" "target/release/$features/$program"
    done
}

build avx2 -Ctarget-cpu=x86-64-v3 dgemm
build sha-ni -Ctarget-feature=+sha,+ssse3,+sse4.1 chunk-hash
