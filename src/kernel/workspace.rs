//! The Cargo workspace in which chapters are compiled.
//!
//! In: the report's dependencies and the names of its chapters. Out: a folder with manifests,
//! a lock file and lab's sources, and a digest of all that a compiled cell stands on.
//! Lab and protocol travel inside the executable, so that a report anywhere on disk needs no
//! checkout of Veracity.

mod digest;
mod manifests;

use std::collections::{BTreeMap, BTreeSet};
use std::fs;
use std::io;
use std::path::{Path, PathBuf};
use std::process::{Command, Stdio};

use self::digest::{hash_file, hash_path_dependencies, hash_settings, locked_versions};
pub use self::digest::{path_dependencies, sources, witness_of_crate};
use self::manifests::{brings_lab, dependencies, manifest_around};
#[cfg(unix)]
pub(super) use self::manifests::{package, profile};
use crate::config::ReportConfig;
use crate::diag::Diagnostic;
use crate::kernel::cuda::{CPU, Layout};
use crate::kernel::toolchain;
use include_dir::{Dir, include_dir};

static LAB: Dir<'_> = include_dir!("$CARGO_MANIFEST_DIR/crates/lab");
static PROTOCOL: Dir<'_> = include_dir!("$CARGO_MANIFEST_DIR/crates/protocol");
const OWN_LOCK: &str = include_str!("../../Cargo.lock");

/// Version of the packages that are made of chapters.
const FIRST_VERSION: &str = "0.0.0";

/// The name under which reports depend on lab.
pub(super) const LAB_PACKAGE: &str = "veracity-lab";

/// Whether the network may be used.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub enum Network {
    /// For crates that are not on this machine yet.
    Allowed,
    /// Not at all.
    Forbidden,
}

/// A prepared workspace.
#[derive(Clone, Debug)]
pub struct Workspace {
    /// Its folder.
    pub folder: PathBuf,
    /// Folder of finished programs.
    pub target: PathBuf,
    /// Folder of all else that is compiled, which several workspaces may share.
    pub compiled: PathBuf,
    /// Folders of the crates that the report uses by path.
    pub crates: Vec<PathBuf>,
    /// Whether the network may be used.
    pub network: Network,
    /// Digest of lab, dependencies, lock file and toolchain.
    pub digest: String,
    /// The compiler's own description of itself.
    pub toolchain: String,
    /// Variables for Cargo and for programs, if they are not for the CPU.
    pub layout: Option<Layout>,
}

impl Workspace {
    /// Whether what [`Self::prepare`] writes below `build` is there; people and `veracity clean` remove it.
    pub fn is_in(build: &Path) -> bool {
        build.join("work").join("Cargo.toml").is_file()
    }

    /// Writes what is missing or out of date below `build`.
    ///
    /// # Errors
    /// If a file cannot be written, a path dependency cannot be read, there is no Rust
    /// toolchain, or Cargo cannot find versions for the dependencies.
    pub fn prepare(
        root: &Path,
        build: &Path,
        config: &ReportConfig,
        slugs: &[&str],
        network: Network,
    ) -> Result<Self, Diagnostic> {
        // What it asks of a GPU alone, Cargo does not know.
        let config = &config.on(CPU);
        let folder = build.join("work");
        let files = |error: io::Error| {
            Diagnostic::global(
                "build-folder",
                format!("cannot write below {}: {error}", folder.display()),
            )
            .hint("is the disk full, or the folder read-only? `veracity clean` removes anything in the way")
        };
        let toolchain = toolchain::describe(root, build)?;
        let manifests = manifests::manifests(root, config, slugs);
        for (path, text) in &manifests {
            write_if_changed(&folder.join(path), text.as_bytes()).map_err(files)?;
        }
        for slug in slugs {
            for file in ["library/src/lib.rs", "program/src/main.rs"] {
                let path = folder.join("chapters").join(slug).join(file);
                if !path.exists() {
                    write_if_changed(&path, b"fn main() {}\n").map_err(files)?;
                }
            }
        }
        let mut digest = blake3::Hasher::new();
        if !brings_lab(config) {
            for (name, dir) in [("lab", &LAB), ("protocol", &PROTOCOL)] {
                let to = folder.join(name);
                let mut kept = BTreeSet::new();
                extract(dir, &to, &mut digest, &mut kept).map_err(files)?;
                prune(&to, &kept).map_err(files)?;
            }
        }
        hash_path_dependencies(root, config, &mut digest)?;
        let target = build.join("target");
        let lock = lock(root, &folder, &target, &manifests, network)?;
        // Neither the place of the report on disk nor the names of its chapters matter here.
        let settings = &manifests::manifests(Path::new(""), config, &[])["Cargo.toml"];
        let dependencies = dependencies(Path::new(""), config).to_string();
        for part in [settings, &dependencies, &locked_versions(&lock), &toolchain] {
            digest.update(blake3::hash(part.as_bytes()).as_bytes());
        }
        hash_settings(&folder, &mut digest);
        Ok(Self {
            folder,
            compiled: target.clone(),
            crates: path_dependencies(root, config),
            target,
            network,
            digest: digest.finalize().to_hex().to_string(),
            toolchain,
            layout: None,
        })
    }

