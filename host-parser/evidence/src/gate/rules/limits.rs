//! The tolerances of the rules: one list of names, values, units and descriptions. A test makes the table in docs/GATE.md
//! from this list.

use crate::gate::reason::ReasonCode;

/// A rule and its tolerance: a row of the table.
#[derive(Clone, Copy, Debug)]
pub struct LimitRow {
    /// The reason that the rule gives; `None` if the rule decides the basis of a time.
    pub reason: Option<ReasonCode>,
    /// When the rule applies. The tolerance completes the phrase.
    pub rule: &'static str,
    /// The tolerance.
    pub limit: u64,
    /// Its unit.
    pub unit: &'static str,
}

/// Declares the tolerances, and for each the rules that use it.
macro_rules! limits {
    ($(
        $(#[doc = $doc:literal])+
        $name:ident: $type:ty = $value:literal $unit:literal {
            $($($reason:ident)? => $rule:literal,)+
        }
    )*) => {
        $($(#[doc = $doc])+ pub const $name: $type = $value;)*

        /// Every rule that has a tolerance, by tolerance.
        pub const ROWS: &[LimitRow] = &[$($(LimitRow {
            reason: limits!(@reason $($reason)?),
            rule: $rule,
            limit: $value,
            unit: $unit,
        },)+)*];
    };
    (@reason $reason:ident) => { Some(ReasonCode::$reason) };
    (@reason) => { None };
}

limits! {
    /// How far a source of the TSC's frequency, or another run of the experiment, may be from the frequency in use, in
    /// parts per million. Sources that state a frequency agree to a few. Counted ones, for 10 ms on an emulated machine:
    /// 114 was the most in 862 boots of our kernel, and 143 between boots. With 14 busy threads on two CPUs it was 48 in
    /// 60 boots; it had been 709 in one of 40, before a count that was not sharp was made again.
    TSC_SPREAD_PPM: u64 = 1_000 "ppm" {
        TscDisagree => "a source's or another run's frequency differs from the one in use by more than",
    }

    /// The same for another run whose frequency is Linux's own. Linux calibrates against the PIT for as little as 15 ms,
    /// and is content with 500. Seen: 800 between two boots of one machine.
    TSC_LINUX_PPM: u64 = 5_000 "ppm" {
        TscDisagree => "the same for another run, if Linux worked out the frequency: by more than",
    }

    /// How far apart the CPUs' clocks may be, in thousandths of the time of a case's shortest worker. Beyond that the
    /// workers had no common start. (With any warp at all, the basis is not the makespan.)
    WARP_PER_MILLE: u64 = 10 "per mille" {
        TscUnsynchronised => "the largest warp exceeds this part of the time of the case's shortest worker",
    }

    /// How many handovers of each CPU a warp test needs at least, in each direction. A clock that is behind shows only if
    /// its CPU reads after another CPU; a clock that is ahead shows only if another CPU reads after it.
    WARP_HANDOVERS: u64 = 2 "handovers" {
        => "the basis is the makespan only if the warp test had, for each CPU and in each direction, at least",
    }

    /// How far the clock of a CPU may be from that of CPU 0, in microseconds, by the interval that the warp test found. The
    /// makespan is wrong by no more. Seen: less than 1 on a quiet host, and 100 at a load of 12 on two CPUs.
    OFFSET_MICROS: u64 = 200 "microseconds" {
        => "the basis is the makespan only if the interval in which each CPU's offset lies contains 0, and reaches at most this far",
    }

    /// How late a worker may start, in thousandths of its own time. The delay is part of the makespan; beyond this limit
    /// the workers of a case did not run together.
    LATE_PER_MILLE: u64 = 50 "per mille" {
        LateStart => "a worker's skew exceeds this part of its own time",
    }

    /// A start is never late below this many microseconds, however short the worker is: an emulated CPU needs that long
    /// to see the common start.
    LATE_MICROS: u64 = 1_000 "microseconds" {
        LateStart => "and it also exceeds",
    }

    /// How long a vCPU may wait for a host CPU, in thousandths of the measured time. If the guest has every CPU of the
    /// host, QEMU's other threads and the watcher alone took up to 4 % of one CPU (measured with two).
    DELAY_PER_MILLE: u64 = 50 "per mille" {
        VcpuPreempted => "a vCPU waited for a host CPU for more than this part of the measured time",
        VcpuPreempted => "in the native row, a worker waited for its CPU for more than this part of its time",
    }

    /// A total wait below this many microseconds is always allowed: QEMU's other threads and the watcher need a moment
    /// too.
    DELAY_MICROS: u64 = 10_000 "microseconds" {
        VcpuPreempted => "and also for more than",
    }

    /// The longest gap that a CPU may have just before or just after its worker, in microseconds.
    GAP_MICROS: u64 = 3_000 "microseconds" {
        VcpuPreempted => "a CPU's gap just before or just after its worker exceeds",
        TimeMissing => "a worker was back too late, and by more than a slice of the host's scheduler, which is",
    }

    /// How long a worker's CPU may take from the worker's last clock reading to the kernel's own, in microseconds. Seen: a
    /// median of 0.01 ms and 99 % below 0.1 ms.
    WAY_OUT_MICROS: u64 = 1_000 "microseconds" {
        VcpuPreempted => "a worker was back later after its last clock reading than it should be, by more than",
    }

    /// How long our kernel may take from the last worker's return to the clock reading `back`, in microseconds; in a log
    /// without it, from the last worker's pace check to `done`. Seen: a median of 0.06 ms, and 1.3 ms when an emulator runs
    /// that code for the first time.
    END_MICROS: u64 = 2_000 "microseconds" {
        TimeMissing => "the clock was read later after the last worker's return than it should be, by more than",
    }

    /// The same for Linux, whose processes end meanwhile. Seen: 30 ms under TCG, 7 ms natively.
    LINUX_END_MICROS: u64 = 40_000 "microseconds" {
        TimeMissing => "the same under Linux and in the native row: by more than",
    }

    /// How much more time may pass by the time stamps than by the clock readings, in microseconds.
    STAMP_MICROS: u64 = 1_000 "microseconds" {
        TimeMissing => "more time passed by the stamps of two `case-begin` than by the clock readings, by more than",
        InconsistentRecord => "the stamps of an iteration do not enclose its clock readings, by more than",
    }

    /// How much longer than the fastest line after it the line of a `case-ready` may take to print, in microseconds. At
    /// 115,200 baud it takes 9 ms. In a VMM each byte may be two exits, whatever the rate: 45 ms were seen for the line under
    /// KVM on an emulated CPU, and as much for each of the others.
    PRINT_MICROS: u64 = 20_000 "microseconds" {
        TimeMissing => "the same from a boot's first `case-ready`, whose line is printed meanwhile: by the time of the fastest line of the iterations, and by this, in addition",
    }

    /// How far two clocks may drift apart from one clock reading to the next, in parts per million.
    CLOCK_PPM: u64 = 500 "ppm" {
        TimeMissing => "the limits of the stamps, of the second clock and of the host's clock grow by this part of the time",
    }

    /// How far the TSC and the second clock may be apart from one clock reading to the next, in microseconds. Seen: 0.05
    /// ms.
    SECOND_MICROS: u64 = 500 "microseconds" {
        TimeMissing => "more time passed by the second clock than by the TSC, by more than",
        TscDisagree => "more time passed by the TSC than by the second clock, by more than",
    }

    /// How far the TSC and the real-time clock may be apart from one reading to another, in ms: its resolution, and the time
    /// that a reading may take.
    RTC_MILLIS: u64 = 1_020 "ms" {
        TimeMissing => "more time passed by the real-time clock than by the TSC, by more than",
        TscDisagree => "more time passed by the TSC than by the real-time clock, by more than",
    }

    /// How far the TSC's frequency may be off by the second clock, over the whole boot, in parts per million. Seen: 515.
    RATE_PPM: u64 = 5_000 "ppm" {
        TscDisagree => "over all iterations, the TSC's frequency differs from the second clock's by more than",
    }

    /// How much more time than the guest's the host's clock may see in one iteration, in microseconds: the watcher may
    /// wait for a CPU when it is to read its clock. Seen: 5.6 ms.
    WATCH_MICROS: u64 = 20_000 "microseconds" {
        TimeMissing => "more time passed by the host's clock than by the guest's in an iteration, by more than",
    }

    /// The same on average over a boot's iterations, beyond that of one: the watcher is as often late at the beginning.
    WATCH_MEAN_MICROS: u64 = 1_000 "microseconds" {
        TimeMissing => "the same in all iterations of a boot together, by that and, for each iteration, by more than",
    }

    /// How much shorter than the shortest one without a gap a worker's time may be beside a gap that nothing accounts for,
    /// in thousandths, so that the gap is the host's. Both are times of the same work, and seldom is the shortest of a few
    /// the shortest of all.
    SHORT_PER_MILLE: u64 = 50 "per mille" {
        TimeMissing => "beside time that is missing, a worker's time is shorter than the shortest without, by more than",
    }

    /// How many iterations of a case with a gap that the host does not account for may count as disturbed by the host, in
    /// thousandths of those that were made in all runs. The readings between which such a gap lies are 0.2 ms apart: a
    /// host that takes a CPU away every 10 ms meets them in 20 of 1,000.
    BELIEVED_PER_MILLE: u64 = 50 "per mille" {
        TimeMissing => "the same although its times are not short, if there is more of it than this part of the iterations",
    }

    /// The same for few iterations.
    BELIEVED: u64 = 1 "iterations" {
        TimeMissing => "and more than",
    }

    /// How much of the time from the common start on the host may have missed, in microseconds.
    UNWATCHED_MICROS: u64 = 1_000 "microseconds" {
        VcpuPreempted => "the host watched less than the time from the common start to the end of an iteration, by more than",
    }

    /// How much faster than n times n workers may be than one, in thousandths, by the median of a claim. Contention of the
    /// case of one worker does this: of 15 published rounds of two workers five were beyond 2.0, one of them at 2.29, and
    /// the median at 2.0.
    SUPERLINEAR_PER_MILLE: u64 = 50 "per mille" {
        Superlinear => "the median speed-up of a claim exceeds the ratio of the workers by more than",
    }

    /// The same in one boot that ran both cases, by the shortest iteration of the one worker and the longest of the others.
    SUPERLINEAR_BOOT_PER_MILLE: u64 = 250 "per mille" {
        Superlinear => "in one boot, even the slowest iteration of n workers is more than n times as fast as the fastest of one worker, by more than",
    }

    /// How far a thread's account may lag behind, in microseconds. Linux updates it at the scheduler's tick, which an
    /// isolated CPU (nohz_full) has once a second.
    ACCOUNT_LAG_MICROS: u64 = 1_000_000 "microseconds" {
        VcpuPreempted => "a vCPU's account has less than half of its worker's time, and the rest exceeds",
    }

    /// How much time the hypervisor may take from a worker's CPU, in thousandths of the worker's time.
    STEAL_PER_MILLE: u64 = 20 "per mille" {
        Steal => "the hypervisor took more than this part of a worker's time from its CPU, if no host watched its vCPUs",
        Steal => "the hypervisor under the host took more than this part of the measured time from one of the host's CPUs",
    }

    /// How much time the hypervisor under the host may take from a CPU during a run's measurements, in ms, however short
    /// they are. /proc/stat counts in ticks of 10 ms, and a run that lost hardly any time can get two of them.
    HOST_STEAL_MILLIS: u64 = 20 "ms" {
        Steal => "and it also took more than",
    }

    /// How late the timer may come that watches a worker's CPU, in ms. Seen under TCG, whose own threads wait
    /// for a CPU: 46 at a load of 12 on two CPUs, 186 at a load of 16. A machine that was stopped for 2 s: 1,900.
    STOPPED_MILLIS: u64 = 250 "ms" {
        VmStopped => "the timer that watches a worker's CPU came late by more than",
    }

    /// How far the times between the watch's interrupts may be from what they should be, in thousandths: the rate of the
    /// local APIC's timer is measured.
    WATCH_PER_MILLE: u64 = 50 "per mille" {
        VmStopped => "the interrupts of a watch are too few for the time of their worker, by more than",
        InconsistentRecord => "the interrupts of a watch take more than the time of their worker, by more than",
    }

    /// How far IA32_MPERF may be from the TSC over a worker's time, in thousandths, so that the effective clock is known
    /// from it. A hypervisor may emulate, scale or stop it.
    MPERF_PER_MILLE: u64 = 20 "per mille" {
        => "the effective clock of a worker's CPU is shown only if MPERF differs from the TSC by at most",
    }

    /// How much slower than its baseline a CPU may be just before or just after its worker, in thousandths.
    ///
    /// Seen under TCG on the shared CPUs of a VM, in 2,370 iterations of 26 ms, by the slower of the two checks: below 50,
    /// the median iteration took 1.05 times as long as the fastest; from 50 to 100, 1.09; from 100 to 300, 1.09 to 1.14
    /// (and a quarter of the iterations more than 1.18 to 1.36); from 300 to 400, 1.64; beyond 400, 1.85 to 2.05.
    PACE_PER_MILLE: u64 = 100 "per mille" {
        CpuSlowed => "just before or just after its worker, a CPU was slower than its baseline by more than",
    }

    /// The same for a boot with a single iteration. A clock that varies with the neighbours' load then shows up as spread;
    /// a neighbour on the core itself, which takes 400 or more, is still found.
    PACE_ALONE_PER_MILLE: u64 = 200 "per mille" {
        CpuSlowed => "the same in a boot with a single iteration: by more than",
    }

    /// How much must remain after the exclusions, in thousandths: of a boot's iterations, and of all iterations of a case
    /// that were made. With less than half, the undisturbed iteration is the exception.
    KEPT_PER_MILLE: u64 = 500 "per mille" {
        CpuSlowed => "the part of a boot's iterations that is undisturbed is less than",
        HostContended => "the part that counts of the iterations that were made of a case of the claim is less than",
    }

    /// How much longer than its session's baseline a native probe may take, in thousandths. Seen on two shared CPUs: 1 if
    /// nothing could preempt the probes, 1,000 to 3,300 with builds on the same CPUs. Rounds next to probes of 50 to 100
    /// were no slower than rounds next to faster probes; beyond 100 they were.
    PROBE_PER_MILLE: u64 = 100 "per mille" {
        ProbeSlow => "a native probe just before or just after the round took longer than the baseline by more than",
    }

    /// A probe is never slow if it took less than this many microseconds longer, however short it is: another thread may
    /// run for a moment.
    PROBE_MICROS: u64 = 5_000 "microseconds" {
        ProbeSlow => "and also by more than",
    }

    /// The p-value, in thousandths, below which the excluded shares of two cases or systems differ. It is the exact
    /// permutation test's, two-sided, multiplied by the number of such pairs. With five rounds the least one is 8.
    SELECTION_P_PER_MILLE: u64 = 10 "per mille" {
        Selection => "the excluded shares of two cases or systems differ with a p-value of less than",
    }

    /// How much larger than what their numbers of CPUs explain the difference of two excluded shares may be, in thousandths
    /// of the iterations. A smaller one changes a mean by less than its own spread.
    SELECTION_SHARE_PER_MILLE: u64 = 100 "per mille" {
        Selection => "and the difference exceeds what their numbers of CPUs explain by more than",
    }

    /// How far the speed-up of everything that was made may be below a claim that holds undisturbed, in thousandths of the
    /// claim: the lower 99 % bound of the ratio of the mean times.
    SELECTION_GAP_PER_MILLE: u64 = 20 "per mille" {
        Selection => "a claim holds undisturbed, and the lower bound of the speed-up by the mean times of everything that was made is below it by more than",
    }

    /// How often a run that the host disturbed is made again in its round. At four attempts a host that disturbs a fifth of
    /// all runs spoils one run in 600, and one that disturbs half of them one in 16.
    REPEATS: u32 = 3 "times" {
        HostContended => "a disturbed run is made again in its round at most",
    }

    /// The fewest rounds that a claim can rest on.
    CLAIM_ROUNDS: usize = 5 "rounds" {
        TooFewRounds => "fewer rounds have both cases of the claim than",
    }
}
