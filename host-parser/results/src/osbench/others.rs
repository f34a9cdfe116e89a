//! The eight micro-benchmarks of Kevlar; what of `perf bench` and will-it-scale is about the same operations.

use abi::series::SeriesRow;

use super::{Benchmark, at, not_applicable, translated};

const NO_FILES: &str =
    "no files and no descriptors: a call that returned at once in their place would time something else";

pub(super) const KEVLAR: &[Benchmark] = &[
    translated(
        "getpid",
        "getpid(2)",
        &[SeriesRow::NullEnter],
        "Assay's smallest call has no answer but its status",
    ),
    not_applicable("read_null", "read(2) of a byte from /dev/null", NO_FILES),
    not_applicable("write_null", "write(2) of a byte to /dev/null", NO_FILES),
    at(
        "pipe",
        "4 KiB through a pipe to another process, over and over",
        (SeriesRow::ShmXfer, 4096),
        "both sides work on shared memory and signal each other, and nothing is copied or kept: it moves as much, and is another \
         mechanism",
    ),
    not_applicable(
        "fork_exit",
        "fork(2), exit and wait(2)",
        "no fork: a task has what it was built with, and is no copy of another; spawn_wait is not this",
    ),
    not_applicable("open_close", "open(2) and close(2) of a file", NO_FILES),
    translated(
        "mmap_fault",
        "the first store to each page of anonymous memory",
        &[SeriesRow::FaultZero],
        "each fault is timed on its own, and its page is zeroed in it; the original divides the time of 4,096 faults, for which its \
         kernel can have pages ready",
    ),
    not_applicable("stat", "stat(2) of a file", NO_FILES),
];

pub(super) const PERF_BENCH: &[Benchmark] = &[
    translated("syscall basic", "getppid(2)", &[SeriesRow::NullEnter], "as for lat_syscall null of lmbench"),
    translated(
        "sched pipe",
        "a word to another process and back through two pipes",
        &[SeriesRow::CallSame, SeriesRow::CallCross],
        "as for lat_pipe of lmbench",
    ),
    translated(
        "futex wake",
        "futex(2) FUTEX_WAKE of threads that wait",
        &[SeriesRow::NotifyNone, SeriesRow::NotifyWake],
        "one task waits at most, and notify_none has none; the original has as many as CPUs. The twin of Linux has eventfds",
    ),
    not_applicable(
        "futex hash",
        "futex(2) of many words, none of which anyone waits for",
        "a notification is an object; there is no hash of words",
    ),
];

pub(super) const WILL_IT_SCALE: &[Benchmark] = &[
    translated(
        "getppid1",
        "getppid(2) on 1 CPU and more",
        &[SeriesRow::NullEnter],
        "on one CPU: the call shares nothing with other CPUs on Assay",
    ),
    translated(
        "page_fault1",
        "the first store to each page of anonymous memory, which is then unmapped",
        &[SeriesRow::FaultZero],
        "on one CPU, each fault timed on its own, and nothing is unmapped; the original maps 128 MiB at a time",
    ),
];
