//! What a task tries although it may not: each attack must be refused in every part, and leave everything as it was. A pass
//! that ends with a call of the server shows that the service goes on.

use core::sync::atomic::{AtomicU64, Ordering};

use abi::object::{Access, CLOSE, COPY, Call, HANDLES, Handle, HandleRight, Kind, REVOKE, Rights, Status};
use abi::series::SeriesRow;
use abi::stub::Op;
use abi::task::{
    Attack, END, FAULTING, FarAttack, LAST, LAZY_AT, LAZY_PAGES, MAPPED_AT, NO_ANSWER, Orders, STOP, SUM,
    TURNS, answer, child_answer, child_argument,
};

use super::partner::Served;
use super::stub::{call, call2, raw};
use super::{pages, rings};

/// The word of a caller that is ended before it has its answer.
pub const DOOMED: u64 = 7;

/// What is tried, with a server on the same CPU or on another.
#[derive(Clone, Copy)]
pub enum Tried {
    /// On the same CPU, or without one.
    Near(Attack),
    /// On another CPU.
    Far(FarAttack),
}

impl Tried {
    /// What a row with this argument tries.
    pub fn of(row: SeriesRow, arg: u64) -> Option<Self> {
        match row {
            SeriesRow::Attack => Attack::of_argument(arg).map(Self::Near),
            _ => FarAttack::of_argument(arg).map(Self::Far),
        }
    }
}

/// How the passes of an attack ended.
pub struct End {
    /// Whether everything was as it must be.
    pub is_right: bool,
    /// The messages that the server had, in no pass.
    pub served: u64,
}

/// What an attack needs.
pub struct Attacker<'a> {
    /// The handle of an endpoint with the rights to call, to copy and to revoke.
    pub door: u64,
    /// That of memory with the rights to map and to write.
    pub pages: u64,
    /// That of an image.
    pub image: u64,
    /// The plan's challenge.
    pub challenge: u64,
    /// Memory that all tasks share.
    pub shared: &'a [AtomicU64],
    /// The passes so far.
    pub pass: u64,
}

/// Whether a call was refused for this reason.
fn refused(status: Status, number: u64, handle: u64, words: [u64; 4]) -> bool {
    raw(number, handle, words).status == status.value()
}

/// Whether a call was done.
fn done(number: u64, handle: u64, words: [u64; 4]) -> bool {
    refused(Status::Ok, number, handle, words)
}

const NONE: [u64; 4] = [0; 4];
const IDENTIFY: u64 = Call::EndpointIdentify.number();
const PAGE: u64 = 4096;

const fn common(kind: Kind, method: u64) -> u64 {
    Call::common(kind, method)
}

