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

/// Changes the last digits of a boot's clock readings: by less than any rule's tolerance, and so that they still agree.
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
                Moment::Ready => Mark { tsc: mark.tsc - self.draw(), ..mark }.into(),
                // The common start follows from it.
                Moment::Warm => record,
                Moment::Back | Moment::Done => Mark { tsc: mark.tsc + 512 + self.draw(), ..mark }.into(),
            },
            _ => record,
        }
    }

    fn worker(&mut self, worker: Worker) -> Worker {
        let longer = self.draw();
        self.longer.insert(worker.worker, longer);
        let cycles = worker.cycles + longer;
        let (first, last) = self.span.unwrap_or((worker.skew, 0));
        self.span = Some((first.min(worker.skew), last.max(worker.skew + cycles)));
        Worker { cycles, scaled: u32::try_from(cycles >> SCALE_SHIFT).unwrap_or(u32::MAX), ..worker }
    }
}

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
    fn refuses_a_log_without_a_whole_boot() {
        for log in [&b""[..], b"text\n"] {
            assert!(Template::of(log).is_err());
        }
    }
}
