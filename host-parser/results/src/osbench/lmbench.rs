//! lmbench 3, by its programs: those of its summary, and others that time an operation. Those about memory and the CPU alone are
//! at the end.

use abi::series::SeriesRow;

use super::{Benchmark, at, not_applicable, translated};

const NO_FILES: &str =
    "no files and no descriptors: a call that returned at once in their place would time something else";
const NO_NETWORK: &str = "no network";
const NO_SIGNALS: &str = "no signals";
const NO_FORK: &str =
    "no fork: a task has what it was built with, and is no copy of another; spawn_wait is not this";
const OF_THE_CPU: &str = "an operation of the CPU alone, in which no kernel takes part";

pub(super) const ALL: &[Benchmark] = &[
    translated(
        "lat_syscall null",
        "getppid(2)",
        &[SeriesRow::NullEnter],
        "Assay's smallest call has no answer but its status; the original times a loop by the time of day and divides",
    ),
    not_applicable("lat_syscall read", "read(2) of a byte from /dev/zero", NO_FILES),
    not_applicable("lat_syscall write", "write(2) of a byte to /dev/null", NO_FILES),
    not_applicable("lat_syscall stat", "stat(2) of a file", NO_FILES),
    not_applicable("lat_syscall fstat", "fstat(2) of a descriptor", NO_FILES),
    not_applicable("lat_syscall open", "open(2) and close(2) of a file", NO_FILES),
    not_applicable("lat_sig install", "sigaction(2)", NO_SIGNALS),
    not_applicable("lat_sig catch", "kill(2) to itself, and the handler", NO_SIGNALS),
    not_applicable(
        "lat_sig prot",
        "a store to a read-only page, and the handler of SIGSEGV",
        "no signals: fault_served has a server map the page, which is another mechanism",
    ),
    not_applicable("lat_proc fork", "fork(2), exit and wait(2)", NO_FORK),
    translated(
        "lat_proc exec",
        "fork(2), execve(2) of a small static program, exit and wait(2)",
        &[SeriesRow::SpawnWait],
        "Assay builds the task from its ELF and copies no parent; the twin of Linux uses vfork(2), which copies none either",
    ),
    not_applicable("lat_proc shell", "the same through /bin/sh -c", "no shell and no files"),
    not_applicable(
        "lat_proc procedure",
        "a call of a function",
        "nothing of a kernel; overhead_stub is such a call with the loop around it",
    ),
    translated(
        "lat_ctx",
        "a token passed through pipes by processes that touch memory in between",
        &[SeriesRow::Switch],
        "two tasks yield to each other and no token is passed; the original has 2 to 96 processes and subtracts what a pipe costs \
         within one process",
    ),
    translated(
        "lat_pipe",
        "a byte to another process and back through two pipes",
        &[SeriesRow::CallSame, SeriesRow::CallCross],
        "Assay passes words in registers and the caller lends its CPU; a pipe keeps bytes. call_same pins both sides to one CPU, \
         which the original does not",
    ),
    translated(
        "lat_fifo",
        "the same through two named pipes",
        &[SeriesRow::CallSame, SeriesRow::CallCross],
        "as for lat_pipe; a name is looked up before the timing on neither",
    ),
    translated(
        "lat_unix",
        "the same through a pair of UNIX sockets",
        &[SeriesRow::CallSame, SeriesRow::CallCross],
        "as for lat_pipe; the twin of Linux has pipes, which cost less there than sockets",
    ),
    not_applicable(
        "lat_unix_connect",
        "connect(2) to a UNIX socket",
        "no names that are connected to: handles are granted",
    ),
    translated(
        "lat_sem",
        "two processes that release each other by two System V semaphores",
        &[SeriesRow::NotifyWake],
        "a notification keeps bits and no count; the twin of Linux has eventfds, not semaphores",
    ),
    not_applicable("lat_fcntl", "two processes that release each other by locks of a file", NO_FILES),
    not_applicable("lat_select", "select(2) of 10 to 500 descriptors", NO_FILES),
    not_applicable("lat_tcp", "a byte there and back by TCP", NO_NETWORK),
    not_applicable("lat_udp", "a byte there and back by UDP", NO_NETWORK),
    not_applicable("lat_rpc", "a remote procedure call", NO_NETWORK),
    not_applicable("lat_connect", "connect(2) by TCP", NO_NETWORK),
    not_applicable("lat_http", "a page from a web server", NO_NETWORK),
    not_applicable("lat_fs", "files created and deleted", NO_FILES),
    translated(
        "lat_mmap",
        "mmap(2) of a file, stores to the pages of its first tenth, munmap(2)",
        &[SeriesRow::MapTouch],
        "up to 512 pages, as one call of Assay has at most; the original maps 512 KiB and more, of a file on a disk",
    ),
    not_applicable(
        "lat_pagefault",
        "a load from a page of a file that is not mapped yet",
        "no files: fault_zero makes a page of zeros, and fault_served has a task map one; neither reads a file",
    ),
    translated(
        "lat_usleep",
        "usleep(3) and its like, by how much they are late",
        &[SeriesRow::TimerWake],
        "a sample here is from the deadline on; the original's has the sleep too",
    ),
    at(
        "bw_pipe",
        "bytes through a pipe to another process, 64 KiB at a time",
        (SeriesRow::ShmXfer, 64 << 10),
        "both sides work on shared memory and signal each other, and nothing is copied or kept: it moves as much, and is another \
         mechanism",
    ),
    not_applicable("bw_unix", "the same through a pair of UNIX sockets", "no sockets"),
    not_applicable("bw_tcp", "the same by TCP", NO_NETWORK),
    not_applicable("bw_file_rd", "read(2) of a file in memory", NO_FILES),
    not_applicable("bw_mmap_rd", "reading a file that is mapped", NO_FILES),
    translated(
        "bw_mem",
        "reading, writing and copying memory, by sizes",
        &[SeriesRow::MemRead, SeriesRow::MemWrite, SeriesRow::MemCopy],
        "one size beyond the caches, on 1 CPU and more; each word is read and summed, the original's `rd` reads one of four",
    ),
    translated(
        "lat_mem_rd",
        "a chain of dependent loads, by size and stride",
        &[SeriesRow::MemLat4k, SeriesRow::MemLat2m],
        "the chain is in random order, so that nothing is fetched ahead; the original's order is that of its stride",
    ),
    not_applicable("par_mem", "how many loads overlap", OF_THE_CPU),
    not_applicable("lat_ops, par_ops", "arithmetic", OF_THE_CPU),
    not_applicable(
        "stream",
        "STREAM in three sizes",
        "no row: the workload `triad` is STREAM's (docs/WORKLOADS.md)",
    ),
    not_applicable(
        "tlb, line, cache",
        "sizes that are worked out from latencies",
        "no row works a size out; mem_lat_4k has latencies",
    ),
    not_applicable(
        "mhz",
        "the CPU's frequency",
        "a register of the machine, which every log has, and no cost",
    ),
    not_applicable("disk, lmdd", "a disk", "no disk"),
];
