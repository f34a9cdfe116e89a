//! A task's handles: a table of fixed size. Nothing here needs hardware.
//!
//! A slot is used again only in another generation, so an old handle never names a new object. A slot whose generations are
//! used up is never used again.

use abi::object::{HANDLES, Handle, HandleRight, Kind, Rights, Status};

/// What a handle can name.
pub trait Object: Clone {
    /// Its kind.
    fn kind(&self) -> Kind;

    /// Whether it was revoked: then no handle to it is good any more.
    fn is_revoked(&self) -> bool;

    /// A table has a handle to it, with these rights.
    fn entered(&self, _rights: Rights) {}
}

/// A slot.
struct Slot<T> {
    /// The generation of the handle that is good now, or was the last one. 0: the slot was never used.
    generation: u32,
    rights: Rights,
    object: Option<T>,
}

/// A table of handles.
pub struct Table<T> {
    slots: [Slot<T>; HANDLES],
}

impl<T> Default for Table<T> {
    fn default() -> Self {
        Self { slots: [const { Slot { generation: 0, rights: Rights::NONE, object: None } }; HANDLES] }
    }
}

impl<T: Object> Table<T> {
    /// The object of a handle and its rights, if it is of the kind with this number.
    ///
    /// # Errors
    /// The first of [`Status::Index`], [`Status::Generation`] and [`Status::Kind`] that applies.
    #[inline(always)]
    pub fn find(&self, handle: Handle, kind: u64) -> Result<(&T, Rights), Status> {
        if handle.index() >= HANDLES {
            return Err(Status::Index);
        }
        match self.current(handle) {
            Some((object, _)) if object.is_revoked() => Err(Status::Generation),
            Some((object, rights)) if object.kind() as u64 == kind => Ok((object, rights)),
            Some(_) => Err(Status::Kind),
            None => Err(Status::Generation),
        }
    }

    /// The object of a handle and its rights, of whatever kind, revoked or not.
    #[inline(always)]
    pub fn current(&self, handle: Handle) -> Option<(&T, Rights)> {
        let slot = self.slots.get(handle.index())?;
        match &slot.object {
            Some(object) if u64::from(slot.generation) == handle.generation() => Some((object, slot.rights)),
            _ => None,
        }
    }

    /// Enters an object. Returns its handle.
    ///
    /// # Errors
    /// [`Status::Full`].
    pub fn insert(&mut self, object: T, rights: Rights) -> Result<Handle, Status> {
        let is_free = |slot: &Slot<T>| slot.object.is_none() && slot.generation < u32::MAX;
        let index = self.slots.iter().position(is_free).ok_or(Status::Full)?;
        let slot = &mut self.slots[index];
        slot.generation += 1;
        object.entered(rights);
        (slot.rights, slot.object) = (rights, Some(object));
        Ok(Handle::new(u8::try_from(index).unwrap_or(u8::MAX), slot.generation))
    }

    /// Enters an object that a plan grants, in the slot after the last one that was granted; nothing keeps its slot empty. A
    /// full table takes no more.
    pub fn grant(&mut self, object: Option<T>, rights: Rights) {
        if let Some(slot) = self.slots.iter_mut().find(|slot| slot.generation == 0) {
            object.iter().for_each(|object| object.entered(rights));
            *slot = Slot { generation: 1, rights, object };
        }
    }

    /// Enters the object of `handle` once more, with those of its rights that are in `rights`.
    ///
    /// # Errors
    /// As [`Table::find`]; [`Status::Right`] if the handle may not be copied; [`Status::Full`].
    pub fn copy(&mut self, handle: Handle, kind: u64, rights: Rights) -> Result<Handle, Status> {
        let (object, own) = self.find(handle, kind)?;
        if !own.has(HandleRight::Copy) {
            return Err(Status::Right);
        }
        let object = object.clone();
        self.insert(object, own.and(rights))
    }

    /// The object of `handle` and its rights, for another table.
    ///
    /// # Errors
    /// As [`Table::copy`], of whatever kind it is.
    pub fn share(&self, handle: Handle) -> Result<(T, Rights), Status> {
        let (object, rights) = self.current(handle).ok_or(Status::Generation)?;
        if object.is_revoked() {
            return Err(Status::Generation);
        }
        if !rights.has(HandleRight::Copy) {
            return Err(Status::Right);
        }
        Ok((object.clone(), rights))
    }

    /// Frees the slot of `handle`. Returns its object, which may be revoked, and the rights to it.
    ///
    /// # Errors
    /// As [`Table::find`].
    pub fn close(&mut self, handle: Handle, kind: u64) -> Result<(T, Rights), Status> {
        let slot = self.slots.get_mut(handle.index()).ok_or(Status::Index)?;
        if slot.object.is_none() || u64::from(slot.generation) != handle.generation() {
            return Err(Status::Generation);
        }
        if slot.object.as_ref().is_some_and(|object| object.kind() as u64 != kind) {
            return Err(Status::Kind);
        }
        slot.object.take().map(|object| (object, slot.rights)).ok_or(Status::Generation)
    }

    /// Frees every slot, and passes each object and the rights to it to `see`.
    pub fn clear(&mut self, mut see: impl FnMut(T, Rights)) {
        for slot in &mut self.slots {
            if let Some(object) = slot.object.take() {
                see(object, slot.rights);
            }
        }
    }

    /// How many slots are in use.
    #[must_use]
    pub fn used(&self) -> usize {
        self.slots.iter().filter(|slot| slot.object.is_some()).count()
    }
}

#[cfg(test)]
#[path = "table_tests.rs"]
mod tests;
