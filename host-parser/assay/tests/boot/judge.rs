//! Judges whether a boot ended as its row expects.

use abi::CpuId;
use abi::exit::GuestExit;
use abi::wire::Record;
use abi::wire::record::{Cpu, CpuState};
use evidence::gate::{self, ExpectedCase, Gate, HostEvidence, ReasonCode, RunExpectation};
use evidence::transcript::Transcript;
use qemu::Outcome;

use crate::case::{Case, Ending};
use crate::lab::{Ended, Lab, Over};

/// Longest time from the first start-up message to the last CPU online, in ms of guest time.
const ALL_UP_MS: u64 = 2000;

/// The judgement of a boot.
#[derive(Default)]
pub struct Judged {
    /// What is unexpected; empty if the boot ended as expected.
    pub wrong: Vec<String>,
    /// Whether the host disturbed the guest, so that the row may be tried again.
    pub disturbed: bool,
    /// Number of CPUs that came online.
    pub online: u16,
    /// Time from the first start-up message to the last CPU online, in us of guest time.
    pub all_up_us: Option<u64>,
    /// How it ended, in a few words.
    pub ended: String,
}

/// Judges a boot under QEMU.
pub fn judge(lab: &Lab, case: &Case, over: &Over) -> Judged {
    let run = match &over.ended {
        Ended::Qemu(run) => run,
        Ended::Unknown => unreachable!("QEMU boots this row"),
        Ended::Broken(why) => return Judged { wrong: vec![why.clone()], ..Judged::default() },
    };
    let mut judged = read_log(over);
    let (exit, reason) = match case.ends {
        Ending::Passes | Ending::PassesWith(_) => (GuestExit::Success, None),
        Ending::Unseen => (GuestExit::Success, None),
        Ending::Refused(..) => (GuestExit::Refused, None),
        Ending::Misses(_) => (GuestExit::Failed, Some(ReasonCode::CpuMissing)),
    };
    if run.outcome != (Outcome::DebugExit { value: exit.value() }) {
        judged.wrong.push(format!("ended by {:?}", run.outcome));
    }
    match case.ends {
        Ending::Unseen => judged.ended = "success, no log".to_owned(),
        Ending::Refused(code, words) => judged.refused(&over.text(), code, words),
        Ending::Passes | Ending::PassesWith(_) => judged.passes(lab, case, over, None),
        Ending::Misses(ids) => {
            judged.passes(lab, case, over, reason);
            judged.misses(&over.text(), ids);
        }
    }
    judged.says(&over.text(), case.says);
    judged
}

/// What the log shows without the gate: CPUs online, and how fast they came.
pub fn read_log(over: &Over) -> Judged {
    let transcript = Transcript::read(&over.log);
    let records = || transcript.boots.iter().flat_map(|boot| &boot.records);
    let cpus: Vec<Cpu> = records()
        .filter_map(|located| match located.envelope.record {
            Record::Cpu(cpu) => Some(cpu),
            _ => None,
        })
        .collect();
    let khz = records().find_map(|located| match located.envelope.record {
        Record::Tsc(tsc) => Some(tsc.khz),
        _ => None,
    });
    let up = |cpu: &&Cpu| matches!(cpu.state, CpuState::Bsp | CpuState::Online);
    let last = cpus.iter().filter(up).filter(|cpu| cpu.cpu != CpuId(0)).map(|cpu| cpu.cycles).max();
    let online = u16::try_from(cpus.iter().filter(up).count()).unwrap_or(u16::MAX);
    let all_up_us = last.zip(khz).map(|(cycles, khz)| cycles * 1000 / khz);
    let mut judged = Judged { online, all_up_us, ..Judged::default() };
    if all_up_us.is_some_and(|us| us > ALL_UP_MS * 1000) {
        // The emulated clock runs on while the host runs something else.
        judged.disturbed = true;
        judged
            .wrong
            .push(format!("the last CPU came online more than {ALL_UP_MS} ms after the first message"));
    }
    judged
}

impl Judged {
    /// Checks that the kernel refused the machine: an `error` record and a failed end.
    fn refused(&mut self, text: &str, code: &str, words: &str) {
        self.ended = format!("refused: {code}");
        let wanted = format!(" ev=error code={code} ");
        let said = text.lines().find(|line| line.contains(" ev=error "));
        if !said.is_some_and(|line| line.contains(&wanted) && line.contains(words)) {
            self.wrong.push(format!("expected{wanted}with {words:?}, found {said:?}"));
        }
        if !(text.contains(" ev=end ") && text.contains(" status=failed ")) {
            self.wrong.push("no end record with status=failed".to_owned());
        }
    }

    /// Checks that the gate passes the run, or refuses it for `reason`.
    pub fn passes(&mut self, lab: &Lab, case: &Case, over: &Over, reason: Option<ReasonCode>) {
        let Ended::Qemu(run) = &over.ended else { return };
        let Outcome::DebugExit { value } = run.outcome else { return };
        let (workers, online) = (case.workers(), case.online());
        let ended = gate::Ended::DebugExit { value };
        self.gate(lab, workers, online, ended, &over.log, reason);
        if self.online != online {
            self.wrong.push(format!("{} CPUs online, expected {online}", self.online));
        }
    }

    /// Checks that the gate passes a log, or refuses it for `reason`.
    pub fn gate(
        &mut self,
        lab: &Lab,
        workers: u16,
        online: u16,
        ended: gate::Ended,
        log: &[u8],
        reason: Option<ReasonCode>,
    ) {
        let expectation = RunExpectation {
            plan: Some(lab.plan(workers).digest()),
            challenge: Some(0),
            work: Some(lab.plan(workers).work_digest()),
            cases: Some(vec![ExpectedCase { case: workers, iterations: 1 }]),
            cpus: Some(online),
            blob: Some(lab.worker().sha256()),
            ..RunExpectation::default()
        };
        // With one host CPU for all vCPUs, the run is functional-only: its speed does not matter.
        let evidence =
            HostEvidence { ended, vcpus: Some(online.max(2)), host_cpus: Some(1), ..HostEvidence::default() };
        let verdict = Gate::default().judge(&Transcript::read(log), &expectation, &evidence);
        let refusal = verdict.outcome.refusal().map(|(reason, _)| reason);
        self.ended = refusal.map_or_else(|| "passed".to_owned(), |reason| reason.code().to_owned());
        if refusal != reason {
            let findings = &verdict.findings;
            self.wrong.push(format!("the gate reports {refusal:?}, expected {reason:?}: {findings:?}"));
        }
        self.disturbed |= matches!(
            refusal,
            Some(ReasonCode::VcpuPreempted | ReasonCode::LateStart | ReasonCode::TscDisagree)
        );
    }

    /// Checks that the kernel names the CPUs that did not start.
    fn misses(&mut self, text: &str, ids: &[u32]) {
        for id in ids {
            if !text.contains(&format!(" apic={id} state=no-response ")) {
                self.wrong.push(format!("the log does not report the CPU with APIC id {id} as missing"));
            }
        }
    }

    /// Checks that the log contains each of `words`.
    pub fn says(&mut self, text: &str, words: &[&str]) {
        for word in words.iter().filter(|word| !text.contains(*word)) {
            self.wrong.push(format!("the log lacks {word:?}"));
        }
    }
}

impl Over {
    /// The log as text, with `%20` decoded to spaces.
    pub fn text(&self) -> String {
        String::from_utf8_lossy(&self.log).replace("%20", " ")
    }
}
