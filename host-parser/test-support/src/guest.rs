//! A guest that did everything right, with plausible numbers, and its log.

use std::collections::HashSet;

use abi::plan::WARM_UP_MS;
use abi::syscall::{Authority, Right};
use abi::watch::WATCH_US;
use abi::wire::record::{
    Answer, ApicMode, Blob, Brand, CaseBegin, CaseEnd, CaseReady, Challenge, Conditions, CoreKind, Counters,
    Cpu, CpuState, Dmi, DmiField, Experiment, Features, Firmware, Gap, Machine, Mark, Memory, Moment, Offset,
    Phase, Platform, Region, Register, RegisterName, RunStatus, SecondClock, SecondSource, Seconds,
    SmbiosState, Split, Start, Sweep, System, SystemName, Topology, TopologySource, Tsc, TscReading,
    TscSource, WarmUp, Warp, Worker, WorkerEnd, WorkerStatus,
};
use abi::wire::{Hex64, Label, Record, StreamWriter, Text, Timestamp};
use abi::worker::SCALE_SHIFT;
use abi::{ApicId, CpuId, Digest, sweep};
use workloads::{Workload, by_name};

/// The whole that every case of the tests' experiment works on.
pub const WHOLE: [u64; 4] = [2, 300_000, 0, 0];

/// The challenge of the plan.
pub const CHALLENGE: u64 = 0x0bad_cafe_0bad_cafe;

/// The frequency of its TSC, unless another is given.
pub const KHZ: u64 = 2_100_000;

/// A guest.
pub struct Guest {
    /// How many CPUs it has.
    pub cpus: u16,
    /// The cases it runs.
    pub cases: Vec<u16>,
    /// How often it runs each.
    pub iterations: u16,
    /// Its boot's nonce.
    pub nonce: u64,
    /// How long the whole work takes on one CPU, in cycles.
    pub work_cycles: u64,
    /// How many of the first iterations take another time than the others, and what they take of it in percent.
    pub first: (u16, u64),
    /// How many times as fast the cases of several workers are as they should be, in thousandths.
    pub boost: u64,
    /// The whole that the parts of each case make up.
    pub whole: [u64; 4],
    /// How many threads each of its cores has; `None` if the guest does not report it.
    pub threads: Option<u16>,
    /// The challenge of its plan.
    pub challenge: u64,
    /// The frequency of its TSC.
    pub khz: u64,
    /// Set for a sweep: the seed of the order of its cases. The cases then follow from its cores and CPUs.
    pub sweep: Option<u64>,
    /// What its CPUs do in each iteration, by iteration and worker, if not what `work_cycles` says. Of one case.
    pub played: Vec<Vec<Turn>>,
}

/// The nonce of a guest for which none is chosen, without its number of CPUs.
const NONCE: u64 = 0x5eed_0000_0000_0000;

/// A subject of chance: which one, and of which worker.
#[derive(Clone, Copy)]
struct Chance(u16, u16);

impl Chance {
    const WARM_UP: Self = Self(1, 0);
    const CHECK: Self = Self(2, 0);
}

/// A step of splitmix64.
fn mix(seed: u64) -> u64 {
    let seed = seed.wrapping_add(0x9e37_79b9_7f4a_7c15);
    let seed = (seed ^ (seed >> 30)).wrapping_mul(0xbf58_476d_1ce4_e5b9);
    let seed = (seed ^ (seed >> 27)).wrapping_mul(0x94d0_49bb_1331_11eb);
    seed ^ (seed >> 31)
}

/// One worker's timed call, and the pace checks of its CPU.
#[derive(Clone, Copy, Debug)]
pub struct Turn {
    /// How long it takes, in cycles.
    pub cycles: u64,
    /// How often its CPU reads the TSC in the check before.
    pub reads_before: u32,
    /// The same in the check after.
    pub reads_after: u32,
    /// For how long its CPU was taken away in the check before and in that after, in cycles.
    pub taken: [u64; 2],
}

impl Guest {
    /// A guest that runs one case once, with as many workers as it has CPUs.
    pub fn of(cpus: u16) -> Self {
        let nonce = NONCE | u64::from(cpus);
        Self {
            cpus,
            cases: vec![cpus],
            iterations: 1,
            nonce,
            work_cycles: 1_718_000_000,
            first: (0, 100),
            boost: 1_000,
            whole: WHOLE,
            threads: None,
            challenge: CHALLENGE,
            khz: KHZ,
            sweep: None,
            played: Vec::new(),
        }
    }

