//! A row: what was counted, once or several times in a run.

use std::collections::BTreeMap;

use abi::series::{Numbers, Tier};
use abi::wire::Record;
use abi::wire::record::Series;

/// What was counted. There is one sample at least.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct Row {
    /// Its name.
    pub name: String,
    samples: Vec<u64>,
}

impl Row {
    /// A row of these samples, in instructions; `None` without any.
    #[must_use]
    pub fn new(name: &str, mut samples: Vec<u64>) -> Option<Self> {
        samples.sort_unstable();
        (!samples.is_empty()).then(|| Self { name: name.to_owned(), samples })
    }

    /// The least sample. What an interrupt adds is not in it, if one sample was without.
    #[must_use]
    pub fn least(&self) -> u64 {
        self.samples.first().copied().unwrap_or(0)
    }

    /// The median; of an even number of samples the upper one of the two in the middle, which was counted.
    #[must_use]
    pub fn median(&self) -> u64 {
        self.samples.get(self.samples.len() / 2).copied().unwrap_or(0)
    }

    /// How many samples there are.
    #[must_use]
    pub fn samples(&self) -> usize {
        self.samples.len()
    }

    /// Whether the row can be compared without a tolerance: more than half of its samples are the least.
    #[must_use]
    pub fn is_steady(&self) -> bool {
        self.least() == self.median()
    }
}

/// The sum of a boot's steps.
const BOOT: &str = "boot";

/// The rows of a boot of our kernel, or of the Linux twin, by its records: each step of the boot and their sum, the timed
/// region of the workers, and the way out of ring 3. In the exact mode the TSC counts instructions.
///
/// A row of the mechanisms is what one operation takes, by each sample that was printed, with the loop around it; one sample
/// of `n` operations is divided by them, and what is left over is dropped. One whose oracle does not hold has no count.
///
/// The way out is from the worker's last reading of the clock to the kernel's first one after it: the end of the worker,
/// its return into the kernel, and the end of the watch over it.
#[must_use]
pub fn of_records<'a>(records: impl IntoIterator<Item = &'a Record>) -> Vec<Row> {
    let (mut rows, mut boot) = (Vec::new(), 0_u64);
    let (mut workers, mut ways_out, mut worker_end) = (Vec::new(), Vec::new(), None);
    let (mut series, mut samples) = (Vec::new(), BTreeMap::<u16, Vec<u64>>::new());
    let mut refuted = Vec::new();
    for record in records {
        match record {
            Record::Phase(phase) => {
                boot = boot.saturating_add(phase.cycles);
                rows.extend(Row::new(&format!("{BOOT}: {}", phase.name), vec![phase.cycles]));
            }
            Record::Worker(worker) => {
                workers.push(worker.cycles);
                worker_end = Some(worker.skew.saturating_add(worker.cycles));
            }
            Record::Region(region) => {
                let end = worker_end.take();
                ways_out.extend(end.and_then(|end| region.returned.checked_sub(end)));
            }
            Record::Series(one) if one.row.spec().tier == Tier::Mechanism => {
                series.push((one.id, series_name(one), one.n.max(1)));
            }
            Record::SeriesOracle(oracle) if oracle.due != oracle.done || oracle.wrong > 0 => {
                refuted.push(oracle.id);
            }
            Record::SeriesSamples(part) => {
                samples.entry(part.id).or_default().extend(Numbers::of(part.samples.decoded()).flatten());
            }
            _ => {}
        }
    }
    if !rows.is_empty() {
        rows.extend(Row::new(BOOT, vec![boot]));
    }
    rows.extend(Row::new("worker", workers));
    rows.extend(Row::new("ring 3 to kernel", ways_out));
    for (id, name, n) in series.into_iter().filter(|(id, ..)| !refuted.contains(id)) {
        let of_one = samples.remove(&id).unwrap_or_default().into_iter().map(|cycles| cycles / n);
        rows.extend(Row::new(&name, of_one.collect()));
    }
    rows
}

/// The name of a series: its row, and its argument if it has one.
fn series_name(series: &Series) -> String {
    if series.arg == 0 { series.row.to_string() } else { format!("{} {}", series.row, series.arg) }
}

#[cfg(test)]
mod tests {
    use abi::CpuId;
    use abi::series::{Packer, SeriesClass, SeriesRow};
    use abi::wire::record::{Phase, Region, SeriesOracle, SeriesSamples, Worker};
    use abi::wire::{Label, Text};

    use super::*;

    #[test]
    fn a_row_is_steady_if_more_than_half_of_its_samples_are_the_least() {
        let steady = |samples: &[u64]| Row::new("x", samples.to_vec()).unwrap().is_steady();
        assert!(steady(&[7]) && steady(&[9, 7, 7]) && steady(&[7, 7, 9, 7]));
        assert!(!steady(&[7, 9]) && !steady(&[7, 9, 9]) && !steady(&[9, 7, 7, 9]));
        assert_eq!(Row::new("x", Vec::new()), None);
    }

    #[test]
    fn records_become_steps_and_their_sum_workers_and_ways_out() {
        let phase = |name, cycles| Record::Phase(Phase { name: Label::new(name).unwrap(), cycles });
        let (case, iter, worker, cpu) = (1, 0, 0, CpuId(0));
        let timed = Worker { case, iter, worker, cpu, skew: 4, cycles: 1_000, scaled: 0, irqs: 0 };
        let region = Region { case, iter, worker, cpu, entered: 50, returned: 1_104 };
        let records = [phase("memory", 300), phase("clock", 2_000), timed.into(), region.into()];
        let rows = of_records(&records);
        let shown: Vec<_> = rows.iter().map(|row| (row.name.as_str(), row.least())).collect();
        let steps = [("boot: memory", 300), ("boot: clock", 2_000), ("boot", 2_300)];
        assert_eq!(shown, [steps.as_slice(), &[("worker", 1_000), ("ring 3 to kernel", 100)]].concat());
        assert_eq!(of_records(&[]), []);
    }

    #[test]
    fn a_row_of_the_mechanisms_is_one_operation_of_each_sample() {
        let (row, class) = (SeriesRow::CapRefused, SeriesClass::Batch);
        let series = Series { id: 3, row, cpu: CpuId(0), peer: None, arg: 2, class, n: 10, count: 2 };
        let mut packer = Packer::<128>::default();
        assert!(packer.push(&[1_069, 1_070]));
        let samples = SeriesSamples { id: 3, part: 0, samples: Text::new(packer.as_str()) };
        // The samples come first, as the kernel prints them.
        let rows = of_records(&[samples.into(), series.into()]);
        assert_eq!(rows, [Row::new("cap_refused 2", vec![106, 107]).unwrap()]);
        let oracle = |done, wrong| SeriesOracle { id: 3, due: 20, done, wrong };
        let all = |oracle: SeriesOracle| of_records(&[samples.into(), series.into(), oracle.into()]).len();
        assert_eq!([oracle(20, 0), oracle(19, 0), oracle(20, 1)].map(all), [1, 0, 0]);
    }
}
