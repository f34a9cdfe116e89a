//! `wasm`: rounds of a small WebAssembly module, interpreted by `wasmi`.

use abi::random::mix;
use wasmi::{CompilationMode, Config, Engine, Linker, Module, Store, TypedFunc};

use crate::worker::digest::bind;
use crate::worker::heap::Heap;
use crate::worker::runtime::{Call, Outcome};
use crate::worker::space::Space;
use crate::worker::state::State;

/// The module, from `module.wat`.
static MODULE: &[u8] = include_bytes!(concat!(env!("OUT_DIR"), "/module.wasm"));

/// The module, translated and instantiated.
pub struct Machine {
    store: Store<()>,
    round: TypedFunc<u64, u64>,
}

/// The parameters of the warm-up call: one round. A round makes its own input, so it leaves nothing.
pub fn warm_up([first, end, ..]: [u64; 4]) -> [u64; 4] {
    [first, end.min(first.saturating_add(1)), 0, 0]
}

/// Translates the whole module, so that nothing of it is left for the timed call.
pub fn prepare(state: &State<Machine>, heap: &Heap, space: &mut Space<'_>) {
    heap.give(space.memory);
    let mut config = Config::default();
    config.compilation_mode(CompilationMode::Eager);
    let engine = Engine::new(&config);
    let module = Module::new(&engine, MODULE).expect("a module that the interpreter takes");
    let mut store = Store::new(&engine, ());
    let instance = Linker::new(&engine).instantiate_and_start(&mut store, &module);
    let instance = instance.expect("the module imports nothing");
    let round = instance.get_typed_func(&store, "round").expect("the module exports it");
    state.set(Machine { store, round });
}

/// Runs the rounds.
pub fn work(state: &State<Machine>, call: &Call) -> Outcome {
    let [first, end, ..] = call.params;
    let (mut tokens, mut sum) = (0, 0_u64);
    state.with(|Machine { store, round }| {
        for number in first..end {
            let result = round.call(&mut *store, mix(number) | 1).expect("no round traps");
            tokens += result >> 32;
            sum = sum.wrapping_add(mix(result));
        }
    });
    Outcome { answer: tokens, work: end.saturating_sub(first), digest: bind(sum, call.challenge) }
}
