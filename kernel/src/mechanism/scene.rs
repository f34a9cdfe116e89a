//! One scene: its tasks are built, run on their CPUs and taken down again.

use abi::CpuId;
use abi::object::{Kind, Rights};
use abi::plan::KernelObject;
use abi::series::Unavailable;
use abi::stub::STUBS;
use abi::worker::WorkerResult;
use alloc::rc::Rc;
use alloc::sync::Arc;
use alloc::vec::Vec;
use harness::Sink;
use harness::mechanism::{Counted, Ended, Played, Role, Scene};
use harness::user::Exit;
use spin::Mutex;

use super::stubs;
use crate::clock::MachineClock;
use crate::console::Records;
use crate::cpu::{Job, PerCpu};
use crate::machine::Machine;
use crate::mem::{KernelSpace, OutOfMemory};
use crate::smp::run_on;
use crate::task::{self, Endpoint, Island, Named, Notification, RunLimits, Table, Thread};
use crate::user::AddressSpace;

/// How long a CPU may take beyond the time-out of its tasks, in microseconds.
const GRACE_US: u64 = 2_000_000;

/// A task before and after its run.
struct Cast {
    cpu: CpuId,
    space: AddressSpace,
    /// Its handles, in the order of its table: the place of an object in the profile, and the rights to it.
    handles: Vec<(usize, Rights)>,
    ended: Mutex<Option<Ended>>,
}

/// What the CPUs of a scene share.
struct Stage {
    objects: Vec<KernelObject>,
    /// The notifications, by the place of the object: any CPU can signal them.
    notifications: Vec<Option<Arc<Notification>>>,
    cast: Vec<Cast>,
    counted: Mutex<Counted>,
    kernel_cr3: u64,
    timeout_us: u64,
}

/// Plays a scene. Copies the first words of the client's memory into `results`.
///
/// # Errors
/// No memory, or a CPU that is lost.
pub fn play(machine: &mut Machine, scene: &Scene<'_>, results: &mut [u64]) -> Result<Played, Unavailable> {
    let free_bytes = machine.space.frames().free_bytes();
    let stage = Arc::new(Stage::set(&mut machine.space, scene).map_err(|OutOfMemory| Unavailable::Memory)?);
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
    let counted = stage.counted.into_inner();
    stage.cast.into_iter().for_each(|cast| cast.space.destroy(&mut machine.space));
    let missing = free_bytes.saturating_sub(machine.space.frames().free_bytes());
    if missing > 0 {
        Records.problem("frames-leaked", format_args!("{missing} bytes of a scene were not given back"));
    }
    Ok(Played { ended, counted })
}

impl Stage {
    /// Builds the tasks. All of them share the memory that the program is granted to share.
    fn set(space: &mut KernelSpace, scene: &Scene<'_>) -> Result<Self, OutOfMemory> {
        let objects: Vec<_> = scene.profile.objects().collect();
        let mut cast: Vec<Cast> = Vec::with_capacity(scene.tasks.len());
        for role in scene.tasks {
            match Cast::of(space, scene, role, &objects, cast.first()) {
                Ok(one) => cast.push(one),
                Err(error) => {
                    cast.into_iter().for_each(|one| one.space.destroy(space));
                    return Err(error);
                }
            }
        }
        let notifications =
            objects.iter().map(|object| (object.kind == Kind::Notification).then(Arc::default)).collect();
        let counted = Mutex::new(Counted::NOTHING);
        Ok(Self {
            objects,
            notifications,
            cast,
            counted,
            kernel_cr3: space.cr3(),
            timeout_us: scene.timeout_us,
        })
    }

    /// Runs the tasks of `cpu`, on it.
    fn play_on(&self, cpu: CpuId, clock: &MachineClock) {
        let Some(here) = PerCpu::current().filter(|here| here.id == cpu) else { return };
        let own: Vec<_> = self.cast.iter().filter(|cast| cast.cpu == cpu).collect();
        let island = Island::new(here, self.kernel_cr3, own.len());
        let named = self.make_objects();
        let threads: Vec<_> = own
            .iter()
            .map(|cast| {
                let thread = Thread::new(cast.space.cr3(), Some(table(&cast.handles, &named)));
                thread.begin(cast.space.entry());
                island.make_ready(Rc::clone(&thread));
                thread
            })
            .collect();
        let limits = RunLimits { timeout_us: self.timeout_us, disturbances: 0 };
        task::enter(&island, clock, limits, || {});
        island.end(self.kernel_cr3);
        for (cast, thread) in own.iter().zip(&threads) {
            let exit = thread.exit.get().unwrap_or(Exit::Timeout);
            *cast.ended.lock() = Some(Ended { exit, result: cast.space.result() });
            thread.let_go();
        }
        let mut counted = self.counted.lock();
        *counted = island.counters.added_to(*counted);
    }

    /// The objects as this CPU has them, by their place in the profile.
    fn make_objects(&self) -> Vec<Option<Named>> {
        let each = self.objects.iter().zip(&self.notifications);
        each.map(|(object, notification)| match object.kind {
            Kind::Endpoint => Some(Named::Endpoint(Rc::new(Endpoint::default()))),
            Kind::Notification => notification.clone().map(Named::Notification),
            _ => None,
        })
        .collect()
    }
}

impl Cast {
    fn of(
        space: &mut KernelSpace,
        scene: &Scene<'_>,
        role: &Role,
        objects: &[KernelObject],
        first: Option<&Self>,
    ) -> Result<Self, OutOfMemory> {
        let of_task = scene.profile.handles_of(role.name);
        let place = |name| objects.iter().position(|object| object.name == name);
        let handles =
            of_task.filter_map(|(_, object, grant)| Some((place(object.name)?, grant.rights))).collect();
        let built = AddressSpace::new(space, scene.program, first.map(|first| &first.space))?;
        built.write(STUBS, stubs::page());
        built.prepare(&scene.program.granted().given_to(role.args));
        Ok(Self { cpu: role.cpu, space: built, handles, ended: Mutex::new(None) })
    }
}

/// A table with these handles, each in the slot of its place. An object that this kernel does not have leaves its slot empty.
fn table(handles: &[(usize, Rights)], named: &[Option<Named>]) -> Table<Named> {
    let mut table = Table::default();
    for (place, rights) in handles {
        table.grant(named.get(*place).cloned().flatten(), *rights);
    }
    table
}
