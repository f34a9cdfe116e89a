//! Refuses a worker's syscalls by a seccomp filter on the address that a syscall comes from. A syscall of the worker's
//! own code is not executed: it raises SIGSYS, whose handler counts it and lets the worker go on with EPERM. A syscall of
//! this program in the same process is executed.
#![expect(unsafe_code, reason = "hands a program to seccomp(2)")]

use std::io;
use std::mem::offset_of;

use harness::user::layout::{IMAGE, IMAGE_LIMIT};
use libc::{BPF_ABS, BPF_JEQ, BPF_JGE, BPF_JMP, BPF_K, BPF_LD, BPF_RET, BPF_W, sock_filter, sock_fprog};

const LOAD: u16 = 0x20;
const IF_EQUAL: u16 = 0x15;
const IF_AT_LEAST: u16 = 0x35;
const RETURN: u16 = 0x06;
const _: () = assert!(
    LOAD as u32 == BPF_LD | BPF_W | BPF_ABS
        && IF_EQUAL as u32 == BPF_JMP | BPF_JEQ | BPF_K
        && IF_AT_LEAST as u32 == BPF_JMP | BPF_JGE | BPF_K
        && RETURN as u32 == BPF_RET | BPF_K
);

/// The halves of the instruction's address in `seccomp_data`.
const LOW: u32 = 8;
const HIGH: u32 = LOW + 4;
const _: () = assert!(offset_of!(libc::seccomp_data, instruction_pointer) == LOW as usize);

/// Refuses the worker's syscalls until this process ends.
///
/// # Errors
/// Linux's: it may have been built without seccomp.
pub fn install() -> io::Result<()> {
    rustix::thread::set_no_new_privs(true)?;
    let mut program = program();
    let length = u16::try_from(program.len()).map_err(io::Error::other)?;
    let program = sock_fprog { len: length, filter: program.as_mut_ptr() };
    // By default a filter enables mitigations that slow its process down, and they are not compared here.
    let flags = libc::SECCOMP_FILTER_FLAG_SPEC_ALLOW;
    // SAFETY: the program is as long as it says, and Linux copies it.
    let status =
        unsafe { libc::syscall(libc::SYS_seccomp, libc::SECCOMP_SET_MODE_FILTER, flags, &raw const program) };
    if status == 0 { Ok(()) } else { Err(io::Error::last_os_error()) }
}

/// Traps if the address is in the room for images, else allows.
fn program() -> [sock_filter; 7] {
    const _: () = assert!(IMAGE_LIMIT <= u32::MAX as u64);
    let [image, limit] = [IMAGE, IMAGE_LIMIT].map(|at| u32::try_from(at).unwrap_or(u32::MAX));
    [
        step(LOAD, HIGH, 0, 0),
        step(IF_EQUAL, 0, 0, 3),
        step(LOAD, LOW, 0, 0),
        step(IF_AT_LEAST, image, 0, 1),
        step(IF_AT_LEAST, limit, 0, 1),
        step(RETURN, libc::SECCOMP_RET_ALLOW, 0, 0),
        step(RETURN, libc::SECCOMP_RET_TRAP, 0, 0),
    ]
}

/// An instruction. `jt` and `jf` are how many instructions to skip if its condition holds, and if not.
const fn step(code: u16, k: u32, jt: u8, jf: u8) -> sock_filter {
    sock_filter { code, jt, jf, k }
}

#[cfg(test)]
mod tests {
    use super::*;

    /// What the program returns for a syscall made at `at`.
    fn verdict(at: u64) -> u32 {
        let program = program();
        let (mut here, mut accumulator) = (0, 0);
        loop {
            let sock_filter { code, jt, jf, k } = program[here];
            let jump = |yes| usize::from(if yes { jt } else { jf });
            here += 1;
            match code {
                LOAD if k == LOW => accumulator = u32::try_from(at & 0xffff_ffff).unwrap(),
                LOAD => accumulator = u32::try_from(at >> 32).unwrap(),
                IF_EQUAL => here += jump(accumulator == k),
                IF_AT_LEAST => here += jump(accumulator >= k),
                RETURN => return k,
                other => panic!("{other:#x}"),
            }
        }
    }

    #[test]
    fn refuses_syscalls_from_the_workers_image_alone() {
        for at in [IMAGE, IMAGE + 0x1002, IMAGE_LIMIT - 1] {
            assert_eq!(verdict(at), libc::SECCOMP_RET_TRAP, "{at:#x}");
        }
        for at in [0, IMAGE - 1, IMAGE_LIMIT, IMAGE | 1 << 32, 0x7fff_1234_5678, 0x7ffd_1000_0000] {
            assert_eq!(verdict(at), libc::SECCOMP_RET_ALLOW, "{at:#x}");
        }
    }
}
