//! Results of other devices in a record, as far as claims must hold there.
//!
//! In: an evaluated report, or a record with what its cells put out. Out: the other. A result stands under
//! the name of its cell; it counts as long as the cell of the record's own device is what it was when it
//! was recorded, since both were made from the same sources.

use std::collections::{BTreeMap, BTreeSet};

use super::{Cell, FolderFiles, Lock, cell, on};
use crate::cache::CellRecord;
use crate::claims::{Reason, published};
use crate::exec::{self, CellResult, CellStatus, Executed, ExecutedChapter};
use crate::pipeline::Evaluated;
use crate::plan::{CellPlan, ChapterPlan, Plan};

/// The cells that published what claims on several devices speak of, by device and name; what they put out
/// goes into `files`.
pub(super) fn of(
    evaluated: &Evaluated,
    files: &mut FolderFiles,
) -> BTreeMap<String, BTreeMap<String, Cell>> {
    let claims = evaluated.document.claims.iter().filter(|claim| !claim.devices.is_empty());
    let names = claims.flat_map(|claim| std::iter::once(&claim.name).chain(&claim.others));
    let names: BTreeSet<&str> = names.filter_map(|name| name.rsplit('/').next()).collect();
    let is_asked = |result: &CellResult| {
        result.is_done() && published::names(result).any(|name| names.contains(name))
    };
    let mut all = BTreeMap::new();
    for (device, executed) in &evaluated.executed.elsewhere {
        let mut cells = BTreeMap::new();
        for (plan, done) in evaluated.plan.chapters.iter().zip(&executed.chapters) {
            for (planned, result) in plan.cells.iter().zip(&done.cells) {
                if is_asked(result) {
                    // What claims found there is not among their values.
                    let name = format!("{}/{}", plan.slug, planned.id);
                    let there = on(&name, device);
                    let recorded = cell(&there, planned, result, &BTreeSet::new(), &[], files);
                    cells.insert(name, recorded);
                }
            }
        }
        if !cells.is_empty() {
            all.insert(device.clone(), cells);
        }
    }
    all
}

/// Gives the cells of a plan for the record's device what was recorded of other devices.
pub(super) fn replay(
    plan: &Plan,
    lock: &Lock,
    outputs: &BTreeMap<String, CellRecord>,
) -> BTreeMap<String, Executed> {
    let there = |(device, cells): (&String, &BTreeMap<String, Cell>)| {
        let by_own_key: BTreeMap<&str, (&Cell, String)> = (lock.cells.iter())
            .filter_map(|(name, own)| {
                Some((own.key.as_str(), (cells.get(name)?, on(name, device))))
            })
            .collect();
        let result = |chapter: &ChapterPlan, cell: &CellPlan| {
            let recorded = by_own_key.get(cell.key.to_string().as_str());
            let record = recorded.and_then(|(_, name)| outputs.get(name));
            let (status, record) = match record {
                Some(record) => (CellStatus::Done, record.clone()),
                None => {
                    let words = format!("nothing of `{device}` was recorded for these sources");
                    (CellStatus::NotRun(Reason::NotRecorded, words), CellRecord::empty())
                }
            };
            let key = recorded.map(|(cell, _)| cell.key.clone()).unwrap_or_default();
            let result = exec::result(chapter, cell, status, record);
            CellResult { key, device: device.clone(), ..result }
        };
        let chapters = plan.chapters.iter().map(|chapter| ExecutedChapter {
            cells: chapter.cells.iter().map(|cell| result(chapter, cell)).collect(),
        });
        (device.clone(), Executed { chapters: chapters.collect(), ..Executed::default() })
    };
    lock.elsewhere.iter().map(there).collect()
}
