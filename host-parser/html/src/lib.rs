//! Sessions as one HTML file that needs nothing else: no script, no font, no request.
//!
//! Owns the document: its order (verdict, what differs, figures, what is excluded, conditions, commands), its figures as SVG,
//! and its style. It takes [`Results`], which are derived from logs, and works out no verdict; what it works out beside them
//! are places on paper, and ratios of medians by the rules of `stats`. It refuses a figure for all workloads together.

#![forbid(unsafe_code)]

mod document;
mod figure;
mod points;
mod section;
mod svg;
mod table;

use foreign::Figures;
use results::{Price, Results};

pub use document::document;

/// A session, or the logs of one row, to report.
#[derive(Clone, Copy, Debug)]
pub struct Subject<'r> {
    /// How the user named it.
    pub name: &'r str,
    /// What came of it.
    pub results: &'r Results,
    /// Where the results come from.
    pub origin: &'r Origin,
    /// What its machine costs, for the work of a unit of money.
    pub price: Option<&'r Price>,
    /// Figures of other tools, shown beside ours and judged by nothing.
    pub foreign: &'r [Figures],
}

/// Where results come from, and so what holds them together.
#[derive(Clone, Debug)]
pub enum Origin {
    /// A sealed session, all of whose logs were judged again for this document.
    Sealed {
        /// The head of its chain, in hex.
        head: String,
        /// What does not verify; empty if all does.
        problems: Vec<String>,
        /// The relative address of its folder, if the logs can be opened from the document.
        folder: Option<String>,
    },
    /// Serial logs without a chain.
    Logs,
}
