//! Letters on a framebuffer.

use core::fmt;

use font8x8::legacy::BASIC_LEGACY;

use super::Framebuffer;
use super::grid::{Cells, Change, Grid};

/// The font's letters are square. On the screen they are twice as high, like those of a PC's text mode.
const LETTER_WIDTH: usize = 8;
const LETTER_HEIGHT: usize = 16;
/// Letters are enlarged as long as this many fit in a row: the table's width, and some.
const WANTED_COLUMNS: usize = 96;

/// Letters by character. A row's lowest bit is its left dot.
static FONT: [[u8; 8]; 128] = BASIC_LEGACY;

/// A screen with text.
pub struct Screen {
    framebuffer: Framebuffer,
    grid: Grid,
    /// How many pixels wide and high a dot of the font is.
    scale: usize,
}

impl Screen {
    /// An empty screen.
    #[must_use]
    pub fn new(mut framebuffer: Framebuffer, cells: &'static mut Cells) -> Self {
        let (width, height) = (framebuffer.width, framebuffer.height);
        let scale = (width / (WANTED_COLUMNS * LETTER_WIDTH)).max(1);
        for y in 0..height {
            framebuffer.fill(0, y, width, false);
        }
        let grid = Grid::new(cells, width / (LETTER_WIDTH * scale), height / (LETTER_HEIGHT * scale));
        Self { framebuffer, grid, scale }
    }

    /// Draws the cell at a column and row.
    fn draw(&mut self, column: usize, row: usize) {
        let Self { framebuffer, grid, scale } = self;
        let letter = FONT.get(usize::from(grid.at(column, row))).copied().unwrap_or_default();
        let (left, top) = (column * LETTER_WIDTH * *scale, row * LETTER_HEIGHT * *scale);
        let height = LETTER_HEIGHT / letter.len() * *scale;
        for (line, dots) in letter.into_iter().enumerate() {
            for y in (top + line * height)..(top + (line + 1) * height) {
                framebuffer.fill(left, y, LETTER_WIDTH * *scale, false);
                for dot in (0..LETTER_WIDTH).filter(|dot| dots >> dot & 1 != 0) {
                    framebuffer.fill(left + dot * *scale, y, *scale, true);
                }
            }
        }
    }
}

impl fmt::Write for Screen {
    fn write_str(&mut self, text: &str) -> fmt::Result {
        let mut all = false;
        for byte in text.bytes() {
            match self.grid.put(byte) {
                Change::None => {}
                Change::Cell(column, row) if !all => self.draw(column, row),
                Change::Cell(..) => {}
                Change::All => all = true,
            }
        }
        if all {
            let (columns, rows) = self.grid.size();
            (0..rows).for_each(|row| (0..columns).for_each(|column| self.draw(column, row)));
        }
        Ok(())
    }
}

#[cfg(test)]
mod tests {
    use core::fmt::Write as _;

    use alloc::boxed::Box;
    use alloc::string::String;
    use alloc::vec::Vec;

    use super::super::framebuffer::tests::{in_memory, pixels};
    use super::super::grid::{MAX_COLUMNS, MAX_ROWS};
    use super::*;

    fn blank(width: usize, height: usize, bytes_per_pixel: usize) -> Screen {
        let cells = Box::leak(Box::new([[0; MAX_COLUMNS]; MAX_ROWS]));
        Screen::new(in_memory(width, height, bytes_per_pixel), cells)
    }

    fn shown(screen: &Screen) -> Vec<String> {
        let dots = |row: Vec<bool>| row.into_iter().map(|white| if white { '#' } else { '.' }).collect();
        pixels(&screen.framebuffer).into_iter().map(dots).collect()
    }

    #[test]
    fn draws_letters_upright_and_the_right_way_round() {
        for bytes_per_pixel in [1, 3, 4] {
            let mut screen = blank(16, 32, bytes_per_pixel);
            screen.write_str("L\nF").unwrap();
            let shown = shown(&screen);
            // Each of the font's 8 rows twice; the right column and the bottom are the letters' margin.
            let l = [
                "####....", ".##.....", ".##.....", ".##.....", ".##...#.", ".##..##.", "#######.",
                "........",
            ];
            let f = [
                "#######.", ".##...#.", ".##.#...", ".####...", ".##.#...", ".##.....", "####....",
                "........",
            ];
            for (i, row) in l.iter().chain(&f).enumerate() {
                assert_eq!(shown[2 * i][..8], **row, "row {i}");
                assert_eq!(shown[2 * i + 1][..8], **row, "row {i}");
            }
            assert!(shown.iter().all(|row| &row[8..] == "........"));
        }
    }

    #[test]
    fn letters_are_larger_on_a_larger_screen() {
        let size = |width, height| blank(width, height, 4).grid.size();
        assert_eq!(size(640, 480), (80, 30));
        assert_eq!(size(1280, 800), (160, 50));
        assert_eq!(size(1920, 1080), (120, 33));
        assert_eq!(size(3840, 2160), (96, 27));
        assert_eq!(size(7, 15), (1, 1));
    }

    #[test]
    fn a_full_screen_continues_at_its_end() {
        let mut screen = blank(16, 64, 1);
        screen.write_str("a\nb\nc\nd\nL").unwrap();
        let after = shown(&screen);
        let mut fresh = blank(16, 64, 1);
        fresh.write_str("b\nc\nd\nL").unwrap();
        assert_eq!(after, shown(&fresh));
    }
}
