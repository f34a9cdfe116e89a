//! The forms that results were written in, so that a session of an older tool is compared with what that tool would have
//! written.
//!
//! Form 4 counts rounds and attempts from 1, as the terminal and the names of files always did. Form 3 counts them from 0,
//! as this crate and the chain do.

use std::collections::BTreeMap;

use super::model::Results;

/// The first form that counts rounds from 1.
const COUNTS_FROM_ONE: u32 = 4;

impl Results {
    /// The same in the form `schema`; a form that is not known is taken for the newest.
    #[must_use]
    pub fn in_form(mut self, schema: u32) -> Self {
        if schema < COUNTS_FROM_ONE && self.schema >= COUNTS_FROM_ONE {
            self.schema = schema;
            self.number_rounds(|from_one| from_one - 1, 0);
        }
        self
    }

    /// Numbers rounds, which count from 0 until now, as the newest form does.
    pub(super) fn with_rounds_numbered(mut self) -> Self {
        self.number_rounds(|from_zero| from_zero.saturating_add(1), 1);
        self
    }

    fn number_rounds(&mut self, renumber: fn(u32) -> u32, first: u32) {
        for run in &mut self.runs {
            run.round_number = run.round.saturating_add(first);
            run.attempt_number = (run.attempt > 0).then(|| run.attempt.saturating_add(first));
        }
        let excluded = std::mem::take(&mut self.excluded_rounds);
        self.excluded_rounds =
            excluded.into_iter().map(|(round, why)| (renumber(round), why)).collect::<BTreeMap<_, _>>();
        let made = self.probes.made.iter_mut().map(|probe| &mut probe.before_round);
        let failed = self.probes.failed.iter_mut().map(|probe| &mut probe.before_round);
        made.chain(failed).for_each(|round| *round = renumber(*round));
    }
}
