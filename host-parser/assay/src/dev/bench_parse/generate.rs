//! A log of many boots, made from one good log.

use std::collections::HashMap;
use std::io::{self, Write};

use abi::random::mix;
use abi::wire::record::{CaseEnd, End, Gap, Mark, Moment, Region, Start, Worker};
use abi::wire::{Envelope, Hex64, Record, StreamWriter, decode};
use abi::worker::SCALE_SHIFT;
use anyhow::{Context, ensure};

/// The records of one boot.
#[derive(Debug)]
pub struct Template(Vec<Envelope>);

impl Template {
    /// The records of a log, which has one boot that ended.
    ///
    /// # Errors
    /// The log has no such boot.
    pub fn of(log: &[u8]) -> anyhow::Result<Self> {
        let lines = log.split(|&byte| byte == b'\n').map(<[u8]>::trim_ascii);
        let records: Vec<Envelope> = lines.filter_map(|line| decode(line).ok()).collect();
        let last = records.last().context("the log has no record")?;
        ensure!(matches!(last.record, Record::End(_)), "the log has no `end`");
        Ok(Self(records))
    }

    /// Writes boots that differ in their nonces and in the last digits of their clock readings, as boots do, until there are
    /// `bytes` bytes. Returns how many boots and bytes there are.
    ///
    /// # Errors
    /// Those of `out`.
    pub fn write(&self, out: &mut dyn Write, bytes: u64) -> io::Result<(u64, u64)> {
        let (mut boots, mut written) = (0, 0);
        while written < bytes {
            written += self.boot(out, boots)?;
            boots += 1;
        }
        Ok((boots, written))
    }

    /// How many iterations and how many workers' times a boot has.
    pub fn samples(&self) -> (usize, usize) {
        let count = |is: fn(&Record) -> bool| self.0.iter().filter(|envelope| is(&envelope.record)).count();
        (
            count(|record| matches!(record, Record::CaseEnd(_))),
            count(|record| matches!(record, Record::Worker(_))),
        )
    }

    fn boot(&self, out: &mut dyn Write, nonce: u64) -> io::Result<u64> {
        let mut stream = StreamWriter::default();
        let (mut written, mut noise) = (0, Noise { boot: nonce, ..Noise::default() });
        for envelope in &self.0 {
            let line = match envelope.record {
                Record::Start(start) => stream.line(envelope.ts, Start { nonce: Hex64(nonce), ..start }),
                Record::End(End { status, .. }) => stream.end(envelope.ts, status),
                record => stream.line(envelope.ts, noise.add(record)),
            };
            out.write_all(line.as_bytes())?;
            out.write_all(b"\r\n")?;
            written += line.as_bytes().len() as u64 + 2;
        }
        Ok(written)
    }
}

/// Changes the last digits of a boot's clock readings: by less than any rule's tolerance, so that they still agree, and so
/// that no two of 2^18 boots have the same times, which would be copies.
#[derive(Default)]
struct Noise {
    boot: u64,
    /// How many numbers were drawn.
    drawn: u64,
    /// By how much each worker of the iteration now takes longer.
    longer: HashMap<u16, u64>,
    /// The first start and the last end of the workers, from the common start.
    span: Option<(u64, u64)>,
}

impl Noise {
    /// The next number, below 256.
    fn draw(&mut self) -> u64 {
        self.drawn += 1;
        mix(self.boot << 32 | self.drawn) & 0xff
    }

    /// How many cycles an iteration begins earlier: its own of each of [`BEGINNINGS`] boots.
    const fn earlier(&self) -> u64 {
        self.boot % BEGINNINGS
    }

    fn add(&mut self, record: Record) -> Record {
        match record {
            Record::CaseBegin(_) => {
                self.longer.clear();
                self.span = None;
                record
            }
            Record::Worker(worker) => self.worker(worker).into(),
            Record::Region(region) => {
                let longer = self.longer.get(&region.worker).copied().unwrap_or(0);
                let (entered, returned) =
                    (region.entered.saturating_sub(self.draw()), region.returned + longer);
                Region { entered, returned: returned + self.draw(), ..region }.into()
            }
            Record::CaseEnd(end) => {
                let makespan = self.span.map_or(end.makespan, |(first, last)| last - first);
                CaseEnd { makespan, ..end }.into()
            }
            Record::Gap(gap) => {
                let (before, after) = (gap.before + self.draw(), gap.after + self.draw());
                Gap { before, after, ..gap }.into()
            }
            Record::Mark(mark) => match mark.moment {
                Moment::Ready => Mark { tsc: mark.tsc - self.earlier(), ..mark }.into(),
                // The common start follows from it.
                Moment::Warm => record,
                Moment::Back | Moment::Done => {
                    Mark { tsc: mark.tsc + 0x100 * LENGTHS + 0x100 + self.draw(), ..mark }.into()
                }
            },
            _ => record,
        }
    }

    fn worker(&mut self, worker: Worker) -> Worker {
        let longer = self.draw() + 0x100 * (self.boot / BEGINNINGS % LENGTHS);
        self.longer.insert(worker.worker, longer);
        let cycles = worker.cycles + longer;
        let (first, last) = self.span.unwrap_or((worker.skew, 0));
        self.span = Some((first.min(worker.skew), last.max(worker.skew + cycles)));
        Worker { cycles, scaled: u32::try_from(cycles >> SCALE_SHIFT).unwrap_or(u32::MAX), ..worker }
    }
}

/// By how many cycles an iteration's beginning differs, at most.
const BEGINNINGS: u64 = 1 << 14;

/// By how many times 256 cycles the workers' times of two boots differ, at most.
const LENGTHS: u64 = 1 << 4;

#[cfg(test)]
mod tests {
    use evidence::gate::{Gate, RunExpectation};
    use evidence::transcript::Boots;
    use test_support::guest::Guest;

    use super::*;

    #[test]
    fn every_boot_passes_and_is_of_one_row() {
        let template = Template::of(&Guest::of(2).log()).expect("a good log");
        let mut log = Vec::new();
        let (boots, bytes) = template.write(&mut log, 30_000).expect("memory takes all");
        assert_eq!(bytes, log.len() as u64);
        let mut gate = Gate::default();
        let judged = Boots::of(&log[..])
            .map(|boot| gate.judge_boot(&boot.expect("memory can be read"), &RunExpectation::default()).row);
        let rows: Vec<_> = judged.collect();
        assert!(rows.len() as u64 == boots && boots > 3);
        assert!(rows.iter().all(|&row| row == Some(0)), "{rows:?}");
    }

    #[test]
    fn boots_of_any_number_pass() {
        let template = Template::of(&Guest::of(1).log()).expect("a good log");
        let (last, mut gate) = (BEGINNINGS * LENGTHS - 1, Gate::default());
        for nonce in [0, 1, BEGINNINGS - 1, BEGINNINGS, last - 1, last, last + 1] {
            let mut log = Vec::new();
            template.boot(&mut log, nonce).expect("memory takes all");
            let boot = Boots::of(&log[..]).next().expect("a boot").expect("memory can be read");
            let verdict = gate.judge_boot(&boot, &RunExpectation::default()).verdict;
            assert!(verdict.outcome.refusal().is_none(), "{nonce}: {:?}", verdict.outcome.refusal());
        }
    }

    #[test]
    fn refuses_a_log_without_a_whole_boot() {
        for log in [&b""[..], b"text\n"] {
            assert!(Template::of(log).is_err());
        }
    }
}
