//! An index of the sessions on this disk, and what changed from one to the next.
//!
//! The sealed sessions are the truth. The index is a file beside them that can be made again from them at any time; nothing
//! is in it that is not in them, and a session that does not verify is not in it. It refuses to call a change a regression:
//! it names the command that would show one.
#![forbid(unsafe_code)]

mod entry;
mod index;
mod page;
mod scan;
mod series;

pub use entry::{Entry, Row};
pub use index::{Index, IndexError, NAME};
pub use page::page;
pub use scan::{LeftOut, Scanned, add, rebuild, sync};
pub use series::{History, Line, histories};
