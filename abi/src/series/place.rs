//! The places of a row: how often it is measured on a machine, on which CPUs and with which arguments. The system that
//! measures goes by it, and so does the host when it looks for what a log leaves out.

use super::SeriesRow;

/// How long the other CPU of `hlt_wake` is halted before it is woken, in microseconds: hypervisors poll for a while before
/// they let a halted vCPU go.
pub const IDLE_US: [u64; 3] = [10, 100, 1000];
/// The times to the deadline of the rows of the timer, in microseconds.
pub const AHEAD_US: [u64; 2] = [50, 1000];
/// The attacks, by their place in [`crate::task::Attack`], from 1.
pub const ATTACKS: [u64; crate::task::Attack::ALL.len()] = from_one();
/// As [`ATTACKS`], of [`crate::task::FarAttack`].
pub const FAR_ATTACKS: [u64; crate::task::FarAttack::ALL.len()] = from_one();
/// Why a handle does not fit, by its number in `cap_refused`: index, stale generation, kind, right, method.
pub const REASONS: [u64; 5] = [1, 2, 3, 4, 5];
/// The other CPU of `call_cross` polls, or halts.
pub const POLLS: u64 = 1;
/// See [`POLLS`].
pub const HALTS: u64 = 2;
/// The bytes that a task of `switch` touches.
pub const TOUCHED_BYTES: [u64; 3] = [0, 16 << 10, 64 << 10];
/// What makes a task of `spawn_refused` impossible: its ELF, its handle.
pub const REFUSALS: [u64; 2] = [1, 2];
/// The pages of `map`, `protect`, `unmap` and `map_touch`.
pub const PAGES: [u64; 3] = [1, 16, 512];
/// The operations of `ring_nop`.
pub const RING: [u64; 3] = [1, 8, 64];
/// The bytes of `shm_xfer`.
pub const XFER_BYTES: [u64; 4] = [4 << 10, 64 << 10, 256 << 10, 1 << 20];
/// The most CPUs of which all pairs are measured.
pub const MOST_PAIRED: usize = 16;
/// The most CPUs of which every number is measured. Beyond them the numbers double.
pub const EACH: usize = 8;
/// The least buffer whose latency is measured, in bytes. Each further one has twice as much.
pub const LEAST_BUFFER: u64 = 4096;

/// 1, 2, 3, ...
const fn from_one<const N: usize>() -> [u64; N] {
    let (mut all, mut i) = ([0; N], 0);
    while i < N {
        all[i] = i as u64 + 1;
        i += 1;
    }
    all
}

/// The numbers of CPUs of a row that takes 1, 2, 3, ... of them: up to [`EACH`] each, then powers of two, and all.
pub fn counts(cpus: usize) -> impl Iterator<Item = usize> {
    (1..=cpus).filter(move |&count| count <= EACH || count.is_power_of_two() || count == cpus)
}

/// Where a row is measured.
#[derive(Clone, Copy, Debug, Eq, PartialEq)]
pub enum Places {
    /// Once, on the first CPU.
    Here,
    /// On the first CPU, or between it and one other, once with each of these arguments.
    Arguments(&'static [u64]),
    /// Between the first CPU and each other.
    Peers,
    /// Between any two of the first [`MOST_PAIRED`] CPUs.
    Pairs,
    /// On each CPU; the argument is the plan's.
    Each,
    /// With each of the [`counts`] of all CPUs.
    Counts,
    /// With each of the [`counts`] of the CPUs but the first.
    OthersCounts,
    /// With each size from [`LEAST_BUFFER`] on, as far as there is memory.
    Sizes,
}

impl Places {
    /// The places of a row.
    #[must_use]
    pub const fn of(row: SeriesRow) -> Self {
        match row {
            SeriesRow::HltWake => Self::Arguments(&IDLE_US),
            SeriesRow::TimerSpin | SeriesRow::TimerHalt | SeriesRow::TimerWake => Self::Arguments(&AHEAD_US),
            SeriesRow::CapRefused => Self::Arguments(&REASONS),
            SeriesRow::CallCross => Self::Arguments(&[POLLS, HALTS]),
            SeriesRow::Switch => Self::Arguments(&TOUCHED_BYTES),
            SeriesRow::SpawnRefused => Self::Arguments(&REFUSALS),
            SeriesRow::Map | SeriesRow::Protect | SeriesRow::Unmap | SeriesRow::MapTouch => {
                Self::Arguments(&PAGES)
            }
            SeriesRow::RingNop => Self::Arguments(&RING),
            SeriesRow::ShmXfer => Self::Arguments(&XFER_BYTES),
            SeriesRow::Attack => Self::Arguments(&ATTACKS),
            SeriesRow::AttackCross => Self::Arguments(&FAR_ATTACKS),
            SeriesRow::TscOrder | SeriesRow::IpiRt => Self::Peers,
            SeriesRow::CoreToCore => Self::Pairs,
            SeriesRow::HwNoise => Self::Each,
            SeriesRow::MemRead | SeriesRow::MemWrite | SeriesRow::MemCopy => Self::Counts,
            SeriesRow::TlbShoot => Self::OthersCounts,
            SeriesRow::MemLat4k | SeriesRow::MemLat2m => Self::Sizes,
            _ => Self::Here,
        }
    }

