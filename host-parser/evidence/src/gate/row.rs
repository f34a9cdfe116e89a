//! A row: one system on one machine with one kernel, one program and one plan. Only boots of one row are compared.

use abi::Digest;
use abi::syscall::Authority;
use abi::wire::record::{ApicMode, Corpus, Firmware, Grant, SchedulingClass, SecondSource, SystemName};
use abi::wire::{Hex64, Label, Text};
use serde::Serialize;

use super::machine::MachineReport;
use super::measurement::Measurement;
use super::rules::limits;

/// What all boots of a row have in common, by what their logs say.
#[derive(Clone, Debug, PartialEq, Serialize)]
pub struct Row {
    /// All but the frequency: these must be equal.
    #[serde(flatten)]
    pub same: Same,
    /// The frequency of the TSC in the row's first boot. Those of the others are within the limit of `tsc-disagree`.
    pub khz: Option<u64>,
}

/// What must be equal in all boots of a row.
#[derive(Clone, Debug, Eq, Hash, PartialEq, Serialize)]
pub struct Same {
    /// What ran the workers.
    pub system: SystemName,
    /// Its version.
    pub release: Text<90>,
    /// The scheduling class of the workers in a system that was tuned; `None` for a system as it comes. Which CPUs it leaves
    /// alone depends on how many it has.
    #[serde(skip_serializing_if = "Option::is_none")]
    pub tuned: Option<SchedulingClass>,
    /// The first 8 bytes of the kernel's build ID.
    pub build: Hex64,
    /// What started the kernel.
    pub firmware: Firmware,
    /// CPUID's vendor string.
    pub vendor: Label,
    /// CPUID.1:EAX.
    pub signature: Hex64,
    /// CPUID's brand string.
    pub brand: Text<120>,
    /// The hypervisor's signature.
    pub hypervisor: Text<36>,
    /// The vendor and the product by SMBIOS, which differ between VMMs and kinds of machine that show the same CPU; empty if there
    /// are none, as under Firecracker. Results name the hypervisor and, if this program started it, the VMM.
    #[serde(skip)]
    pub made_by: String,
    /// The mode of the local APICs.
    pub apic: ApicMode,
    /// The features that the kernel switched on.
    pub features: Vec<&'static str>,
    /// The clock that was held against the TSC. A boot without one proves less, so it is of another row.
    pub second_clock: Option<SecondSource>,
    /// The experiment's name.
    pub experiment: Label,
    /// The workload's name.
    pub workload: Label,
    /// The whole that the workers share.
    pub whole: [u64; 4],
    /// The syscalls that the workers may make.
    pub authority: Authority,
    /// SHA-256 of the worker's ELF.
    pub program: Digest,
    /// What each worker was granted, in words; empty for nothing. Larger pages, for one, make the same program faster. Results
    /// have it in each identity.
    #[serde(skip)]
    pub grant: String,
    /// The corpus, in words; empty for none. One copy for all workers and one for each scale differently.
    #[serde(skip)]
    pub corpus: String,
}

/// Something in which two rows differ.
#[derive(Clone, Debug, Eq, PartialEq)]
pub struct Difference {
    /// What.
    pub subject: &'static str,
    /// Its value in the one row.
    pub ours: String,
    /// Its value in the other.
    pub theirs: String,
}

impl Row {
    /// The row of a boot that passed.
    #[must_use]
    pub fn of(measured: &Measurement) -> Self {
        let (identity, machine) = (measured.identity(), measured.machine());
        let same = Same {
            system: machine.system,
            release: machine.release,
            tuned: machine.tuning.map(|tuning| tuning.workers),
            build: identity.build,
            firmware: machine.firmware,
            vendor: machine.vendor,
            signature: machine.signature,
            brand: machine.brand,
            hypervisor: machine.hypervisor,
            made_by: made_by(machine),
            apic: machine.apic,
            features: machine.features.clone(),
            second_clock: second_source(measured),
            experiment: identity.experiment,
            workload: identity.workload,
            whole: identity.whole,
            authority: identity.authority,
            program: identity.blob_sha256,
            grant: identity.grant.as_ref().map(granted).unwrap_or_default(),
            corpus: measured.report.setting.subject.corpus.map(corpus).unwrap_or_default(),
        };
        Self { same, khz: khz(measured) }
    }

