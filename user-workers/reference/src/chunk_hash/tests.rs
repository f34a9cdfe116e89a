//! The reference against the program's own hashing, and against the host's `sha256sum`.

use std::io::Write;
use std::process::{Command, Stdio};

use super::*;

/// The very files that the programs are built from.
#[path = "../../../programs/src/chunk_hash/soft.rs"]
mod soft;

#[expect(unsafe_code, reason = "instructions that a CPU may lack")]
#[path = "../../../programs/src/chunk_hash/sha_ni.rs"]
mod sha_ni;

fn chunk(number: u64) -> Vec<u8> {
    let mut chunk = vec![0; CHUNK_BYTES];
    corpus::fill(&mut chunk, 0, number);
    chunk
}

fn hex(digest: &[u8]) -> String {
    digest.iter().map(|byte| format!("{byte:02x}")).collect()
}

#[test]
fn agrees_with_the_workers_own_code() {
    for number in [0, 1, 2, 3, 77] {
        assert_eq!(soft::sha256(&chunk(number)), digest(number), "chunk {number}");
    }
}

#[test]
#[expect(unsafe_code, reason = "instructions that a CPU may lack")]
fn agrees_with_the_instructions_for_sha() {
    if !std::arch::is_x86_feature_detected!("sha") || !std::arch::is_x86_feature_detected!("sse4.1") {
        println!("this CPU has no instructions for SHA: nothing was tried");
        return;
    }
    for number in [0, 1, 2, 3, 77] {
        // SAFETY: the CPU has the instructions.
        assert_eq!(unsafe { sha_ni::sha256(&chunk(number)) }, digest(number), "chunk {number}");
    }
    let bytes = chunk(0);
    for length in [0, 1, 55, 56, 63, 64, 119, 120, 128, 1000] {
        // SAFETY: the CPU has the instructions.
        let digest = unsafe { sha_ni::sha256(&bytes[..length]) };
        assert_eq!(digest, soft::sha256(&bytes[..length]), "{length} bytes");
    }
}

/// A third implementation: coreutils' own, or OpenSSL's.
#[test]
fn agrees_with_sha256sum() {
    for number in [0, 5] {
        let mut tool =
            Command::new("sha256sum").stdin(Stdio::piped()).stdout(Stdio::piped()).spawn().unwrap();
        tool.stdin.take().unwrap().write_all(&chunk(number)).unwrap();
        let output = tool.wait_with_output().unwrap();
        assert!(String::from_utf8(output.stdout).unwrap().starts_with(&hex(&digest(number))));
    }
}
