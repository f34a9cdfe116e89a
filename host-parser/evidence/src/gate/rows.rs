//! The rows of several boots.
//!
//! A [`Row`] is what all of its boots have in common, and [`OfCases`] what all of its boots with the same cases have in
//! common, since each case may have a machine and a plan of its own.

use std::collections::{BTreeMap, HashMap};
use std::sync::Arc;

use abi::Digest;
use abi::wire::record::SecondSource;

use super::machine::Topology;
use super::measurement::{Measurement, Scaling, Setting};
use super::row::{Row, Same, is_near, khz, second_source};

/// How many rows the logs of one command may have.
pub const MOST_ROWS: usize = 64;

/// What all boots of a row with the same cases have in common.
#[derive(Clone, Debug, Eq, PartialEq)]
pub(super) struct OfCases {
    /// The plan, whatever its challenge is.
    work: Digest,
    iterations: usize,
    cpus_online: u16,
    topology: Topology,
}

impl OfCases {
    fn of(measured: &Measurement) -> Self {
        let machine = measured.machine();
        Self {
            work: measured.identity().work,
            iterations: measured.samples().len(),
            cpus_online: machine.cpus_online,
            topology: machine.topology.clone(),
        }
    }

    /// What differs in a later boot, in words.
    fn difference(&self, measured: &Measurement) -> Option<String> {
        let (work, machine) = (measured.identity().work, measured.machine());
        let (cpus, iterations) = (machine.cpus_online, measured.samples().len());
        if work != self.work {
            Some(format!(
                "the plan's work is {work}, in an earlier boot of the same cases it is {}",
                self.work
            ))
        } else if iterations != self.iterations {
            Some(format!(
                "{iterations} iterations ran, in an earlier boot of the same cases {}",
                self.iterations
            ))
        } else if cpus != self.cpus_online {
            let earlier = self.cpus_online;
            Some(format!("{cpus} CPUs are online, in an earlier boot of the same cases {earlier}"))
        } else if machine.topology != self.topology {
            Some("the CPUs share cores in another way than in an earlier boot of the same cases".to_owned())
        } else {
            None
        }
    }
}

/// The rows of the boots so far.
#[derive(Debug, Default)]
pub(super) struct Rows {
    rows: Vec<Row>,
    /// By what their boots have in common; several if only the frequencies differ.
    by_same: HashMap<Same, Vec<usize>>,
    of_cases: HashMap<usize, BTreeMap<Vec<u16>, OfCases>>,
    /// How the cases of a row scale, from the first boot on that shows it.
    scaling: HashMap<usize, Scaling>,
    /// The row of the last boot, unless others differ from it only in their frequency. It is nearly always that of the next
    /// boot too, and is found without hashing.
    last: Option<usize>,
    /// The setting of a boot of `last`, and its second clock: another boot with the same ones can differ from that row only in
    /// its frequency.
    of_last: Option<(Arc<Setting>, Option<SecondSource>)>,
}

impl Rows {
    /// Every row, in the order of their first boots.
    pub fn all(&self) -> &[Row] {
        &self.rows
    }

    /// The first row that this is, if there is one.
    fn find(&self, row: &Row) -> Option<usize> {
        let is_near = |&at: &usize| is_near(row.khz, self.rows[at].khz);
        let last = self.last.filter(|&at| self.rows[at].same == row.same).filter(is_near);
        last.or_else(|| self.by_same.get(&row.same)?.iter().copied().find(is_near))
    }

    /// The row of the last boot, if this boot is of it, by what both have in common in memory.
    fn is_last(&self, measured: &Measurement) -> Option<usize> {
        let (setting, second) = self.of_last.as_ref()?;
        let same = Arc::ptr_eq(setting, &measured.report.setting) && *second == second_source(measured);
        self.last.filter(|&at| same && is_near(khz(measured), self.rows[at].khz))
    }

    /// Finds the row of a boot that passed, or begins one.
    ///
    /// # Errors
    /// The boot differs from earlier ones of its row, or there are too many rows.
    pub fn place(&mut self, measured: &Measurement) -> Result<usize, String> {
        let at = match self.is_last(measured) {
            Some(at) => at,
            None => self.find_or_begin(measured)?,
        };
        if let Some(now) = measured.identity().scaling {
            let earlier = *self.scaling.entry(at).or_insert(now);
            if now != earlier {
                let (now, earlier) = (now.word(), earlier.word());
                return Err(format!(
                    "its workers show {now} scaling, those of earlier boots {earlier} scaling"
                ));
            }
        }
        let cases = measured.cases();
        let of_cases = self.of_cases.entry(at).or_default();
        match of_cases.get(&cases) {
            None => {
                of_cases.insert(cases, OfCases::of(measured));
                Ok(at)
            }
            Some(earlier) => match earlier.difference(measured) {
                None => Ok(at),
                Some(difference) => Err(difference),
            },
        }
    }

    /// Finds the row of a boot by its words, or begins one.
    fn find_or_begin(&mut self, measured: &Measurement) -> Result<usize, String> {
        let row = Row::of(measured);
        let at = match self.find(&row) {
            Some(at) => at,
            None if self.rows.len() >= MOST_ROWS => {
                let detail = format!("the logs have more than {MOST_ROWS} rows");
                return Err(format!("{detail}: judge each machine's logs by a command of its own"));
            }
            None => {
                let at = self.rows.len();
                self.by_same.entry(row.same.clone()).or_default().push(at);
                self.rows.push(row);
                at
            }
        };
        if self.last != Some(at) {
            let alike = self.by_same.get(&self.rows[at].same).map_or(0, Vec::len);
            self.last = Some(at).filter(|_| alike == 1);
        }
        self.of_last = Some((Arc::clone(&measured.report.setting), second_source(measured)));
        Ok(at)
    }
}
