#!/bin/sh
# setup.sh [fuzz|images|image-readers]: brings this machine to where every other target of the Makefile works; those that
# fuzz, make images or look at them need some more.
#
# Two things: the programs that the build and the runs call (packages.sh), and a Rust toolchain of exactly the version
# in rust-toolchain.toml (toolchain.sh). Says what it installs. Where there is nothing to do, which is the usual case,
# it is silent and costs some ten milliseconds, so it runs before everything else.
#
# Leaves .toolchain/env, which a shell sources to use that toolchain. Touches nothing under $HOME, except that rustup,
# where it can be used, installs its toolchain where it installs them all.
set -eu
cd "${0%/*}/.."
# A caller's own choice of toolchain must not answer for the one looked for here.
unset RUSTUP_TOOLCHAIN

say() { echo "setup: $*"; }
die() { echo "setup: $*" >&2; exit 1; }

. tools/packages.sh
. tools/toolchain.sh

need_host_programs
case "${1:-}" in
    fuzz) need_fuzz_programs ;;
    images) need_image_programs ;;
    image-readers) need_image_programs; need_image_readers ;;
esac
if toolchain_recorded; then
    install_needed
    exit
fi
if toolchain_from_rustup; then
    install_needed
else
    need_distribution_rust
    install_needed
    toolchain_from_distribution
fi
toolchain_record
