//! Heat maps: coloured cells between two lists of categories, and their colour bar.

use plotters::element::Rectangle;
use plotters::style::Color;
use veracity_protocol::{Plot, SeriesKind};

use super::Area;
use super::axes::{self, SPACE, TICK};
use super::elements::{Anchor, Raster};
use super::font::{self, Weight};
use super::scale::{fixed, labels, round_numbers};
use super::sheet::put;
use super::style::{LABEL_SIZE, Look, Ramp, TICK_SIZE, readable_on};
use super::text::{Face, Root, height, wrap};

const BAR: f64 = 14.0;
const BAR_GAP: f64 = 16.0;
const BAR_STEPS: usize = 96;
const WIDEST_ROW_LABEL: f64 = 140.0;
/// Colours diverge from zero if the smaller side reaches this part of the larger.
const LEAST_BALANCE: f64 = 0.2;
/// Heat maps of more cells are images.
const MOST_SHAPES: usize = 1500;
/// Each cell reaches this far under its neighbours, so that no ground shows between them.
const OVERLAP: f64 = 0.6;

/// A heat map's values by row and column, with names for both.
pub(super) struct Heat {
    pub(super) rows: Vec<String>,
    columns: Vec<String>,
    values: Vec<Vec<Option<f64>>>,
    label: String,
    low: f64,
    high: f64,
    ramp: Ramp,
}

impl Heat {
    /// The heat map of a series; rows and columns without a name bear their number.
    pub(super) fn new(kind: &SeriesKind) -> Self {
        let SeriesKind::HeatMap { columns, rows, values, label } = kind else {
            return Heat {
                rows: Vec::new(),
                columns: Vec::new(),
                values: Vec::new(),
                label: String::new(),
                low: 0.0,
                high: 0.0,
                ramp: Ramp::Sequential,
            };
        };
        let width = values.iter().map(Vec::len).max().unwrap_or(0).max(columns.len());
        let depth = values.len().max(rows.len());
        let named = |names: &[String], count: usize| -> Vec<String> {
            (0..count)
                .map(|i| names.get(i).cloned().unwrap_or_else(|| (i + 1).to_string()))
                .collect()
        };
        let value = |row: usize, column: usize| {
            values.get(row)?.get(column).map(|v| v.0).filter(|v| v.is_finite())
        };
        let values: Vec<Vec<Option<f64>>> =
            (0..depth).map(|row| (0..width).map(|column| value(row, column)).collect()).collect();
        let (low, high) = values
            .iter()
            .flatten()
            .flatten()
            .fold((f64::INFINITY, f64::NEG_INFINITY), |(low, high), &v| (low.min(v), high.max(v)));
        let balanced =
            low < 0.0 && high > 0.0 && (-low).min(high) >= LEAST_BALANCE * (-low).max(high);
        let ramp = if balanced { Ramp::Diverging } else { Ramp::Sequential };
        let (low, high) = match ramp {
            Ramp::Diverging => (-high.max(-low), high.max(-low)),
            Ramp::Sequential if low == high => {
                let pad = 0.5 * low.abs().max(1.0);
                ((low - pad).max(f64::MIN), (high + pad).min(f64::MAX))
            }
            Ramp::Sequential if low > 0.0 && low < 0.05 * high => (0.0, high),
            Ramp::Sequential => (low, high),
        };
        Heat {
            rows: named(rows, depth),
            columns: named(columns, width),
            values,
            label: label.clone(),
            low,
            high,
            ramp,
        }
    }

    /// Whether no cell has a finite value.
    pub(super) fn is_empty(&self) -> bool {
        self.values.iter().flatten().flatten().next().is_none()
    }

    fn fraction(&self, value: f64) -> f64 {
        // Halved first: the span of two floats may exceed the largest float.
        ((value / 2.0 - self.low / 2.0) / (self.high / 2.0 - self.low / 2.0)).clamp(0.0, 1.0)
    }
}

