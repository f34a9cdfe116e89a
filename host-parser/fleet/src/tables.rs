//! The tables: each column once, with its type and its meaning. docs/FLEET.md has them too.
//!
//! The keys of the folders (`v`, `experiment`, `day`) are in no file, as Hive's layout has it.

use parquet::data_type::ByteArray;

use crate::cell::{Cell, Column, Kind, Micros, Rows};

/// The version of the tables: a change that an older query would misread is a new one, in folders of its own.
pub const VERSION: u32 = 1;

/// What the tables are about: what one row of the table stands for.
#[derive(Clone, Copy, Debug, Eq, PartialEq)]
pub enum Unit {
    /// A file that was given.
    Log,
    /// A boot in a log.
    Boot,
    /// A figure of a log.
    Figure,
    /// An iteration of a case of a boot.
    Sample,
}

/// A table.
#[derive(Debug)]
pub struct Table {
    /// Its name, and that of its folder.
    pub name: &'static str,
    /// What a row stands for.
    pub unit: Unit,
    /// What is in it.
    pub about: &'static str,
    /// Its columns.
    pub columns: &'static [TableColumn],
}

/// A column.
#[derive(Debug)]
pub struct TableColumn {
    /// Its name.
    pub name: &'static str,
    /// What it holds.
    pub kind: Kind,
    /// Whether it can be NULL.
    pub optional: bool,
    /// What it means, with its unit.
    pub about: &'static str,
}

