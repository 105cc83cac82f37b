//! Axes of a panel of curves or bars: title, labels, ticks and grid around the plot area.

use plotters::coord::cartesian::Cartesian2d;
use plotters::coord::types::RangedCoordf64;

use super::Area;
use super::elements::{Anchor, Strokes};
use super::font::{self, Weight};
use super::marks::Chart;
use super::panel::{Content, Panel};
use super::scale::{Ticks, labels, round_numbers};
use super::sheet::{at, put, units};
use super::style::{Dash, LABEL_SIZE, Look, TICK_SIZE, TITLE_SIZE};
use super::text::{Face, Root, fits, height, wrap};

pub(super) const TICK: f64 = 5.0;
const MINOR_TICK: f64 = 3.0;
const LABEL_GAP: f64 = 4.0;
/// Between ticks and their labels, and between labels.
pub(super) const SPACE: f64 = 4.0;
const TILT: i32 = -40;
const LONGEST_TILTED: f64 = 140.0;

/// Labels of categories along the bottom.
pub(super) enum Categories {
    /// Upright, in lines; every so many are shown.
    Upright { lines: Vec<Vec<String>>, every: usize },
    /// Equally spaced numbers, of which there are too many: ticks at round ones between them, with
    /// their places in slots.
    Ruler(Vec<(f64, String)>),
    /// Tilted, where upright ones would collide.
    Tilted { lines: Vec<Vec<String>>, every: usize },
}

/// Draws all but title and legend; returns the plot area.
pub(super) fn draw(root: &Root, area: Area, panel: &Panel, x_label_room: f64, look: &Look) -> Area {
    let plot = panel.plot;
    let (Content::Curves { y, .. } | Content::Bars { y, .. }) = &panel.content else {
        return area;
    };

    let x_label = x_label_lines(&plot.x.label, area.width);
    let mut frame = Area {
        left: area.left + 60.0,
        top: area.top + 6.0,
        width: area.width - 74.0,
        height: area.height - 60.0,
    };
    let mut y_ticks = Ticks::default();
    let mut x_ticks = Ticks::default();
    let mut categories = None;
    let mut y_label = Vec::new();
    for _ in 0..3 {
        y_ticks = y.ticks(((frame.height / 42.0) as usize).clamp(2, 9));
        y_label = wrap(&plot.y.label, LABEL_SIZE, Weight::Regular, frame.height, 2);
        let left = height(y_label.len(), LABEL_SIZE) + 2.0 + widest(&y_ticks) + SPACE + TICK;
        let mut right = 8.0;
        let labels_below = match &panel.content {
            Content::Curves { x, .. } => {
                x_ticks = x_ticks_that_fit(x, frame.width);
                if let Some((position, label)) = x_ticks.major.last() {
                    let beyond = frame.width * (x.high - position) / (x.high - x.low);
                    right = (tick_width(label) / 2.0 - beyond + 2.0).max(right);
                }
                TICK_SIZE * 1.25
            }
            Content::Bars { bars, .. } => {
                let slot = frame.width / bars.categories.len().max(1) as f64;
                let labels = category_labels(&bars.categories, slot);
                let height = labels.height();
                categories = Some(labels);
                height
            }
            Content::Heat(_) => 0.0,
        };
        let below = TICK + SPACE + labels_below + x_label_room;
        frame = Area {
            left: area.left + left,
            top: area.top + 6.0,
            width: (area.width - left - right).max(20.0),
            height: (area.height - 6.0 - below).max(20.0),
        };
    }

    let horizontal: Vec<f64> = y_ticks
        .major
        .iter()
        .map(|(v, _)| frame.bottom() - frame.height * (v - y.low) / (y.high - y.low))
        .collect();
    let grid = |lines: Vec<[(f64, f64); 2]>| strokes(root, lines, look.grid, 1.0);
    grid(horizontal.iter().map(|&v| [(frame.left, v), (frame.right(), v)]).collect());
    match &panel.content {
        Content::Curves { x, .. } => {
            let place = |v: f64| frame.left + frame.width * (v - x.low) / (x.high - x.low);
            grid(
                x_ticks
                    .major
                    .iter()
                    .map(|(v, _)| [(place(*v), frame.top), (place(*v), frame.bottom())])
                    .collect(),
            );
            bottom_ticks(root, frame, &x_ticks, place, look);
        }
        Content::Bars { bars, .. } => {
            let count = bars.categories.len().max(1) as f64;
            let chart = chart(root, frame, (-0.5, count - 0.5), (y.low, y.high));
            bars.draw(&chart, y, look);
            let base = frame.bottom() - frame.height * (y.base() - y.low) / (y.high - y.low);
            strokes(root, vec![[(frame.left, base), (frame.right(), base)]], look.ink, 1.0);
            if let Some(categories) = &categories {
                categories.draw(root, frame, frame.width / count, look);
            }
        }
        Content::Heat(_) => {}
    }
    if panel.is_empty() {
        let middle = (frame.left + frame.width / 2.0, frame.top + frame.height / 2.0);
        Face::new(LABEL_SIZE, look.quiet).write_centred(
            root,
            middle,
            Anchor::Middle,
            "no data to draw",
        );
    }

    let place = |v: f64| frame.bottom() - frame.height * (v - y.low) / (y.high - y.low);
    left_ticks(root, frame, &y_ticks, place, look);
    strokes(root, vec![[(frame.left, frame.top), (frame.left, frame.bottom())]], look.ink, 1.0);
    if !matches!(panel.content, Content::Bars { .. }) || y.base() == y.low {
        strokes(
            root,
            vec![[(frame.left, frame.bottom()), (frame.right(), frame.bottom())]],
            look.ink,
            1.0,
        );
    }
    draw_labels(root, area, frame, x_label_room, &x_label, &y_label, look);
    if let Content::Curves { curves, x, y } = &panel.content {
        let chart = chart(root, frame, (x.low, x.high), (y.low, y.high));
        let pixel = (x.high - x.low) / frame.width;
        for curve in curves {
            curve.draw(&chart, x, y, pixel, look);
        }
    }
    frame
}

