//! A session: every machine lives once in each round under each system, in shuffled order, and so do the bursts.

use std::collections::BTreeMap;
use std::fs;
use std::path::{Path, PathBuf};
use std::time::{Instant, SystemTime, UNIX_EPOCH};

use abi::Digest;
use abi::wire::Hex64;
use anyhow::{Context, anyhow};
use evidence::challenge;
use evidence::transcript::Transcript;
use experiment::manifest::{Boot, LifeMachine, MachineType, Manifest};
use experiment::plan::PlanBytes;
use host::{CancelToken, HostCpus};
use lab::{
    BootImage, Coded, Exit, GuestEnv, GuestSources, OrExit, Row as SystemRow, SessionFolder, Slot,
    SystemsSpec, console, of_systems, schedule,
};
use qemu::{Accelerator, VmmKind};
use results::seal::{LinkWriter, MANIFEST};
use results::{Tool, write_atomically};

use crate::cycle::{Cycle, Lived, Sent, folder_of, live};
use crate::judge::{Judges, Refusal};
use crate::ledger::{
    CYCLES, Challenges, Commitment, CycleEntry, End, Entry, ExecEntry, FORM, LEDGER, RESULTS, SAMPLES, Target,
};
use crate::outcome::{LifeResults, samples};
use crate::subject::Subject;

/// After this many cycles that do not count the session ends: what is broken stays broken.
const MAX_FAILED: usize = 3;

/// The least memory of a Linux guest, in MiB (`lab`, `rows/linux.rs`).
const LINUX_MIB: u32 = 128;

/// What a session is to do.
pub struct LifeSpec {
    /// The experiment.
    pub manifest: Manifest,
    /// What guests are made of.
    pub sources: GuestSources,
    /// The host CPUs that they run on.
    pub host_cpus: HostCpus,
    /// What lives on the machines. [`Subject::Empty`] lives on each in any case, if the VMM can hold a machine.
    pub subjects: Vec<Subject>,
    /// The machines, by name; none for all of the manifest.
    pub machines: Vec<String>,
    /// How many rounds.
    pub rounds: u16,
    /// The seed of the order of the turns.
    pub seed: u64,
    /// The path of the Linux twin.
    pub twin: PathBuf,
    /// Whether a missing Linux kernel may be downloaded.
    pub fetch: bool,
    /// What records it.
    pub tool: Tool,
    /// Where it goes.
    pub folder: SessionFolder,
}

/// A machine and what lives on it, with its files.
pub(crate) struct Prepared {
    /// The machine.
    pub machine: LifeMachine,
    /// The experiment on this machine alone.
    pub manifest: Manifest,
    /// What lives on it.
    pub subject: Subject,
    /// Nothing lives without an environment: that of the machine's other rows.
    env: GuestEnv,
    /// What runs its guests; `None` of an empty machine.
    pub row: Option<SystemRow>,
}

impl Prepared {
    /// What its guests are made of.
    pub fn env(&self) -> &GuestEnv {
        &self.env
    }

    /// Whether what lives on it is sent a command.
    pub fn takes_commands(&self) -> bool {
        self.env.takes_commands()
    }

    /// What its guest boots, before it has a challenge; `None` of an empty machine.
    pub fn image(&self) -> Option<&BootImage> {
        self.row.as_ref()?.guest(self.machine.cpus).map(|(_, image)| image)
    }
}

/// A session that is ready to begin.
pub struct LifeSession {
    spec: LifeSpec,
    /// The machines, with what lives on each.
    pub(crate) targets: Vec<Prepared>,
    bursts: Vec<u16>,
    /// What is left out, and why.
    pub(crate) left_out: Vec<String>,
}

/// What a session made.
pub struct Made {
    /// Its results.
    pub results: LifeResults,
    /// Its folder.
    pub folder: PathBuf,
}

/// A turn: one machine, or several of the first one at once.
#[derive(Clone, Copy, Debug, Eq, PartialEq)]
pub(crate) enum Turn {
    /// The target at that place.
    One(usize),
    /// So many of the first target.
    Burst(u16),
}

