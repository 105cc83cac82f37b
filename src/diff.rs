//! What has changed between two records or ledgers, what matters to a reviewer first.
//!
//! In: two [`Side`]s. Out: [`Change`]s. Left out: how a side is found, which the command line
//! decides, and how changes look, which [`words`] does.
//!
//! Claims are matched by what they are about and, where several are about the same value, by what they
//! say; so a claim that is removed among its likes is the one that is told to be removed, and a
//! chapter under a new name is still the same chapter.

mod change;
mod claim;
mod matching;
mod order;
mod passages;
mod side;
pub mod words;

pub use change::{Change, Kind};
pub use side::Side;

use std::collections::{BTreeMap, BTreeSet};

use crate::data::shown;
use crate::math::canonical;
use crate::record::{Cell, Exemption};

/// Compares two sides.
pub fn compare(old: &Side, new: &Side) -> Vec<Change> {
    let mut changes = Vec::new();
    let pairs = matching::pairs(&old.claims, &new.claims);
    for pair in &pairs {
        claim::compare(pair.old, pair.new, old, new, &mut changes);
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
    passages::compare(old, new, &pairs, &mut changes);
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
            Some(digest) => shown(digest).to_owned(),
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
        files.map(|file| (file.name.clone(), shown(&file.digest).to_owned())).collect()
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
        let said = |data: &crate::record::Data| format!("{} {}", data.kind, shown(&data.digest));
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
            let text = canonical(text).into_owned();
            let key = [path.clone(), text, reason.clone()];
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
    place(&exemption.path, exemption.line, exemption.column)
}

fn place(path: &str, line: Option<usize>, column: Option<usize>) -> Option<String> {
    Some(format!("{path}:{}:{}", line?, column?))
}
