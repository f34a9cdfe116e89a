//! QEMU's trace of exceptions.

use qemu::trace::{Delivery, Event, Origin, Trace};

pub(crate) fn check(data: &[u8]) {
    let trace = Trace::read(data);
    let written: String = trace.events.iter().map(line).collect();
    assert_eq!(Trace::read(written.as_bytes()), trace, "written back");

    let triple = trace.triple_fault();
    assert_eq!(triple.is_some(), trace.events.contains(&Event::TripleFault));
    follows(&trace, &triple.unwrap_or_default());
    let in_kernel = trace.first_in_kernel();
    let is_one = |event: &Event| matches!(event, Event::Delivery(d) if d.cpl == 0 && d.is_exception());
    assert_eq!(in_kernel.is_empty(), !trace.events.iter().any(is_one));
    follows(&trace, &in_kernel);
}

/// Each exception of the chain came up after the one before it, at the same place, and during its delivery.
fn follows(trace: &Trace, chain: &[Delivery]) {
    let mut events = trace.events.iter();
    for delivery in chain {
        assert!(events.any(|event| *event == Event::Delivery(*delivery)), "in the order of the trace");
    }
    for pair in chain.windows(2) {
        assert_eq!((pair[0].rip, pair[0].rsp), (pair[1].rip, pair[1].rsp));
        match pair[1].origin {
            Origin::Exception { during: Some(vector) } => assert_eq!(vector, pair[0].vector),
            Origin::Exception { during: None } => assert!(!pair[0].is_exception()),
            origin => panic!("{origin:?} comes up in no delivery"),
        }
    }
}

fn line(event: &Event) -> String {
    let delivery = match event {
        Event::TripleFault => return "Triple fault\n".to_owned(),
        Event::Reset { cpu } => return format!("CPU Reset (CPU {cpu})\n"),
        Event::Delivery(delivery) => delivery,
    };
    let Delivery { vector, error_code, origin, cpl, cs, rip, rsp, cr2 } = delivery;
    let announced = match origin {
        Origin::Exception { during: None } => format!("check_exception old: 0xffffffff new {vector:#x}\n"),
        Origin::Exception { during: Some(during) } => {
            format!("check_exception old: {during:#x} new {:#x}\n", raised(*during, *vector))
        }
        Origin::Interrupt => format!("Servicing hardware INT={vector:#04x}\n"),
        Origin::Instruction | Origin::Unknown => String::new(),
    };
    let by_instruction = u8::from(*origin == Origin::Instruction);
    let last = cr2.map_or("env->regs[R_EAX]=0".to_owned(), |cr2| format!("CR2={cr2:016x}"));
    format!(
        "{announced}     0: v={vector:02x} e={error_code:04x} i={by_instruction} cpl={cpl} IP={cs:04x}:{rip:016x} \
         pc={rip:016x} SP=0010:{rsp:016x} {last}\n"
    )
}

/// An exception that becomes `vector` if it is raised during the delivery of `during`.
fn raised(during: u8, vector: u8) -> u8 {
    match (during, vector) {
        (0 | 10..=13, 8) => 13,
        (14, 8) => 14,
        _ => vector,
    }
}
