//! The slowed builds of `primes`: counts the instructions by which they are slower.

use abi::exit::GuestExit;
use evidence::gate::{Ended, ExpectedCase, Gate, HostEvidence, RunExpectation};
use evidence::transcript::Transcript;
use experiment::manifest::Manifest;
use experiment::plan::{PlanBytes, PlanOptions, WorkerBlob, ramdisk};
use workloads::{Slowed, by_name};

use crate::assay::manifest;
use crate::lab::{Start, boot, worker};

/// Tolerance of the extra work, as a fraction of it. The extra work repeats divisions of the last candidates, whose
/// cost is not exactly the average.
const WITHIN: f64 = 0.04;

/// The instructions of the timed region with these bytes as `primes`. Under -icount shift=0 the TSC counts one for
/// each.
fn instructions(bytes: &[u8]) -> u64 {
    let manifest = Manifest::load(&manifest("small.toml")).unwrap();
    let blob = WorkerBlob::new(worker("primes").name(), bytes.to_vec());
    let plan = PlanBytes::new(&manifest, &blob, &[1], PlanOptions::default()).unwrap();
    let over = boot(Start::Direct, &ramdisk(&plan, &[&blob]), 1, |machine| machine.icount_shift = Some(0));
    over.expect_exit(GuestExit::Success);
    let expectation = RunExpectation {
        plan: Some(plan.digest()),
        cases: Some(vec![ExpectedCase { case: 1, iterations: 1 }]),
        blob: Some(blob.sha256()),
        ..RunExpectation::default()
    };
    let evidence = HostEvidence {
        ended: Ended::DebugExit { value: GuestExit::Success.value() },
        ..HostEvidence::default()
    };
    let verdict = Gate::default().judge(&Transcript::read(&over.log), &expectation, &evidence);
    let measured = verdict.outcome.measurement().unwrap_or_else(|| panic!("{:?}", verdict.findings));
    measured.samples()[0].cycles.0
}

#[test]
#[ignore = "needs QEMU and built workers: make test-guest"]
fn slowed_workers_pass_the_gate_and_execute_their_extra_instructions() {
    let plain = instructions(worker("primes").bytes()) as f64;
    for &Slowed { program, percent } in by_name("primes").unwrap().slowed() {
        let more = 100.0 * (instructions(worker(program).bytes()) as f64 / plain - 1.0);
        println!("{program}: {more:.3} % more instructions than {plain:.0}");
        assert!((more / f64::from(percent) - 1.0).abs() < WITHIN, "{program}: {more:.3} % more instructions");
    }
}
