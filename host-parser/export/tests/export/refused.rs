//! What is refused is left out, or skipped; it is never a zero and never a pass.

use evidence::gate::ReasonCode;
use export::{Better, Form, FormError, Subject};
use results::{Completion, Conclusion, Results};

use super::rounds::{QUIET, RULE, environment, experiment, refused, runs};

/// Seven good rounds, and a run that timed out.
fn session() -> Results {
    let mut made = runs(7, &[(1, QUIET), (2, QUIET)], 2);
    made.push(refused());
    let results = Results::new(experiment(Some(RULE)), environment(), made, Completion::Complete);
    assert!(
        matches!(results.conclusion(), Conclusion::Refused(ReasonCode::Timeout)),
        "{:?}",
        results.conclusion()
    );
    results
}

#[test]
fn no_figure_of_a_refused_session_leaves() {
    let results = session();
    let subject = Subject { name: "x", results: &results };
    for &form in Form::ALL {
        let written = form.write(&[subject], Better::Bigger);
        match form {
            Form::Junit | Form::Ktap => assert!(written.is_ok()),
            // Every run is a row there, with what became of it.
            Form::Csv => assert!(written.unwrap().contains("failed,timeout")),
            _ => assert_eq!(written, Err(FormError::Nothing), "{}", form.word()),
        }
    }
}

#[test]
fn a_refused_run_is_a_failed_test_and_its_claim_too() {
    let results = session();
    let subject = Subject { name: "x", results: &results };
    let ktap = Form::Ktap.write(&[subject], Better::Bigger).unwrap();
    assert!(ktap.contains("not ok 1 claim.speed-up-1-2 # timeout"), "{ktap}");
    assert!(ktap.contains("not ok 2 evidence.run-99 # timeout"), "{ktap}");
    assert!(ktap.starts_with("KTAP version 1\n1..2\n"), "{ktap}");
    let junit = Form::Junit.write(&[subject], Better::Bigger).unwrap();
    assert!(junit.contains("tests=\"2\" failures=\"2\" errors=\"0\""), "{junit}");
}

#[test]
fn an_undecided_claim_is_skipped() {
    let uneven = [100, 190, 100, 190, 100, 190, 100];
    let made = runs(7, &[(1, QUIET), (2, uneven)], 2);
    let results = Results::new(experiment(Some(RULE)), environment(), made, Completion::Complete);
    assert_eq!(results.conclusion(), Conclusion::Inconclusive);
    let subject = Subject { name: "x", results: &results };
    let ktap = Form::Ktap.write(&[subject], Better::Bigger).unwrap();
    assert!(ktap.contains("ok 1 claim.speed-up-1-2 # SKIP inconclusive"), "{ktap}");
    let junit = Form::Junit.write(&[subject], Better::Bigger).unwrap();
    assert!(junit.contains("<skipped>inconclusive: ") && junit.contains("skipped=\"1\""), "{junit}");
}

#[test]
fn a_session_without_a_run_has_no_figure() {
    let results = Results::new(experiment(None), environment(), Vec::new(), Completion::Complete);
    let subject = Subject { name: "x", results: &results };
    let form = Form::GithubActionBenchmark;
    assert_eq!(
        form.write(&[subject], Better::Bigger),
        Err(FormError::Nothing),
        "an empty array is an error there"
    );
}
