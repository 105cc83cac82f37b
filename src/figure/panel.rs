//! What a panel shows: its kind, its extents, its legend and the room they need.

use veracity_protocol::{Plot, SeriesKind};

use super::Area;
use super::axes;
use super::heat::{self, Heat};
use super::legend::{Key, Legend};
use super::marks::{Bars, Curve};
use super::scale::{Anchored, Extent};
use super::style::Look;
use super::text::Root;

/// Largest part of the width that a legend at the side may take.
const SIDE: f64 = 0.3;
const SIDE_GAP: f64 = 16.0;

/// Room that the panels of a row leave alike, so that their axes line up, in pixels.
#[derive(Clone, Copy, Debug, Default, PartialEq)]
pub(super) struct Room {
    pub(super) title: f64,
    pub(super) x_label: f64,
    pub(super) legend: f64,
}

impl Room {
    /// The larger room of two.
    pub(super) fn max(self, other: Room) -> Room {
        Room {
            title: self.title.max(other.title),
            x_label: self.x_label.max(other.x_label),
            legend: self.legend.max(other.legend),
        }
    }
}

/// A panel, ready to draw.
pub(super) struct Panel<'a> {
    pub(super) plot: &'a Plot,
    pub(super) content: Content,
    legend: Legend,
    empty: bool,
}

/// What a panel shows.
pub(super) enum Content {
    /// Lines, markers and error bars over two axes of numbers.
    Curves { curves: Vec<Curve>, x: Extent, y: Extent },
    /// Bars over categories.
    Bars { bars: Bars, y: Extent },
    /// A heat map over two lists of categories.
    Heat(Heat),
}

impl<'a> Panel<'a> {
    /// Prepares a panel; `styles` numbers the styles of its series.
    ///
    /// # Errors
    /// If an axis has an impossible range or the kinds of the series share no axes.
    pub(super) fn new(plot: &'a Plot, styles: &[usize]) -> Result<Self, String> {
        let is_bars = |kind: &SeriesKind| matches!(kind, SeriesKind::Bars { .. });
        let is_heat = |kind: &SeriesKind| matches!(kind, SeriesKind::HeatMap { .. });
        let count = |test: &dyn Fn(&SeriesKind) -> bool| {
            plot.series.iter().filter(|series| test(&series.kind)).count()
        };
        let (bars, heat) = (count(&is_bars), count(&is_heat));
        let (content, empty) = if heat > 0 {
            if plot.series.len() > 1 {
                return Err("a heat map cannot share its axes with another series; give it a panel of its own".into());
            }
            let heat = Heat::new(&plot.series[0].kind);
            let empty = heat.is_empty();
            (Content::Heat(heat), empty)
        } else if bars > 0 {
            if bars < plot.series.len() {
                return Err("bars stand over categories and cannot share axes with lines or markers; give each a panel of its own".into());
            }
            let bars = Bars::new(plot, styles);
            let ys: Vec<f64> = bars.ys().collect();
            let y = Extent::of(&plot.y, &ys, Anchored::Zero)?;
            (Content::Bars { bars, y }, ys.is_empty())
        } else {
            let curves: Vec<Curve> = plot
                .series
                .iter()
                .zip(styles)
                .filter_map(|(series, &style)| Curve::new(plot, &series.kind, style))
                .collect();
            let collect =
                |of: fn(&Curve) -> Vec<f64>| curves.iter().flat_map(of).collect::<Vec<f64>>();
            let x = Extent::of(&plot.x, &collect(|curve| curve.xs().collect()), Anchored::Free)?;
            let y = Extent::of(&plot.y, &collect(|curve| curve.ys().collect()), Anchored::Free)?;
            let empty = !curves.iter().any(|curve| curve.is_visible(&x, &y));
            (Content::Curves { curves, x, y }, empty)
        };
        let legend = legend(plot, styles, &content);
        Ok(Panel { plot, content, legend, empty })
    }

