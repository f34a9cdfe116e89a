#!/bin/sh
# fuzz.sh [TARGET...]: builds the fuzzing programs and runs each for FUZZ_SECONDS (60), or until FUZZ_RUNS executions if
# that is set; without a name, all of them. Prints what each did, and fails where one found something.
#
# Plain cargo with the flags that cargo-fuzz would give. No sanitizer: the distribution's compiler ships none of their
# runtimes, and there is hardly any unsafe code to sanitise; overflow and debug assertions are on instead.
#
# New inputs go to target/fuzz/corpus, findings to target/fuzz/findings. The corpus in the repository is only read.
set -eu
cd "${0%/*}/.."
: "${FUZZ_SECONDS:=60}" "${FUZZ_RUNS:=-1}"
fuzz=host-parser/fuzz triple=x86_64-unknown-linux-gnu
say() { echo "fuzz: $*"; }

[ $# -gt 0 ] || set -- "$fuzz"/fuzz_targets/*.rs
work=target/fuzz
mkdir -p "$work"

# An explicit target keeps the flags off build scripts and macros.
coverage='-Cpasses=sancov-module -Cllvm-args=-sanitizer-coverage-level=4
    -Cllvm-args=-sanitizer-coverage-inline-8bit-counters -Cllvm-args=-sanitizer-coverage-pc-table
    -Cllvm-args=-sanitizer-coverage-trace-compares -Cllvm-args=-simplifycfg-branch-fold-threshold=0'
RUSTFLAGS="--cfg fuzzing $coverage -Ccodegen-units=1 -Cdebug-assertions -Coverflow-checks" \
    cargo build --release -p assay-fuzz --bins --target "$triple" --target-dir "$work/build"

table=$work/table.txt failed=0
printf '%-12s %12s %9s %9s %7s  %s\n' target executions per-second coverage corpus result > "$table"
for target; do
    name=$(basename "$target" .rs)
    program=$work/build/$triple/release/$name corpus=$work/corpus/$name findings=$work/findings/$name
    log=$work/$name.log
    [ -d "$fuzz/corpus/$name" ] || { say "no such target: $name"; exit 2; }
    mkdir -p "$corpus" "$findings"
    say "$name, up to $FUZZ_SECONDS seconds"
    result=ok
    "$program" -max_total_time="$FUZZ_SECONDS" -runs="$FUZZ_RUNS" -timeout=20 -rss_limit_mb=2048 -verbosity=1 \
        -print_final_stats=1 -artifact_prefix="$findings/" "$corpus" "$fuzz/corpus/$name" > "$log" 2>&1 </dev/null ||
        result=failed
    # The last state that libFuzzer printed: "#N DONE cov: N ft: N corp: N/..b ...".
    state=$(grep -E '^#[0-9]+.* cov: ' "$log" | tail -n 1)
    number() { echo "$state" | sed -n "s|.*$1\([0-9][0-9]*\).*|\1|p"; }
    if [ "$result" = failed ]; then
        failed=1
        result=$(sed -n 's/.*Test unit written to //p' "$log" | tail -n 1)
        result="FOUND: ${result:-see $log}"
        grep -m 1 -A 1 'panicked at' "$log" || tail -n 5 "$log"
    fi
    printf '%-12s %12s %9s %9s %7s  %s\n' "$name" "$(echo "$state" | sed 's/^#\([0-9]*\).*/\1/')" "$(number 'exec/s: ')" "$(number 'cov: ')" \
        "$(number 'corp: ')" "$result" >> "$table"
done

cat "$table"
if [ "$failed" -ne 0 ]; then
    say "to see a finding again: cargo run -p assay-fuzz --bin TARGET FILE"
    say "when it is mended, keep its file in $fuzz/corpus/TARGET/, so that \`make test\` tries it from then on"
    exit 1
fi
