//! The legend: names of series beside what marks them, always outside the data.

use plotters::element::Rectangle;
use plotters::style::Color;

use super::elements::{Anchor, Markers, Strokes};
use super::font::{self, Weight};
use super::sheet::{at, put};
use super::style::{Dash, Look, Marker, TICK_SIZE};
use super::text::{Face, Root, height, wrap};

const KEY_GAP: f64 = 7.0;
const ENTRY_GAP: f64 = 20.0;
const ROW_GAP: f64 = 3.0;
const TOP_GAP: f64 = 8.0;
const WIDEST_NAME: f64 = 170.0;

/// What marks a series.
#[derive(Clone, Copy, Debug, PartialEq)]
pub(super) enum Key {
    /// A line without markers.
    Dashes,
    /// A line with markers.
    Marked,
    /// Markers alone.
    Markers,
    /// Markers with vertical bars.
    ErrorBars,
    /// A filled swatch.
    Swatch,
}

impl Key {
    fn width(self) -> f64 {
        match self {
            Key::Dashes | Key::Marked => 28.0,
            Key::Markers | Key::ErrorBars | Key::Swatch => 12.0,
        }
    }
}

/// Named series in order.
#[derive(Clone, Debug, Default, PartialEq)]
pub(super) struct Legend {
    /// Name, number of the style, and mark of each series.
    pub(super) entries: Vec<(String, usize, Key)>,
}

/// A legend whose entries have places.
pub(super) struct Placed {
    pub(super) width: f64,
    pub(super) height: f64,
    entries: Vec<(f64, f64, Vec<String>, usize, Key)>,
}

impl Legend {
    /// Rows of entries, to stand below a width.
    pub(super) fn below(&self, width: f64) -> Placed {
        let mut placed = Placed { width: 0.0, height: 0.0, entries: Vec::new() };
        let (mut x, mut y, mut row) = (0.0, TOP_GAP, 0.0_f64);
        for (name, style, key) in &self.entries {
            let lines = wrap(name, TICK_SIZE, Weight::Regular, width - key.width() - KEY_GAP, 3);
            let needed = key.width() + KEY_GAP + widest(&lines);
            if x > 0.0 && x + needed > width {
                (x, y, row) = (0.0, y + row + ROW_GAP, 0.0);
            }
            row = row.max(height(lines.len(), TICK_SIZE));
            placed.entries.push((x, y, lines, *style, *key));
            placed.width = placed.width.max(x + needed);
            placed.height = y + row + ROW_GAP;
            x += needed + ENTRY_GAP;
        }
        placed
    }

    /// One entry a row, to stand at the side.
    pub(super) fn beside(&self) -> Placed {
        let mut placed = Placed { width: 0.0, height: 0.0, entries: Vec::new() };
        for (name, style, key) in &self.entries {
            let lines = wrap(name, TICK_SIZE, Weight::Regular, WIDEST_NAME, 3);
            placed.width = placed.width.max(key.width() + KEY_GAP + widest(&lines));
            let used = height(lines.len(), TICK_SIZE) + 2.0 * ROW_GAP;
            placed.entries.push((0.0, placed.height, lines, *style, *key));
            placed.height += used;
        }
        placed
    }

    /// Whether the entries stand in one row of a width.
    pub(super) fn is_one_row(&self, width: f64) -> bool {
        let placed = self.below(width);
        placed.entries.iter().all(|(_, y, lines, ..)| *y == TOP_GAP && lines.len() <= 1)
    }
}

fn widest(lines: &[String]) -> f64 {
    lines.iter().map(|line| font::width(line, TICK_SIZE, Weight::Regular)).fold(0.0, f64::max)
}

impl Placed {
    /// Draws the legend with its upper left corner at a point.
    pub(super) fn draw(&self, root: &Root, left: f64, top: f64, look: &Look) {
        let face = Face::new(TICK_SIZE, look.ink);
        for (x, y, lines, style, key) in &self.entries {
            let (x, y) = (left + x, top + y);
            draw_key(root, x, y + 0.59 * TICK_SIZE, *style, *key, look);
            face.write_lines(root, (x + key.width() + KEY_GAP, y), Anchor::Start, lines);
        }
    }
}

fn draw_key(root: &Root, x: f64, y: f64, style: usize, key: Key, look: &Look) {
    let color = look.color(style);
    let middle = x + key.width() / 2.0;
    let line = |dash| {
        put(root, &Strokes::new(vec![vec![at(x, y), at(x + key.width(), y)]], color, 2.0, dash));
    };
    let marker = || {
        put(root, &Markers { points: vec![at(middle, y)], shape: Marker::of(style), color });
    };
    match key {
        Key::Dashes => line(Dash::of(style)),
        Key::Marked => {
            line(Dash::Solid);
            marker();
        }
        Key::Markers => marker(),
        Key::ErrorBars => {
            let (top, bottom) = (y - 7.5, y + 7.5);
            let bar = vec![
                vec![at(middle, top), at(middle, bottom)],
                vec![at(middle - 3.0, top), at(middle + 3.0, top)],
                vec![at(middle - 3.0, bottom), at(middle + 3.0, bottom)],
            ];
            put(root, &Strokes::new(bar, color, 1.5, Dash::Solid));
            marker();
        }
        Key::Swatch => {
            let corners = [at(middle - 6.0, y - 6.0), at(middle + 6.0, y + 6.0)];
            put(root, &Rectangle::new(corners, color.filled()));
        }
    }
}
