//! Drawing: scales, paths and the frame of a figure.
//!
//! Colours are CSS variables, so that one drawing serves light, dark and paper. Every series differs in more than its colour.

mod path;
mod plot;
mod scale;

pub use path::{Path, number};
pub use plot::{Frame, Plot, WIDTH, drawing};
pub use scale::{Scale, time_text};
