//! The context of one chapter: a running `veracity-live` and what it holds.
//!
//! In: a prepared workspace and a chapter's library. Out: a context that evaluates statements.
//!
//! Everything that statements stand on is linked into one dynamic library per chapter, so that
//! all evaluations share it: a counter in a crate counts on, where a copy in each evaluation
//! would begin again. Its packages lie beside those of the batch kernel and have its profiles.

use std::collections::{BTreeMap, BTreeSet};
use std::fs;
use std::io;
use std::path::{Path, PathBuf};
use std::process::Command;
use std::time::Duration;

use cargo_metadata::{Metadata, TargetKind};
use toml::{Table, Value};
use veracity_protocol::{LOCK_VARIABLE, LiveReply, LiveRequest, Opening, VERSION};

use super::host::Host;
use super::memory::{Key, Memory, Step};
use super::run::{Problem, rejected, unable};
use super::{Ground, Purpose};
use crate::diag::Diagnostic;
use crate::kernel::compile::Maps;
use crate::kernel::workspace::{self, Workspace, write_if_changed};
use crate::kernel::{Event, Outcome};
use crate::plan::{ChapterPlan, tangle};

/// How long one look at a running `veracity-live` takes.
pub(super) const POLL: Duration = Duration::from_millis(5);

/// After how many evaluations, besides two of each cell, a context is replaced: it keeps the code of each
/// one, a few megabytes.
const MOST_EVALUATIONS: usize = 128;

/// Most cells that a chapter has no more and that are remembered.
const MOST_FORMER: usize = 256;

/// The context of one chapter.
#[derive(Debug)]
pub(super) struct Context {
    pub(super) host: Host,
    pub(super) memory: Memory,
    /// What became of the cells whose effects the context has, by key.
    pub(super) outcomes: BTreeMap<Key, Outcome>,
    /// What has been learnt about cells, by key.
    pub(super) habits: BTreeMap<Key, Habit>,
    /// The way back from the chapter's library.
    pub(super) maps: Maps,
    /// Digest of what the context is made from.
    basis: String,
    /// How often code was run in it.
    pub(super) evaluations: usize,
    /// Whether it must be replaced.
    pub(super) broken: bool,
    /// Locked as long as the context is there, so that what it runs outlives nobody.
    _alive: fs::File,
}

/// What must be done differently for a cell, because a variable cannot be kept.
#[derive(Clone, Debug, Default)]
pub(super) struct Habit {
    /// Variables that it cannot take: they are borrowed or have moved.
    pub(super) not_taken: BTreeSet<String>,
    /// Variables that cannot be kept behind it.
    pub(super) not_kept: BTreeSet<String>,
    /// Whether it runs together with the cells on which it builds.
    pub(super) joined: bool,
}

impl Context {
    /// Whether it still is what a chapter stands on, and has not grown too old. That of a console stays,
    /// with what a person has bound in it.
    pub(super) fn fits(&self, ground: &Ground, chapter: &ChapterPlan) -> bool {
        let is_old = ground.purpose == Purpose::Report
            && self.evaluations > MOST_EVALUATIONS + 2 * chapter.cells.len();
        !self.broken && !is_old && self.basis == basis(ground, chapter)
    }

    /// Forgets what is known of cells that the chapter has no more, once there are many of them; an
    /// edit that is taken back soon finds its results still there.
    pub(super) fn forget_but(&mut self, steps: &[Step]) {
        if self.outcomes.len().max(self.habits.len()) > MOST_FORMER + steps.len() {
            let keys: BTreeSet<&Key> = steps.iter().map(|step| &step.key).collect();
            self.outcomes.retain(|key, _| keys.contains(key));
            self.habits.retain(|key, _| keys.contains(key));
        }
    }

    pub(super) fn process(&self) -> u32 {
        self.host.id()
    }