/// Draws the title at the top of an area.
pub(super) fn draw_title(root: &Root, area: Area, title: Option<&str>, look: &Look) {
    let face = Face::new(TITLE_SIZE, look.ink).bold();
    let middle = (area.left + area.width / 2.0, area.top);
    face.write_lines(root, middle, Anchor::Middle, &title_lines(title, area.width));
}

/// Height in pixels of a title.
pub(super) fn title_height(title: Option<&str>, width: f64) -> f64 {
    match title_lines(title, width).len() {
        0 => 0.0,
        lines => height(lines, TITLE_SIZE) + 4.0,
    }
}

fn title_lines(title: Option<&str>, width: f64) -> Vec<String> {
    wrap(title.unwrap_or_default(), TITLE_SIZE, Weight::Bold, width - 12.0, 3)
}

/// Height in pixels of the label of the horizontal axis, in a panel of a width.
pub(super) fn x_label_height(label: &str, width: f64) -> f64 {
    match x_label_lines(label, width).len() {
        0 => 0.0,
        lines => height(lines, LABEL_SIZE) + LABEL_GAP,
    }
}

/// Lines of the label of the horizontal axis, in a panel of a width.
pub(super) fn x_label_lines(label: &str, width: f64) -> Vec<String> {
    wrap(label, LABEL_SIZE, Weight::Regular, width - 70.0, 2)
}

/// Writes the labels of both axes around the plot area, at the edges of the area.
pub(super) fn draw_labels(
    root: &Root,
    area: Area,
    frame: Area,
    x_room: f64,
    x: &[String],
    y: &[String],
    look: &Look,
) {
    let face = Face::new(LABEL_SIZE, look.ink);
    let top = area.bottom() - x_room + LABEL_GAP;
    face.write_lines(root, (frame.left + frame.width / 2.0, top), Anchor::Middle, x);
    for (i, line) in y.iter().enumerate() {
        let base = area.left + LABEL_SIZE * 0.95 + height(i, LABEL_SIZE);
        face.write(root, (base, frame.top + frame.height / 2.0), Anchor::Middle, -90, line);
    }
}

/// The plot area as a plotters chart in forward positions.
pub(super) fn chart<'s>(root: &Root<'s>, frame: Area, x: (f64, f64), y: (f64, f64)) -> Chart<'s> {
    let across = units(frame.left)..units(frame.right());
    let down = units(frame.bottom())..units(frame.top);
    root.apply_coord_spec(Cartesian2d::<RangedCoordf64, RangedCoordf64>::new(
        x.0..x.1,
        y.0..y.1,
        (across, down),
    ))
}

/// Draws thin straight lines, as one path.
pub(super) fn strokes(
    root: &Root,
    lines: Vec<[(f64, f64); 2]>,
    color: plotters::style::RGBColor,
    width: f64,
) {
    let parts = lines.into_iter().map(|line| line.map(|(x, y)| at(x, y)).to_vec()).collect();
    put(root, &Strokes::new(parts, color, width, Dash::Solid));
}

