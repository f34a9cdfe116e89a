//! UnixBench 5.1.3, by the tests of its `index`. Its index itself is a mean over all of them, and has no equal here.

use abi::series::SeriesRow;

use super::{Benchmark, not_applicable, translated};

const NO_FILES: &str = "no files";
const NO_SHELL: &str = "no shell and no files";

pub(super) const ALL: &[Benchmark] = &[
    not_applicable(
        "dhry2reg",
        "Dhrystone 2",
        "a program of integers, in which no kernel takes part; docs/WORKLOADS.md has others",
    ),
    not_applicable(
        "whetstone-double",
        "Whetstone",
        "a program of floating-point numbers, in which no kernel takes part; docs/WORKLOADS.md has others",
    ),
    not_applicable(
        "execl",
        "execl(3): a process replaces its program",
        "a task cannot replace its program; spawn_wait starts another one",
    ),
    not_applicable("fstime", "copying a file, 1,024 bytes at a time", NO_FILES),
    not_applicable("fsbuffer", "copying a file, 256 bytes at a time", NO_FILES),
    not_applicable("fsdisk", "copying a file, 4,096 bytes at a time", NO_FILES),
    not_applicable(
        "pipe",
        "512 bytes written to a pipe and read from it by the same process",
        "no pipes: nothing here keeps bytes for a reader, and a task cannot call itself",
    ),
    translated(
        "context1",
        "an increasing number passed to another process and back through two pipes",
        &[SeriesRow::CallSame, SeriesRow::CallCross],
        "Assay passes words in registers and the caller lends its CPU; the answer is checked on both. Where the original's two \
         processes run is left to Linux, and changes its figure severalfold",
    ),
    not_applicable(
        "spawn",
        "fork(2), exit and wait(2)",
        "no fork: a task has what it was built with, and is no copy of another; spawn_wait is not this",
    ),
    translated(
        "syscall",
        "dup(2), close(2), getpid(2), getuid(2) and umask(2) in turn; with its option `getpid` that one alone",
        &[SeriesRow::NullEnter],
        "the smallest call alone, so it stands beside the option `getpid`: there are no descriptors and no users",
    ),
    not_applicable("shell1, shell8", "a script of the shell, once and eight at once", NO_SHELL),
    not_applicable("2d, 3d graphics", "drawing", "no graphics"),
];
