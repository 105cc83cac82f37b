//! Takes over what a bundle's runner left.
//!
//! In: a results folder and the report. Out: records in the store, under the keys that the report's
//! own sources have now. What was changed since it was written is refused as a whole; what comes
//! of other sources is refused cell by cell, with the reason.

use std::collections::BTreeMap;
use std::fs;
use std::io::{self, BufReader};
use std::path::Path;

use serde::{Deserialize, Serialize};
use veracity_protocol::{
    BUNDLE_VERSION, BundledChapter, EVENTS_FILE, RESULTS_FILE, RESULTS_HEADER, RanChapter, Results,
    SEAL_PURPOSE, STDERR_FILE, STDOUT_FILE,
};

use crate::cache::{self, CellRecord, Store};
use crate::diag::Diagnostic;
use crate::kernel::{self, cuda};
use crate::pipeline::{self, BuildRequest, Planned};
use crate::world::DiskWorld;

/// File below the cache that says from which machine the results for a device came.
fn note(out: &Path, device: &str) -> std::path::PathBuf {
    out.join("cache").join("imported").join(device)
}

/// From where results came.
#[derive(Debug, Serialize, Deserialize)]
struct Origin {
    machine: String,
}

/// What an import did.
#[derive(Debug)]
pub struct Imported {
    /// Device on which the cells ran.
    pub device: String,
    /// The machine in words.
    pub machine: String,
    /// Cells taken over.
    pub taken: usize,
    /// Why others were not, a problem for each reason.
    pub refused: Vec<Diagnostic>,
}

/// Whether results for a device were taken over from elsewhere.
pub fn was_imported(out: &Path, device: &str) -> bool {
    cache::kept::<Origin>(&note(out, device)).is_some()
}

/// Takes over results. The request's device and profile are those of the results.
///
/// # Errors
/// If the results are damaged or were changed, or the report cannot be planned.
pub fn import(request: &BuildRequest, folder: &Path) -> Result<Imported, Vec<Diagnostic>> {
    let results = read(folder).map_err(|words| {
        vec![
            Diagnostic::global("results", format!("{}: {words}", folder.display()))
                .hint("name the results folder that a bundle's `run` made, copied whole"),
        ]
    })?;
    let first = results.bundle.chapters.first().map(|chapter| &chapter.plan);
    let device = first.map_or(cuda::CPU, |plan| plan.device.as_str()).to_owned();
    let request = BuildRequest {
        device: device.clone(),
        profile: first.map_or_else(|| request.profile.clone(), |plan| plan.profile.clone()),
        chapter: None,
        from_scratch: false,
        ..request.clone()
    };
    let written = pipeline::read(&DiskWorld::new(&request.root))?;
    let ground = pipeline::ground(&request, &written, &pipeline::prepare, &|_| ())?;
    let planned = pipeline::plan(&request, written, &ground)?;
    let store = Store::new(request.out.join("cache").join("cells"));
    let mut imported =
        Imported { device, machine: results.machine.clone(), taken: 0, refused: Vec::new() };
    for chapter in &results.bundle.chapters {
        let slug = &chapter.plan.chapter;
        let Some(ran) = results.chapters.get(slug) else { continue };
        let found = take(&planned, &store, &folder.join(slug), chapter, ran).map_err(|error| {
            let problem = Diagnostic::global("results", format!("{slug}: {error}"));
            vec![problem.hint("copy the folder of results anew")]
        })?;
        imported.taken += found.taken;
        if !found.foreign.is_empty() {
            let words = format!(
                "{} of {slug} come of other sources and are not taken over: {}",
                if found.foreign.len() == 1 { "1 result" } else { "results" },
                found.foreign.join(", ")
            );
            let problem = Diagnostic::global("foreign-results", words);
            let problem = match different(&planned, &results) {
                Some(what) => problem.note(what),
                None => problem.note("the chapter's code, or what it builds on, has changed"),
            };
            let hint = "`veracity bundle` makes one of the present sources; run that there";
            imported.refused.push(problem.hint(hint));
        }
        if let Some(failure) = &ran.failure {
            let words = format!("{slug} did not run to its end there: {failure}");
            let hint = "what it did before is taken over; run the bundle again for the rest";
            imported.refused.push(Diagnostic::global("cut-short", words).hint(hint));
        }
    }
    if imported.taken > 0 {
        let origin = Origin { machine: results.machine };
        cache::keep(&note(&request.out, &imported.device), &origin).map_err(|error| {
            vec![
                Diagnostic::global("results", error.to_string())
                    .hint("look whether there is room and whether it may be written"),
            ]
        })?;
    }
    Ok(imported)
}

