//! What the marks of a figure mean.

use maud::{Markup, html};
use results::System;

use crate::points::Points;
use crate::svg::Path;

/// The number of a system's colour and shape: the same in all figures.
pub fn style_of(system: System) -> usize {
    System::ALL.iter().position(|&of| of == system).unwrap_or(0)
}

/// The systems' marks.
pub fn systems(systems: &[System]) -> Markup {
    html! {
        @for &system in systems { (entry(&format!("s{}", style_of(system)), Some(style_of(system)), system.word())) }
    }
}

/// One entry: a small drawing and what it means.
pub fn entry(class: &str, shape: Option<usize>, text: &str) -> Markup {
    let mut path = Path::default();
    match shape {
        Some(shape) => path.mark(shape, 8.0, 8.0),
        None => path.dot(8.0, 8.0),
    }
    let kind = if shape.is_some() { "mark" } else { "dots" };
    html! {
        span class="key" {
            svg class="small" viewBox="0 0 16 16" aria-hidden="true" { path class=(format!("{kind} {class}")) d=(path.text()) {} }
            (text)
        }
    }
}

/// The entry of points that do not count, each reason with its number.
pub fn excluded(points: &Points) -> Markup {
    let reasons = points.reasons();
    let mut ring = Path::default();
    ring.ring(8.0, 8.0, 3.2);
    html! {
        @if !reasons.is_empty() {
            span class="key" {
                svg class="small" viewBox="0 0 16 16" aria-hidden="true" { path class="rings s0" d=(ring.text()) {} }
                "excluded: "
                @for (number, (reason, count)) in reasons.iter().enumerate() {
                    @if number > 0 { ", " }
                    (count) " " code { (reason) }
                }
            }
        }
    }
}
