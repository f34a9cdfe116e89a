//! Tests on traces captured from QEMU 7.2, shortened to the events at their end, and on arbitrary text.

use proptest::prelude::*;

use super::{Delivery, Event, Origin, Trace};

/// A kernel that loads an empty IDT and executes `int3`.
const TRIPLE_FAULT: &str = include_str!("../../tests/traces/triple-fault.trace");
/// A kernel that writes to address 0; its handler switched the machine off.
const KERNEL_PAGE_FAULT: &str = include_str!("../../tests/traces/kernel-page-fault.trace");
/// A kernel that pushes to address 0; its handler for #DF has a stack of its own.
const KERNEL_DOUBLE_FAULT: &str = include_str!("../../tests/traces/kernel-double-fault.trace");
/// A program that read from where nothing is.
const WORKER_PAGE_FAULT: &str = include_str!("../../tests/traces/worker-page-fault.trace");
/// A reset by port 0xcf9, which leaves nothing in a trace.
const RESET: &str = include_str!("../../tests/traces/reset.trace");

fn read(log: &str) -> Trace {
    Trace::read(log.as_bytes())
}

fn vectors(chain: &[Delivery]) -> Vec<u8> {
    chain.iter().map(|delivery| delivery.vector).collect()
}

#[test]
fn finds_the_cause_of_a_triple_fault() {
    let chain = read(TRIPLE_FAULT).triple_fault().unwrap();
    assert_eq!(vectors(&chain), [3, 13, 8]);
    let first = Delivery {
        vector: 3,
        error_code: 0,
        origin: Origin::Instruction,
        cpl: 0,
        cs: 8,
        rip: 0xffff_ffff_8021_31e1,
        rsp: 0xffff_ffff_8025_0a20,
        cr2: None,
    };
    assert_eq!(chain[0], first);
    assert_eq!((chain[1].error_code, chain[1].origin), (0x32, Origin::Exception { during: None }));
    assert_eq!(chain[2].origin, Origin::Exception { during: Some(13) });
}

#[test]
fn finds_the_exception_of_a_kernel_that_ended_by_itself() {
    let trace = read(KERNEL_PAGE_FAULT);
    let chain = trace.first_in_kernel();
    assert_eq!(vectors(&chain), [14]);
    assert_eq!((chain[0].rip, chain[0].error_code, chain[0].cr2), (0xffff_ffff_8021_31c2, 2, Some(0)));
    assert_eq!(trace.triple_fault(), None);
}

#[test]
fn finds_the_exception_before_a_double_fault() {
    let chain = read(KERNEL_DOUBLE_FAULT).first_in_kernel();
    assert_eq!(vectors(&chain), [14, 8]);
    assert_eq!((chain[0].cr2, chain[0].rsp), (Some(0xffff_ffff_ffff_fff8), 0));
}

#[test]
fn does_not_count_a_programs_exception_as_the_kernels() {
    let trace = read(WORKER_PAGE_FAULT);
    let is_it = |event: &Event| matches!(event, Event::Delivery(d) if d.vector == 14 && d.cpl == 3 && d.is_exception());
    assert_eq!(trace.events.iter().filter(|event| is_it(event)).count(), 1);
    assert_eq!(trace.first_in_kernel(), []);
}

#[test]
fn does_not_count_an_interrupt_as_an_exception() {
    let trace = read(RESET);
    assert_eq!(trace.events[0], Event::Reset { cpu: 0 });
    let origins: Vec<Origin> = trace.deliveries(0..trace.events.len()).map(|d| d.origin).collect();
    assert_eq!(origins, [Origin::Interrupt; 2]);
    assert_eq!((trace.first_in_kernel(), trace.triple_fault()), (vec![], None));
}

#[test]
fn separates_the_events_of_two_cpus() {
    // The announcement of each, then what happened, by two CPUs at once.
    let line = |vector, rip| {
        format!(
            "     1: v={vector} e=0000 i=0 cpl=0 IP=0008:{rip:016x} pc={rip:016x} SP=0010:0000000000001000 CR2=0\n"
        )
    };
    let mixed = "check_exception old: 0xffffffff new 0xe\nServicing hardware INT=0x20\n".to_owned()
        + &line("20", 0x40)
        + &line("0e", 0x80);
    let trace = read(&mixed);
    assert_eq!(trace.events.len(), 2);
    assert_eq!(vectors(&trace.first_in_kernel()), [14]);
}

#[test]
fn has_no_cause_for_a_triple_fault_whose_exceptions_are_not_in_it() {
    // Of real mode QEMU traces no registers.
    assert_eq!(read("check_exception old: 0x8 new 0xd\nTriple fault\n").triple_fault(), Some(vec![]));
}

#[test]
fn does_not_blame_an_interrupt_that_was_served() {
    let at = |vector: &str, error: &str, rest: &str| {
        format!("1: v={vector} e={error} i=0 cpl=0 IP=0008:10 pc=10 SP=0010:20 {rest}\n")
    };
    let served = format!("Servicing hardware INT=0x20\n{}", at("20", "0000", "env->regs[R_EAX]=0"));
    let page_fault = format!("check_exception old: 0xffffffff new 0xe\n{}", at("0e", "0002", "CR2=2"));
    assert_eq!(vectors(&read(&(served.clone() + &page_fault)).first_in_kernel()), [14]);
    // A gate that is not there is the interrupt's own.
    let absent =
        format!("check_exception old: 0xffffffff new 0xb\n{}", at("0b", "0202", "env->regs[R_EAX]=0"));
    assert_eq!(vectors(&read(&(served + &absent)).first_in_kernel()), [0x20, 11]);
}

proptest! {
    #[test]
    fn survives_any_bytes(log: Vec<u8>) {
        let trace = Trace::read(&log);
        let _ = (trace.triple_fault(), trace.first_in_kernel());
    }

    #[test]
    fn survives_any_change_of_one_character(at in 0..TRIPLE_FAULT.len(), with: char) {
        let mut log = TRIPLE_FAULT.to_owned();
        log.replace_range(at..=at, with.encode_utf8(&mut [0; 4]));
        let trace = read(&log);
        prop_assert!(trace.events.len() <= 7);
        let _ = (trace.triple_fault(), trace.first_in_kernel());
    }
}
