//! Chains of deliveries: which failed delivery caused which exception.

use super::{Delivery, Event, Origin, Trace};

/// Set in an error code that names an entry of the IDT (Intel SDM vol. 3A, "Error Code").
const NAMES_IDT_ENTRY: u32 = 1 << 1;

/// The exceptions whose error code is a selector: #TS, #NP, #SS, #GP.
const SELECTOR_CODES: std::ops::RangeInclusive<u8> = 10..=13;

impl Trace {
    /// The deliveries that led to the last triple fault, the cause first: usually an exception, the exception during its
    /// delivery, and the double fault. Empty if the trace does not reach back far enough; `None` without a triple fault.
    #[must_use]
    pub fn triple_fault(&self) -> Option<Vec<Delivery>> {
        let end = self.events.iter().rposition(|event| *event == Event::TripleFault)?;
        let is_double = |event: &Event| matches!(event, Event::Delivery(delivery) if delivery.vector == 8);
        let double = self.events[..end].iter().rposition(is_double);
        Some(double.map_or_else(Vec::new, |double| self.chain(double)))
    }

    /// The first exception in ring 0 and the exceptions that its delivery caused, the cause first. Empty if there was
    /// none.
    #[must_use]
    pub fn first_in_kernel(&self) -> Vec<Delivery> {
        let in_kernel = |event: &Event| matches!(event, Event::Delivery(d) if d.cpl == 0 && d.is_exception());
        let Some(first) = self.events.iter().position(in_kernel) else { return Vec::new() };
        let mut chain = self.chain(first);
        for later in self.deliveries(first + 1..self.events.len()) {
            let last = chain.last().map(|last| (last.vector, last.rip, last.rsp));
            if let Origin::Exception { during: Some(during) } = later.origin
                && last == Some((during, later.rip, later.rsp))
            {
                chain.push(*later);
            }
        }
        chain
    }

    /// The failed deliveries before the one at `end` that caused it. A failed delivery leaves the instruction and stack
    /// pointers unchanged, so the next one is at the same place, possibly with lines of other CPUs between.
    fn chain(&self, end: usize) -> Vec<Delivery> {
        let mut chain: Vec<Delivery> = self.deliveries(end..end + 1).copied().collect();
        for before in self.deliveries(0..end).rev() {
            let Some(first) = chain.first().copied() else { break };
            if (before.rip, before.rsp) != (first.rip, first.rsp) {
                continue;
            }
            match first.origin {
                Origin::Exception { during: Some(vector) } if before.vector == vector => {
                    chain.insert(0, *before)
                }
                Origin::Exception { during: Some(_) } => {}
                Origin::Exception { during: None } => {
                    if failed_into(before, &first) {
                        chain.insert(0, *before);
                    }
                    break;
                }
                _ => break,
            }
        }
        chain
    }

    pub(super) fn deliveries(
        &self,
        events: std::ops::Range<usize>,
    ) -> impl DoubleEndedIterator<Item = &Delivery> {
        self.events[events].iter().filter_map(|event| match event {
            Event::Delivery(delivery) => Some(delivery),
            _ => None,
        })
    }
}

/// Whether the delivery of `before`, which is no exception and was at the same place, raised `exception`. A software
/// interrupt that was delivered does not raise an exception at the same place again. A hardware interrupt could have been
/// served before the exception, so the error code must name its IDT entry.
fn failed_into(before: &Delivery, exception: &Delivery) -> bool {
    let names_entry =
        SELECTOR_CODES.contains(&exception.vector) && exception.error_code & NAMES_IDT_ENTRY != 0;
    match before.origin {
        Origin::Instruction => true,
        Origin::Interrupt | Origin::Unknown => names_entry,
        Origin::Exception { .. } => false,
    }
}
