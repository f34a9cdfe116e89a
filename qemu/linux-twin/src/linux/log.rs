//! Linux's log of its boot. It may have been overwritten since, or be closed to this process.
#![expect(unsafe_code, reason = "syslog(2) takes a buffer")]

use std::ptr;

/// syslog(2).
const READ_ALL: libc::c_int = 3;
const CONSOLE_LEVEL: libc::c_int = 8;
const SIZE_BUFFER: libc::c_int = 10;
/// The console prints messages that are more urgent than this: only emergencies.
const EMERGENCIES_ONLY: libc::c_int = 1;

/// The log.
#[must_use]
pub fn read() -> Option<String> {
    // SAFETY: takes no buffer and returns a number.
    let size = unsafe { libc::klogctl(SIZE_BUFFER, ptr::null_mut(), 0) };
    let mut buffer = vec![0_u8; usize::try_from(size).ok()?];
    // SAFETY: the buffer is as long as it is said to be.
    let read = unsafe { libc::klogctl(READ_ALL, buffer.as_mut_ptr().cast(), size) };
    buffer.truncate(usize::try_from(read).ok()?);
    Some(String::from_utf8_lossy(&buffer).into_owned())
}

/// Keeps Linux's messages off the console. They stay in the log.
pub fn silence_console() {
    // SAFETY: takes a number and no buffer.
    unsafe { libc::klogctl(CONSOLE_LEVEL, ptr::null_mut(), EMERGENCIES_ONLY) };
}

/// The TSC's frequency, in kHz: the refined calibration if Linux got that far, else the frequency that CPUID or the
/// hypervisor stated at boot. Linux's fast calibration against the PIT or another timer, which it refines later, does
/// not count: on a busy host it was wrong by two thirds.
#[must_use]
pub fn tsc_khz(log: &str) -> Option<u64> {
    let refined = last_khz(log, "tsc: Refined TSC clocksource calibration: ", " MHz");
    let counted = log.lines().any(|line| line.contains("tsc: ") && line.contains(" calibration"));
    let detected = last_khz(log, "tsc: Detected ", " MHz TSC")
        .or_else(|| last_khz(log, "tsc: Detected ", " MHz processor"));
    refined.or_else(|| detected.filter(|_| !counted))
}

/// The frequency in the last line that has it between these texts.
fn last_khz(log: &str, before: &str, after: &str) -> Option<u64> {
    log.lines().rev().find_map(|line| khz(line.split_once(before)?.1.strip_suffix(after)?))
}

/// `2099.998`, which always has three decimals.
fn khz(mhz: &str) -> Option<u64> {
    let (whole, fraction) = mhz.split_once('.').filter(|(_, fraction)| fraction.len() == 3)?;
    Some(whole.parse::<u64>().ok()? * 1_000 + fraction.parse::<u64>().ok()?)
}

/// Whether Linux uses the local APICs in x2APIC mode; `None` if the log does not say.
#[must_use]
pub fn uses_x2apic(log: &str) -> Option<bool> {
    let line = log.lines().rev().find(|line| line.contains("Switched APIC routing to"))?;
    Some(line.contains("x2apic"))
}

#[cfg(test)]
mod tests {
    use super::*;

    const STATED: &str = "<6>[    0.000000] tsc: Detected 2099.998 MHz processor\n";
    const COUNTED: &str = "<6>[    0.000000] tsc: Fast TSC calibration using PIT\n\
                           <6>[    0.000000] tsc: Detected 880.076 MHz processor\n";

    #[test]
    fn takes_the_stated_and_the_refined_frequency() {
        assert_eq!(tsc_khz(STATED), Some(2_099_998));
        assert_eq!(tsc_khz(&format!("{STATED}<6>[ 0.1] tsc: Detected 2100.000 MHz TSC\n")), Some(2_100_000));
        let refined = "<6>[    1.1] tsc: Refined TSC clocksource calibration: 2100.012 MHz\n";
        assert_eq!(tsc_khz(&[STATED, refined].concat()), Some(2_100_012));
        assert_eq!(tsc_khz(&[COUNTED, refined].concat()), Some(2_100_012));
        assert_eq!(tsc_khz("tsc: Detected MHz processor\n"), None);
    }

    #[test]
    fn ignores_a_fast_calibration() {
        assert_eq!(tsc_khz(COUNTED), None);
    }

    #[test]
    fn reads_the_mode_of_the_apics() {
        assert_eq!(uses_x2apic("[0.1] Switched APIC routing to physical flat.\n"), Some(false));
        assert_eq!(uses_x2apic("[0.1] APIC: Switched APIC routing to: cluster x2apic\n"), Some(true));
        assert_eq!(uses_x2apic(STATED), None);
    }
}
