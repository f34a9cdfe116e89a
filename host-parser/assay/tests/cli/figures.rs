//! `assay parse` of a claim: both figures, one boot and several, and the exit codes of each.

use std::fs;

use crate::assay::{Said, assay, manifest, run};
use crate::guest::Guest;
use crate::stage::DEADLINE;

/// How many iterations a boot has.
const ITERATIONS: u16 = 20;

/// Judges a log by a copy of `source` that is for the experiment of the test's guests.
fn parse(log: &[u8], source: &str) -> Said {
    parse_claiming("1.6", log, source)
}

/// The same with another claim.
fn parse_claiming(least: &str, log: &[u8], source: &str) -> Said {
    let folder = tempfile::tempdir().unwrap();
    let (path, text) = (folder.path().join("x.log"), fs::read_to_string(manifest(source)).unwrap());
    fs::write(&path, log).unwrap();
    let names = ["small-sweep", "small"].map(|name| format!("name = \"{name}\""));
    let text = names.iter().fold(text, |text, name| text.replace(name, "name = \"smp-process-scale\""));
    let text = text.replace("min-speedup = 1.1", &format!("min-speedup = {least}"));
    fs::write(folder.path().join("m.toml"), text).unwrap();
    run(assay(["parse", "--manifest"]).arg(folder.path().join("m.toml")).arg(path), DEADLINE)
}

/// Boots of a sweep, one after the other.
fn sweeps(boots: u64) -> Vec<u8> {
    let boot = |nonce| Guest { nonce, ..Guest::sweeping(2, 1) }.log();
    (0..boots).flat_map(boot).collect()
}

/// Seven boots of each case, of which the first iterations of case 2 take as many percent of the others' time.
fn boots(slow: u16, percent: u64) -> Vec<u8> {
    rounds(7, slow, percent)
}

/// The same in so many rounds.
fn rounds(rounds: u64, slow: u16, percent: u64) -> Vec<u8> {
    let boot = |(nonce, case)| {
        let first = if case == 2 { (slow, percent) } else { (0, 100) };
        Guest { nonce, first, iterations: ITERATIONS, work_cycles: 55_000_000, ..Guest::of(case) }.log()
    };
    (0..2 * rounds).zip([1, 2].into_iter().cycle()).flat_map(boot).collect()
}

#[test]
fn one_boot_of_a_sweep_makes_no_claim_across_boots() {
    let said = parse(&sweeps(1), "sweep.toml");
    said.expect_exit(11).expect_answer(&[
        "HOLDS WITHIN THIS BOOT: speed-up from 1 to 2 workers of at least 1.60",
        "ONE BOOT: a round is an iteration",
        "interval within this boot",
    ]);
}

#[test]
fn several_boots_of_a_sweep_are_rounds_of_a_claim() {
    parse(&sweeps(5), "sweep.toml")
        .expect_exit(0)
        .expect_answer(&["HOLDS: ", "as experienced (5 rounds made)"]);
    parse(&sweeps(3), "sweep.toml").expect_exit(5).expect_answer(&["NOT MADE", "too-few-rounds"]);
}

#[test]
fn a_failure_to_scale_in_most_iterations_is_not_reported_as_holding() {
    parse(&boots(0, 100), "small.toml").expect_exit(0).expect_answer(&["HOLDS: "]);
    let said = parse(&boots(14, 195), "small.toml");
    said.expect_exit(3).expect_answer(&["INCONCLUSIVE: ", "by the median of each boot's iterations: 1.0"]);
}

#[test]
fn what_only_the_mean_shows_has_an_exit_code_of_its_own() {
    // So many that the bound of the spells that were met is near to what was made.
    let said = parse_claiming("1.86", &rounds(100, 9, 110), "small.toml");
    said.expect_exit(10).expect_answer(&["HOLDS UNDISTURBED: ", "the neighbours took: "]);
}

#[test]
fn an_answer_that_no_terminal_reads_has_no_colour() {
    assert!(!parse(&boots(0, 100), "small.toml").out.contains('\x1b'));
}