/// The turns of a round: each target once, and each burst.
pub(crate) fn turns(targets: usize, bursts: &[u16]) -> Vec<Vec<Turn>> {
    let bursts = bursts.iter().map(|&burst| vec![Turn::Burst(burst)]);
    (0..targets).map(|target| vec![Turn::One(target)]).chain(bursts).collect()
}

impl LifeSession {
    /// Finds everything for the session, before its first cycle.
    ///
    /// # Errors
    /// The manifest is of another tier, a machine is not in it, a file is missing, or nothing is left to run.
    pub fn prepare(spec: LifeSpec) -> Result<Self, Coded> {
        let path = spec.manifest.path().display().to_string();
        let Some(lifecycle) = spec.manifest.lifecycle().cloned() else {
            let error = anyhow!("{path}: its tier is not \"lifecycle\"; `assay run {path}` runs it");
            return Err(error).or_exit(Exit::BadInput);
        };
        let names: Vec<String> = lifecycle.machines.iter().map(ToString::to_string).collect();
        if let Some(unknown) = spec.machines.iter().find(|name| !names.contains(name)) {
            let error = anyhow!("--machine {unknown}: expected one of {}", names.join(", "));
            return Err(error).or_exit(Exit::Usage);
        }
        let (mut targets, mut left_out) = (Vec::new(), Vec::new());
        let wanted = lifecycle.machines.iter().zip(&names);
        for (&machine, name) in
            wanted.filter(|(_, name)| spec.machines.is_empty() || spec.machines.contains(name))
        {
            if let Some(why) = not_of(spec.sources.vmm, machine) {
                left_out.push(format!("{name}: {why}"));
                continue;
            }
            prepare_machine(&spec, machine, name, &mut targets, &mut left_out)?;
        }
        if targets.is_empty() {
            let error = anyhow!("{path}: no machine of it can live here: {}", left_out.join("; "));
            return Err(error).or_exit(Exit::Unsupported);
        }
        Ok(Self { spec, targets, bursts: lifecycle.bursts, left_out })
    }

    /// Prints what would be done.
    ///
    /// # Errors
    /// A machine that the VMM cannot build, or text that cannot be printed.
    pub fn describe(&self) -> Result<(), Coded> {
        let mut text =
            format!("# {}\n# results would be in {}\n", self.how(), self.spec.folder.path.display());
        for left_out in &self.left_out {
            text += &format!("# left out: {left_out}\n");
        }
        for target in &self.targets {
            text += &format!("# {} on {}", target.subject, target.machine);
            text += &match &target.row {
                Some(row) => format!(", {}\n", row.describe(&target.manifest, target.machine.cpus)?),
                None => ": the same machine, held before its first instruction\n".to_owned(),
            };
        }
        console::answer(&text)
    }

    /// What is run, and how, in a line.
    fn how(&self) -> String {
        let env = self.targets[0].env();
        let (rounds, targets, bursts) = (self.spec.rounds, self.targets.len(), self.bursts.len());
        format!(
            "{}: {rounds} rounds of {targets} machines and {bursts} bursts under {} {} by {} ({}), {}",
            self.spec.manifest.name(),
            env.vmm.kind.title(),
            env.vmm.version,
            env.accelerator.accelerator,
            env.accelerator.reason,
            env.host_cpus.describe()
        )
    }

