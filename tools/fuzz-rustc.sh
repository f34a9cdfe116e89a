#!/bin/sh
# fuzz-rustc.sh RUSTC ARGUMENT...: the compiler for the fuzzing programs, which cargo calls for this workspace's own
# crates and no other: what they do is to be covered, and not how a library reads TOML or sums up a digest.
#
# Build scripts and macros are compiled without `--target`, and are left alone.
set -eu
case " $* " in
    *' --target '*) ;;
    *) exec "$@" ;;
esac
exec "$@" -Cpasses=sancov-module -Cllvm-args=-sanitizer-coverage-level=4 \
    -Cllvm-args=-sanitizer-coverage-inline-8bit-counters -Cllvm-args=-sanitizer-coverage-pc-table \
    -Cllvm-args=-simplifycfg-branch-fold-threshold=0
