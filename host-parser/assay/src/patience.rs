//! How a session ends whose patience is over.

use std::time::Duration;

use evidence::gate::ReasonCode;
use lab::Exit;
use results::{Results, patience_in_words};

use crate::ending::Ending;

/// Steps in which a patience is proposed.
const STEP: Duration = Duration::from_secs(60);

/// The ending of a session: [`Exit::Busy`] if its patience was over before its rounds decided anything, and the host had
/// disturbed runs. What the rounds decide stands, however few there are.
pub fn ending(results: &Results, ending: Ending) -> Ending {
    let Some(after_ms) = results.patience_over_after_ms else { return ending };
    let lost = results.runs_lost.unwrap_or(0);
    if lost == 0 || !matches!(ending.exit, Exit::Busy | Exit::Inconclusive) {
        return ending;
    }
    let busy = Ending { exit: Exit::Busy, reason: Some(ReasonCode::HostContended), ..ending };
    let wanted = results.experiment.rounds.unwrap_or(0);
    busy.then(match would_take(Duration::from_millis(after_ms), results.rounds_that_count(), wanted) {
        Some(time) => format!(
            "Wait until the host is quiet, or have more patience: at this noise {wanted} rounds take about {0} \
             (--patience {1}).",
            patience_in_words(time),
            patience_in_words(time).replace(' ', "")
        ),
        None => "Wait until the host is quiet. No round counts yet, so the time it would take is not known."
            .to_owned(),
    })
}

/// How long `wanted` rounds take if `counted` took `taken`, in whole minutes. `None` if none counts.
fn would_take(taken: Duration, counted: usize, wanted: u32) -> Option<Duration> {
    let counted = u32::try_from(counted).ok().filter(|&counted| counted > 0)?;
    let whole = taken.saturating_mul(wanted) / counted;
    let steps = whole.as_secs().div_ceil(STEP.as_secs()).max(1);
    Some(STEP * u32::try_from(steps).unwrap_or(u32::MAX))
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn what_it_would_take_grows_with_the_rounds_and_the_noise() {
        let minutes = |minutes: u64| Duration::from_secs(60 * minutes);
        assert_eq!(would_take(minutes(20), 5, 15), Some(minutes(60)));
        assert_eq!(would_take(minutes(20) + Duration::from_secs(1), 5, 15), Some(minutes(61)));
        assert_eq!(would_take(minutes(20), 0, 15), None);
    }
}
