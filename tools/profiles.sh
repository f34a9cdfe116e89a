#!/bin/sh
# profiles.sh: builds the kernel without each of its checks that have a cost, and without all of them, into
# target/profiles/CHECK/assay-kernel. `assay exact profiles` counts them. The checks are the crate's features.
set -eu
target=x86_64-unknown-none
flags=$(tools/remap-paths.sh)

build() { # NAME FEATURES
    CARGO_ENCODED_RUSTFLAGS="$flags" cargo build --quiet --profile kernel -p kernel --target "$target" \
        --target-dir target/profiles/build --features "$2"
    mkdir -p "target/profiles/$1"
    "$ASSAY_OBJCOPY" --strip-all "target/profiles/build/$target/kernel/assay-kernel" "target/profiles/$1/assay-kernel.new"
    mv "target/profiles/$1/assay-kernel.new" "target/profiles/$1/assay-kernel"
}

features=$(sed -n 's/^\(without-[a-z-]*\) = .*/\1/p' kernel/Cargo.toml)
for feature in $features; do
    build "${feature#without-}" "$feature"
done
build all "$(printf %s "$features" | tr '\n' ,)"
