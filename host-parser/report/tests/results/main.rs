//! From passed and refused runs to statistics, claims, comparisons and files.

mod claims;
mod comparison;
mod equivalence;
mod figures;
mod forms;
mod iterations;
mod page;
mod platform;
mod rounds;
mod selection;
mod set_aside;
mod systems;
