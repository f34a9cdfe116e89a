//! The page for a person who rents this machine: what it is, what others take of it, and what it costs, each beside what is
//! usual for its kind and who published that. The kernel prints it at the end of a boot, `assay parse` from the log.
//!
//! No floating point: the kernel has none. Times are in picoseconds.

use core::fmt;

use abi::series::SeriesRow;

use crate::clock::Clock;
use crate::sampler::Figure;

/// What kind of machine it is.
#[derive(Clone, Copy, Debug, Eq, PartialEq)]
pub enum Kind {
    /// No hypervisor is reported.
    Bare,
    /// A hypervisor runs the CPUs themselves.
    Virtual,
    /// The CPUs are translated: their times are no hardware's.
    Emulated,
}

impl Kind {
    /// By the signature of the hypervisor; empty without one.
    #[must_use]
    pub fn of(hypervisor: &str) -> Self {
        match hypervisor {
            "" => Self::Bare,
            "TCGTCGTCGTCG" => Self::Emulated,
            _ => Self::Virtual,
        }
    }
}

/// What the page is made of. `None` is a figure that there is not.
#[derive(Clone, Copy, Debug, Default, Eq, PartialEq)]
pub struct Facts {
    /// A CPUID, which is an exit on a virtual machine: the median.
    pub exit: Option<u64>,
    /// From an interrupt's command to the handler of a CPU that was halted for a millisecond: the median.
    pub wake: Option<u64>,
    /// An interrupt to a spinning CPU and its answer: the median.
    pub ipi: Option<u64>,
    /// How late a timer of a millisecond is on a halted CPU: the 99th percentile.
    pub timer: Option<u64>,
    /// A transfer between two CPUs: the medians of the nearest and of the farthest pair.
    pub transfer: Option<(u64, u64)>,
    /// A load from the largest buffer, in large pages: the median.
    pub load: Option<u64>,
    /// The bytes that one CPU reads in a second, and all of them.
    pub bandwidth: Option<(u64, u64)>,
    /// The part of the time that was taken from the CPUs, in parts per million.
    pub taken_ppm: Option<u64>,
    /// The longest time for which a CPU stood still.
    pub pause: Option<u64>,
    /// Series whose oracle failed.
    pub failed: u64,
}

impl Facts {
    /// The facts that the figures of a boot give.
    #[must_use]
    pub fn of(figures: &[Figure], clock: &Clock) -> Self {
        let mut facts = Self::default();
        let (mut gaps, mut window) = (0_u128, 0_u128);
        for figure in figures {
            if !figure.holds {
                facts.failed += 1;
                continue;
            }
            let of_one = |cycles: u64| picoseconds(cycles, clock) / figure.n.max(1);
            facts.take(figure.place.row, figure.place.arg, of_one(figure.median), of_one(figure.p99));
            if figure.place.row == SeriesRow::HwNoise {
                gaps += u128::from(figure.sum);
                window += u128::from(figure.due);
                facts.longest(picoseconds(figure.max, clock));
            }
        }
        facts.taken_ppm =
            (window > 0).then(|| u64::try_from(gaps * 1_000_000 / window.max(1)).unwrap_or(u64::MAX));
        facts
    }

    /// Takes one series whose oracle holds: its median and 99th percentile for one operation. Rows that the page does not
    /// show change nothing.
    pub fn take(&mut self, row: SeriesRow, arg: u64, median: u64, p99: u64) {
        match row {
            SeriesRow::ExitCpuid => self.exit = Some(median),
            SeriesRow::HltWake if arg == 1000 => self.wake = Some(median),
            SeriesRow::IpiRt => self.ipi = Some(self.ipi.map_or(median, |known| known.min(median))),
            SeriesRow::TimerHalt if arg == 1000 => self.timer = Some(p99),
            // Half of a round trip.
            SeriesRow::CoreToCore => {
                let half = median / 2;
                let (near, far) = self.transfer.unwrap_or((half, half));
                self.transfer = Some((near.min(half), far.max(half)));
            }
            // The sizes grow.
            SeriesRow::MemLat2m => self.load = Some(median),
            SeriesRow::MemRead => {
                let bytes = 8 * 1_000_000_000_000 / median.max(1);
                let (one, _) = self.bandwidth.filter(|_| arg > 1).unwrap_or((bytes, bytes));
                self.bandwidth = Some((one, bytes));
            }
            _ => {}
        }
    }

