//! A memory as a picture: one cell for each byte, or for each run of bytes in a large one.
//!
//! What changed is black, so that it shows at a glance and on a printer without colours; what did
//! not is grey where it says something and white where it is the filling of an empty memory.
//! Neighbours of one kind are drawn as one bar under a grid, which keeps 64 KB a small page.

use std::ops::Range;

use maud::{Markup, html};

use super::memory::Certainty;

/// Most cells of one picture.
const MAX_CELLS: usize = 4096;

/// Cells in a row of a small picture.
const MIN_COLUMNS: usize = 16;

/// Side of a cell, in the picture's own units.
const CELL: usize = 10;

/// Room for the addresses at the left, in the same.
const MARGIN: f64 = 0.115;

/// Most changed stretches that are listed.
const MAX_LISTED: usize = 8;

/// What a cell holds.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
enum Kind {
    /// Nothing but 00 or FF.
    Empty,
    /// Something.
    Filled,
    /// Something that was not there before.
    Changed,
    /// Empty, and was not before.
    Emptied,
    /// Beyond what is known.
    Outside,
}

impl Kind {
    fn class(self) -> &'static str {
        match self {
            Self::Empty => "empty",
            Self::Filled => "filled",
            Self::Changed => "changed",
            Self::Emptied => "emptied",
            Self::Outside => "outside",
        }
    }
}

/// How a memory is cut into cells.
#[derive(Clone, Copy)]
struct Grid {
    bytes: usize,
    per_cell: usize,
    columns: usize,
}

impl Grid {
    fn of(bytes: usize) -> Self {
        let per_cell = bytes.div_ceil(MAX_CELLS).max(1).next_power_of_two();
        let columns = match bytes.div_ceil(per_cell) {
            0..=256 => MIN_COLUMNS,
            257..=1024 => 32,
            _ => 64,
        };
        Self { bytes, per_cell, columns }
    }

    fn cells(self) -> usize {
        self.bytes.div_ceil(self.per_cell)
    }

    fn rows(self) -> usize {
        self.cells().div_ceil(self.columns).max(1)
    }

    fn range(self, cell: usize) -> Range<usize> {
        let start = cell * self.per_cell;
        start..(start + self.per_cell).min(self.bytes)
    }
}

/// Both pictures side by side, their legend, and the changed stretches as numbers.
pub fn both(before: &[u8], after: &[u8], certainty: Certainty) -> Markup {
    let grid = Grid::of(before.len().max(after.len()));
    let then: Vec<Kind> = (0..grid.cells()).map(|cell| plain(before, grid.range(cell))).collect();
    let now: Vec<Kind> =
        (0..grid.cells()).map(|cell| compared(before, after, grid.range(cell))).collect();
    let caption = match certainty {
        Certainty::Unchanged => "Afterwards: unchanged",
        Certainty::ReadBack => "Afterwards: written and read back",
        Certainty::PartWritten => "Target content; the memory holds part of it",
    };
    html! {
        div.pictures.few[grid.columns == MIN_COLUMNS] {
            figure { (draw(grid, &then, "The memory before")) figcaption { "Before: the backup" } }
            figure { (draw(grid, &now, "The memory afterwards")) figcaption { (caption) } }
        }
        (legend(grid))
        p.changes { (changes(before, after)) }
    }
}

/// One picture, where it is not known what became of it.
pub fn one(before: &[u8]) -> Markup {
    let grid = Grid::of(before.len());
    let then: Vec<Kind> = (0..grid.cells()).map(|cell| plain(before, grid.range(cell))).collect();
    html! {
        div.pictures {
            figure { (draw(grid, &then, "The memory before")) figcaption { "Before: the backup" } }
        }
        (legend(grid))
        p.changes { "The written content is no longer stored." }
    }
}

fn is_empty(bytes: &[u8]) -> bool {
    bytes.iter().all(|byte| *byte == 0xff) || bytes.iter().all(|byte| *byte == 0)
}

