//! A build from a record, without kernel and toolchain.
//!
//! In: a plan whose foundation is the recorded one, and the record. Out: what each cell put out
//! when it was recorded, if its key is still the same; otherwise it counts as not run, with a
//! problem at its place. Left out: the claims, which are judged as in any other build.

use std::collections::{BTreeMap, BTreeSet};

use super::{FILE, Lock, elsewhere, printed};
use crate::cache::CellRecord;
use crate::claims::{Reason, published};
use crate::data::DataSet;
use crate::diag::{Diagnostic, Severity};
use crate::diff::{self, Kind, Side};
use crate::document::Document;
use crate::exec::{self, CellResult, CellStatus, Executed, ExecutedChapter};
use crate::passages;
use crate::pipeline::Evaluated;
use crate::plan::{CellPlan, ChapterPlan, Foundation, Plan};

/// The foundation on which recorded keys were computed.
///
/// `sources` is the digest of the code that the report brings now; `at_hand` are the data sets that
/// are there now. What is there counts as it is, what is not as it was recorded.
///
/// The seed is that of the settings as they are: another one than was recorded gives other keys.
pub fn foundation(
    lock: &Lock,
    sources: &str,
    seed: u64,
    at_hand: &BTreeMap<String, DataSet>,
) -> Foundation {
    let ground = &lock.foundation;
    let datasets = lock.data.iter().filter_map(|(name, data)| {
        let set = match at_hand.get(name) {
            Some(set) => set.clone(),
            None => DataSet {
                folder: std::path::PathBuf::new(),
                kind: crate::data::kind_of(&data.kind)?,
                digest: data.digest.clone(),
            },
        };
        Some((name.clone(), set))
    });
    let compiler = lock.environment.iter().find(|(name, _)| name == "Compiler");
    Foundation {
        // Other code gives other keys, whatever it is.
        digest: match ground.sources == sources {
            true => ground.code.clone(),
            false => format!("{} without {}", ground.code, ground.sources),
        },
        toolchain: compiler.map(|(_, words)| words.clone()).unwrap_or_default(),
        device: ground.device.clone(),
        profile: ground.profile.clone(),
        seed,
        datasets: datasets.collect(),
    }
}

/// Gives every cell what it put out when it was recorded, and a problem for each cell that is not
/// what was recorded.
pub fn replay(
    plan: &Plan,
    lock: &Lock,
    outputs: &BTreeMap<String, CellRecord>,
) -> (Executed, Vec<Diagnostic>) {
    let by_key: BTreeMap<&str, &String> =
        lock.cells.iter().map(|(name, cell)| (cell.key.as_str(), name)).collect();
    let mut diagnostics = Vec::new();
    let mut chapter = |chapter: &ChapterPlan| {
        let barred = exec::barred(chapter);
        let cells = chapter.cells.iter().zip(barred).map(|(cell, barred)| {
            let key = cell.key.to_string();
            let recorded = by_key.get(key.as_str());
            let record = recorded.and_then(|name| outputs.get(*name));
            let (status, record) = match (barred, record, recorded) {
                (Some(status), ..) => (status, CellRecord::empty()),
                (None, Some(record), _) => (CellStatus::Done, record.clone()),
                (None, None, Some(_)) => {
                    let words = "it was not run when the report was recorded".to_owned();
                    (CellStatus::NotRun(Reason::NotRecorded, words), CellRecord::empty())
                }
                (None, None, None) => {
                    diagnostics.push(stale(cell));
                    let words =
                        format!("it or what it builds on has changed since `{FILE}` was made");
                    (CellStatus::NotRun(Reason::NotRecorded, words), CellRecord::empty())
                }
            };
            if let CellStatus::Failed(problem) = &status {
                diagnostics.push(problem.clone());
            }
            exec::result(chapter, cell, status, record)
        });
        ExecutedChapter { cells: cells.collect::<Vec<CellResult>>() }
    };
    let chapters = plan.chapters.iter().map(&mut chapter).collect();
    let executed = Executed { chapters, elsewhere: elsewhere::replay(plan, lock, outputs) };
    (executed, diagnostics)
}

