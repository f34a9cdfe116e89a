//! The frame of a figure: its axes, grid and labels.

use maud::{Markup, html};

use super::path::{Path, number};
use super::scale::Scale;

/// How wide each drawing is, in its own units. A narrow screen shows it at about 0.7 of that.
pub const WIDTH: f64 = 520.0;

/// Where the plot is in its drawing.
#[derive(Clone, Copy, Debug)]
pub struct Frame {
    /// The place of the plot's left edge.
    pub left: f64,
    /// The place of its right edge.
    pub right: f64,
    /// The place of its upper edge.
    pub top: f64,
    /// The place of its lower edge.
    pub bottom: f64,
}

/// A plot: a frame with a scale for each direction.
#[derive(Clone, Debug)]
pub struct Plot {
    /// Where it is.
    pub frame: Frame,
    /// From left to right.
    pub x: Scale,
    /// From below to above.
    pub y: Scale,
}

impl Frame {
    /// A plot of this height with room for labels at its left and below.
    #[must_use]
    pub const fn of_height(height: f64) -> Self {
        Self { left: 58.0, right: WIDTH - 12.0, top: 26.0, bottom: 26.0 + height }
    }

    /// The height of a drawing with this plot and its labels.
    #[must_use]
    pub fn drawing_height(&self) -> f64 {
        self.bottom + 44.0
    }
}

impl Plot {
    /// The place of a value from left to right.
    #[must_use]
    pub fn at_x(&self, value: f64) -> f64 {
        self.frame.left + (self.frame.right - self.frame.left) * self.x.place(value)
    }

    /// The place of a value from above to below, inside the frame.
    #[must_use]
    pub fn at_y(&self, value: f64) -> f64 {
        let place = self.y.place(value).clamp(0.0, 1.0);
        self.frame.bottom - (self.frame.bottom - self.frame.top) * place
    }

    /// Axes with these ticks, each with its text, and the names of what they show.
    pub fn axes(&self, x: &[(f64, String)], y: &[(f64, String)], names: [&str; 2]) -> Markup {
        let Frame { left, right, top, bottom } = self.frame;
        let mut grid = Path::default();
        for (value, _) in y {
            grid.line((left, self.at_y(*value)), (right, self.at_y(*value)));
        }
        let mut ticks = Path::default();
        for (value, _) in x {
            ticks.line((self.at_x(*value), bottom), (self.at_x(*value), bottom + 4.0));
        }
        ticks.line((left, bottom), (right, bottom));
        html! {
            path class="grid" d=(grid.text()) {}
            path class="axis" d=(ticks.text()) {}
            @for (value, text) in x {
                text class="tick" x=(number(self.at_x(*value))) y=(number(bottom + 18.0)) text-anchor="middle" { (text) }
            }
            @for (value, text) in y {
                text class="tick" x=(number(left - 7.0)) y=(number(self.at_y(*value) + 4.5)) text-anchor="end" { (text) }
            }
            text class="name" x=(number(f64::midpoint(left, right))) y=(number(bottom + 37.0)) text-anchor="middle" { (names[0]) }
            text class="name" x=(number(left - 46.0)) y=(number(top - 9.0)) { (names[1]) }
        }
    }
}

/// A drawing of [`WIDTH`] with a description for people who cannot see it.
pub fn drawing(height: f64, description: &str, content: &Markup) -> Markup {
    let view = format!("0 0 {} {}", number(WIDTH), number(height));
    html! {
        svg viewBox=(view) role="img" aria-label=(description) xmlns="http://www.w3.org/2000/svg" { (content) }
    }
}