impl Attacker<'_> {
    /// Makes an attack once. Returns whether everything was as it must be.
    pub fn attack(&mut self, tried: Tried) -> bool {
        self.pass += 1;
        match tried {
            Tried::Near(attack) => self.attack_near(attack),
            Tried::Far(FarAttack::DeadCaller) => self.far_caller() && self.is_served_in_time(),
            Tried::Far(FarAttack::DeadServer | FarAttack::Revoked) => self.is_served(),
            Tried::Far(FarAttack::ChangedRing) => {
                (self.pass > 1 || self.maps_ring(true))
                    && self.meets_partner()
                    && rings::changed_ring(self.pages)
            }
            Tried::Far(FarAttack::UnmapAndFault) => {
                self.meets_partner() && unmap_and_fault(self.pages, self.pass, 0)
            }
        }
    }

    /// Ends the server, if there is one.
    pub fn end(&self, tried: Tried) -> End {
        match tried {
            Tried::Near(Attack::DeadServer) | Tried::Far(FarAttack::DeadServer) => {
                End { is_right: self.dead_server(), served: 1 }
            }
            Tried::Far(FarAttack::Revoked) => End { is_right: self.far_revoked(), served: 0 },
            Tried::Near(Attack::Revoked) => {
                self.shared[STOP].store(1, Ordering::Release);
                End { is_right: true, served: 0 }
            }
            Tried::Far(FarAttack::ChangedRing | FarAttack::UnmapAndFault) => {
                // The partner counts what it is shown: it had no messages.
                self.shared[TURNS].store(self.pass, Ordering::Relaxed);
                self.shared[STOP].store(1, Ordering::Release);
                End { is_right: true, served: 0 }
            }
            Tried::Near(attack) if !attack.has_server() => End { is_right: true, served: 0 },
            Tried::Near(_) | Tried::Far(FarAttack::DeadCaller) => {
                let _ended = call2(Op::Call, self.door, END);
                End { is_right: true, served: 1 }
            }
        }
    }

    fn attack_near(&self, attack: Attack) -> bool {
        match attack {
            Attack::ReusedSlot => self.reused_slot() && self.is_served(),
            Attack::ForeignHandle => self.foreign_handle() && self.is_served(),
            Attack::MoreRights => self.more_rights() && self.is_served(),
            Attack::FullTable => self.full_table() && self.is_served(),
            Attack::MapOver => self.map_over(),
            Attack::WriteAndExecute => self.write_and_execute(),
            Attack::DeadCaller => self.dead_caller() && self.is_served(),
            Attack::Revoked => self.revoked(),
            Attack::SpawnStorm => self.crowd() && self.spawn_storm(),
            Attack::RandomCalls => self.random_calls(),
            Attack::DeadServer => self.is_served(),
            Attack::BadAnswer => self.bad_answer() && self.is_served(),
            Attack::BadRing => rings::bad_ring(self.pages, self.door, &|maps| self.maps_ring(maps)),
        }
    }

    /// An honest call.
    fn is_served(&self) -> bool {
        let word = DOOMED + self.pass;
        call2(Op::Call, self.door, word) == answer(word, self.challenge)
    }

    /// The same, as soon as the server has done with a call that was taken back.
    fn is_served_in_time(&self) -> bool {
        let word = DOOMED + self.pass;
        loop {
            let reply = call2(Op::Call, self.door, word);
            if reply != Status::Busy.value() {
                return reply == answer(word, self.challenge);
            }
            call(Op::Yield, 0);
        }
    }

    /// A copy of the door with these rights; 0 if there is none.
    fn copy(&self, rights: Rights) -> u64 {
        let copied = raw(common(Kind::Endpoint, COPY), self.door, [rights.bits(), 0, 0, 0]);
        if copied.status == Status::Ok.value() { copied.word } else { 0 }
    }

    fn close(handle: u64) -> bool {
        done(common(Kind::Endpoint, CLOSE), handle, NONE)
    }

    /// A slot is closed and used again: the old handle names nothing.
    fn reused_slot(&self) -> bool {
        let old = self.copy(Rights::ALL);
        let closed = Self::close(old);
        let new = self.copy(Rights::ALL);
        let reused = Handle(old).index() == Handle(new).index() && old != new;
        let dead = [
            IDENTIFY,
            Call::EndpointCall.number(),
            common(Kind::Endpoint, CLOSE),
            common(Kind::Endpoint, COPY),
        ];
        let all_dead = dead.into_iter().all(|number| refused(Status::Generation, number, old, NONE));
        let lives = done(IDENTIFY, new, NONE);
        closed && reused && all_dead && lives && Self::close(new) && !Self::close(new)
    }

    /// Handles of other tasks, and numbers that are none.
    fn foreign_handle(&self) -> bool {
        let slots = [20_u8, 31].map(|slot| Handle::new(slot, 1).0);
        let bits = [self.door | 1 << 40, self.door | 1 << 63, self.door & 0xff, u64::MAX << 8];
        let none = slots.into_iter().chain(bits);
        let past = [Handle::new(32, 1).0, Handle::new(255, 1).0, u64::MAX];
        none.into_iter().all(|handle| refused(Status::Generation, IDENTIFY, handle, NONE))
            && past.into_iter().all(|handle| refused(Status::Index, IDENTIFY, handle, NONE))
    }

    /// A copy does not have more rights than its origin, and cannot be copied to have them.
    fn more_rights(&self) -> bool {
        let deaf = self.copy(Rights::NONE.with(HandleRight::Copy));
        let copied = raw(common(Kind::Endpoint, COPY), deaf, [Rights::ALL.bits(), 0, 0, 0]);
        let all_refused = [deaf, copied.word].into_iter().all(|handle| {
            refused(Status::Right, Call::EndpointCall.number(), handle, NONE)
                && refused(Status::Right, Call::EndpointServe.number(), handle, NONE)
                && refused(Status::Right, common(Kind::Endpoint, REVOKE), handle, NONE)
        });
        let bare = self.copy(Rights::NONE);
        let no_copy = refused(Status::Right, common(Kind::Endpoint, COPY), bare, NONE);
        all_refused && no_copy && [deaf, copied.word, bare].into_iter().all(Self::close)
    }

    /// A table takes no more handles than it has slots, and all of them again when they are closed.
    fn full_table(&self) -> bool {
        let mut copies = [0; HANDLES];
        let mut count = 0;
        for copy in &mut copies {
            *copy = self.copy(Rights::ALL);
            if *copy == 0 {
                break;
            }
            count += 1;
        }
        let full =
            refused(Status::Full, common(Kind::Endpoint, COPY), self.door, [Rights::ALL.bits(), 0, 0, 0]);
        let no_task = refused(Status::Full, Call::ImageSpawn.number(), self.image, NONE);
        let closed = copies[..count].iter().all(|&copy| Self::close(copy));
        full && no_task && closed && count > 0 && count < HANDLES
    }

    fn map(&self, at: u64, first: u64, count: u64, access: Access) -> u64 {
        raw(Call::MemoryMap.number(), self.pages, [at, first, count, access as u64]).status
    }

    fn unmap(&self, at: u64, count: u64) -> bool {
        done(Call::MemoryUnmap.number(), self.pages, [at, count, 0, 0])
    }

    /// Maps the pages of a ring, or takes them out.
    fn maps_ring(&self, maps: bool) -> bool {
        if maps {
            self.map(MAPPED_AT, 0, abi::ring::PAGES, Access::Write) == Status::Ok.value()
        } else {
            self.unmap(MAPPED_AT, abi::ring::PAGES)
        }
    }

    /// Waits until the partner on the other CPU is at work.
    fn meets_partner(&self) -> bool {
        while self.shared[SUM].load(Ordering::Acquire) == 0 {
            core::hint::spin_loop();
        }
        true
    }

    /// Nothing is mapped over what is there, nor where ring 3 has nothing.
    fn map_over(&self) -> bool {
        const BAD: u64 = Status::Argument.value();
        let here = Self::map as fn(&Self, u64, u64, u64, Access) -> u64;
        let stack = &raw const here as u64 / PAGE * PAGE;
        let code = here as usize as u64 / PAGE * PAGE;
        let bad_places = [
            stack,
            code,
            0,
            PAGE,
            MAPPED_AT + 1,
            (1 << 47) - PAGE,
            1 << 47,
            u64::MAX - (PAGE - 1),
            0xffff_ffff_8020_0000,
        ];
        let places = bad_places.into_iter().all(|at| self.map(at, 0, 1, Access::Write) == BAD);
        let parts = [(0, 0), (0, 513), (512, 1), (u64::MAX, 1), (1, u64::MAX), (511, 2)];
        let parts =
            parts.into_iter().all(|(first, count)| self.map(MAPPED_AT, first, count, Access::Write) == BAD);
        let mapped = self.map(MAPPED_AT, 0, 16, Access::Write) == Status::Ok.value();
        // The last begins three pages before.
        let over = [0, 8, 15, u64::MAX - 2].into_iter().all(|page| {
            self.map(MAPPED_AT.wrapping_add(page.wrapping_mul(PAGE)), 0, 4, Access::Write) == BAD
        });
        let too_much = !self.unmap(MAPPED_AT, 17) && !self.unmap(MAPPED_AT - PAGE, 2);
        // In three pieces.
        let hole = self.unmap(MAPPED_AT + 4 * PAGE, 4)
            && !self.unmap(MAPPED_AT + 4 * PAGE, 4)
            && !self.unmap(MAPPED_AT, 16);
        let rest = self.unmap(MAPPED_AT, 4) && self.unmap(MAPPED_AT + 8 * PAGE, 8);
        places && parts && mapped && over && too_much && hole && rest
    }

    /// No page is writable and executable, not even through two mappings.
    fn write_and_execute(&self) -> bool {
        const BAD: u64 = Status::Argument.value();
        let mapped = self.map(MAPPED_AT, 0, 2, Access::Write) == Status::Ok.value();
        let other = self.map(MAPPED_AT + 16 * PAGE, 0, 1, Access::Execute) == BAD;
        let protect =
            |access| raw(Call::MemoryProtect.number(), self.pages, [MAPPED_AT, 1, access, 0]).status;
        let changed = protect(Access::Execute as u64) == BAD
            && protect(Access::None as u64) == BAD
            && protect(99) == BAD;
        mapped && other && changed && self.unmap(MAPPED_AT, 2)
    }

    /// A caller is ended while its server has its call: the answer reaches none, and the server goes on.
    fn dead_caller(&self) -> bool {
        let spawned =
            raw(Call::ImageSpawn.number(), self.image, [child_argument(self.pass), self.door, 0, 0]);
        // The child calls, and lends its CPU to the server, which yields.
        call(Op::Yield, 0);
        let killed = done(Call::TaskKill.number(), spawned.word, NONE);
        // The server answers.
        call(Op::Yield, 0);
        call(Op::Yield, 0);
        let waited = raw(Call::TaskWait.number(), spawned.word, NONE);
        let again = refused(Status::Generation, Call::TaskWait.number(), spawned.word, NONE);
        killed && waited.status == Status::Ok.value() && waited.word == 0 && again
    }

    /// The server ends with the last call in its hands, which returns at once, and so does each call after it.
    fn dead_server(&self) -> bool {
        let replies = [LAST, 1, 2, 3].map(|word| call2(Op::Call, self.door, word));
        replies == [Status::Gone.value(); 4]
    }

    /// A task faults, and its server answers with what cannot be mapped there: the fault ends the task.
    fn bad_answer(&self) -> bool {
        let spawned = raw(Call::ImageSpawn.number(), self.image, [FAULTING, self.door, 0, 0]);
        let waited = raw(Call::TaskWait.number(), spawned.word, NONE);
        // One that went on would have answered.
        waited.status == Status::Ok.value() && waited.word == 0
    }

    /// A caller is ended while a server on another CPU has its call, or is about to take it.
    fn far_caller(&self) -> bool {
        let spawned =
            raw(Call::ImageSpawn.number(), self.image, [child_argument(self.pass), self.door, 0, 0]);
        // The child calls, and waits.
        call(Op::Yield, 0);
        let killed = done(Call::TaskKill.number(), spawned.word, NONE);
        let waited = raw(Call::TaskWait.number(), spawned.word, NONE);
        killed && waited.status == Status::Ok.value() && waited.word == 0
    }

    /// The endpoint is revoked from here while its server waits on another CPU. The server goes on, and all handles are void.
    fn far_revoked(&self) -> bool {
        let revoked = done(common(Kind::Endpoint, REVOKE), self.door, NONE);
        self.shared[STOP].store(1, Ordering::Release);
        revoked && self.is_void()
    }

    /// Whether nothing can be done with the door.
    fn is_void(&self) -> bool {
        let dead = [
            IDENTIFY,
            Call::EndpointCall.number(),
            common(Kind::Endpoint, COPY),
            common(Kind::Endpoint, REVOKE),
        ];
        dead.into_iter().all(|number| refused(Status::Generation, number, self.door, NONE))
    }

    /// An object is revoked while its server waits. From then on nothing can be done with any handle to it.
    fn revoked(&self) -> bool {
        // The server comes to its wait.
        call(Op::Yield, 0);
        let first = self.pass == 1;
        let expected = if first { Status::Ok } else { Status::Generation };
        let revoked = refused(expected, common(Kind::Endpoint, REVOKE), self.door, NONE);
        self.shared[TURNS].store(self.pass, Ordering::Relaxed);
        revoked && self.is_void()
    }

    /// Tasks are started and their handles closed, until the kernel takes no more. They all end.
    fn crowd(&self) -> bool {
        let is_full = (0..100).any(|_| {
            let started = raw(Call::ImageSpawn.number(), self.image, [child_argument(0), 0, 0, 0]);
            let closed = done(common(Kind::Task, CLOSE), started.word, NONE);
            !closed && started.status == Status::Full.value()
        });
        call(Op::Yield, 0);
        is_full
    }

    /// Many tasks are started at once; every other one is ended before it runs.
    fn spawn_storm(&self) -> bool {
        const TASKS: usize = 8;
        let mut tasks = [0; TASKS];
        let number = |place: usize| child_argument(self.pass + place as u64);
        for (place, task) in tasks.iter_mut().enumerate() {
            *task = raw(Call::ImageSpawn.number(), self.image, [number(place), 0, 0, 0]).word;
        }
        let killed = tasks.iter().step_by(2).all(|&task| done(Call::TaskKill.number(), task, NONE));
        let mut right = true;
        for (place, &task) in tasks.iter().enumerate() {
            let waited = raw(Call::TaskWait.number(), task, NONE);
            let left = if place.is_multiple_of(2) { 0 } else { child_answer(number(place)) };
            right &= waited.status == Status::Ok.value() && waited.word == left;
        }
        killed && right
    }

    /// Calls with random numbers, handles and words, of those that return at once: each has a status, and the kernel goes
    /// on.
    fn random_calls(&self) -> bool {
        let mut random = abi::random::SplitMix64::new(self.challenge ^ self.pass);
        (0..200).all(|_| {
            let draw = random.draw();
            // Not the end of this task, and nothing that waits.
            let number = ((draw % 9) << 8) + (draw >> 8) % 128;
            let handle = ((draw >> 16) % 40) + (((draw >> 24) % 4) << 8);
            let words = [0; 4].map(|_| random.draw() >> (random.draw() % 64));
            let is_exit = number == Call::Exit.number();
            is_exit || Status::from_value(raw(number, handle, words).status).is_some()
        })
    }
}

