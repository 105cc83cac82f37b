//! What has changed between two records or ledgers, what matters to a reviewer first.
//!
//! In: two [`Side`]s. Out: [`Change`]s. Left out: how a side is found, which the command line
//! decides, and how changes look, which [`words`] does.
//!
//! Claims are matched by what they are about and, where several are about the same value, by what they
//! say; so a claim that is removed among its likes is the one that is told to be removed, and a
//! chapter under a new name is still the same chapter.

mod matching;
mod side;
pub mod words;

pub use side::Side;

use std::collections::{BTreeMap, BTreeSet};

use crate::claims::Standing;
use crate::claims::exact;
use crate::claims::slack::{Shift, Stated, covers, shift};
use crate::claims::strength::Strength;
use crate::record::{Cell, Entry, Exemption};

/// A change.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct Change {
    /// What kind of change.
    pub kind: Kind,
    /// What has changed: a claim, a cell, a data set, or a name of the environment.
    pub what: String,
    /// Where it stands, as far as that is known.
    pub place: Option<String>,
    /// What it was; absent if it was not there.
    pub from: Option<String>,
    /// What it is; absent if it is no longer there.
    pub to: Option<String>,
}

/// Kinds of changes, in the order in which a reviewer wants to see them.
#[derive(Clone, Copy, Debug, PartialEq, Eq, PartialOrd, Ord)]
pub enum Kind {
    /// A claim is not as expected any more, or is new and not as expected.
    Fails,
    /// A claim can no longer be checked.
    Unchecked,
    /// A claim is now expected to be refuted.
    ExpectedRefuted,
    /// A claim is gone.
    Deleted,
    /// A claim lets pass more.
    Loosened,
    /// The check behind a claim has less to say.
    Weaker,
    /// A number of the prose need no longer be claimed.
    Exempted,
    /// A claim is compared in another way.
    Reread,
    /// Data are no longer the real, whole ones.
    DataLost,
    /// A value is another.
    Value,
    /// A cell puts out something else.
    Output,
    /// Data are other ones.
    Data,
    /// The words of a claim are others.
    Text,
    /// What stood behind the results is another.
    Environment,
    /// The code behind claims is another.
    Code,
    /// A value is another, as far as the claims on it allow.
    Moved,
    /// A cell puts out something else that no reader sees.
    Unshown,
    /// A file for download is another.
    File,
    /// A claim that is not as expected is so in another way.
    Verdict,
    /// A claim is new.
    Added,
    /// A claim lets pass less.
    Tightened,
    /// The check behind a claim has more to say.
    Stronger,
    /// A claim is no longer expected to be refuted.
    ExpectedVerified,
    /// A claim is as expected again, or can be checked again.
    Mended,
    /// An exemption is gone.
    Claimed,
}

impl Kind {
    /// The change in words.
    pub fn words(self) -> &'static str {
        match self {
            Self::Fails => "now fails",
            Self::Unchecked => "no longer checked",
            Self::ExpectedRefuted => "now expected to be refuted",
            Self::Deleted => "claim deleted",
            Self::Loosened => "tolerance loosened",
            Self::Weaker => "check weakened",
            Self::Exempted => "exemption added",
            Self::Reread => "relation changed",
            Self::DataLost => "data no longer real",
            Self::Value => "value moved",
            Self::Output => "output changed",
            Self::Data => "data changed",
            Self::Text => "text changed",
            Self::Environment => "environment changed",
            Self::Code => "code changed",
            Self::Moved => "value moved within what its claim allows",
            Self::Unshown => "output moved below what is shown",
            Self::File => "file changed",
            Self::Verdict => "verdict changed",
            Self::Added => "claim added",
            Self::Tightened => "tolerance tightened",
            Self::Stronger => "check strengthened",
            Self::ExpectedVerified => "no longer expected to be refuted",
            Self::Mended => "as expected again",
            Self::Claimed => "exemption removed",
        }
    }

    /// Whether readers can rely on less than before.
    pub fn weakens(self) -> bool {
        self <= Self::DataLost
    }

    /// Whether the author states less than before, whatever the code puts out.
    pub fn promises_less(self) -> bool {
        matches!(
            self,
            Self::ExpectedRefuted | Self::Deleted | Self::Loosened | Self::Exempted | Self::Reread
        )
    }

    /// Whether the same report, executed again elsewhere, may show it, and is none the less for it.
    pub fn is_lesser(self) -> bool {
        matches!(self, Self::Environment | Self::Code | Self::Moved | Self::Unshown | Self::File)
    }
}

