//! What a reader sees of what a cell put out, apart from what claims compare.
//!
//! In: what a cell put out, and the names of the values that claims read. Out: a digest that stays
//! the same as long as nothing else looks different. Tables and text count as they are printed; points
//! of figures and numbers that no claim reads count to [`DIGITS`] digits, more than any of them is
//! drawn with, so that the last bits of another processor are no change. Files have digests of
//! their own, and of a check its outcome counts.

use std::collections::BTreeSet;

use serde_json::{Value as Json, json};
use veracity_protocol::{Artifact, CellOutput, Float, Value};

use crate::cache::CellRecord;

/// Digits to which numbers count.
const DIGITS: usize = 6;

/// The digest, hexadecimal.
pub(super) fn digest(record: &CellRecord, claimed: &BTreeSet<&str>) -> String {
    let CellRecord { output: CellOutput { artifacts, values }, stdout, stderr, .. } = record;
    let artifacts: Vec<Json> = artifacts.iter().filter_map(artifact).collect();
    let values = values.iter().filter(|published| !claimed.contains(published.name.as_str()));
    let values: Vec<Json> =
        values.map(|published| json!([published.name, value(&published.value)])).collect();
    let shown = json!([artifacts, values, stdout, stderr]).to_string();
    blake3::hash(shown.as_bytes()).to_hex().to_string()
}

fn artifact(artifact: &Artifact) -> Option<Json> {
    match artifact {
        Artifact::File { .. } => None,
        Artifact::Check(check) => Some(json!([check.name, check.statement, check.status])),
        Artifact::Figure(figure) => {
            let mut figure = json!(figure);
            round_all(&mut figure);
            Some(figure)
        }
        Artifact::Table(_) | Artifact::Text { .. } => Some(json!(artifact)),
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

/// Rounds the numbers of a figure, which stand in it as text.
fn round_all(json: &mut Json) {
    match json {
        Json::String(text) => {
            if let Ok(number) = text.parse::<f64>() {
                *text = rounded(number);
            }
        }
        Json::Array(all) => all.iter_mut().for_each(round_all),
        Json::Object(all) => all.values_mut().for_each(round_all),
        Json::Null | Json::Bool(_) | Json::Number(_) => {}
    }
}

fn rounded(number: f64) -> String {
    format!("{number:.*e}", DIGITS - 1)
}

#[cfg(test)]
mod tests {
    use super::*;
    use veracity_protocol::Published;

    fn of(number: f64, claimed: &[&str]) -> String {
        let value = Value::Float { value: Float(number) };
        let published = Published { name: "x".into(), value, unit: None, data: None, seed: None };
        let output = CellOutput { artifacts: Vec::new(), values: vec![published] };
        digest(&CellRecord { output, ..CellRecord::empty() }, &claimed.iter().copied().collect())
    }

    #[test]
    fn last_bits_are_not_shown_and_claimed_values_are_told_elsewhere() {
        assert_eq!(of(0.1 + 0.2, &[]), of(0.3, &[]));
        assert_ne!(of(0.3, &[]), of(0.3001, &[]));
        assert_eq!(of(0.3, &["x"]), of(0.4, &["x"]));
    }
}
