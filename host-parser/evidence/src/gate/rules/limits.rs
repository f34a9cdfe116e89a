//! The tolerances of the rules.

/// How far a source of the TSC's frequency, or another run of the experiment, may be from the frequency in use, in
/// parts per million. Sources are counted for milliseconds only, and on an emulated machine under a load that the
/// guest cannot see; a clock that is truly wrong is wrong by far more.
pub const TSC_SPREAD_PPM: u64 = 50_000;

/// The part of a case's shortest worker, in thousandths, by which the CPUs' clocks may be apart: beyond it the common
/// start is not common. Any warp at all already takes the makespan away.
pub const WARP_PER_MILLE: u64 = 10;

/// The fewest handovers of each CPU, in each direction, with which a warp test has seen anything: a clock that is behind
/// shows only where its CPU follows another, one that is ahead only where it is followed.
pub const WARP_HANDOVERS: u64 = 2;

/// The part of its own time, in thousandths, by which a worker may start late. What it is late is part of the
/// makespan; past this, the workers of a case did not run together.
pub const LATE_PER_MILLE: u64 = 50;

/// A late start below this many microseconds is never one, however short the worker: it is what it takes to see a
/// common instant on an emulated CPU.
pub const LATE_MICROS: u64 = 1_000;

/// The part of a measurement, in thousandths, for which a vCPU may be kept waiting for a host CPU. Where the guest has
/// every CPU of the host, QEMU's own threads and the watcher alone took up to 4 % of one, seen with two.
pub const DELAY_PER_MILLE: u64 = 50;

/// A wait below this many microseconds in all is never held against the host: threads of QEMU's own, and the watcher,
/// run for a moment too.
pub const DELAY_MICROS: u64 = 10_000;

/// The part of a case's time, in thousandths, that may go by beside it between the guest's `case-ready` and its
/// `case-begin`: setting workers to work, their warm-up and the watch for gaps. Seen: 4 ms, and 40 ms on a host that
/// had its CPUs taken away.
pub const REST_PER_MILLE: u64 = 250;

/// The same in microseconds, whatever the case's time: Linux makes processes meanwhile.
pub const REST_MICROS: u64 = 100_000;

/// How much of what a thread did its account may not have yet, in microseconds: Linux counts it at the scheduler's
/// tick, which a CPU that is left alone (nohz_full) has once a second.
pub const ACCOUNT_LAG_MICROS: u64 = 1_000_000;

/// The longest time that a CPU may lose at once just before or after its worker, in microseconds.
pub const GAP_MICROS: u64 = 3_000;

/// The part of a worker's time, in thousandths, that the hypervisor may take from its CPU; natively, for which it may
/// wait for its CPU.
pub const STEAL_PER_MILLE: u64 = 20;

/// What the hypervisor under the host may take from a CPU while a run measures, in ms, however long that is: /proc/stat
/// counts in ticks of 10 ms, and two can fall to a run that lost hardly anything.
pub const HOST_STEAL_MILLIS: u64 = 20;

/// The part, in thousandths, by which a CPU may be slower just before or just after its worker than at its quick times. Seen
/// on shared CPUs of a VM under TCG, 2,370 iterations of 26 ms, by the slower of the two looks: less than 50 off, the median
/// iteration took 1.05 times what the quick ones took, 50 to 100 off 1.09, 100 to 300 off 1.09 to 1.14 (and a quarter of them
/// more than 1.18 to 1.36), 300 to 400 off 1.64, and beyond 400 off 1.85 to 2.05.
pub const PACE_PER_MILLE: u64 = 100;

/// The same where the boot has no other iteration: what a clock does that moves with the neighbours' load is then left to
/// show as spread, and a neighbour on the core itself, which takes 400 and more, is not.
pub const PACE_ALONE_PER_MILLE: u64 = 200;

/// How many iterations of a boot must be left where a CPU was slow in the others: enough for a quartile of them. Of fewer
/// than twice as many, half.
pub const LEAST_ITERATIONS: usize = 4;

/// The part, in thousandths, by which a native probe may take longer than the quick ones of its session. Seen on two
/// shared CPUs: 1 between probes that nothing could preempt, 1,000 to 3,300 with builds on the same CPUs; rounds beside
/// probes of 50 to 100 were no slower than those beside quicker ones, beyond 100 they were.
pub const PROBE_PER_MILLE: u64 = 100;

/// A probe that took less than this many microseconds longer is never slow, however short it is: that is a moment of
/// some other thread.
pub const PROBE_MICROS: u64 = 5_000;

/// The fewest rounds that a claim can rest on.
pub const CLAIM_ROUNDS: usize = 5;
