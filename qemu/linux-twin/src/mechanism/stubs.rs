//! The stubs of Linux: how a task does each operation. No libc: what is timed is the system call and nothing else.
//!
//! A handle is the number of a descriptor: that of slot k in generation 1 is 256 + k. What an endpoint is to a task takes two:
//! the one that it writes to or reads from first, and [`ANSWERS`] further the one for the other direction.
//!
//! The code is copied into each task, at the address of the stubs, and does not depend on where it is.
#![expect(unsafe_code, reason = "assembly, and the range of its bytes")]

use core::arch::global_asm;
use std::slice;

use abi::stub::{Op, STUB_BYTES};
use abi::task::NO_ANSWER;

use super::ring;

/// The distance from the descriptor of an endpoint's requests to that of its answers.
pub const ANSWERS: i32 = 32;
/// The number of no system call.
pub const NO_SUCH_CALL: u32 = 100_000;
/// What a child that could not be executed adds to the number of Linux's error, as its exit code.
pub const NOT_EXECUTED: u64 = 0x80;

const fn at(op: Op) -> u64 {
    op as u64 * STUB_BYTES
}

// Linux overwrites RAX, RCX and R11, and keeps all other registers (psABI AMD64, A.2.1).
global_asm!(
    ".pushsection .rodata.assay_stubs, \"a\", @progbits",
    ".balign 64",
    ".globl assay_stubs",
    "assay_stubs:",
    // getppid()
    ".org assay_stubs + {null}, 0xcc",
    "mov eax, {getppid}",
    "syscall",
    "ret",
    ".org assay_stubs + {no_call}, 0xcc",
    "mov eax, {no_such_call}",
    "syscall",
    "ret",
    // fcntl(handle, F_GETFD)
    ".org assay_stubs + {identify}, 0xcc",
    "mov esi, {f_getfd}",
    "mov eax, {fcntl}",
    "syscall",
    "ret",
    // Not on Linux.
    ".org assay_stubs + {bad_method}, 0xcc",
    "ud2",
    // write(handle, &word, 8), read(handle + ANSWERS, &word, 8)
    ".org assay_stubs + {call}, 0xcc",
    "sub rsp, 24",
    "mov [rsp], rsi",
    "mov rsi, rsp",
    "mov edx, 8",
    "mov eax, {write}",
    "syscall",
    "add edi, {answers}",
    "xor eax, eax",
    "syscall",
    // The word that was read, or the error; also of the two below.
    "assay_stubs_word:",
    "cmp rax, 8",
    "jne 2f",
    "mov rax, [rsp]",
    "2:",
    "add rsp, 24",
    "ret",
    // write(handle + ANSWERS, &word, 8) unless there is no caller, read(handle, &word, 8)
    ".org assay_stubs + {serve}, 0xcc",
    "sub rsp, 24",
    "mov [rsp], rsi",
    "cmp rsi, {no_answer}",
    "mov rsi, rsp",
    "mov edx, 8",
    "je 2f",
    "add edi, {answers}",
    "mov eax, {write}",
    "syscall",
    "sub edi, {answers}",
    "2:",
    "xor eax, eax",
    "syscall",
    "jmp assay_stubs_word",
    // write(handle, &bits, 8)
    ".org assay_stubs + {signal}, 0xcc",
    "push rsi",
    "mov rsi, rsp",
    "mov edx, 8",
    "mov eax, {write}",
    "syscall",
    "pop rsi",
    "ret",
    // read(handle, &bits, 8)
    ".org assay_stubs + {wait}, 0xcc",
    "sub rsp, 24",
    "mov rsi, rsp",
    "mov edx, 8",
    "xor eax, eax",
    "syscall",
    "jmp assay_stubs_word",
    // sched_yield()
    ".org assay_stubs + {yield_}, 0xcc",
    "mov eax, {sched_yield}",
    "syscall",
    "ret",
    // clock_nanosleep(CLOCK_MONOTONIC, 0, what is left until the TSC has the value, NULL); less than a second
    ".org assay_stubs + {sleep}, 0xcc",
    "rdtsc",
    "shl rdx, 32",
    "or rax, rdx",
    "sub rdi, rax",
    "jbe 2f",
    "mov rax, rdi",
    "mul qword ptr [rip + assay_stubs_ns]",
    "shrd rax, rdx, 32",
    "push rax",
    "push 0",
    "mov edi, {monotonic}",
    "xor esi, esi",
    "mov rdx, rsp",
    "xor r10d, r10d",
    "mov eax, {clock_nanosleep}",
    "syscall",
    "add rsp, 16",
    "2: ret",
    ".org assay_stubs + {spawn}, 0xcc",
    "jmp assay_stubs_spawn",
    // mmap(address, pages, read and write, MAP_SHARED | MAP_FIXED | MAP_POPULATE, memory, 0)
    ".org assay_stubs + {map}, 0xcc",
    "mov r10d, {map_flags}",
    "assay_stubs_map:",
    "mov r8, rdi",
    "mov rdi, rsi",
    "mov rsi, rdx",
    "shl rsi, 12",
    "mov edx, {read_write}",
    "xor r9d, r9d",
    "mov eax, {mmap}",
    "syscall",
    "ret",
    // mprotect(address, pages, read)
    ".org assay_stubs + {protect}, 0xcc",
    "mov rdi, rsi",
    "mov rsi, rdx",
    "shl rsi, 12",
    "mov edx, {read_only}",
    "mov eax, {mprotect}",
    "syscall",
    "ret",
    // munmap(address, pages)
    ".org assay_stubs + {unmap}, 0xcc",
    "mov rdi, rsi",
    "mov rsi, rdx",
    "shl rsi, 12",
    "mov eax, {munmap}",
    "syscall",
    "ret",
    ".org assay_stubs + {enter}, 0xcc",
    "jmp assay_stubs_enter",
    ".org assay_stubs + {empty}, 0xcc",
    "mov rax, rdi",
    "ret",
    // The handler is there from the start.
    ".org assay_stubs + {fault_to}, 0xcc",
    "xor eax, eax",
    "ret",
    // The same without MAP_POPULATE.
    ".org assay_stubs + {map_lazy}, 0xcc",
    "mov r10d, {map_lazy_flags}",
    "jmp assay_stubs_map",
    // Not on Linux.
    ".org assay_stubs + {raw}, 0xcc",
    "ud2",
    ".org assay_stubs + {end}, 0xcc",
    // vfork(), execveat(image, \"\", {{argument}}, NULL, AT_EMPTY_PATH), wait4(child, &status, 0, NULL). The child has this
    // stack until it executes, and changes nothing on it.
    "assay_stubs_spawn:",
    "sub rsp, 40",
    "mov [rsp], rsi",
    "mov [rsp + 8], rsp",
    "mov qword ptr [rsp + 16], 0",
    "mov eax, {vfork}",
    "syscall",
    "test eax, eax",
    "jnz 2f",
    "lea rsi, [rsp + 16]",
    "lea rdx, [rsp + 8]",
    "xor r10d, r10d",
    "mov r8d, {at_empty_path}",
    "mov eax, {execveat}",
    "syscall",
    "neg eax",
    "lea edi, [rax + {not_executed}]",
    "mov eax, {exit}",
    "syscall",
    "2:",
    "mov edi, eax",
    "mov rsi, rsp",
    "xor edx, edx",
    "xor r10d, r10d",
    "mov eax, {wait4}",
    "syscall",
    "movzx eax, byte ptr [rsp + 1]",
    "add rsp, 40",
    "ret",
    // Leaves entries of IORING_OP_NOP, whose other fields stay 0, each with the next token as its user_data; then
    // io_uring_enter(ring, count, 0, 0, NULL, 0), and looks at what came back.
    ".globl assay_stubs_enter",
    "assay_stubs_enter:",
    "push rbx",
    "push rbp",
    "push r12",
    "mov rbp, rsi",
    "mov r12, rdx",
    "mov r8, [rip + assay_stubs_entries]",
    "mov rbx, [rip + assay_stubs_left]",
    "mov ecx, [rbx]",
    "2:",
    "mov eax, ecx",
    "and eax, {last}",
    "shl eax, 6",
    "mov qword ptr [r8 + rax], {nop}",
    "mov [r8 + rax + 32], rsi",
    "inc rsi",
    "inc ecx",
    "dec rdx",
    "jnz 2b",
    "mov [rbx], ecx",
    "mov edi, {ring}",
    "mov rsi, r12",
    "xor r10d, r10d",
    "xor r8d, r8d",
    "xor r9d, r9d",
    "mov eax, {io_uring_enter}",
    "syscall",
    "cmp rax, r12",
    "jne 5f",
    "xor eax, eax",
    "mov r8, [rip + assay_stubs_results]",
    "mov rdx, [rip + assay_stubs_done]",
    "mov edx, [rdx]",
    "mov rbx, [rip + assay_stubs_seen]",
    "mov ecx, [rbx]",
    "3:",
    "cmp ecx, edx",
    "je 4f",
    "mov esi, ecx",
    "and esi, {last_result}",
    "shl esi, 4",
    "cmp [r8 + rsi], rbp",
    "jne 4f",
    "cmp dword ptr [r8 + rsi + 8], 0",
    "jne 4f",
    "inc rbp",
    "inc ecx",
    "inc rax",
    "jmp 3b",
    "4:",
    "mov [rbx], ecx",
    "5:",
    "pop r12",
    "pop rbp",
    "pop rbx",
    "ret",
    ".balign 8, 0xcc",
    // Nanoseconds in a cycle, times 2^32.
    "assay_stubs_ns:",
    ".quad 0",
    // Addresses in the ring, in the order of `Words`.
    "assay_stubs_entries: .quad 0",
    "assay_stubs_left: .quad 0",
    "assay_stubs_results: .quad 0",
    "assay_stubs_done: .quad 0",
    "assay_stubs_seen: .quad 0",
    ".globl assay_stubs_end",
    "assay_stubs_end:",
    ".popsection",
    null = const at(Op::Null),
    no_call = const at(Op::NoCall),
    identify = const at(Op::Identify),
    bad_method = const at(Op::BadMethod),
    call = const at(Op::Call),
    serve = const at(Op::Serve),
    signal = const at(Op::Signal),
    wait = const at(Op::Wait),
    yield_ = const at(Op::Yield),
    sleep = const at(Op::Sleep),
    spawn = const at(Op::Spawn),
    map = const at(Op::Map),
    protect = const at(Op::Protect),
    unmap = const at(Op::Unmap),
    enter = const at(Op::Enter),
    empty = const at(Op::Empty),
    fault_to = const at(Op::FaultTo),
    map_lazy = const at(Op::MapLazy),
    raw = const at(Op::Raw),
    end = const Op::ALL.len() as u64 * STUB_BYTES,
    no_answer = const NO_ANSWER.cast_signed(),
    answers = const ANSWERS,
    no_such_call = const NO_SUCH_CALL,
    not_executed = const NOT_EXECUTED,
    getppid = const libc::SYS_getppid,
    fcntl = const libc::SYS_fcntl,
    f_getfd = const libc::F_GETFD,
    write = const libc::SYS_write,
    sched_yield = const libc::SYS_sched_yield,
    clock_nanosleep = const libc::SYS_clock_nanosleep,
    monotonic = const libc::CLOCK_MONOTONIC,
    mmap = const libc::SYS_mmap,
    read_write = const libc::PROT_READ | libc::PROT_WRITE,
    map_flags = const libc::MAP_SHARED | libc::MAP_FIXED | libc::MAP_POPULATE,
    map_lazy_flags = const libc::MAP_SHARED | libc::MAP_FIXED,
    mprotect = const libc::SYS_mprotect,
    read_only = const libc::PROT_READ,
    munmap = const libc::SYS_munmap,
    vfork = const libc::SYS_vfork,
    execveat = const libc::SYS_execveat,
    at_empty_path = const libc::AT_EMPTY_PATH,
    exit = const libc::SYS_exit,
    wait4 = const libc::SYS_wait4,
    last = const ring::ENTRIES - 1,
    last_result = const ring::RESULTS - 1,
    nop = const ring::NOP,
    ring = const ring::DESCRIPTOR,
    io_uring_enter = const libc::SYS_io_uring_enter,
);