    /// Compiles what the chapter stands on and opens the context.
    pub(super) fn open(
        executable: &Path,
        ground: &Ground,
        chapter: &ChapterPlan,
        interrupted: &dyn Fn() -> bool,
        sink: &(dyn Fn(Event) + Sync),
    ) -> Result<Self, Problem> {
        let start = chapter.source.span(0..0);
        let failed = |error: io::Error| {
            let words = format!("the live kernel cannot be opened: {error}");
            Problem::of(unable(words, start.clone()))
        };
        let maps = write_library(&ground.workspace, chapter).map_err(failed)?;
        let dependencies = dependencies(&ground.workspace, &chapter.slug).map_err(failed)?;
        let folder = write_packages(ground, &chapter.slug, &dependencies).map_err(failed)?;
        let lock = folder.join("builder.lock");
        let alive = fs::File::create(&lock).map_err(failed)?;
        alive.lock().map_err(failed)?;
        let target = ground.build.join("live").join("target");
        let libraries = libraries(&ground.workspace, &target).map_err(failed)?;
        let opening = Opening {
            version: VERSION,
            root: ground.root.clone(),
            lock_file: folder.join("Cargo.lock"),
            lock: fs::read_to_string(ground.workspace.folder.join("Cargo.lock")).map_err(failed)?,
            dependencies: linked(ground, &chapter.slug, &dependencies),
            build: BTreeMap::from([(
                "CARGO_BUILD_BUILD_DIR".to_owned(),
                target.display().to_string(),
            )]),
            run: BTreeMap::from([
                (LIBRARY_PATH.to_owned(), libraries),
                (LOCK_VARIABLE.to_owned(), lock.display().to_string()),
                // evcxr asks for backtraces, which would differ from run to run.
                ("RUST_LIB_BACKTRACE".to_owned(), "0".to_owned()),
            ]),
        };
        let mut host = Host::start(executable, &folder.join(PACKAGE)).map_err(failed)?;
        host.send(&LiveRequest::Open(opening)).map_err(failed)?;
        let reply = loop {
            let reply = host.reply(POLL);
            for words in host.words() {
                if let Some(name) = words.trim().strip_prefix("Compiling ") {
                    sink(Event::Building(format!("compiled {name}")));
                }
            }
            if interrupted() {
                let words = "the build was interrupted";
                return Err(Problem::of(Diagnostic::error("interrupted", words, start)));
            }
            match reply {
                Ok(None) => {}
                Ok(Some(reply)) => break reply,
                Err(error) => return Err(failed(error)),
            }
        };
        match reply {
            LiveReply::Opened => Ok(Self {
                host,
                memory: Memory::default(),
                outcomes: BTreeMap::new(),
                habits: BTreeMap::new(),
                maps,
                basis: basis(ground, chapter),
                evaluations: 0,
                broken: false,
                _alive: alive,
            }),
            LiveReply::Rejected { messages, .. } => Err(rejected(&messages, &maps, &start)),
            LiveReply::Died { status: words } | LiveReply::Unable { words } => {
                Err(failed(io::Error::other(words)))
            }
            LiveReply::Done | LiveReply::Completed { .. } => {
                Err(failed(io::Error::other("an unexpected reply")))
            }
        }
    }
}

/// Variable by which the system's loader finds dynamic libraries.
const LIBRARY_PATH: &str =
    if cfg!(target_os = "macos") { "DYLD_LIBRARY_PATH" } else { "LD_LIBRARY_PATH" };

/// Digest of what a context is made from.
fn basis(ground: &Ground, chapter: &ChapterPlan) -> String {
    let mut digest = blake3::Hasher::new();
    for part in [&chapter.foundation.digest, &tangle::library(chapter).text] {
        digest.update(blake3::hash(part.as_bytes()).as_bytes());
    }
    digest.update(ground.root.as_os_str().as_encoded_bytes());
    digest.finalize().to_hex().to_string()
}

/// Writes the chapter's library as the batch kernel does; gives the way back.
fn write_library(workspace: &Workspace, chapter: &ChapterPlan) -> io::Result<Maps> {
    let library = tangle::library(chapter);
    let below = Workspace::chapter(&chapter.slug).join("library/src/lib.rs");
    let path = workspace.folder.join(below);
    write_if_changed(&path, library.text.as_bytes())?;
    // The compiler names the file by its path, and a panic by its place in its package.
    Ok(Maps::from([
        (path.display().to_string(), library.map.clone()),
        ("library/src/lib.rs".to_owned(), library.map),
    ]))
}

/// What cells may use, with absolute paths, as the program of the batch kernel has it.
fn dependencies(workspace: &Workspace, slug: &str) -> io::Result<Table> {
    let program = workspace.folder.join(Workspace::chapter(slug)).join("program");
    let manifest = fs::read_to_string(program.join("Cargo.toml"))?;
    let manifest: Table = manifest.parse().map_err(io::Error::other)?;
    let mut table =
        manifest.get("dependencies").and_then(Value::as_table).cloned().unwrap_or_default();
    for (name, spec) in &mut table {
        if let Some(path) = spec.get_mut("path")
            && let Some(relative) = path.as_str()
        {
            *path = program.join(relative).canonicalize()?.display().to_string().into();
        }
        if name == workspace::LAB_PACKAGE
            && let Some(spec) = spec.as_table_mut()
        {
            let features =
                spec.entry("features").or_insert_with(|| Value::Array(Vec::new())).as_array_mut();
            features.into_iter().for_each(|features| features.push("live".into()));
        }
    }
    Ok(table)
}

/// The lines of a manifest for cells: what they may use, and the library that holds all of it.
fn linked(ground: &Ground, slug: &str, dependencies: &Table) -> BTreeMap<String, String> {
    let mut path = Table::new();
    let folder = ground.workspace.folder.join(Workspace::chapter(slug)).join("live");
    path.insert("path".into(), folder.display().to_string().into());
    let mut all = dependencies.clone();
    all.insert(live_package(ground.purpose, slug), path.into());
    // A table's own words are inline tables, each on one line.
    all.into_iter().map(|(name, spec)| (name, spec.to_string())).collect()
}

/// Name of the package that links everything. Dynamic libraries of all contexts lie in one folder and
/// have no other names than their packages.
fn live_package(purpose: Purpose, slug: &str) -> String {
    let kind = match purpose {
        Purpose::Report => "live",
        Purpose::Console => "console",
    };
    format!("{}-{kind}", workspace::library_package(slug))
}

