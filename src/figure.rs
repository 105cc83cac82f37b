//! Draws figures.
//!
//! In: a [`Figure`], which describes its data and not its looks. Out: an SVG picture in the house
//! style for a light or a dark ground, its data as CSV, and a description in words. Left out:
//! caption and number, which the document sets, and writing files.
//!
//! `panel` decides what a panel shows and how much room its parts get; `axes`, `marks`, `heat` and
//! `legend` draw it with plotters onto a `sheet`, a plotters backend that outlines text.

mod axes;
mod elements;
mod font;
mod heat;
mod legend;
mod marks;
mod panel;
mod scale;
mod sheet;
mod style;
mod text;
mod words;

#[cfg(test)]
mod gallery;
#[cfg(test)]
mod tests;

use std::sync::Arc;

use plotters::prelude::IntoDrawingArea;
use veracity_protocol::{Figure, Series, SeriesKind};

use crate::memo::{Input, Memo};
use legend::Legend;
use panel::{Panel, Room};
use sheet::Sheet;
pub use words::{csv, describe};

/// Width of a line of text as figures set it, in the unit of its size.
pub(crate) fn text_width(text: &str, size: f64) -> f64 {
    font::width(text, size, font::Weight::Regular)
}

/// Ground on which a figure is shown; figures themselves are transparent.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub enum Theme {
    /// Dark marks, for paper and light pages.
    Light,
    /// Bright marks, for dark pages.
    Dark,
}

/// Width of the layout in pixels; several panels are shown a third larger.
const WIDTH: f64 = 720.0;
const ZOOM_OF_SEVERAL: f64 = 4.0 / 3.0;
const GAP: f64 = 18.0;
const MARGIN: f64 = 4.0;

/// A rectangle on the sheet, in pixels.
#[derive(Clone, Copy, Debug, PartialEq)]
struct Area {
    left: f64,
    top: f64,
    width: f64,
    height: f64,
}

impl Area {
    fn right(&self) -> f64 {
        self.left + self.width
    }

    fn bottom(&self) -> f64 {
        self.top + self.height
    }
}

/// A figure as readers get it.
#[derive(Clone, Debug)]
pub struct Drawn {
    /// The picture on a light ground.
    pub light: Arc<str>,
    /// The picture on a dark ground.
    pub dark: Arc<str>,
    /// The data.
    pub csv: String,
}

/// Draws a figure for both grounds; what has been drawn before is remembered by a digest, which must be of all of the
/// figure.
///
/// # Errors
/// As for [`draw`].
pub(crate) fn drawn(figure: &Figure, digest: Input) -> Result<Drawn, String> {
    static KNOWN: Memo<Result<Drawn, String>> = Memo::new(32 << 20);
    KNOWN.get(digest, || {
        let draw = |theme| draw(figure, theme).map(Arc::from);
        let drawn = draw(Theme::Light)
            .and_then(|light| Ok(Drawn { light, dark: draw(Theme::Dark)?, csv: csv(figure) }));
        let size = drawn.as_ref().map_or(0, |it| it.light.len() + it.dark.len() + it.csv.len());
        (drawn, size)
    })
}

/// Draws a figure as SVG.
///
/// Points that are not finite, or not positive on a logarithmic axis, are left out.
///
/// # Errors
/// Tells the author what is wrong with the data if there is nothing to draw, if an axis has an
/// impossible range, or if a panel mixes kinds that share no axes.
pub fn draw(figure: &Figure, theme: Theme) -> Result<String, String> {
    let styles = styles(figure);
    let panels = figure
        .plots
        .iter()
        .zip(styles)
        .enumerate()
        .map(|(i, (plot, styles))| {
            Panel::new(plot, &styles).map_err(|message| match figure.plots.len() {
                1 => message,
                _ => format!("panel {}: {message}", i + 1),
            })
        })
        .collect::<Result<Vec<_>, _>>()?;
    if panels.iter().all(Panel::is_empty) {
        return Err(nothing_to_draw(figure));
    }
    let look = style::look(theme);
    let several = panels.len() > 1;

    let columns = match panels.len() {
        4 => 2,
        n => n.min(3),
    };
    let width = (WIDTH - GAP * (columns - 1) as f64) / columns as f64;
    let legends: Vec<Legend> = panels.iter().map(Panel::legend).collect();
    let shared = several && legends.iter().all(|legend| *legend == legends[0]);
    let common = if shared { legends[0].below(WIDTH) } else { Legend::default().below(WIDTH) };
    let rows: Vec<f64> = panels
        .chunks(columns)
        .map(|row| row.iter().map(|panel| panel.natural_height(several)).fold(0.0, f64::max))
        .collect();
    let height = rows.iter().map(|row| row + GAP).sum::<f64>() - GAP + common.height;

    let mut sheet = Sheet::new(WIDTH, height);
    {
        let root = (&mut sheet).into_drawing_area();
        let mut top = MARGIN;
        for (row, &full) in rows.iter().enumerate() {
            let range = row * columns..panels.len().min((row + 1) * columns);
            let own = |i: usize| (!shared).then(|| &legends[i]);
            let room = range
                .clone()
                .map(|i| panels[i].room(width, own(i)))
                .fold(Room::default(), Room::max);
            for i in range {
                let left = (i % columns) as f64 * (width + GAP);
                let area = Area { left, top, width, height: full - 2.0 * MARGIN };
                if several {
                    panels[i].draw(&root, area, room, own(i), look);
                } else {
                    panels[i].draw_alone(&root, area, look);
                }
            }
            top += full + GAP;
        }
        common.draw(&root, (WIDTH - common.width) / 2.0, height - MARGIN - common.height, look);
    }
    let title = figure
        .caption
        .as_ref()
        .or_else(|| figure.plots.iter().find_map(|plot| plot.title.as_ref()))
        .map_or("Figure", String::as_str);
    let description = figure.alt.clone().unwrap_or_else(|| describe(figure));
    let zoom = if several { ZOOM_OF_SEVERAL } else { 1.0 };
    Ok(sheet.into_svg(zoom, title, &description))
}

/// Number of the style of every series: series of one name look alike in all panels.
fn styles(figure: &Figure) -> Vec<Vec<usize>> {
    let names: Vec<&str> = figure
        .plots
        .iter()
        .flat_map(|plot| &plot.series)
        .map(|series| series.name.as_str())
        .filter(|name| !name.is_empty())
        .fold(Vec::new(), |mut names, name| {
            if !names.contains(&name) {
                names.push(name);
            }
            names
        });
    let style = |(position, series): (usize, &Series)| {
        names.iter().position(|name| *name == series.name).unwrap_or(position)
    };
    figure.plots.iter().map(|plot| plot.series.iter().enumerate().map(style).collect()).collect()
}

fn nothing_to_draw(figure: &Figure) -> String {
    let points = |kind: &SeriesKind| match kind {
        SeriesKind::Line { points } | SeriesKind::Scatter { points } => points.len(),
        SeriesKind::ErrorBars { points } => points.len(),
        SeriesKind::Bars { bars } => bars.len(),
        SeriesKind::HeatMap { values, .. } => values.iter().map(Vec::len).sum(),
    };
    let count: usize =
        figure.plots.iter().flat_map(|plot| &plot.series).map(|series| points(&series.kind)).sum();
    match count {
        0 => "the figure holds no data".into(),
        1 => "there is nothing to draw: the only value is not finite, not positive on a logarithmic axis, or outside the range of its axis".into(),
        n => format!("there is nothing to draw: all {n} values are not finite, not positive on a logarithmic axis, or outside the range of their axis"),
    }
}
