//! What leaves, and in which form.

#[allow(dead_code, reason = "the fixtures of `report`, which uses all of them")]
#[path = "../../../report/tests/results/rounds.rs"]
mod rounds;
#[allow(dead_code, reason = "the fixtures of `report`, which uses all of them")]
#[path = "../../../report/tests/results/systems.rs"]
mod systems;

mod forms;
mod kevlar;
mod refused;
mod trace;
