#!/bin/sh
# fuzz-rustc.sh RUSTC ARGUMENT...: the compiler for the fuzzing programs. Cargo calls it for this workspace's crates only:
# their coverage guides the fuzzer, and not how a library reads TOML or computes a digest.
#
# Build scripts and macros are compiled without `--target`, and get no instrumentation.
set -eu
case " $* " in
    *' --target '*) ;;
    *) exec "$@" ;;
esac
exec "$@" -Cpasses=sancov-module -Cllvm-args=-sanitizer-coverage-level=4 \
    -Cllvm-args=-sanitizer-coverage-inline-8bit-counters -Cllvm-args=-sanitizer-coverage-pc-table \
    -Cllvm-args=-simplifycfg-branch-fold-threshold=0
