//! This kernel's page of stubs: how each operation of a mechanism row is asked for here ([`abi::stub`]).
//!
//! A stub gets its arguments as a function does, and the first two are where a call wants its handle and its first word. What
//! it returns is the status, or the first word of the answer if there is one: a status other than `ok` has its uppermost bit
//! set and no word, so one OR joins the two.
#![expect(unsafe_code, reason = "the stubs are assembly")]

use core::arch::global_asm;

use abi::object::{Access, COMMON_METHODS, Call, Kind};
use abi::ring;
use abi::stub::{Op, STUB_BYTES};
use abi::task::MAPPED_AT;

unsafe extern "C" {
    static mechanism_stubs: u8;
    static mechanism_stubs_end: u8;
}

/// A call that no kernel has: among those that return at once, as the call that does nothing is.
const NO_CALL: u64 = 0x6f;
/// A method that no object has.
const NO_METHOD: u64 = Call::common(Kind::Endpoint, COMMON_METHODS - 1);

global_asm!(
    "
    .pushsection .rodata.mechanism_stubs, \"a\"
    # A stub in its slot.
    .macro mechanism_stub
    .balign {slot}, 0xcc
    .endm

    # A call whose answer is its status.
    .macro mechanism_call number
    mov eax, \\number
    syscall
    ret
    .endm

    # A call whose answer is its first word.
    .macro mechanism_ask number
    mov eax, \\number
    syscall
    or rax, rsi
    ret
    .endm

    .balign {slot}
    .global mechanism_stubs
mechanism_stubs:
    mechanism_stub                      # null
    mechanism_call {null}
    mechanism_stub                      # no-call
    mechanism_call {no_call}
    mechanism_stub                      # identify
    mechanism_ask {identify}
    mechanism_stub                      # bad-method
    mechanism_call {no_method}
    mechanism_stub                      # call
    mechanism_ask {call}
    mechanism_stub                      # serve
    mechanism_ask {serve}
    mechanism_stub                      # signal
    mechanism_call {signal}
    mechanism_stub                      # wait
    mechanism_ask {wait}
    mechanism_stub                      # yield
    mechanism_call {yield_now}
    mechanism_stub                      # sleep
    mov rsi, rdi
    mechanism_call {sleep}
    mechanism_stub                      # spawn: the handle that comes back is waited for, which closes it
    mov eax, {spawn}
    syscall
    test rax, rax
    jnz 2f
    mov rdi, rsi
    mov eax, {wait_task}
    syscall
    or rax, rsi
2:
    ret
    mechanism_stub                      # map: all pages of the object from its first one on
mechanism_map:
    mov r10, rdx
    xor edx, edx
    mov r8d, {write}
    mechanism_call {map}
    mechanism_stub                      # protect
    mov r10d, {read}
    mechanism_call {protect}
    mechanism_stub                      # unmap
    mechanism_call {unmap}
    mechanism_stub                      # enter
    jmp mechanism_enter
    mechanism_stub                      # empty
    mov rax, rdi
    ret
    mechanism_stub                      # fault-to
    mov rsi, rdi
    mechanism_call {fault_to}
    mechanism_stub                      # map-lazy: nothing is left to the first touch
    jmp mechanism_map
    mechanism_stub                      # raw: any call
    mov rax, rdi
    mov rdi, rsi
    mov rsi, rdx
    mov rdx, rcx
    mov r10, r8
    mov r8, r9
    syscall
    mov rdx, rsi
    ret
    .balign {slot}, 0xcc
    # RDI: memory; RSI: the first token; RDX: how many. A call changes none of RBX, RBP and R12.
mechanism_enter:
    push rbx
    push rbp
    push r12
    movabs rbx, {ring}
    mov rbp, rsi
    mov r12, rdx
    mov rcx, [rbx + {left}]
2:                                      # leaves an operation
    mov eax, ecx
    and eax, {last}
    shl eax, {operation}
    lea rax, [rbx + rax + 4096]
    mov qword ptr [rax], {null}
    mov [rax + {token}], rsi
    inc rsi
    inc rcx
    dec rdx
    jnz 2b
    mov [rbx + {left}], rcx
    xor esi, esi
    mov rdx, r12
    mov eax, {enter}
    syscall
    test rax, rax
    jnz 5f
    mov rcx, [rbx + {seen}]
    mov rdx, [rbx + {done}]
3:                                      # looks at a result
    cmp rcx, rdx
    je 4f
    mov esi, ecx
    and esi, {last}
    shl esi, {result}
    add rsi, rbx
    cmp [rsi + {results}], rbp
    jne 4f
    cmp qword ptr [rsi + {results} + 8], 0
    jne 4f
    inc rbp
    inc rcx
    inc rax
    jmp 3b
4:
    mov [rbx + {seen}], rcx
5:
    pop r12
    pop rbp
    pop rbx
    ret
    .global mechanism_stubs_end
mechanism_stubs_end:
    .popsection
    ",
    slot = const STUB_BYTES,
    null = const Call::Null.number(),
    no_call = const NO_CALL,
    identify = const Call::EndpointIdentify.number(),
    no_method = const NO_METHOD,
    call = const Call::EndpointCall.number(),
    serve = const Call::EndpointServe.number(),
    signal = const Call::NotificationSignal.number(),
    wait = const Call::NotificationWait.number(),
    yield_now = const Call::Yield.number(),
    sleep = const Call::SleepUntil.number(),
    spawn = const Call::ImageSpawn.number(),
    wait_task = const Call::TaskWait.number(),
    map = const Call::MemoryMap.number(),
    write = const Access::Write as u64,
    protect = const Call::MemoryProtect.number(),
    read = const Access::Read as u64,
    unmap = const Call::MemoryUnmap.number(),
    enter = const Call::MemoryEnter.number(),
    fault_to = const Call::FaultTo.number(),
    ring = const MAPPED_AT,
    left = const 8 * ring::LEFT,
    seen = const 8 * ring::SEEN,
    done = const 8 * ring::DONE,
    results = const 8 * ring::RESULTS,
    token = const 8 * ring::TOKEN,
    last = const ring::ENTRIES - 1,
    operation = const (8 * ring::OPERATION_WORDS).ilog2(),
    result = const (8 * ring::RESULT_WORDS).ilog2(),
);

// In the order of the operations.
const _: () = assert!(Op::Null as u8 == 0 && Op::Spawn as u8 == 10 && Op::Raw as usize == Op::ALL.len() - 1);

/// The code of one of them. That of `enter` is longer than its slot, which jumps to it, after the last slot.
#[must_use]
pub fn of(op: Op) -> &'static [u8] {
    let slot = usize::try_from(STUB_BYTES).unwrap_or(0);
    let begin = if op == Op::Enter { Op::ALL.len() } else { op as usize } * slot;
    let code = page().get(begin..).unwrap_or_default();
    if op == Op::Enter { code } else { code.get(..slot).unwrap_or(code) }
}

/// The stubs, from that of the first operation on.
#[must_use]
pub fn page() -> &'static [u8] {
    let (first, end) = (&raw const mechanism_stubs, &raw const mechanism_stubs_end);
    // SAFETY: the assembly above, from its first byte to its last.
    unsafe { core::slice::from_raw_parts(first, end as usize - first as usize) }
}
