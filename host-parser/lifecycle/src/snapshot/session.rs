//! A session: in each round every machine is booted, saved, loaded with a cold and a warm page cache, and cloned; in the first one
//! ours is also held, checked and spoilt.

use std::collections::BTreeMap;
use std::fs::{self, File};
use std::os::unix::fs::MetadataExt;
use std::path::{Path, PathBuf};
use std::time::Duration;

use abi::command::{Hold, Place, write_check, write_exec, write_hold};
use abi::random::SplitMix64;
use abi::wire::Record;
use abi::wire::record::Spoilt;
use anyhow::{Context, anyhow};
use evidence::gate::Gate;
use evidence::transcript::Transcript;
use experiment::plan::PlanBytes;
use host::CancelToken;
use lab::{BootImage, Coded, Exit, OrExit, console};
use qemu::Loading;
use results::write_atomically;
use rustix::fs::{Advice, fadvise};

use super::check::{self, After, Away, Before, Rates, WentOn};
use super::life::{Life, Plan, live};
use super::outcome::{Check, Control, SCHEMA, Size, SnapshotResults, SnapshotRow, Verdict};
use crate::exec;
use crate::figures::Figures;
use crate::judge::is_of_time;
use crate::session::{LifeSession, LifeSpec, Prepared};
use crate::subject::Subject;

/// The file of the results.
pub const SNAPSHOT: &str = "snapshot.json";

/// How long after it is armed a timer fires, in milliseconds: long after the machine is stopped.
const TIMER_MS: u32 = 3_000;

/// What a session is to do.
pub struct SnapshotSpec {
    /// The machine, and what lives on it.
    pub life: LifeSpec,
    /// How many clones are loaded at once.
    pub clones: u16,
    /// How long the machine that is checked stays saved.
    pub pause: Duration,
}

/// Runs a session, and returns its results and its folder.
///
/// # Errors
/// A machine could not be made, ended otherwise than asked to, or a file could not be written.
pub fn run(spec: SnapshotSpec, cancel: &CancelToken) -> Result<(SnapshotResults, PathBuf), Coded> {
    let SnapshotSpec { life, clones, pause } = spec;
    let folder = life.folder.path.clone();
    let (rounds, seed, tool) = (life.rounds, life.seed, life.tool.clone());
    let session = LifeSession::prepare(life)?;
    let targets: Vec<&Prepared> = session.targets.iter().filter(|target| target.image().is_some()).collect();
    let Some(first) = targets.first() else {
        return Err(anyhow!("nothing is left that could be saved")).or_exit(Exit::Unsupported);
    };
    if !first.takes_commands() {
        let title = first.env().vmm.kind.title();
        let error = anyhow!(
            "--vmm {title}: a machine that is loaded is asked by a command, which is sent under QEMU only"
        );
        return Err(error).or_exit(Exit::Unsupported);
    }
    first.env().check_accelerator()?;
    for row in targets.iter().filter_map(|target| target.row.as_ref()) {
        row.build(cancel)?;
    }
    fs::create_dir_all(&folder).with_context(|| folder.display().to_string()).or_exit(Exit::Output)?;
    let mut making = Making {
        cancel,
        folder: folder.clone(),
        numbers: SplitMix64::new(seed),
        times: BTreeMap::new(),
        sizes: Vec::new(),
        checks: Vec::new(),
        controls: Vec::new(),
        failures: Vec::new(),
    };
    for round in 0..rounds {
        for target in &targets {
            console::note(&format!("round {} of {rounds}: {}", round + 1, target.subject));
            making.round(target, round, clones)?;
        }
        if let Some(ours) = targets.iter().find(|target| round == 0 && target.subject == Subject::Assay) {
            console::note("what our machine keeps, and what is spoilt on purpose");
            making.keep(ours, pause)?;
        }
    }
    let mut environment = first.env().environment(&first.manifest, Vec::new());
    environment.memory_mib = Some(first.machine.profile.memory_mib.into());
    let rows = making.times.into_iter().filter_map(|((subject, row), times)| {
        Some(SnapshotRow { subject, row: row.to_owned(), figures: Figures::of(times)? })
    });
    let mut left_out = session.left_out.clone();
    left_out.push(
        "Firecracker, Cloud Hypervisor (not_applicable): neither runs here without KVM, and a machine that is loaded is asked \
         by a command, which their control channel has no room for"
            .to_owned(),
    );
    let results = SnapshotResults {
        schema: SCHEMA,
        tool,
        environment,
        machine: first.machine.to_string(),
        rounds,
        rows: rows.collect(),
        sizes: making.sizes,
        checks: making.checks,
        controls: making.controls,
        failures: making.failures,
        left_out,
    };
    write_atomically(&folder.join(SNAPSHOT), |out| out.write_all(results.json().as_bytes()))
        .or_exit(Exit::Output)?;
    Ok((results, folder))
}