/// The bytes of the last words, which the twin fills in: a factor, and the addresses of a ring.
const FILLED_BYTES: usize = 8 + 8 * ring::WORDS;

/// The code of all stubs, with the time that a cycle takes.
#[must_use]
pub fn code(khz: u64) -> Vec<u8> {
    unsafe extern "C" {
        static assay_stubs: u8;
        static assay_stubs_end: u8;
    }
    let (first, end) = (&raw const assay_stubs, &raw const assay_stubs_end);
    // SAFETY: all bytes between the two symbols, which are read-only data of this program.
    let mut code = unsafe { slice::from_raw_parts(first, end.addr() - first.addr()) }.to_vec();
    let factor = (u128::from(1_000_000_u64) << 32) / u128::from(khz.max(1));
    let place = code.len() - FILLED_BYTES;
    code[place..][..8].copy_from_slice(&u64::try_from(factor).unwrap_or(u64::MAX).to_le_bytes());
    code
}

/// The code of all stubs with the addresses of a ring.
#[must_use]
pub fn with_ring(code: &[u8], words: [u64; ring::WORDS]) -> Vec<u8> {
    let mut code = code.to_vec();
    let place = code.len() - FILLED_BYTES + 8;
    code[place..]
        .iter_mut()
        .zip(words.into_iter().flat_map(u64::to_le_bytes))
        .for_each(|(to, byte)| *to = byte);
    code
}

