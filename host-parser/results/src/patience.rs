//! A session's patience: a budget of time in place of a limit of runs that may be lost.
//!
//! A session with patience goes on until the rounds that were asked for count, and no more is lost of what was made than
//! may be lost of as many rounds. It begins no further round when its time is over. Neither depends on a measured time:
//! the evidence of what the host did says what is lost, as in every session.

use std::time::Duration;

use evidence::gate::{ReasonCode, limits};

use super::model::{Experiment, Repeats};

impl Repeats {
    /// How many runs may be lost if `counted` rounds count, of a session that wanted `wanted`: the same share.
    #[must_use]
    pub fn may_be_lost(&self, wanted: u32, counted: u32) -> u32 {
        let may = u64::from(self.limit) * u64::from(counted) / u64::from(wanted.max(1));
        u32::try_from(may).unwrap_or(u32::MAX)
    }

    /// How many rounds are to count under patience, if `lost` runs are lost: as many as were wanted, and more if otherwise
    /// more would be lost than may be.
    #[must_use]
    pub fn rounds_to_count(&self, wanted: u32, lost: u32) -> u32 {
        if self.limit == 0 {
            return wanted;
        }
        let rounds = (u64::from(lost) * u64::from(wanted)).div_ceil(u64::from(self.limit));
        wanted.max(u32::try_from(rounds).unwrap_or(u32::MAX))
    }
}

impl Experiment {
    /// How long it may take, if it has patience in place of a limit.
    #[must_use]
    pub fn patience(&self) -> Option<Duration> {
        self.patience_ms.map(Duration::from_millis)
    }

    /// The fewest rounds that must count when its time is over: as many as a claim needs, or as were asked for.
    #[must_use]
    pub fn least_rounds(&self) -> usize {
        let claim = limits::CLAIM_ROUNDS;
        self.rounds.map_or(claim, |rounds| claim.min(rounds as usize))
    }

    /// Why a session with patience has no result: the host took too much of it. `over` if its time is over.
    pub(super) fn too_many_for_patience(
        &self,
        lost: usize,
        counted: usize,
        over: bool,
    ) -> Option<(ReasonCode, String)> {
        let (repeats, patience) = self.repeats.zip(self.patience())?;
        let count = u32::try_from(counted).unwrap_or(u32::MAX);
        let may = repeats.may_be_lost(self.rounds.unwrap_or(1), count) as usize;
        let (patience, least) = (in_words(patience), self.least_rounds());
        let lost_to_host = format!("{lost} runs do not count because the host disturbed them or their round");
        let detail = if over && counted < least && lost > 0 {
            format!(
                "the patience of {patience} is over: {counted} rounds count, at least {least} must; {lost_to_host}"
            )
        } else if lost > may {
            format!("{lost_to_host}, at most {may} may be beside {counted} rounds that count")
        } else {
            return None;
        };
        Some((ReasonCode::HostContended, detail))
    }

    /// Why a session whose time is over is not complete, if too few of its rounds count.
    pub(super) fn too_few_for_patience(&self, counted: usize) -> Option<String> {
        let least = self.least_rounds();
        let patience = in_words(self.patience().unwrap_or_default());
        (counted < least).then(|| {
            format!("{counted} rounds count, at least {least} must: the patience of {patience} is over")
        })
    }
}

/// A time as `--patience` takes it, in whole seconds: `20m`, `1h 30m`.
#[must_use]
pub fn in_words(time: Duration) -> String {
    let seconds = time.as_secs();
    let parts = [(seconds / 3600, "h"), (seconds / 60 % 60, "m"), (seconds % 60, "s")];
    let shown: Vec<String> =
        parts.iter().filter(|(count, _)| *count > 0).map(|(count, unit)| format!("{count}{unit}")).collect();
    if shown.is_empty() { "0s".to_owned() } else { shown.join(" ") }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn the_share_that_may_be_lost_stays_the_same() {
        let repeats = Repeats { times: 3, runs_per_round: 2, limit: 20 };
        assert_eq!([0, 5, 10, 15].map(|counted| repeats.may_be_lost(10, counted)), [0, 10, 20, 30]);
        assert_eq!([0, 20, 21, 40].map(|lost| repeats.rounds_to_count(10, lost)), [10, 10, 11, 20]);
        // So many rounds are enough, and one fewer is not.
        for lost in 0..100 {
            let rounds = repeats.rounds_to_count(10, lost);
            assert!(repeats.may_be_lost(10, rounds) >= lost, "{lost}");
            assert!(rounds == 10 || repeats.may_be_lost(10, rounds - 1) < lost, "{lost}");
        }
        let none = Repeats { limit: 0, ..repeats };
        assert_eq!((none.rounds_to_count(10, 7), none.may_be_lost(10, 7)), (10, 0));
    }

    #[test]
    fn a_time_is_shown_as_the_option_takes_it() {
        let shown = [0, 59, 60, 1200, 5_400, 3_661].map(|seconds| in_words(Duration::from_secs(seconds)));
        assert_eq!(shown, ["0s", "59s", "1m", "20m", "1h 30m", "1h 1m 1s"]);
    }
}
