//! Which files matter, and when they may have changed.
//!
//! In: what a build read, and where crates and data lie. Out: a call whenever something may have
//! changed there; whether it has is looked at afterwards. Folders are watched and not files,
//! because editors replace files.

use std::collections::{BTreeMap, BTreeSet};
use std::path::{Path, PathBuf};
use std::sync::mpsc::{self, Sender};
use std::thread::{self, JoinHandle};

use notify::event::{AccessKind, AccessMode, EventKind, ModifyKind};
use notify::{RecommendedWatcher, RecursiveMode, Watcher};

use super::change::Change;
use crate::diag::Diagnostic;
use crate::kernel::workspace;
use crate::pipeline::{BuildRequest, Written};
use crate::world::witness;

/// What cells stand on outside of the report's own files, by names, sizes and times of change.
#[derive(Clone, Debug, Default, PartialEq, Eq)]
pub(super) struct Outside {
    crates: BTreeMap<PathBuf, Option<String>>,
    data: BTreeMap<PathBuf, Option<String>>,
}

impl Outside {
    /// Looks at the crates and data sets that the report names.
    pub(super) fn look(request: &BuildRequest, written: Option<&Written>) -> Self {
        let Some(written) = written else { return Self::default() };
        let (crates, data) = places(request, written);
        let of_crate = |path: PathBuf| (path.clone(), workspace::witness_of_crate(&path));
        let of_data = |path: PathBuf| (path.clone(), witness(&path).ok());
        Self {
            crates: crates.into_iter().map(of_crate).collect(),
            data: data.into_iter().map(of_data).collect(),
        }
    }

    /// Whether it is all that this report names.
    pub(super) fn is_of(&self, request: &BuildRequest, written: &Written) -> bool {
        let (crates, data) = places(request, written);
        self.crates.keys().eq(&crates) && self.data.keys().eq(&data)
    }

    /// What is different from before.
    pub(super) fn changes(&self, before: &Self) -> BTreeSet<Change> {
        let crates = (self.crates != before.crates).then_some(Change::Library);
        let data = (self.data != before.data).then_some(Change::Data);
        crates.into_iter().chain(data).collect()
    }

    /// Folders to watch, with all below them.
    fn folders(&self) -> BTreeSet<PathBuf> {
        let mut folders = BTreeSet::new();
        for path in self.crates.keys().chain(self.data.keys()) {
            collect(path, &mut folders);
        }
        folders
    }
}

/// Where the crates and the data sets lie that a report names.
fn places(request: &BuildRequest, written: &Written) -> (BTreeSet<PathBuf>, BTreeSet<PathBuf>) {
    let mut crates = workspace::path_dependencies(&request.root, &written.config);
    crates.push(request.root.join("Cargo.lock"));
    let cells = written.chapters.iter().flat_map(|chapter| &chapter.cells);
    let names = cells.flat_map(|cell| cell.options.datasets());
    let data = names.map(|name| request.data.join(written.manifest.folder_of(name)));
    (crates.into_iter().collect(), data.collect())
}

/// A folder and those below it, without what tools put there.
fn collect(folder: &Path, into: &mut BTreeSet<PathBuf>) {
    let Ok(entries) = std::fs::read_dir(folder) else { return };
    into.insert(folder.to_owned());
    for entry in entries.flatten() {
        let name = entry.file_name();
        let is_folder = entry.file_type().is_ok_and(|kind| kind.is_dir());
        if is_folder && name != "target" && !name.to_string_lossy().starts_with('.') {
            collect(&entry.path(), into);
        }
    }
}

/// Whether a file that has changed is still being written.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub(super) enum Saving {
    /// It is open, so that the rest may follow.
    Open,
    /// Not as far as the system tells.
    Done,
}

impl Saving {
    fn of(event: &EventKind) -> Self {
        match event {
            // Only here a system tells when a file that was written is closed.
            EventKind::Modify(ModifyKind::Data(_)) if cfg!(target_os = "linux") => Self::Open,
            _ => Self::Done,
        }
    }
}

/// Watches folders.
pub(super) struct Watch {
    root: PathBuf,
    out: PathBuf,
    data: PathBuf,
    watcher: RecommendedWatcher,
    watched: BTreeSet<PathBuf>,
    look: Sender<Saving>,
    // Ends when the watcher and the sender above are gone.
    _relay: JoinHandle<()>,
}

impl Watch {
    /// Calls `look` whenever something may have changed.
    pub(super) fn new(
        request: &BuildRequest,
        look: impl Fn(Saving) + Send + 'static,
    ) -> Result<Self, Diagnostic> {
        let failed = |error: &dyn std::fmt::Display| {
            Diagnostic::global("watch", format!("files cannot be watched: {error}"))
                .hint("the limits of inotify may be used up: see fs.inotify in sysctl")
        };
        let (sender, received) = mpsc::channel();
        let relay = thread::Builder::new()
            .name("files".into())
            .spawn(move || {
                while let Ok(saving) = received.recv() {
                    look(saving);
                }
            })
            .map_err(|error| failed(&error))?;
        let out = request.out.clone();
        let changed = sender.clone();
        let watcher = notify::recommended_watcher(move |event: notify::Result<notify::Event>| {
            let saving = event.as_ref().map_or(Saving::Done, |event| Saving::of(&event.kind));
            let matters = match event {
                Ok(event) => {
                    let is_read = match event.kind {
                        EventKind::Access(AccessKind::Close(AccessMode::Write)) => false,
                        EventKind::Access(_) => true,
                        _ => false,
                    };
                    event.need_rescan()
                        || !is_read && !event.paths.iter().all(|path| path.starts_with(&out))
                }
                // What the system could not tell may be a change.
                Err(_) => true,
            };
            if matters {
                let _ = changed.send(saving);
            }
        })
        .map_err(|error| failed(&error))?;
        Ok(Self {
            root: request.root.clone(),
            out: request.out.clone(),
            data: request.data.clone(),
            watcher,
            watched: BTreeSet::new(),
            look: sender,
            _relay: relay,
        })
    }

    /// Watches the folders of what was read, and no others.
    pub(super) fn follow(&mut self, read: Vec<String>, outside: &Outside) {
        let mut wanted = outside.folders();
        wanted.insert(self.root.clone());
        collect(&self.data, &mut wanted);
        for path in read {
            let path = self.root.join(path);
            wanted.extend(path.ancestors().find(|path| path.is_dir()).map(Path::to_owned));
            // Where a folder may be replaced as a whole, the one above tells it.
            let above = path.parent().and_then(Path::parent);
            wanted.extend(above.filter(|above| above.starts_with(&self.root)).map(Path::to_owned));
        }
        wanted.retain(|path| path.is_dir() && !path.starts_with(&self.out));
        let mut found_new = false;
        // A folder that went and came back is another one, which only a new watch sees.
        self.watched.retain(|path| path.is_dir());
        for path in &wanted {
            if !self.watched.contains(path)
                && self.watcher.watch(path, RecursiveMode::NonRecursive).is_ok()
            {
                found_new = true;
            }
        }
        for path in self.watched.difference(&wanted) {
            // A watch on a folder that has gone is gone already.
            let _ = self.watcher.unwatch(path);
        }
        self.watched = wanted;
        // What changed before it was watched.
        if found_new {
            let _ = self.look.send(Saving::Done);
        }
    }
}