/// What a session has made so far.
struct Making<'a> {
    cancel: &'a CancelToken,
    folder: PathBuf,
    numbers: SplitMix64,
    times: BTreeMap<(Subject, &'static str), Vec<u64>>,
    sizes: Vec<Size>,
    checks: Vec<Check>,
    controls: Vec<Control>,
    failures: Vec<String>,
}

/// A machine that was saved.
struct Saved {
    image: BootImage,
    file: PathBuf,
    life: Life,
}

impl Making<'_> {
    /// A round of a target: saved once, loaded cold and warm, and cloned.
    fn round(&mut self, target: &Prepared, round: u16, clones: u16) -> Result<(), Coded> {
        let subject = target.subject;
        let folder = self.folder.join(format!("round-{:02}-{subject}", round + 1));
        let saved = self.save(target, &folder, &[], None)?;
        let times = saved.life.run.timeline;
        self.time(subject, "save", times.saving_us, times.saved_us);
        if round == 0 {
            self.sizes.push(size(subject, &saved.file)?);
        }
        for (is_cold, load, restore, answer) in [
            (true, "load-cold", "restore-cold", "answer-cold"),
            (false, "load-warm", "restore-warm", "answer-warm"),
        ] {
            if is_cold {
                evict(&saved.file)?;
            }
            let lives = self.clones(target, &saved, &folder, load, 1)?;
            let Some(life) = lives.first() else { continue };
            let times = life.run.timeline;
            self.time(subject, load, Some(0), times.loaded_us);
            self.time(subject, "resume", times.sent_us, life.first_record_us);
            self.time(subject, restore, Some(0), life.first_record_us);
            self.time(subject, answer, Some(0), life.worker_us);
        }
        let forked = self.clones(target, &saved, &folder, "fork", clones)?;
        let all = forked.iter().map(|life| life.worker_us).collect::<Option<Vec<_>>>();
        self.time(subject, "fork", Some(0), all.and_then(|all| all.into_iter().max()));
        fs::remove_file(&saved.file).with_context(|| saved.file.display().to_string()).or_exit(Exit::Output)
    }

    fn time(&mut self, subject: Subject, row: &'static str, from: Option<u64>, to: Option<u64>) {
        match to.zip(from).and_then(|(to, from)| to.checked_sub(from)) {
            Some(us) => self.times.entry((subject, row)).or_default().push(us),
            None => self.failures.push(format!("{subject}: the step `{row}` was not seen")),
        }
    }

    /// Boots a machine, sends it commands and saves it.
    fn save(
        &mut self,
        target: &Prepared,
        folder: &Path,
        commands: &[&(dyn Fn(Place) -> String + Sync)],
        memory_dump: Option<&Path>,
    ) -> Result<Saved, Coded> {
        fs::create_dir_all(folder).with_context(|| folder.display().to_string()).or_exit(Exit::Output)?;
        let image = self.image(target, folder)?;
        let file = folder.join("machine.saved");
        let plan = Plan {
            target,
            image: &image,
            log: folder.join("saved.log"),
            load: None,
            save_to: Some(&file),
            memory_dump,
            commands,
        };
        let life = live(&plan, None, self.cancel)?;
        Ok(Saved { image, file, life })
    }

    /// What a target boots, with a challenge of its own.
    fn image(&mut self, target: &Prepared, folder: &Path) -> Result<BootImage, Coded> {
        let image = target.image().context("an empty machine").or_exit(Exit::Environment)?;
        image.with_challenge(self.numbers.draw(), folder, "booted")
    }

    /// Loads clones of a machine that was saved, all at once, each with a plan of its own, and has the gate judge their answers.
    fn clones(
        &mut self,
        target: &Prepared,
        saved: &Saved,
        folder: &Path,
        name: &str,
        clones: u16,
    ) -> Result<Vec<Life>, Coded> {
        let place = saved.life.place;
        let cancel = self.cancel;
        let plans: Vec<(u64, PlanBytes)> = (0..clones)
            .map(|_| self.numbers.draw())
            .map(|challenge| (challenge, saved.image.plan.with_challenge(challenge)))
            .collect();
        let of = |(number, (_, plan)): (usize, &(u64, PlanBytes))| {
            let then_send =
                format!("{}\r\n", written(|out| write_exec(out, place, plan.text().as_bytes()))).into_bytes();
            let plan = Plan {
                target,
                image: &saved.image,
                log: folder.join(format!("{name}-{number}.log")),
                load: Some(Loading { from: saved.file.clone(), then_send }),
                save_to: None,
                memory_dump: None,
                commands: &[],
            };
            live(&plan, Some(place), cancel)
        };
        let lives: Vec<Result<Life, Coded>> = std::thread::scope(|scope| {
            let started: Vec<_> =
                plans.iter().enumerate().map(|plan| scope.spawn(move || of(plan))).collect();
            started.into_iter().map(|thread| thread.join().expect("a life does not panic")).collect()
        });
        let lives = lives.into_iter().collect::<Result<Vec<_>, _>>()?;
        let mut nonces: Vec<u64> = lives.iter().map(|life| life.place.after.0).collect();
        nonces.sort_unstable();
        nonces.dedup();
        if nonces.len() != lives.len() {
            self.failures.push(format!("{} {name}: two clones have the same nonce", target.subject));
        }
        for ((challenge, plan), life) in plans.iter().zip(&lives) {
            if let Some(why) = refused(target, saved, plan, *challenge, life) {
                self.failures.push(format!("{} {name}: {why}", target.subject));
            }
        }
        Ok(lives)
    }

    /// Has our machine hold what it must keep, saves it, and checks what every clone of it has kept.
    fn keep(&mut self, ours: &Prepared, pause: Duration) -> Result<(), Coded> {
        let folder = self.folder.join("kept");
        let memory_mib = ours.machine.profile.memory_mib / 2;
        let held = |place| written(|out| write_hold(out, place, Hold { memory_mib, timer_ms: TIMER_MS }));
        let dumps = ["saved", "loaded"].map(|name| folder.join(format!("{name}.memory")));
        let saved = self.save(ours, &folder, &[&held], Some(&dumps[0]))?;
        let Some((before, rates)) = Before::of(&saved.life.last_records()).zip(rates_of(&saved.life)) else {
            self.failures.push("the machine held nothing".to_owned());
            return Ok(());
        };
        std::thread::sleep(pause);
        let clone = self.check(ours, &saved, &folder, Spoilt::None, Some(&dumps[1]))?;
        let Some(after) = After::of(&clone.last_records()) else {
            self.failures.push("the machine that was loaded reported nothing".to_owned());
            return Ok(());
        };
        self.checks.push(check::same("all-memory", is_same(&dumps)?, "every byte, by the VMM"));
        let is_same =
            saved.life.run.stopped_state == clone.run.stopped_state && !clone.run.stopped_state.is_empty();
        self.checks.push(check::same("registers", is_same, "of every CPU, by the VMM"));
        self.checks.extend(check::kept(&before, &after));
        let (went_on, away) =
            (WentOn::between(&before.clocks, &after.clocks, rates), away(&saved.life, &clone));
        self.checks.push(check::clocks_agree(went_on, away));
        self.checks.push(check::pause("pause-noticed", went_on, away, true));
        self.checks.push(match after.kept.kvmclock.word() {
            "none" => Check::not_applicable("kvmclock", "the machine has no such clock"),
            word => Check::new("kvmclock", word == "stopped", format!("it reports: {word}")),
        });
        for spoilt in Spoilt::ALL.iter().copied().filter(|&spoilt| spoilt != Spoilt::None) {
            let clone = self.check(ours, &saved, &folder, spoilt, None)?;
            let checks = After::of(&clone.last_records())
                .map(|after| check::kept(&before, &after))
                .unwrap_or_default();
            self.control(spoilt, &checks);
        }
        let second = self.check(ours, &saved, &folder, Spoilt::None, None)?;
        let random = After::of(&second.last_records()).map(|after| after.kept.random);
        let repeats = random == Some(after.kept.random);
        let detail = "two clones draw the same number; an answer's nonce differs".to_owned();
        let is_fresh = second.place.after != clone.place.after;
        self.checks.push(Check::new("seed-repeats", repeats && is_fresh, detail));
        self.unsaved(ours, &after)?;
        for file in dumps.iter().chain([&saved.file]) {
            fs::remove_file(file).with_context(|| file.display().to_string()).or_exit(Exit::Output)?;
        }
        Ok(())
    }

    /// Loads the machine and has it check itself.
    fn check(
        &self,
        ours: &Prepared,
        saved: &Saved,
        folder: &Path,
        spoilt: Spoilt,
        memory_dump: Option<&Path>,
    ) -> Result<Life, Coded> {
        let place = saved.life.place;
        let then_send = format!("{}\r\n", written(|out| write_check(out, place, spoilt))).into_bytes();
        let plan = Plan {
            target: ours,
            image: &saved.image,
            log: folder.join(format!("check-{spoilt}.log")),
            load: Some(Loading { from: saved.file.clone(), then_send }),
            save_to: None,
            memory_dump,
            commands: &[],
        };
        live(&plan, Some(place), self.cancel)
    }

    fn control(&mut self, spoilt: Spoilt, checks: &[Check]) {
        let name = match spoilt {
            Spoilt::None => return,
            Spoilt::Memory => check::MEMORY,
            Spoilt::Fpu => check::FPU,
            Spoilt::Apic => check::APIC,
            Spoilt::Timer => check::TIMER,
            Spoilt::Tsc => check::TSC,
        };
        let found = checks.iter().find(|check| check.name == name);
        if found.is_some_and(|check| check.verdict == Verdict::NotApplicable) {
            return;
        }
        let detail = found.map_or_else(|| "nothing was reported".to_owned(), |check| check.detail.clone());
        let noticed = check::spoilt_alone(name, checks) && !checks.is_empty();
        self.controls.push(Control { spoilt: spoilt.to_string(), noticed, detail });
    }

    /// A machine that was never away: no pause is to be noticed, and its numbers are its own.
    fn unsaved(&mut self, ours: &Prepared, of_clone: &After) -> Result<(), Coded> {
        let folder = self.folder.join("unsaved");
        fs::create_dir_all(&folder).with_context(|| folder.display().to_string()).or_exit(Exit::Output)?;
        let image = self.image(ours, &folder)?;
        let memory_mib = ours.machine.profile.memory_mib / 2;
        let hold = |place| written(|out| write_hold(out, place, Hold { memory_mib, timer_ms: TIMER_MS }));
        let look = |place| written(|out| write_check(out, place, Spoilt::None));
        let log = folder.join("unsaved.log");
        let commands: [&(dyn Fn(Place) -> String + Sync); 2] = [&hold, &look];
        let plan = Plan {
            target: ours,
            image: &image,
            log,
            load: None,
            save_to: None,
            memory_dump: None,
            commands: &commands,
        };
        let life = live(&plan, None, self.cancel)?;
        let records = |nth: usize| life.streams.get(nth).map_or_else(Vec::new, |stream| records(stream));
        let found =
            (Before::of(&records(1)), After::of(&records(2)), rates_of(&life), life.ends_us.get(1..3));
        let (Some(before), Some(after), Some(rates), Some(&[held, checked])) = found else {
            self.failures.push("the machine that was not saved reported nothing".to_owned());
            return Ok(());
        };
        let ran = checked.saturating_sub(held);
        let away = Away { wall_us: ran, ran_us: ran };
        let went_on = WentOn::between(&before.clocks, &after.clocks, rates);
        let pause = check::pause("pause", went_on, away, false);
        let noticed = pause.verdict != Verdict::Fails;
        self.controls.push(Control { spoilt: "no pause".to_owned(), noticed, detail: pause.detail });
        let differs = after.kept.random != of_clone.kept.random;
        let detail = "another boot draws another number".to_owned();
        self.controls.push(Control { spoilt: "another boot".to_owned(), noticed: differs, detail });
        Ok(())
    }
}

