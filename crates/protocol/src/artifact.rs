//! Artifacts: the typed outputs of a cell, as data.
//!
//! A figure is a description and not a picture: the host draws it, so that a change of style,
//! size or colour scheme never executes a cell again.

use serde::{Deserialize, Serialize};

use crate::Float;

/// A typed output of a cell.
#[derive(Clone, Debug, PartialEq, Serialize, Deserialize)]
#[serde(tag = "artifact", rename_all = "kebab-case")]
pub enum Artifact {
    /// A table.
    Table(Table),
    /// A figure.
    Figure(Figure),
    /// A check.
    Check(Check),
    /// Plain text, shown verbatim.
    Text {
        /// The text.
        text: String,
    },
    /// A file that the report offers for download.
    File {
        /// Name in ASCII, without a folder.
        name: String,
        /// Its bytes in Base64.
        data: String,
    },
}

/// A table of formatted cells.
#[derive(Clone, Debug, PartialEq, Serialize, Deserialize)]
#[serde(deny_unknown_fields)]
pub struct Table {
    /// Columns, left to right.
    pub columns: Vec<Column>,
    /// Rows, top to bottom, each with as many cells as there are columns.
    pub rows: Vec<Vec<String>>,
    /// Caption; the cell's `caption` option takes precedence.
    pub caption: Option<String>,
    /// Label such as `tbl-costs`; the cell's `label` option takes precedence.
    pub label: Option<String>,
}

/// A column of a [`Table`].
#[derive(Clone, Debug, PartialEq, Eq, Serialize, Deserialize)]
#[serde(deny_unknown_fields)]
pub struct Column {
    /// Heading.
    pub heading: String,
    /// Unit, shown in the heading.
    pub unit: Option<String>,
    /// Alignment of the cells.
    pub align: Align,
}

/// Horizontal alignment.
#[derive(Clone, Copy, Debug, PartialEq, Eq, Serialize, Deserialize)]
#[serde(rename_all = "kebab-case")]
pub enum Align {
    /// To the left, for words.
    Left,
    /// In the middle.
    Center,
    /// To the right, for numbers.
    Right,
}

/// A figure, described by its data.
#[derive(Clone, Debug, PartialEq, Serialize, Deserialize)]
#[serde(deny_unknown_fields)]
pub struct Figure {
    /// Panels, left to right; at least one.
    pub plots: Vec<Plot>,
    /// Caption; the cell's `caption` option takes precedence.
    pub caption: Option<String>,
    /// Label such as `fig-error`; the cell's `label` option takes precedence.
    pub label: Option<String>,
    /// Description for people who cannot see the figure.
    pub alt: Option<String>,
}

/// One panel of a [`Figure`].
#[derive(Clone, Debug, PartialEq, Serialize, Deserialize)]
#[serde(deny_unknown_fields)]
pub struct Plot {
    /// Title above the panel.
    pub title: Option<String>,
    /// Horizontal axis.
    pub x: Axis,
    /// Vertical axis.
    pub y: Axis,
    /// What is drawn, in order.
    pub series: Vec<Series>,
}

/// An axis of a [`Plot`].
#[derive(Clone, Debug, PartialEq, Serialize, Deserialize)]
#[serde(deny_unknown_fields)]
pub struct Axis {
    /// Label, unit included.
    pub label: String,
    /// Linear or logarithmic.
    pub scale: Scale,
    /// Lower and upper end; from the data if absent.
    pub range: Option<(Float, Float)>,
}

/// Scale of an [`Axis`].
#[derive(Clone, Copy, Debug, PartialEq, Eq, Serialize, Deserialize)]
#[serde(rename_all = "kebab-case")]
pub enum Scale {
    /// Linear.
    Linear,
    /// Logarithmic, base 10; data must be positive.
    Log,
}

/// One thing drawn in a [`Plot`].
#[derive(Clone, Debug, PartialEq, Serialize, Deserialize)]
#[serde(deny_unknown_fields)]
pub struct Series {
    /// Name in the legend; empty for none.
    pub name: String,
    /// How it is drawn, with its data.
    pub kind: SeriesKind,
}

/// How a [`Series`] is drawn.
#[derive(Clone, Debug, PartialEq, Serialize, Deserialize)]
#[serde(tag = "kind", rename_all = "kebab-case")]
pub enum SeriesKind {
    /// Points joined by straight lines.
    Line {
        /// Points (x, y).
        points: Vec<(Float, Float)>,
    },
    /// Markers.
    Scatter {
        /// Points (x, y).
        points: Vec<(Float, Float)>,
    },
    /// Markers with vertical bars.
    ErrorBars {
        /// Points (x, low, middle, high).
        points: Vec<(Float, Float, Float, Float)>,
    },
    /// One bar per category; series of the same plot stand side by side.
    Bars {
        /// Categories and heights.
        bars: Vec<(String, Float)>,
    },
    /// Coloured cells with a colour bar.
    HeatMap {
        /// Column labels.
        columns: Vec<String>,
        /// Row labels, top to bottom.
        rows: Vec<String>,
        /// Values, row by row.
        values: Vec<Vec<Float>>,
        /// Label of the colour bar.
        label: String,
    },
}

/// The outcome of comparing things that should agree.
#[derive(Clone, Debug, PartialEq, Serialize, Deserialize)]
#[serde(deny_unknown_fields)]
pub struct Check {
    /// Name to which claims refer.
    pub name: String,
    /// What was compared, as a sentence.
    pub statement: String,
    /// Outcome.
    pub status: CheckStatus,
    /// How strong the evidence is.
    pub evidence: Evidence,
    /// Number of single comparisons; a check of none is vacuous.
    pub cases: u64,
    /// Smallest counterexample, for people.
    pub counterexample: Option<String>,
    /// Labels of the equations that were evaluated.
    pub equations: Vec<String>,
}

/// Outcome of a [`Check`].
#[derive(Clone, Copy, Debug, PartialEq, Eq, Serialize, Deserialize)]
#[serde(rename_all = "kebab-case")]
pub enum CheckStatus {
    /// Every comparison agreed.
    Passed,
    /// Some comparison disagreed.
    Failed,
}

/// What a passed [`Check`] is worth.
#[derive(Clone, Debug, PartialEq, Serialize, Deserialize)]
#[serde(rename_all = "kebab-case")]
pub enum Evidence {
    /// Enough exact cases for a proof, with the reason.
    Proved {
        /// Why the cases suffice.
        because: String,
    },
    /// Exact comparison of every case that was tried.
    Tested,
    /// Floating-point comparison within a tolerance.
    Close {
        /// The tolerance, for people.
        tolerance: String,
    },
    /// Statistical estimate with an interval.
    Estimated {
        /// Estimate and interval, for people.
        interval: String,
    },
}
