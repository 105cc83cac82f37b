//! Lines, markers, error bars and bars: series to plotters elements, clipped to the axes.

use plotters::coord::cartesian::Cartesian2d;
use plotters::coord::types::RangedCoordf64;
use plotters::drawing::DrawingArea;
use plotters::element::Rectangle;
use plotters::style::Color;
use veracity_protocol::{Float, Plot, Scale, SeriesKind};

use super::elements::{Markers, Strokes};
use super::legend::Key;
use super::scale::{Extent, forward};
use super::sheet::{Sheet, put};
use super::style::{Dash, Look, Marker};

/// The plot area of a panel, in forward positions.
pub(super) type Chart<'s> = DrawingArea<&'s mut Sheet, Cartesian2d<RangedCoordf64, RangedCoordf64>>;

type Point = (f64, f64);

/// Lines with more points than this show dashes instead of markers.
const MOST_MARKERS: usize = 30;
/// Lines with more points than this are thin.
const DENSE: usize = 1000;
/// Part of a category's width that its bars fill.
const FILLED: f64 = 0.76;
const FILLED_BY_ONE: f64 = 0.62;
const CAP: f64 = 3.5;

/// A series of points, in forward positions; `None` where a point cannot be shown.
pub(super) struct Curve {
    pub(super) style: usize,
    shape: Shape,
    points: Vec<Option<Point>>,
}

enum Shape {
    Line,
    Scatter,
    /// Lower and upper end for each point; infinite beyond the axis, `None` if unknown.
    ErrorBars(Vec<(Option<f64>, Option<f64>)>),
}

impl Curve {
    /// The curve of a series of points; `None` for bars and heat maps.
    pub(super) fn new(plot: &Plot, kind: &SeriesKind, style: usize) -> Option<Self> {
        let (sx, sy) = (plot.x.scale, plot.y.scale);
        let point = |x: Float, y: Float| forward(sx, x.0).zip(forward(sy, y.0));
        let (shape, points) = match kind {
            SeriesKind::Line { points } => {
                (Shape::Line, points.iter().map(|&(x, y)| point(x, y)).collect())
            }
            SeriesKind::Scatter { points } => {
                (Shape::Scatter, points.iter().map(|&(x, y)| point(x, y)).collect())
            }
            SeriesKind::ErrorBars { points } => (
                Shape::ErrorBars(points.iter().map(|p| (end(sy, p.1), end(sy, p.3))).collect()),
                points.iter().map(|p| point(p.0, p.2)).collect(),
            ),
            SeriesKind::Bars { .. } | SeriesKind::HeatMap { .. } => return None,
        };
        Some(Curve { style, shape, points })
    }

    /// Horizontal positions of what can be shown.
    pub(super) fn xs(&self) -> impl Iterator<Item = f64> {
        self.points.iter().flatten().map(|point| point.0)
    }

    /// Vertical positions of what can be shown, error bars included.
    pub(super) fn ys(&self) -> impl Iterator<Item = f64> {
        let ends = match &self.shape {
            Shape::ErrorBars(ends) => ends.as_slice(),
            _ => &[],
        };
        let ends = ends
            .iter()
            .zip(&self.points)
            .filter(|(_, point)| point.is_some())
            .flat_map(|(&(low, high), _)| [low, high])
            .flatten();
        self.points.iter().flatten().map(|point| point.1).chain(ends.filter(|end| end.is_finite()))
    }

    /// Whether a point or a part of a line lies within the axes.
    pub(super) fn is_visible(&self, x: &Extent, y: &Extent) -> bool {
        self.points.iter().flatten().any(|p| x.contains(p.0) && y.contains(p.1))
            || (matches!(self.shape, Shape::Line) && !self.parts(x, y).is_empty())
    }

    /// Its mark in the legend.
    pub(super) fn key(&self) -> Key {
        match self.shape {
            Shape::Line if self.has_markers() => Key::Marked,
            Shape::Line => Key::Dashes,
            Shape::Scatter => Key::Markers,
            Shape::ErrorBars(_) => Key::ErrorBars,
        }
    }

    fn has_markers(&self) -> bool {
        self.points.len() <= MOST_MARKERS
    }

    /// Draws the curve; `pixel` is the width of a pixel in forward positions.
    pub(super) fn draw(&self, chart: &Chart, x: &Extent, y: &Extent, pixel: f64, look: &Look) {
        let color = look.color(self.style);
        let shape = Marker::of(self.style);
        let inside =
            || self.points.iter().flatten().copied().filter(|p| x.contains(p.0) && y.contains(p.1));
        match &self.shape {
            Shape::Line => {
                let marked = self.has_markers();
                let dash = if marked { Dash::Solid } else { Dash::of(self.style) };
                let width = if self.points.len() > DENSE { 1.2 } else { 1.8 };
                put(chart, &Strokes::new(self.parts(x, y), color, width, dash));
                if marked {
                    put(chart, &Markers { points: inside().collect(), shape, color });
                }
            }
            Shape::Scatter => put(chart, &Markers { points: inside().collect(), shape, color }),
            Shape::ErrorBars(ends) => {
                let cap = CAP * pixel;
                let mut bars = Vec::new();
                for (&(low, high), point) in ends.iter().zip(&self.points) {
                    let Some((px, py)) = point.filter(|p| x.contains(p.0)) else {
                        continue;
                    };
                    let (bottom, top) = (low.unwrap_or(py), high.unwrap_or(py));
                    let (bottom, top) = (bottom.min(top), bottom.max(top));
                    if top < y.low || bottom > y.high {
                        continue;
                    }
                    bars.push(vec![(px, bottom.max(y.low)), (px, top.min(y.high))]);
                    for end in [low, high].into_iter().flatten().filter(|&end| y.contains(end)) {
                        bars.push(vec![
                            ((px - cap).max(x.low), end),
                            ((px + cap).min(x.high), end),
                        ]);
                    }
                }
                put(chart, &Strokes::new(bars, color, 1.4, Dash::Solid));
                put(chart, &Markers { points: inside().collect(), shape, color });
            }
        }
    }