/// A command, written.
fn written(write: impl FnOnce(&mut String) -> std::fmt::Result) -> String {
    let mut line = String::new();
    write(&mut line).expect("a String takes all");
    line
}

fn records(stream: &[u8]) -> Vec<Record> {
    let lines = stream.split(|&byte| byte == b'\n').map(<[u8]>::trim_ascii_end);
    lines.filter_map(|line| abi::wire::decode(line).ok()).map(|envelope| envelope.record).collect()
}

/// The rates of a machine's clocks, as its boot states them.
fn rates_of(life: &Life) -> Option<Rates> {
    life.streams.first().and_then(|stream| Rates::of(&records(stream)))
}

/// How long a machine was away between its last answer before it was saved and its first after.
fn away(saved: &Life, loaded: &Life) -> Away {
    let at = |life: &Life, us: u64| life.run.timeline.started_unix_ms * 1000 + us;
    let (held, checked) =
        (saved.ends_us.last().copied().unwrap_or(0), loaded.ends_us.first().copied().unwrap_or(0));
    let before = saved.run.timeline.saving_us.unwrap_or(held).saturating_sub(held);
    let after = checked.saturating_sub(loaded.run.timeline.cont_us.unwrap_or(0));
    Away { wall_us: at(loaded, checked).saturating_sub(at(saved, held)), ran_us: before + after }
}