fn plain(bytes: &[u8], range: Range<usize>) -> Kind {
    match bytes.get(range.start..range.end.min(bytes.len())) {
        None | Some([]) => Kind::Outside,
        Some(bytes) if is_empty(bytes) => Kind::Empty,
        Some(_) => Kind::Filled,
    }
}

fn compared(before: &[u8], after: &[u8], range: Range<usize>) -> Kind {
    let kind = plain(after, range.clone());
    let differs = range.into_iter().any(|at| {
        let now = after.get(at);
        now.is_some() && now != before.get(at)
    });
    match kind {
        Kind::Filled if differs => Kind::Changed,
        Kind::Empty if differs => Kind::Emptied,
        kind => kind,
    }
}

fn draw(grid: Grid, kinds: &[Kind], title: &str) -> Markup {
    let (width, height) = (grid.columns * CELL, grid.rows() * CELL);
    #[expect(clippy::cast_precision_loss, reason = "a picture is a few hundred units wide")]
    let margin = width as f64 * MARGIN;
    #[expect(clippy::cast_precision_loss, reason = "a picture is a few hundred units wide")]
    let (width, letters) = (width as f64 + margin, width as f64 * 0.034);
    // The first address stands a little above its row where rows are lower than letters.
    #[expect(clippy::cast_precision_loss, reason = "a picture is a few hundred units wide")]
    let (above, height) = ((letters * 0.75 - CELL as f64).max(0.0) + 2.0, height as f64);
    let (width, height) = (width + 1.0, height + above + 1.0);
    let view = format!("{:.1} {:.1} {width:.1} {height:.1}", -margin, -above);
    html! {
        svg viewBox=(view) role="img" aria-label=(title) {
            title { (title) }
            @for (row, kinds) in kinds.chunks(grid.columns).enumerate() {
                @for (from, to, kind) in runs(kinds) {
                    rect class=(kind.class()) x=(from * CELL) y=(row * CELL)
                        width=((to - from) * CELL) height=(CELL) {}
                }
            }
            path.grid d=(lines(grid)) {}
            @for row in labelled(grid.rows()) {
                text x=(format!("{:.1}", -margin * 0.12)) y=(row * CELL + CELL - 1)
                    font-size=(format!("{letters:.1}")) {
                    (format!("{:04x}", row * grid.columns * grid.per_cell))
                }
            }
        }
    }
}

/// Neighbours of one kind as one stretch.
fn runs(kinds: &[Kind]) -> Vec<(usize, usize, Kind)> {
    let mut found: Vec<(usize, usize, Kind)> = Vec::new();
    for (at, kind) in kinds.iter().enumerate() {
        match found.last_mut() {
            Some((_, to, last)) if *last == *kind => *to = at + 1,
            _ => found.push((at, at + 1, *kind)),
        }
    }
    found
}

/// The lines between the cells and around them, as far as there are cells.
fn lines(grid: Grid) -> String {
    let (rows, columns) = (grid.rows(), grid.columns);
    let last = grid.cells() - (rows - 1) * columns;
    let mut path = String::new();
    for row in 0..=rows {
        let length = if row == rows { last } else { columns };
        path.push_str(&format!("M0 {}h{}", row * CELL, length * CELL));
    }
    for column in 0..=columns {
        let length = if column > last { rows - 1 } else { rows };
        path.push_str(&format!("M{} 0v{}", column * CELL, length * CELL));
    }
    path
}

/// The rows that carry an address: at most eight, evenly.
fn labelled(rows: usize) -> impl Iterator<Item = usize> {
    (0..rows).step_by(rows.div_ceil(8).next_power_of_two())
}

