//! One scene: its tasks are built, run on their CPUs and taken down again.

use abi::CpuId;
use abi::object::{HandleRight, Kind, Rights};
use abi::plan::KernelObject;
use abi::series::place::POLLS;
use abi::series::{SeriesRow, Unavailable};
use abi::stub::STUBS;
use abi::task::{LAZY_AT, LAZY_PAGES};
use abi::worker::WorkerResult;
use alloc::rc::Rc;
use alloc::sync::Arc;
use alloc::vec::Vec;
use core::ops::Range;
use harness::Sink;
use harness::mechanism::{Counted, Ended, Played, Role, Scene};
use harness::user::Exit;
use spin::Mutex;

use super::stubs;
use crate::clock::MachineClock;
use crate::console::Records;
use crate::cpu::{Job, PerCpu};
use crate::machine::Machine;
use crate::mem::{OutOfMemory, frames};
use crate::smp::run_on;
use crate::task::{
    self, Endpoint, Image, Island, Memory, Named, Notification, Post, RunLimits, Space, Table, Thread,
};
use crate::user::AddressSpace;

/// How long a CPU may take beyond the time-out of its tasks, in microseconds.
const GRACE_US: u64 = 2_000_000;

/// The pages of each task that are made when they are touched.
const LAZY: Range<u64> = LAZY_AT..LAZY_AT + LAZY_PAGES * 4096;

/// A task before and after its run.
struct Cast {
    cpu: CpuId,
    space: AddressSpace,
    /// Its handles, in the order of its table: the place of an object in the profile, and the rights to it.
    handles: Vec<(usize, Rights)>,
    ended: Mutex<Option<Ended>>,
}

/// An object that all CPUs share.
#[derive(Clone)]
enum Shared {
    Notification(Arc<Notification>),
    Memory(Arc<Memory>),
}

impl Shared {
    /// That of the plan's object, if it is one.
    fn of(object: &KernelObject) -> Result<Option<Self>, OutOfMemory> {
        Ok(match object.kind {
            Kind::Notification => Some(Self::Notification(Arc::default())),
            Kind::Memory => Some(Self::Memory(Arc::new(Memory::new(object.bytes)?))),
            Kind::Own | Kind::Endpoint | Kind::Image | Kind::Task => None,
        })
    }

    fn named(self) -> Named {
        match self {
            Self::Notification(notification) => Named::Notification(notification),
            Self::Memory(memory) => Named::Memory(memory),
        }
    }
}

/// What the CPUs of a scene share.
struct Stage {
    objects: Vec<KernelObject>,
    /// What all CPUs share, by the place of the object.
    shared: Vec<Option<Shared>>,
    cast: Vec<Cast>,
    /// The slots of callers at endpoints of other CPUs: the place of the object, that of the task, and the slot.
    posts: Vec<(usize, usize, Arc<Post>)>,
    /// The program of all tasks.
    elf: Arc<[u8]>,
    /// Whether a CPU halts when there is nothing to do.
    halts: bool,
    counted: Mutex<Counted>,
    timeout_us: u64,
}

/// Plays a scene. Copies the first words of the client's memory into `results`.
///
/// # Errors
/// No memory, or a CPU that is lost.
pub fn play(
    machine: &mut Machine,
    elf: &Arc<[u8]>,
    scene: &Scene<'_>,
    results: &mut [u64],
) -> Result<Played, Unavailable> {
    let free_bytes = frames().free_bytes();
    let stage = Arc::new(Stage::set(scene, elf).map_err(|OutOfMemory| Unavailable::Memory)?);
    let all = PerCpu::free();
    let cpus: Vec<_> =
        all.into_iter().filter(|cpu| scene.tasks.iter().any(|role| role.cpu == cpu.id)).collect();
    let clock = machine.clock;
    let job: Job = {
        let stage = Arc::clone(&stage);
        Arc::new(move |cpu| stage.play_on(cpu, clock))
    };
    let lost = run_on(&cpus, clock, scene.timeout_us + GRACE_US, &job);
    drop(job);
    // A CPU that did not come back keeps its tasks.
    let stage = Arc::into_inner(stage).filter(|_| lost.is_empty()).ok_or(Unavailable::CpuLost)?;
    let nothing = Ended { exit: Exit::Timeout, result: WorkerResult::default() };
    let ended = stage.cast.iter().map(|cast| cast.ended.lock().unwrap_or(nothing)).collect();
    if let Some(client) = stage.cast.first() {
        client.space.read_memory(results);
    }
    let Stage { cast, counted, shared, .. } = stage;
    drop(shared);
    cast.into_iter().for_each(|cast| cast.space.destroy());
    let missing = free_bytes.saturating_sub(frames().free_bytes());
    if missing > 0 {
        Records.problem("frames-leaked", format_args!("{missing} bytes of a scene were not given back"));
    }
    Ok(Played { ended, counted: counted.into_inner() })
}

impl Stage {
    /// Builds the tasks. All of them share the memory that the program is granted to share.
    fn set(scene: &Scene<'_>, elf: &Arc<[u8]>) -> Result<Self, OutOfMemory> {
        let objects: Vec<_> = scene.profile.objects().collect();
        let shared = objects.iter().map(Shared::of).collect::<Result<Vec<_>, _>>()?;
        let mut cast: Vec<Cast> = Vec::with_capacity(scene.tasks.len());
        for role in scene.tasks {
            match Cast::of(scene, role, &objects, cast.first()) {
                Ok(one) => cast.push(one),
                Err(error) => {
                    cast.into_iter().for_each(|one| one.space.destroy());
                    return Err(error);
                }
            }
        }
        let posts = posts(&objects, &cast);
        let halts = scene.row != SeriesRow::CallCross || scene.arg != POLLS;
        let counted = Mutex::new(Counted::NOTHING);
        Ok(Self {
            objects,
            shared,
            cast,
            posts,
            elf: Arc::clone(elf),
            halts,
            counted,
            timeout_us: scene.timeout_us,
        })
    }