    /// What is by chance in this boot: a number below `most` for each subject. Always 0 with the nonce that
    /// [`of`](Self::of) gives, so that the numbers of a lone guest are round.
    fn chance(&self, subject: (u16, u16, Chance), most: u64) -> u64 {
        if self.nonce >> 16 == NONCE >> 16 {
            return 0;
        }
        let (case, iter, chance) = subject;
        let Chance(kind, worker) = chance;
        let of = [case, iter, kind, worker]
            .into_iter()
            .fold(mix(self.nonce), |seed, part| mix(seed ^ u64::from(part)));
        of % most
    }

    /// What a worker's CPU does in an iteration, if that is given.
    fn turn(&self, iter: u16, worker: u16) -> Option<Turn> {
        self.played.get(usize::from(iter))?.get(usize::from(worker)).copied()
    }

    /// A guest that sweeps, with this many threads on each core.
    pub fn sweeping(cpus: u16, threads: u16) -> Self {
        let cases = sweep::cases(cpus / threads, cpus).map(|case| case.workers).collect();
        Self { cases, iterations: 5, threads: Some(threads), sweep: Some(0x0dd5_eed5), ..Self::of(cpus) }
    }

    /// Its cases, each with its iteration, in the order in which they run.
    fn turns(&self) -> Vec<(u16, u16)> {
        if self.sweep.is_none() {
            let of_case = |&case: &u16| (0..self.iterations).map(move |iter| (case, iter));
            return self.cases.iter().flat_map(of_case).collect();
        }
        let order = |iter| {
            let mut cases = self.cases.clone();
            sweep::shuffle(&mut cases, self.sweep.unwrap_or(0), iter);
            cases.into_iter().map(move |case| (case, iter))
        };
        (0..self.iterations).flat_map(order).collect()
    }

    /// The splits of a case.
    fn splits(&self, case: u16) -> Vec<[u64; 4]> {
        if self.sweep.is_none() {
            return primes().split(self.whole, case);
        }
        let cut_points = primes().cut_points(self.whole).expect("primes can be shared out");
        let bounds = (0..case).map(|worker| sweep::bounds(&cut_points, case, worker).expect("a share"));
        bounds.map(|(from, to)| [from, to, self.whole[2], self.whole[3]]).collect()
    }

    /// The CPUs in the order in which they get workers: one CPU of each core, then the second CPU of each core.
    fn cpu_of(&self, worker: u16) -> CpuId {
        let threads = self.threads.unwrap_or(1);
        let cores = self.cpus / threads;
        CpuId(worker % cores * threads + worker / cores)
    }

    /// Its records, except `end`.
    pub fn records(&self) -> Vec<Record> {
        let mut records = self.boot();
        records.extend(self.clock());
        records.extend(self.plan());
        records.push(Seconds { tsc: 0, count: 0 }.into());
        let mut reported = HashSet::new();
        for (case, iter) in self.turns() {
            if self.sweep.is_some() && reported.insert(case) {
                records.extend(self.split_records(case));
            }
            self.case(case, iter, &mut records);
        }
        records.push(Seconds { tsc: 0, count: 0 }.into());
        place_in_time(&mut records, self);
        records
    }

    /// Its log as it arrives from the serial line.
    pub fn log(&self) -> Vec<u8> {
        let mut writer = StreamWriter::default();
        let mut log =
            b"SeaBIOS (version 1.16.2-debian-1.16.2-1)\r\n\r\nBooting from Hard Disk...\r\n".to_vec();
        let mut records = self.records();
        let stamps = place_in_time(&mut records, self);
        let clock = records.iter().position(|record| matches!(record, Record::Tsc(_))).unwrap_or(0);
        for (at, (&record, &micros)) in records.iter().zip(&stamps).enumerate() {
            let ts = if at >= clock { Timestamp::from_micros(micros) } else { Timestamp::UNKNOWN };
            log.extend_from_slice(writer.line(ts, record).as_bytes());
            log.extend_from_slice(b"\r\n");
        }
        let micros = stamps.last().copied().unwrap_or(0);
        log.extend_from_slice(writer.end(Timestamp::from_micros(micros + 9), RunStatus::Ok).as_bytes());
        log.extend_from_slice(b"\r\n\r\nassay: all workers verified\r\n workers  scaled cycles\r\n");
        log
    }

