//! Programs that tasks can start.

use abi::object::{HandleRight, Rights, Status};
use abi::plan::Needs;
use abi::stub::STUBS;
use abi::task::{Orders, TaskName};
use alloc::rc::Rc;
use alloc::sync::Arc;
use harness::user::layout::{IMAGE, IMAGE_LIMIT};
use harness::user::{Program, elf};

use super::notification::Void;
use super::objects::Named;
use super::space::Space;
use super::table::Table;
use super::thread::Thread;
use crate::mem::OutOfMemory;
use crate::user::AddressSpace;

/// The stack of a task that another one starts, in KiB.
const STACK_KIB: u32 = 16;

/// An ELF, or the first part of one.
#[repr(C)]
pub struct Image {
    /// Whether every handle to it is void.
    pub void: Void,
    elf: Arc<[u8]>,
    /// How many bytes of it the image has.
    bytes: usize,
    stubs: &'static [u8],
}

impl Image {
    /// The rights of the task that starts one to the new one.
    pub const PARENT: Rights = Rights::NONE.with(HandleRight::Wait).with(HandleRight::Kill);

    /// An image of the first `bytes` bytes of `elf`, or of all of it. Its tasks get the page of `stubs`.
    #[must_use]
    pub fn new(elf: Arc<[u8]>, bytes: usize, stubs: &'static [u8]) -> Self {
        let bytes = bytes.min(elf.len());
        Self { void: Void::default(), elf, bytes, stubs }
    }

    /// Builds a task with a stack and nothing else, and the handle that it is given. It is not ready yet.
    ///
    /// # Errors
    /// [`Status::Argument`] if the image is no program; [`Status::Memory`].
    pub fn start(&self, argument: u64, given: Option<(Named, Rights)>) -> Result<Rc<Thread>, Status> {
        let image = elf::ElfImage::parse(&self.elf[..self.bytes], IMAGE_LIMIT - IMAGE)
            .map_err(|_| Status::Argument)?;
        let needs = Needs { stack_kib: STACK_KIB, ..Needs::NONE };
        let program = Program { image, needs, corpus: None };
        let space = AddressSpace::new(&program, None).map_err(|OutOfMemory| Status::Memory)?;
        space.write(STUBS, self.stubs);
        let mut table = Table::default();
        let handle = match given {
            Some((object, rights)) => table.insert(object, rights)?.0,
            None => 0,
        };
        let orders = Orders { arg: argument, handle, ..Orders::default() };
        space.prepare(&orders.args(TaskName::Child, 0));
        let thread = Thread::new(Space::of_task(&space, None), Some(table));
        thread.begin(space.entry());
        thread.own.set(Some(space));
        Ok(thread)
    }
}