    /// Folder of a chapter's generated packages, relative to the workspace.
    pub fn chapter(slug: &str) -> PathBuf {
        Path::new("chapters").join(slug)
    }

    /// The workspace with a toolkit for a GPU.
    #[must_use]
    pub fn with_layout(self, layout: Layout) -> Self {
        Self { layout: Some(layout), ..self }
    }

    /// Gives the packages of chapters another version, by which Cargo tells what it compiles here from
    /// what it compiles for other workspaces into the same folder: it knows neither by its place.
    ///
    /// # Errors
    /// As for reading and writing the manifests.
    pub fn renumber_chapters(&self, number: usize) -> io::Result<()> {
        for chapter in fs::read_dir(self.folder.join("chapters"))? {
            let chapter = chapter?.path();
            for package in ["library", "program"] {
                let path = chapter.join(package).join("Cargo.toml");
                let text = fs::read_to_string(&path)?;
                let text = text.replace(FIRST_VERSION, &format!("0.0.{number}"));
                write_if_changed(&path, text.as_bytes())?;
            }
        }
        Ok(())
    }

    /// A call of Cargo in this workspace.
    pub fn cargo(&self) -> Command {
        let mut command = cargo(&self.folder, &self.target, self.network);
        command.envs(self.layout.iter().flat_map(|layout| layout.building.iter().cloned()));
        if self.compiled != self.target {
            command.env("CARGO_BUILD_BUILD_DIR", &self.compiled);
        }
        command
    }
}

/// Name of the package with a chapter's program.
pub fn program_package(slug: &str) -> String {
    format!("chapter-{slug}-program")
}

/// Name of the package with a chapter's library.
pub fn library_package(slug: &str) -> String {
    format!("chapter-{slug}")
}

/// Name of a chapter's library in Rust.
pub fn library_crate(slug: &str) -> String {
    library_package(slug).replace('-', "_")
}

fn cargo(folder: &Path, target: &Path, network: Network) -> Command {
    let mut command = Command::new(std::env::var_os("CARGO").unwrap_or_else(|| "cargo".into()));
    command.current_dir(folder).env("CARGO_TARGET_DIR", target).stdin(Stdio::null());
    // `cargo run` describes the package it runs in variables that are not about this workspace.
    for (name, _) in std::env::vars_os() {
        let name = name.to_string_lossy();
        if name.starts_with("CARGO_PKG_")
            || name.starts_with("CARGO_MANIFEST_")
            || name.starts_with("CARGO_BIN_")
        {
            command.env_remove(&*name);
        }
    }
    if network == Network::Forbidden {
        command.env("CARGO_NET_OFFLINE", "true");
    }
    command
}

/// Writes an embedded crate to disk.
fn extract(
    dir: &Dir<'_>,
    to: &Path,
    digest: &mut blake3::Hasher,
    written: &mut BTreeSet<PathBuf>,
) -> io::Result<()> {
    // Cells need the library, not its tests.
    const SKIPPED: [&str; 4] = ["tests", "examples", "benches", "target"];
    for entry in dir.entries() {
        if SKIPPED.iter().any(|skipped| entry.path().starts_with(skipped)) {
            continue;
        }
        match entry {
            include_dir::DirEntry::Dir(dir) => extract(dir, to, digest, written)?,
            include_dir::DirEntry::File(file) => {
                hash_file(file.path(), file.contents(), digest);
                let path = to.join(file.path());
                write_if_changed(&path, file.contents())?;
                written.insert(path);
            }
        }
    }
    Ok(())
}

/// The sources of protocol with the manifest around them, by path, for a build elsewhere.
#[cfg(unix)]
pub(super) fn protocol_sources() -> Vec<(String, Vec<u8>)> {
    let mut files = protocol_files();
    files.push(manifest_around(&["crates/protocol"], &["crates/live"]));
    files
}