/// Draws ticks and labels at the left of the plot area.
fn left_ticks(root: &Root, frame: Area, ticks: &Ticks, place: impl Fn(f64) -> f64, look: &Look) {
    let mark = |v: f64, length: f64| [(frame.left - length, place(v)), (frame.left, place(v))];
    let marks = ticks
        .major
        .iter()
        .map(|(v, _)| mark(*v, TICK))
        .chain(ticks.minor.iter().map(|&v| mark(v, MINOR_TICK)));
    strokes(root, marks.collect(), look.ink, 1.0);
    let face = Face::new(TICK_SIZE, look.ink);
    for (v, label) in &ticks.major {
        face.write_centred(root, (frame.left - TICK - SPACE, place(*v)), Anchor::End, label);
    }
}

fn bottom_ticks(root: &Root, frame: Area, ticks: &Ticks, place: impl Fn(f64) -> f64, look: &Look) {
    let mark =
        |v: f64, length: f64| [(place(v), frame.bottom()), (place(v), frame.bottom() + length)];
    let marks = ticks
        .major
        .iter()
        .map(|(v, _)| mark(*v, TICK))
        .chain(ticks.minor.iter().map(|&v| mark(v, MINOR_TICK)));
    strokes(root, marks.collect(), look.ink, 1.0);
    let face = Face::new(TICK_SIZE, look.ink);
    for (v, label) in &ticks.major {
        face.write_lines(
            root,
            (place(*v), frame.bottom() + TICK + SPACE - 1.0),
            Anchor::Middle,
            std::slice::from_ref(label),
        );
    }
}

/// As many ticks as leave space between their labels.
fn x_ticks_that_fit(x: &super::scale::Extent, width: f64) -> Ticks {
    let mut most = ((width / 36.0) as usize).clamp(2, 10);
    loop {
        let ticks = x.ticks(most);
        let place = |v: f64| width * (v - x.low) / (x.high - x.low);
        let collide = ticks.major.windows(2).any(|pair| {
            place(pair[1].0) - place(pair[0].0)
                < (tick_width(&pair[0].1) + tick_width(&pair[1].1)) / 2.0 + 10.0
        });
        if !collide || most <= 2 {
            return ticks;
        }
        most -= 1;
    }
}

fn tick_width(label: &str) -> f64 {
    font::width(label, TICK_SIZE, Weight::Regular)
}

fn widest(ticks: &Ticks) -> f64 {
    ticks.major.iter().map(|(_, label)| tick_width(label)).fold(0.0, f64::max)
}

/// Whether all labels are numbers, of which some may be left out.
pub(super) fn are_numbers(names: &[String]) -> bool {
    names.iter().all(|name| name.trim().parse::<f64>().is_ok())
}

/// The smallest of 1, 2, 5, 10, 20 and so on that is at least `least`.
pub(super) fn round_stride(least: f64) -> usize {
    let strides = std::iter::successors(Some(1), |decade| Some(10 * decade))
        .flat_map(|decade| [1, 2, 5].map(|n| n * decade));
    strides.take(18).find(|&stride| stride as f64 >= least).unwrap_or(1_000_000)
}

/// Ticks at round numbers for categories that are equally spaced numbers, at most `most`, with their
/// places: 0.5 is the middle of the first category.
pub(super) fn ruler(names: &[String], most: usize) -> Option<Vec<(f64, String)>> {
    let numbers: Vec<f64> =
        names.iter().map(|name| name.trim().parse().ok()).collect::<Option<_>>()?;
    let (first, last) = (*numbers.first()?, *numbers.last()?);
    let step = (last - first) / (numbers.len() - 1) as f64;
    let is_at = |(i, v): (usize, &f64)| (first + i as f64 * step - v).abs() <= 1e-6 * step.abs();
    if !step.is_normal() || !numbers.iter().enumerate().all(is_at) {
        return None;
    }
    let finest = if numbers.iter().all(|v| v.fract() == 0.0) { 1.0 } else { 0.0 };
    let ticks = round_numbers(first.min(last), first.max(last), most, finest);
    let labels = labels(&ticks);
    Some(ticks.iter().map(|v| (v - first) / step + 0.5).zip(labels).collect())
}