/// Draws a heat map with its labels and colour bar; returns the area of its cells.
pub(super) fn draw(
    root: &Root,
    area: Area,
    plot: &Plot,
    heat: &Heat,
    x_label_room: f64,
    look: &Look,
) -> Area {
    if heat.is_empty() {
        let middle = (area.left + area.width / 2.0, area.top + area.height / 2.0);
        Face::new(LABEL_SIZE, look.quiet).write_centred(
            root,
            middle,
            Anchor::Middle,
            "no data to draw",
        );
        return area;
    }
    let tick_width = |label: &String| font::width(label, TICK_SIZE, Weight::Regular);
    let widest = |labels: &[String]| labels.iter().map(tick_width).fold(0.0, f64::max);
    let most = (area.height * 0.8 / heat.rows.len() as f64 / height(1, TICK_SIZE)).clamp(1.0, 3.0)
        as usize;
    let room = WIDEST_ROW_LABEL.min(area.width / 3.0);
    let rows: Vec<Vec<String>> =
        heat.rows.iter().map(|name| wrap(name, TICK_SIZE, Weight::Regular, room, most)).collect();
    let dense = TICK_SIZE * 2.0 * rows.len() as f64 > area.height * 0.8;
    let ruler = dense.then(|| axes::ruler(&heat.rows, ((area.height / 42.0) as usize).clamp(2, 9)));
    let ruler = ruler.flatten();
    let row_room = match &ruler {
        Some(ticks) => ticks.iter().map(|(_, label)| tick_width(label)).fold(TICK, f64::max) + TICK,
        None => widest(&rows.concat()),
    };

    let bar_values =
        round_numbers(heat.low, heat.high, ((area.height / 50.0) as usize).clamp(2, 9), 0.0);
    let bar_labels = labels(&bar_values);
    let bar_title = wrap(&heat.label, LABEL_SIZE, Weight::Regular, area.height - 60.0, 2);
    let y_label = wrap(&plot.y.label, LABEL_SIZE, Weight::Regular, area.height - 60.0, 2);

    let left = height(y_label.len(), LABEL_SIZE) + 4.0 + row_room + 2.0 * SPACE;
    let right = BAR_GAP
        + BAR
        + TICK
        + SPACE
        + widest(&bar_labels)
        + 6.0
        + height(bar_title.len(), LABEL_SIZE);
    let width = (area.width - left - right).max(20.0);
    let x_label = axes::x_label_lines(&plot.x.label, area.width);
    let slot = width / heat.columns.len() as f64;
    let columns = axes::category_labels(&heat.columns, slot);
    let below = 2.0 * SPACE + columns.height() + x_label_room;
    let frame = Area {
        left: area.left + left,
        top: area.top + 6.0,
        width,
        height: (area.height - 6.0 - below).max(20.0),
    };

    draw_cells(root, frame, heat, look);
    columns.draw(root, frame, slot, look);
    let depth = frame.height / rows.len() as f64;
    let every = axes::round_stride(TICK_SIZE * 1.25 / depth);
    let face = Face::new(TICK_SIZE, look.ink);
    let place = |at: f64| frame.top + depth * at;
    let marks = ruler
        .iter()
        .flatten()
        .map(|(at, _)| [(frame.left - TICK, place(*at)), (frame.left, place(*at))]);
    axes::strokes(root, marks.collect(), look.ink, 1.0);
    for (at, label) in ruler.iter().flatten() {
        face.write_centred(root, (frame.left - TICK - SPACE, place(*at)), Anchor::End, label);
    }
    let rows = if ruler.is_some() { Vec::new() } else { rows };
    for (i, row) in rows.iter().enumerate().step_by(every) {
        let top = frame.top + depth * (i as f64 + 0.5) - height(row.len(), TICK_SIZE) / 2.0;
        face.write_lines(root, (frame.left - 2.0 * SPACE, top), Anchor::End, row);
    }
    axes::draw_labels(root, area, frame, x_label_room, &x_label, &y_label, look);

    let bar = Area { left: frame.right() + BAR_GAP, width: BAR, ..frame };
    draw_bar(root, bar, heat);
    let place = |v: f64| bar.bottom() - bar.height * heat.fraction(v);
    let marks = bar_values
        .iter()
        .map(|&v| [(bar.right(), place(v)), (bar.right() + TICK, place(v))])
        .collect();
    axes::strokes(root, marks, look.ink, 1.0);
    for (&v, label) in bar_values.iter().zip(&bar_labels) {
        face.write_centred(root, (bar.right() + TICK + SPACE, place(v)), Anchor::Start, label);
    }
    let face = Face::new(LABEL_SIZE, look.ink);
    for (i, line) in bar_title.iter().enumerate() {
        let base = bar.right()
            + TICK
            + SPACE
            + widest(&bar_labels)
            + 6.0
            + LABEL_SIZE * 0.95
            + height(i, LABEL_SIZE);
        face.write(root, (base, bar.top + bar.height / 2.0), Anchor::Middle, -90, line);
    }
    frame
}