    /// The line in the parts that lie within the axes and between gaps.
    fn parts(&self, x: &Extent, y: &Extent) -> Vec<Vec<Point>> {
        let mut parts: Vec<Vec<Point>> = Vec::new();
        for pair in self.points.windows(2) {
            let [Some(from), Some(to)] = *pair else {
                continue;
            };
            let Some((from, to)) = clipped(from, to, x, y) else {
                continue;
            };
            match parts.last_mut() {
                Some(part) if part.last() == Some(&from) => part.push(to),
                _ => parts.push(vec![from, to]),
            }
        }
        parts
    }
}

/// End of an error bar: what a logarithmic axis cannot show lies infinitely far down.
fn end(scale: Scale, end: Float) -> Option<f64> {
    let beyond = if end.0 == f64::INFINITY { f64::INFINITY } else { f64::NEG_INFINITY };
    (!end.0.is_nan()).then(|| forward(scale, end.0).unwrap_or(beyond))
}

/// The part of a segment within the axes (Liang and Barsky).
fn clipped(from: Point, to: Point, x: &Extent, y: &Extent) -> Option<(Point, Point)> {
    if [from, to].iter().all(|p| (x.low..=x.high).contains(&p.0) && (y.low..=y.high).contains(&p.1))
    {
        return Some((from, to));
    }
    let (dx, dy) = (to.0 - from.0, to.1 - from.1);
    let (mut enter, mut leave) = (0.0_f64, 1.0_f64);
    for (rate, room) in
        [(-dx, from.0 - x.low), (dx, x.high - from.0), (-dy, from.1 - y.low), (dy, y.high - from.1)]
    {
        if rate == 0.0 {
            if room < 0.0 {
                return None;
            }
        } else if rate < 0.0 {
            enter = enter.max(room / rate);
        } else {
            leave = leave.min(room / rate);
        }
    }
    let at = |t: f64| match t {
        0.0 => from,
        1.0 => to,
        t => ((from.0 + t * dx).clamp(x.low, x.high), (from.1 + t * dy).clamp(y.low, y.high)),
    };
    (enter <= leave).then(|| (at(enter), at(leave)))
}

/// Bars of one plot: for each series its style, and a height for each category.
pub(super) struct Bars {
    pub(super) categories: Vec<String>,
    pub(super) series: Vec<(usize, Vec<Option<f64>>)>,
}

impl Bars {
    /// The bars of a plot; categories in the order in which they first appear.
    pub(super) fn new(plot: &Plot, styles: &[usize]) -> Self {
        let mut bars = Bars { categories: Vec::new(), series: Vec::new() };
        let named = |series: &veracity_protocol::Series| match &series.kind {
            SeriesKind::Bars { bars } => bars.clone(),
            _ => Vec::new(),
        };
        for (category, _) in plot.series.iter().flat_map(named) {
            if !bars.categories.contains(&category) {
                bars.categories.push(category);
            }
        }
        for (series, &style) in plot.series.iter().zip(styles) {
            let given = named(series);
            let height = |category: &String| {
                let (_, height) = given.iter().find(|(name, _)| name == category)?;
                forward(plot.y.scale, height.0)
            };
            bars.series.push((style, bars.categories.iter().map(height).collect()));
        }
        bars
    }

    /// Tops of the bars.
    pub(super) fn ys(&self) -> impl Iterator<Item = f64> {
        self.series.iter().flat_map(|(_, heights)| heights).flatten().copied()
    }

    /// Draws the bars from the base; categories lie at 0, 1, 2 and so on.
    pub(super) fn draw(&self, chart: &Chart, y: &Extent, look: &Look) {
        let count = self.series.len() as f64;
        let filled = if self.series.len() == 1 { FILLED_BY_ONE } else { FILLED };
        let width = filled / count;
        let gap = if self.series.len() == 1 { 0.0 } else { 0.06 * width };
        for (i, (style, heights)) in self.series.iter().enumerate() {
            for (category, height) in heights.iter().enumerate() {
                let Some(height) = height else { continue };
                let left = category as f64 - filled / 2.0 + i as f64 * width;
                let ends = (y.base(), height.clamp(y.low, y.high));
                let corners = [(left + gap / 2.0, ends.0), (left + width - gap / 2.0, ends.1)];
                put(chart, &Rectangle::new(corners, look.color(*style).filled()));
            }
        }
    }
}
