//! The authority profile of a plan: its objects, and the handles that each task has to them.

use super::lines::parse_line;
use super::reader::Reader;
use super::{HandleGrant, KernelObject, MAX_OBJECTS, PlanError, PlanErrorKind, PlanLine};
use crate::object::{HANDLES, Handle, HandleRight, Kind, Rights};
use crate::task::TaskName;
use crate::wire::Label;

/// The `object` and `grant` lines of a plan, which have been checked.
#[derive(Clone, Copy, Debug, Default)]
pub struct Profile<'a> {
    objects: &'a str,
    grants: &'a str,
}

impl<'a> Profile<'a> {
    /// Takes the profile's lines, if there are any.
    ///
    /// # Errors
    /// A line that cannot be beside those before it.
    pub(super) fn take(reader: &mut Reader<'a>) -> Result<Self, PlanError> {
        let mut profile = Self::default();
        let begin = reader.rest();
        for place in 0.. {
            let Some(object) = reader.optional::<KernelObject>() else { break };
            let is_new = profile.object(object.name).is_none();
            let fits = is_new && can_be_made(&object) && place < MAX_OBJECTS;
            reader.check(fits, PlanErrorKind::BadProfile)?;
            profile.objects = &begin[..begin.len() - reader.rest().len()];
        }
        let begin = reader.rest();
        while let Some(grant) = reader.optional::<HandleGrant>() {
            let of_task = profile.grants().filter(|other| other.task == grant.task).count();
            let fits = profile.object(grant.object).is_some() && of_task < HANDLES;
            reader.check(fits, PlanErrorKind::BadProfile)?;
            profile.grants = &begin[..begin.len() - reader.rest().len()];
        }
        Ok(profile)
    }

    /// The objects, in order.
    pub fn objects(&self) -> impl Iterator<Item = KernelObject> + use<'a> {
        let lines = self.objects.split_terminator('\n').map(parse_line);
        lines.filter_map(
            |line| if let Ok(PlanLine::KernelObject(object)) = line { Some(object) } else { None },
        )
    }

    /// The handles of all tasks, in order.
    pub fn grants(&self) -> impl Iterator<Item = HandleGrant> + use<'a> {
        let lines = self.grants.split_terminator('\n').map(parse_line);
        lines.filter_map(|line| if let Ok(PlanLine::HandleGrant(grant)) = line { Some(grant) } else { None })
    }

    /// An object.
    #[must_use]
    pub fn object(&self, name: Label) -> Option<KernelObject> {
        self.objects().find(|object| object.name == name)
    }

    /// The handles of a task with what they are to, in the order of its table.
    pub fn handles_of(
        &self,
        task: TaskName,
    ) -> impl Iterator<Item = (Handle, KernelObject, HandleGrant)> + use<'a> {
        let profile = *self;
        let own = self.grants().filter(move |grant| grant.task == task);
        own.zip(0_u8..).filter_map(move |(grant, slot)| {
            Some((Handle::new(slot, 1), profile.object(grant.object)?, grant))
        })
    }

    /// The first handle of a task to an object of this kind whose rights pass.
    #[must_use]
    pub fn handle(&self, task: TaskName, kind: Kind, passes: impl Fn(Rights) -> bool) -> Option<Handle> {
        self.handles_of(task)
            .find(|(_, object, grant)| object.kind == kind && passes(grant.rights))
            .map(|(handle, ..)| handle)
    }

    /// The handles of two tasks to the first object to which one has one right, and the other the other.
    #[must_use]
    pub fn between(
        &self,
        (one, right): (TaskName, HandleRight),
        (other, opposite): (TaskName, HandleRight),
    ) -> Option<(Handle, Handle)> {
        self.objects().find_map(|object| {
            let of = |task, right| {
                let mut own = self.handles_of(task);
                own.find(|(_, to, grant)| to.name == object.name && grant.rights.has(right))
            };
            Some((of(one, right)?.0, of(other, opposite)?.0))
        })
    }
}

/// Whether a plan can have this object.
fn can_be_made(object: &KernelObject) -> bool {
    match object.kind {
        Kind::Own | Kind::Task => false,
        Kind::Endpoint | Kind::Notification => object.bytes == 0,
        Kind::Memory => object.bytes > 0 && object.bytes.is_multiple_of(4096),
        Kind::Image => true,
    }
}
