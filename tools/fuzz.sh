#!/bin/sh
# fuzz.sh [--keep] [TARGET...]: builds the fuzzing programs and runs each for FUZZ_SECONDS (60), FUZZ_JOBS at a time (one
# per CPU). Without a name, all of them. Prints a table of the results.
#
# With FUZZ_RUNS, each target runs until it has that many executions, counted over all calls since its program last
# changed: the next call continues where this one ended. target/fuzz/total/ has the counts.
#
# With --keep, nothing is fuzzed: the inputs found so far that reach new code are added to the archives in fuzz/corpus/.
#
# Exit status: 0 nothing was found, and FUZZ_RUNS was reached if it is set; 1 a finding; 2 no such target, or no build;
# 3 nothing was found, but the time was up before FUZZ_RUNS.
#
# Plain cargo with the flags that cargo-fuzz would give. No sanitizer: the distribution's compiler ships without their
# runtimes, and there is hardly any unsafe code to sanitise. Overflow and debug assertions are on instead, in this
# workspace's crates (the profile `fuzz` in Cargo.toml), and so is coverage (fuzz-rustc.sh).
#
# The corpus is unpacked to target/fuzz/kept. New inputs go to target/fuzz/corpus, findings to target/fuzz/findings.
set -eu
cd "${0%/*}/.."
: "${FUZZ_SECONDS:=60}" "${FUZZ_RUNS:=-1}" "${FUZZ_JOBS:=$(nproc)}"
export FUZZ_SECONDS FUZZ_RUNS
triple=x86_64-unknown-linux-gnu work=target/fuzz
programs=$work/build/$triple/fuzz
say() { echo "fuzz: $*"; }

# Fuzzes one target and writes its line of the table to $work/NAME.row. The line begins with its exit status.
run() {
    name=$1 program=$programs/$1 corpus=$work/corpus/$1 kept=$work/kept/$1 findings=$work/findings/$1 log=$work/$1.log
    mkdir -p "$corpus" "$findings" "$work/total"
    build=$(sha256sum < "$program" | cut -d ' ' -f 1) before=0
    if [ -e "$work/total/$name" ]; then
        read -r its_build executions < "$work/total/$name"
        # The executions of another build do not count.
        [ "$its_build" != "$build" ] || before=$executions
    fi
    runs=-1 status=0 result=ok executions=0
    [ "$FUZZ_RUNS" -lt 0 ] || runs=$((FUZZ_RUNS - before))
    : > "$log"
    if [ "$FUZZ_RUNS" -lt 0 ] || [ "$runs" -gt 0 ]; then
        "$program" -max_total_time="$FUZZ_SECONDS" -runs="$runs" -timeout=20 -rss_limit_mb=2048 -verbosity=1 \
            -print_final_stats=1 -artifact_prefix="$findings/" "$corpus" "$kept" > "$log" 2>&1 \
            </dev/null || status=1
        executions=$(sed -n 's/^stat::number_of_executed_units: *//p' "$log" | tail -n 1)
        executions=${executions:-0}
    fi
    total=$((before + executions))
    echo "$build $total" > "$work/total/$name"
    if [ "$status" -ne 0 ]; then
        result=$(sed -n 's/.*Test unit written to //p' "$log" | tail -n 1)
        result="FOUND: ${result:-see $log}"
        grep -m 1 -A 1 'panicked at' "$log" || tail -n 5 "$log"
    elif [ "$FUZZ_RUNS" -ge 0 ] && [ "$total" -lt "$FUZZ_RUNS" ]; then
        status=3 result=short
    fi
    # The last state that libFuzzer printed: "#N DONE cov: N ft: N corp: N/..b ... exec/s: N ...".
    state=$(grep -E '^#[0-9]+.* cov: ' "$log" | tail -n 1)
    number() { echo "$state" | sed -n "s|.*$1\([0-9][0-9]*\).*|\1|p"; }
    printf '%s %-14s %12s %12s %10s %9s %7s  %s\n' "$status" "$name" "$executions" "$total" "$(number 'exec/s: ')" \
        "$(number 'cov: ')" "$(number 'corp: ')" "$result" > "$work/$name.row"
}

# Adds to the archive of one target the fuzzer's inputs that reach code which no kept input reaches.
keep() {
    mkdir -p "$work/corpus/$1"
    "$programs/$1" -merge=1 "$work/kept/$1" "$work/corpus/$1" > "$work/$1.merge.log" 2>&1 \
        || { say "$1 cannot be merged: $work/$1.merge.log"; exit 2; }
    "$programs/corpus" add "$1" "$work/kept/$1"
}

# How this script calls itself for each target.
if [ "${1-}" = --run ]; then
    say "$2"
    run "$2"
    exit 0
fi

keep=
if [ "${1-}" = --keep ]; then
    keep=yes
    shift
fi
[ $# -gt 0 ] || set -- fuzz/fuzz_targets/*.rs
names=
for target; do
    name=$(basename "$target" .rs)
    [ -e "fuzz/fuzz_targets/$name.rs" ] || { say "no such target: $name"; exit 2; }
    rm -f "$work/$name.row"
    names="$names $name"
done
mkdir -p "$work"

# Cargo compares the path of its wrapper, not its content.
[ "$work/wrapper" -nt tools/fuzz-rustc.sh ] || { rm -rf "$work/build"; touch "$work/wrapper"; }
RUSTFLAGS='--cfg fuzzing' RUSTC_WORKSPACE_WRAPPER=$PWD/tools/fuzz-rustc.sh \
    cargo build --profile fuzz -p assay-fuzz --bins --target "$triple" --target-dir "$work/build" || exit 2
# shellcheck disable=SC2086 # Names of targets have no blanks.
"$programs/corpus" unpack "$work/kept" $names || exit 2

if [ "$keep" ]; then
    for name in $names; do
        keep "$name"
    done
    exit 0
fi

say "up to $FUZZ_SECONDS seconds each, $FUZZ_JOBS at a time"
# shellcheck disable=SC2086
printf '%s\n' $names | xargs -n 1 -P "$FUZZ_JOBS" tools/fuzz.sh --run || exit 2

table=$work/table.txt found=0 short=0
printf '%-14s %12s %12s %10s %9s %7s  %s\n' target executions in-all per-second coverage corpus result > "$table"
for name in $names; do
    read -r status row < "$work/$name.row"
    echo "$row" >> "$table"
    case $status in 1) found=1 ;; 3) short=1 ;; esac
done
cat "$table"
if [ "$found" -ne 0 ]; then
    say "to reproduce a finding: cargo run -p assay-fuzz --bin TARGET FILE"
    say "when it is fixed, keep it: cargo run -p assay-fuzz --bin corpus add-as NAME TARGET FILE"
    exit 1
fi
if [ "$short" -ne 0 ]; then
    say "the time was up before $FUZZ_RUNS executions; the next call continues where this one ended"
    exit 3
fi
