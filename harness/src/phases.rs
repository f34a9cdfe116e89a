//! How long each step takes, from the first instruction to the first worker.

use abi::wire::Label;
use abi::wire::record::Phase;
use alloc::vec::Vec;

use crate::sink::Sink;
use crate::x86::tsc;

/// The steps so far. They are emitted together: a serial port is slow, and its time would be counted as theirs.
pub struct Phases {
    last: u64,
    done: Vec<(&'static str, u64)>,
}

impl Phases {
    /// Begins at the TSC value `epoch`.
    #[must_use]
    pub const fn from(epoch: u64) -> Self {
        Self { last: epoch, done: Vec::new() }
    }

    /// Puts the step `name`, which took `cycles`, before all others.
    pub fn before(&mut self, name: &'static str, cycles: u64) {
        self.done.insert(0, (name, cycles));
    }

    /// Ends the step `name` now. Needs an allocator.
    pub fn end(&mut self, name: &'static str) {
        self.end_at(name, tsc::read());
    }

    /// Ends the step `name` at the TSC value `tsc`, then emits and forgets all steps.
    pub fn emit_until(&mut self, name: &'static str, tsc: u64, sink: &mut impl Sink) {
        self.end_at(name, tsc);
        for (name, cycles) in self.done.drain(..) {
            if let Some(name) = Label::new(name) {
                sink.record(Phase { name, cycles }.into());
            }
        }
    }

    fn end_at(&mut self, name: &'static str, tsc: u64) {
        self.done.push((name, tsc.saturating_sub(self.last)));
        self.last = tsc;
    }
}

#[cfg(test)]
mod tests {
    use abi::wire::Record;

    use super::*;
    use crate::sink::tests::Kept;

    #[test]
    fn emits_each_step_once_with_its_length() {
        let mut phases = Phases::from(100);
        phases.end_at("memory", 150);
        phases.before("linux", 7);
        let mut kept = Kept::default();
        phases.emit_until("first-worker", 250, &mut kept);
        let lengths = kept.0.iter().map(|record| match record {
            Record::Phase(Phase { name, cycles }) => (name.as_str(), *cycles),
            other => panic!("{other:?}"),
        });
        assert!(lengths.eq([("linux", 7), ("memory", 50), ("first-worker", 100)]));
        phases.emit_until("next", 260, &mut kept);
        assert_eq!(kept.0.len(), 4);
    }
}