/// Compares two sides.
pub fn compare(old: &Side, new: &Side) -> Vec<Change> {
    let mut changes = Vec::new();
    let pairs = matching::pairs(&old.claims, &new.claims);
    for pair in &pairs {
        claim(pair.old, pair.new, old, new, &mut changes);
    }
    let on_other_code = |pair: &&matching::Pair<'_>| {
        let (Some(before), Some(after)) = (pair.old, pair.new) else { return false };
        matches!((old.key(before), new.key(after)), (Some(old), Some(new)) if old != new)
    };
    match pairs.iter().filter(on_other_code).count() {
        0 => {}
        1 => changes.push(whole(Kind::Code, "1 claim rests on other code")),
        many => changes.push(whole(Kind::Code, &format!("{many} claims rest on other code"))),
    }
    outputs(old, new, &told(&pairs), &mut changes);
    data(old, new, &mut changes);
    environment(old, new, &mut changes);
    exemptions(old, new, &mut changes);
    changes.sort_by_key(|change| change.kind);
    changes
}

/// The cells of which a claim tells that a value is another.
fn told<'a>(pairs: &[matching::Pair<'a>]) -> BTreeSet<&'a str> {
    let both = pairs.iter().filter_map(|pair| Some((pair.old?, pair.new?)));
    both.filter(|(old, new)| old.value != new.value)
        .filter_map(|(_, new)| new.cell.as_deref())
        .collect()
}

fn whole(kind: Kind, what: &str) -> Change {
    Change { kind, what: what.to_owned(), place: None, from: None, to: None }
}

fn claim(
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
    let before = Stated { relation: &old.relation, text: &old.text };
    let after = Stated { relation: &new.relation, text: &new.text };
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
        let kind = match kind.is_none() && is_allowed(old, new) {
            true => Kind::Moved,
            false => Kind::Value,
        };
        push(kind, Some(with_unit(before, &old.unit)), Some(to));
    }
}

