//! Results of other devices, for claims that must hold on them too.
//!
//! In: a planned report and the store. Out: what is stored under the keys that the cells have on another
//! device, because they ran there with this output folder or were imported from a bundle. Nothing runs.

use std::collections::{BTreeMap, BTreeSet};

use super::{BuildRequest, Planned};
use crate::cache::Store;
use crate::claims::{self, Reason};
use crate::exec::{self, CellStatus, Executed};
use crate::kernel::absent::AbsentKernel;
use crate::kernel::workspace::Workspace;
use crate::parse::Chapter;
use crate::plan::{self, Foundation};

/// Folder with the workspaces of other devices, below that of outputs.
pub(crate) const FOLDER: &str = "devices";

/// What is stored of other devices, by device, as far as claims ask for it.
pub(super) fn elsewhere(
    request: &BuildRequest,
    planned: &Planned,
    store: &Store,
) -> BTreeMap<String, Executed> {
    let mut wanted = wanted(&planned.written.chapters);
    wanted.remove(&request.device);
    wanted
        .into_iter()
        .filter_map(|device| {
            let executed = on(&device, request, planned, store)?;
            Some((device, executed))
        })
        .collect()
}

/// Devices that a claim names, or that its text may name: too many cost a look into the store.
fn wanted(chapters: &[Chapter]) -> BTreeSet<String> {
    let titles =
        chapters.iter().flat_map(|chapter| chapter.source.text().split("devices:").skip(1));
    titles.flat_map(claims::devices_in).collect()
}

fn on(device: &str, request: &BuildRequest, planned: &Planned, store: &Store) -> Option<Executed> {
    let written = &planned.written;
    let slugs = written.slugs_with_cells();
    // The crates' features differ by device, and with them what cells stand on.
    let out = request.out.join(FOLDER).join(device);
    let config = written.config.on(device);
    let workspace =
        Workspace::prepare(&request.root, &out, &config, &slugs, request.network).ok()?;
    let foundation = Foundation {
        digest: workspace.digest,
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
    Some(executed)
}
