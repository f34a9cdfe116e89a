//! Programs that tasks can start.

use abi::object::{HandleRight, Rights, Status};
use abi::plan::Needs;
use abi::stub::STUBS;
use abi::task::{Orders, TaskName};
use alloc::rc::Rc;
use core::cell::Cell;
use harness::user::layout::{IMAGE, IMAGE_LIMIT};
use harness::user::{Program, elf};

use super::space::Space;
use super::table::Table;
use super::thread::Thread;
use crate::mem::OutOfMemory;
use crate::user::AddressSpace;

/// An ELF, or the first part of one.
pub struct Image {
    bytes: &'static [u8],
    stubs: &'static [u8],
    /// Whether every handle to it is void.
    pub revoked: Cell<bool>,
}

impl Image {
    /// The rights of the task that starts one to the new one.
    pub const PARENT: Rights = Rights::NONE.with(HandleRight::Wait).with(HandleRight::Kill);

    /// An image of these bytes. Its tasks get the page of `stubs`.
    #[must_use]
    pub const fn new(bytes: &'static [u8], stubs: &'static [u8]) -> Self {
        Self { bytes, stubs, revoked: Cell::new(false) }
    }

    /// Builds a task with a stack and nothing else, and no handles. It is not ready yet.
    ///
    /// # Errors
    /// [`Status::Argument`] if the image is no program; [`Status::Memory`].
    pub fn start(&self, argument: u64) -> Result<Rc<Thread>, Status> {
        let image = elf::ElfImage::parse(self.bytes, IMAGE_LIMIT - IMAGE).map_err(|_| Status::Argument)?;
        let program = Program { image, needs: Needs::NONE, corpus: None };
        let space = AddressSpace::new(&program, None).map_err(|OutOfMemory| Status::Memory)?;
        space.write(STUBS, self.stubs);
        let orders = Orders { arg: argument, ..Orders::default() };
        space.prepare(&orders.args(TaskName::Child, 0));
        let thread = Thread::new(Space::of_task(&space, None), Some(Table::default()));
        thread.begin(space.entry());
        thread.own.set(Some(space));
        Ok(thread)
    }
}
