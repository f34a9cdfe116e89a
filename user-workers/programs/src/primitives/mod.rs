//! The tasks of the mechanism rows: the loops that read the clock. What is timed is a call of a stub, which each system
//! supplies, or one store.
#![allow(clippy::cast_possible_truncation, reason = "a worker is for 64-bit CPUs alone")]

mod attacks;
mod client;
mod mapping;
mod pages;
mod partner;
mod rings;
mod samples;
mod stub;

use core::arch::global_asm;
use core::slice;
use core::sync::atomic::AtomicU64;

use abi::series::SeriesRow;
use abi::task::{CHILD_XOR, FAULTING, HEADER_WORDS, MAPPED_AT, Orders, TOUCHED_AT, TaskName, child_answer};
use abi::worker::{COMPLETE, WorkerArgs, WorkerResult};

use crate::worker::runtime::{store, tsc};
use client::Client;
use partner::{Partner, Served};

// A task is called, with its arguments in RDI. The child of a process is executed by Linux, which starts it with RDI zero and
// its arguments on the stack: it answers with its exit code, and this is the one system call in this program.
global_asm!(
    ".section .text.worker_entry, \"ax\", @progbits",
    ".globl worker_entry",
    ".type worker_entry, @function",
    "worker_entry:",
    "test rdi, rdi",
    "jnz {task}",
    "mov rax, [rsp + 8]",
    "movzx edi, byte ptr [rax]",
    "xor edi, {child_xor}",
    "mov eax, 60",
    "syscall",
    "ud2",
    ".text",
    task = sym task,
    child_xor = const CHILD_XOR,
);

/// A task of a row, from its entry to its return.
///
/// # Safety
/// `args` can be read and `out` written for as long as this runs, and each range of `args` is mapped.
unsafe extern "C" fn task(args: *const WorkerArgs, out: *mut WorkerResult) {
    // SAFETY: the caller promises that `args` can be read.
    let args = unsafe { args.read() };
    let begin_tsc = tsc();
    let orders = Orders::of(&args);
    let name = TaskName::from_number(args.worker);
    if name == Some(TaskName::Child) {
        // It has no memory of its own, and nothing to time. One that was given a handle calls through it.
        if orders.handle != 0 && orders.arg == FAULTING {
            stub::call(abi::stub::Op::FaultTo, orders.handle);
            let _never = pages::load(MAPPED_AT, 0);
        } else if orders.handle != 0 {
            let _answer = stub::call2(abi::stub::Op::Call, orders.handle, attacks::DOOMED);
        }
        let answer = child_answer(orders.arg);
        let result = WorkerResult { begin_tsc, answer, complete: COMPLETE, ..WorkerResult::default() };
        // SAFETY: the caller promises that `out` can be written.
        return unsafe { store(out, result) };
    }
    let (mut answer, mut work) = (0, 0);
    // SAFETY: the memory of this task alone, mapped and writable for as long as it runs.
    let memory =
        unsafe { slice::from_raw_parts_mut(args.memory.at as *mut u64, args.memory.bytes as usize / 8) };
    // SAFETY: mapped and writable; every task uses it by atomics alone.
    let shared =
        unsafe { slice::from_raw_parts(args.shared.at as *const AtomicU64, args.shared.bytes as usize / 8) };
    let (kept, touched) = memory.split_at_mut(TOUCHED_AT as usize / 8);
    let row = SeriesRow::ALL.get(orders.row as usize).copied();
    match (name, row) {
        (Some(TaskName::Client), Some(row)) => {
            let (place, memory) = kept.split_at_mut(HEADER_WORDS);
            let mut client = Client { orders, challenge: args.challenge, memory, touched, shared };
            let header = client.run(row);
            samples::leave(&header, place);
            (answer, work) = (header.done, header.wrong);
        }
        (Some(TaskName::Server | TaskName::Remote), Some(row)) => {
            let mut partner = Partner { orders, challenge: args.challenge, touched, shared };
            let Served { count, wrong } = partner.run(row);
            (answer, work) = (count, wrong);
        }
        _ => {}
    }
    let end_tsc = tsc();
    let result = WorkerResult { begin_tsc, end_tsc, answer, work, digest: 0, complete: COMPLETE, chunks: 0 };
    // SAFETY: the caller promises that `out` can be written.
    unsafe { store(out, result) }
}

/// Changes a word of each line.
#[inline(always)]
fn touch(words: &mut [u64]) {
    for line in words.chunks_exact_mut(8) {
        let next = line[0].wrapping_add(1);
        let word = core::ptr::from_mut(&mut line[0]);
        // SAFETY: a reference's own place. Volatile, so that no store is left out.
        unsafe { word.write_volatile(next) }
    }
}