/// The sources of protocol with the manifest and the lock file around it and another crate.
pub(crate) fn sources_around(member: &str) -> Vec<(String, Vec<u8>)> {
    let mut files = protocol_files();
    files.push(manifest_around(&["crates/protocol", member], &[]));
    files.push(("Cargo.lock".to_owned(), OWN_LOCK.as_bytes().to_vec()));
    files
}

fn protocol_files() -> Vec<(String, Vec<u8>)> {
    let mut files = Vec::new();
    let mut folders = vec![&PROTOCOL];
    while let Some(folder) = folders.pop() {
        folders.extend(folder.dirs());
        files.extend(folder.files().map(|file| {
            (format!("crates/protocol/{}", file.path().display()), file.contents().to_vec())
        }));
    }
    files
}

/// Removes what an older version wrote and this one does not.
fn prune(folder: &Path, kept: &BTreeSet<PathBuf>) -> io::Result<()> {
    for entry in fs::read_dir(folder)? {
        let path = entry?.path();
        if path.is_dir() {
            prune(&path, kept)?;
        } else if !kept.contains(&path) {
            fs::remove_file(path)?;
        }
    }
    Ok(())
}

/// Writes a file unless it has that content already, which keeps Cargo from building again.
/// Whatever else stands in its place is removed.
///
/// # Errors
/// As for writing.
pub fn write_if_changed(path: &Path, content: &[u8]) -> io::Result<()> {
    if fs::read(path).is_ok_and(|present| present == content) {
        return Ok(());
    }
    let folder = path.parent().unwrap_or(Path::new("."));
    fs::create_dir_all(folder)?;
    let builder = &mut tempfile::Builder::new();
    // For whom a file is readable is the person's mask to say, as for any other program's files.
    #[cfg(unix)]
    builder.permissions(std::os::unix::fs::PermissionsExt::from_mode(0o666));
    let mut file = builder.tempfile_in(folder)?;
    io::Write::write_all(&mut file, content)?;
    if path.is_dir() {
        fs::remove_dir_all(path)?;
    }
    file.persist(path).map_err(|error| error.error)?;
    Ok(())
}

/// The workspace's lock file, resolved anew only when a manifest or the seed has changed.
///
/// The seed is the report's own `Cargo.lock`, or else the one with which Veracity was built,
/// so that versions move only when a person moves them.
fn lock(
    root: &Path,
    folder: &Path,
    target: &Path,
    manifests: &BTreeMap<String, String>,
    network: Network,
) -> Result<String, Diagnostic> {
    let seed = fs::read_to_string(root.join("Cargo.lock")).unwrap_or_else(|_| OWN_LOCK.to_owned());
    let mut wanted = blake3::Hasher::new();
    wanted.update(seed.as_bytes());
    for (path, text) in manifests {
        wanted.update(path.as_bytes());
        wanted.update(text.as_bytes());
    }
    let wanted = wanted.finalize().to_hex().to_string();
    let stamp = folder.join("Cargo.lock.stamp");
    let path = folder.join("Cargo.lock");
    let read = |path: &Path| fs::read_to_string(path);
    // The stamp names the lock file that came of these inputs, so that a damaged one is noticed.
    let stamped = |lock: &str| format!("{wanted} {}", blake3::hash(lock.as_bytes()).to_hex());
    if let (Ok(stamp), Ok(lock)) = (read(&stamp), read(&path))
        && stamp == stamped(&lock)
    {
        return Ok(lock);
    }
    let failed = |words: String| {
        Diagnostic::global("dependency", words)
            .hint("`veracity doctor` looks at the toolchain and at the output folder")
    };
    write_if_changed(&path, seed.as_bytes())
        .map_err(|error| failed(format!("cannot write {}: {error}", path.display())))?;
    let output = cargo(folder, target, network)
        .args(["metadata", "--format-version", "1", "--quiet"])
        .output()
        .map_err(|error| failed(format!("cannot start cargo: {error}")))?;
    if !output.status.success() {
        return Err(failed("cargo cannot resolve the report's dependencies".to_owned())
            .note(String::from_utf8_lossy(&output.stderr).trim().to_owned())
            .hint("see `dependencies` in report.yaml; the first build needs the network"));
    }
    let lock =
        read(&path).map_err(|error| failed(format!("cannot read {}: {error}", path.display())))?;
    write_if_changed(&stamp, stamped(&lock).as_bytes())
        .map_err(|error| failed(format!("cannot write {}: {error}", stamp.display())))?;
    Ok(lock)
}