/// Labels of categories that are `slot` pixels apart: in lines, thinned out if they are numbers,
/// or tilted.
pub(super) fn category_labels(names: &[String], slot: f64) -> Categories {
    let room = slot - 2.0 * SPACE;
    let lines = |width: f64| {
        names.iter().map(|name| wrap(name, TICK_SIZE, Weight::Regular, width, 3)).collect()
    };
    if names.iter().all(|name| fits(name, TICK_SIZE, Weight::Regular, room, 3)) {
        return Categories::Upright { lines: lines(room), every: 1 };
    }
    let widest_of = |ticks: &[(f64, String)]| {
        ticks.iter().map(|(_, label)| tick_width(label)).fold(0.0, f64::max)
    };
    let rulers = (2..=10).rev().filter_map(|most| ruler(names, most)).find(|ticks| {
        let least = widest_of(ticks) + 10.0;
        ticks.windows(2).all(|pair| slot * (pair[1].0 - pair[0].0).abs() >= least)
    });
    if let Some(ticks) = rulers {
        return Categories::Ruler(ticks);
    }
    if are_numbers(names) {
        let widest = names.iter().map(|name| tick_width(name)).fold(0.0, f64::max);
        let every = round_stride((widest + 2.0 * SPACE) / slot);
        return Categories::Upright { lines: lines(f64::INFINITY), every };
    }
    let most = if slot >= 40.0 { 2 } else { 1 };
    let lines = names
        .iter()
        .map(|name| wrap(name, TICK_SIZE, Weight::Regular, LONGEST_TILTED, most))
        .collect();
    Categories::Tilted { lines, every: (18.0 / slot).ceil().max(1.0) as usize }
}

impl Categories {
    /// Height of the labels in pixels.
    pub(super) fn height(&self) -> f64 {
        match self {
            Categories::Upright { lines, .. } => {
                height(lines.iter().map(Vec::len).max().unwrap_or(0), TICK_SIZE)
            }
            Categories::Ruler(_) => TICK + height(1, TICK_SIZE),
            Categories::Tilted { lines, .. } => {
                let (sin, cos) = f64::from(TILT).to_radians().sin_cos();
                let long = lines.iter().flatten().map(|line| tick_width(line)).fold(0.0, f64::max);
                let deep = lines.iter().map(Vec::len).max().unwrap_or(0);
                long * sin.abs() + height(deep, TICK_SIZE) * cos
            }
        }
    }

    /// Writes the labels below the plot area.
    pub(super) fn draw(&self, root: &Root, frame: Area, slot: f64, look: &Look) {
        let face = Face::new(TICK_SIZE, look.ink);
        let middle = |i: usize| frame.left + slot * (i as f64 + 0.5);
        let top = frame.bottom() + SPACE;
        match self {
            Categories::Upright { lines, every } => {
                for (i, lines) in lines.iter().enumerate().step_by(*every) {
                    face.write_lines(root, (middle(i), top), Anchor::Middle, lines);
                }
            }
            Categories::Ruler(ticks) => {
                let place = |at: f64| frame.left + slot * at;
                let ends = |at| [(place(at), frame.bottom()), (place(at), frame.bottom() + TICK)];
                strokes(root, ticks.iter().map(|(at, _)| ends(*at)).collect(), look.ink, 1.0);
                for (at, label) in ticks {
                    let below = (place(*at), top + TICK);
                    face.write_lines(root, below, Anchor::Middle, std::slice::from_ref(label));
                }
            }
            Categories::Tilted { lines, every } => {
                let (sin, cos) = f64::from(TILT).to_radians().sin_cos();
                for (i, lines) in lines.iter().enumerate().step_by(*every) {
                    let start = middle(i)
                        + 5.0
                        + height(lines.len().saturating_sub(1), TICK_SIZE) * sin / 2.0;
                    for (k, line) in lines.iter().enumerate() {
                        let (dx, dy) = (-sin * height(k, TICK_SIZE), cos * height(k, TICK_SIZE));
                        let base = (start + dx, top + 0.75 * TICK_SIZE + dy);
                        face.write(root, base, Anchor::End, TILT, line);
                    }
                }
            }
        }
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn numbers_at_equal_distances_get_ticks_at_round_ones() {
        let seconds = |i: usize| i as f64 * 0.0145;
        let names: Vec<String> = (0..76).map(|i| seconds(i).to_string()).collect();
        let ticks = ruler(&names, 6).expect("they are equally spaced");
        let labels: Vec<&str> = ticks.iter().map(|(_, label)| label.as_str()).collect();
        assert_eq!(labels, ["0.0", "0.2", "0.4", "0.6", "0.8", "1.0"]);
        for (at, label) in &ticks {
            let value: f64 = label.parse().expect("a number");
            assert!((0.0145 * (at - 0.5) - value).abs() < 1e-12, "{label} at {at}");
        }
        let falling: Vec<String> = (0..20).rev().map(|i| (4 * i).to_string()).collect();
        let ticks = ruler(&falling, 5).expect("they are equally spaced");
        assert_eq!(ticks[0], (19.5, "0".to_owned()));
        assert_eq!(ruler(&["1", "2", "4"].map(str::to_owned), 5), None);
        assert_eq!(ruler(&["1", "b", "3"].map(str::to_owned), 5), None);
        assert_eq!(ruler(&["1".to_owned()], 5), None);
    }
}
