//! Rounds of honest boots, to be changed.

use abi::wire::Record;

use crate::guest::Guest;
use crate::script::Script;

/// How many rounds a session has.
pub const ROUNDS: u16 = 7;

/// Seven rounds of one and two workers, each boot changed by `change`, which gets the round and the case.
pub fn rounds(guest: impl Fn(u16, u16) -> Guest, change: impl Fn(u16, Script) -> Script) -> Vec<Vec<u8>> {
    let boots = (0..ROUNDS).flat_map(|round| [(round, 1), (round, 2)]);
    let logs = boots.map(|(round, case)| change(case, Script::of(&guest(round, case).log())).log());
    vec![logs.collect::<Vec<_>>().concat()]
}

/// The boot of a case in a round, which is as honest as the guest is.
pub fn boot(round: u16, case: u16) -> Guest {
    let work_cycles = 1_700_000_000 + u64::from(round * 3 % ROUNDS) * 1_600_000;
    Guest { nonce: u64::from(round) << 8 | u64::from(case), work_cycles, ..Guest::of(case) }
}

/// The same with twenty short iterations.
pub fn short(round: u16, case: u16) -> Guest {
    let honest = boot(round, case);
    Guest { iterations: 20, work_cycles: honest.work_cycles / 20, ..honest }
}

/// Rounds in which every record of every boot is changed.
pub fn edited(change: fn(u16, &mut Record)) -> Vec<Vec<u8>> {
    rounds(boot, |case, script| script.edit(|record| change(case, record)))
}

/// Rounds without the records for which `gone` is true.
pub fn without(gone: fn(&Record) -> bool) -> Vec<Vec<u8>> {
    rounds(boot, |_, script| script.without(gone))
}