/// Maps pages of an object, touches pages that are made then, takes the mapped ones out and finds them again, with what was
/// stored. Each side has its own pages of the object.
fn unmap_and_fault(memory: u64, pass: u64, first: u64) -> bool {
    const COUNT: u64 = 16;
    let page = |number| MAPPED_AT + number * PAGE;
    let map = || done(Call::MemoryMap.number(), memory, [MAPPED_AT, first, COUNT, Access::Write as u64]);
    let unmap = || done(Call::MemoryUnmap.number(), memory, [MAPPED_AT, COUNT, 0, 0]);
    let mapped = map();
    (0..COUNT).for_each(|number| pages::store(page(number), 0, pass ^ number));
    let lazy = (pass * COUNT..).take(COUNT as usize).filter(|&number| number < LAZY_PAGES);
    let zeros = lazy.map(|number| LAZY_AT + number * PAGE).all(|at| {
        let is_new = pages::load(at, 0) == 0;
        pages::store(at, 0, pass + 1);
        is_new && pages::load(at, 0) == pass + 1
    });
    let again = unmap() && map();
    let kept = (0..COUNT).all(|number| pages::load(page(number), 0) == pass ^ number);
    mapped && zeros && again && kept && unmap()
}

/// The client's partner in an attack.
pub fn partner(row: SeriesRow, orders: &Orders, challenge: u64, shared: &[AtomicU64]) -> Served {
    let Orders { arg, handle: door, other: memory, .. } = *orders;
    let mut served = Served::default();
    let mut pass = 0;
    match Tried::of(row, arg) {
        Some(Tried::Far(FarAttack::ChangedRing)) => {
            let words = [MAPPED_AT, 0, abi::ring::PAGES, Access::Write as u64];
            served.wrong = u64::from(!done(Call::MemoryMap.number(), memory, words));
            shared[SUM].store(1, Ordering::Release);
            rings::change(door, challenge, shared);
        }
        Some(Tried::Far(FarAttack::UnmapAndFault)) => {
            shared[SUM].store(1, Ordering::Release);
            while shared[STOP].load(Ordering::Acquire) == 0 {
                served.wrong += u64::from(!unmap_and_fault(memory, pass, 256));
                pass += 1;
            }
        }
        _ => return serve(door, challenge, shared),
    }
    served.count = shared[TURNS].load(Ordering::Relaxed);
    served
}

