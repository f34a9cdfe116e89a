//! The cases, as data.

mod boots;
mod clocks;
mod machines;
mod paused;
mod session;
mod sessions;
mod steal;

use anyhow::Result;

/// A case.
pub struct Case {
    /// Its name.
    pub name: &'static str,
    /// The piece it belongs to: what one L1 guest runs.
    pub piece: &'static str,
    /// Its deadline. In L1 on a quiet machine of two cores it needs a fourth of this at most.
    pub seconds: u64,
    /// Runs it.
    pub run: fn() -> Result<Done>,
}

/// A case that has not failed.
pub enum Done {
    /// What was seen.
    Passed(String),
    /// Why it cannot be tried here.
    NotRun(String),
}

/// The pieces, in order. On a quiet machine of two cores, none takes its L1 guest more than two minutes.
pub const PIECES: [&str; 5] = ["boots", "machines", "controls-1", "controls-2", "sessions"];

const fn case(piece: &'static str, name: &'static str, seconds: u64, run: fn() -> Result<Done>) -> Case {
    Case { name, piece, seconds, run }
}

/// All of them.
pub const CASES: &[Case] = &[
    case("boots", "boots-direct-1-cpu", 100, || boots::direct(1)),
    case("boots", "boots-direct-2-cpus", 100, || boots::direct(2)),
    case("boots", "boots-direct-4-cpus", 120, || boots::direct(4)),
    case("boots", "boots-bios-1-cpu", 100, || boots::bios(1)),
    case("boots", "boots-bios-2-cpus", 100, || boots::bios(2)),
    case("boots", "boots-bios-4-cpus", 120, || boots::bios(4)),
    case("boots", "boots-uefi-1-2-4-cpus", 240, boots::uefi),
    case("boots", "doctor-and-run-take-kvm", 60, boots::tool_takes_kvm),
    case("machines", "kvmclock-agrees", 100, clocks::kvmclock),
    case("machines", "leaf-4000-0010-agrees", 100, clocks::frequency_leaf),
    case("machines", "clocks-without-kvmclock", 100, clocks::no_kvmclock),
    case("machines", "hyper-v-enlightenments", 100, machines::hyper_v),
    case("machines", "microvm-without-timers", 100, machines::microvm_without_timers),
    case("machines", "x2apic", 100, machines::x2apic),
    case("machines", "split-irqchip", 100, machines::split_irqchip),
    case("machines", "named-cpu-model", 100, machines::named_model),
    case("machines", "pause-stops-the-machine-alone", 120, paused::shows_in_the_log),
    case("machines", "steal-is-excluded", 240, steal::is_excluded),
    case("machines", "pinning-and-run-delay", 120, steal::pinning_and_run_delay),
    case("controls-1", "controls-of-the-kernel", 900, || sessions::controls("kernel-")),
    case("controls-2", "controls-of-the-workers", 900, || sessions::controls("worker-")),
    case("sessions", "shared-experiment-with-linux", 700, sessions::shared),
];

#[cfg(test)]
mod tests {
    use std::collections::BTreeSet;

    use super::*;

    #[test]
    fn every_case_has_a_name_of_its_own_and_a_known_piece() {
        let names: BTreeSet<_> = CASES.iter().map(|case| case.name).collect();
        assert_eq!(names.len(), CASES.len());
        for case in CASES {
            assert!(PIECES.contains(&case.piece) && !case.name.contains(' '), "{}", case.name);
        }
        for piece in PIECES {
            assert!(CASES.iter().any(|case| case.piece == piece), "{piece}");
        }
    }
}