    /// Whether there is nothing to draw.
    pub(super) fn is_empty(&self) -> bool {
        self.empty
    }

    /// Its named series.
    pub(super) fn legend(&self) -> Legend {
        self.legend.clone()
    }

    /// Room that it needs in a width; `own_legend` is its legend unless the figure has one for all.
    pub(super) fn room(&self, width: f64, own_legend: Option<&Legend>) -> Room {
        Room {
            title: axes::title_height(self.plot.title.as_deref(), width),
            x_label: axes::x_label_height(&self.plot.x.label, width),
            legend: own_legend.map_or(0.0, |legend| legend.below(width).height),
        }
    }

    /// Height in pixels that suits the panel.
    pub(super) fn natural_height(&self, several: bool) -> f64 {
        let least = if several { 330.0 } else { 420.0 };
        match &self.content {
            Content::Heat(heat) if axes::are_numbers(&heat.rows) => least,
            Content::Heat(heat) => (heat.rows.len() as f64 * 22.0 + 120.0).clamp(least, 900.0),
            _ => least,
        }
    }

    /// Draws the panel, alone in its figure, with its legend beside or below it.
    pub(super) fn draw_alone(&self, root: &Root, area: Area, look: &Look) {
        let side = self.legend.beside();
        let inner = Area { width: area.width - side.width - SIDE_GAP, ..area };
        let room = self.room(inner.width, None);
        let at_side = !self.legend.is_one_row(area.width)
            && side.width <= SIDE * area.width
            && side.height <= area.height - room.title;
        if at_side {
            let frame = self.draw_axes(root, inner, room, look);
            side.draw(root, inner.right() + SIDE_GAP, frame.top, look);
        } else {
            let room = self.room(area.width, Some(&self.legend));
            self.draw(root, area, room, Some(&self.legend), look);
        }
    }

    /// Draws the panel, with a legend of its own below if it has one.
    pub(super) fn draw(
        &self,
        root: &Root,
        area: Area,
        room: Room,
        legend: Option<&Legend>,
        look: &Look,
    ) {
        let frame = self.draw_axes(root, area, room, look);
        if let Some(legend) = legend {
            let below = legend.below(area.width);
            let centred = frame.left + (frame.width - below.width) / 2.0;
            let left = centred.min(area.right() - below.width).max(area.left);
            below.draw(root, left, area.bottom() - room.legend, look);
        }
    }

    fn draw_axes(&self, root: &Root, area: Area, room: Room, look: &Look) -> Area {
        axes::draw_title(root, area, self.plot.title.as_deref(), look);
        let inner = Area {
            top: area.top + room.title,
            height: area.height - room.title - room.legend,
            ..area
        };
        match &self.content {
            Content::Heat(heat) => heat::draw(root, inner, self.plot, heat, room.x_label, look),
            _ => axes::draw(root, inner, self, room.x_label, look),
        }
    }
}

fn legend(plot: &Plot, styles: &[usize], content: &Content) -> Legend {
    let keys: Vec<(Key, bool)> = match content {
        Content::Curves { curves, x, y } => {
            curves.iter().map(|curve| (curve.key(), !curve.is_visible(x, y))).collect()
        }
        Content::Bars { bars, .. } => {
            let empty = |heights: &Vec<Option<f64>>| heights.iter().all(Option::is_none);
            bars.series.iter().map(|(_, heights)| (Key::Swatch, empty(heights))).collect()
        }
        Content::Heat(_) => Vec::new(),
    };
    let named =
        plot.series.iter().zip(styles).zip(keys).filter(|((series, _), _)| !series.name.is_empty());
    let entry =
        |((series, &style), (key, empty)): ((&veracity_protocol::Series, &usize), (Key, bool))| {
            let note = if empty { " (no data)" } else { "" };
            (format!("{}{note}", series.name), style, key)
        };
    Legend { entries: named.map(entry).collect() }
}
