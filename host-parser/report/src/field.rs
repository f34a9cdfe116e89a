//! The workloads that the field measures, and what of each is measured here: the table of docs/WORKLOADS.md and of `assay
//! workloads`. Each line stands for itself; there is no figure in the table, and none for all of its lines.

use crate::lines::wrapped;

/// What is measured of a workload of the field.
#[derive(Clone, Copy, Debug, Eq, PartialEq)]
pub enum Measured {
    /// Programs here measure it.
    Measured,
    /// Programs here measure the part of it that is in memory.
    MemoryBacked,
    /// Nothing is: the machine has not what it needs.
    NotApplicable,
}

impl Measured {
    /// The word for it.
    #[must_use]
    pub const fn word(self) -> &'static str {
        match self {
            Self::Measured => "measured",
            Self::MemoryBacked => "memory-backed",
            Self::NotApplicable => "not_applicable",
        }
    }
}

/// A workload that the field measures.
#[derive(Clone, Copy, Debug)]
pub struct FieldWorkload {
    /// Its kind, and the benchmarks that stand for it.
    pub name: &'static str,
    /// What of it is measured.
    pub measured: Measured,
    /// The programs that measure it; none if nothing is measured.
    pub programs: &'static [&'static str],
    /// What is missing; nothing if it is measured as it is.
    pub missing: &'static str,
}

/// All of them.
pub const FIELD: [FieldWorkload; 15] = [
    FieldWorkload {
        name: "OLTP (TPC-C, sysbench)",
        measured: Measured::NotApplicable,
        programs: &[],
        missing: "a file system, durable storage, a network, a database server",
    },
    FieldWorkload {
        name: "decision support (TPC-H, TPC-DS)",
        measured: Measured::NotApplicable,
        programs: &[],
        missing: "a database server, and memory and storage for its data",
    },
    FieldWorkload {
        name: "embedded SQL (SQLite's speedtest1)",
        measured: Measured::MemoryBacked,
        programs: &["sqlite"],
        missing: "a file system and durable storage: databases are in memory, of integers and short texts",
    },
    FieldWorkload {
        name: "storage engine (RocksDB, LMDB)",
        measured: Measured::MemoryBacked,
        programs: &["kv-btree", "kv-hash"],
        missing: "a file system and durable storage: the maps are the part in memory",
    },
    FieldWorkload {
        name: "key-value store (YCSB)",
        measured: Measured::MemoryBacked,
        programs: &["kv-btree", "kv-hash"],
        missing: "a server, a network, durability: the mix of operations is there",
    },
    FieldWorkload {
        name: "network (iperf, netperf)",
        measured: Measured::NotApplicable,
        programs: &[],
        missing: "a network stack and a device",
    },
    FieldWorkload {
        name: "storage (fio)",
        measured: Measured::NotApplicable,
        programs: &[],
        missing: "a block device",
    },
    FieldWorkload {
        name: "Java (SPECjbb, DaCapo)",
        measured: Measured::NotApplicable,
        programs: &[],
        missing: "a JVM: threads, signals, `mmap`, a file system",
    },
    FieldWorkload {
        name: "cloud (CloudSuite)",
        measured: Measured::NotApplicable,
        programs: &[],
        missing: "a network, containers, an operating system's interface",
    },
    FieldWorkload {
        name: "microservices (DeathStarBench)",
        measured: Measured::NotApplicable,
        programs: &[],
        missing: "a network, containers, an operating system's interface",
    },
    FieldWorkload {
        name: "machine learning (MLPerf)",
        measured: Measured::NotApplicable,
        programs: &[],
        missing: "accelerators, data sets, trained models; `dgemm` and `transformer` are small kernels of it",
    },
    FieldWorkload {
        name: "compression and hashing (lzbench)",
        measured: Measured::Measured,
        programs: &["lz4-compress", "lz4-decompress", "chunk-hash"],
        missing: "",
    },
    FieldWorkload {
        name: "memory (STREAM, lmbench, RandomAccess)",
        measured: Measured::Measured,
        programs: &["triad", "chase", "gups"],
        missing: "",
    },
    FieldWorkload {
        name: "dense linear algebra (Linpack's kernel)",
        measured: Measured::Measured,
        programs: &["dgemm"],
        missing: "",
    },
    FieldWorkload {
        name: "locks and shared lines",
        measured: Measured::Measured,
        programs: &[
            "contention-shared-line",
            "contention-false-sharing",
            "contention-ticket-lock",
            "contention-mcs-lock",
            "contention-barrier",
        ],
        missing: "",
    },
];

/// The table for a terminal, of at most 80 columns.
#[must_use]
pub fn field() -> String {
    let mut text = "Of the workloads that the field measures:\n".to_owned();
    for FieldWorkload { name, measured, programs, missing } in FIELD {
        let by = if programs.is_empty() { String::new() } else { format!(" by {}", programs.join(", ")) };
        let lacks = if missing.is_empty() { String::new() } else { format!("; missing: {missing}") };
        for line in wrapped(&format!("{name}: {}{by}{lacks}", measured.word()), "") {
            text += &format!("{line}\n");
        }
    }
    text
}

#[cfg(test)]
mod tests {
    use std::fmt::Write as _;

    use test_support::golden;

    use super::*;

    #[test]
    fn the_table_of_the_page_is_made_from_the_list() {
        let mut table =
            "| workload of the field | status | programs | what is missing |\n|---|---|---|---|\n".to_owned();
        for FieldWorkload { name, measured, programs, missing } in FIELD {
            let programs: Vec<String> = programs.iter().map(|program| format!("`{program}`")).collect();
            let (word, programs) = (measured.word(), programs.join(", "));
            let _ = writeln!(table, "| {name} | `{word}` | {programs} | {missing} |");
        }
        golden::check_part(&golden::document("WORKLOADS.md"), "field", &table);
    }

    #[test]
    fn what_is_measured_has_programs_and_what_is_not_says_what_is_missing() {
        for FieldWorkload { name, measured, programs, missing } in FIELD {
            assert_eq!(programs.is_empty(), measured == Measured::NotApplicable, "{name}");
            assert_eq!(missing.is_empty(), measured == Measured::Measured, "{name}");
            for program in programs {
                let workload = workloads::by_name(program).unwrap_or_else(|| panic!("{name}: no {program}"));
                assert_eq!(workload.control_of(), None, "{name}: {program}");
            }
        }
    }

    /// No figure of any kind, so none for all: a line a workload, and words that no line may have.
    #[test]
    fn has_no_aggregate() {
        let text = field();
        for FieldWorkload { name, .. } in FIELD {
            assert_eq!(text.matches(name).count(), 1, "{name}");
        }
        let begun = text.lines().skip(1).filter(|line| FIELD.iter().any(|of| line.starts_with(of.name)));
        assert_eq!(begun.count(), FIELD.len());
        let words: Vec<&str> = text.split(|c: char| !c.is_alphanumeric() && c != '-').collect();
        for word in ["total", "mean", "score", "overall", "average", "sum", "percent"] {
            assert!(!words.contains(&word), "{word}");
        }
        assert!(text.lines().all(|line| line.chars().count() <= 80), "{text}");
    }
}
