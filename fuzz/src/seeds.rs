//! Inputs that the fuzzer starts from, made by code out of the golden transcripts, the manifests and their plans.

use std::collections::BTreeSet;
use std::path::Path;

use abi::command::write_exec;
use abi::wire::{Label, decode};
use experiment::manifest::{Manifest, TASKS};
use experiment::plan::{PlanBytes, PlanOptions, WorkerBlob};

use crate::golden;
use crate::targets::command::PLACE;
use crate::targets::gate::base::BASES;
use crate::targets::oracle::ORACLE;
use crate::targets::record::sealed;
use crate::targets::signature::{PUBLIC, SIGNATURE};

/// A record of each kind that no golden transcript has.
const RARE: [&str; 38] = [
    "ASSAY1 seq=6 ts=1.240296 ev=clocks tsc=7 count=7 seconds=1795936444",
    "ASSAY1 seq=7 ts=1.240296 ev=held bytes=67108864 digest=5eed000000000002 cpus=2 timers=1 timer_us=5000000",
    "ASSAY1 seq=7 ts=1.240296 ev=kept spoilt=none bytes=67108864 digest=5eed000000000002 wrong=0 \
     kvmclock=none random=5eed000000000002",
    "ASSAY1 seq=8 ts=1.240296 ev=kept-cpu cpu=1 fpu=0 apic=0 timer=fired late_us=9",
    "ASSAY1 seq=1 ts=0.240296 ev=command kind=exec number=2 after=5eed000000000002 bytes=711 took_us=2204 refused=1",
    "ASSAY1 seq=1 ts=0.240296 ev=command-refused reason=checksum refused=0 detail=checksum%20does%20not%20match",
    "ASSAY1 seq=6 ts=- ev=config serial=com1+com2 after=linger:60 display=1 ignored=1",
    "ASSAY1 seq=5 ts=- ev=config-ignored from=file line=2 word=seriel",
    "ASSAY1 seq=6 ts=- ev=profile left_out=rights,revocation",
    "ASSAY1 seq=13 ts=0.030234 ev=control kind=double-record target=0",
    "ASSAY1 seq=25 ts=1.293542 ev=case-skipped case=2 reason=blob online=2",
    "ASSAY1 seq=0 ts=0.465699 ev=error code=plan-missing detail=the%20ramdisk%20has%20no%20plan",
    "ASSAY1 seq=28 ts=0.465699 ev=fault worker=1 exception=page-fault error=0000000000000007 rip=0000000000001042 \
     address=0000000000000008",
    "ASSAY1 seq=24 ts=- ev=rsdp source=bios-area at=00000000000f59e0",
    "ASSAY1 seq=6 ts=- ev=tuning isolated=1-3 nohz_full=1-3 idle=none workers=fifo",
    "ASSAY1 seq=47 ts=4.779462 ev=interrupts case=2 iter=0 cpu=1 unexpected=1 vector=80 nmis=3",
    "ASSAY1 seq=8 ts=0.240296 ev=boot-stage stage=machine",
    "ASSAY1 seq=19 ts=0.459111 ev=panic cpu=1 at=kernel/src/bench/run.rs:123 \
     message=page%20fault%20at%200xdead000",
    "ASSAY1 seq=47 ts=4.779462 ev=interrupt-vector case=2 iter=0 cpu=1 vector=80 count=1",
    "ASSAY1 seq=20 ts=0.083176 ev=grant prepare=1 verify=1 memory_mib=8 stack_kib=256 pages=4k requires=avx2 \
     shared_kib=0 chunks=64",
    "ASSAY1 seq=21 ts=0.083176 ev=corpus name=mixed-1 bytes=1048576 \
     sha256=c5c5c5c5c5c5c5c5c5c5c5c5c5c5c5c5c5c5c5c5c5c5c5c5c5c5c5c5c5c5c5c5 copies=one",
    "ASSAY1 seq=40 ts=0.483176 ev=chunks case=2 iter=0 worker=1 count=8 \
     root=c5c5c5c5c5c5c5c5c5c5c5c5c5c5c5c5c5c5c5c5c5c5c5c5c5c5c5c5c5c5c5c5",
    "ASSAY1 seq=41 ts=0.483176 ev=root case=2 iter=0 count=16 \
     root=c5c5c5c5c5c5c5c5c5c5c5c5c5c5c5c5c5c5c5c5c5c5c5c5c5c5c5c5c5c5c5c5",
    "ASSAY1 seq=44 ts=0.083176 ev=platform-rows noise_ms=10000 short=none",
    "ASSAY1 seq=45 ts=0.120212 ev=series id=0 row=overhead_batch cpu=0 peer=- arg=0 class=batch n=1048576 count=100",
    "ASSAY1 seq=46 ts=0.120247 ev=series-oracle id=0 due=104857600 done=104857600 wrong=0",
    "ASSAY1 seq=47 ts=0.120251 ev=series-range id=0 cold=104 min=736892 max=6062862 sum=81970642",
    "ASSAY1 seq=48 ts=0.120255 ev=series-counts id=0 part=0 counts=VsF20c00101010b05000000020j0l0U30",
    "ASSAY1 seq=49 ts=0.120260 ev=series-samples id=0 part=0 samples=VsF20c00101010b05",
    "ASSAY1 seq=69 ts=0.271554 ev=series-none row=exit_msr_rd cpu=0 peer=- arg=0 reason=not-applicable",
    "ASSAY1 seq=271 ts=18.455374 ev=platform-note llc_bytes=33554432 steal_ns=- smis=- nmis=0 took_ms=18372",
    "ASSAY1 seq=272 ts=18.455374 ev=mechanism-rows program=primitives rows=all short=none",
    "ASSAY1 seq=21 ts=0.023453 ev=mechanism-program name=primitives bytes=30976 \
     sha256=c5c5c5c5c5c5c5c5c5c5c5c5c5c5c5c5c5c5c5c5c5c5c5c5c5c5c5c5c5c5c5c5",
    "ASSAY1 seq=273 ts=18.455374 ev=mechanism-object name=door kind=endpoint bytes=0",
    "ASSAY1 seq=274 ts=18.455374 ev=mechanism-grant task=client slot=0 object=door rights=call badge=7",
    "ASSAY1 seq=275 ts=18.455374 ev=mechanism-stub op=null part=0 code=b86e0000000f05c3",
    "ASSAY1 seq=276 ts=18.455374 ev=mechanism-counts id=5 outside=1153 client=6400 partner=7553 kernel=-",
    "ASSAY1 seq=277 ts=18.455374 ev=mechanism-note scenes=31 took_ms=16372",
];

