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
        let count = |test: &dyn Fn(&SeriesKind) -> bool| plot.series.iter().filter(|series| test(&series.kind)).count();
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
            let collect = |of: fn(&Curve) -> Vec<f64>| curves.iter().flat_map(of).collect::<Vec<f64>>();
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

    /// Height in pixels that suits the panel.
    pub(super) fn natural_height(&self, several: bool) -> f64 {
        let least = if several { 330.0 } else { 420.0 };
        match &self.content {
            Content::Heat(heat) => (heat.rows.len() as f64 * 22.0 + 120.0).clamp(least, 900.0),
            _ => least,
        }
    }

    /// Draws the panel into an area.
    pub(super) fn draw(&self, root: &Root, area: Area, look: &Look, own_legend: bool, several: bool) {
        let mut inner = Area { top: area.top + 4.0, height: area.height - 8.0, ..area };
        if let Content::Heat(heat) = &self.content {
            heat::draw(root, inner, self.plot, heat, look);
            return;
        }
        if !own_legend || self.legend.entries.is_empty() {
            axes::draw(root, inner, self, look);
            return;
        }
        let side = self.legend.beside();
        let at_side = !several && !self.legend.is_one_row(area.width) && side.width <= SIDE * area.width;
        if at_side && side.height <= inner.height {
            inner.width -= side.width + 16.0;
            let frame = axes::draw(root, inner, self, look);
            side.draw(root, inner.right() + 16.0, frame.top, look);
        } else {
            let below = self.legend.below(inner.width);
            inner.height -= below.height;
            let frame = axes::draw(root, inner, self, look);
            let centred = frame.left + (frame.width - below.width) / 2.0;
            let left = centred.min(inner.right() - below.width).max(inner.left);
            below.draw(root, left, inner.bottom(), look);
        }
    }
}

fn legend(plot: &Plot, styles: &[usize], content: &Content) -> Legend {
    let keys: Vec<Key> = match content {
        Content::Curves { curves, .. } => curves.iter().map(Curve::key).collect(),
        Content::Bars { bars, .. } => vec![Key::Swatch; bars.series.len()],
        Content::Heat(_) => Vec::new(),
    };
    let named = plot.series.iter().zip(styles).zip(keys).filter(|((series, _), _)| !series.name.is_empty());
    Legend { entries: named.map(|((series, &style), key)| (series.name.clone(), style, key)).collect() }
}
