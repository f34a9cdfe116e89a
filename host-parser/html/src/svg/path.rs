//! Paths: many marks in one element, so that a thousand rounds are a few elements and not thousands.

use std::fmt::Write as _;

/// The data of a `path` element.
#[derive(Clone, Debug, Default, Eq, PartialEq)]
pub struct Path(String);

impl Path {
    /// A dot: a line without length, which round caps make a dot.
    pub fn dot(&mut self, x: f64, y: f64) {
        self.add(format_args!("M{} {}h0", number(x), number(y)));
    }

    /// A ring around a place.
    pub fn ring(&mut self, x: f64, y: f64, radius: f64) {
        let (r, d) = (number(radius), number(2.0 * radius));
        self.add(format_args!(
            "M{} {}a{r} {r} 0 1 0 {d} 0a{r} {r} 0 1 0-{d} 0",
            number(x - radius),
            number(y)
        ));
    }

    /// A straight line.
    pub fn line(&mut self, from: (f64, f64), to: (f64, f64)) {
        self.add(format_args!("M{} {}L{} {}", number(from.0), number(from.1), number(to.0), number(to.1)));
    }

    /// The next corner of a polyline; the first one begins it.
    pub fn corner(&mut self, x: f64, y: f64) {
        let command = if self.0.is_empty() { 'M' } else { 'L' };
        self.add(format_args!("{command}{} {}", number(x), number(y)));
    }

    /// A horizontal bar from one place to another.
    pub fn bar(&mut self, from: f64, to: f64, y: f64) {
        self.add(format_args!("M{} {}H{}", number(from), number(y), number(to)));
    }

    /// A rectangle.
    pub fn rectangle(&mut self, x: f64, y: f64, width: f64, height: f64) {
        self.add(format_args!(
            "M{} {}h{}v{}h-{}z",
            number(x),
            number(y),
            number(width),
            number(height),
            number(width)
        ));
    }

    /// The mark of a series' medians: one of six shapes.
    pub fn mark(&mut self, shape: usize, x: f64, y: f64) {
        const R: f64 = 5.0;
        let corners: &[(f64, f64)] = match shape % 6 {
            0 => return self.ring(x, y, R),
            1 => &[(-R, -R), (R, -R), (R, R), (-R, R)],
            2 => &[(0.0, -R - 1.0), (R + 1.0, R - 1.0), (-R - 1.0, R - 1.0)],
            3 => &[(0.0, -R - 1.5), (R + 1.5, 0.0), (0.0, R + 1.5), (-R - 1.5, 0.0)],
            4 => &[(0.0, R + 1.0), (R + 1.0, 1.0 - R), (-R - 1.0, 1.0 - R)],
            _ => &[(-R, 0.0), (-2.0, -R - 1.0), (R, -3.0), (R, 3.0), (-2.0, R + 1.0)],
        };
        for (number_of, (dx, dy)) in corners.iter().enumerate() {
            let command = if number_of == 0 { 'M' } else { 'L' };
            self.add(format_args!("{command}{} {}", number(x + dx), number(y + dy)));
        }
        self.0.push('z');
    }

    /// Its text.
    #[must_use]
    pub fn text(&self) -> &str {
        &self.0
    }

    fn add(&mut self, text: std::fmt::Arguments<'_>) {
        // A `String` takes all.
        let _ = self.0.write_fmt(text);
    }
}

/// A coordinate with one decimal at most. One that is no number is 0: a figure must not be broken by it.
#[must_use]
pub fn number(value: f64) -> String {
    let value = if value.is_finite() { value } else { 0.0 };
    let text = format!("{value:.1}");
    let short = text.strip_suffix(".0").unwrap_or(&text);
    if short == "-0" { "0".to_owned() } else { short.to_owned() }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn a_dot_takes_a_few_bytes() {
        let mut path = Path::default();
        path.dot(123.44, 56.0);
        path.dot(f64::NAN, -0.01);
        assert_eq!(path.text(), "M123.4 56h0M0 0h0");
    }

    #[test]
    fn the_shapes_differ() {
        let shape = |shape| {
            let mut path = Path::default();
            path.mark(shape, 50.0, 50.0);
            path.text().to_owned()
        };
        let shapes: std::collections::BTreeSet<String> = (0..6).map(shape).collect();
        assert_eq!(shapes.len(), 6);
    }
}