    /// Makes all cycles, writes the results and seals them.
    ///
    /// # Errors
    /// A cycle could not be made, or a file could not be written.
    pub fn run(self, cancel: &CancelToken) -> Result<Made, Coded> {
        self.targets[0].env().check_accelerator()?;
        for row in self.targets.iter().filter_map(|target| target.row.as_ref()) {
            row.build(cancel)?;
        }
        let folder = self.spec.folder.path.clone();
        fs::create_dir_all(folder.join(CYCLES))
            .with_context(|| folder.display().to_string())
            .or_exit(Exit::Output)?;
        write_atomically(&folder.join(MANIFEST), |out| out.write_all(self.spec.manifest.source().as_bytes()))
            .or_exit(Exit::Output)?;
        let commitment = self.commitment()?;
        let mut writer = LinkWriter::create(&folder.join(LEDGER)).or_exit(Exit::Output)?;
        writer.append([Entry::Lifecycle(Box::new(commitment.clone()))]).or_exit(Exit::Output)?;
        console::note(&self.how());
        console::note(&format!("results: {}", folder.display()));
        let booted = folder_of_images(&folder)?;
        let mut making = Making {
            session: &self,
            judges: Judges::new(&commitment, &self.spec.manifest),
            challenges: Challenges::new(writer.head()),
            writer,
            folder: folder.clone(),
            booted: booted.clone(),
            cycles: Vec::new(),
            refusals: Vec::new(),
            turn: 0,
        };
        let stopped = making.all(cancel);
        // What the last cycles booted is no part of the record.
        let _ = fs::remove_dir_all(&booted);
        let incomplete = stopped?;
        let Making { mut writer, cycles, refusals, .. } = making;
        let results =
            LifeResults::of(&commitment, &self.spec.manifest, &cycles, &refusals, incomplete.as_deref());
        let files = write_results(&folder, &results, &commitment, &cycles)?;
        writer.append([Entry::End(End { incomplete, files })]).or_exit(Exit::Output)?;
        Ok(Made { results, folder })
    }

    fn commitment(&self) -> Result<Commitment, Coded> {
        let since = SystemTime::now().duration_since(UNIX_EPOCH).unwrap_or_default();
        let (manifest, env) = (&self.spec.manifest, self.targets[0].env());
        let mut artifacts = Vec::new();
        for artifact in
            self.targets.iter().filter_map(|target| target.row.as_ref()).flat_map(|row| row.artifacts())
        {
            if !artifacts.contains(artifact) {
                artifacts.push(artifact.clone());
            }
        }
        let mut environment = env.environment(manifest, artifacts);
        // Each machine has its own.
        (environment.machine, environment.firmware, environment.memory_mib) = (None, None, None);
        Ok(Commitment {
            form: FORM,
            session: lab::random_name().context("/dev/urandom").or_exit(Exit::Environment)?,
            started_unix_ms: u64::try_from(since.as_millis()).unwrap_or(u64::MAX),
            tool: self.spec.tool.clone(),
            executable_sha256: lab::executable(),
            manifest: manifest.path().display().to_string(),
            manifest_sha256: manifest.sha256(),
            rounds: self.spec.rounds.into(),
            seed: self.spec.seed,
            targets: self.targets.iter().map(target_of).collect(),
            bursts: self.bursts.clone(),
            left_out: self.left_out.clone(),
            exec: env.takes_commands(),
            environment,
        })
    }

    fn order(&self) -> Vec<Slot<Turn>> {
        schedule(&turns(self.targets.len(), &self.bursts), self.spec.rounds, self.spec.seed)
    }
}

/// The cycles as they are made.
struct Making<'a> {
    session: &'a LifeSession,
    judges: Judges<'a>,
    challenges: Challenges,
    writer: LinkWriter,
    folder: PathBuf,
    booted: PathBuf,
    cycles: Vec<CycleEntry>,
    refusals: Vec<Option<Refusal>>,
    turn: u32,
}

/// A cycle that is about to be made.
struct Next<'a> {
    target: &'a Prepared,
    number: u32,
    folder: PathBuf,
    challenge: u64,
    image: Option<BootImage>,
}

impl<'a> Making<'a> {
    /// Makes all cycles. Returns why not all were made, if so.
    fn all(&mut self, cancel: &CancelToken) -> Result<Option<String>, Coded> {
        let mut round = 0;
        for slot in self.session.order() {
            if slot.round != round {
                self.note(round);
                round = slot.round;
            }
            if self.make(slot, cancel)? || cancel.is_cancelled() {
                return Ok(Some("it was interrupted".to_owned()));
            }
            let failed = self.refusals.iter().flatten().count();
            if failed >= MAX_FAILED {
                return Ok(Some(format!("{failed} cycles failed")));
            }
        }
        self.note(round);
        Ok(None)
    }

    fn note(&self, round: u32) {
        let (made, failed) = (self.cycles.len(), self.refusals.iter().flatten().count());
        let of = self.session.spec.rounds;
        console::note(&format!("round {} of {of}: {made} machines so far, {failed} failed", round + 1));
    }

