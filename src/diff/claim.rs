//! What has changed of one claim.
//!
//! In: its entry on either side. Out: changes. Left out: which entries are the same claim's, which is
//! [`super::matching`]'s.

use super::{Change, Kind, Side};
use crate::claims::Standing;
use crate::claims::exact;
use crate::claims::slack::{Shift, Stated, allows, covers, shift};
use crate::claims::strength::Strength;
use crate::record::Entry;

/// Compares what two sides say of a claim; either may lack it.
pub(super) fn compare(
    old: Option<&Entry>,
    new: Option<&Entry>,
    old_side: &Side,
    new_side: &Side,
    changes: &mut Vec<Change>,
) {
    let Some(at) = new.or(old) else { return };
    let mut push = |kind, from: Option<String>, to: Option<String>| {
        changes.push(Change { kind, what: at.id.clone(), place: place(at), from, to });
    };
    let (old, new) = match (old, new) {
        (Some(old), Some(new)) => (old, new),
        (Some(old), None) => return push(Kind::Deleted, Some(stated(old)), None),
        (None, Some(new)) => {
            return match new.standing() {
                Standing::Bad => push(Kind::Fails, None, Some(verdict(new))),
                _ => push(Kind::Added, None, Some(format!("{}: {}", stated(new), verdict(new)))),
            };
        }
        (None, None) => return,
    };
    let verdicts = || (Some(verdict(old)), Some(verdict(new)));
    let kind = match (old.standing(), new.standing()) {
        (Standing::Good | Standing::Open, Standing::Bad) => Some(Kind::Fails),
        (Standing::Good, Standing::Open) => Some(Kind::Unchecked),
        (Standing::Bad | Standing::Open, Standing::Good) => Some(Kind::Mended),
        // What failed and is not checked any more is no better for it.
        (Standing::Bad, Standing::Open) => Some(Kind::Unchecked),
        (Standing::Good, Standing::Good) => None,
        _ if verdict(old) != verdict(new) => Some(Kind::Verdict),
        _ => None,
    };
    if let Some(kind) = kind {
        let (from, to) = verdicts();
        push(kind, from, to);
    }
    match (old.expected.as_str(), new.expected.as_str()) {
        (before, after) if before == after => {}
        (before, after) => {
            let kind = match after {
                "refuted" => Kind::ExpectedRefuted,
                _ => Kind::ExpectedVerified,
            };
            push(kind, Some(before.to_owned()), Some(after.to_owned()));
        }
    }
    let before = in_words(old, old_side);
    let after = in_words(new, new_side);
    let kind = match shift(before, after) {
        Shift::Same => None,
        Shift::Looser => Some(Kind::Loosened),
        Shift::Tighter => Some(Kind::Tightened),
        // What was not even compared has no relation of its own; a table is judged without a value.
        Shift::Other
            if (old.value.is_none() || new.value.is_none())
                && [old, new].iter().any(|it| it.verdict != "verified") =>
        {
            None
        }
        Shift::Other => Some(Kind::Reread),
    };
    let kind = kind.or_else(|| (old.because != new.because).then_some(Kind::Reread));
    if let Some(kind) = kind {
        push(kind, Some(stated(old)), Some(stated(new)));
    } else if old.text != new.text {
        push(Kind::Text, Some(old.text.clone()), Some(new.text.clone()));
    }
    let real = |entry: &Entry| entry.dataset.as_ref().map(|data| data.kind == "real");
    let said = |entry: &Entry| match &entry.dataset {
        Some(data) => format!("{} ({})", data.name, data.kind),
        None => "no data named".to_owned(),
    };
    if real(old) == Some(true) && new.value.is_some() && real(new) != Some(true) {
        push(Kind::DataLost, Some(said(old)), Some(said(new)));
    }
    let is_measured = old_side.is_measured(old) && new_side.is_measured(new);
    if let (Some(before), Some(after)) = (&old.value, &new.value)
        && let Some(kind) = strength(before, after)
        && old.verdict == new.verdict
    {
        push(kind, Some(before.clone()), Some(after.clone()));
    } else if let (Some(before), Some(after)) = (&old.value, &new.value)
        && (before != after || old.unit != new.unit)
        && !is_measured
    {
        let with_unit = |value: &str, unit: &Option<String>| match unit {
            Some(unit) => format!("{value} {unit}"),
            None => value.to_owned(),
        };
        let way = way(before, after).map(|way| format!(" ({way})")).unwrap_or_default();
        let to = with_unit(after, &new.unit) + &way;
        let kind = match kind.is_none() && is_allowed(old, new, new_side) {
            true => Kind::Moved,
            false => Kind::Value,
        };
        push(kind, Some(with_unit(before, &old.unit)), Some(to));
    }
}

/// Whether a claim that says the same allows that its value has moved.
fn is_allowed(old: &Entry, new: &Entry, side: &Side) -> bool {
    let (Some(before), Some(after)) = (&old.value, &new.value) else { return false };
    let is_same = verdict(old) == verdict(new) && old.text == new.text && old.unit == new.unit;
    // What holds before and after allows it; what is refuted or open says how far its number reaches;
    // what is at fault allows nothing.
    let stated = in_words(new, side);
    is_same
        && match new.verdict.as_str() {
            "verified" => allows(stated, before, after),
            "refuted" | "unverified" => covers(stated, before, after),
            _ => false,
        }
}

fn in_words<'a>(claim: &'a Entry, side: &'a Side) -> Stated<'a> {
    Stated { relation: &claim.relation, text: &claim.text, language: side.language.as_deref() }
}

fn place(entry: &Entry) -> Option<String> {
    match (entry.path.as_str(), entry.line, entry.column) {
        ("", ..) => None,
        (path, Some(line), Some(column)) => Some(format!("{path}:{line}:{column}")),
        (path, ..) => Some(path.to_owned()),
    }
}

fn stated(entry: &Entry) -> String {
    let mut words = format!("“{}” {}", entry.text, entry.relation);
    if !entry.because.is_empty() {
        words.push_str(&format!("; because: {}", entry.because.join(", ")));
    }
    words
}

fn verdict(entry: &Entry) -> String {
    match &entry.reason {
        Some(reason) => format!("{} ({reason})", entry.verdict),
        None => entry.verdict.clone(),
    }
}

/// How the worth of a check has changed, by its outcome in words.
fn strength(before: &str, after: &str) -> Option<Kind> {
    // A ledger may have thousands of values, most of them numbers that stay.
    if before == after {
        return None;
    }
    let before = Strength::read(before)?;
    // A value that is said to be true says less than a check.
    let Some(after) = Strength::read(after) else { return Some(Kind::Weaker) };
    match before.to(&after) {
        Shift::Looser | Shift::Other => Some(Kind::Weaker),
        Shift::Tighter => Some(Kind::Stronger),
        Shift::Same => None,
    }
}

/// How far a value has moved, as a part of what it was.
fn way(before: &str, after: &str) -> Option<String> {
    let (before, after) = (exact::decimal(before)?, exact::decimal(after)?);
    let zero = num_rational::BigRational::from(num_bigint::BigInt::ZERO);
    if before == zero {
        return None;
    }
    let size = if before < zero { -before.clone() } else { before.clone() };
    let hundred = num_rational::BigRational::from(num_bigint::BigInt::from(100));
    let percent = (after - before) / size * hundred;
    let sign = if percent < zero { "" } else { "+" };
    Some(match exact::fixed(&percent, 2).as_str() {
        "0.00" | "-0.00" => "by less than 0.01 %".to_owned(),
        shown => format!("{sign}{shown} %"),
    })
}
