//! A manifest as TOML has it: the right keys with the right types, and nothing said yet about their values. Each key is
//! declared once, with what docs/MANIFEST.md says about it; a test compares the page with these declarations.

use std::collections::BTreeMap;

use serde::Deserialize;
use toml::Spanned;

use evidence::gate::Scaling;

use super::lifecycle::Quantile;
use super::profile::{Boot, MachineType, Sweep, Tier};

/// A workload's own parameters, by name.
pub(super) type RawParameters = BTreeMap<Spanned<String>, Spanned<i64>>;

/// A key of a manifest as documentation sees it. All texts are Markdown.
#[derive(Clone, Copy, Debug)]
pub struct KeySpec {
    /// The key, with its table.
    pub key: &'static str,
    /// Its type, and the unit of its value.
    pub form: &'static str,
    /// The values that are allowed.
    pub values: &'static str,
    /// Its value if it is absent, or that it is required.
    pub default: &'static str,
    /// Its docstring.
    pub meaning: &'static str,
    /// A value.
    pub example: &'static str,
}

/// Declares the tables of a manifest: a struct for each, and all keys as data.
macro_rules! manifest_tables {
    ($(
        $(#[$meta:meta])*
        $table:ident = $prefix:literal {
            $(
                $(#[doc = $doc:literal])+
                $field:ident = $key:literal: $type:ty,
                    $form:literal, $values:literal, $default:literal, $example:literal;
            )*
            $(table $inner:ident: $inner_type:ty;)*
        }
    )*) => {
        $(
            $(#[$meta])*
            #[derive(Debug, Deserialize)]
            #[serde(deny_unknown_fields)]
            pub(super) struct $table {
                $(
                    $(#[doc = $doc])+
                    #[serde(rename = $key)]
                    pub $field: $type,
                )*
                $(pub $inner: $inner_type,)*
            }
        )*

        /// Every key, in the order of their declaration.
        pub const KEYS: &[KeySpec] = &[$($(
            KeySpec {
                key: concat!($prefix, $key),
                form: $form,
                values: $values,
                default: $default,
                meaning: concat!($($doc),+),
                example: $example,
            },
        )*)*];
    };
}

manifest_tables! {
    /// The whole file.
    RawManifest = "" {
        /// The version of this format.
        schema = "schema": Spanned<i64>,
            "integer", "1", "required", "1";
        /// The experiment's name: in the records, and the folder of its results.
        name = "name": Spanned<String>,
            "string", "1 to 32 of `A-Z a-z 0-9 . _ + -`, not beginning with `.` or `-`",
            "required", "\"smp-process-scale\"";
        /// The kind of statement: how a workload scales with CPUs, what the platform costs, what operations of a kernel cost, how
        /// long the steps of a machine's life take ([`assay lifecycle`](LIFECYCLE.md)), or that something which goes wrong is noticed.
        tier = "tier": Spanned<Tier>,
            "string", "`scaling`, `platform`, `mechanism`, `lifecycle`, `control`", "required", "\"scaling\"";
        /// How many rounds count. There is no claim with fewer than 5. `assay image` makes iterations of one
        /// boot of them, each as often as `cases.iterations` says. `--rounds` replaces it.
        rounds = "rounds": Spanned<i64>,
            "integer, rounds", "1 to 1000", "required", "7";
        table workload: RawWorkload;
        table cases: RawCases;
        table gate: Option<RawGate>;
        table oracle: RawOracle;
        table timeouts: RawTimeouts;
        table machine: RawMachine;
        table platform: Option<RawPlatform>;
        table mechanisms: Option<RawMechanisms>;
        table lifecycle: Option<RawLifecycle>;
        table control: Option<RawControl>;
    }

    /// What is run.
    RawWorkload = "workload." {
        /// The workload. With a `/` in it, it is the path of an ELF, from the manifest's folder: a program that is not
        /// Assay's own, whose answers are in `oracle.file`. In the `control` tier it is a program that fails on purpose (`control-...`), unless
        /// `control.kernel` is set.
        program = "program": Spanned<String>,
            "string", "a program of the tier, or the path of [one of your own](WORKLOADS.md#a-program-of-your-own)",
            "required", "\"primes\"";
        /// The calls of a program of your own besides warm-up and timed call. Only with a path in `program`.
        calls = "calls": Option<Spanned<Vec<Spanned<String>>>>,
            "list of strings", "`prepare`, `verify`", "none", "[\"prepare\"]";
        /// What a worker may do: the syscalls that it may make, of which `exit` is the only one and must be there, and
        /// `shared-memory`, without which no memory of other workers is mapped. Every other syscall is refused and counted.
        authority = "authority": Spanned<Vec<Spanned<String>>>,
            "list of strings", "`exit`, `shared-memory`", "required", "[\"exit\"]";
        /// The memory of each worker alone, zero at first. The guest needs as much for each worker of a case, and about 32 MiB
        /// besides.
        memory_mib = "memory-mib": Option<Spanned<i64>>,
            "integer, MiB", "at least what the parameters need, at most 65536", "0", "64";
        /// The stack of each worker.
        stack_kib = "stack-kib": Option<Spanned<i64>>,
            "integer, KiB", "a multiple of 4, at least what the program needs, at most 16384",
            "what the program needs", "256";
        /// The pages of each worker's memory and of the corpus. All else has pages of 4 KiB. With `4k` Linux makes no larger
        /// ones; a system that cannot give pages of 2 MiB skips the case.
        pages = "pages": Option<Spanned<String>>,
            "string", "`4k`, `2m`", "`4k`", "\"2m\"";
        /// What each CPU must have beyond what every x86-64 has. It chooses the build of the program. A machine without it is
        /// `unsupported`.
        requires = "requires": Option<Spanned<Vec<Spanned<String>>>>,
            "list of strings", "`avx2`, `avx512`, `sha-ni`, as the program has builds", "none", "[\"avx2\"]";
        /// The corpus: bytes that compress as stored data does, the same everywhere, read-only.
        corpus_mib = "corpus-mib": Option<Spanned<i64>>,
            "integer, MiB", "at least what the parameters need, at most 1024", "0", "16";
        /// How many copies of the corpus are in memory: one that all workers read, or one for each. They scale differently.
        corpus_copies = "corpus-copies": Option<Spanned<String>>,
            "string", "`one`, `each`", "`one`", "\"each\"";
        /// The memory that all workers of a case share, zero at first. With `shared-memory` in `authority`, and only then.
        shared_kib = "shared-kib": Option<Spanned<i64>>,
            "integer, KiB", "a multiple of 4, at least what the parameters need, at most 65536", "0", "4";
        /// The whole: what the workers of a case do together.
        parameters = "parameters": Spanned<RawParameters>,
            "table of integers", "each workload's own, see below",
            "required", "{ first-candidate = 2, end-candidate = 300_000 }";
    }

    /// How many workers each case has.
    RawCases = "cases." {
        /// The cases. Each is a machine with as many CPUs as it has workers.
        workers = "workers": Option<Spanned<Vec<Spanned<i64>>>>,
            "list of integers, workers", "1 to 255 each, each once, at least one",
            "required without `cases.sweep`", "[1, 2, 4]";
        /// The machine that runs them derives the cases. Not with `cases.workers`, and not in the
        /// `control` tier.
        sweep = "sweep": Option<Spanned<Sweep>>,
            "string", "[`powers-of-two`](CONCEPTS.md#sweeps)", "none", "\"powers-of-two\"";
        /// How the work grows with the workers. In strong scaling the workers of a case share the whole; in weak scaling
        /// each of them does the whole, so that the time stays the same at best. Then there is no claim, no sweep and no
        /// shared memory, and `oracle` is about one worker.
        scaling = "scaling": Option<Spanned<Scaling>>,
            "string", "`strong`, `weak`", "`strong`", "\"weak\"";
        /// How often a boot runs its case. Iterations that the host disturbed are excluded, and the lower quartile of
        /// the rest is the time of the round. Not with a sweep, and not in the `control` tier.
        iterations = "iterations": Option<Spanned<i64>>,
            "integer, iterations", "1 to 100", "1", "20";
        /// How long each worker is warmed up before it is timed, at least. A CPU that was idle takes milliseconds to
        /// reach its clock. The warm-up is no part of any time.
        warm_up_ms = "warm-up-ms": Option<Spanned<i64>>,
            "integer, milliseconds", "0 to 10_000", "20", "20";
    }

    /// The claim. Without this table the experiment is only reported.
    RawGate = "gate." {
        /// The case that the claim compares with.
        from_workers = "from-workers": Spanned<i64>,
            "integer, workers", "one of the cases", "no claim without `[gate]`", "1";
        /// The case that the claim is about.
        to_workers = "to-workers": Spanned<i64>,
            "integer, workers", "one of the cases, more than `from-workers`", "required in `[gate]`", "2";
        /// The least median speed-up that is claimed.
        min_speedup = "min-speedup": Spanned<f64>,
            "number", "above 0, at most `to-workers / from-workers`", "required in `[gate]`", "1.6";
    }

    /// What the workers of any case answer together; in weak scaling what each of them answers.
    RawOracle = "oracle." {
        /// The answer of all workers of any case together; in weak scaling that of each. A wrong number is an error that states the right one.
        answer = "answer": Spanned<i64>,
            "integer", "what the reference gives", "required", "216_816";
        /// The work that this takes.
        work = "work": Spanned<i64>,
            "integer, the workload's unit", "what the reference gives", "required", "161_131_521";
        /// The answers of a program of your own, by a path from the manifest's folder.
        file = "file": Option<Spanned<String>>,
            "string", "the path of an [oracle](WORKLOADS.md#the-oracle)",
            "required with a path in `workload.program`, not allowed without", "\"oracle.txt\"";
        /// The SHA-256 of that file, so that the manifest's own stands for both. A wrong one is an error that states the
        /// right one.
        sha256 = "sha256": Option<Spanned<String>>,
            "string", "64 hexadecimal digits", "required with `oracle.file`, not allowed without",
            "\"9f86d081...\"";
    }

    /// How long things may take.
    RawTimeouts = "timeouts." {
        /// From the start of QEMU to the first record.
        boot_seconds = "boot-seconds": Spanned<i64>,
            "integer, seconds", "1 to 86400", "required", "60";
        /// From the common start of a case's workers to the end of the last. The kernel enforces it.
        worker_seconds = "worker-seconds": Spanned<i64>,
            "integer, seconds", "1 to 86400", "required", "60";
        /// From the start of QEMU to its end.
        run_seconds = "run-seconds": Spanned<i64>,
            "integer, seconds", "1 to 172800, at least the other two together", "required", "150";
    }

    /// The machine that every case boots.
    RawMachine = "machine." {
        /// QEMU's machine type. A `microvm` has no disk, so that its kernel starts directly.
        machine_type = "type": Spanned<MachineType>,
            "string", "`q35`, `microvm`", "required", "\"q35\"";
        /// How the kernel starts: by QEMU itself (PVH, without firmware), or from a disk image by the BIOS or by UEFI
        /// firmware found on the host.
        boot = "boot": Spanned<Boot>,
            "string", "`direct`, `bios`, `uefi`", "required", "\"direct\"";
        /// The guest's memory.
        memory_mib = "memory-mib": Spanned<i64>,
            "integer, MiB", "16 to 1048576", "required", "128";
    }

    /// The costs and the noise of the platform, which each boot measures when its cases have run. The table may be empty.
    RawPlatform = "platform." {
        /// How long each CPU looks for gaps between readings of its clock.
        noise_ms = "noise-ms": Option<Spanned<i64>>,
            "integer, milliseconds", "0 to 600_000", "10_000", "10_000";
        /// The most samples that a row takes: fewer give a quick look, whose percentiles are coarse.
        most_samples = "most-samples": Option<Spanned<i64>>,
            "integer", "8 to 10_000", "10_000", "200";
        /// Whether each sample is printed, beside the histograms: about 30 KB more for each row.
        samples = "samples": Option<bool>,
            "boolean", "`true`, `false`", "`false`", "false";
        /// The rows that do one operation less than they report. Only in the `control` tier.
        short = "short": Option<Spanned<String>>,
            "string", "`all`, or a [row](PLATFORM.md#rows)", "none", "\"all\"";
    }

    /// The costs of operations of a kernel, which each boot measures when its cases have run.
    RawMechanisms = "mechanisms." {
        /// The objects that are made for the tasks of each row, as the plan's lines `object` have them
        /// ([MECHANISMS.md](MECHANISMS.md#objects-and-handles)).
        objects = "objects": Spanned<Vec<Spanned<String>>>,
            "list of strings", "`name=... kind=... bytes=...`, at most 32, each name once",
            "required in `[mechanisms]`", "[\"name=door kind=endpoint bytes=0\"]";
        /// The handles of the tasks, as the plan's lines `grant` have them. The k-th of a task is in slot k of its table.
        grants = "grants": Spanned<Vec<Spanned<String>>>,
            "list of strings", "`task=... object=... rights=... badge=...`, at most 32 for each task",
            "required in `[mechanisms]`", "[\"task=client object=door rights=call badge=7\"]";
        /// The row to measure.
        rows = "rows": Option<Spanned<String>>,
            "string", "`all`, or a [row](MECHANISMS.md#rows)", "`all`", "\"null_enter\"";
        /// The most samples that a row takes: fewer give a quick look, whose percentiles are coarse.
        most_samples = "most-samples": Option<Spanned<i64>>,
            "integer", "8 to 10_000, the same as in `platform`", "10_000", "200";
        /// Whether each sample is printed, beside the histograms.
        samples = "samples": Option<bool>,
            "boolean", "`true`, `false`", "`false`", "false";
        /// The rows that do one operation less than they report. Only in the `control` tier.
        short = "short": Option<Spanned<String>>,
            "string", "`all`, or a [row](MECHANISMS.md#rows)", "none", "\"all\"";
    }

    /// The steps of a machine's life. Its cycles are the rounds: in each, every machine lives once under every system. The
    /// machines are `machine` with each number of CPUs of `cases.workers`, and those of `lifecycle.also`.
    RawLifecycle = "lifecycle." {
        /// How many of the first machine are started at once, each in every round.
        bursts = "bursts": Option<Spanned<Vec<Spanned<i64>>>>,
            "list of integers, machines", "1 to 64, each once", "none", "[1, 2, 4]";
        table also: Option<Vec<RawLifeMachine>>;
        table gates: Option<Vec<RawLifeGate>>;
    }

    /// Another machine.
    RawLifeMachine = "lifecycle.also." {
        /// QEMU's machine type.
        machine_type = "type": Spanned<MachineType>,
            "string", "`q35`, `microvm`", "required in `[[lifecycle.also]]`", "\"microvm\"";
        /// How the kernel starts.
        boot = "boot": Spanned<Boot>,
            "string", "`direct`, `bios`, `uefi`", "required in `[[lifecycle.also]]`", "\"bios\"";
        /// Its CPUs, each of which has a worker.
        cpus = "cpus": Spanned<i64>,
            "integer, CPUs", "1 to 255", "required in `[[lifecycle.also]]`", "2";
        /// Its memory.
        memory_mib = "memory-mib": Spanned<i64>,
            "integer, MiB", "16 to 1048576", "required in `[[lifecycle.also]]`", "128";
    }

    /// How long a step may take on our kernel. A gate that fails has exit code 13, and is named.
    RawLifeGate = "lifecycle.gates." {
        /// The step.
        row = "row": Spanned<String>,
            "string", "a [row](LIFECYCLE.md#rows)", "required in `[[lifecycle.gates]]`", "\"ready\"";
        /// The longest time.
        at_most_ms = "at-most-ms": Spanned<i64>,
            "integer, milliseconds", "1 to 3_600_000", "required in `[[lifecycle.gates]]`", "1200";
        /// Of which cycles.
        of = "of": Option<Quantile>,
            "string", "`median`, `p95`, `p99`, `max`", "`p95`", "\"p95\"";
        /// The machine, by its type, boot, CPUs and MiB.
        machine = "machine": Option<Spanned<String>>,
            "string", "the name of a machine of this manifest", "all of them", "\"q35-direct-1-128\"";
    }

    /// What goes wrong on purpose, in the control tier.
    RawControl = "control." {
        /// The reason that the gate must give.
        expect = "expect": Spanned<String>,
            "string", "a [reason code](GATE.md#reasons)",
            "required in the `control` tier, not allowed in others", "\"cpu-missing\"";
        /// What the kernel does wrong.
        kernel = "kernel": Option<Spanned<String>>,
            "string", "see below", "the worker goes wrong", "\"skip-ap\"";
        /// Which CPU it happens on. Only with `control.kernel`.
        target_cpu = "target-cpu": Option<Spanned<i64>>,
            "integer, dense CPU number", "0 to 254", "0", "1";
    }
}