    /// Makes a turn. Returns whether it was interrupted, and then leaves no trace of it in the ledger.
    fn make(&mut self, slot: Slot<Turn>, cancel: &CancelToken) -> Result<bool, Coded> {
        let (target, at_once) = match slot.item {
            Turn::One(target) => (target, None),
            Turn::Burst(burst) => (0, Some(burst)),
        };
        let first = u32::try_from(self.cycles.len()).unwrap_or(u32::MAX);
        let nexts: Vec<Next<'_>> = (0..at_once.unwrap_or(1))
            .map(|place| self.next(target, first + u32::from(place), place))
            .collect::<Result<_, _>>()?;
        let lived = live_all(&nexts, cancel)?;
        if lived.iter().any(|lived| lived.interrupted) {
            return Ok(true);
        }
        let mut entries = Vec::new();
        for ((next, lived), number) in nexts.iter().zip(lived).zip(first..) {
            let (entry, log) = self.entry(slot.round, target, at_once, number, next, lived);
            self.refusals.push(self.judges.judge(&entry, log.as_deref()).err());
            if let (Some(challenge), Some(log)) = (entry.challenge, &log) {
                self.challenges.go_on(challenge.0, challenge::ended(&Transcript::read(log).boots, log));
            }
            entries.push(entry);
        }
        let lines = entries.iter().map(|entry| Entry::Cycle(Box::new(entry.clone())));
        self.writer.append(lines).or_exit(Exit::Output)?;
        self.cycles.extend(entries);
        self.turn += 1;
        Ok(false)
    }

    /// The cycle of that number, at that place of its turn, with what it boots.
    fn next(&self, target: usize, number: u32, place: u16) -> Result<Next<'a>, Coded> {
        let prepared = &self.session.targets[target];
        let challenge = self.challenges.of(number);
        let image = prepared
            .image()
            .map(|image| image.with_challenge(challenge, &self.booted, &format!("booted-{target}-{place}")));
        let folder = folder_of(&self.folder.join(CYCLES), number);
        Ok(Next { target: prepared, number, folder, challenge, image: image.transpose()? })
    }

    /// A cycle as the ledger has it, and its log.
    fn entry(
        &self,
        round: u32,
        target: usize,
        at_once: Option<u16>,
        number: u32,
        next: &Next<'_>,
        lived: Lived,
    ) -> (CycleEntry, Option<Vec<u8>>) {
        let cpus = next.target.machine.cpus;
        let expectation = |image: &BootImage, plan: &PlanBytes, challenge| {
            lab::expectation(&next.target.manifest, next.target.env(), plan, image.build, challenge, cpus)
        };
        let image = next.image.as_ref();
        let expected = image.map(|image| expectation(image, &image.plan, next.challenge));
        let exec = lived.exec.zip(image).map(|(Sent { plan, challenge, evidence }, image)| {
            let expected = expectation(image, &plan, challenge);
            ExecEntry { challenge: Hex64(challenge), expected, evidence }
        });
        let entry = CycleEntry {
            cycle: number,
            turn: self.turn,
            round,
            at_once,
            target,
            log_sha256: lived.log.as_deref().map(Digest::of),
            challenge: expected.as_ref().map(|_| Hex64(next.challenge)),
            command: lived.command,
            started_unix_ms: lived.started_unix_ms,
            times: lived.times,
            ended_otherwise: lived.ended_otherwise,
            left: lived.left,
            rss_kib: lived.rss_kib,
            expected,
            evidence: lived.evidence,
            exec,
        };
        (entry, lived.log)
    }
}

/// Lives all cycles of a turn at the same time, and waits for all of them.
fn live_all(nexts: &[Next<'_>], cancel: &CancelToken) -> Result<Vec<Lived>, Coded> {
    let turn = Instant::now();
    let of = |next: &Next<'_>| {
        let cycle = Cycle { number: next.number, challenge: next.challenge, folder: &next.folder };
        live(next.target, next.image.as_ref(), cycle, turn, cancel)
    };
    if let [next] = nexts {
        return Ok(vec![of(next)?]);
    }
    std::thread::scope(|scope| {
        let started: Vec<_> = nexts.iter().map(|next| scope.spawn(move || of(next))).collect();
        started.into_iter().map(|thread| thread.join().expect("a cycle does not panic")).collect()
    })
}

