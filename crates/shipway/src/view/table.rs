//! Columns: texts that stand below one another.

use super::paint::{Ink, Paint};
use super::text;

/// One text in a row, harmless from the moment it is made.
#[derive(Clone, Debug, Default)]
pub(super) struct Cell {
    text: String,
    ink: Ink,
    right: bool,
    free: bool,
}

impl Cell {
    /// Returns a cell in a colour.
    pub(super) fn new(ink: Ink, text: &str) -> Self {
        Self { text: text::clean(text).into_owned(), ink, right: false, free: false }
    }

    /// Returns a cell without a colour.
    pub(super) fn plain(text: &str) -> Self {
        Self::new(Ink::Plain, text)
    }

    /// Returns an empty cell.
    pub(super) fn empty() -> Self {
        Self::default()
    }

    /// Puts the text at the right edge of its column.
    #[must_use]
    pub(super) fn right(mut self) -> Self {
        self.right = true;
        self
    }

    /// Lets the text run over the columns that follow, without making its own wider.
    #[must_use]
    pub(super) fn free(mut self) -> Self {
        self.free = true;
        self
    }
}

/// One column: the space in front of it, and the width above which a text makes it no wider.
#[derive(Clone, Copy, Debug)]
pub(super) struct Column {
    /// Spaces in front.
    pub(super) gap: usize,
    /// The greatest width; a wider text pushes the rest of its own row only.
    pub(super) cap: usize,
}

/// Rows of cells.
#[derive(Clone, Debug)]
pub(super) struct Table {
    columns: Vec<Column>,
    rows: Vec<Vec<Cell>>,
}

impl Table {
    /// Returns a table without rows.
    pub(super) fn new(columns: &[(usize, usize)]) -> Self {
        let columns = columns.iter().map(|(gap, cap)| Column { gap: *gap, cap: *cap }).collect();
        Self { columns, rows: vec![] }
    }

    /// Adds a row, which may have fewer cells than the table has columns.
    pub(super) fn row(&mut self, cells: impl Into<Vec<Cell>>) {
        self.rows.push(cells.into());
    }

    /// Returns the lines, each with its line feed and none with a space at its end.
    pub(super) fn render(&self, paint: Paint) -> String {
        let places = self.places();
        let mut out = String::new();
        for row in &self.rows {
            let mut at = 0;
            for (cell, (start, width, gap)) in row.iter().zip(&places) {
                if cell.text.is_empty() {
                    continue;
                }
                let own = text::width(&cell.text);
                let start = if cell.right { start + width.saturating_sub(own) } else { *start };
                let start = if at == 0 { start } else { start.max(at + gap) };
                out.extend(std::iter::repeat_n(' ', start - at));
                out.push_str(&paint.ink(cell.ink, &cell.text));
                at = start + own;
            }
            out.push('\n');
        }
        out
    }

    /// Returns the columns that the widest line takes.
    pub(super) fn width(&self) -> usize {
        self.render(Paint::new(false)).lines().map(text::width).max().unwrap_or(0)
    }

    /// Returns start, width and gap of every column; a column without a text takes no space.
    fn places(&self) -> Vec<(usize, usize, usize)> {
        let mut at = 0;
        let place = |(index, column): (usize, &Column)| {
            let cells = self.rows.iter().filter_map(|row| row.get(index));
            let widths = cells.filter(|cell| !cell.free).map(|cell| text::width(&cell.text).min(column.cap));
            let width = widths.max().unwrap_or(0);
            let used = self.rows.iter().any(|row| row.get(index).is_some_and(|cell| !cell.text.is_empty()));
            let start = if used { at + column.gap } else { at };
            at = start + width;
            (start, width, column.gap)
        };
        self.columns.iter().enumerate().map(place).collect()
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn columns_stand_below_one_another_whatever_the_script() {
        let mut table = Table::new(&[(2, 20), (2, 20), (1, 9)]);
        table.row([Cell::plain("日本"), Cell::plain("x"), Cell::plain("1s").right()]);
        table.row([Cell::plain("a"), Cell::plain("größe"), Cell::plain("12s").right()]);
        table.row([Cell::plain("runs over them all").free(), Cell::empty(), Cell::plain("3s").right()]);
        let expect = "  日本  x      1s\n  a     größe 12s\n  runs over them all 3s\n";
        assert_eq!(table.render(Paint::new(false)), expect);
        assert_eq!(table.width(), 23);
    }

    #[test]
    fn a_text_above_the_cap_pushes_only_its_own_row() {
        let mut table = Table::new(&[(0, 3), (1, 9)]);
        table.row([Cell::plain("abcdef"), Cell::plain("x")]);
        table.row([Cell::plain("ab"), Cell::plain("y")]);
        table.row([Cell::plain("ab"), Cell::empty()]);
        assert_eq!(table.render(Paint::new(false)), "abcdef x\nab  y\nab\n");
    }

    #[test]
    fn colour_does_not_move_columns() {
        let mut table = Table::new(&[(0, 9), (1, 9)]);
        table.row([Cell::new(Ink::Good, "+"), Cell::plain("x")]);
        table.row([Cell::plain("abc"), Cell::plain("y")]);
        assert_eq!(table.render(Paint::new(true)), "\x1b[32m+\x1b[0m   x\nabc y\n");
    }
}