/// Says in the report and beside it that nothing was run for it, and what is not as it was recorded.
///
/// # Errors
/// If what the record says of its outputs does not follow from them.
pub fn marked(evaluated: Evaluated, lock: Lock, sources: String) -> Result<Evaluated, Diagnostic> {
    let mut diagnostics = evaluated.diagnostics.clone();
    if lock.foundation.sources != sources {
        diagnostics.push(
            Diagnostic::global("stale-crates", "the crates that cells use are not those of the record")
                .note("a crate of `dependencies` in report.yaml, or Cargo.lock, has changed, and so every cell counts as changed")
                .hint("`veracity record` records the report anew"),
        );
    }
    let cells = || evaluated.executed.chapters.iter().flat_map(|chapter| &chapter.cells);
    let is_stale =
        |cell: &&CellResult| matches!(cell.status, CellStatus::NotRun(Reason::NotRecorded, _));
    let mut notice = match cells().filter(is_stale).count() {
        0 => format!(
            "Rendered from {FILE}. No code was run for it: what cells put out is what was recorded, and that the code gives it is not checked here (veracity check --locked does)."
        ),
        stale => format!(
            "Rendered from {FILE}. No code was run for it, and {stale} of {} cells are not as they were recorded: what rests on them was not checked. That the code gives the rest is not checked here (veracity check --locked does).",
            cells().count(),
        ),
    };
    let mut environment = lock.environment.clone();
    environment.push(("Rendered from".to_owned(), format!("{FILE}, without running code")));
    let (recorded, now) = (Side::from(lock), super::side(&evaluated).0);
    verify_shown(&evaluated, &recorded, &now)?;
    let changes = diff::compare(&recorded, &now);
    // What cannot be checked was told at its cell.
    let told = |change: &&diff::Change| {
        !change.kind.is_lesser() && !matches!(change.kind, Kind::Unchecked | Kind::Output)
    };
    let changed: Vec<String> = changes.iter().filter(told).map(said).collect();
    notice.push_str(&unrecorded(&changes));
    if !changed.is_empty() {
        let words = format!("the report says other things than `{FILE}` recorded");
        let mut problem = Diagnostic::global("record-differs", words);
        problem.severity = Severity::Warning;
        problem = changed.into_iter().take(MOST_CHANGES).fold(problem, Diagnostic::note);
        diagnostics.push(problem.hint(
            "verdicts are of what it says now; `veracity record` records that for a reviewer",
        ));
    }
    let digest = format!("{} {notice} {environment:?}", evaluated.digest);
    let document = Document { environment, notice: Some(notice), ..evaluated.document };
    let digest = blake3::hash(digest.as_bytes()).to_hex().to_string();
    Ok(Evaluated { document, diagnostics, digest, ..evaluated })
}

/// Refuses a record of which `shown` does not follow from the outputs that it has, as far as that can be
/// worked out anew: of a cell that is not stale, and at which the same claims and inline values look as when it was
/// recorded.
fn verify_shown(evaluated: &Evaluated, recorded: &Side, now: &Side) -> Result<(), Diagnostic> {
    let (Some(before), Some(after)) = (values(recorded), values(now)) else { return Ok(()) };
    // Inline values that may print other words than those that were recorded.
    let mut others: BTreeSet<&str> = BTreeSet::new();
    for path in before.keys().chain(after.keys()) {
        if before.get(path) != after.get(path) {
            others.extend([&before, &after].iter().filter_map(|all| all.get(path)).flatten());
        }
    }
    let nothing = printed::of(evaluated).nothing;
    others.extend(nothing.iter().map(String::as_str));
    let (plan, executed) = (&evaluated.plan.chapters, &evaluated.executed.chapters);
    let is_printed_otherwise = |result: &CellResult| {
        published::names(result).any(|name| others.iter().any(|it| it.contains(name)))
    };
    let cells = plan.iter().zip(executed).flat_map(|(plan, done)| {
        let cells = plan.cells.iter().zip(&done.cells);
        cells.map(|(cell, result)| (format!("{}/{}", plan.slug, cell.id), result))
    });
    let results: BTreeMap<String, &CellResult> = cells.collect();
    let (before, after) = (claimed(recorded), claimed(now));
    for (name, then) in &recorded.cells {
        let Some(own) = now.cells.get(name) else { continue };
        // At those of other devices no inline value looks.
        let is_printed_otherwise = results.get(name).is_some_and(|it| is_printed_otherwise(it));
        if then.shown.is_some()
            && then.shown != own.shown
            && then.output == own.output
            && before.get(name.as_str()) == after.get(name.as_str())
            && !is_printed_otherwise
        {
            let words = format!("what `{FILE}` says of `{name}` is not what its output shows");
            return Err(Diagnostic::global("record-damaged", words)
                .note("the digest `shown` of a cell follows from its output, and this one does not")
                .hint("`veracity check --locked` runs the code and tells what it gives; `veracity record` makes the record anew"));
        }
    }
    Ok(())
}