/// Why a VMM has no such machine, if so.
fn not_of(vmm: VmmKind, machine: LifeMachine) -> Option<String> {
    let is_direct = machine.profile.boot == Boot::Direct;
    (vmm != VmmKind::Qemu && !(is_direct && machine.profile.machine_type == MachineType::Q35))
        .then(|| format!("{} has one kind of machine, which boots a kernel directly", vmm.title()))
}

/// Prepares what lives on a machine. What cannot is named in `left_out`.
fn prepare_machine(
    spec: &LifeSpec,
    machine: LifeMachine,
    name: &str,
    targets: &mut Vec<Prepared>,
    left_out: &mut Vec<String>,
) -> Result<(), Coded> {
    let manifest = spec.manifest.on(machine);
    let env = GuestEnv::find(&spec.sources, spec.host_cpus.clone(), &manifest)?.staying();
    for &subject in spec.subjects.iter().filter(|&&subject| subject != Subject::Empty) {
        let Some(system) = subject.system() else { continue };
        let is_linux = subject != Subject::Assay;
        if is_linux && machine.profile.boot != Boot::Direct {
            left_out.push(format!("{subject} on {name}: the Linux guest's kernel is loaded directly"));
            continue;
        }
        if is_linux && has_no_clock_for_linux(&env, machine) {
            left_out.push(format!(
                "{subject} on {name}: under TCG, Linux finds no clock on a microvm, and hangs"
            ));
            continue;
        }
        if is_linux && machine.profile.memory_mib < LINUX_MIB {
            left_out.push(format!("{subject} on {name}: it needs at least {LINUX_MIB} MiB"));
            continue;
        }
        let systems = SystemsSpec { systems: vec![system], twin: spec.twin.clone(), fetch: spec.fetch };
        let rows = of_systems(&systems, &manifest, &env, &spec.folder.store)?;
        for row in rows {
            let row = Some(row);
            targets.push(Prepared { machine, manifest: manifest.clone(), subject, env: env.clone(), row });
        }
    }
    if env.vmm.kind == VmmKind::Qemu {
        targets.push(Prepared { machine, manifest, subject: Subject::Empty, env, row: None });
    }
    Ok(())
}

/// Whether Linux has no clock on a machine: it calibrates the TSC by HPET, PM timer or PIT, of which a microvm has the
/// PIT alone, and Linux 6.1 gives up on that under TCG. Under KVM it has kvmclock.
fn has_no_clock_for_linux(env: &GuestEnv, machine: LifeMachine) -> bool {
    machine.profile.machine_type == MachineType::Microvm && env.accelerator.accelerator == Accelerator::Tcg
}

fn target_of(prepared: &Prepared) -> Target {
    let Prepared { machine, subject, .. } = prepared;
    Target { machine: machine.to_string(), cpus: machine.cpus, subject: *subject }
}

/// A folder for what the cycles boot.
fn folder_of_images(session: &Path) -> Result<PathBuf, Coded> {
    let folder = session.join("booted");
    fs::create_dir_all(&folder).with_context(|| folder.display().to_string()).or_exit(Exit::Output)?;
    Ok(folder)
}

/// Writes the files of the results, and returns the SHA-256 of each.
fn write_results(
    folder: &Path,
    results: &LifeResults,
    commitment: &Commitment,
    cycles: &[CycleEntry],
) -> Result<BTreeMap<String, Digest>, Coded> {
    let mut files = BTreeMap::new();
    for (name, text) in [(RESULTS, results.json()), (SAMPLES, samples(commitment, cycles))] {
        write_atomically(&folder.join(name), |out| out.write_all(text.as_bytes())).or_exit(Exit::Output)?;
        files.insert(name.to_owned(), Digest::of(text.as_bytes()));
    }
    Ok(files)
}
