//! How a worker comes back, and the counts of its run.

/// Why a worker came back.
#[derive(Clone, Copy, Debug, Eq, PartialEq)]
pub enum Exit {
    /// It returned, and the return stub made the exit call.
    Returned,
    /// It took an exception.
    Fault(Fault),
    /// It reached its time-out.
    Timeout,
}

/// An exception in ring 3.
#[derive(Clone, Copy, Debug, Eq, PartialEq)]
pub struct Fault {
    /// The exception's number.
    pub vector: u64,
    /// Its error code, or 0.
    pub error: u64,
    /// The instruction.
    pub rip: u64,
    /// CR2 of a page fault, else 0.
    pub address: u64,
}

/// What was counted while a worker ran.
#[derive(Clone, Copy, Debug, Default, Eq, PartialEq)]
pub struct Counts {
    /// Interrupts.
    pub irqs: u16,
    /// Refused syscalls: those outside its authority.
    pub refused: u32,
    /// The number of the first refused one; 0 if there is none.
    pub first_refused: u64,
}

impl Counts {
    /// The counts of a timed run, with the syscalls refused in the `warm_up` before it: a worker's authority is the same
    /// in both. Interrupts are the timed run's alone.
    #[must_use]
    pub const fn after(self, warm_up: Self) -> Self {
        let first_refused = if warm_up.refused == 0 { self.first_refused } else { warm_up.first_refused };
        Self { refused: self.refused.saturating_add(warm_up.refused), first_refused, ..self }
    }
}

#[cfg(test)]
mod tests {
    use super::Counts;

    fn counts(irqs: u16, refused: u32, first_refused: u64) -> Counts {
        Counts { irqs, refused, first_refused }
    }

    #[test]
    fn refusals_in_the_warm_up_count_and_its_interrupts_do_not() {
        assert_eq!(counts(0, 0, 0).after(counts(3, 2, 39)), counts(0, 2, 39));
        assert_eq!(counts(1, 4, 60).after(counts(0, 2, 39)), counts(1, 6, 39));
        assert_eq!(counts(1, 4, 60).after(counts(3, 0, 0)), counts(1, 4, 60));
    }
}