fn legend(grid: Grid) -> Markup {
    let each = match grid.per_cell {
        1 => "One cell is one byte.".to_owned(),
        bytes => format!("One cell is {bytes} bytes; it is black where one of them changed."),
    };
    html! {
        p.legend {
            @for (kind, meaning) in [
                (Kind::Changed, "changed"),
                (Kind::Emptied, "changed to empty"),
                (Kind::Filled, "unchanged content"),
                (Kind::Empty, "empty (all 00 or FF)"),
            ] {
                span {
                    svg viewBox="0 0 10 10" aria-hidden="true" {
                        rect class=(kind.class()) width="10" height="10" {}
                        path.grid d="M0 0h10v10h-10z" {}
                    }
                    (meaning)
                }
            }
            span { (each) " " (grid.columns * grid.per_cell) " bytes a row; addresses are hexadecimal." }
        }
    }
}

/// What changed, in numbers.
fn changes(before: &[u8], after: &[u8]) -> String {
    let mut stretches: Vec<Range<usize>> = Vec::new();
    for (at, now) in after.iter().enumerate() {
        if before.get(at) == Some(now) {
            continue;
        }
        match stretches.last_mut() {
            Some(last) if last.end == at => last.end = at + 1,
            _ => stretches.push(at..at + 1),
        }
    }
    let all = before.len().max(after.len());
    let bytes: usize = stretches.iter().map(ExactSizeIterator::len).sum();
    if bytes == 0 {
        return format!("No byte of {all} differs.");
    }
    let mut listed: Vec<String> = stretches
        .iter()
        .take(MAX_LISTED)
        .map(|stretch| match stretch.len() {
            1 => format!("{:04x}", stretch.start),
            _ => format!("{:04x}–{:04x}", stretch.start, stretch.end - 1),
        })
        .collect();
    if stretches.len() > MAX_LISTED {
        listed.push(format!("and {} more ranges", stretches.len() - MAX_LISTED));
    }
    format!("{bytes} of {all} bytes differ: {}.", listed.join(", "))
}

#[cfg(test)]
mod tests {
    use proptest::prelude::*;

    use super::*;

    #[test]
    fn a_cell_is_a_byte_up_to_four_kilobytes_and_a_run_above() {
        for (bytes, per_cell, columns, rows) in [
            (128, 1, 16, 8),
            (256, 1, 16, 16),
            (512, 1, 32, 16),
            (2048, 1, 64, 32),
            (4096, 1, 64, 64),
            (8192, 2, 64, 64),
            (65536, 16, 64, 64),
        ] {
            let grid = Grid::of(bytes);
            assert_eq!((grid.per_cell, grid.columns, grid.rows()), (per_cell, columns, rows));
        }
    }

    #[test]
    fn one_changed_byte_of_sixty_four_kilobytes_is_seen_and_named() {
        let before = vec![0xff; 65536];
        let mut after = before.clone();
        after[0xabcd] = 7;
        let page = both(&before, &after, Certainty::ReadBack).into_string();
        assert_eq!(page.matches("class=\"changed\"").count(), 1 + 1, "the cell and the legend");
        assert!(page.contains("1 of 65536 bytes differ: abcd."), "{page}");
        assert!(page.len() < 30_000, "{} bytes", page.len());
    }

    #[test]
    fn a_byte_set_back_to_empty_is_marked_as_changed_too() {
        let kinds = [compared(&[1, 2], &[0xff, 2], 0..1), compared(&[1, 2], &[0xff, 2], 1..2)];
        assert_eq!(kinds, [Kind::Emptied, Kind::Filled]);
    }

    proptest! {
        #[test]
        fn every_byte_lies_in_one_cell_and_every_picture_is_bounded(
            before in proptest::collection::vec(any::<u8>(), 0..5000),
            after in proptest::collection::vec(any::<u8>(), 0..5000),
        ) {
            let grid = Grid::of(before.len().max(after.len()));
            let covered: usize = (0..grid.cells()).map(|cell| grid.range(cell).len()).sum();
            prop_assert_eq!(covered, grid.bytes);
            prop_assert!(grid.cells() <= MAX_CELLS);
            let page = both(&before, &after, Certainty::ReadBack).into_string();
            prop_assert!(page.len() < 2_000_000);
        }
    }
}
