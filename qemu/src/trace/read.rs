//! Parses the log's lines into events.

use std::collections::VecDeque;

use super::{Delivery, Event, Origin, Trace};

/// A line announces an event that a later line describes in full. At most this many are open at once: one for each CPU.
const OPEN: usize = 256;

/// Vectors, as they decide what two exceptions make (Intel SDM vol. 3A, "Interrupt 8: Double Fault Exception").
const DOUBLE_FAULT: u8 = 8;
const PAGE_FAULT: u8 = 14;

impl Trace {
    /// Reads QEMU's log. Lines of other kinds are skipped.
    #[must_use]
    pub fn read(log: &[u8]) -> Self {
        let mut announced = Announced::default();
        let lines = log.split(|&byte| byte == b'\n');
        let lines = lines.filter_map(|line| Some(std::str::from_utf8(line).ok()?.trim_ascii()));
        Self { events: lines.filter_map(|line| event(line, &mut announced)).collect() }
    }
}

/// The events that were announced but not described yet. Lines of other CPUs can come between the two lines of one CPU.
#[derive(Default)]
struct Announced {
    /// Each with the exception it came up in.
    exceptions: VecDeque<(u8, Option<u8>)>,
    interrupts: VecDeque<u8>,
}

fn event(line: &str, announced: &mut Announced) -> Option<Event> {
    if line == "Triple fault" {
        return Some(Event::TripleFault);
    }
    if let Some(cpu) = line.strip_prefix("CPU Reset (CPU ") {
        return Some(Event::Reset { cpu: cpu.strip_suffix(')')?.parse().ok()? });
    }
    if let Some(vectors) = line.strip_prefix("check_exception old: ") {
        announced.exception(vectors);
        return None;
    }
    if let Some((_, vector)) = line.split_once("hardware INT=") {
        announced.interrupt(vector);
        return None;
    }
    delivery(line, announced).map(Event::Delivery)
}

impl Announced {
    /// `0xd new 0xb`; the first is -1 if nothing was being delivered.
    fn exception(&mut self, vectors: &str) -> Option<()> {
        let (old, new) = vectors.split_once(" new ")?;
        let (old, new) = (hex(old)?, u8::try_from(hex(new)?).ok()?);
        let old = u8::try_from(old).ok();
        // In a double fault there is nothing left to deliver.
        if old != Some(DOUBLE_FAULT) {
            open(&mut self.exceptions, (together(old, new), old));
        }
        Some(())
    }

    fn interrupt(&mut self, vector: &str) -> Option<()> {
        open(&mut self.interrupts, u8::try_from(hex(vector)?).ok()?);
        Some(())
    }

    /// The source of `vector`, which the trace describes now, by its announcement.
    fn origin(&mut self, vector: u8) -> Origin {
        if let Some(at) = self.exceptions.iter().position(|&(announced, _)| announced == vector) {
            let during = self.exceptions.remove(at).and_then(|(_, during)| during);
            return Origin::Exception { during };
        }
        match self.interrupts.iter().position(|&announced| announced == vector) {
            Some(at) => {
                self.interrupts.remove(at);
                Origin::Interrupt
            }
            None => Origin::Unknown,
        }
    }
}

fn open<T>(announced: &mut VecDeque<T>, new: T) {
    if announced.len() == OPEN {
        announced.pop_front();
    }
    announced.push_back(new);
}

/// The vector that results if `new` is raised while `old` is being delivered.
fn together(old: Option<u8>, new: u8) -> u8 {
    let contributory = |vector: u8| vector == 0 || (10..=13).contains(&vector);
    match old {
        Some(PAGE_FAULT) if contributory(new) || new == PAGE_FAULT => DOUBLE_FAULT,
        Some(old) if contributory(old) && contributory(new) => DOUBLE_FAULT,
        _ => new,
    }
}

/// `93: v=0d e=0032 i=0 cpl=0 IP=0008:ffffffff802131e1 pc=... SP=0010:... env->regs[R_EAX]=...`; last for a page fault
/// `CR2=...`.
fn delivery(line: &str, announced: &mut Announced) -> Option<Delivery> {
    let (number, rest) = line.split_once(": ")?;
    number.parse::<u64>().ok()?;
    let mut words = rest.split_ascii_whitespace();
    let mut field = |name: &str| words.next()?.strip_prefix(name)?.strip_prefix('=');
    let vector = u8::try_from(hex(field("v")?)?).ok()?;
    let error_code = u32::try_from(hex(field("e")?)?).ok()?;
    let by_instruction = field("i")? == "1";
    let cpl = field("cpl")?.parse().ok()?;
    let (cs, rip) = field("IP")?.split_once(':')?;
    let _linear = field("pc")?;
    let (_, rsp) = field("SP")?.split_once(':')?;
    let cr2 = field("CR2").and_then(hex);
    let (cs, rip, rsp) = (u16::try_from(hex(cs)?).ok()?, hex(rip)?, hex(rsp)?);
    let origin = if by_instruction { Origin::Instruction } else { announced.origin(vector) };
    Some(Delivery { vector, error_code, origin, cpl, cs, rip, rsp, cr2 })
}

fn hex(word: &str) -> Option<u64> {
    let digits = word.strip_prefix("0x").unwrap_or(word);
    // `from_str_radix` takes a sign as well.
    let plain = digits.bytes().all(|digit| digit.is_ascii_hexdigit());
    plain.then(|| u64::from_str_radix(digits, 16).ok()).flatten()
}
