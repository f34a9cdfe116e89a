//! The tables in docs/ against the code they describe. `ASSAY_BLESS=1` rewrites them.

use std::fmt::Write as _;

use abi::plan::PlanLine;
use abi::wire::line::TAG;
use abi::wire::{MAX_LINE_BYTES, MessageSpec, Record, decode, is_tagged};
use evidence::gate::{ReasonCode, limits};
use evidence::transcript::Transcript;
use test_support::golden;
use test_support::guest::Guest;

/// A heading and a table for each message.
fn messages(specs: &[MessageSpec]) -> String {
    let mut text = String::new();
    for spec in specs {
        let _ = write!(text, "\n### `{}`\n\n{}\n", spec.name, spec.doc.trim());
        if !spec.fields.is_empty() {
            text += "\n| field | form | meaning |\n|---|---|---|\n";
        }
        for field in spec.fields {
            let _ = writeln!(text, "| `{}` | {} | {} |", field.key, field.shape, field.doc.trim());
        }
    }
    text
}

#[test]
fn protocol_lists_every_record_and_field() {
    golden::check_part(&golden::document("PROTOCOL.md"), "records", &messages(Record::SPECS));
}

#[test]
fn protocol_lists_every_line_of_a_plan() {
    golden::check_part(&golden::document("PROTOCOL.md"), "plan", &messages(PlanLine::SPECS));
}

#[test]
fn protocol_shows_a_log_that_passes() {
    let log = Guest::of(2).log();
    let lines = log.split(|&byte| byte == b'\n').filter(|line| is_tagged(line));
    let lines = lines.map(|line| String::from_utf8_lossy(line).trim_end().to_owned());
    let example = format!("\n```text\n{}\n```\n", lines.collect::<Vec<_>>().join("\n"));
    golden::check_part(&golden::document("PROTOCOL.md"), "example", &example);
    assert!(Transcript::read(&log).boots[0].defects.is_empty());
}

#[test]
fn protocol_names_the_envelope_as_it_is() {
    let text = std::fs::read_to_string(golden::document("PROTOCOL.md")).expect("the document is there");
    assert!(text.contains(&format!("at most {MAX_LINE_BYTES} bytes")));
    let line = text.lines().find(|line| line.starts_with(TAG)).expect("an example");
    assert!(decode(line.as_bytes()).is_ok(), "{line}");
}

#[test]
fn gate_lists_every_reason() {
    let mut text = "\n| reason | class | meaning | what to do |\n|---|---|---|---|\n".to_owned();
    for reason in ReasonCode::ALL {
        let (code, class) = (reason.code(), reason.class().word());
        let _ = writeln!(text, "| `{code}` | {class} | {} | {} |", reason.meaning(), reason.remedy());
    }
    golden::check_part(&golden::document("GATE.md"), "reasons", &text);
}

#[test]
fn gate_states_every_limit() {
    let rows = [
        (
            "`tsc-disagree`",
            "a frequency differs from the one in use by more than",
            limits::TSC_SPREAD_PPM,
            "ppm",
        ),
        (
            "`tsc-unsynchronised`",
            "the largest warp is more than this part of the case's shortest worker",
            limits::WARP_PER_MILLE,
            "per mille",
        ),
        (
            "basis",
            "a makespan needs, of each CPU and in each direction, at least",
            limits::WARP_HANDOVERS,
            "handovers",
        ),
        (
            "`late-start`",
            "a worker's skew is more than this part of its own time",
            limits::LATE_PER_MILLE,
            "per mille",
        ),
        ("`late-start`", "and also more than", limits::LATE_MICROS, "microseconds"),
        (
            "`vcpu-preempted`",
            "a vCPU was kept waiting for more than this part of the measurement",
            limits::DELAY_PER_MILLE,
            "per mille",
        ),
        ("`vcpu-preempted`", "and also for more than", limits::DELAY_MICROS, "microseconds"),
        (
            "`vcpu-preempted`",
            "or its CPU lost, just before or after its worker, at once more than",
            limits::GAP_MICROS,
            "microseconds",
        ),
        (
            "`inconsistent-record`",
            "less time went by than a case took, by a clock that is off by at most",
            limits::TSC_SPREAD_PPM,
            "ppm",
        ),
        (
            "`vcpu-preempted`",
            "more time went by than a case took, by more than this part of it",
            limits::REST_PER_MILLE,
            "per mille",
        ),
        ("`vcpu-preempted`", "and also by more than", limits::REST_MICROS, "microseconds"),
        (
            "`vcpu-preempted`",
            "a vCPU's account has less than half of its worker's time, and lacks more than",
            limits::ACCOUNT_LAG_MICROS,
            "microseconds",
        ),
        (
            "`steal`",
            "the hypervisor took more than this part of a worker's time",
            limits::STEAL_PER_MILLE,
            "per mille",
        ),
        (
            "`vcpu-preempted`",
            "natively, a worker waited for its CPU for more than this part of its time",
            limits::STEAL_PER_MILLE,
            "per mille",
        ),
        (
            "`steal`",
            "the hypervisor under the host took more than this part of what was measured from one of its CPUs",
            limits::STEAL_PER_MILLE,
            "per mille",
        ),
        ("`steal`", "and also more than", limits::HOST_STEAL_MILLIS, "ms"),
        (
            "`cpu-slowed`",
            "a CPU, just after its worker, read its TSC less often than at its quick times by more than",
            limits::PACE_PER_MILLE,
            "per mille",
        ),
        (
            "`probe-slow`",
            "a native probe beside the round took longer than the quick ones by more than",
            limits::PROBE_PER_MILLE,
            "per mille",
        ),
        ("`probe-slow`", "and also by more than", limits::PROBE_MICROS, "microseconds"),
        ("`too-few-rounds`", "the claim has fewer rounds than", limits::CLAIM_ROUNDS as u64, "rounds"),
    ];
    let mut text = "\n| reason | where | limit |\n|---|---|---|\n".to_owned();
    for (reason, rule, limit, unit) in rows {
        let _ = writeln!(text, "| {reason} | {rule} | {limit} {unit} |");
    }
    golden::check_part(&golden::document("GATE.md"), "limits", &text);
}

#[test]
fn reason_codes_are_stable_words() {
    for (i, reason) in ReasonCode::ALL.iter().enumerate() {
        let code = reason.code();
        assert!(code.bytes().all(|byte| byte.is_ascii_lowercase() || byte == b'-'), "{code}");
        assert!(ReasonCode::ALL[..i].iter().all(|other| other.code() != code), "{code}");
        assert!(reason.meaning().ends_with('.') && reason.remedy().ends_with('.'), "{code}");
    }
}
