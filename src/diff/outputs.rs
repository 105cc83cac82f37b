//! What has changed of what cells put out.
//!
//! In: two sides, and where the files of their records can be read. Out: changes, by digests, and the lines that differ
//! where both outputs can be read.

use std::collections::{BTreeMap, BTreeSet};

use veracity_protocol::{Artifact, CellOutput, Table};

use super::{Change, Kind, Side, whole};
use crate::cache::CellRecord;
use crate::claims::exact;
use crate::claims::strength::Strength;
use crate::data::shown;
use crate::figure;
use crate::record::{self, Cell};

/// Reads a file of a record's folder by its name.
pub type Folder<'a> = &'a dyn Fn(&str) -> Option<Vec<u8>>;

/// Most lines that are told of an output.
const MOST: usize = 6;

/// Compares what cells put out; of those in `told` a claim tells that a value is another.
pub(super) fn compare(old: &Side, new: &Side, told: &BTreeSet<&str>, changes: &mut Vec<Change>) {
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

/// Says in words what has changed of outputs that both folders have.
pub fn spell(old: &Side, new: &Side, [before, after]: [Folder<'_>; 2], changes: &mut [Change]) {
    let read = |side: &Side, folder: Folder<'_>, name: &str| {
        let digest = side.cells.get(name)?.output.as_ref()?;
        let bytes = folder(&record::of_output(digest))?;
        let is_whole = blake3::hash(&bytes).to_hex().as_str() == digest;
        is_whole.then(|| record::output(&bytes))?.map(|record| lines(&record))
    };
    for change in changes.iter_mut().filter(|it| it.kind == Kind::Output) {
        let was = read(old, before, &change.what);
        let is = read(new, after, &change.what);
        let (Some(was), Some(is)) = (was, is) else { continue };
        let start = was.iter().zip(&is).take_while(|(a, b)| a == b).count();
        let most = was.len().min(is.len()) - start;
        let same = was.iter().rev().zip(is.iter().rev()).take(most);
        let end = same.take_while(|(a, b)| a == b).count();
        let part = |lines: &[String]| {
            let differ = &lines[start..lines.len() - end];
            let mut told = differ.iter().take(MOST).cloned().collect::<Vec<_>>();
            if let more @ 1.. = differ.len().saturating_sub(MOST) {
                told.push(format!("… and {more} more lines"));
            }
            (!told.is_empty()).then(|| told.join("\n"))
        };
        let (from, to) = (part(&was), part(&is));
        if from.is_some() || to.is_some() {
            (change.from, change.to) = (from, to);
        }
    }
}

/// What a cell put out, as lines.
fn lines(record: &CellRecord) -> Vec<String> {
    let CellRecord { output: CellOutput { artifacts, values }, stdout, stderr, .. } = record;
    let mut all: Vec<String> = stdout.lines().map(str::to_owned).collect();
    for artifact in artifacts {
        match artifact {
            Artifact::Table(table) => all.extend(rows(table)),
            Artifact::Figure(it) => {
                all.extend([&it.label, &it.caption, &it.alt].into_iter().flatten().cloned());
                all.extend(it.plots.iter().flat_map(|plot| {
                    let title = plot.title.iter().cloned();
                    title.chain([plot.x.label.clone(), plot.y.label.clone()])
                }));
                all.extend(figure::csv(it).lines().map(str::to_owned));
            }
            Artifact::Text { text } => all.extend(text.lines().map(str::to_owned)),
            Artifact::Check(check) => {
                let outcome = Strength::of(check);
                all.push(format!("{}: {}: {outcome}", check.name, check.statement));
                all.extend(check.counterexample.clone());
            }
            Artifact::File { .. } => {}
        }
    }
    all.extend(values.iter().map(|it| {
        let value = format!("{} = {}", it.name, exact::full(&it.value));
        it.unit.iter().fold(value, |value, unit| format!("{value} {unit}"))
    }));
    all.extend(stderr.lines().map(str::to_owned));
    all
}

fn rows(table: &Table) -> impl Iterator<Item = String> + '_ {
    let heading = table.columns.iter().map(|column| match &column.unit {
        Some(unit) => format!("{} ({unit})", column.heading),
        None => column.heading.clone(),
    });
    let row = |cells: &[String]| format!("| {} |", cells.join(" | "));
    let header = row(&heading.collect::<Vec<_>>());
    let above = table.label.iter().chain(&table.caption).cloned();
    above.chain([header]).chain(table.rows.iter().map(move |cells| row(cells)))
}