/// The entries of a short session.
const CHAIN: [&str; 6] = [
    r#"{"session":{"form":1,"session":"0","started_unix_ms":1,"command":"x","tool":{"name":"assay","version":"0.1.0"},"executable_sha256":null,"manifest":{"path":"x.toml","sha256":"e3b0c44298fc1c149afbf4c8996fb92427ae41e4649b934ca495991b7852b855"},"rounds":1,"runs_per_round":1,"probes":{"cpus":2,"missing":null,"made":[]},"sets":[]}}"#,
    r#"{"probe":{"before_round":0,"started_unix_ms":1,"one_ns":2,"all_ns":1,"capacity":2.0}}"#,
    r#"{"probe-failed":{"before_round":0,"why":"it"}}"#,
    r#"{"probes-ended":"it"}"#,
    r#"{"excluded":{"run":0,"iteration":3,"reason":"cpu-slowed","detail":"it"}}"#,
    r#"{"end":{"incomplete":"0 of 1 runs were made: interrupted","files":{"results.json":"e3b0c44298fc1c149afbf4c8996fb92427ae41e4649b934ca495991b7852b855"}}}"#,
];

/// The manifests that make seeds, each with the name of its plan's seed.
const MANIFESTS: [(&str, &str); 5] = [
    ("smp-process-scale", "cases"),
    ("smp-process-sweep", "sweep"),
    ("workloads/lz4-compress", "grants"),
    ("controls/platform-short", "sampled"),
    ("controls/primitives-short", "mechanisms"),
];

