//! Knowledge beside a log, made from a fuzzer's bytes: what was expected of the run, and what the host saw.

use std::collections::{BTreeMap, BTreeSet};

use abi::Digest;
use abi::exit::GuestExit;
use abi::wire::Record;
use evidence::gate::{
    Ended, ExpectedCase, HostEvidence, HostSteal, Measurement, RunExpectation, VcpuDelay, limits,
};

use super::base::Base;
use crate::input::Input;

/// Both, and whether any of it condemns the log that it was made for.
pub(super) struct Known {
    pub expectation: RunExpectation,
    pub evidence: HostEvidence,
    /// Whether the unchanged log must pass with it; it need not fail without.
    pub harmless: bool,
    /// Whether an account is neither surely that of its iteration nor surely another's: then nothing is known of the log.
    pub doubtful: bool,
}

/// A byte for each part that exists; nothing at all if the first is zero.
pub(super) fn known(base: &Base, input: &mut Input<'_>) -> Known {
    let parts = input.byte();
    let mut known = Known {
        expectation: RunExpectation::default(),
        evidence: HostEvidence::default(),
        harmless: true,
        doubtful: false,
    };
    if parts & 1 != 0 {
        expect(&mut known, base, input);
    }
    if parts & 2 != 0 {
        let (ended, harmless) = ended(input.byte());
        known.evidence.ended = ended;
        known.harmless &= harmless;
    }
    if parts & 4 != 0 {
        let (stolen_ms, wall_ms) = (input.word().into(), input.word().into());
        known.evidence.host_steal = Some(HostSteal { cpu: 0, stolen_ms, wall_ms });
    }
    if parts & 8 != 0 {
        let (vcpus, host_cpus) = (input.byte().into(), input.byte().into());
        (known.evidence.vcpus, known.evidence.host_cpus) = (Some(vcpus), Some(host_cpus));
    }
    for _ in 0..parts >> 5 {
        let (case, iteration) = (input.byte().into(), input.byte().into());
        let (wall_ns, delay_ns) = (u64::from(input.word()) << 14, u64::from(input.word()) << 14);
        let (vcpu, run_ns, involuntary_switches) = (0, wall_ns, 1);
        known.evidence.delays.push(VcpuDelay {
            case,
            iteration,
            vcpu,
            wall_ns,
            run_ns,
            delay_ns,
            involuntary_switches,
        });
    }
    known.doubtful = !known.functional_only(online(base)) && known.is_doubtful(&took(base));
    known.harmless &= known.functional_only(online(base))
        || (known.stolen().is_none()
            && known.disturbed(&took(base)).is_some_and(|it| it <= may_be_disturbed(base)));
    known
}

/// How long each iteration of each case took, in ns.
fn took(base: &Base) -> BTreeMap<(u16, u16), u64> {
    let khz = base.records.iter().find_map(|envelope| match envelope.record {
        Record::Tsc(tsc) => Some(tsc.khz),
        _ => None,
    });
    let ended = base.records.iter().filter_map(|envelope| match envelope.record {
        Record::CaseEnd(end) => Some(((end.case, end.iter), nanos(end.makespan, khz?)?)),
        _ => None,
    });
    ended.collect()
}

/// A number of cycles as a time; `None` if it is too long.
fn nanos(cycles: u64, khz: u64) -> Option<u64> {
    u64::try_from(u128::from(cycles) * 1_000_000 / u128::from(khz)).ok()
}

/// Each expectation is what the log has, or something else.
fn expect(known: &mut Known, base: &Base, input: &mut Input<'_>) {
    let (which, off) = (input.byte(), input.byte());
    let mut wanted = |bit: u8| {
        known.harmless &= which >> bit & 1 == 0 || off >> bit & 1 == 0;
        (which >> bit & 1 != 0).then_some(off >> bit & 1)
    };
    let expectation = &mut known.expectation;
    for envelope in &base.records {
        match envelope.record {
            Record::Start(start) => {
                expectation.plan = wanted(0).map(|off| changed(start.plan, off));
                expectation.build = wanted(1).map(|off| start.build.0 ^ u64::from(off));
            }
            Record::Blob(blob) => expectation.blob = wanted(2).map(|off| changed(blob.sha256, off)),
            _ => {}
        }
    }
    expectation.cpus = wanted(3).map(|off| online(base) + u16::from(off));
    expectation.cases = wanted(4).map(|off| cases(base, off));
}

