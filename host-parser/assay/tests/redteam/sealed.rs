//! Logs of a sealed session that were exchanged. Edits of its results, evidence and chain are in `cli/verify`.

use std::fs;
use std::path::{Path, PathBuf};

use crate::assay::{assay, run};
use crate::guest::Guest;
use crate::script::Script;
use crate::sessions::{Played, Sessions, slower};
use crate::stage::DEADLINE;

const NOT_VERIFIED: i32 = 12;

fn log(session: &Path, run: u32, case: u16) -> PathBuf {
    session.join(format!("runs/run-{run:03}-round-{}-case-{case}.serial.log", run / 2 + 1))
}

/// Checks that `verify` and `compare` refuse a session after `attack`, and that `verify` says why.
#[track_caller]
fn refused(attack: impl FnOnce(&Path), says: &str) {
    let sessions = Sessions::new();
    let played = Played { rounds: 5, ..Played::default() };
    let (a, b) = (sessions.play("a", &played), sessions.play("b", &played));
    run(assay(["verify"]).arg(&b), DEADLINE).expect_exit(0);
    attack(&b);
    run(assay(["verify"]).arg(&b), DEADLINE).expect_exit(NOT_VERIFIED).expect_answer(&[says]);
    run(assay(["compare"]).args([&a, &b]), DEADLINE).expect_exit(NOT_VERIFIED);
}

#[test]
fn logs_are_those_that_were_sealed() {
    refused(
        |session| {
            // A whole good log, given once more as another run's.
            fs::copy(log(session, 0, 1), log(session, 4, 1)).unwrap();
        },
        "run-004",
    );
    refused(
        |session| {
            let (first, second) = (log(session, 0, 1), log(session, 4, 1));
            let kept = fs::read(&first).unwrap();
            fs::rename(&second, &first).unwrap();
            fs::write(&second, kept).unwrap();
        },
        "run-000",
    );
    refused(|session| fs::remove_file(log(session, 4, 1)).unwrap(), "run-004");
    refused(
        |session| {
            // The log of an honest quicker guest, which answers the same challenge.
            let honest = Script::of(&fs::read(log(session, 4, 1)).unwrap());
            let challenge = honest.records.iter().find_map(|line| match line.record {
                abi::wire::Record::Challenge(challenge) => Some(challenge.value.0),
                _ => None,
            });
            let (work_cycles, challenge) = (1_500_000_000, challenge.unwrap());
            fs::write(log(session, 4, 1), Guest { work_cycles, challenge, ..Guest::of(1) }.log()).unwrap();
        },
        "run-004",
    );
}

/// What sealing does not prove: someone who makes every log, every digest and every figure anew has a session that
/// verifies. Only a signature by a key that he does not have shows it (`cli/verify/signatures.rs`), and
/// docs/SEALING.md says so.
#[test]
fn a_session_that_was_forged_as_a_whole_verifies() {
    let sessions = Sessions::new();
    let forged = sessions.play("forged", &Played { cycles: slower, ..Played::default() });
    run(assay(["verify"]).arg(&forged), DEADLINE).expect_exit(0).expect_answer(&["VERIFIED"]);
}