/// Name in Rust of the library that holds everything on which a chapter's cells stand.
pub(super) fn linked_crate(purpose: Purpose, slug: &str) -> String {
    live_package(purpose, slug).replace('-', "_")
}

/// Writes the package that links everything, and the folder of the context; gives that.
fn write_packages(ground: &Ground, slug: &str, dependencies: &Table) -> io::Result<PathBuf> {
    let workspace = &ground.workspace;
    let package = workspace.folder.join(Workspace::chapter(slug)).join("live");
    let mut manifest = workspace::package(&live_package(ground.purpose, slug));
    let mut library = Table::new();
    library.insert("crate-type".into(), Value::Array(vec!["dylib".into()]));
    manifest.insert("lib".into(), library.into());
    manifest.insert("dependencies".into(), dependencies.clone().into());
    write_if_changed(&package.join("Cargo.toml"), manifest.to_string().as_bytes())?;
    let crates = crate_names(workspace, slug)?;
    let lines: String = crates.iter().map(|name| format!("pub extern crate {name};\n")).collect();
    write_if_changed(&package.join("src/lib.rs"), lines.as_bytes())?;

    // The context is a workspace of its own, whatever lies around the report, with the profile of
    // the batch kernel; those that evcxr writes into its package do not count then.
    let folder = place(ground, slug);
    let mut table = Table::new();
    table.insert("resolver".into(), "3".into());
    table.insert("members".into(), Value::Array(vec![PACKAGE.into()]));
    let mut manifest = Table::new();
    manifest.insert("workspace".into(), table.into());
    manifest.insert("profile".into(), workspace::profile([EVALUATED.to_owned()]).into());
    write_if_changed(&folder.join("Cargo.toml"), manifest.to_string().as_bytes())?;
    fs::create_dir_all(folder.join(PACKAGE))?;
    Ok(folder)
}

/// Folder of a chapter's context.
fn place(ground: &Ground, slug: &str) -> PathBuf {
    ground.own().join("live").join("contexts").join(slug)
}

/// The file that evcxr compiled last for a chapter.
pub(super) fn source(ground: &Ground, slug: &str) -> String {
    fs::read_to_string(place(ground, slug).join(SOURCE)).unwrap_or_default()
}

/// Name of the package that evcxr writes.
const EVALUATED: &str = "ctx";

/// Folder of evcxr's package, below that of its context.
const PACKAGE: &str = "evaluation";

/// The file that evcxr writes, as the compiler names it.
pub(super) const SOURCE: &str = "evaluation/src/lib.rs";

/// Names, in Rust, of the crates that a chapter's cells may use, macros left out.
fn crate_names(workspace: &Workspace, slug: &str) -> io::Result<BTreeSet<String>> {
    let output =
        workspace.cargo().args(["metadata", "--format-version", "1", "--offline"]).output()?;
    if !output.status.success() {
        return Err(io::Error::other(String::from_utf8_lossy(&output.stderr).into_owned()));
    }
    let metadata: Metadata = serde_json::from_slice(&output.stdout)?;
    let program = workspace::program_package(slug);
    let package = metadata.packages.iter().find(|package| package.name.as_str() == program);
    let nodes = metadata.resolve.iter().flat_map(|resolve| &resolve.nodes);
    let node = nodes.into_iter().find(|node| Some(&node.id) == package.map(|package| &package.id));
    let has_code = |id: &cargo_metadata::PackageId| {
        let mut kinds = metadata.packages.iter().filter(|package| package.id == *id);
        kinds.any(|package| {
            let mut kinds = package.targets.iter().flat_map(|target| &target.kind);
            !kinds.any(|kind| *kind == TargetKind::ProcMacro)
        })
    };
    let dependencies = node.iter().flat_map(|node| &node.deps);
    Ok(dependencies.filter(|dep| has_code(&dep.pkg)).map(|dep| dep.name.to_string()).collect())
}

/// Folders of the dynamic libraries that evaluations load; all of them exist, for a loader that has
/// once missed a folder never looks there again.
fn libraries(workspace: &Workspace, target: &Path) -> io::Result<String> {
    let host = workspace.toolchain.lines().find_map(|line| line.strip_prefix("host: "));
    let host = host.ok_or_else(|| io::Error::other("rustc does not name its host"))?;
    let rustc = std::env::var_os("RUSTC").unwrap_or_else(|| "rustc".into());
    let output = Command::new(rustc)
        .args(["--print", "target-libdir"])
        .current_dir(&workspace.folder)
        .output()?;
    let own = String::from_utf8_lossy(&output.stdout).trim().to_owned();
    let shared = target.join(host).join("debug").join("deps");
    fs::create_dir_all(&shared)?;
    let mut folders = vec![shared, PathBuf::from(own)];
    folders.extend(std::env::var_os(LIBRARY_PATH).iter().flat_map(std::env::split_paths));
    let joined = std::env::join_paths(folders).map_err(io::Error::other)?;
    Ok(joined.to_string_lossy().into_owned())
}
