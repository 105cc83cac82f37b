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
pub mod outputs;
mod passages;
mod side;
pub mod words;

pub use change::{Change, Kind};
pub use side::Side;

use std::collections::{BTreeMap, BTreeSet};

use crate::data::shown;
use crate::math::canonical;
use crate::record::Exemption;

/// Most claims that are named of those that rest on other code.
const MOST_NAMED: usize = 10;

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
    let others: Vec<&str> =
        pairs.iter().filter(on_other_code).filter_map(|it| Some(it.new?.id.as_str())).collect();
    let what = match others.len() {
        1 => "1 claim rests on other code".to_owned(),
        many => format!("{many} claims rest on other code"),
    };
    if !others.is_empty() {
        let more = match others.len().saturating_sub(MOST_NAMED) {
            0 => String::new(),
            more => format!(" and {more} more"),
        };
        let to = others[..others.len().min(MOST_NAMED)].join(", ") + &more;
        changes.push(Change { to: Some(to), ..whole(Kind::Code, &what) });
    }
    measured(old, new, &mut changes);
    outputs::compare(old, new, &told(&pairs), &mut changes);
    data(old, new, &mut changes);
    environment(old, new, &mut changes);
    let exempt = Exempt::of(old, new);
    exempt.tell(&mut changes);
    passages::compare(old, new, &pairs, &exempt, &mut changes);
    changes.sort_by_key(|change| change.kind);
    changes
}

/// What cannot be compared, since one side does not hold it, in sentences.
pub fn uncompared(old: &Side, new: &Side) -> Vec<&'static str> {
    let mut all = Vec::new();
    if old.passages.is_none() || new.passages.is_none() {
        all.push(
            "sentences, headings and captions were not compared: a side was made by a version that wrote none, or other ones",
        );
    }
    if old.has_outputs() != new.has_outputs() {
        all.push(
            "what cells put out was not compared: a side was made by a version that wrote of it what claims read; `check --locked` runs it",
        );
    }
    all
}

/// Cells that are now said to give something else each time.
fn measured(old: &Side, new: &Side, changes: &mut Vec<Change>) {
    let before = old.clocks();
    for (name, _) in new.clocks().into_iter().filter(|(_, is_measured)| *is_measured) {
        if before.get(name) == Some(&false) {
            changes.push(Change {
                from: Some("compared with what it was".to_owned()),
                to: Some("measured, so that it may be anything".to_owned()),
                ..whole(Kind::Measured, name)
            });
        }
    }
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

fn data(old: &Side, new: &Side, changes: &mut Vec<Change>) {
    let mut names: BTreeSet<&String> = old.data.keys().chain(new.data.keys()).collect();
    if !(old.is_record() && new.is_record()) {
        // A ledger names those that claims rest on.
        let used: BTreeSet<String> =
            side::used(&old.claims).chain(side::used(&new.claims)).map(|(name, _)| name).collect();
        names.retain(|name| used.contains(*name));
    }
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

/// Exemptions that only one side has.
struct Exempt {
    added: Vec<Exemption>,
    gone: Vec<Exemption>,
}

impl Exempt {
    fn of(old: &Side, new: &Side) -> Self {
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
        let beyond = |all: &BTreeMap<[String; 3], (usize, Exemption)>, others: &BTreeMap<_, _>| {
            let more = all.iter().flat_map(|(key, (times, exemption))| {
                let there = others.get(key).map_or(0, |(times, _): &(usize, Exemption)| *times);
                std::iter::repeat_n(exemption.clone(), times.saturating_sub(there))
            });
            more.collect()
        };
        Self { added: beyond(&after, &before), gone: beyond(&before, &after) }
    }

    fn tell(&self, changes: &mut Vec<Change>) {
        let said = |exemption: &Exemption| match exemption.reason.as_str() {
            "" => format!("“{}”", exemption.text),
            reason => format!("“{}”: {reason}", exemption.text),
        };
        let change = |kind, it: &Exemption| Change {
            place: place(&it.path, it.line, it.column),
            ..whole(kind, &it.path)
        };
        for it in &self.added {
            changes.push(Change { to: Some(said(it)), ..change(Kind::Exempted, it) });
        }
        for it in &self.gone {
            changes.push(Change { from: Some(said(it)), ..change(Kind::Claimed, it) });
        }
    }
}

fn place(path: &str, line: Option<usize>, column: Option<usize>) -> Option<String> {
    Some(format!("{path}:{}:{}", line?, column?))
}
