//! What a diagnosis says of what was seen.

use abi::exit::GuestExit;
use abi::wire::Hex64;

use super::*;
use evidence::gate::Ended;

const AT: Address = Address(0xffff_ffff_8021_31e1);
const STACK: Address = Address(0xffff_ffff_8025_0a20);

fn exception(vector: u8, raised: Raised, error_code: u32) -> Exception {
    Exception { vector, raised, error_code, address: None, rip: AT, rsp: STACK }
}

fn page_fault(error_code: u32) -> Exception {
    Exception { address: Some(Address(0x10)), ..exception(14, Raised::ByFault, error_code) }
}

fn cpu(cpu: u32, rip: Address, halted: bool, takes_interrupts: bool) -> CpuSeen {
    CpuSeen { cpu, rip, rsp: STACK, ring: 0, halted, takes_interrupts }
}

fn panicked(line: u32) -> Seen {
    let panic = PanicSeen { cpu: 3, at: format!("kernel/src/x.rs:{line}"), message: "no way on".to_owned() };
    let ended = Ended::DebugExit { value: GuestExit::Panic.value() };
    Seen { ended, panic: Some(panic), ..Seen::default() }
}

fn ended(ended: Ended) -> Seen {
    Seen { ended, ..Seen::default() }
}

fn diagnose(first: &Seen, second: Seen) -> Diagnosis {
    Diagnosis::new(first, second, "TCG", Err("symbols x: not there".to_owned()))
}

#[test]
fn names_what_led_to_a_triple_fault_and_the_cpu() {
    let chain = vec![
        exception(3, Raised::ByInstruction, 0),
        exception(13, Raised::ByFault, 0x32),
        exception(8, Raised::ByFault, 0),
    ];
    let cpus = vec![cpu(0, Address(0x1000), true, true), cpu(1, AT, false, false)];
    let seen = Seen { triple_fault: Some(chain), cpus, ..ended(Ended::Reset) };
    let diagnosis = diagnose(&ended(Ended::Reset), seen);
    assert_eq!(diagnosis.recurrence, Recurrence::Same);
    assert_eq!(
        diagnosis.summary,
        "triple fault: #BP by an instruction, then #GP (error 0x32), then #DF on CPU 1 at 0xffffffff802131e1"
    );
    assert_eq!(diagnosis.exceptions[0].cpu, Some(1));
}

#[test]
fn names_the_exception_behind_a_panic() {
    let seen = Seen { in_kernel: vec![page_fault(2)], ..panicked(106) };
    let diagnosis = diagnose(&panicked(106), seen);
    assert_eq!(
        diagnosis.summary,
        "#PF (write to 0x10, where nothing is mapped) at 0xffffffff802131e1; the kernel's panic was on \
         CPU 3 at kernel/src/x.rs:106"
    );
}

#[test]
fn names_the_place_of_a_panic_without_an_exception() {
    let diagnosis = diagnose(&panicked(7), panicked(7));
    assert_eq!(diagnosis.recurrence, Recurrence::Same);
    assert_eq!(diagnosis.summary, "panic on CPU 3 at kernel/src/x.rs:7: no way on");
}

#[test]
fn tells_a_panic_elsewhere_from_the_same() {
    let diagnosis = diagnose(&panicked(7), panicked(8));
    assert_eq!(diagnosis.recurrence, Recurrence::Otherwise);
    assert_eq!(diagnosis.summary, "in another way under TCG: panic on CPU 3 at kernel/src/x.rs:8: no way on");
}

#[test]
fn names_the_cpu_that_nothing_could_wake() {
    let cpus = vec![cpu(0, AT, true, false), cpu(1, Address(0x1000), true, true)];
    let diagnosis = diagnose(&ended(Ended::Deadline), Seen { cpus, ..ended(Ended::Deadline) });
    assert_eq!(
        diagnosis.summary,
        "the guest had not ended by its deadline and took no exception; CPU 0 had halted for good, interrupts off, \
         at 0xffffffff802131e1"
    );
    assert_eq!(diagnosis.cpus[1].state, CpuState::Waiting);
    let last = diagnosis.lines().pop().unwrap();
    assert_eq!(last, "addresses have no names: symbols x: not there");
}

#[test]
fn says_that_it_did_not_happen_again_and_where_the_first_guest_was() {
    let first = Seen { cpus: vec![cpu(0, AT, false, true)], ..ended(Ended::Deadline) };
    let good = Ended::DebugExit { value: GuestExit::Success.value() };
    let diagnosis = diagnose(&first, ended(good));
    assert_eq!(diagnosis.recurrence, Recurrence::None);
    assert_eq!(
        diagnosis.summary,
        "did not happen again under TCG: the second guest ended by itself with exit value 0x10; of the first guest, \
         CPU 0 was at 0xffffffff802131e1"
    );
}

#[test]
fn says_of_a_long_row_of_cpus_how_many_there_are() {
    let cpus = (0..5).map(|number| cpu(number, AT, false, true)).collect();
    let diagnosis = diagnose(&ended(Ended::Reset), Seen { cpus, ..ended(Ended::Reset) });
    assert!(diagnosis.summary.ends_with("; and 3 more CPUs likewise"), "{}", diagnosis.summary);
}

#[test]
fn puts_page_faults_into_words() {
    for (error_code, words) in [
        (0, "#PF (read of 0x10, where nothing is mapped)"),
        (3, "#PF (write to 0x10, which does not allow it)"),
        (0x11, "#PF (execution of 0x10, which does not allow it)"),
    ] {
        assert_eq!(page_fault(error_code).to_string(), words);
    }
}

#[test]
fn what_ends_by_its_own_plan_or_from_outside_is_no_death() {
    for (end, death) in [
        (Ended::Reset, true),
        (Ended::Deadline, true),
        (Ended::DebugExit { value: GuestExit::Panic.value() }, true),
        (Ended::DebugExit { value: GuestExit::Success.value() }, false),
        (Ended::DebugExit { value: GuestExit::Failed.value() }, false),
        (Ended::Cancelled, false),
        (Ended::Died { detail: String::new() }, false),
    ] {
        assert_eq!(is_death(&end), death, "{end:?}");
    }
}

#[test]
fn addresses_are_data_that_every_reader_keeps() {
    let seen = Seen { in_kernel: vec![page_fault(2)], ..panicked(106) };
    let json = serde_json::to_value(diagnose(&panicked(106), seen)).unwrap();
    assert_eq!(json["exceptions"][0]["rip"], "0xffffffff802131e1");
    assert_eq!(json["exceptions"][0]["address"], "0x10");
    assert_eq!(json["recurrence"], "same");
}

#[test]
fn refuses_symbols_that_are_none() {
    let error = |elf: &[u8]| Symbols::parse(elf, Hex64(1)).err().unwrap().to_string();
    assert!(error(b"").starts_with("not an ELF with symbols: "));
    assert!(error(b"\x7fELF\x02\x01\x01").starts_with("not an ELF with symbols: "));
    // This very test: an ELF, and no kernel.
    let this = std::fs::read(std::env::current_exe().unwrap()).unwrap();
    let said = error(&this);
    assert!(said == "it has no build ID" || said.starts_with("its build ID begins with "), "{said}");
}
