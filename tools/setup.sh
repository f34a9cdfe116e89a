#!/bin/sh
# setup.sh [run|test|images|image-readers|fuzz|report|exports]: installs what the targets of the Makefile need.
#
# Each level has the programs of `run`, and more:
#   run            build the kernel, the workers and the tools, and run guests (the default)
#   test           format, lint and test; boot guests by UEFI
#   images         write images in every form
#   image-readers  inspect those images with other people's tools
#   fuzz           build the fuzzing programs
#   report         look at the HTML report in a browser
#   exports        read exported files with other people's programs
#
# Two parts: the programs that the build and the runs call (packages.sh), and a Rust toolchain of exactly the version
# in rust-toolchain.toml (toolchain.sh). Prints each step and how long it takes. If there is nothing to do, which is the
# usual case, it prints nothing and takes some ten milliseconds, so it runs before everything else.
#
# Leaves .toolchain/env, which a shell sources to use that toolchain. Touches nothing under $HOME, except that rustup,
# if it can be used, installs its toolchain where it installs all of them.
set -eu
cd "${0%/*}/.."
# The caller's choice of toolchain must not hide the one that this script finds.
unset RUSTUP_TOOLCHAIN
level=${1:-run}

say() { echo "setup: $*"; }
die() { echo "setup: $*" >&2; exit 1; }

. tools/packages.sh
. tools/toolchain.sh

need_run_programs
case $level in
    run) ;;
    test) need_test_programs ;;
    images) need_image_programs ;;
    image-readers) need_image_programs; need_image_readers ;;
    fuzz) need_fuzz_programs ;;
    report) need_browser ;;
    exports) need_readers_of_exports ;;
    *) die "no such level: $level (one of: run, test, images, image-readers, fuzz, report, exports)" ;;
esac

if toolchain_recorded; then
    toolchain_is_rustups || need_distribution_tools
    install_needed
elif toolchain_from_rustup; then
    install_needed
    toolchain_record
else
    need_distribution_rust
    need_distribution_tools
    install_needed
    toolchain_from_distribution
    toolchain_record
fi
