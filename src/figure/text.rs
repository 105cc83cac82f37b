//! Places lines of text: wrapping, shortening, and labels on the sheet.

use plotters::coord::Shift;
use plotters::drawing::DrawingArea;
use plotters::style::RGBColor;

use super::elements::{Anchor, Label};
use super::font::{self, Weight};
use super::sheet::{Sheet, at, put};
use super::style::LEADING;

/// The whole sheet as a plotters drawing area.
pub(super) type Root<'s> = DrawingArea<&'s mut Sheet, Shift>;

/// How a line of text looks.
#[derive(Clone, Copy)]
pub(super) struct Face {
    pub(super) size: f64,
    pub(super) weight: Weight,
    pub(super) color: RGBColor,
}

impl Face {
    pub(super) fn new(size: f64, color: RGBColor) -> Self {
        Face { size, weight: Weight::Regular, color }
    }

    pub(super) fn bold(self) -> Self {
        Face { weight: Weight::Bold, ..self }
    }

    /// Writes a line with its anchor at a point of the base line.
    pub(super) fn write(
        self,
        root: &Root,
        (x, y): (f64, f64),
        anchor: Anchor,
        angle: i32,
        text: &str,
    ) {
        let Face { size, weight, color } = self;
        put(root, &Label { at: at(x, y), text: text.into(), size, weight, anchor, angle, color });
    }

    /// Writes a line whose capitals are centred on a height.
    pub(super) fn write_centred(self, root: &Root, (x, y): (f64, f64), anchor: Anchor, text: &str) {
        self.write(root, (x, y + 0.36 * self.size), anchor, 0, text);
    }

    /// Writes lines one below the other, the first one hanging from `y`.
    pub(super) fn write_lines(
        self,
        root: &Root,
        (x, y): (f64, f64),
        anchor: Anchor,
        lines: &[String],
    ) {
        for (i, line) in lines.iter().enumerate() {
            let base = y + self.size * (0.95 + LEADING * i as f64);
            self.write(root, (x, base), anchor, 0, line);
        }
    }
}

/// Height of so many lines of text.
pub(super) fn height(lines: usize, size: f64) -> f64 {
    lines as f64 * size * LEADING
}

/// Breaks text into at most `most` lines of at most `width` pixels, shortening what does not fit.
pub(super) fn wrap(text: &str, size: f64, weight: Weight, width: f64, most: usize) -> Vec<String> {
    let mut lines: Vec<String> = Vec::new();
    for word in text.split_whitespace() {
        let full = lines.len() == most;
        match lines.last_mut() {
            Some(line) if full || narrow(&format!("{line} {word}"), size, weight, width) => {
                line.push(' ');
                line.push_str(word);
            }
            _ => lines.push(word.into()),
        }
    }
    lines.into_iter().map(|line| shortened(&line, size, weight, width)).collect()
}

fn narrow(line: &str, size: f64, weight: Weight, width: f64) -> bool {
    font::width(line, size, weight) <= width
}

/// Whether text fits into so many lines unshortened.
pub(super) fn fits(text: &str, size: f64, weight: Weight, width: f64, most: usize) -> bool {
    let whole: Vec<&str> = text.split_whitespace().collect();
    wrap(text, size, weight, width, most).join(" ") == whole.join(" ")
}

/// Cuts the end of a line that is too wide.
pub(super) fn shortened(line: &str, size: f64, weight: Weight, width: f64) -> String {
    if font::width(line, size, weight) <= width {
        return line.into();
    }
    let starts: Vec<usize> = line.char_indices().map(|(start, _)| start).collect();
    let cut = |end: usize| format!("{}…", line[..end].trim_end());
    let fitting = starts.partition_point(|&end| font::width(&cut(end), size, weight) <= width);
    starts[..fitting].last().map_or_else(|| "…".into(), |&end| cut(end))
}