/// The expressions of inline values by file, since a record does not know the order of chapters.
fn values(side: &Side) -> Option<BTreeMap<&str, Vec<&str>>> {
    let mut values: BTreeMap<&str, Vec<&str>> = BTreeMap::new();
    for passage in side.passages.as_ref()? {
        values.entry(&passage.path).or_default().extend(passages::values(&passage.text));
    }
    Some(values)
}

/// The names of the values that claims read, by cell.
fn claimed(side: &Side) -> BTreeMap<&str, BTreeSet<&str>> {
    let mut claimed: BTreeMap<&str, BTreeSet<&str>> = BTreeMap::new();
    for claim in &side.claims {
        if let Some(cell) = &claim.cell {
            let about = claim.id.split('#').next().unwrap_or_default();
            let name = about.rsplit('/').next().unwrap_or_default();
            claimed.entry(cell).or_default().insert(name);
        }
    }
    claimed
}

/// Most changes that are told.
const MOST_CHANGES: usize = 20;
/// Most of them in the report itself.
const MOST_TO_READERS: usize = 5;

/// What a reader must know of the claims, in sentences: what is promised less than was recorded, and what
/// the record does not have.
fn unrecorded(changes: &[diff::Change]) -> String {
    let matters = |it: &&diff::Change| {
        it.kind.promises_less() || it.from.is_none() && matches!(it.kind, Kind::Added | Kind::Fails)
    };
    let mut counted: Vec<(String, usize)> = Vec::new();
    for change in changes.iter().filter(matters) {
        let how = match change.kind {
            Kind::Added | Kind::Fails => "not in the record",
            kind => kind.words(),
        };
        let words = format!("{} ({how}", change.what);
        match counted.iter_mut().find(|(said, _)| *said == words) {
            Some((_, times)) => *times += 1,
            None => counted.push((words, 1)),
        }
    }
    let told: Vec<String> = counted
        .into_iter()
        .map(|(words, times)| match times {
            1 => format!("{words})"),
            _ => format!("{words}, {times} times)"),
        })
        .collect();
    let (first, more) = told.split_at(told.len().min(MOST_TO_READERS));
    match (first.join(", "), more.len()) {
        (first, _) if first.is_empty() => first,
        (first, 0) => format!(" What it claims is not what was recorded: {first}."),
        (first, more) => {
            format!(" What it claims is not what was recorded: {first}, and {more} more.")
        }
    }
}

fn said(change: &diff::Change) -> String {
    let side = |words: &Option<String>| words.clone().unwrap_or_else(|| "nothing".to_owned());
    let (from, to) = (side(&change.from), side(&change.to));
    format!("{}: {}: {from} → {to}", change.what, change.kind.words())
}

fn stale(cell: &CellPlan) -> Diagnostic {
    Diagnostic::error(
        "stale-record",
        format!("cell `{}` is not what `{FILE}` recorded", cell.id),
        cell.span.clone(),
    )
    .note("its code, a cell or module on which it builds, a formula, a crate, or its data have changed")
    .hint("`veracity record` runs it and records it anew; without `--frozen` it is run now")
}
