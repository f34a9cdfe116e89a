//! The document: what each figure shows, and that nothing is left out of it.

#[allow(dead_code, reason = "the fixtures of `report`, which uses all of them")]
#[path = "../../../report/tests/results/rounds.rs"]
mod rounds;
#[allow(dead_code, reason = "the fixtures of `report`, which uses all of them")]
#[path = "../../../report/tests/results/systems.rs"]
mod systems;

mod browser;
mod figures;
mod made;
mod page;
