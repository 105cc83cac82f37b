//! Elements that plotters lacks: strokes in several parts, many markers, outlined text, images.
//!
//! In: points in the coordinates of a plotters area. Out: marks on a [`Sheet`]. Left out: what
//! plotters draws itself.

use std::collections::HashSet;
use std::fmt::Write;
use std::iter::Once;

use plotters::element::{Drawable, PointCollection};
use plotters::style::RGBColor;
use plotters_backend::BackendCoord;

use super::font::Weight;
use super::sheet::{Outcome, Sheet, UNITS, hex, path_data, units};
use super::style::{Dash, Marker};

/// Lines of one stroke; each part is a line of its own.
pub(super) struct Strokes<C> {
    parts: Vec<usize>,
    points: Vec<C>,
    color: RGBColor,
    width: f64,
    dash: Dash,
}

impl<C> Strokes<C> {
    /// Lines through the points of each part, `width` pixels wide.
    pub(super) fn new(parts: Vec<Vec<C>>, color: RGBColor, width: f64, dash: Dash) -> Self {
        Strokes {
            parts: parts.iter().map(Vec::len).collect(),
            points: parts.into_iter().flatten().collect(),
            color,
            width,
            dash,
        }
    }
}

impl<'a, C> PointCollection<'a, C> for &'a Strokes<C> {
    type Point = &'a C;
    type IntoIter = &'a [C];
    fn point_iter(self) -> &'a [C] {
        &self.points
    }
}

impl<C> Drawable<&mut Sheet> for Strokes<C> {
    fn draw<I: Iterator<Item = BackendCoord>>(
        &self,
        mut points: I,
        sheet: &mut &mut Sheet,
        _: (u32, u32),
    ) -> Outcome {
        let mut data = String::new();
        for &length in &self.parts {
            let part: Vec<BackendCoord> = points.by_ref().take(length).collect();
            data.push_str(&path_data(&thinned(part)));
        }
        if !data.is_empty() {
            sheet.stroke(&data, &hex(self.color), units(self.width), self.dash);
        }
        Ok(())
    }
}

/// Markers of one shape, as one path.
pub(super) struct Markers<C> {
    pub(super) points: Vec<C>,
    pub(super) shape: Marker,
    pub(super) color: RGBColor,
}

impl<'a, C> PointCollection<'a, C> for &'a Markers<C> {
    type Point = &'a C;
    type IntoIter = &'a [C];
    fn point_iter(self) -> &'a [C] {
        &self.points
    }
}

impl<C> Drawable<&mut Sheet> for Markers<C> {
    fn draw<I: Iterator<Item = BackendCoord>>(
        &self,
        points: I,
        sheet: &mut &mut Sheet,
        _: (u32, u32),
    ) -> Outcome {
        let half_pixel = units(0.5);
        let mut seen = HashSet::new();
        let mut data = String::new();
        for (x, y) in points {
            if seen.insert((x.div_euclid(half_pixel), y.div_euclid(half_pixel))) {
                write!(data, "M{x} {y}{}", self.shape.path())
                    .expect("writing to a string succeeds");
            }
        }
        if !data.is_empty() {
            sheet.fill(&data, &hex(self.color));
        }
        Ok(())
    }
}

/// Cells of equal size, as an image: what is too many for a shape each.
pub(super) struct Raster<C> {
    /// Upper left and lower right corner.
    pub(super) corners: [C; 2],
    /// Colours row by row; rows are equally long.
    pub(super) cells: Vec<Vec<RGBColor>>,
}

impl<'a, C> PointCollection<'a, C> for &'a Raster<C> {
    type Point = &'a C;
    type IntoIter = &'a [C];
    fn point_iter(self) -> &'a [C] {
        &self.corners
    }
}

impl<C> Drawable<&mut Sheet> for Raster<C> {
    fn draw<I: Iterator<Item = BackendCoord>>(
        &self,
        mut points: I,
        sheet: &mut &mut Sheet,
        _: (u32, u32),
    ) -> Outcome {
        let (Some((left, top)), Some((right, bottom))) = (points.next(), points.next()) else {
            return Ok(());
        };
        let columns = self.cells.first().map_or(0, Vec::len);
        let (width, height) = (right - left, bottom - top);
        let sharp = f64::from(width) >= columns as f64 * UNITS
            && f64::from(height) >= self.cells.len() as f64 * UNITS;
        let rendering = if sharp { " image-rendering=\"pixelated\"" } else { "" };
        let png = png(columns, &self.cells);
        sheet.image((left, top), (width, height), rendering, &png);
        Ok(())
    }
}

fn png(columns: usize, cells: &[Vec<RGBColor>]) -> Vec<u8> {
    let mut bytes = Vec::new();
    let mut encoder = png::Encoder::new(&mut bytes, columns as u32, cells.len() as u32);
    encoder.set_color(png::ColorType::Rgb);
    encoder.set_compression(png::Compression::High);
    let pixels: Vec<u8> = cells.iter().flatten().flat_map(|c| [c.0, c.1, c.2]).collect();
    encoder
        .write_header()
        .and_then(|mut writer| writer.write_image_data(&pixels))
        .expect("an image in memory has room for its pixels");
    bytes
}

/// Which part of a line of text lies at its point.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub(super) enum Anchor {
    Start,
    Middle,
    End,
}

/// A line of text at a point of its base line.
pub(super) struct Label {
    pub(super) at: BackendCoord,
    pub(super) text: String,
    pub(super) size: f64,
    pub(super) weight: Weight,
    pub(super) anchor: Anchor,
    /// Degrees clockwise.
    pub(super) angle: i32,
    pub(super) color: RGBColor,
}

impl<'a> PointCollection<'a, BackendCoord> for &'a Label {
    type Point = &'a BackendCoord;
    type IntoIter = Once<&'a BackendCoord>;
    fn point_iter(self) -> Self::IntoIter {
        std::iter::once(&self.at)
    }
}

impl Drawable<&mut Sheet> for Label {
    fn draw<I: Iterator<Item = BackendCoord>>(
        &self,
        mut points: I,
        sheet: &mut &mut Sheet,
        _: (u32, u32),
    ) -> Outcome {
        if let Some(point) = points.next() {
            sheet.text(self, point);
        }
        Ok(())
    }
}

/// Drops points that no screen can show: a line whose x never falls back keeps, in each half
/// pixel, its first, lowest, highest and last point; any other line keeps points that are a
/// third of a pixel apart.
fn thinned(points: Vec<BackendCoord>) -> Vec<BackendCoord> {
    if points.len() < 500 {
        return points;
    }
    let mut kept: Vec<BackendCoord> = Vec::new();
    if points.is_sorted_by_key(|point| point.0) {
        let column = units(0.5);
        for group in points.chunk_by(|a, b| a.0.div_euclid(column) == b.0.div_euclid(column)) {
            let last = group.len() - 1;
            let lowest = (0..=last).max_by_key(|&i| group[i].1).unwrap_or(0);
            let highest = (0..=last).min_by_key(|&i| group[i].1).unwrap_or(0);
            let mut indices = [0, lowest, highest, last];
            indices.sort_unstable();
            kept.extend(indices.map(|i| group[i]));
        }
        kept.dedup();
    } else {
        let near = i64::from(units(0.3)).pow(2);
        for point in points {
            let far = kept.last().is_none_or(|last| {
                let (dx, dy) = (i64::from(point.0 - last.0), i64::from(point.1 - last.1));
                dx * dx + dy * dy >= near
            });
            if far {
                kept.push(point);
            }
        }
    }
    kept
}
