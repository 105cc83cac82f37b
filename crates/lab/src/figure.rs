//! Figures as descriptions of what to draw.
//!
//! In: points, bars and heat maps with named axes. Out: plain data. Left out: drawing and style,
//! which belong to the report builder, so that a new style runs no cell again.

use num_traits::ToPrimitive;
use veracity_protocol::{self as protocol, Axis, Float, Scale, Series, SeriesKind};

/// A figure under construction: one panel or several side by side.
#[derive(Clone, Debug)]
pub struct Figure(protocol::Figure);

impl Figure {
    /// Starts a figure with one panel.
    ///
    /// # Panics
    ///
    /// If a logarithmic axis of the panel has data that are not positive.
    #[track_caller]
    pub fn new(plot: Plot) -> Self {
        plot.assert_drawable();
        Self(protocol::Figure { plots: vec![plot.0], caption: None, label: None, alt: None })
    }

    /// Adds a panel to the right.
    ///
    /// # Panics
    ///
    /// As [`Figure::new`].
    #[track_caller]
    pub fn panel(mut self, plot: Plot) -> Self {
        plot.assert_drawable();
        self.0.plots.push(plot.0);
        self
    }

    /// Sets the caption.
    pub fn caption(mut self, caption: impl Into<String>) -> Self {
        self.0.caption = Some(caption.into());
        self
    }

    /// Sets the label, such as `fig-error`.
    pub fn label(mut self, label: impl Into<String>) -> Self {
        self.0.label = Some(label.into());
        self
    }

    /// Sets the description for people who cannot see the figure; by default one is made of
    /// the axes and of the range of each series.
    pub fn alt(mut self, alt: impl Into<String>) -> Self {
        self.0.alt = Some(alt.into());
        self
    }

    pub(crate) fn into_protocol(mut self) -> protocol::Figure {
        if self.0.alt.is_none() {
            let panels: Vec<_> = self.0.plots.iter().map(describe).collect();
            self.0.alt = Some(panels.join(" "));
        }
        self.0
    }
}

/// One panel of a figure under construction.
///
/// ```
/// use veracity_lab::{Figure, Plot};
///
/// let times = [(64, 0.7), (128, 2.9), (256, 11.8)];
/// let plot = Plot::new("L", "time (ms)").scatter("measured", times).log_x().log_y();
/// let figure = Figure::new(plot).caption("Time of attention");
/// # drop(figure);
/// ```
#[derive(Clone, Debug)]
pub struct Plot(protocol::Plot);

impl Plot {
    /// Starts a panel with these axis labels, units included.
    pub fn new(x: impl Into<String>, y: impl Into<String>) -> Self {
        let axis = |label| Axis { label, scale: Scale::Linear, range: None };
        Self(protocol::Plot { title: None, x: axis(x.into()), y: axis(y.into()), series: vec![] })
    }

    /// Starts a panel with a heat map; `values` has one inner slice per row, top to bottom.
    ///
    /// # Panics
    ///
    /// If there are not as many values as labels.
    #[track_caller]
    pub fn heat_map<L: ToString, R: AsRef<[f64]>>(
        x: impl Into<String>,
        y: impl Into<String>,
        label: impl Into<String>,
        columns: &[L],
        rows: &[L],
        values: &[R],
    ) -> Self {
        if values.len() != rows.len() {
            panic!("{} rows of values for {} row labels", values.len(), rows.len());
        }
        for (at, row) in values.iter().enumerate() {
            let (given, labels) = (row.as_ref().len(), columns.len());
            if given != labels {
                panic!("row {} has {given} values for {labels} column labels", at + 1);
            }
        }
        let texts = |labels: &[L]| labels.iter().map(L::to_string).collect();
        let floats = |row: &R| row.as_ref().iter().copied().map(Float).collect();
        Self::new(x, y).series(
            String::new(),
            SeriesKind::HeatMap {
                columns: texts(columns),
                rows: texts(rows),
                values: values.iter().map(floats).collect(),
                label: label.into(),
            },
        )
    }

    /// Sets the title above the panel.
    pub fn title(mut self, title: impl Into<String>) -> Self {
        self.0.title = Some(title.into());
        self
    }

    /// Draws points joined by straight lines.
    pub fn line<P: Xy>(self, name: impl Into<String>, points: impl IntoIterator<Item = P>) -> Self {
        let points = floats(points);
        self.series(name, SeriesKind::Line { points })
    }

