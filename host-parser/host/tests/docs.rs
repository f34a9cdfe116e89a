//! The table of the doctor's checks in docs/ against the code. `ASSAY_BLESS=1` rewrites it.

use test_support::golden;

use host::doctor::Check;

#[test]
fn the_document_lists_every_check() {
    let rows = Check::ALL.iter().map(|check| {
        // A bar ends a cell, even within code (GitHub Flavored Markdown, "Tables").
        let [why, remedy] = [check.why(), check.remedy()].map(|text| text.replace('|', "\\|"));
        format!("| {} | `{}` | {why} | {remedy} |\n", check.group(), check.word())
    });
    let text = "\n| of | check | why it matters | what helps |\n|---|---|---|---|\n".to_owned();
    let text = text + &rows.collect::<String>();
    golden::check_part(&golden::document("DOCTOR.md"), "checks", &text);
}