    /// What differs between two rows.
    #[must_use]
    pub fn differences(&self, other: &Self) -> Vec<Difference> {
        let pairs = self.words().into_iter().zip(other.words());
        let all = pairs.map(|((subject, ours), (_, theirs))| Difference { subject, ours, theirs });
        let mut found: Vec<_> = all.filter(|both| both.ours != both.theirs).collect();
        if !is_near(self.khz, other.khz) {
            let [ours, theirs] = [self.khz, other.khz].map(frequency);
            found.push(Difference { subject: "TSC", ours, theirs });
        }
        found
    }

    fn words(&self) -> [(&'static str, String); 17] {
        let Same { vendor, signature, brand, hypervisor, .. } = &self.same;
        let whole = self.same.whole.map(|word| word.to_string()).join(" ");
        [
            ("system", format!("{} {}", self.same.system, self.same.release)),
            ("tuning", self.same.tuned.map_or("none".to_owned(), |class| format!("workers {class}"))),
            ("kernel", self.same.build.to_string()),
            ("boot", self.same.firmware.to_string()),
            ("CPU", format!("{brand} ({vendor} {signature})")),
            ("hypervisor", hypervisor.to_string()),
            ("machine", self.same.made_by.clone()),
            ("APICs", self.same.apic.to_string()),
            ("features", self.same.features.join(" ")),
            ("second clock", self.same.second_clock.unwrap_or(SecondSource::None).to_string()),
            ("experiment", self.same.experiment.to_string()),
            ("workload", self.same.workload.to_string()),
            ("whole", whole),
            ("authority", self.same.authority.to_string()),
            ("program", self.same.program.to_string()),
            ("grant", self.same.grant.clone()),
            ("corpus", self.same.corpus.clone()),
        ]
    }
}

/// A corpus in words.
fn corpus(Corpus { name, bytes, sha256, copies }: Corpus) -> String {
    format!("{name} of {bytes} bytes, SHA-256 {sha256}, copies: {copies}")
}

/// A grant in words.
#[must_use]
pub fn granted(grant: &Grant) -> String {
    let Grant { prepare, verify, memory_mib, stack_kib, pages, requires, shared_kib, chunks } = *grant;
    let mut parts = vec![format!("a stack of {stack_kib} KiB")];
    if memory_mib > 0 {
        parts.push(format!("{memory_mib} MiB of memory of its own"));
    }
    parts.push(format!("pages of {pages} for memory and corpus"));
    if shared_kib > 0 {
        parts.push(format!("{shared_kib} KiB shared by all workers of a case"));
    }
    if chunks > 0 {
        parts.push(format!("room for {chunks} digests"));
    }
    if !requires.is_none() {
        parts.push(format!("a CPU with {requires}"));
    }
    let calls = [(prepare, "a call to prepare"), (verify, "a call to verify")];
    parts.extend(calls.into_iter().filter(|(made, _)| *made).map(|(_, call)| call.to_owned()));
    parts.join(", ")
}

/// The frequency of the TSC.
pub(super) fn khz(measured: &Measurement) -> Option<u64> {
    measured.clock().tsc.as_ref().map(|tsc| tsc.khz)
}

/// The clock that was held against the TSC.
pub(super) fn second_source(measured: &Measurement) -> Option<SecondSource> {
    measured.clock().second.as_ref().map(|second| second.source)
}

/// What made the machine, by its SMBIOS tables.
fn made_by(machine: &MachineReport) -> String {
    let dmi = machine.platform.as_ref().map(|platform| &platform.dmi);
    let text = |field: &str| dmi.and_then(|dmi| dmi.get(field)).map_or("", String::as_str);
    [text("system-vendor"), text("system-product")].join(" ").trim().to_owned()
}

/// Whether two frequencies can be of one clock.
pub(super) fn is_near(a: Option<u64>, b: Option<u64>) -> bool {
    match (a, b) {
        (Some(a), Some(b)) => {
            let apart = u128::from(a.abs_diff(b)) * 1_000_000;
            apart <= u128::from(limits::TSC_LINUX_PPM) * u128::from(b)
        }
        (a, b) => a == b,
    }
}

fn frequency(khz: Option<u64>) -> String {
    khz.map_or("not known".to_owned(), |khz| format!("{khz} kHz"))
}