    fn boot(&self) -> Vec<Record> {
        let start = Start {
            proto: 1,
            nonce: Hex64(self.nonce),
            plan: Digest::of(format!("plan {:?} {}", self.cases, self.challenge).as_bytes()),
            build: Hex64(0x0123_4567_89ab_cdef),
        };
        let machine = Machine {
            firmware: Firmware::Bios,
            vendor: label("AuthenticAMD"),
            signature: Hex64(0x0006_0fb1),
            hypervisor: Text::new("TCGTCGTCGTCG"),
        };
        let features = Features {
            apic: ApicMode::Xapic,
            nx: true,
            smep: true,
            smap: true,
            umip: true,
            invariant_tsc: false,
        };
        let memory = Memory { usable_bytes: 132_567_040, regions: 6, heap_bytes: 1 << 20 };
        let system = System { name: SystemName::Assay, release: Text::new("0.1.0") };
        let mut records: Vec<Record> = vec![start.into(), machine.into(), system.into()];
        records.push(Brand { name: Text::new("QEMU Virtual CPU version 2.5+") }.into());
        records.extend([Record::from(features), memory.into()]);
        records.extend((0..self.cpus).map(|cpu| {
            let (state, cycles) = if cpu == 0 {
                (CpuState::Bsp, 0)
            } else {
                (CpuState::Online, 21_000_000 + u64::from(cpu) * 9_001)
            };
            Record::from(Cpu { cpu: CpuId(cpu), apic: ApicId(cpu.into()), state, cycles })
        }));
        if let Some(threads) = self.threads {
            records.extend((0..self.cpus).map(|cpu| {
                let (core, thread) = (Some(u32::from(cpu / threads)), Some(u32::from(cpu % threads)));
                let (source, kind) = (TopologySource::Cpuid0b, CoreKind::Alike);
                let cpu = CpuId(cpu);
                let package = Some(0);
                Record::from(Topology { cpu, source, package, die: None, core, thread, kind, node: None })
            }));
            let hypervisor_leaf = Hex64(0x4000_0010);
            let microcode = Hex64(0x0a10_1148);
            records.push(Platform { hypervisor_leaf, microcode, smbios: SmbiosState::Found }.into());
            let strings = [
                (DmiField::BiosVendor, "Google"),
                (DmiField::SystemVendor, "Google"),
                (DmiField::SystemProduct, "Google Compute Engine"),
            ];
            records.extend(strings.map(|(field, text)| Record::from(Dmi { field, text: Text::new(text) })));
        }
        records.extend(self.registers());
        records
    }

    /// The registers of CPU 0, and of the others one that firmware left in another state.
    fn registers(&self) -> Vec<Record> {
        let register = |cpu, name, found, value| -> Record {
            Register { cpu: CpuId(cpu), name, found: Hex64(found), value: Hex64(value) }.into()
        };
        let mut records = vec![
            register(0, RegisterName::Dr7, 0x400, 0x400),
            register(0, RegisterName::SysenterCs, 0x10, 0),
            register(0, RegisterName::SpecCtrl, 0, 0),
        ];
        records.extend((1..self.cpus).map(|cpu| register(cpu, RegisterName::SysenterCs, 0, 0)));
        records
    }

    fn clock(&self) -> Vec<Record> {
        let (handovers, least) = if self.cpus > 1 { (18_402, 1_907) } else { (0, 0) };
        let samples = 20_000 * u64::from(self.cpus);
        let warp = Warp { cpus: self.cpus, samples, handovers, least, max_warp: 0 };
        let mut records: Vec<Record> = vec![
            TscReading { source: TscSource::Hpet, khz: self.khz }.into(),
            TscReading { source: TscSource::PmTimer, khz: self.khz - self.khz / 10_000 }.into(),
            Tsc { source: TscSource::Hpet, khz: self.khz, sources: 2, spread_ppm: 100 }.into(),
            SecondClock {
                source: SecondSource::Hpet,
                hz: 1_000_000 * PER_MICRO,
                bits: 64,
                independent: true,
            }
            .into(),
            warp.into(),
        ];
        records.extend((1..self.cpus).map(|cpu| {
            let handovers = least + u64::from(cpu);
            Record::from(Offset { cpu: CpuId(cpu), handovers, least_ns: -212, most_ns: 187 })
        }));
        records.push(Phase { name: label("smp"), cycles: 25_200_000 }.into());
        records
    }

