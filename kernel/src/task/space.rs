//! An address space as the calls of its thread see it: regions, and the pages of memory objects in it.
//!
//! A task has one thread, and a thread stays on its CPU. So no other CPU has translations of its address space, and a page
//! that is taken away is dropped from this CPU's TLB alone.

use abi::object::{Access, Status};
use alloc::sync::Arc;
use alloc::vec::Vec;
use core::cell::RefCell;
use core::ops::Range;
use x86_64::VirtAddr;
use x86_64::instructions::tlb;
use x86_64::structures::paging::PageTableFlags;
#[cfg(test)]
use x86_64::{PhysAddr, structures::paging::PhysFrame};

use super::memory::Memory;
use super::regions::{MOST as MOST_REGIONS, Regions, pages};
use crate::mem::{OutOfMemory, frames};
use crate::user::{AddressSpace, BORROWED, Tables, rights};

/// The most pages of one call, which bounds how long it takes.
pub const MOST_PAGES: u64 = 512;

const PAGE: u64 = 4096;

/// What a region is of.
#[derive(Clone, Copy, Debug, Eq, PartialEq)]
enum Tenant {
    /// What was mapped when the task was built.
    Fixed,
    /// Pages that are made when they are touched.
    Lazy,
    /// A memory object, by its number.
    Memory(u64),
}

/// An address space.
pub struct Space {
    /// The root of its page tables, for CR3.
    pub cr3: u64,
    tables: Tables,
    regions: RefCell<Regions<Tenant>>,
    /// The objects that are mapped, each with the number of its pages: no object goes while a page of it is here.
    mapped: RefCell<Vec<(Arc<Memory>, u64)>>,
}

impl Space {
    /// That of a worker, which maps nothing itself.
    #[must_use]
    pub fn of_worker(space: &AddressSpace) -> Self {
        let (regions, mapped) = (RefCell::default(), RefCell::default());
        Self { cr3: space.cr3(), tables: space.tables(), regions, mapped }
    }

    /// One that is never entered, for tests.
    #[cfg(test)]
    #[expect(unsafe_code, reason = "its tables are never used")]
    pub fn of_no_memory(cr3: u64) -> Self {
        let root = PhysFrame::containing_address(PhysAddr::new(0));
        // SAFETY: no method that edits them is called.
        let tables = unsafe { Tables::new(root) };
        Self { cr3, tables, regions: RefCell::default(), mapped: RefCell::default() }
    }

    /// That of a task. Pages in `lazy` are made when they are touched.
    #[must_use]
    pub fn of_task(space: &AddressSpace, lazy: Option<Range<u64>>) -> Self {
        let mut regions = Regions::with_room();
        // Both are there in an empty table.
        let _entered = regions.insert(space.fixed(), Tenant::Fixed);
        if let Some(lazy) = lazy {
            let _entered = regions.insert(lazy, Tenant::Lazy);
        }
        let mapped = RefCell::new(Vec::with_capacity(MOST_REGIONS));
        Self { cr3: space.cr3(), tables: space.tables(), regions: RefCell::new(regions), mapped }
    }

    /// Maps pages of `memory`, from its page `first` on.
    ///
    /// # Errors
    /// [`Status::Argument`] for a range that lies over another, or outside of the object; [`Status::Full`];
    /// [`Status::Memory`] if there is no frame for a page table.
    pub fn map(
        &self,
        memory: &Arc<Memory>,
        at: u64,
        first: u64,
        count: u64,
        access: Access,
    ) -> Result<(), Status> {
        let range = bounded(at, count)?;
        let part = memory.part(first, count)?;
        let flags = rights(access).ok_or(Status::Argument)? | BORROWED;
        let tenant = Tenant::Memory(memory.number());
        self.regions.borrow_mut().insert(range.clone(), tenant)?;
        let mut frames = frames();
        for (page, frame) in range.clone().step_by(4096).zip(part) {
            if self.tables.enter(&mut frames, page, frame.start_address(), flags).is_err() {
                (range.start..page).step_by(4096).for_each(|page| self.drop_page(page));
                let _removed = self.regions.borrow_mut().remove(&range, tenant);
                return Err(Status::Memory);
            }
        }
        let mut mapped = self.mapped.borrow_mut();
        match mapped.iter_mut().find(|(kept, _)| Arc::ptr_eq(kept, memory)) {
            Some((_, pages)) => *pages += count,
            // Fewer objects than regions, for which there is room.
            None => mapped.push((Arc::clone(memory), count)),
        }
        Ok(())
    }

    /// Takes pages of `memory` out.
    ///
    /// # Errors
    /// [`Status::Argument`] if the object is not mapped in all of the range; [`Status::Full`].
    pub fn unmap(&self, memory: &Memory, at: u64, count: u64) -> Result<(), Status> {
        let range = bounded(at, count)?;
        self.regions.borrow_mut().remove(&range, Tenant::Memory(memory.number()))?;
        range.step_by(4096).for_each(|page| self.drop_page(page));
        let mut mapped = self.mapped.borrow_mut();
        if let Some(place) = mapped.iter().position(|(kept, _)| kept.number() == memory.number()) {
            mapped[place].1 -= count;
            if mapped[place].1 == 0 {
                mapped.swap_remove(place);
            }
        }
        Ok(())
    }

    /// Changes ring 3's access to pages of `memory`.
    ///
    /// # Errors
    /// [`Status::Argument`] if the object is not mapped in all of the range.
    pub fn protect(&self, memory: &Memory, at: u64, count: u64, access: Access) -> Result<(), Status> {
        let range = bounded(at, count)?;
        let flags = rights(access).ok_or(Status::Argument)? | BORROWED;
        if !self.regions.borrow().has(&range, Tenant::Memory(memory.number())) {
            return Err(Status::Argument);
        }
        for page in range.step_by(4096) {
            self.tables.set_flags(page, flags);
            tlb::flush(VirtAddr::new_truncate(page));
        }
        Ok(())
    }

    /// Makes the page of `address`, if it is one that is made when it is touched.
    ///
    /// # Errors
    /// It is not, or there is no memory.
    pub fn touch(&self, address: u64) -> Result<(), OutOfMemory> {
        if self.regions.borrow().at(address) != Some(Tenant::Lazy) {
            return Err(OutOfMemory);
        }
        let mut frames = frames();
        let frame = frames.zeroed()?;
        let flags = rights(Access::Write).unwrap_or(PageTableFlags::empty());
        let entered = self.tables.enter(&mut frames, address / PAGE * PAGE, frame.start_address(), flags);
        entered.inspect_err(|_| frames.give_back(frame))
    }

    /// Takes one page away.
    fn drop_page(&self, page: u64) {
        self.tables.clear(page);
        tlb::flush(VirtAddr::new_truncate(page));
    }
}

/// The addresses of so many pages, if one call may have as many.
fn bounded(at: u64, count: u64) -> Result<Range<u64>, Status> {
    if count > MOST_PAGES { Err(Status::Argument) } else { pages(at, count) }
}