    /// Draws markers.
    pub fn scatter<P: Xy>(
        self,
        name: impl Into<String>,
        points: impl IntoIterator<Item = P>,
    ) -> Self {
        let points = floats(points);
        self.series(name, SeriesKind::Scatter { points })
    }

    /// Draws markers with vertical bars, from (x, low, middle, high).
    ///
    /// # Panics
    ///
    /// If a middle lies outside its bar.
    #[track_caller]
    pub fn error_bars<X: ToPrimitive>(
        self,
        name: impl Into<String>,
        points: impl IntoIterator<Item = (X, f64, f64, f64)>,
    ) -> Self {
        let mut bars = Vec::new();
        for (x, low, middle, high) in points {
            if low > middle || middle > high {
                panic!("the error bar from {low} to {high} does not hold its middle {middle}");
            }
            bars.push((float(&x), Float(low), Float(middle), Float(high)));
        }
        self.series(name, SeriesKind::ErrorBars { points: bars })
    }

    /// Draws one bar per category; several calls stand side by side.
    pub fn bars<C: ToString, H: ToPrimitive>(
        self,
        name: impl Into<String>,
        bars: impl IntoIterator<Item = (C, H)>,
    ) -> Self {
        let bars = bars.into_iter().map(|(name, height)| (name.to_string(), float(&height)));
        let bars = bars.collect();
        self.series(name, SeriesKind::Bars { bars })
    }

    /// Makes the horizontal axis logarithmic.
    pub fn log_x(mut self) -> Self {
        self.0.x.scale = Scale::Log;
        self
    }

    /// Makes the vertical axis logarithmic.
    pub fn log_y(mut self) -> Self {
        self.0.y.scale = Scale::Log;
        self
    }

    /// Sets the ends of the horizontal axis.
    #[track_caller]
    pub fn x_range(mut self, from: f64, to: f64) -> Self {
        self.0.x.range = Some(range(from, to));
        self
    }

    /// Sets the ends of the vertical axis.
    #[track_caller]
    pub fn y_range(mut self, from: f64, to: f64) -> Self {
        self.0.y.range = Some(range(from, to));
        self
    }

    fn series(mut self, name: impl Into<String>, kind: SeriesKind) -> Self {
        self.0.series.push(Series { name: name.into(), kind });
        self
    }

    #[track_caller]
    fn assert_drawable(&self) {
        for series in &self.0.series {
            let (xs, ys) = extent(&series.kind);
            for (axis, data) in [(&self.0.x, xs), (&self.0.y, ys)] {
                let is_log = axis.scale == Scale::Log;
                let ends = axis.range.map(|(from, _)| from.0);
                if let Some(wrong) = data.into_iter().chain(ends).find(|x| is_log && *x <= 0.0) {
                    panic!("{wrong} cannot be drawn on the logarithmic axis \"{}\"", axis.label);
                }
            }
        }
    }
}

/// A point: a pair of numbers, or a reference to one.
pub trait Xy {
    /// Gives both coordinates as doubles.
    fn xy(&self) -> (f64, f64);
}

impl<X: ToPrimitive, Y: ToPrimitive> Xy for (X, Y) {
    fn xy(&self) -> (f64, f64) {
        (float(&self.0).0, float(&self.1).0)
    }
}

impl<P: Xy> Xy for &P {
    fn xy(&self) -> (f64, f64) {
        (*self).xy()
    }
}

fn float(number: &impl ToPrimitive) -> Float {
    Float(number.to_f64().unwrap_or(f64::NAN))
}

fn floats<P: Xy>(points: impl IntoIterator<Item = P>) -> Vec<(Float, Float)> {
    points.into_iter().map(|point| point.xy()).map(|(x, y)| (Float(x), Float(y))).collect()
}

#[track_caller]
fn range(from: f64, to: f64) -> (Float, Float) {
    if !(from < to && from.is_finite() && to.is_finite()) {
        panic!("an axis cannot go from {from} to {to}");
    }
    (Float(from), Float(to))
}

