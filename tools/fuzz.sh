#!/bin/sh
# fuzz.sh [TARGET...]: builds the fuzzing programs and runs each for FUZZ_SECONDS (60), FUZZ_JOBS of them at a time (as
# many as there are CPUs); without a name, all of them. Prints what each did.
#
# With FUZZ_RUNS, each runs until it has that many executions, counted over all calls since the programs last changed:
# what one call leaves, the next goes on with. target/fuzz/total/ has the counts.
#
# Exit status: 0 nothing was found, and FUZZ_RUNS reached where it is set; 1 a finding; 2 no such target, or no build;
# 3 nothing was found, but the time was up before FUZZ_RUNS.
#
# Plain cargo with the flags that cargo-fuzz would give. No sanitizer: the distribution's compiler ships none of their
# runtimes, and there is hardly any unsafe code to sanitise; overflow and debug assertions are on instead, in this
# workspace's crates (the profile `fuzz` in Cargo.toml), and so is coverage (fuzz-rustc.sh).
#
# New inputs go to target/fuzz/corpus, findings to target/fuzz/findings. The corpus in the repository is only read.
set -eu
cd "${0%/*}/.."
: "${FUZZ_SECONDS:=60}" "${FUZZ_RUNS:=-1}" "${FUZZ_JOBS:=$(nproc)}"
export FUZZ_SECONDS FUZZ_RUNS
fuzz=fuzz triple=x86_64-unknown-linux-gnu work=target/fuzz
programs=$work/build/$triple/fuzz
say() { echo "fuzz: $*"; }

# One target: its line of the table to $work/NAME.row, which begins with its exit status.
run() {
    name=$1 program=$programs/$1 corpus=$work/corpus/$1 findings=$work/findings/$1 log=$work/$1.log
    mkdir -p "$corpus" "$findings" "$work/total"
    build=$(sha256sum < "$program" | cut -d ' ' -f 1) before=0
    if [ -e "$work/total/$name" ]; then
        read -r its_build executions < "$work/total/$name"
        # What another build did says nothing about this one.
        [ "$its_build" != "$build" ] || before=$executions
    fi
    runs=-1 status=0 result=ok executions=0
    [ "$FUZZ_RUNS" -lt 0 ] || runs=$((FUZZ_RUNS - before))
    : > "$log"
    if [ "$FUZZ_RUNS" -lt 0 ] || [ "$runs" -gt 0 ]; then
        "$program" -max_total_time="$FUZZ_SECONDS" -runs="$runs" -timeout=20 -rss_limit_mb=2048 -verbosity=1 \
            -print_final_stats=1 -artifact_prefix="$findings/" "$corpus" "$fuzz/corpus/$name" > "$log" 2>&1 \
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

# How this script calls itself for each target.
if [ "${1-}" = --run ]; then
    say "$2"
    run "$2"
    exit 0
fi

[ $# -gt 0 ] || set -- "$fuzz"/fuzz_targets/*.rs
names=
for target; do
    name=$(basename "$target" .rs)
    [ -d "$fuzz/corpus/$name" ] || { say "no such target: $name"; exit 2; }
    rm -f "$work/$name.row"
    names="$names $name"
done
mkdir -p "$work"

# Cargo looks at the path of its wrapper, not into it.
[ "$work/wrapper" -nt tools/fuzz-rustc.sh ] || { rm -rf "$work/build"; touch "$work/wrapper"; }
RUSTFLAGS='--cfg fuzzing' RUSTC_WORKSPACE_WRAPPER=$PWD/tools/fuzz-rustc.sh \
    cargo build --profile fuzz -p assay-fuzz --bins --target "$triple" --target-dir "$work/build" || exit 2

say "up to $FUZZ_SECONDS seconds each, $FUZZ_JOBS at a time"
# shellcheck disable=SC2086 # Names of targets have no blanks.
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
    say "to see a finding again: cargo run -p assay-fuzz --bin TARGET FILE"
    say "when it is mended, keep its file in $fuzz/corpus/TARGET/, so that \`make test\` tries it from then on"
    exit 1
fi
if [ "$short" -ne 0 ]; then
    say "the time was up before $FUZZ_RUNS executions; the next call goes on where this one ended"
    exit 3
fi
