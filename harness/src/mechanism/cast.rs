//! Who plays in a row: the tasks, the handles that they need, the right answer, and what the kernel counts of it.

use abi::object::{Handle, HandleRight, Kind, Rights, Status};
use abi::plan::Profile;
use abi::ring;
use abi::series::{SeriesRow, Unavailable};
use abi::stub::Op;
use abi::task::{Attack, Counter, FarAttack, TaskName};

use super::{Counted, System};

/// A slot that no table has.
const NO_SLOT: u8 = 200;
/// What `overhead_stub` passes through its stub.
const WORD: u64 = 0x5a;

/// What a kernel counts of a row.
#[derive(Clone, Copy, Debug, Eq, PartialEq)]
pub enum Account {
    /// Operations.
    Done(Counter),
    /// Refusals.
    Refused(Status),
}

impl Account {
    /// Its value.
    pub const fn of(self, counted: &Counted) -> Option<u64> {
        match self {
            Self::Done(counter) => counted.get(counter),
            Self::Refused(status) => counted.refused(status),
        }
    }
}

/// The cast of a row.
#[derive(Clone, Copy, Debug, Default, Eq, PartialEq)]
pub struct Cast {
    /// The client's partner.
    pub partner: Option<TaskName>,
    /// The client's first handle, and its second or another number.
    pub client: [u64; 2],
    /// The partner's two.
    pub opposite: [u64; 2],
    /// The right answer of the operation.
    pub right: u64,
    /// What the kernel counts of it.
    pub kernel: Option<Account>,
}

impl Cast {
    /// The cast of a row with this argument.
    ///
    /// # Errors
    /// The plan grants a task no handle that it needs, or the system does not have the answer.
    pub fn of(
        row: SeriesRow,
        arg: u64,
        profile: &Profile<'_>,
        system: &impl System,
    ) -> Result<Self, Unavailable> {
        let granted = Granted { profile };
        let alone = |handle: Handle, right, kernel| Self {
            client: [handle.0, 0],
            right,
            kernel: Some(kernel),
            ..Self::default()
        };
        let none = Handle(0);
        let refused = |handle, op, status| {
            let right = system.refusal(op, status).ok_or(Unavailable::NotApplicable)?;
            Ok(alone(handle, right, Account::Refused(status)))
        };
        let done = |handle, op, counter| alone(handle, system.right_answer(op), Account::Done(counter));
        Ok(match row {
            SeriesRow::OverheadStub => Self { right: WORD, ..Self::default() },
            SeriesRow::NullEnter => done(none, Op::Null, Counter::Null),
            SeriesRow::RefusedNumber => refused(none, Op::NoCall, Status::NoCall)?,
            SeriesRow::CapOk => done(granted.endpoint()?, Op::Identify, Counter::Identify),
            SeriesRow::CapRefused => {
                let (handle, op, status) = granted.misfit(arg)?;
                refused(handle, op, status)?
            }
            SeriesRow::CallSame => granted.served_by(TaskName::Server)?,
            SeriesRow::CallCross => granted.served_by(TaskName::Remote)?,
            SeriesRow::NotifyNone => Self {
                client: [granted.both_ways()?.0, system.right_answer(Op::Signal)],
                right: system.right_answer(Op::Wait),
                kernel: Some(Account::Done(Counter::Signal)),
                ..Self::default()
            },
            SeriesRow::NotifyWake | SeriesRow::ShmXfer => granted.bells()?,
            SeriesRow::Switch => Self { partner: Some(TaskName::Server), ..Self::default() },
            SeriesRow::TimerWake => Self { kernel: Some(Account::Done(Counter::Sleep)), ..Self::default() },
            SeriesRow::SpawnWait => done(granted.image(|bytes| bytes == 0)?, Op::Spawn, Counter::Spawn),
            SeriesRow::SpawnRefused if arg == 1 => {
                refused(granted.image(|bytes| bytes > 0)?, Op::Spawn, Status::Argument)?
            }
            SeriesRow::SpawnRefused => refused(Handle::new(NO_SLOT, 1), Op::Spawn, Status::Index)?,
            SeriesRow::FaultServed => granted.pager(system.has_fault_server())?,
            SeriesRow::FaultZero => Self { kernel: Some(Account::Done(Counter::Fault)), ..Self::default() },
            SeriesRow::Map => done(granted.memory(arg)?, Op::Map, Counter::Map),
            SeriesRow::Protect => done(granted.memory(arg)?, Op::Protect, Counter::Protect),
            // The kernel also counts the pages that are mapped again to be looked at.
            SeriesRow::MapTouch => Self {
                client: [granted.memory(arg)?.0, 0],
                right: system.right_answer(Op::MapLazy),
                ..Self::default()
            },
            // As many come back as are left.
            SeriesRow::RingNop => {
                Self { right: arg, ..done(granted.memory(ring::PAGES)?, Op::Enter, Counter::Ring) }
            }
            SeriesRow::Attack => granted.attack(arg)?,
            SeriesRow::AttackCross => granted.attacked_from_afar(arg)?,
            SeriesRow::Unmap => done(granted.memory(arg)?, Op::Unmap, Counter::Unmap),
            _ => return Err(Unavailable::NotOffered),
        })
    }
}

