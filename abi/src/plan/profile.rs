//! The authority profile of a plan: its objects, and the handles that each task has to them.

use super::{
    HANDLES, HandleGrant, KernelObject, MAX_OBJECTS, PlanError, PlanErrorKind, PlanLine, parse_line,
};
use crate::object::{Handle, HandleRight, Kind, Rights};
use crate::task::TaskName;
use crate::wire::Label;

/// The `object` and `grant` lines of a plan, which have been checked.
#[derive(Clone, Copy, Debug, Default)]
pub struct Profile<'a> {
    objects: &'a str,
    grants: &'a str,
}

impl<'a> Profile<'a> {
    /// Takes the profile off the front of `text`, whose first line has this number. Returns what follows it.
    pub(super) fn split(text: &'a str, first: u32) -> Result<(Self, &'a str, u32), PlanError> {
        let (objects, rest, number) =
            take_lines(text, first, |line| matches!(line, PlanLine::KernelObject(_)));
        let (grants, rest, end) = take_lines(rest, number, |line| matches!(line, PlanLine::HandleGrant(_)));
        let profile = Self { objects, grants };
        let fail = |line| PlanError { line, kind: PlanErrorKind::BadProfile };
        for (place, object) in (0..).zip(profile.objects()) {
            let is_new = profile.objects().take(place).all(|other| other.name != object.name);
            if !is_new || !can_be_made(&object) || place >= MAX_OBJECTS {
                return Err(fail(first + u32::try_from(place).unwrap_or(0)));
            }
        }
        for (place, grant) in (0..).zip(profile.grants()) {
            let of_task = profile.grants().take(place).filter(|other| other.task == grant.task).count();
            if profile.object(grant.object).is_none() || of_task >= HANDLES {
                return Err(fail(number + u32::try_from(place).unwrap_or(0)));
            }
        }
        Ok((profile, rest, end))
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

/// Takes lines off the front of `text` as long as they fit. Returns them, what follows them, and the number of its line.
fn take_lines(text: &str, first: u32, fits: impl Fn(&PlanLine) -> bool) -> (&str, &str, u32) {
    let (mut end, mut number) = (0, first);
    for line in text.split_inclusive('\n') {
        match line.strip_suffix('\n').map(parse_line) {
            Some(Ok(line)) if fits(&line) => {}
            _ => break,
        }
        (end, number) = (end + line.len(), number + 1);
    }
    let (lines, rest) = text.split_at(end);
    (lines, rest, number)
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
