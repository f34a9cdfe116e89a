//! How long each step of the boot takes, so that it can be driven down.

use abi::wire::Label;
use abi::wire::record::Phase;
use alloc::vec::Vec;

use crate::console;
use crate::x86::tsc;

/// Steps so far. They are printed together: a serial port is slow, and its time would be counted as theirs.
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

    /// The step `name` ends here. Needs the heap.
    pub fn end(&mut self, name: &'static str) {
        let now = tsc::read();
        self.done.push((name, now.saturating_sub(self.last)));
        self.last = now;
    }

    /// The step `name` ended at the TSC value `tsc`. Prints all steps so far, and forgets them.
    pub fn print_until(&mut self, name: &'static str, tsc: u64) {
        self.done.push((name, tsc.saturating_sub(self.last)));
        self.last = tsc;
        for (name, cycles) in self.done.drain(..) {
            if let Some(name) = Label::new(name) {
                console::record(Phase { name, cycles });
            }
        }
    }
}