/// The digest with its last byte changed by `off`.
fn changed(Digest(mut bytes): Digest, off: u8) -> Digest {
    bytes[31] ^= off;
    Digest(bytes)
}

/// How many iterations of the log may be disturbed: up to half of several, and not the only one.
fn may_be_disturbed(base: &Base) -> usize {
    let iterations: BTreeSet<u16> = took(base).into_keys().map(|(_, iteration)| iteration).collect();
    iterations.len() / 2
}

/// How many CPUs the log shows.
fn online(base: &Base) -> u16 {
    use abi::wire::record::CpuState::{Bsp, Online};
    let is_online = |record: &Record| matches!(record, Record::Cpu(cpu) if matches!(cpu.state, Bsp | Online));
    u16::try_from(base.records.iter().filter(|it| is_online(&it.record)).count()).expect("a small log")
}

/// How often each case ran in the log; for the last case `off` more times.
fn cases(base: &Base, off: u8) -> Vec<ExpectedCase> {
    let mut cases: Vec<ExpectedCase> = Vec::new();
    for envelope in &base.records {
        let Record::CaseBegin(begin) = envelope.record else { continue };
        match cases.iter_mut().find(|known| known.case == begin.case) {
            Some(known) => known.iterations += 1,
            None => cases.push(ExpectedCase { case: begin.case, iterations: 1 }),
        }
    }
    cases.last_mut().expect("a case ran").iterations += u16::from(off);
    cases
}

/// How the machine ended, and whether a good run may end so.
fn ended(kind: u8) -> (Ended, bool) {
    let detail = || "of its own".to_owned();
    match kind % 10 {
        0 => (Ended::Unknown, true),
        1 => (Ended::DebugExit { value: GuestExit::Success.value() }, true),
        2 => (Ended::Shutdown, true),
        3 => (Ended::DebugExit { value: kind / 10 }, kind / 10 == GuestExit::Success.value()),
        4 => (Ended::Reset, false),
        5 => (Ended::Panicked, false),
        6 => (Ended::InternalError { detail: detail() }, false),
        7 => (if kind.is_multiple_of(2) { Ended::Deadline } else { Ended::Cancelled }, false),
        8 => (Ended::SerialOverflow { limit_bytes: 1 }, false),
        _ => (Ended::Died { detail: detail() }, false),
    }
}

impl Known {
    fn functional_only(&self, online: u16) -> bool {
        let vcpus = self.evidence.vcpus.unwrap_or(online);
        self.evidence.host_cpus.is_some_and(|host_cpus| vcpus > host_cpus)
    }

    /// How many iterations the host disturbed, given their times; `None` if it disturbed one that does not exist, which
    /// condemns the run.
    fn disturbed(&self, took: &BTreeMap<(u16, u16), u64>) -> Option<usize> {
        let mut iterations = BTreeSet::new();
        for delay in &self.evidence.delays {
            match took.get(&(delay.case, delay.iteration)) {
                Some(&took) if long(delay) || is_of_another_time(delay, took) => {
                    iterations.insert(delay.iteration);
                }
                None if long(delay) => return None,
                _ => {}
            }
        }
        Some(iterations.len())
    }

    /// Whether an account of an iteration, given their times, is near a limit of the gate.
    fn is_doubtful(&self, took: &BTreeMap<(u16, u16), u64>) -> bool {
        let times = self
            .evidence
            .delays
            .iter()
            .filter_map(|delay| Some((delay, *took.get(&(delay.case, delay.iteration))?)));
        times
            .into_iter()
            .any(|(delay, took)| !is_of_another_time(delay, took) && !is_of_its_time(delay, took))
    }

