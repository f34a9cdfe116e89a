//! The tables in docs/ against the code they describe. `ASSAY_BLESS=1` rewrites them.

use std::fmt::Write as _;

use results::NotComparable;
use test_support::golden;

#[test]
fn measurement_lists_every_reason_against_a_comparison() {
    let mut text = "\n| reason | what | meaning |\n|---|---|---|\n".to_owned();
    for reason in NotComparable::ALL {
        let (code, what) = (reason.code(), reason.subject());
        assert!(code.starts_with("not-comparable-") && reason.meaning().ends_with('.'), "{code}");
        let _ = writeln!(text, "| `{code}` | {what} | {} |", reason.meaning());
    }
    golden::check_part(&golden::document("COMPARING.md"), "comparability", &text);
}
