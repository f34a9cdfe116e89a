//! The schemas in docs/schema against the types, and what is stored against the schemas.

#![allow(missing_docs, reason = "tests")]

mod change;
mod fixtures;
mod from_types;
mod made;
mod types;
