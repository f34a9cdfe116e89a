//! What has to be said beside a log before its result can be published: who ran it, on what that the guest cannot see.
//!
//! Owns the disclosure file (TOML), its template, and the publication status of results. A good measurement stays good
//! without it; it is only not to be published, since a reader could not place it.

mod file;
mod publication;
mod template;
#[cfg(test)]
mod tests;

pub use file::{Disclosure, DisclosureError, PRICE};
pub use publication::Publication;
pub use template::template;