/// Reads a results folder of which nothing was changed.
fn read(folder: &Path) -> Result<Results, String> {
    let text = fs::read_to_string(folder.join(RESULTS_FILE))
        .map_err(|error| format!("{RESULTS_FILE} cannot be read: {error}"))?;
    let (head, json) = text.split_once('\n').ok_or("there are no results in it")?;
    let results: Results = serde_json::from_str(json)
        .map_err(|error| format!("{RESULTS_FILE} is damaged: {error}"))?;
    let mut seal = blake3::Hasher::new_derive_key(SEAL_PURPOSE);
    seal.update(results.identity.as_bytes()).update(json.as_bytes());
    let seal = seal.finalize().to_hex();
    if head.strip_prefix(RESULTS_HEADER).map(str::trim) != Some(seal.as_str()) {
        return Err(format!("{RESULTS_FILE} was changed after the run"));
    }
    if results.version != BUNDLE_VERSION {
        return Err(format!("the results have version {}, not {BUNDLE_VERSION}", results.version));
    }
    for (name, digest) in &results.files {
        if Path::new(name).components().any(|part| !matches!(part, std::path::Component::Normal(_)))
        {
            return Err(format!("{name} is no name of a file in it"));
        }
        let content = fs::read(folder.join(name)).map_err(|error| format!("{name}: {error}"))?;
        if blake3::hash(&content).to_hex().as_str() != digest {
            return Err(format!("{name} was changed after the run"));
        }
    }
    Ok(results)
}

/// What became of a chapter's results.
#[derive(Default)]
struct Taken {
    taken: usize,
    foreign: Vec<String>,
}

fn take(
    planned: &Planned,
    store: &Store,
    outbox: &Path,
    chapter: &BundledChapter,
    ran: &RanChapter,
) -> io::Result<Taken> {
    let keys: BTreeMap<&str, _> = planned
        .plan
        .chapters
        .iter()
        .filter(|plan| plan.slug == chapter.plan.chapter)
        .flat_map(|plan| plan.cells.iter().map(|cell| (cell.id.as_str(), cell.key)))
        .collect();
    let count = chapter.plan.cells.len();
    let mut durations: BTreeMap<usize, u64> = BTreeMap::new();
    kernel::finished(&outbox.join(EVENTS_FILE), &mut durations)?;
    let texts = |name: &str| -> io::Result<Vec<String>> {
        let file = BufReader::new(fs::File::open(outbox.join(name))?);
        kernel::texts(file, &ran.nonce, count)
    };
    let (stdout, stderr) = (texts(STDOUT_FILE)?, texts(STDERR_FILE)?);
    let mut taken = Taken::default();
    for (at, cell) in chapter.plan.cells.iter().enumerate() {
        let Some(&duration_ms) = durations.get(&at) else { continue };
        // Behind the key may stand in which run a measurement was made.
        let theirs = cell.key.split(' ').next().unwrap_or_default();
        match keys.get(cell.id.as_str()) {
            Some(key) if key.to_string() == theirs => {
                let record = CellRecord {
                    output: kernel::output(outbox, at)?,
                    stdout: stdout[at].clone(),
                    stderr: stderr[at].clone(),
                    duration_ms,
                };
                store.put(*key, &record)?;
                taken.taken += 1;
            }
            _ => taken.foreign.push(format!("`{}`", cell.id)),
        }
    }
    Ok(taken)
}

/// What, besides a chapter's own code, is not what the bundle was made from.
fn different(planned: &Planned, results: &Results) -> Option<String> {
    let foundation = &planned.foundation;
    if foundation.digest != results.bundle.foundation {
        return Some(format!(
            "lab, the dependencies or the compiler are others: the bundle was made by {}",
            results.bundle.compiler
        ));
    }
    for (name, data) in &results.bundle.datasets {
        match foundation.datasets.get(name) {
            None => return Some(format!("the data set `{name}` is not at hand here")),
            Some(here) if here.digest != data.digest => {
                return Some(format!("the data set `{name}` is another one here"));
            }
            Some(_) => {}
        }
    }
    let more = foundation.datasets.keys().find(|name| !results.bundle.datasets.contains_key(*name));
    more.map(|name| format!("the bundle was made without the data set `{name}`"))
}