    /// Takes the longest gap of one CPU.
    pub fn longest(&mut self, pause: u64) {
        self.pause = Some(self.pause.map_or(pause, |known| known.max(pause)));
    }
}

fn picoseconds(cycles: u64, clock: &Clock) -> u64 {
    let ps = u128::from(cycles) * 1_000_000_000 / u128::from(clock.khz().max(1));
    u64::try_from(ps).unwrap_or(u64::MAX)
}

/// The page. Displayed, it is at most 80 columns wide.
#[derive(Clone, Copy, Debug)]
pub struct Page<'a> {
    /// The name of the CPU.
    pub cpu: &'a str,
    /// The hypervisor, as CPUID names it; empty without one.
    pub hypervisor: &'a str,
    /// CPUs that are online.
    pub cpus: u16,
    /// The memory that the machine has, in bytes.
    pub memory_bytes: u64,
    /// The figures.
    pub facts: Facts,
}

/// What is usual for virtual machines, in words, with its source. What has no published range says so.
struct Usual {
    virtual_machine: &'static str,
    bare: &'static str,
}

const EXIT: Usual = Usual {
    virtual_machine: "0.4 to 1 us (1,291 to 2,000 cycles: Linux b7ffc44d; Xeon X5570)",
    bare: "no published range",
};
const WAKE: Usual = Usual { virtual_machine: "no published range", bare: "no published range" };
const IPI: Usual =
    Usual { virtual_machine: "about 10 us one way (QNX, hypervisor guest)", bare: "no published range" };
const TIMER: Usual = Usual {
    virtual_machine: "60 us on a tuned host, 40 ms on another (seapath, issue 57)",
    bare: "no published range",
};
const TRANSFER: Usual = Usual {
    virtual_machine: "i9-9900K 21 ns, Xeon 8375C 51, EPYC 7R13 23 and 107 (c2c)",
    bare: "i9-9900K 21 ns, Xeon 8375C 51, EPYC 7R13 23 and 107 (c2c)",
};
const LOAD: Usual = Usual {
    virtual_machine: "81 ns near, 140 ns far (Intel MLC, its example)",
    bare: "81 ns near, 140 ns far (Intel MLC, its example)",
};
const TAKEN: Usual = Usual { virtual_machine: "no published range", bare: "no published range" };
const PAUSE: Usual = Usual { virtual_machine: "no published range", bare: "no published range" };

impl Usual {
    fn of(&self, kind: Kind) -> &'static str {
        match kind {
            Kind::Virtual => self.virtual_machine,
            Kind::Bare => self.bare,
            Kind::Emulated => "",
        }
    }
}

impl fmt::Display for Page<'_> {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        let Self { cpu, hypervisor, cpus, memory_bytes, facts } = *self;
        let kind = Kind::of(hypervisor);
        writeln!(f, "\n  THIS MACHINE")?;
        writeln!(f, "    {:.74}", cpu.trim())?;
        let what = match kind {
            Kind::Bare => "no hypervisor is reported",
            Kind::Virtual => "a virtual machine of ",
            Kind::Emulated => "emulated: no time below is hardware's",
        };
        let memory_mib = memory_bytes >> 20;
        let by = if kind == Kind::Virtual { hypervisor } else { "" };
        writeln!(f, "    {cpus} CPUs, {memory_mib} MiB of memory; {what}{by:.21}\n")?;
        let time = |value: Option<u64>| value.map(Shown::Time);
        let first = |pair: Option<(u64, u64)>| pair.map(|(one, _)| one);
        let last = |pair: Option<(u64, u64)>| pair.map(|(_, other)| other);
        line(f, "taken by others", facts.taken_ppm.map(Shown::Ppm), &TAKEN, kind)?;
        line(f, "longest pause of a CPU", time(facts.pause), &PAUSE, kind)?;
        line(f, "exit to the hypervisor (CPUID)", time(facts.exit), &EXIT, kind)?;
        line(f, "wake-up of a halted CPU", time(facts.wake), &WAKE, kind)?;
        line(f, "interrupt to a CPU, and answer", time(facts.ipi), &IPI, kind)?;
        line(f, "lateness of a timer, 99 of 100", time(facts.timer), &TIMER, kind)?;
        line(f, "line to the nearest CPU", time(first(facts.transfer)), &TRANSFER, kind)?;
        line(f, "line to the farthest CPU", time(last(facts.transfer)), &TRANSFER, kind)?;
        line(f, "load from memory", time(facts.load), &LOAD, kind)?;
        plain(f, "read by one CPU", first(facts.bandwidth).map(Shown::Bytes))?;
        plain(f, "read by all CPUs", last(facts.bandwidth).map(Shown::Bytes))?;
        if facts.failed > 0 {
            writeln!(f, "\n    {} series have no figure: their proof of work failed", facts.failed)?;
        }
        Ok(())
    }
}