/// Why the answer of a clone does not count, if so.
fn refused(
    target: &Prepared,
    saved: &Saved,
    plan: &PlanBytes,
    challenge: u64,
    life: &Life,
) -> Option<String> {
    let boot = Transcript::read(saved.life.streams.first()?);
    let Some(answer) = life.streams.last() else { return Some("there is no answer".to_owned()) };
    let answer = Transcript::read(answer);
    if let Err(why) = exec::check_answer(&answer, &boot) {
        return Some(why);
    }
    let (env, cpus) = (target.env(), target.machine.cpus);
    let expected = lab::expectation(&target.manifest, env, plan, saved.image.build, challenge, cpus);
    let verdict = Gate::of(target.manifest.workload()).judge(&answer, &expected, &life.evidence);
    let finding = verdict.findings.iter().find(|finding| !is_of_time(finding.reason));
    finding.map(ToString::to_string)
}

fn size(subject: Subject, file: &Path) -> Result<Size, Coded> {
    let data = fs::metadata(file).with_context(|| file.display().to_string()).or_exit(Exit::Output)?;
    // st_blocks is in units of 512 bytes whatever the file system's blocks are (stat(2)).
    Ok(Size { subject, block_bytes: data.blocks() * 512, file_bytes: data.len() })
}

/// Writes a file to its disk and drops it from the page cache.
fn evict(path: &Path) -> Result<(), Coded> {
    let evicted = File::open(path).and_then(|file| {
        file.sync_all()?;
        Ok(fadvise(&file, 0, None, Advice::DontNeed)?)
    });
    evicted.with_context(|| path.display().to_string()).or_exit(Exit::Environment)
}

fn is_same(files: &[PathBuf; 2]) -> Result<bool, Coded> {
    let [one, other] = files
        .each_ref()
        .map(|path| fs::read(path).with_context(|| path.display().to_string()).or_exit(Exit::Output));
    let (one, other) = (one?, other?);
    Ok(!one.is_empty() && one == other)
}
