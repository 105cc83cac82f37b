//! What a reader sees of what a cell put out, apart from what claims compare.
//!
//! In: what a cell put out, the names of the values that claims read, and the words that inline values
//! print. Out: a digest that stays the same as long as nothing else looks different. Tables, text,
//! checks and inline values count as they are printed; points of figures and numbers that no claim
//! reads count to [`DIGITS`] digits, more than any of them is drawn with, so that the last bits of
//! another processor are no change. Files have digests of their own.

use std::collections::BTreeSet;

use serde_json::{Value as Json, json};
use veracity_protocol::{Artifact, CellOutput, Figure, Float, SeriesKind, Value};

use crate::cache::CellRecord;

/// Digits to which numbers count.
const DIGITS: usize = 6;

/// The digest, hexadecimal.
pub(super) fn digest(record: &CellRecord, claimed: &BTreeSet<&str>, printed: &[String]) -> String {
    let CellRecord { output: CellOutput { artifacts, values }, stdout, stderr, .. } = record;
    let artifacts: Vec<Json> = artifacts.iter().filter_map(artifact).collect();
    let values = values.iter().filter(|published| !claimed.contains(published.name.as_str()));
    let values: Vec<Json> =
        values.map(|published| json!([published.name, value(&published.value)])).collect();
    let shown = json!([artifacts, values, printed, stdout, stderr]).to_string();
    blake3::hash(shown.as_bytes()).to_hex().to_string()
}

fn artifact(artifact: &Artifact) -> Option<Json> {
    match artifact {
        Artifact::File { .. } => None,
        Artifact::Figure(figure) => {
            let mut figure = figure.clone();
            round_all(&mut figure);
            Some(json!(figure))
        }
        Artifact::Check(_) | Artifact::Table(_) | Artifact::Text { .. } => Some(json!(artifact)),
    }
}

fn value(value: &Value) -> Json {
    let all = |values: &[Float]| values.iter().map(|it| rounded(it.0)).collect::<Vec<_>>();
    match value {
        Value::Float { value } => json!(rounded(value.0)),
        Value::Series { values } => json!(all(values)),
        Value::Sample { seeds, values } => json!([seeds, all(values)]),
        Value::Integer { .. }
        | Value::Rational { .. }
        | Value::Bool { .. }
        | Value::Text { .. } => {
            json!(value)
        }
    }
}

/// Rounds the numbers of a figure; its labels are words, even if they have digits.
fn round_all(figure: &mut Figure) {
    let round = |number: &mut Float| {
        number.0 = rounded(number.0).parse().expect("it was a number");
    };
    for plot in &mut figure.plots {
        for (low, high) in [&mut plot.x, &mut plot.y].into_iter().filter_map(|it| it.range.as_mut())
        {
            [low, high].into_iter().for_each(round);
        }
        for series in &mut plot.series {
            match &mut series.kind {
                SeriesKind::Line { points } | SeriesKind::Scatter { points } => {
                    points.iter_mut().for_each(|(x, y)| [x, y].into_iter().for_each(round));
                }
                SeriesKind::ErrorBars { points } => {
                    let all =
                        points.iter_mut().flat_map(|(x, low, middle, high)| [x, low, middle, high]);
                    all.for_each(round);
                }
                SeriesKind::Bars { bars } => bars.iter_mut().for_each(|(_, height)| round(height)),
                SeriesKind::HeatMap { values, .. } => values.iter_mut().flatten().for_each(round),
            }
        }
    }
}

/// A number to so many digits; zero has no sign.
fn rounded(number: f64) -> String {
    format!("{:.*e}", DIGITS - 1, number + 0.0)
}

#[cfg(test)]
mod tests {
    use super::*;
    use veracity_protocol::{
        Axis, Check, CheckStatus, Evidence, Plot, Published, Scale, Series, SeriesKind,
    };

    fn of(number: f64, claimed: &[&str]) -> String {
        let value = Value::Float { value: Float(number) };
        let published = Published { name: "x".into(), value, unit: None, data: None, seed: None };
        let output = CellOutput { artifacts: Vec::new(), values: vec![published] };
        let record = CellRecord { output, ..CellRecord::empty() };
        digest(&record, &claimed.iter().copied().collect(), &[])
    }

    fn of_artifact(artifact: Artifact) -> String {
        let output = CellOutput { artifacts: vec![artifact], values: Vec::new() };
        digest(&CellRecord { output, ..CellRecord::empty() }, &BTreeSet::new(), &[])
    }

    #[test]
    fn a_check_counts_with_all_that_is_printed_of_it() {
        let of = |edit: &dyn Fn(&mut Check)| {
            let mut check = Check {
                name: "x".into(),
                statement: "both agree".into(),
                status: CheckStatus::Failed,
                evidence: Evidence::Tested,
                cases: 1000,
                counterexample: Some("n = 1".into()),
                equations: Vec::new(),
            };
            edit(&mut check);
            of_artifact(Artifact::Check(check))
        };
        let whole = of(&|_| ());
        assert_ne!(whole, of(&|it| it.cases = 1));
        assert_ne!(whole, of(&|it| it.counterexample = Some("n = 2".into())));
        assert_ne!(whole, of(&|it| it.evidence = Evidence::Close { tolerance: "1e-3".into() }));
    }

    #[test]
    fn of_a_figure_numbers_are_rounded_and_labels_are_not() {
        let of = |label: &str, height: f64| {
            let axis = || Axis {
                label: String::new(),
                scale: Scale::Linear,
                range: Some((Float(0.0), Float(1.0))),
            };
            let kind = SeriesKind::Bars { bars: vec![(label.into(), Float(height))] };
            let series = vec![Series { name: String::new(), kind }];
            let plots = vec![Plot { title: None, x: axis(), y: axis(), series }];
            of_artifact(Artifact::Figure(Figure { plots, caption: None, label: None, alt: None }))
        };
        assert_eq!(of("1", 0.1 + 0.2), of("1", 0.3));
        assert_eq!(of("1", -0.0), of("1", 0.0));
        assert_ne!(of("1", 0.3), of("1", 0.3001));
        assert_ne!(of("1.0000001", 0.3), of("1.0000002", 0.3));
    }

    #[test]
    fn what_inline_values_print_counts() {
        let of = |words: &[String]| digest(&CellRecord::empty(), &BTreeSet::new(), words);
        assert_ne!(of(&["0.3".into()]), of(&["0.4".into()]));
    }

    #[test]
    fn last_bits_are_not_shown_and_claimed_values_are_told_elsewhere() {
        assert_eq!(of(0.1 + 0.2, &[]), of(0.3, &[]));
        assert_ne!(of(0.3, &[]), of(0.3001, &[]));
        assert_eq!(of(0.3, &["x"]), of(0.4, &["x"]));
    }
}