fn line(
    f: &mut fmt::Formatter<'_>,
    what: &str,
    here: Option<Shown>,
    usual: &Usual,
    kind: Kind,
) -> fmt::Result {
    plain(f, what, here)?;
    match usual.of(kind) {
        "" => Ok(()),
        usual => writeln!(f, "      usual: {usual}"),
    }
}

fn plain(f: &mut fmt::Formatter<'_>, what: &str, here: Option<Shown>) -> fmt::Result {
    write!(f, "    {what:<34}")?;
    match here {
        Some(here) => writeln!(f, "{here}"),
        None => writeln!(f, "-"),
    }
}

/// A value for a person.
enum Shown {
    /// Picoseconds.
    Time(u64),
    /// Parts per million.
    Ppm(u64),
    /// Bytes in a second.
    Bytes(u64),
}

impl fmt::Display for Shown {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        match *self {
            Self::Time(ps) if ps < 1_000_000 => write!(f, "{}.{} ns", ps / 1000, ps % 1000 / 100),
            Self::Time(ps) if ps < 1_000_000_000 => {
                write!(f, "{}.{:02} us", ps / 1_000_000, ps % 1_000_000 / 10_000)
            }
            Self::Time(ps) => write!(f, "{}.{:02} ms", ps / 1_000_000_000, ps % 1_000_000_000 / 10_000_000),
            Self::Ppm(ppm) => write!(f, "{}.{:04} %", ppm / 10_000, ppm % 10_000),
            Self::Bytes(bytes) => {
                write!(f, "{}.{:02} GB/s", bytes / 1_000_000_000, bytes % 1_000_000_000 / 10_000_000)
            }
        }
    }
}

#[cfg(test)]
mod tests {
    use alloc::string::{String, ToString};

    use super::*;

    fn page(hypervisor: &str) -> String {
        let mut facts = Facts {
            exit: Some(1_210_000),
            wake: Some(52_000_000),
            pause: Some(7_500_000_000),
            ..Facts::default()
        };
        facts.take(SeriesRow::CoreToCore, 0, 100_000, 0);
        facts.take(SeriesRow::CoreToCore, 0, 300_000, 0);
        facts.take(SeriesRow::MemRead, 1, 800, 0);
        facts.take(SeriesRow::MemRead, 4, 250, 0);
        facts.taken_ppm = Some(123);
        let cpu =
            &"Intel(R) Xeon(R) Platinum 8488C CPU @ 2.40GHz with a very long name that goes on and on and on";
        Page { cpu, hypervisor, cpus: 4, memory_bytes: 8 << 30, facts }.to_string()
    }

    #[test]
    fn is_at_most_80_columns_wide_on_every_kind_of_machine() {
        for hypervisor in ["", "KVMKVMKVM", "TCGTCGTCGTCG", "a hypervisor with a long name"] {
            let page = page(hypervisor);
            for line in page.lines() {
                assert!(line.len() <= 80, "{line}");
            }
        }
    }

    #[test]
    fn shows_each_figure_with_its_unit_and_its_range() {
        let page = page("KVMKVMKVM");
        for wanted in [
            "exit to the hypervisor (CPUID)    1.21 us\n      usual: 0.4 to 1 us",
            "longest pause of a CPU            7.50 ms",
            "taken by others                   0.0123 %",
            "line to the nearest CPU           50.0 ns",
            "line to the farthest CPU          150.0 ns",
            "read by one CPU                   10.00 GB/s",
            "read by all CPUs                  32.00 GB/s",
            "load from memory                  -\n",
        ] {
            assert!(page.contains(wanted), "{wanted}\n{page}");
        }
        assert!(!self::page("TCGTCGTCGTCG").contains("usual"));
    }
}
