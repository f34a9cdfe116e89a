//! A log of many boots, made from one good log.

use std::io::{self, Write};

use abi::wire::record::End;
use abi::wire::{Envelope, Hex64, Record, StreamWriter, decode};
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

    /// Writes boots that differ in their nonces until there are `bytes` bytes. Returns how many boots and bytes there are.
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
        let mut written = 0;
        for envelope in &self.0 {
            let line = match envelope.record {
                Record::Start(mut start) => {
                    start.nonce = Hex64(nonce);
                    stream.line(envelope.ts, start)
                }
                Record::End(End { status, .. }) => stream.end(envelope.ts, status),
                record => stream.line(envelope.ts, record),
            };
            out.write_all(line.as_bytes())?;
            out.write_all(b"\r\n")?;
            written += line.as_bytes().len() as u64 + 2;
        }
        Ok(written)
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
