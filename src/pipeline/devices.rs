//! Results of other devices, for claims that must hold on them too.
//!
//! In: a planned report and the store. Out: what is stored under the keys that the cells have on another
//! device, because they ran there with this output folder or were imported from a bundle. No cell runs, and
//! nothing is done where no claim asks for another device.

use std::collections::{BTreeMap, BTreeSet};
use std::fs;

use super::{BuildRequest, Planned};
use crate::cache::Store;
use crate::claims::{self, Reason};
use crate::diag::{Diagnostic, Severity};
use crate::exec::{self, CellStatus, Executed};
use crate::kernel::absent::AbsentKernel;
use crate::kernel::workspace::Workspace;
use crate::memo::{Input, Memo};
use crate::parse::Chapter;
use crate::plan::{self, Foundation};

/// Folder with the workspaces of other devices, below that of outputs.
pub(crate) const FOLDER: &str = "devices";

/// What is stored of other devices, by device, as far as claims ask for it; and why, if that cannot be
/// told.
pub(super) fn elsewhere(
    request: &BuildRequest,
    planned: &Planned,
    store: &Store,
) -> (BTreeMap<String, Executed>, Vec<Diagnostic>) {
    let mut wanted = wanted(&planned.written.chapters);
    wanted.remove(&request.device);
    let (mut results, mut problems) = (BTreeMap::new(), Vec::new());
    for device in wanted {
        match on(&device, request, planned, store) {
            Ok(executed) => {
                results.insert(device, executed);
            }
            Err(problem) => {
                let words = format!("so it is not known what is stored of the device `{device}`");
                let problem = problem.note(words);
                problems.push(Diagnostic { severity: Severity::Warning, ..problem });
            }
        }
    }
    (results, problems)
}

/// Devices that a claim names, or that its text may name: too many cost a look into the store.
fn wanted(chapters: &[Chapter]) -> BTreeSet<String> {
    let titles =
        chapters.iter().flat_map(|chapter| chapter.source.text().split("devices:").skip(1));
    titles.flat_map(claims::devices_in).collect()
}

fn on(
    device: &str,
    request: &BuildRequest,
    planned: &Planned,
    store: &Store,
) -> Result<Executed, Diagnostic> {
    let written = &planned.written;
    let foundation = Foundation {
        digest: code(device, request, planned)?,
        device: device.to_owned(),
        ..planned.foundation.clone()
    };
    let (mut plan, _) = plan::plan(&written.config, &written.chapters, &foundation);
    plan.look_only();
    let absent = AbsentKernel { because: String::new() };
    let (mut executed, _) = exec::execute(&plan, &absent, store, 1, &|_| ());
    for cell in executed.chapters.iter_mut().flat_map(|chapter| &mut chapter.cells) {
        if let CellStatus::NotRun(reason @ Reason::NotRun, words) = &mut cell.status {
            (*reason, *words) = (Reason::NeedsDevice, claims::missing_on(device));
        }
    }
    Ok(executed)
}

/// Digest of what the cells stand on there: the crates' features differ by device.
///
/// As long as it is the same here, it is the same there, but for the versions of crates that only the other
/// device needs: those are the lock file's to say.
fn code(device: &str, request: &BuildRequest, planned: &Planned) -> Result<String, Diagnostic> {
    static KNOWN: Memo<Result<String, Diagnostic>> = Memo::new(64);
    let config = &planned.written.config;
    let slugs = planned.written.slugs_with_cells();
    let here = &planned.foundation.digest;
    // Without one, versions are those of this executable.
    let lock = fs::read(request.root.join("Cargo.lock")).ok();
    let place = (&request.root, &request.out, device, request.network);
    let input = Input::of_debug(&(place, config, &slugs, here, lock));
    KNOWN.get(input, || {
        let out = request.out.join(FOLDER).join(device);
        let config = config.on(device);
        match Workspace::prepare(&request.root, &out, &config, &slugs, request.network) {
            Ok(workspace) => (Ok(workspace.digest), 1),
            // It may go well next time.
            Err(problem) => (Err(problem), usize::MAX),
        }
    })
}
