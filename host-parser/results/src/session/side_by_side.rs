//! Whether two sessions ran in the same rounds, so that these are pairs.

use std::collections::BTreeSet;

use super::StoredSession;
use super::contrast::Differing;

/// The first two rounds that should have run side by side and did not: every round of both sessions must be over before
/// the next one begins in either.
pub(super) fn apart(a: &StoredSession, b: &StoredSession) -> Option<Differing> {
    let rounds: BTreeSet<u32> = a.spans.keys().chain(b.spans.keys()).copied().collect();
    let mut before: Option<(u32, u64)> = None;
    for round in rounds {
        let spans: Vec<(u64, u64)> =
            [a, b].iter().filter_map(|session| session.spans.get(&round).copied()).collect();
        let from = spans.iter().map(|span| span.0).min()?;
        let to = spans.iter().map(|span| span.1).max()?;
        if let Some((earlier, _)) = before.filter(|&(_, ended)| from < ended) {
            let [a, b] = [a, b].map(|session| span_of_both(session, earlier, round));
            return Some(Differing { what: "rounds side by side".to_owned(), a, b });
        }
        before = Some((round, to));
    }
    let none = a.spans.is_empty() || b.spans.is_empty();
    let unknown = || "when they ran is not known".to_owned();
    none.then(|| Differing { what: "rounds side by side".to_owned(), a: unknown(), b: unknown() })
}

/// When two rounds of a session ran, in milliseconds since 1970.
fn span_of_both(session: &StoredSession, earlier: u32, later: u32) -> String {
    let rounds = format!("rounds {} and {}", earlier + 1, later + 1);
    match (session.spans.get(&earlier), session.spans.get(&later)) {
        (Some(one), Some(next)) => format!("{rounds} from {} to {} ms", one.0, next.1),
        _ => format!("not both of {rounds}"),
    }
}