    fn plan(&self) -> Vec<Record> {
        let authority = Authority::NONE.with(Right::Exit);
        let experiment =
            Experiment { name: label("smp-process-scale"), workload: label("primes"), authority };
        let blob = Blob { name: label("primes"), bytes: 9_640, sha256: Digest::of(b"the worker's program") };
        let work = Digest::of(format!("work {:?}", self.cases).as_bytes());
        let challenge = Challenge { value: Hex64(self.challenge), work };
        let warm_up = WarmUp { ms: WARM_UP_MS };
        let mut records: Vec<Record> = vec![experiment.into(), challenge.into(), warm_up.into(), blob.into()];
        if let (Some(seed), Some(threads)) = (self.sweep, self.threads) {
            let (cores, cpus) = (self.cpus / threads, self.cpus);
            records.push(Sweep { iterations: self.iterations, seed: Hex64(seed), cores, cpus }.into());
        } else {
            records.extend(self.cases.iter().flat_map(|&case| self.split_records(case)));
        }
        records
    }

    fn split_records(&self, case: u16) -> impl Iterator<Item = Record> {
        let numbered = (0..).zip(self.splits(case));
        numbered.map(move |(worker, [p0, p1, p2, p3])| Split { case, worker, p0, p1, p2, p3 }.into())
    }

    fn case(&self, case: u16, iter: u16, records: &mut Vec<Record>) {
        records.push(CaseReady { case, iter }.into());
        records.push(CaseBegin { case, iter, start_tsc: 0 }.into());
        // Each further worker costs a little speed, as on a real machine.
        let share = self.work_cycles / u64::from(case) * (100 + 3 * u64::from(case - 1)) / 100;
        let (first, percent) = self.first;
        let share = if iter < first { share * percent / 100 } else { share };
        let boosts = case > 1 && self.boost != 1_000;
        let share = if boosts { share * 1_000 / self.boost } else { share };
        let (mut first, mut last) = (u64::MAX, 0);
        let (mut conditions, mut counters) = (Vec::new(), Vec::new());
        for (worker, params) in (0..).zip(self.splits(case)) {
            let odd = u64::from(worker) * 1_013;
            let planned = share + odd * 7 + u64::from(iter) * 55_511;
            let by_chance = |kind, most| self.chance((case, iter, Chance(kind, worker)), most);
            let cycles = self.turn(iter, worker).map_or(planned, |turn| turn.cycles);
            // Up to 0.01 % more.
            let cycles = cycles + cycles / 10_000 * by_chance(3, 1_024) / 1_024;
            let skew = 184 + odd % 97 + by_chance(4, 64);
            (first, last) = (first.min(skew), last.max(skew + cycles));
            let scaled = u32::try_from(cycles >> SCALE_SHIFT).unwrap_or(u32::MAX);
            let expected = primes().expectation(params, self.challenge);
            let (answer, work, digest) = (expected.answer, expected.work, Hex64(expected.digest));
            let cpu = self.cpu_of(worker);
            let entered = cycles_in(LEAD_US, self.khz) - 9_000 - odd - by_chance(5, 512);
            let returned = skew + cycles + 7_000 + odd + by_chance(6, 512);
            let took = entered + returned;
            let watches = u32::try_from(took / cycles_in(WATCH_US, self.khz)).expect("not for ever");
            let late = Some(if watches == 0 { 0 } else { 21_000 + odd });
            let warm_up = cycles_in(u64::from(WARM_UP_MS) * 1_000, self.khz) + 2_111 + odd;
            let watches = Some(watches);
            conditions.push(Record::from(Conditions { case, iter, worker, cpu, warm_up, watches, late }));
            let (aperf, mperf, smis) = (Some(took + took / 2), Some(took + 1_200), Some(0));
            counters.push(Record::from(Counters { case, iter, worker, cpu, aperf, mperf, smis }));
            records.extend([
                Record::from(Worker { case, iter, worker, cpu, skew, cycles, scaled, irqs: 0 }),
                Answer { case, iter, worker, answer, work, digest }.into(),
                Region { case, iter, worker, cpu, entered, returned }.into(),
                WorkerEnd {
                    case,
                    iter,
                    worker,
                    cpu,
                    status: WorkerStatus::Done,
                    refused: 0,
                    first_refused: 0,
                }
                .into(),
            ]);
        }
        records.push(CaseEnd { case, iter, done: case, makespan: last - first, verified: true }.into());
        records.extend((0..case).map(|worker| {
            let odd = u64::from(worker) * 211;
            let by_chance = |kind| self.chance((case, iter, Chance(kind, worker)), 256);
            let (before, after) = (2_107 + odd + by_chance(7), 1_984 + odd + by_chance(8));
            let usual = (u32::from(12_000 - worker % 7), u32::from(12_040 - worker % 5));
            let turn = self.turn(iter, worker);
            let (reads_before, reads_after) =
                turn.map_or(usual, |turn| (turn.reads_before, turn.reads_after));
            let [taken_before, taken_after] = turn.map_or([0; 2], |turn| turn.taken);
            Record::from(Gap {
                case,
                iter,
                worker,
                cpu: self.cpu_of(worker),
                before: before + taken_before,
                after: after + taken_after,
                reads_before,
                reads_after,
                steal_ns: None,
            })
        }));
        let moments = [Moment::Ready, Moment::Warm, Moment::Done];
        records.extend(moments.map(|moment| Record::from(Mark { case, iter, moment, tsc: 0, count: 0 })));
        records.extend(conditions);
        records.extend(counters);
    }
}

