//! Memory objects: pages that tasks can map.
#![expect(unsafe_code, reason = "reads what ring 3 writes")]

use abi::object::{Access, Status};
use alloc::vec::Vec;
use core::sync::atomic::{AtomicU64, Ordering};
use x86_64::structures::paging::PhysFrame;

use super::notification::Void;
use super::ring::Words;
use crate::checks;
use crate::mem::{OutOfMemory, frames, phys};

/// The number of the next object: no two have had the same.
static NEXT: AtomicU64 = AtomicU64::new(0);

/// Pages, zero at first. They are given back when nothing refers to the object any more: neither a handle nor an address
/// space that has it mapped.
#[repr(C)]
pub struct Memory {
    /// Whether every handle to it is void. Mappings stay.
    pub void: Void,
    number: u64,
    frames: Vec<PhysFrame>,
    /// The first [`Access`] that it was mapped with other than reading; 0 if there was none. Another is refused from then
    /// on, in every address space.
    mode: AtomicU64,
}

impl Memory {
    /// An object of `bytes`, a multiple of the page size.
    ///
    /// # Errors
    /// No memory.
    pub fn new(bytes: u64) -> Result<Self, OutOfMemory> {
        let count = usize::try_from(bytes / 4096).map_err(|_| OutOfMemory)?;
        let number = NEXT.fetch_add(1, Ordering::Relaxed);
        let mut pages = Vec::new();
        pages.try_reserve_exact(count).map_err(|_| OutOfMemory)?;
        // Dropped at an error, it gives back what it has so far.
        let mut this = Self { void: Void::default(), number, frames: pages, mode: AtomicU64::default() };
        let mut free = frames();
        while this.frames.len() < count {
            match free.zeroed() {
                Ok(frame) => this.frames.push(frame),
                Err(error) => {
                    drop(free);
                    return Err(error);
                }
            }
        }
        Ok(this)
    }

    /// Its number, which no other object has.
    #[must_use]
    pub const fn number(&self) -> u64 {
        self.number
    }

    /// The frames of `count` pages from page `first` on.
    ///
    /// # Errors
    /// [`Status::Argument`] if it does not have them all.
    pub fn part(&self, first: u64, count: u64) -> Result<impl Iterator<Item = PhysFrame>, Status> {
        let end = first.checked_add(count).filter(|&end| end <= self.frames.len() as u64);
        let range = usize::try_from(first).ok().zip(end.and_then(|end| usize::try_from(end).ok()));
        let (first, end) = range.ok_or(Status::Argument)?;
        Ok(self.frames[first..end].iter().copied())
    }

    /// The two pages of a ring at page `first`, as words that ring 3 writes to at any time.
    ///
    /// # Errors
    /// [`Status::Argument`] if it does not have them.
    pub fn ring(&self, first: u64) -> Result<[&Words; 2], Status> {
        let mut pages = self.part(first, abi::ring::PAGES)?;
        // SAFETY: frames of this object, which it keeps; the kernel refers to them by atomics alone.
        let mut page = || pages.next().map(|frame| unsafe { phys::shared(frame) }).ok_or(Status::Argument);
        Ok([page()?, page()?])
    }

    /// Decides that the object is mapped with this access: no page of it is ever writable and executable, not even through
    /// two mappings, on any CPU.
    ///
    /// # Errors
    /// [`Status::Argument`].
    pub fn settle(&self, access: Access) -> Result<(), Status> {
        let mode = match access {
            Access::None => return Err(Status::Argument),
            Access::Read => return Ok(()),
            Access::Write | Access::Execute if !checks::WRITE_XOR_EXECUTE => return Ok(()),
            Access::Write | Access::Execute => access as u64,
        };
        match self.mode.compare_exchange(0, mode, Ordering::Relaxed, Ordering::Relaxed) {
            Err(other) if other != mode => Err(Status::Argument),
            _ => Ok(()),
        }
    }
}

impl Drop for Memory {
    fn drop(&mut self) {
        let mut free = frames();
        self.frames.drain(..).for_each(|frame| free.give_back(frame));
    }
}
