use abi::CpuId;
use abi::wire::Hex64;
use abi::wire::record::{KvmclockState, Spoilt};

use super::*;

const HELD: Held = Held { bytes: 1 << 20, digest: Hex64(7), cpus: 2, timers: 1, timer_us: 5_000 };
const CLOCKS_BEFORE: Clocks = Clocks { tsc: 1_000_000, count: 100, seconds: Some(50) };
const RATES: Rates = Rates { tsc_khz: 1_000_000, second_hz: 1_000_000, second_bits: 32 };

fn after() -> After {
    let cpu = |cpu, timer| KeptCpu { cpu: CpuId(cpu), fpu: 0, apic: 0, timer, late_us: 3 };
    After {
        kept: Kept {
            spoilt: Spoilt::None,
            bytes: 1 << 20,
            digest: Hex64(7),
            wrong: 0,
            kvmclock: KvmclockState::None,
            random: Hex64(1),
        },
        cpus: vec![cpu(0, TimerState::None), cpu(1, TimerState::Fired)],
        clocks: CLOCKS_BEFORE,
        warp: Some(Warp { cpus: 2, samples: 9, handovers: 8, least: 4, max_warp: 0 }),
        offsets: vec![Offset { cpu: CpuId(1), handovers: 4, least_ns: -9, most_ns: 9 }],
    }
}

fn checked(change: impl FnOnce(&mut After)) -> Vec<Check> {
    let mut after = after();
    change(&mut after);
    kept(&Before { held: HELD, clocks: CLOCKS_BEFORE }, &after)
}

#[test]
fn what_was_kept_holds_and_each_loss_fails_its_own_check_alone() {
    assert!(checked(|_| {}).iter().all(|check| check.verdict == Verdict::Holds));
    type Change = fn(&mut After);
    let changes: [(&str, Change); 9] = [
        (MEMORY, |after| after.kept.wrong = 1),
        (MEMORY, |after| after.kept.digest = Hex64(8)),
        (MEMORY, |after| after.kept.bytes = 0),
        (FPU, |after| after.cpus[1].fpu = 1),
        (APIC, |after| after.cpus[0].apic = 1),
        (TIMER, |after| after.cpus[1].timer = TimerState::Lost),
        (TIMER, |after| after.cpus[1].timer = TimerState::Wrong),
        (TSC, |after| after.offsets[0].least_ns = 1),
        (TSC, |after| after.offsets.clear()),
    ];
    for (name, change) in changes {
        let checks = checked(change);
        assert!(spoilt_alone(name, &checks), "{name}: {checks:?}");
    }
    // A CPU that did not answer has kept nothing.
    let checks = checked(|after| after.cpus.truncate(1));
    assert!(checks.iter().filter(|check| check.verdict == Verdict::Fails).count() == 3, "{checks:?}");
}

#[test]
fn a_clock_that_jumps_is_found() {
    let at = |tsc_ms: u64, second_ms: u64, rtc_s: u64| {
        let after = Clocks {
            tsc: CLOCKS_BEFORE.tsc + tsc_ms * 1_000_000,
            count: CLOCKS_BEFORE.count + second_ms * 1_000,
            seconds: Some(50 + rtc_s),
        };
        WentOn::between(&CLOCKS_BEFORE, &after, RATES)
    };
    let away = Away { wall_us: 6_000_000, ran_us: 500_000 };
    assert_eq!(clocks_agree(at(500, 500, 6), away).verdict, Verdict::Holds);
    // One that ran on while the machine was saved, and one that ran faster than time.
    assert_eq!(clocks_agree(at(6_000, 500, 6), away).verdict, Verdict::Fails);
    assert_eq!(clocks_agree(at(9_000, 9_000, 9), away).verdict, Verdict::Fails);
    assert_eq!(pause("pause", at(500, 500, 6), away, true).verdict, Verdict::Holds);
    assert_eq!(pause("pause", at(500, 500, 1), away, true).verdict, Verdict::Fails);
    assert_eq!(pause("pause", at(500, 500, 1), away, false).verdict, Verdict::Holds);
    assert_eq!(pause("pause", at(500, 500, 6), away, false).verdict, Verdict::Fails);
}

#[test]
fn a_second_clock_that_begins_again_is_read_within_its_bits() {
    let before = Clocks { tsc: 0, count: u64::from(u32::MAX) - 9, seconds: None };
    let after = Clocks { tsc: 1_000_000, count: 990, seconds: None };
    let went_on = WentOn::between(&before, &after, RATES);
    assert_eq!((went_on.tsc_us, went_on.second_us, went_on.rtc_us), (1_000, Some(1_000), None));
    let away = Away { wall_us: 9, ran_us: 9 };
    assert_eq!(pause("pause", went_on, away, true).verdict, Verdict::NotApplicable);
}
