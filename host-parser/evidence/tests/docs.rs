//! Compares the tables in docs/ with the code that they describe. `ASSAY_BLESS=1` rewrites them.

use std::fmt::Write as _;

use abi::plan::PlanLine;
use abi::series::{RowSpec, SeriesRow, Tier};
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
    let mut text = "\n| reason | the rule applies if | limit |\n|---|---|---|\n".to_owned();
    for limits::LimitRow { reason, rule, limit, unit } in limits::ROWS {
        let reason = reason.map_or("basis".to_owned(), |reason| format!("`{reason}`"));
        let _ = writeln!(text, "| {reason} | {rule} | {limit} {unit} |");
    }
    golden::check_part(&golden::document("GATE.md"), "limits", &text);
}

#[test]
fn platform_lists_every_row() {
    let mut text =
        "\n| row | sampled | between the readings | `arg` | `done` counts | `wrong` counts | linux |\n|---|---|---|---|---|---|---|\n"
            .to_owned();
    for row in SeriesRow::of_tier(Tier::Platform) {
        let RowSpec { class, what, arg, oracle, not_on_linux, .. } = row.spec();
        let _ = writeln!(
            text,
            "| `{row}` | {class} | {what} | {arg} | {} | {} | {not_on_linux} |",
            oracle.done, oracle.wrong
        );
    }
    golden::check_part(&golden::document("PLATFORM.md"), "rows", &text);
}

#[test]
fn mechanisms_lists_every_row_and_its_twin() {
    let mut rows =
        "\n| row | sampled | between the readings | `arg` | `done` counts | `wrong` counts |\n|---|---|---|---|---|---|\n"
            .to_owned();
    let mut twins = "\n| row | on Linux | how the two differ |\n|---|---|---|\n".to_owned();
    for row in SeriesRow::of_tier(Tier::Mechanism) {
        let RowSpec { class, what, arg, oracle, twin, differs, not_on_linux, .. } = row.spec();
        let _ = writeln!(rows, "| `{row}` | {class} | {what} | {arg} | {} | {} |", oracle.done, oracle.wrong);
        if !not_on_linux.is_empty() {
            let _ = writeln!(twins, "| `{row}` | nothing | {not_on_linux} |");
            continue;
        }
        assert!(!twin.is_empty() && !differs.is_empty(), "{row}: a ratio without its difference");
        let _ = writeln!(twins, "| `{row}` | {twin} | {differs} |");
    }
    let page = golden::document("MECHANISMS.md");
    golden::check_part(&page, "rows", &rows);
    golden::check_part(&page, "twins", &twins);
}

/// The text of a file of the repository between two lines, which are left out.
fn between(path: &str, first: &str, end: &str) -> Vec<String> {
    let path = std::path::Path::new(env!("CARGO_MANIFEST_DIR")).join("../..").join(path);
    let text = std::fs::read_to_string(&path).unwrap_or_else(|error| panic!("{}: {error}", path.display()));
    let lines = text.lines().skip_while(|line| line.trim() != first).skip(1);
    let lines: Vec<_> = lines.take_while(|line| line.trim() != end).map(str::to_owned).collect();
    assert!(!lines.is_empty(), "{}", path.display());
    lines
}

/// A line of the assembly of Linux's stubs, as a person reads it.
fn instruction(line: &str) -> String {
    let line = line.trim();
    if let Some(comment) = line.strip_prefix("// ") {
        return format!("                                        # {comment}");
    }
    let code = line.trim_start_matches('"').trim_end_matches(',').trim_end_matches('"');
    let code = code.replace("\\\"", "\"");
    match code.strip_prefix(".org assay_stubs + {") {
        Some(slot) => format!("{}:", slot.split('}').next().unwrap_or_default()),
        None if code.ends_with(':') => code,
        None => format!("    {code}"),
    }
}

#[test]
fn mechanisms_lists_the_stubs_of_both_systems() {
    let linux =
        between("qemu/linux-twin/src/mechanism/stubs.rs", "\"assay_stubs:\",", "\".globl assay_stubs_end\",");
    let linux: Vec<_> = linux.iter().map(|line| instruction(line)).collect();
    let own = between("kernel/src/mechanism/stubs.rs", "mechanism_stubs:", ".global mechanism_stubs_end");
    let own: Vec<_> = own.iter().map(|line| line.replace("\\\"", "\"")).collect();
    let page = golden::document("MECHANISMS.md");
    golden::check_part(&page, "linux-stubs", &format!("\n```text\n{}\n```\n", linux.join("\n")));
    golden::check_part(&page, "own-stubs", &format!("\n```text\n{}\n```\n", own.join("\n")));
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