/// The server of an attack: it answers until it is asked to end, or its endpoint is revoked.
fn serve(door: u64, challenge: u64, shared: &[AtomicU64]) -> Served {
    let mut served = Served::default();
    // There is no caller yet, so this reaches none.
    let mut reply = NO_ANSWER;
    loop {
        let word = call2(Op::Serve, door, reply);
        if word == MAPPED_AT {
            // A fault. None of these is memory: the answer is refused, and the next one reaches none.
            let bad = [NO_ANSWER, door, 0x1ff];
            reply = bad[served.count as usize % bad.len()];
            continue;
        }
        if [Status::Index, Status::Kind, Status::Generation].map(Status::value).contains(&word) {
            reply = NO_ANSWER;
            continue;
        }
        if word == Status::Gone.value() {
            while shared[STOP].load(Ordering::Acquire) == 0 {
                call(Op::Yield, 0);
            }
            served.count += shared[TURNS].load(Ordering::Relaxed);
            return served;
        }
        if word == DOOMED {
            // Its caller is ended now.
            call(Op::Yield, 0);
            reply = NO_ANSWER;
            continue;
        }
        served.count += 1;
        if word == LAST {
            return served;
        }
        if word & END != 0 {
            served.wrong += u64::from(word != END);
            return served;
        }
        reply = answer(word, challenge);
    }
}