fn draw_cells(root: &Root, frame: Area, heat: &Heat, look: &Look) {
    let (columns, rows) = (heat.columns.len() as f64, heat.rows.len() as f64);
    let chart = axes::chart(root, frame, (0.0, columns), (rows, 0.0));
    let (over_x, over_y) = (OVERLAP * columns / frame.width, OVERLAP * rows / frame.height);
    let color = |value: Option<f64>| {
        value.map_or(look.missing, |value| heat.ramp.color(heat.fraction(value)))
    };
    if heat.rows.len() * heat.columns.len() > MOST_SHAPES {
        let cells = heat.values.iter().map(|row| row.iter().map(|&value| color(value)).collect());
        put(&chart, &Raster { corners: [(0.0, 0.0), (columns, rows)], cells: cells.collect() });
        return;
    }
    for (r, row) in heat.values.iter().enumerate() {
        let bottom = ((r + 1) as f64 + over_y).min(rows);
        let mut column = 0;
        for run in row.chunk_by(|a, b| color(*a) == color(*b)) {
            let right = ((column + run.len()) as f64 + over_x).min(columns);
            put(
                &chart,
                &Rectangle::new(
                    [(column as f64, r as f64), (right, bottom)],
                    color(run[0]).filled(),
                ),
            );
            column += run.len();
        }
    }
    let shown = cell_labels(heat);
    let widest = shown
        .iter()
        .flatten()
        .flatten()
        .map(|text| font::width(text, TICK_SIZE, Weight::Regular))
        .fold(0.0, f64::max);
    let (width, depth) = (frame.width / columns, frame.height / rows);
    if widest + 8.0 > width || depth < TICK_SIZE * 1.4 {
        return;
    }
    for (r, (texts, row)) in shown.iter().zip(&heat.values).enumerate() {
        for (c, (text, value)) in texts.iter().zip(row).enumerate() {
            let Some(text) = text else { continue };
            let middle =
                (frame.left + width * (c as f64 + 0.5), frame.top + depth * (r as f64 + 0.5));
            Face::new(TICK_SIZE, readable_on(color(*value))).write_centred(
                root,
                middle,
                Anchor::Middle,
                text,
            );
        }
    }
}

/// The value of each cell: whole numbers in full, others with three significant digits of the largest.
fn cell_labels(heat: &Heat) -> Vec<Vec<Option<String>>> {
    let values = || heat.values.iter().flatten().flatten();
    let largest = values().fold(0.0_f64, |a, v| a.max(v.abs()));
    if largest >= 1e6 || (largest > 0.0 && largest < 1e-2) {
        return Vec::new();
    }
    let decimals = if values().all(|v| v.fract() == 0.0) {
        0
    } else {
        (2 - largest.log10().floor() as i32).clamp(0, 4) as usize
    };
    heat.values
        .iter()
        .map(|row| row.iter().map(|v| v.map(|v| fixed(v, decimals, largest))).collect())
        .collect()
}

fn draw_bar(root: &Root, bar: Area, heat: &Heat) {
    let chart = axes::chart(root, bar, (0.0, 1.0), (0.0, 1.0));
    let step = 1.0 / BAR_STEPS as f64;
    for i in 0..BAR_STEPS {
        let bottom = i as f64 * step;
        let top = (bottom + 1.5 * step).min(1.0);
        put(
            &chart,
            &Rectangle::new(
                [(0.0, bottom), (1.0, top)],
                heat.ramp.color(bottom + step / 2.0).filled(),
            ),
        );
    }
}
