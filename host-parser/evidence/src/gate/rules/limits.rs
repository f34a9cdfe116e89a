//! The tolerances of the rules: one list of names, values, units and words. docs/MEASUREMENT.md has them as a table, which
//! a test holds against this list.

use crate::gate::reason::ReasonCode;

/// A rule that a tolerance belongs to: a row of the table.
#[derive(Clone, Copy, Debug)]
pub struct LimitRow {
    /// The reason that the rule gives; `None` if it decides the basis of a time.
    pub reason: Option<ReasonCode>,
    /// What the rule compares with the tolerance.
    pub rule: &'static str,
    /// The tolerance.
    pub limit: u64,
    /// Its unit.
    pub unit: &'static str,
}

/// Declares the tolerances, and for each the rules that it belongs to.
macro_rules! limits {
    ($(
        $(#[doc = $doc:literal])+
        $name:ident: $type:ty = $value:literal $unit:literal {
            $($($reason:ident)? => $rule:literal,)+
        }
    )*) => {
        $($(#[doc = $doc])+ pub const $name: $type = $value;)*

        /// Every rule that has a tolerance, in the order of the tolerances.
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
    /// parts per million. Sources are counted for milliseconds only, and on an emulated machine under a load that the
    /// guest cannot see. A clock that is wrong is wrong by far more.
    TSC_SPREAD_PPM: u64 = 50_000 "ppm" {
        TscDisagree => "a frequency differs from the one in use by more than",
        InconsistentRecord => "less time went by than a case took, by a clock that is off by at most",
    }

    /// The part of a case's shortest worker, in thousandths, by which the CPUs' clocks may be apart: beyond it the common
    /// start is not common. Any warp at all already takes the makespan away.
    WARP_PER_MILLE: u64 = 10 "per mille" {
        TscUnsynchronised => "the largest warp is more than this part of the case's shortest worker",
    }

    /// The fewest handovers of each CPU, in each direction, with which a warp test has seen anything: a clock that is behind
    /// shows only if its CPU follows another, one that is ahead only if another follows it.
    WARP_HANDOVERS: u64 = 2 "handovers" {
        => "a makespan needs, of each CPU and in each direction, at least",
    }

    /// The part of its own time, in thousandths, by which a worker may start late. What it is late is part of the
    /// makespan; past this, the workers of a case did not run together.
    LATE_PER_MILLE: u64 = 50 "per mille" {
        LateStart => "a worker's skew is more than this part of its own time",
    }

    /// A late start below this many microseconds is never one, however short the worker: it is what it takes to see a
    /// common instant on an emulated CPU.
    LATE_MICROS: u64 = 1_000 "microseconds" {
        LateStart => "and also more than",
    }

    /// The part of a measurement, in thousandths, for which a vCPU may wait for a host CPU. If the guest has
    /// every CPU of the host, QEMU's own threads and the watcher alone took up to 4 % of one, seen with two.
    DELAY_PER_MILLE: u64 = 50 "per mille" {
        VcpuPreempted => "a vCPU was kept waiting for more than this part of the measurement",
    }

    /// A wait below this many microseconds in all is never held against the host: threads of QEMU's own, and the watcher,
    /// run for a moment too.
    DELAY_MICROS: u64 = 10_000 "microseconds" {
        VcpuPreempted => "and also for more than",
    }

    /// The longest time that a CPU may lose at once just before or after its worker, in microseconds.
    GAP_MICROS: u64 = 3_000 "microseconds" {
        VcpuPreempted => "or its CPU lost, just before or after its worker, at once more than",
    }

    /// The part of a case's time, in thousandths, that may go by beside it between the guest's `case-ready` and its
    /// `case-begin`: setting workers to work, their warm-up and the watch for gaps. Seen: 4 ms, and 40 ms on a host that
    /// had its CPUs taken away.
    REST_PER_MILLE: u64 = 250 "per mille" {
        VcpuPreempted => "more time went by than a case took, by more than this part of it",
    }

    /// The same in microseconds, whatever the case's time: Linux makes processes meanwhile.
    REST_MICROS: u64 = 100_000 "microseconds" {
        VcpuPreempted => "and also by more than",
    }

    /// How much of what a thread did its account may not have yet, in microseconds: Linux counts it at the scheduler's
    /// tick, which a CPU that is left alone (nohz_full) has once a second.
    ACCOUNT_LAG_MICROS: u64 = 1_000_000 "microseconds" {
        VcpuPreempted => "a vCPU's account has less than half of its worker's time, and lacks more than",
    }

    /// The part of a worker's time, in thousandths, that the hypervisor may take from its CPU; natively, for which it may
    /// wait for its CPU.
    STEAL_PER_MILLE: u64 = 20 "per mille" {
        Steal => "the hypervisor took more than this part of a worker's time",
        VcpuPreempted => "natively, a worker waited for its CPU for more than this part of its time",
        Steal => "the hypervisor under the host took more than this part of what was measured from one of its CPUs",
    }

    /// What the hypervisor under the host may take from a CPU while a run measures, in ms, however long that is: /proc/stat
    /// counts in ticks of 10 ms, and two can fall to a run that lost hardly anything.
    HOST_STEAL_MILLIS: u64 = 20 "ms" {
        Steal => "and also more than",
    }

    /// The part, in thousandths, by which a CPU may be slower just before or just after its worker than its baseline. Seen
    /// on shared CPUs of a VM under TCG, 2,370 iterations of 26 ms, by the slower of the two checks: less than 50 off, the
    /// median iteration took 1.05 times what the fastest took, 50 to 100 off 1.09, 100 to 300 off 1.09 to 1.14 (and a quarter
    /// of them more than 1.18 to 1.36), 300 to 400 off 1.64, and beyond 400 off 1.85 to 2.05.
    PACE_PER_MILLE: u64 = 100 "per mille" {
        CpuSlowed => "a CPU, just before or after its worker, read its TSC less often than its baseline by more than",
    }

    /// The same if the boot has no other iteration. What a clock does that moves with the neighbours' load then shows as
    /// spread; a neighbour on the core itself, which takes 400 and more, is still found.
    PACE_ALONE_PER_MILLE: u64 = 200 "per mille" {
        CpuSlowed => "the same in a boot with a single iteration, by more than",
    }

    /// How many iterations of a boot must be left after those with a slow CPU are excluded: enough for a quartile. Of a boot
    /// with fewer than twice as many, half must be left.
    LEAST_ITERATIONS: usize = 4 "iterations" {
        CpuSlowed => "of a boot (half of it, if it had fewer than twice as many) fewer iterations are left than",
    }

    /// The part, in thousandths, by which a native probe may take longer than the baseline of its session. Seen on two
    /// shared CPUs: 1 between probes that nothing could preempt, 1,000 to 3,300 with builds on the same CPUs. Rounds beside
    /// probes of 50 to 100 were no slower than rounds beside faster ones, beyond 100 they were.
    PROBE_PER_MILLE: u64 = 100 "per mille" {
        ProbeSlow => "a native probe beside the round took longer than the baseline by more than",
    }

    /// A probe that took less than this many microseconds longer is never slow, however short it is: that is a moment of
    /// some other thread.
    PROBE_MICROS: u64 = 5_000 "microseconds" {
        ProbeSlow => "and also by more than",
    }

    /// The fewest rounds that a claim can rest on.
    CLAIM_ROUNDS: usize = 5 "rounds" {
        TooFewRounds => "the claim has fewer rounds than",
    }
}