/// Whether a claim that says the same allows that its value has moved.
fn is_allowed(old: &Entry, new: &Entry) -> bool {
    let (Some(before), Some(after)) = (&old.value, &new.value) else { return false };
    let is_same = verdict(old) == verdict(new) && old.text == new.text && old.unit == new.unit;
    // What holds before and after allows it; what is refuted or open says how far its number reaches;
    // what is at fault allows nothing.
    let stated = Stated { relation: &new.relation, text: &new.text };
    is_same
        && match new.verdict.as_str() {
            "verified" => true,
            "refuted" | "unverified" => covers(stated, before, after),
            _ => false,
        }
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

fn outputs(old: &Side, new: &Side, told: &BTreeSet<&str>, changes: &mut Vec<Change>) {
    for (name, before) in &old.cells {
        let Some(after) = new.cells.get(name) else { continue };
        if before.measured && after.measured {
            continue;
        }
        files(name, before, after, changes);
        if before.output == after.output {
            continue;
        }
        let kind = match before.shown.is_some() && before.shown == after.shown {
            true if told.contains(name.as_str()) => continue,
            true => Kind::Unshown,
            false => Kind::Output,
        };
        let said = |output: &Option<String>| match output {
            Some(digest) => short(digest),
            None => "not run".to_owned(),
        };
        changes.push(Change {
            from: Some(said(&before.output)),
            to: Some(said(&after.output)),
            ..whole(kind, name)
        });
    }
}

fn files(cell: &str, before: &Cell, after: &Cell, changes: &mut Vec<Change>) {
    let named = |cell: &Cell| -> BTreeMap<String, String> {
        let files = cell.files.iter();
        files.map(|file| (file.name.clone(), short(&file.digest))).collect()
    };
    let (before, after) = (named(before), named(after));
    let names: BTreeSet<&String> = before.keys().chain(after.keys()).collect();
    for name in names {
        let (from, to) = (before.get(name).cloned(), after.get(name).cloned());
        if from != to {
            // A file that is there no more, or is new, is another output.
            let kind = if from.is_some() && to.is_some() { Kind::File } else { Kind::Output };
            changes.push(Change { from, to, ..whole(kind, &format!("{cell}/{name}")) });
        }
    }
}

fn data(old: &Side, new: &Side, changes: &mut Vec<Change>) {
    let names: BTreeSet<&String> = old.data.keys().chain(new.data.keys()).collect();
    for name in names {
        let (before, after) = (old.data.get(name), new.data.get(name));
        if before == after {
            continue;
        }
        let was_real = before.is_some_and(|data| data.kind == "real");
        let is_real = after.is_some_and(|data| data.kind == "real");
        let kind = if was_real && !is_real { Kind::DataLost } else { Kind::Data };
        let said = |data: &crate::record::Data| format!("{} {}", data.kind, short(&data.digest));
        changes.push(Change { from: before.map(said), to: after.map(said), ..whole(kind, name) });
    }
}

fn environment(old: &Side, new: &Side, changes: &mut Vec<Change>) {
    let map =
        |side: &Side| -> BTreeMap<String, String> { side.environment.iter().cloned().collect() };
    let (before, after) = (map(old), map(new));
    let names: BTreeSet<&String> = before.keys().chain(after.keys()).collect();
    for name in names {
        let (from, to) = (before.get(name).cloned(), after.get(name).cloned());
        if from != to {
            changes.push(Change { from, to, ..whole(Kind::Environment, name) });
        }
    }
}

fn exemptions(old: &Side, new: &Side, changes: &mut Vec<Change>) {
    // The same words may be exempt several times in a chapter.
    let count = |side: &Side| {
        let mut counts: BTreeMap<[String; 3], (usize, Exemption)> = BTreeMap::new();
        for exemption in &side.exemptions {
            // One with another reason is another one.
            let Exemption { path, text, reason, .. } = exemption;
            let key = [path, text, reason].map(String::clone);
            counts.entry(key).or_insert_with(|| (0, exemption.clone())).0 += 1;
        }
        counts
    };
    let (before, after) = (count(old), count(new));
    let said = |exemption: &Exemption| match exemption.reason.as_str() {
        "" => format!("“{}”", exemption.text),
        reason => format!("“{}”: {reason}", exemption.text),
    };
    for (key, (times, exemption)) in &after {
        let was = before.get(key).map_or(0, |(times, _)| *times);
        for _ in was..*times {
            let to = Some(said(exemption));
            changes.push(Change {
                place: place_of(exemption),
                to,
                ..whole(Kind::Exempted, &key[0])
            });
        }
    }
    for (key, (times, exemption)) in &before {
        let is = after.get(key).map_or(0, |(times, _)| *times);
        for _ in is..*times {
            let from = Some(said(exemption));
            changes.push(Change {
                place: place_of(exemption),
                from,
                ..whole(Kind::Claimed, &key[0])
            });
        }
    }
}

fn place_of(exemption: &Exemption) -> Option<String> {
    let (line, column) = (exemption.line?, exemption.column?);
    Some(format!("{}:{line}:{column}", exemption.path))
}

fn short(digest: &str) -> String {
    digest.chars().take(12).collect()
}
