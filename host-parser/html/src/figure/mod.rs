//! Figures: a drawing each, with how to read it and its data as a table.

mod costs;
mod foreign;
mod heat;
mod histogram;
mod legend;
mod over_boots;
mod ratios;
mod rounds;
mod scaling;
mod session;
mod timeline;

use maud::{Markup, html};
use report::Table;

use crate::table::data;

pub use costs::costs;
pub use foreign::foreign;
pub use heat::heat_maps;
pub use histogram::{histograms, time_histograms};
pub use over_boots::places;
pub use ratios::ratios;
pub use rounds::rounds;
pub use scaling::{efficiency, scaling};
pub use session::session;
pub use timeline::timelines;

/// A figure.
pub struct Figure {
    /// Its name, unique in its document.
    pub name: String,
    /// The drawing.
    pub drawing: Markup,
    /// How to read it, and its legend.
    pub caption: Markup,
    /// Its data; `None` if another table of the section has them.
    pub data: Option<Table>,
}

impl Figure {
    /// The figure as an element.
    pub fn markup(&self) -> Markup {
        html! {
            figure {
                h4 { (self.name) }
                (self.drawing)
                figcaption { (self.caption) }
                @if let Some(of) = &self.data { (data(of, &self.name)) }
            }
        }
    }
}