/// All horizontal and all vertical numbers of a series.
fn extent(kind: &SeriesKind) -> (Vec<f64>, Vec<f64>) {
    match kind {
        SeriesKind::Line { points } | SeriesKind::Scatter { points } => {
            points.iter().map(|(x, y)| (x.0, y.0)).unzip()
        }
        SeriesKind::ErrorBars { points } => {
            points.iter().flat_map(|(x, low, _, high)| [(x.0, low.0), (x.0, high.0)]).unzip()
        }
        SeriesKind::Bars { bars } => (vec![], bars.iter().map(|(_, height)| height.0).collect()),
        SeriesKind::HeatMap { .. } => (vec![], vec![]),
    }
}

fn describe(plot: &protocol::Plot) -> String {
    let mut text = plot.title.as_ref().map_or_else(String::new, |title| format!("{title}. "));
    let scale = |axis: &Axis| match axis.scale {
        Scale::Linear => "",
        Scale::Log => ", logarithmic",
    };
    text.push_str(&format!(
        "Horizontal axis: {}{}. Vertical axis: {}{}.",
        plot.x.label,
        scale(&plot.x),
        plot.y.label,
        scale(&plot.y)
    ));
    for Series { name, kind } in &plot.series {
        let (what, count, numbers) = match kind {
            SeriesKind::Line { points } => ("line", points.len(), extent(kind).1),
            SeriesKind::Scatter { points } => ("markers", points.len(), extent(kind).1),
            SeriesKind::ErrorBars { points } => ("error bars", points.len(), extent(kind).1),
            SeriesKind::Bars { bars } => ("bars", bars.len(), extent(kind).1),
            SeriesKind::HeatMap { values, label, .. } => {
                text.push_str(&format!(" Heat map of {label}"));
                let numbers: Vec<_> = values.iter().flatten().map(|value| value.0).collect();
                ("cells", numbers.len(), numbers)
            }
        };
        let name = if name.is_empty() { what.to_owned() } else { format!("{name}, {what}") };
        let low = numbers.iter().copied().fold(f64::NAN, f64::min);
        let high = numbers.iter().copied().fold(f64::NAN, f64::max);
        let print = |number| crate::Format::significant(3).apply(&crate::Number::Float(number));
        text.push_str(&format!(" {name}: {count} from {} to {}.", print(low), print(high)));
    }
    text
}

#[cfg(test)]
mod tests {
    use super::*;

    #[track_caller]
    fn message_of(act: impl FnOnce() + std::panic::UnwindSafe) -> String {
        let panic = std::panic::catch_unwind(act).unwrap_err();
        *panic.downcast::<String>().unwrap()
    }

    #[test]
    fn a_missing_description_is_made_of_axes_and_ranges() {
        let plot = Plot::new("L", "time (ms)")
            .title("Cost")
            .line("softmax", [(1_u64, 0.5), (2, 2.0)])
            .scatter("linear", [(1.0_f32, 3_i32)])
            .log_y();
        let alt = Figure::new(plot).into_protocol().alt.unwrap();
        assert_eq!(
            alt,
            "Cost. Horizontal axis: L. Vertical axis: time (ms), logarithmic. \
             softmax, line: 2 from 0.500 to 2.00. linear, markers: 1 from 3.00 to 3.00."
        );
        let kept = Figure::new(Plot::new("x", "y")).alt("mine").into_protocol();
        assert_eq!(kept.alt.as_deref(), Some("mine"));
    }

    #[test]
    fn what_cannot_be_drawn_is_refused() {
        let plot = Plot::new("n", "error").line("", [(0, 1.0)]).log_x();
        assert!(message_of(|| drop(Figure::new(plot))).contains("logarithmic axis \"n\""));
        let ragged = || Plot::heat_map("a", "b", "c", &["1", "2"], &["1"], &[vec![0.5]]);
        assert!(message_of(move || drop(ragged())).contains("1 values for 2 column labels"));
        assert!(
            message_of(|| drop(Plot::new("x", "y").error_bars("", [(1, 2.0, 1.0, 3.0)])))
                .contains("does not hold")
        );
        assert!(message_of(|| drop(Plot::new("x", "y").x_range(1.0, 1.0))).contains("cannot go"));
    }

    #[test]
    fn panels_stand_in_order() {
        let heat = Plot::heat_map("k", "q", "weight", &["a"], &["b"], &[[0.25]]);
        let figure =
            Figure::new(Plot::new("x", "y").bars("n", [("a", 3)])).panel(heat).into_protocol();
        assert_eq!(figure.plots.len(), 2);
        assert!(figure.alt.unwrap().ends_with("Heat map of weight cells: 1 from 0.250 to 0.250."));
    }
}
