//! The rows of the platform, as a guest prints them.

use abi::CpuId;
use abi::series::{Counts, Packer, SeriesRow, Shortened, Tier, Unavailable, bucket};
use abi::wire::record::{
    PlatformNote, PlatformRows, Series, SeriesCounts, SeriesNone, SeriesOracle, SeriesRange, SeriesSamples,
};
use abi::wire::{Envelope, Record, Text};

use crate::guest::{Guest, KHZ};
use crate::script::Script;

/// The CPUID row of this guest: ten batches of so many operations.
pub const N: u64 = 100;
/// Its samples, in cycles.
pub const SAMPLES: [u64; 10] = [1000, 1000, 1010, 1020, 1030, 1040, 1050, 1060, 1070, 90_000];

/// How long each CPU of this guest looks for gaps, in milliseconds.
pub const NOISE_MS: u32 = 5;

/// The records of the rows of a machine of two CPUs, with one row that is measured and a window of gaps on each CPU.
pub fn records(short: Shortened) -> Vec<Record> {
    let (noise_ms, window) = (NOISE_MS, u64::from(NOISE_MS) * KHZ);
    let mut records: Vec<Record> = vec![PlatformRows { noise_ms, short }.into()];
    records.extend(series(0, SeriesRow::ExitCpuid, 0, N, &SAMPLES, N * 10));
    for cpu in [0, 1] {
        let mut gaps = series(1 + cpu, SeriesRow::HwNoise, u64::from(noise_ms), 1, &[], window);
        if let Some(Record::Series(series)) = gaps.first_mut() {
            series.cpu = CpuId(cpu);
        }
        records.extend(gaps);
    }
    let measured = [SeriesRow::ExitCpuid, SeriesRow::HwNoise];
    for row in SeriesRow::of_tier(Tier::Platform).filter(|row| !measured.contains(row)) {
        let reason = Unavailable::NotOffered;
        records.push(SeriesNone { row, cpu: CpuId(0), peer: None, arg: 0, reason }.into());
    }
    records
        .push(PlatformNote { llc_bytes: 1 << 24, steal_ns: None, smis: None, nmis: 0, took_ms: 90 }.into());
    records
}

/// The records of a series whose samples are in order.
pub(crate) fn series(id: u16, row: SeriesRow, arg: u64, n: u64, samples: &[u64], due: u64) -> Vec<Record> {
    let class = row.spec().class;
    let (min, max) = (samples.first().copied().unwrap_or(0), samples.last().copied().unwrap_or(0));
    let (mut counts, mut packer) = (Counts::default(), Packer::<128>::default());
    for same in samples.chunk_by(|a, b| bucket(*a) == bucket(*b)) {
        assert!(packer.push(&counts.pair(bucket(same[0]), same.len() as u64)));
    }
    let count = u32::try_from(samples.len()).expect("few");
    let mut records: Vec<Record> = vec![
        Series { id, row, cpu: CpuId(0), peer: None, arg, class, n, count }.into(),
        SeriesOracle { id, due, done: due, wrong: 0 }.into(),
        SeriesRange { id, cold: 77, min, max, sum: samples.iter().sum() }.into(),
    ];
    if !packer.is_empty() {
        records.push(SeriesCounts { id, part: 0, counts: Text::new(packer.as_str()) }.into());
    }
    records
}

/// The records of [`records`] with every sample of the measured row.
pub fn records_with_samples() -> Vec<Record> {
    let mut records = records(Shortened::None);
    records.insert(1, samples_of(0));
    records
}

/// The samples of the series with this number, in the order in which they were taken.
///
/// # Panics
/// Never: they fit one record.
#[must_use]
pub fn samples_of(id: u16) -> Record {
    let mut packer = Packer::<128>::default();
    for sample in SAMPLES.into_iter().rev() {
        assert!(packer.push(&[sample]));
    }
    SeriesSamples { id, part: 0, samples: Text::new(packer.as_str()) }.into()
}

/// The log of a guest with these records before its `end`.
pub fn log_with(guest: &Guest, records: &[Record]) -> Vec<u8> {
    let mut script = Script::of(&guest.log());
    let end = script.records.len() - 1;
    let last = script.records[end];
    let added = records.iter().map(|&record| Envelope { record, ..last });
    script.records.splice(end..end, added);
    script.log()
}
