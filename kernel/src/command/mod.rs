//! The commands that a machine takes which stays after its last record (`abi::command`). Each line is answered by a stream
//! of its own, from `start` to `end`: what the plan's run on a machine that is up gives, or why it is refused.
//!
//! Nothing comes from the port before the boot's last record, and nothing while a plan runs. Every wait has a bound: for a
//! line, for a command, and for an answer. What is refused changes nothing; a flood of it is counted and no longer answered.

mod hold;
mod lines;

use abi::Digest;
use abi::command::{self, Collector, Command, Hold, MOST_ANSWERED, Order, Place, Refusal};
use abi::exit::GuestExit;
use abi::plan::Plan;
use abi::wire::Hex64;
use abi::wire::record::{CommandRefused, CommandTaken, RunStatus, Spoilt};
use harness::Sink;
use harness::blob::BlobError;
use harness::phases::Phases;
use harness::x86::tsc;
use spin::Mutex;

use crate::bench;
use crate::console::{self, Records};
use crate::control;
use crate::cpu::PerCpu;
use crate::machine::{About, Machine};
use hold::Held;
use lines::Line;

/// The line that comes, in memory that takes no room in the kernel's file.
static COLLECTOR: Mutex<Collector> = Mutex::new(Collector::EMPTY);

/// Takes commands until none has been taken for `stay_ms`. Returns how the machine ends: as the last plan ended, `first`
/// without one.
pub fn serve(
    machine: &mut Machine,
    about: About,
    ramdisk: &[u8],
    stay_ms: u32,
    first: GuestExit,
) -> GuestExit {
    let clock = machine.clock;
    let mut collector = COLLECTOR.lock();
    let mut exit = first;
    let mut place = Place { number: 0, after: console::nonce() };
    let (mut refused, mut held) = (0, None);
    let mut deadline = lines::deadline(clock, stay_ms);
    console::text(format_args!("  takes commands: powers off if none comes for {} s\n", stay_ms / 1000));
    while let Some(line) = lines::next(&mut collector, clock, deadline) {
        let (came, took_us) = match line {
            Line::Whole { took_us } => (collector.line(), took_us),
            Line::Broken(reason) => {
                refuse(&Refusal::of(reason), &mut refused);
                continue;
            }
        };
        let bytes = u32::try_from(came.len()).unwrap_or(u32::MAX);
        match command::read(came, place) {
            Err(refusal) => refuse(&refusal, &mut refused),
            Ok(Command { order, plan: text }) => {
                let Place { number, after } = place;
                let taken = CommandTaken { kind: order.kind(), number, after, bytes, took_us, refused };
                let nonce = begin(taken, text, about);
                match order {
                    Order::Exec(plan) => exit = exec(machine, about, ramdisk, &plan),
                    Order::Hold(asked) => held = hold(asked, machine),
                    Order::Check(spoilt) => check(held.as_mut(), spoilt, machine),
                }
                place = Place { number: number.wrapping_add(1), after: nonce };
                (refused, deadline) = (0, lines::deadline(clock, stay_ms));
            }
        }
    }
    exit
}

/// Begins the answer to a command. Returns its nonce.
fn begin(taken: CommandTaken, plan: &[u8], about: About) -> Hex64 {
    let nonce = console::begin_again(Digest::of(plan));
    console::record(taken);
    about.report();
    nonce
}

/// Runs a plan on the machine as it is now, and ends the answer.
fn exec(machine: &mut Machine, about: About, ramdisk: &[u8], plan: &Plan<'_>) -> GuestExit {
    let mut phases = Phases::from(tsc::read());
    machine.look_again(&mut phases);
    match bench::run(machine, about.memory_bytes, plan, ramdisk, &mut phases) {
        Ok(summary) => {
            console::end(summary.status());
            console::text(format_args!("{summary}"));
            summary.exit()
        }
        Err(error) => {
            Records.problem(BlobError::CODE, format_args!("{}", error.message()));
            console::end(RunStatus::Failed);
            GuestExit::Refused
        }
    }
}

/// Has the machine hold something, and ends the answer.
fn hold(asked: Hold, machine: &Machine) -> Option<Held> {
    let held = Held::begin(asked, console::nonce(), machine.clock);
    if held.is_err() {
        Records.problem("out-of-memory", format_args!("no {} MiB in one piece", asked.memory_mib));
    }
    end(held.is_ok());
    held.ok()
}

/// Reports what the machine has kept, and ends the answer.
fn check(held: Option<&mut Held>, spoilt: Spoilt, machine: &Machine) {
    let ahead = PerCpu::online().last().filter(|_| spoilt == Spoilt::Tsc);
    control::put_ahead(ahead.map(|cpu| cpu.id));
    let is_held = held.is_some();
    match held {
        Some(held) => held.check(spoilt, machine.clock),
        None => Records.problem("nothing-held", format_args!("no command `hold` was taken")),
    }
    // After it: what was held is not to be settled.
    machine.look_again(&mut Phases::from(tsc::read()));
    control::put_ahead(None);
    end(is_held);
}

fn end(is_done: bool) {
    console::end(if is_done { RunStatus::Ok } else { RunStatus::Failed });
}

/// Answers a line that is not taken, unless too many were answered so before.
fn refuse(refusal: &Refusal, refused: &mut u32) {
    let Refusal { reason, detail } = *refusal;
    if *refused < MOST_ANSWERED {
        console::begin_again(Digest::of(&[]));
        console::record(CommandRefused { reason, refused: *refused, detail });
        console::end(RunStatus::Failed);
    }
    *refused = refused.saturating_add(1);
}
