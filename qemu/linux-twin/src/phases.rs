//! How long each step up to the first worker takes, as the kernel tells it of its own.

use abi::wire::Label;
use abi::wire::record::Phase;
use kernel::x86::tsc;

use crate::console::Console;

/// Steps so far. They are printed together, after the first iteration.
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

    /// The step `name` ends here.
    pub fn end(&mut self, name: &'static str) {
        self.end_at(name, tsc::read());
    }

    /// The step `name` ended at the TSC value `tsc`. Prints all steps, and forgets them.
    pub fn print_until(&mut self, name: &'static str, tsc: u64, console: &mut Console) {
        self.end_at(name, tsc);
        for (name, cycles) in self.done.drain(..) {
            if let Some(name) = Label::new(name) {
                console.record(Phase { name, cycles });
            }
        }
    }

    fn end_at(&mut self, name: &'static str, tsc: u64) {
        self.done.push((name, tsc.saturating_sub(self.last)));
        self.last = tsc;
    }
}
