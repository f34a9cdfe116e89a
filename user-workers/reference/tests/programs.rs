//! The built programs, instruction by instruction: none asks the CPU what it can do.
//!
//! A program that chose its code at run time would be the same bytes on every system and run other code on some. What a
//! build may use is fixed when it is built, and stands in its manifest.

use std::path::{Path, PathBuf};

use iced_x86::{Decoder, DecoderOptions, Mnemonic};
use object::{Object, ObjectSection, SectionKind};
use workloads::{REGISTRY, TASKS};

/// Instructions that report what a CPU can do, or which one it is.
const ASKING: [Mnemonic; 5] =
    [Mnemonic::Cpuid, Mnemonic::Xgetbv, Mnemonic::Rdpid, Mnemonic::Rdtscp, Mnemonic::Rdpmc];

fn built() -> PathBuf {
    Path::new(env!("CARGO_MANIFEST_DIR")).join("../../target/release")
}

/// The addresses and names of such instructions in the executable sections of a program.
fn asking(elf: &[u8]) -> Vec<String> {
    let file = object::File::parse(elf).expect("an ELF");
    let code = file.sections().filter(|section| section.kind() == SectionKind::Text);
    let found = code.flat_map(|section| {
        let bytes = section.data().expect("its bytes are in the file");
        assert!(!bytes.is_empty());
        let decoder = Decoder::with_ip(64, bytes, section.address(), DecoderOptions::NONE);
        let asks = decoder.into_iter().filter(|instruction| ASKING.contains(&instruction.mnemonic()));
        asks.map(|instruction| format!("{:#x}: {:?}", instruction.ip(), instruction.mnemonic()))
            .collect::<Vec<_>>()
    });
    found.collect()
}

#[test]
fn no_program_asks_the_cpu_what_it_can_do() {
    let of_every_cpu = REGISTRY.programs().map(PathBuf::from);
    let for_features = REGISTRY.measured().flat_map(|workload| {
        let builds = workload.needs().builds.iter();
        builds.map(|build| Path::new(&build.to_string()).join(workload.name()))
    });
    for program in of_every_cpu.chain(for_features) {
        let path = built().join(&program);
        let elf = std::fs::read(&path).unwrap_or_else(|error| {
            panic!("{}: {error}; `make large-workers` builds the programs", path.display())
        });
        let found = asking(&elf);
        assert!(found.is_empty(), "{}: {found:?}", program.display());
    }
}

/// Every operation is a stub's. The one system call is that by which a child of Linux answers, right after the number of
/// exit(2).
#[test]
fn the_tasks_of_the_mechanisms_make_no_system_call_but_a_childs_exit() {
    let elf = std::fs::read(built().join(TASKS)).expect("`make workers` builds the programs");
    assert!(asking(&elf).is_empty());
    let file = object::File::parse(&*elf).expect("an ELF");
    let code = file.sections().filter(|section| section.kind() == SectionKind::Text);
    let mut calls = Vec::new();
    for section in code {
        let bytes = section.data().expect("its bytes are in the file");
        let decoded: Vec<_> =
            Decoder::with_ip(64, bytes, section.address(), DecoderOptions::NONE).into_iter().collect();
        for pair in decoded.windows(2).filter(|pair| enters(pair[1].mnemonic())) {
            calls.push((pair[0].mnemonic(), pair[0].immediate(1)));
        }
    }
    assert_eq!(calls, [(Mnemonic::Mov, 60)]);
}

/// Whether it enters a kernel.
const fn enters(mnemonic: Mnemonic) -> bool {
    matches!(mnemonic, Mnemonic::Syscall | Mnemonic::Sysenter | Mnemonic::Int)
}

/// This test's own program has the standard library, which asks: so the search can find.
#[test]
fn a_program_that_asks_is_found() {
    assert!(std::arch::is_x86_feature_detected!("sse2"));
    let own = std::fs::read(std::env::current_exe().unwrap()).unwrap();
    assert!(asking(&own).iter().any(|found| found.contains("Cpuid")));
}
