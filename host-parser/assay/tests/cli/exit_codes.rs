//! The exit codes that scripts rely on, in the help and in the documentation.

use std::path::Path;

use lab::Exit;

use crate::assay::{assay, run};
use crate::golden;
use crate::stage::DEADLINE;

/// Each code with its meaning, from the help.
fn table() -> Vec<(u8, String)> {
    let said = run(&mut assay(["--help"]), DEADLINE);
    said.expect_exit(0);
    let lines = said.out.lines().skip_while(|line| *line != "Exit codes:").skip(1);
    let mut rows: Vec<(u8, String)> = Vec::new();
    for line in lines.take_while(|line| line.starts_with(' ')) {
        let row =
            line.trim().split_once("  ").and_then(|(code, meaning)| Some((code.parse().ok()?, meaning)));
        match (row, rows.last_mut()) {
            (Some((code, meaning)), _) => rows.push((code, meaning.to_owned())),
            (None, Some((_, meaning))) => *meaning += &format!(" {}", line.trim()),
            (None, None) => panic!("no row: {line}"),
        }
    }
    rows
}

#[test]
fn gate_lists_every_exit_code() {
    let mut text =
        "\n| exit code | in data | meaning | `next:`, if nothing more exact is known |\n|---|---|---|---|\n"
            .to_owned();
    assert_eq!(table().len(), Exit::ALL.len());
    for ((code, meaning), exit) in table().into_iter().zip(Exit::ALL) {
        assert_eq!((code, meaning.as_str()), (*exit as u8, exit.meaning()));
        text += &format!("| {code} | `{}` | {meaning} | {} |\n", exit.word(), exit.next());
    }
    let document = Path::new(env!("CARGO_MANIFEST_DIR")).join("../../docs/GATE.md");
    golden::check_part(&document, "exit codes", &text);
}

#[test]
fn exit_codes_are_stable() {
    let codes: Vec<u8> = table().into_iter().map(|(code, _)| code).collect();
    assert_eq!(codes, [0, 1, 2, 3, 4, 5, 6, 7, 8, 9, 10, 11, 12, 13, 75, 130]);
}