    /// Runs the tasks of `cpu`, on it.
    fn play_on(&self, cpu: CpuId, clock: &MachineClock) {
        let Some(here) = PerCpu::current().filter(|here| here.id == cpu) else { return };
        let own: Vec<_> = self.cast.iter().enumerate().filter(|(_, cast)| cast.cpu == cpu).collect();
        let island = Island::new(here, own.len(), self.halts);
        let named = self.make_objects(&island);
        let threads: Vec<_> = own
            .iter()
            .map(|&(place, cast)| {
                let space = Space::of_task(&cast.space, Some(LAZY));
                let thread = Thread::new(space, Some(self.table(place, &named)));
                thread.begin(cast.space.entry());
                island.make_ready(Rc::clone(&thread));
                thread
            })
            .collect();
        let limits = RunLimits { timeout_us: self.timeout_us, disturbances: 0 };
        task::enter(&island, clock, limits, || {});
        island.end();
        for ((_, cast), thread) in own.iter().zip(&threads) {
            let exit = thread.exit.get().unwrap_or(Exit::Timeout);
            *cast.ended.lock() = Some(Ended { exit, result: cast.space.result() });
            thread.let_go();
        }
        let mut counted = self.counted.lock();
        *counted = island.counters.added_to(*counted);
    }

    /// The objects as this CPU has them, by their place in the profile.
    fn make_objects(&self, island: &Island) -> Vec<Option<Named>> {
        let each = self.objects.iter().zip(&self.shared).enumerate();
        each.map(|(place, (object, shared))| match object.kind {
            Kind::Endpoint => Some(Named::Endpoint(self.make_endpoint(place, island))),
            Kind::Image => Some(Named::Image(self.make_image(object.bytes))),
            _ => shared.clone().map(Shared::named),
        })
        .collect()
    }

    /// The image of the first `bytes` bytes of the program; 0 for all.
    fn make_image(&self, bytes: u64) -> Rc<Image> {
        let bytes = usize::try_from(bytes).ok().filter(|&bytes| bytes > 0).unwrap_or(usize::MAX);
        Rc::new(Image::new(Arc::clone(&self.elf), bytes, stubs::page()))
    }

    fn make_endpoint(&self, place: usize, island: &Island) -> Rc<Endpoint> {
        let here = |post: &Post| post.server().id == island.cpu().id;
        let own = self.posts.iter().filter(|(object, _, post)| *object == place && here(post));
        let posts: Vec<_> = own.map(|(_, _, post)| Arc::clone(post)).collect();
        let is_called = !posts.is_empty();
        let endpoint = Rc::new(Endpoint { posts, ..Endpoint::default() });
        if is_called {
            island.serve_posts(&endpoint);
        }
        endpoint
    }

    /// The table of a task, each handle in the slot of its place. An object that this kernel does not have leaves its slot
    /// empty.
    fn table(&self, task: usize, named: &[Option<Named>]) -> Table<Named> {
        let mut table = Table::default();
        for (place, rights) in &self.cast[task].handles {
            let post = self.posts.iter().find(|(object, caller, _)| object == place && *caller == task);
            let far = post.map(|(_, _, post)| Named::Post(Arc::clone(post)));
            table.grant(far.or_else(|| named.get(*place).cloned().flatten()), *rights);
        }
        table
    }
}

/// The slots for each task that may call an endpoint whose server is on another CPU.
fn posts(objects: &[KernelObject], cast: &[Cast]) -> Vec<(usize, usize, Arc<Post>)> {
    let has = |task: &Cast, place, right| {
        task.handles.iter().any(|(object, rights)| *object == place && rights.has(right))
    };
    let on = |id: CpuId| PerCpu::all().iter().copied().find(|cpu| cpu.id == id);
    let mut posts = Vec::new();
    for place in 0..objects.len() {
        let server = cast.iter().find(|task| has(task, place, HandleRight::Serve));
        let Some(server) = server.and_then(|task| on(task.cpu)) else { continue };
        for (number, task) in cast.iter().enumerate() {
            let calls = has(task, place, HandleRight::Call) && task.cpu != server.id;
            if let Some(caller) = on(task.cpu).filter(|_| calls) {
                posts.push((place, number, Arc::new(Post::new(caller, server))));
            }
        }
    }
    posts
}

impl Cast {
    fn of(
        scene: &Scene<'_>,
        role: &Role,
        objects: &[KernelObject],
        first: Option<&Self>,
    ) -> Result<Self, OutOfMemory> {
        let of_task = scene.profile.handles_of(role.name);
        let place = |name| objects.iter().position(|object| object.name == name);
        let handles =
            of_task.filter_map(|(_, object, grant)| Some((place(object.name)?, grant.rights))).collect();
        let built = AddressSpace::new(scene.program, first.map(|first| &first.space))?;
        built.write(STUBS, stubs::page());
        built.prepare(&scene.program.granted().given_to(role.args));
        Ok(Self { cpu: role.cpu, space: built, handles, ended: Mutex::new(None) })
    }
}
