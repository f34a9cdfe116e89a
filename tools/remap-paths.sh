#!/bin/sh
# remap-paths.sh [--words]: compiler flags that remove this machine's paths from a build: the paths of the checkout,
# cargo's home and the toolchain. Two checkouts of one commit then give the same bytes and the same build ID.
#
# Prints the flags in the form of CARGO_ENCODED_RUSTFLAGS. With --words they are separated by blanks, as for
# CARGO_BUILD_RUSTFLAGS, and there are none if a path has a blank in it.
#
# The checkout becomes `.`, so that a debugger that is started in it finds the sources.
set -eu
cargo_home=${CARGO_HOME:-$HOME/.cargo}
library=$RUSTUP_TOOLCHAIN/lib/rustlib/src/rust

flags='' separator=$(printf '\037')
[ "${1-}" != --words ] || separator=' '
remap() { # FROM TO: of several that match, rustc takes the last
    case $separator$1 in
        ' '*' '*) exit 0 ;;
    esac
    flags="$flags${flags:+$separator}--remap-path-prefix=$1=$2"
}
# Each also by the folder behind it, if it is a link: cargo resolves links for some of them.
remap "$cargo_home" /cargo
remap "$(readlink -m "$cargo_home")" /cargo
remap "$(readlink -m "$cargo_home/registry")" /cargo/registry
remap "$PWD" .
remap "$(readlink -m .)" .
remap "$library" /rust
remap "$(readlink -m "$library")" /rust
printf %s "$flags"