/// How much of the second clock passes in a microsecond.
pub const PER_MICRO: u64 = 100;
/// The TSC at the time 0 of the stamps.
const TSC_AT_ZERO: u64 = 3_000_000_000;
/// From `case-ready` to the first mark, and to the end of the last warm-up.
const READY_US: u64 = 20;
const WARM_UP_US: u64 = 21_200;
/// The real-time clock at the time 0 of the stamps, in microseconds.
const RTC_AT_ZERO_US: u64 = 1_795_262_400_400_000;
/// From there to the common start.
const LEAD_US: u64 = 2_000;
/// From the end of the last worker to the last mark, and to `case-begin`.
const PACE_CHECK_US: u64 = 900;
const LAST_US: u64 = 950;

fn cycles_in(micros: u64, khz: u64) -> u64 {
    u64::try_from(u128::from(micros) * u128::from(khz) / 1_000).expect("a TSC that has not wrapped around")
}

fn tsc_at(micros: u64, khz: u64) -> u64 {
    TSC_AT_ZERO + cycles_in(micros, khz)
}

/// Fills in everything that depends on when an iteration ran, and returns each record's stamp in microseconds.
fn place_in_time(records: &mut [Record], guest: &Guest) -> Vec<u64> {
    let khz = guest.khz;
    let (mut now, mut stamps) = (20_000, Vec::with_capacity(records.len()));
    let (mut ready, mut ended) = (0, 0);
    for at in 0..records.len() {
        now += 731;
        let makespan = makespan_us(&records[at..], khz);
        match &mut records[at] {
            Record::CaseReady(_) => ready = now,
            Record::CaseBegin(begin) => {
                let start = ready + warm_up_us(guest, begin.case, begin.iter) + LEAD_US;
                begin.start_tsc = tsc_at(start, khz);
                ended = start + makespan;
                now = ended + LAST_US;
            }
            Record::Mark(mark) => {
                let micros = match mark.moment {
                    Moment::Ready => ready + READY_US,
                    Moment::Warm => ready + warm_up_us(guest, mark.case, mark.iter),
                    Moment::Done => {
                        ended + PACE_CHECK_US + guest.chance((mark.case, mark.iter, Chance::CHECK), 32)
                    }
                };
                (mark.tsc, mark.count) = (tsc_at(micros, khz), micros * PER_MICRO);
            }
            Record::Seconds(seconds) => {
                (seconds.tsc, seconds.count) = (tsc_at(now, khz), (RTC_AT_ZERO_US + now) / 1_000_000);
            }
            _ => {}
        }
        stamps.push(now);
    }
    stamps
}

fn warm_up_us(guest: &Guest, case: u16, iter: u16) -> u64 {
    WARM_UP_US + guest.chance((case, iter, Chance::WARM_UP), 256)
}

/// How long the workers of the first case in `records` took together, in microseconds; 0 if there is none.
fn makespan_us(records: &[Record], khz: u64) -> u64 {
    let makespan = records.iter().find_map(|record| match record {
        Record::CaseEnd(end) => Some(end.makespan),
        _ => None,
    });
    let micros = u128::from(makespan.unwrap_or(0)) * 1_000 / u128::from(khz);
    u64::try_from(micros).expect("not for ever") + 1
}

/// A label from a constant that is valid.
pub fn label(text: &str) -> Label {
    Label::new(text).expect("a label")
}

/// The workload of the tests' experiment.
pub fn primes() -> &'static dyn Workload {
    by_name("primes").expect("the workload is known")
}