    /// How many there are on a machine of so many CPUs; `None` if that depends on its memory.
    #[must_use]
    pub fn count(self, cpus: usize) -> Option<usize> {
        let others = cpus.saturating_sub(1);
        let paired = cpus.min(MOST_PAIRED);
        Some(match self {
            Self::Here => 1,
            Self::Arguments(all) => all.len(),
            Self::Peers => others,
            Self::Pairs => paired * paired.saturating_sub(1) / 2,
            Self::Each => cpus,
            Self::Counts => counts(cpus).count(),
            Self::OthersCounts => counts(others).count(),
            Self::Sizes => return None,
        })
    }

    /// Whether the row has a series with this argument on a machine of so many CPUs. What the plan decides fits.
    #[must_use]
    pub fn has_argument(self, arg: u64, cpus: usize) -> bool {
        match self {
            Self::Here | Self::Peers | Self::Pairs => arg == 0,
            Self::Arguments(all) => all.contains(&arg),
            Self::Each => true,
            Self::Counts => counts(cpus).any(|count| count as u64 == arg),
            Self::OthersCounts => counts(cpus.saturating_sub(1)).any(|count| count as u64 == arg),
            Self::Sizes => arg.is_power_of_two() && arg >= LEAST_BUFFER,
        }
    }

    /// Whether a series of the row has another CPU.
    #[must_use]
    pub const fn has_peer(row: SeriesRow) -> bool {
        matches!(
            row,
            SeriesRow::TscOrder
                | SeriesRow::IpiRt
                | SeriesRow::CoreToCore
                | SeriesRow::HltWake
                | SeriesRow::CallCross
                | SeriesRow::AttackCross
        )
    }
}

/// Whether a process of Linux can measure a row with this argument.
#[must_use]
pub fn is_on_linux(row: SeriesRow, arg: u64) -> bool {
    match row {
        // A descriptor has no generation, no kind of its own calls and no rights that a call of another kind would miss.
        SeriesRow::CapRefused => arg <= 1,
        // Linux polls or halts as it likes.
        SeriesRow::CallCross => arg != POLLS,
        _ => row.spec().not_on_linux.is_empty(),
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn every_number_of_a_few_cpus_is_measured_and_powers_of_two_of_many() {
        assert!(counts(3).eq([1, 2, 3]));
        assert!(counts(20).eq([1, 2, 3, 4, 5, 6, 7, 8, 16, 20]));
        assert_eq!(counts(0).count(), 0);
    }

    #[test]
    fn a_machine_of_four_cpus_has_six_pairs_and_three_peers() {
        let count = |row| Places::of(row).count(4);
        assert_eq!(count(SeriesRow::CoreToCore), Some(6));
        assert_eq!(count(SeriesRow::IpiRt), Some(3));
        assert_eq!(count(SeriesRow::HltWake), Some(3));
        assert_eq!(count(SeriesRow::ExitCpuid), Some(1));
        assert_eq!(count(SeriesRow::MemRead), Some(4));
        assert_eq!(count(SeriesRow::TlbShoot), Some(3));
        assert_eq!(count(SeriesRow::MemLat2m), None);
        // Of more CPUs than 16 the pairs of 16.
        assert_eq!(Places::of(SeriesRow::CoreToCore).count(100), Some(120));
    }

    #[test]
    fn an_argument_that_the_row_does_not_have_does_not_fit() {
        let fits = |row, arg| Places::of(row).has_argument(arg, 4);
        assert!(fits(SeriesRow::HltWake, 100) && !fits(SeriesRow::HltWake, 99));
        assert!(fits(SeriesRow::TlbShoot, 3) && !fits(SeriesRow::TlbShoot, 4));
        assert!(fits(SeriesRow::MemLat4k, 8192) && !fits(SeriesRow::MemLat4k, 12_288));
        assert!(fits(SeriesRow::ExitCpuid, 0) && !fits(SeriesRow::ExitCpuid, 1));
    }
}