/// A seed: its name, its bytes.
type Seed = (String, Vec<u8>);

/// The seeds of a target; none for most.
pub(crate) fn seeds(target: &str) -> Vec<Seed> {
    match target {
        "record" => records(),
        "transcript" => transcripts(),
        "gate" => logs(),
        "plan" => MANIFESTS.map(|(manifest, name)| (name.to_owned(), short_plan(&load(manifest)))).into(),
        "manifest" => MANIFESTS.map(|(name, _)| (name.to_owned(), load(name).source().into())).into(),
        "replay_log" => vec![("run".to_owned(), replay_log())],
        "chain" => vec![("session".to_owned(), [CHAIN.join("\n").as_bytes(), b"\n\x07"].concat())],
        "signature" => vec![
            ("signature".to_owned(), [&b"\0"[..], SIGNATURE.as_bytes()].concat()),
            ("public".to_owned(), [&b"\x01"[..], PUBLIC.as_bytes()].concat()),
        ],
        "command" => commands(),
        "oracle" => vec![("two".to_owned(), ORACLE.into())],
        // Indices that fit, with 34 operations left, and then words of another CPU.
        "ring" => {
            vec![("left".to_owned(), [vec![1; 17], vec![1, 36, 1, 2, 1, 20, 1, 4], vec![3; 40]].concat())]
        }
        // Two are entered, one is copied, closed, and its old handle tried; the object of the copy is revoked.
        "handles" => {
            let steps =
                [[0, 0, 255, 255], [0, 1, 255, 3], [2, 0, 1, 1], [1, 0, 0, 0], [3, 2, 0, 0], [4, 1, 0, 0]];
            vec![("steps".to_owned(), [steps.concat(), vec![0; 8]].concat())]
        }
        // Two neighbours, a hole in the first, a look at the rest, and a range that wraps.
        "regions" => {
            let steps =
                [[0, 16, 15, 1], [0, 32, 3, 1], [1, 20, 1, 1], [2, 16, 3, 1], [2, 16, 5, 1], [3, 0, 0, 0]];
            vec![("hole".to_owned(), [steps.concat(), vec![0xff; 16]].concat())]
        }
        "queues" => vec![(
            "turns".to_owned(),
            [[0, 0, 1], [0, 0, 2], [0, 1, 3], [4, 0, 0], [0, 1, 1], [4, 1, 0], [7, 0, 0], [4, 1, 0]].concat(),
        )],
        _ => Vec::new(),
    }
}

/// A command for each plan, without its checksum, and the same as lines of a port.
fn commands() -> Vec<Seed> {
    let of = |(manifest, name): (&str, &str)| {
        let mut line = String::new();
        write_exec(&mut line, PLACE, &short_plan(&load(manifest))).expect("a String takes all");
        let unsealed = line.as_bytes()[..line.len() - " crc=00000000".len()].to_vec();
        [(name.to_owned(), unsealed), (format!("{name}-line"), format!("\r\n{line}\r\nx").into_bytes())]
    };
    MANIFESTS.into_iter().flat_map(of).collect()
}

/// A replay log with an event of each kind that is read.
fn replay_log() -> Vec<u8> {
    let events: [&[u8]; 12] = [
        &[0, 0xe0, 0x20, 0x0c, 0, 0, 0, 0, 0, 0, 0, 0],
        &[28, 0, 0, 0, 0, 0, 0, 0, 9],
        &[37, 38],
        &[0, 0, 6, 0xac, 0x1a],
        &[1, 2],
        &[4, 0, 0, 0, 0, 0, 0, 0, 1],
        &[27, 0, 0, 0, 0, 0, 0, 0, 2, 7, 7],
        &[22, 0, 0, 0, 1, 0, 0, 0, 1],
        &[0, 0, 0, 0, 5],
        &[22, 0, 0, 0, 1, 0, 0, 0, 1],
        &[16, 14],
        &[39],
    ];
    events.concat()
}

