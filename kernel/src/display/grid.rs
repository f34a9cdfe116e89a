//! The characters on a screen: a cursor that moves right and down, and lines that scroll up when the screen is full.

/// The most columns and rows. A larger screen has larger letters.
pub const MAX_COLUMNS: usize = 160;
/// See [`MAX_COLUMNS`].
pub const MAX_ROWS: usize = 64;

/// The cells of the largest grid.
pub type Cells = [[u8; MAX_COLUMNS]; MAX_ROWS];

/// Characters in rows.
pub struct Grid {
    cells: &'static mut Cells,
    columns: usize,
    rows: usize,
    column: usize,
    row: usize,
}

/// The effect of a character on the grid.
#[derive(Clone, Copy, Debug, Eq, PartialEq)]
pub enum Change {
    /// Nothing visible.
    None,
    /// The character is at this column and row.
    Cell(usize, usize),
    /// Everything has moved.
    All,
}

impl Grid {
    /// An empty grid, of at least one cell and at most the maxima.
    pub fn new(cells: &'static mut Cells, columns: usize, rows: usize) -> Self {
        cells.fill([b' '; MAX_COLUMNS]);
        Self {
            cells,
            columns: columns.clamp(1, MAX_COLUMNS),
            rows: rows.clamp(1, MAX_ROWS),
            column: 0,
            row: 0,
        }
    }

    /// How many columns and rows there are.
    pub const fn size(&self) -> (usize, usize) {
        (self.columns, self.rows)
    }

    /// The character at a column and row.
    pub fn at(&self, column: usize, row: usize) -> u8 {
        self.cells[row][column]
    }

    /// Adds a character. A line feed ends the line, and a full line continues in the next.
    pub fn put(&mut self, byte: u8) -> Change {
        let mut change = Change::None;
        if byte == b'\n' || self.column == self.columns {
            change = self.next_row();
        }
        if byte == b'\n' {
            return change;
        }
        let at = (self.column, self.row);
        self.cells[self.row][self.column] = if byte.is_ascii_graphic() { byte } else { b' ' };
        self.column += 1;
        if change == Change::None { Change::Cell(at.0, at.1) } else { change }
    }

    /// Goes to the next row. A full screen scrolls by a quarter of its rows at once, because redrawing all of it is slow.
    fn next_row(&mut self) -> Change {
        self.column = 0;
        self.row += 1;
        if self.row < self.rows {
            return Change::None;
        }
        let by = self.rows.div_ceil(4);
        self.cells.copy_within(by..self.rows, 0);
        self.row -= by;
        self.cells[self.row..self.rows].fill([b' '; MAX_COLUMNS]);
        Change::All
    }
}

#[cfg(test)]
mod tests {
    use alloc::boxed::Box;
    use alloc::string::String;
    use alloc::vec::Vec;

    use super::*;

    fn grid(columns: usize, rows: usize) -> Grid {
        Grid::new(Box::leak(Box::new([[0; MAX_COLUMNS]; MAX_ROWS])), columns, rows)
    }

    fn put(grid: &mut Grid, text: &str) -> Vec<Change> {
        text.bytes().map(|byte| grid.put(byte)).collect()
    }

    fn rows(grid: &Grid) -> Vec<String> {
        let (columns, rows) = grid.size();
        let row = |row| (0..columns).map(|column| char::from(grid.at(column, row))).collect::<String>();
        (0..rows).map(|number| row(number).trim_end().into()).collect()
    }

    #[test]
    fn continues_in_the_next_row_only_if_there_is_more_text() {
        let mut grid = grid(3, 4);
        let changes = put(&mut grid, "abc\nd\te\u{e9}");
        assert_eq!(rows(&grid), ["abc", "d e", "", ""]);
        assert_eq!(changes[..4], [Change::Cell(0, 0), Change::Cell(1, 0), Change::Cell(2, 0), Change::None]);
    }

    #[test]
    fn scrolls_by_a_quarter_and_keeps_the_end() {
        let mut grid = grid(4, 8);
        let text: Vec<String> = (0..20).map(|n| alloc::format!("{n}")).collect();
        let changes = put(&mut grid, &text.join("\n"));
        let seen = rows(&grid);
        let last: Vec<_> = seen.iter().filter(|row| !row.is_empty()).cloned().collect();
        assert_eq!(last, text[20 - last.len()..]);
        assert!(last.len() >= 6);
        assert_eq!(changes.iter().filter(|&&change| change == Change::All).count(), 6);
    }

    #[test]
    fn a_screen_of_any_size_is_one() {
        for (columns, height) in [(0, 0), (1, 1), (1, 2), (usize::MAX, usize::MAX)] {
            let mut grid = grid(columns, height);
            put(&mut grid, "some text\nand more\n\n\nof it");
            let (columns, height) = grid.size();
            assert!((1..=MAX_COLUMNS).contains(&columns) && (1..=MAX_ROWS).contains(&height));
        }
    }
}