macro_rules! tables {
    ($($row:ident = $table:ident $name:literal $unit:ident, $about:literal {
        $($field:ident: $type:ty = $meaning:literal;)*
    })*) => {
        $(
            #[doc = $about]
            pub(crate) struct $row {
                $(#[doc = $meaning] pub $field: $type,)*
            }

            impl $row {
                /// A table without rows.
                pub fn none() -> Rows {
                    let columns = $table.columns.iter();
                    let columns = columns.map(|of| Column::new(of.name, of.kind, of.optional));
                    Rows { columns: columns.collect(), count: 0 }
                }

                /// Adds the row. Columns that the table does not have by itself come after its own.
                pub fn add(self, rows: &mut Rows) {
                    let mut columns = rows.columns.iter_mut();
                    $(self.$field.add(columns.next().expect("every field has a column"));)*
                    rows.count += 1;
                }
            }

            #[doc = $about]
            pub const $table: Table = Table {
                name: $name,
                unit: Unit::$unit,
                about: $about,
                columns: &[$(TableColumn {
                    name: stringify!($field),
                    kind: <$type as Cell>::KIND,
                    optional: <$type as Cell>::OPTIONAL,
                    about: $meaning,
                },)*],
            };
        )*

        /// Every table.
        pub const TABLES: &[&Table] = &[$(&$table,)*];
    };
}

tables! {
    LogRow = LOGS "logs" Log, "A row for each log that was given, whatever became of it." {
        file: String = "The log as it was named on the command line.";
        file_name: String = "The last part of that name.";
        log_sha256: Option<ByteArray> = "SHA-256 of the file's bytes, as they are; NULL if it could not be read.";
        outcome: &'static str = "`judged`: every boot passed. `partly`: some did. `refused`: none did, or it has no boot of ours. `empty`: it has no bytes. `unreadable`: it could not be read. `copy`: another file has the same bytes, and that one's row has the rest.";
        exit_code: Option<i64> = "What `assay parse` of this log alone ends with; NULL for copies.";
        reason: Option<&'static str> = "The weightiest reason of the gate, if a boot did not pass.";
        detail: Option<String> = "The same in words, or the error.";
        boots: i64 = "How many boots it has.";
        passed: i64 = "How many of them passed.";
        rows: i64 = "How many rows its boots are of: one, unless machine, kernel, program or plan changed within it.";
        chained: Option<bool> = "Whether each boot's challenge follows from the boot before it, so that none is missing between two; NULL if it has one boot.";
        bytes: i64 = "The size of the file.";
        lines: i64 = "How many lines it has, after what was around it was undone.";
        undone: Option<String> = "What was around it and was undone: compression, JSON, broken lines.";
        tool: String = "What judged it: version and commit.";
        judged_at: Micros = "When.";
    }

    BootRow = BOOTS "boots" Boot, "A row for each boot of each log, refused ones too." {
        log_sha256: ByteArray = "The log.";
        boot: i64 = "The boot's place in its log, from 0.";
        row: Option<i64> = "Which of the log's rows it is of, from 0; NULL if it was refused before that was known.";
        outcome: &'static str = "`passed`, `failed`, `unsupported` or `invalid`.";
        reason: Option<&'static str> = "The gate's reason, if it did not pass.";
        detail: Option<String> = "The same in words.";
        system: Option<&'static str> = "What ran the workers: `assay`, `linux` or `native`, as the log says.";
        boot_experiment: Option<String> = "The experiment that the boot names. The folders' `experiment` is the log's.";
        workload: Option<String> = "The workload.";
        nonce: Option<String> = "The boot's random number, in hexadecimal: two logs with the same one have the same boot.";
        kernel_build: Option<String> = "The first 8 bytes of the kernel's build ID, in hexadecimal.";
        work: Option<String> = "SHA-256 of the plan without what the challenge decides: boots with the same one did the same work.";
        program_sha256: Option<String> = "SHA-256 of the worker's program.";
        release: Option<String> = "The system's version.";
        machine_id: Option<String> = "The machine's short name: equal for machines of one kind, no proof of one host.";
        epoch_id: Option<String> = "The short name of what updates change on it: microcode, firmware.";
        cpu_vendor: Option<String> = "CPUID's vendor string.";
        cpu_model: Option<String> = "CPUID's brand string.";
        cpu_signature: Option<String> = "CPUID.1:EAX, in hexadecimal.";
        hypervisor: Option<String> = "The hypervisor's signature, or `none`.";
        boot_path: Option<&'static str> = "What started the kernel: BIOS, UEFI, or the VMM itself.";
        cpus: Option<i64> = "CPUs online.";
        cores: Option<i64> = "Cores; NULL if the CPUs do not report them.";
        memory_bytes: Option<i64> = "Usable memory.";
        tsc_khz: Option<i64> = "The TSC's frequency, in kHz.";
        second_clock: Option<&'static str> = "The clock that was compared with the TSC, or `none`.";
        iterations: i64 = "How many iterations it has, of all cases.";
        excluded: i64 = "How many of them do not count, because the host disturbed them.";
    }

    FigureRow = FIGURES "figures" Figure, "The figures of each log that was not refused, as `assay parse` prints them. A row of a log is one machine." {
        log_sha256: ByteArray = "The log.";
        row: i64 = "Which of the log's rows, from 0.";
        boot_experiment: String = "The experiment that its boots name.";
        system: &'static str = "What ran the workers.";
        machine_id: String = "The machine's short name.";
        work: String = "SHA-256 of the plan without what the challenge decides, of the first boot with this case.";
        metric: String = "`time`, `time-experienced` (nothing left out), `speed-up`, `efficiency`, or the name of a row of the platform or the mechanisms.";
        unit: &'static str = "`ns` or `x`.";
        better: &'static str = "`lower` or `higher`.";
        workers: Option<i64> = "How many workers the case has; NULL for rows of the platform.";
        arg: Option<i64> = "The argument of a row of the platform.";
        cpu: Option<i64> = "The CPU of a row of the platform.";
        peer: Option<i64> = "The other CPU, if there is one.";
        n: i64 = "Of how many rounds or samples it is.";
        median: f64 = "The figure.";
        low: Option<f64> = "The lower end of the interval of the median.";
        high: Option<f64> = "The upper end.";
        p99: Option<f64> = "The 99th percentile, of rows of the platform.";
        functional_only: bool = "Whether the guest had more CPUs than the host: then it shows no speed.";
    }

    SampleRow = SAMPLES "samples" Sample, "A row for each iteration that has a time: of boots that passed, and of those that were refused only because the host disturbed them." {
        log_sha256: ByteArray = "The log.";
        boot: i64 = "The boot's place in its log, from 0.";
        system: &'static str = "What ran the workers.";
        workers: i64 = "How many workers the case has.";
        iteration: i64 = "The iteration, from 0.";
        cycles: i64 = "Its time, in TSC cycles; `basis` says which.";
        nanos: Option<i64> = "The same in ns; NULL if the frequency is not known.";
        basis: Option<&'static str> = "`makespan` or `longest-worker`; NULL for a boot that was refused.";
        makespan_cycles: Option<i64> = "From the first worker's start to the last worker's end.";
        start_spread_cycles: Option<i64> = "From the first worker's start to the last worker's start.";
        irqs: Option<i64> = "Interrupts on the workers' CPUs meanwhile.";
        counts: bool = "Whether it counts.";
        excluded: Option<&'static str> = "Why it does not count, as a code.";
        smt: Option<bool> = "Whether workers shared a core.";
        functional_only: bool = "Whether the guest had more CPUs than the host.";
    }
}

/// The tables for docs/FLEET.md.
#[must_use]
pub fn markdown() -> String {
    let mut text = String::new();
    for table in TABLES {
        text += &format!(
            "### `{}`\n\n{}\n\n| column | type | NULL | meaning |\n|---|---|---|---|\n",
            table.name, table.about
        );
        for column in table.columns {
            let null = if column.optional { "yes" } else { "" };
            text += &format!("| `{}` | {} | {null} | {} |\n", column.name, column.kind.sql(), column.about);
        }
        text.push('\n');
    }
    text
}