/// One line of each kind, and which change of it to try.
fn records() -> Vec<Seed> {
    let golden = [golden::TWO_CPUS, golden::SMT_SWEEP].into_iter().flat_map(str::lines);
    let golden = golden.filter(|line| decode(line.as_bytes()).is_ok());
    let golden = golden.map(|line| &line[..line.len() - " crc=00000000".len()]);
    let mut kinds = BTreeSet::new();
    let mut seeds = Vec::new();
    for line in golden.chain(RARE) {
        let kind = decode(&sealed(line.as_bytes())).expect("a record").record.name();
        if kinds.insert(kind) {
            seeds.push((kind.to_owned(), [line.as_bytes(), &[40, 1]].concat()));
        }
    }
    seeds
}

fn transcripts() -> Vec<Seed> {
    // The beginning of a log with several cases, in which most kinds are.
    let several = BASES[3].lines[..60].join(&b'\n');
    vec![("sweep".to_owned(), [b"\x01", &several[..]].concat()), ("good".to_owned(), golden::TWO_CPUS.into())]
}

/// Each base log without a change, once as damaged on the wire and once as changed by the guest; and both again with
/// everything that can be known beside a log, none of which condemns it.
fn logs() -> Vec<Seed> {
    let mut seeds = Vec::new();
    for which in 0..2 * u8::try_from(BASES.len()).expect("a few") {
        seeds.push((format!("log-{which}"), vec![which]));
        let known = [which, 0x2f, 0x1f, 0, 1, 0, 0, 1, 0, 8, 8, 2, 0, 255, 255, 0, 0];
        seeds.push((format!("log-{which}-known"), known.to_vec()));
    }
    seeds
}

fn load(manifest: &str) -> Manifest {
    let manifests = Path::new(env!("CARGO_MANIFEST_DIR")).join("../manifests");
    Manifest::load(&manifests.join(manifest).with_extension("toml")).expect("a manifest")
}

/// The manifest's plan, with no more cut points than a fuzzer should have to read again and again.
fn short_plan(manifest: &Manifest) -> Vec<u8> {
    let name = Label::new(manifest.program()).expect("a program's name");
    let blob = |name| WorkerBlob::new(name, b"\x7fELF".to_vec());
    let blob = blob(name).with_tasks(blob(Label::new(TASKS).expect("a program's name")));
    let plan = PlanBytes::new(manifest, &blob, manifest.cases(), PlanOptions::default());
    let plan = plan.expect("a manifest makes a plan");
    let (cut_points, lines): (Vec<_>, Vec<_>) =
        plan.text().lines().partition(|line| line.starts_with("knot "));
    let lines = lines.into_iter().chain(cut_points.into_iter().step_by(128));
    lines.flat_map(|line| [line, "\n"]).collect::<String>().into()
}

#[cfg(test)]
mod tests {
    use abi::plan::{Plan, PlanLine};
    use abi::wire::Record;

    use super::*;

    #[test]
    fn every_kind_of_record_has_a_seed() {
        let names: BTreeSet<String> = records().into_iter().map(|(name, _)| name).collect();
        assert_eq!(names, Record::SPECS.iter().map(|spec| spec.name.to_owned()).collect());
    }

    #[test]
    fn no_rare_record_is_in_a_golden_transcript() {
        let golden = [golden::TWO_CPUS, golden::SMT_SWEEP].concat();
        for line in RARE {
            let kind = decode(&sealed(line.as_bytes())).expect("a record").record.name();
            assert!(!golden.contains(&format!(" ev={kind} ")), "{kind}");
        }
    }

    #[test]
    fn every_kind_of_plan_line_has_a_seed() {
        let mut kinds = BTreeSet::new();
        for (name, plan) in seeds("plan") {
            Plan::parse(&plan).unwrap_or_else(|error| panic!("{name}: {error}"));
            let plan = String::from_utf8(plan).expect("ASCII");
            kinds.extend(plan.lines().skip(1).filter_map(|line| line.split(' ').next()).map(str::to_owned));
        }
        assert_eq!(kinds, PlanLine::SPECS.iter().map(|spec| spec.name.to_owned()).collect());
    }
}