/// Looks for handles in a profile.
struct Granted<'a> {
    profile: &'a Profile<'a>,
}

impl Granted<'_> {
    fn own(&self, kind: Kind, passes: impl Fn(Rights) -> bool) -> Result<Handle, Unavailable> {
        self.profile.handle(TaskName::Client, kind, passes).ok_or(Unavailable::NotGranted)
    }

    /// An endpoint of the client.
    fn endpoint(&self) -> Result<Handle, Unavailable> {
        self.own(Kind::Endpoint, |_| true)
    }

    /// A notification that the client can signal and wait for.
    fn both_ways(&self) -> Result<Handle, Unavailable> {
        self.own(Kind::Notification, |rights| {
            rights.has(HandleRight::Signal) && rights.has(HandleRight::Wait)
        })
    }

    /// An image of the client whose bytes pass.
    fn image(&self, passes: impl Fn(u64) -> bool) -> Result<Handle, Unavailable> {
        self.find(TaskName::Client, Kind::Image, HandleRight::Spawn, &passes)
    }

    /// Memory of the client that it can map and write, of at least so many pages.
    fn memory(&self, pages: u64) -> Result<Handle, Unavailable> {
        self.memory_of(TaskName::Client, pages)
    }

    /// As [`Granted::memory`], of any task.
    fn memory_of(&self, task: TaskName, pages: u64) -> Result<Handle, Unavailable> {
        self.find(task, Kind::Memory, HandleRight::Write, &|bytes| bytes >= 4096 * pages)
    }

    /// A handle of a task to an object of this kind whose bytes pass.
    fn find(
        &self,
        task: TaskName,
        kind: Kind,
        right: HandleRight,
        passes: &dyn Fn(u64) -> bool,
    ) -> Result<Handle, Unavailable> {
        let mut own = self.profile.handles_of(task);
        let fits =
            |rights: Rights| rights.has(right) && (kind != Kind::Memory || rights.has(HandleRight::Map));
        let found =
            own.find(|(_, object, grant)| object.kind == kind && fits(grant.rights) && passes(object.bytes));
        found.map(|(handle, ..)| handle).ok_or(Unavailable::NotGranted)
    }

    /// A handle that does not fit, in the way that `cap_refused` calls `reason`, and the operation that shows it.
    fn misfit(&self, reason: u64) -> Result<(Handle, Op, Status), Unavailable> {
        Ok(match reason {
            1 => (Handle::new(NO_SLOT, 1), Op::Identify, Status::Index),
            2 => {
                let slot = self.endpoint()?.index();
                (Handle::new(u8::try_from(slot).unwrap_or(0), 2), Op::Identify, Status::Generation)
            }
            3 => (self.own(Kind::Notification, |_| true)?, Op::Identify, Status::Kind),
            4 => {
                let deaf = self.own(Kind::Endpoint, |rights| !rights.has(HandleRight::Call))?;
                (deaf, Op::Call, Status::Right)
            }
            _ => (self.endpoint()?, Op::BadMethod, Status::Method),
        })
    }

    /// The cast of calls to `partner`.
    fn served_by(&self, partner: TaskName) -> Result<Cast, Unavailable> {
        let ends = self.profile.between((TaskName::Client, HandleRight::Call), (partner, HandleRight::Serve));
        let (call, serve) = ends.ok_or(Unavailable::NotGranted)?;
        Ok(Cast {
            partner: Some(partner),
            client: [call.0, 0],
            opposite: [serve.0, 0],
            kernel: Some(Account::Done(Counter::Serve)),
            ..Cast::default()
        })
    }

    /// The cast of faults, which a partner has if the system has it so.
    fn pager(&self, is_served: bool) -> Result<Cast, Unavailable> {
        const PAGES: u64 = 512;
        let cast = self.served_by(TaskName::Server)?;
        let own = self.memory_of(TaskName::Server, PAGES)?;
        Ok(Cast {
            client: [cast.client[0], self.memory(PAGES)?.0],
            opposite: [cast.opposite[0], own.0],
            partner: cast.partner.filter(|_| is_served),
            kernel: cast.kernel.filter(|_| is_served),
            right: u64::from(is_served),
        })
    }

    /// The cast of an attack: the client's handles are of an endpoint and of memory; that of an image is its right answer.
    fn attack(&self, arg: u64) -> Result<Cast, Unavailable> {
        let attack = Attack::of_argument(arg).ok_or(Unavailable::NotOffered)?;
        let cast = self.attacked(TaskName::Server)?;
        Ok(Cast { partner: cast.partner.filter(|_| attack.has_server()), ..cast })
    }

    /// The cast of an attack with a partner on another CPU, which has memory if it serves no calls.
    fn attacked_from_afar(&self, arg: u64) -> Result<Cast, Unavailable> {
        let attack = FarAttack::of_argument(arg).ok_or(Unavailable::NotOffered)?;
        let cast = self.attacked(TaskName::Remote)?;
        if attack.has_server() || cast.opposite[1] != 0 { Ok(cast) } else { Err(Unavailable::NotGranted) }
    }

    /// The cast of an attack with this server.
    fn attacked(&self, partner: TaskName) -> Result<Cast, Unavailable> {
        let ends =
            self.profile.between((TaskName::Client, HandleRight::Revoke), (partner, HandleRight::Serve));
        let (door, serve) = ends.ok_or(Unavailable::NotGranted)?;
        Ok(Cast {
            partner: Some(partner),
            client: [door.0, self.memory(512)?.0],
            opposite: [serve.0, self.memory_of(partner, 512).map_or(0, |handle| handle.0)],
            right: self.image(|bytes| bytes == 0)?.0,
            kernel: None,
        })
    }

    /// The cast of signals there and back.
    fn bells(&self) -> Result<Cast, Unavailable> {
        let (client, server) = (TaskName::Client, TaskName::Server);
        let there = self.profile.between((client, HandleRight::Signal), (server, HandleRight::Wait));
        let back = self.profile.between((client, HandleRight::Wait), (server, HandleRight::Signal));
        let ((signal, wait), (own_wait, own_signal)) = there.zip(back).ok_or(Unavailable::NotGranted)?;
        Ok(Cast {
            partner: Some(server),
            client: [signal.0, own_wait.0],
            opposite: [wait.0, own_signal.0],
            ..Cast::default()
        })
    }
}