/// The code of one of them. Those of `spawn` and of `enter` are longer than their slots, which jump to them, after the last slot.
#[must_use]
pub fn of(code: &[u8], op: Op) -> &[u8] {
    unsafe extern "C" {
        static assay_stubs: u8;
        static assay_stubs_enter: u8;
    }
    let slot = usize::try_from(STUB_BYTES).unwrap_or(0);
    let enter = (&raw const assay_stubs_enter).addr() - (&raw const assay_stubs).addr();
    let (begin, end) = match op {
        Op::Spawn => (Op::ALL.len() * slot, enter),
        Op::Enter => (enter, code.len() - FILLED_BYTES),
        _ => (op as usize * slot, op as usize * slot + slot),
    };
    code.get(begin..end).unwrap_or_default()
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn every_operation_has_a_stub_that_fits_the_page() {
        let code = code(2_000_000);
        assert!(code.len() <= 4096 - 256);
        for &op in Op::ALL {
            let own = of(&code, op);
            assert!(own.iter().any(|&byte| byte != 0xcc), "{op}");
        }
        // 2 GHz: half a nanosecond a cycle.
        let filled = code.len() - FILLED_BYTES;
        assert_eq!(code[filled..][..8], (1_u64 << 31).to_le_bytes());
        let own = with_ring(&code, [1, 2, 3, 4, 5]);
        assert_eq!(
            (&own[..filled + 8], own[own.len() - 8..].to_vec()),
            (&code[..filled + 8], 5_u64.to_le_bytes().to_vec())
        );
    }
}