    /// The time stolen from the host, if it is too much.
    fn stolen(&self) -> Option<HostSteal> {
        self.evidence.host_steal.filter(is_too_much)
    }

    /// Asserts that a run which passed is the expected one, and that the host did not disturb it.
    pub fn holds_for(&self, measurement: &Measurement) {
        let (RunExpectation { plan, cases, cpus, blob, build, .. }, identity) =
            (&self.expectation, measurement.identity());
        assert!(plan.is_none_or(|plan| plan == identity.plan), "another plan passes");
        assert!(blob.is_none_or(|blob| blob == identity.blob_sha256), "another program");
        assert!(build.is_none_or(|build| build == identity.build.0), "another kernel");
        assert!(cpus.is_none_or(|cpus| cpus == measurement.machine().cpus_online), "other CPUs");
        let ran = |case| measurement.samples().iter().filter(|sample| sample.case == case).count();
        for &ExpectedCase { case, iterations } in cases.iter().flatten() {
            assert!(ran(case) == usize::from(iterations) || measurement.skipped().contains(&case));
        }
        assert!(
            matches!(self.evidence.ended, Ended::Unknown | Ended::Shutdown | Ended::DebugExit { .. }),
            "a run that did not end well passes"
        );
        let functional_only = self.functional_only(measurement.machine().cpus_online);
        assert_eq!(measurement.functional_only().is_some(), functional_only);
        if functional_only {
            return;
        }
        assert!(self.stolen().is_none(), "too much time was stolen from the host");
        let khz = measurement.clock().tsc.as_ref().expect("a clock").khz;
        for delay in &self.evidence.delays {
            let of_it = (delay.case, delay.iteration);
            let sample = measurement.samples().iter().find(|it| (it.case, it.iteration) == of_it);
            let off = sample
                .and_then(|sample| nanos(sample.cycles.0, khz))
                .is_some_and(|took| is_of_another_time(delay, took));
            if !long(delay) && !off {
                continue;
            }
            let several = measurement.samples().iter().any(|sample| sample.iteration > 0);
            assert!(sample.is_some() && several, "the only iteration was disturbed");
            let mut of_it = measurement.samples().iter().filter(|it| it.iteration == delay.iteration);
            assert!(of_it.all(|sample| sample.excluded.is_some()), "a disturbed iteration counts");
        }
    }
}

/// Whether the host lost too much time to the hypervisor below it.
fn is_too_much(steal: &HostSteal) -> bool {
    steal.stolen_ms > limits::HOST_STEAL_MILLIS
        && steal.stolen_ms * 1_000 > steal.wall_ms * limits::STEAL_PER_MILLE
}

/// Whether an account is of much less time than its iteration took, or misses the work. How much more time it may be of
/// depends on what the host accounts for: that is for the gate's own tests.
fn is_of_another_time(delay: &VcpuDelay, took: u64) -> bool {
    let (passed, took) = (u128::from(delay.wall_ns), u128::from(took));
    let short = passed * u128::from(1_000_000 + limits::TSC_SPREAD_PPM) < took * 1_000_000;
    short || silent(delay, took)
}

/// Whether an account is surely of the time that its iteration took with its beginning and end, in ns.
fn is_of_its_time(delay: &VcpuDelay, took: u64) -> bool {
    (took + 1_000_000..took + 6_000_000).contains(&delay.wall_ns)
}

/// Whether an account misses nearly all of the vCPU's work.
fn silent(delay: &VcpuDelay, took: u128) -> bool {
    let account = u128::from(delay.run_ns.saturating_add(delay.delay_ns));
    account < took / 2 && took - account > u128::from(limits::ACCOUNT_LAG_MICROS) * 1_000
}

/// Whether a vCPU waited too long.
fn long(delay: &VcpuDelay) -> bool {
    delay.delay_ns > limits::DELAY_MICROS * 1_000
        && delay.delay_ns * 1_000 > delay.wall_ns * limits::DELAY_PER_MILLE
}
