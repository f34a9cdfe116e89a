//! A task's handles: a table of fixed size. Nothing here needs hardware.
//!
//! A slot is used again only in another generation, so an old handle never names a new object. A slot whose generations are
//! used up is never used again.

use abi::object::{HANDLES, Handle, HandleRight, Kind, Rights, Status};

use crate::checks;

/// What a handle can name.
pub trait Object: Clone {
    /// Its kind.
    fn kind(&self) -> Kind;

    /// Whether it was revoked: then no handle to it is good any more.
    fn is_revoked(&self) -> bool;

    /// A table has a handle to it, with these rights.
    fn entered(&self, _rights: Rights) {}
}

/// The kind of a slot without an object: that of no call.
const EMPTY: u8 = u8::MAX;

/// A slot.
struct Slot<T> {
    /// The generation of the handle that is good now, or was the last one. 0: the slot was never used.
    generation: u32,
    rights: Rights,
    /// The number of the object's kind, or [`EMPTY`]: to ask the object takes longer.
    kind: u8,
    object: Option<T>,
}

impl<T: Object> Slot<T> {
    /// Of this generation.
    fn new(generation: u32, object: Option<T>, rights: Rights) -> Self {
        let kind = object.as_ref().map_or(EMPTY, |object| object.kind() as u8);
        Self { generation, rights, kind, object }
    }

    /// Whether the handle is of its generation.
    #[inline(always)]
    fn is_of(&self, handle: Handle) -> bool {
        !checks::GENERATION || u64::from(self.generation) == handle.generation()
    }

    /// Takes its object out.
    fn empty(&mut self) -> Option<T> {
        self.kind = EMPTY;
        self.object.take()
    }
}

/// Why a handle does not fit.
#[derive(Clone, Copy, Debug, Eq, PartialEq)]
pub enum Misfit {
    /// It names no slot.
    Index,
    /// The slot has another generation, or nothing.
    Generation,
    /// The object was revoked.
    Revoked,
    /// The object is of another kind.
    Kind,
}

impl Misfit {
    /// The status that a call returns.
    #[must_use]
    #[inline(always)]
    pub const fn status(self) -> Status {
        match self {
            Self::Index => Status::Index,
            Self::Generation | Self::Revoked => Status::Generation,
            Self::Kind => Status::Kind,
        }
    }
}

/// A table of handles.
pub struct Table<T> {
    slots: [Slot<T>; HANDLES],
}

impl<T> Default for Table<T> {
    fn default() -> Self {
        Self {
            slots: [const { Slot { generation: 0, rights: Rights::NONE, kind: EMPTY, object: None } };
                HANDLES],
        }
    }
}

impl<T: Object> Table<T> {
    /// The object of a handle and its rights, if it is of the kind with this number.
    ///
    /// # Errors
    /// The first of [`Status::Index`], [`Status::Generation`] and [`Status::Kind`] that applies.
    #[inline(always)]
    pub fn find(&self, handle: Handle, kind: u8) -> Result<(&T, Rights), Status> {
        self.look_up(handle, kind).map_err(Misfit::status)
    }

    /// The same, with the reason.
    ///
    /// # Errors
    /// The first that applies.
    #[inline(always)]
    pub fn look_up(&self, handle: Handle, kind: u8) -> Result<(&T, Rights), Misfit> {
        let slot = self.slots.get(handle.index()).ok_or(Misfit::Index)?;
        if !slot.is_of(handle) {
            return Err(Misfit::Generation);
        }
        match &slot.object {
            Some(object) if object.is_revoked() => Err(Misfit::Revoked),
            Some(object) if slot.kind == kind => Ok((object, slot.rights)),
            Some(_) => Err(Misfit::Kind),
            None => Err(Misfit::Generation),
        }
    }

    /// The object of a handle and its rights, of whatever kind, revoked or not.
    #[inline(always)]
    pub fn current(&self, handle: Handle) -> Option<(&T, Rights)> {
        let slot = self.slots.get(handle.index())?;
        if !slot.is_of(handle) {
            return None;
        }
        slot.object.as_ref().map(|object| (object, slot.rights))
    }

    /// Enters an object. Returns its handle.
    ///
    /// # Errors
    /// [`Status::Full`].
    pub fn insert(&mut self, object: T, rights: Rights) -> Result<Handle, Status> {
        let next = |slot: &Slot<T>| match slot.object {
            // None after the last one: the slot is never used again.
            None => slot.generation.checked_add(1),
            Some(_) => None,
        };
        let mut free = self.slots.iter().enumerate().filter_map(|(index, slot)| Some((index, next(slot)?)));
        let (index, generation) = free.next().ok_or(Status::Full)?;
        object.entered(rights);
        self.slots[index] = Slot::new(generation, Some(object), rights);
        Ok(Handle::new(u8::try_from(index).unwrap_or(u8::MAX), generation))
    }

    /// Enters an object that a plan grants, in the slot after the last one that was granted; nothing keeps its slot empty. A
    /// full table takes no more.
    pub fn grant(&mut self, object: Option<T>, rights: Rights) {
        if let Some(slot) = self.slots.iter_mut().find(|slot| slot.generation == 0) {
            object.iter().for_each(|object| object.entered(rights));
            *slot = Slot::new(1, object, rights);
        }
    }

    /// Enters the object of `handle` once more, with those of its rights that are in `rights`.
    ///
    /// # Errors
    /// As [`Table::find`]; [`Status::Right`] if the handle may not be copied; [`Status::Full`].
    pub fn copy(&mut self, handle: Handle, kind: u8, rights: Rights) -> Result<Handle, Status> {
        let (object, own) = self.find(handle, kind)?;
        if !checks::allows(own, HandleRight::Copy) {
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
        if !checks::allows(rights, HandleRight::Copy) {
            return Err(Status::Right);
        }
        Ok((object.clone(), rights))
    }

    /// Frees the slot of `handle`. Returns its object, which may be revoked, and the rights to it.
    ///
    /// # Errors
    /// As [`Table::find`].
    pub fn close(&mut self, handle: Handle, kind: u8) -> Result<(T, Rights), Status> {
        let slot = self.slots.get_mut(handle.index()).ok_or(Status::Index)?;
        if slot.object.is_none() || !slot.is_of(handle) {
            return Err(Status::Generation);
        }
        if slot.object.as_ref().is_some_and(|object| object.kind() as u8 != kind) {
            return Err(Status::Kind);
        }
        slot.empty().map(|object| (object, slot.rights)).ok_or(Status::Generation)
    }

    /// Frees every slot, and passes each object and the rights to it to `see`.
    pub fn clear(&mut self, mut see: impl FnMut(T, Rights)) {
        for slot in &mut self.slots {
            if let Some(object) = slot.empty() {
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
