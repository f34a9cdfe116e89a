//! The objects of a scene as descriptors: an endpoint is two pipes, a notification an eventfd, memory and an image are files
//! in memory.
#![expect(unsafe_code, reason = "gives descriptors the numbers of handles")]

use std::fs::File;
use std::io::{self, Write};
use std::os::fd::{AsRawFd, OwnedFd, RawFd};

use abi::object::{Handle, HandleRight, Kind, Rights};
use abi::plan::{KernelObject, Profile};
use abi::task::TaskName;
use abi::wire::Label;
use rustix::event::{EventfdFlags, eventfd};
use rustix::fs::{MemfdFlags, memfd_create};
use rustix::pipe::{PipeFlags, pipe_with};

use super::stubs::ANSWERS;

/// The objects of a scene, by name.
pub struct Objects(Vec<(Label, Descriptors)>);

enum Descriptors {
    /// What callers write and the server reads, and what it answers.
    Endpoint { requests: [OwnedFd; 2], answers: [OwnedFd; 2] },
    /// A descriptor for all.
    One(OwnedFd),
}

impl Objects {
    /// Makes the objects of a profile. `elf` is the program that images have.
    ///
    /// # Errors
    /// Linux's.
    pub fn make(profile: &Profile<'_>, elf: &[u8]) -> io::Result<Self> {
        profile
            .objects()
            .map(|object| Ok((object.name, make(&object, elf)?)))
            .collect::<io::Result<_>>()
            .map(Self)
    }

    /// Gives this process the descriptors of a task under the numbers of its handles, and closes all others of the objects.
    ///
    /// # Errors
    /// Linux's.
    pub fn hand_over(&self, profile: &Profile<'_>, task: TaskName) -> io::Result<()> {
        for (handle, object, grant) in profile.handles_of(task) {
            let Some((_, descriptors)) = self.0.iter().find(|(name, _)| *name == object.name) else {
                continue;
            };
            place(descriptors, handle, grant.rights)?;
        }
        for (_, descriptors) in &self.0 {
            match descriptors {
                Descriptors::Endpoint { requests, answers } => requests.iter().chain(answers).for_each(close),
                Descriptors::One(one) => close(one),
            }
        }
        Ok(())
    }
}

fn make(object: &KernelObject, elf: &[u8]) -> io::Result<Descriptors> {
    let bytes = usize::try_from(object.bytes).map_err(io::Error::other)?;
    Ok(match object.kind {
        Kind::Endpoint => {
            let pipe = || pipe_with(PipeFlags::CLOEXEC).map(|(read, write)| [read, write]);
            Descriptors::Endpoint { requests: pipe()?, answers: pipe()? }
        }
        Kind::Notification => Descriptors::One(eventfd(0, EventfdFlags::CLOEXEC)?),
        Kind::Memory => {
            let file = File::from(memfd_create("memory", MemfdFlags::CLOEXEC)?);
            file.set_len(object.bytes)?;
            Descriptors::One(file.into())
        }
        Kind::Image => {
            let mut file = File::from(memfd_create("image", MemfdFlags::CLOEXEC)?);
            let whole = if bytes == 0 { elf.len() } else { bytes.min(elf.len()) };
            file.write_all(&elf[..whole])?;
            Descriptors::One(file.into())
        }
        Kind::Own | Kind::Task => return Err(io::ErrorKind::InvalidInput.into()),
    })
}

/// Gives the descriptors of a handle their numbers.
fn place(descriptors: &Descriptors, handle: Handle, rights: Rights) -> io::Result<()> {
    let number = RawFd::try_from(handle.0).map_err(io::Error::other)?;
    match descriptors {
        Descriptors::One(one) => duplicate(one, number),
        Descriptors::Endpoint { requests: [asked, ask], answers: [answered, reply] } => {
            let (first, second) =
                if rights.has(HandleRight::Serve) { (asked, reply) } else { (ask, answered) };
            duplicate(first, number)?;
            duplicate(second, number + ANSWERS)
        }
    }
}

fn duplicate(descriptor: &OwnedFd, number: RawFd) -> io::Result<()> {
    // SAFETY: the number is one of a handle, at which this program has no descriptor.
    match unsafe { libc::dup3(descriptor.as_raw_fd(), number, libc::O_CLOEXEC) } {
        -1 => Err(io::Error::last_os_error()),
        _ => Ok(()),
    }
}

/// Closes a descriptor in this process, which was forked and never drops its owner.
fn close(descriptor: &OwnedFd) {
    // SAFETY: the process ends without dropping the owner.
    unsafe { libc::close(descriptor.as_raw_fd()) };
}
