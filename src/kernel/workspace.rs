//! The Cargo workspace in which chapters are compiled.
//!
//! In: the report's dependencies and the names of its chapters. Out: a folder with manifests,
//! a lock file and lab's sources, and a digest of all that a compiled cell stands on.
//! Lab and protocol travel inside the executable, so that a report anywhere on disk needs no
//! checkout of Veracity.
//!
//! Each chapter gives two packages: its library, always optimised, and its program,
//! which is compiled fast because it changes often.

use std::collections::{BTreeMap, BTreeSet};
use std::fs;
use std::io;
use std::path::{Path, PathBuf};
use std::process::{Command, Stdio};

use include_dir::{Dir, include_dir};
use toml::{Table, Value};

use crate::config::ReportConfig;
use crate::diag::Diagnostic;
use crate::kernel::cuda::{CPU, Layout};
use crate::kernel::toolchain;

static LAB: Dir<'_> = include_dir!("$CARGO_MANIFEST_DIR/crates/lab");
static PROTOCOL: Dir<'_> = include_dir!("$CARGO_MANIFEST_DIR/crates/protocol");
const OWN_MANIFEST: &str = include_str!("../../Cargo.toml");
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
        let manifests = manifests(root, config, slugs);
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
        let settings = &self::manifests(Path::new(""), config, &[])["Cargo.toml"];
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

/// All manifests, by path below the workspace.
fn manifests(root: &Path, config: &ReportConfig, slugs: &[&str]) -> BTreeMap<String, String> {
    let own: Table = OWN_MANIFEST.parse().expect("our own manifest is TOML");
    let mut workspace = inherited(&own);
    let mut members = Vec::new();
    if !brings_lab(config) {
        members.extend([Value::from("lab"), Value::from("protocol")]);
    }
    for slug in slugs {
        members.push(format!("chapters/{slug}/library").into());
        members.push(format!("chapters/{slug}/program").into());
    }
    workspace.insert("members".into(), members.into());

    let mut manifest = Table::new();
    manifest.insert("workspace".into(), workspace.into());
    manifest
        .insert("profile".into(), profile(slugs.iter().map(|slug| program_package(slug))).into());

    let mut files = BTreeMap::from([("Cargo.toml".to_owned(), manifest.to_string())]);
    let dependencies = dependencies(root, config);
    for slug in slugs {
        let mut library = package(&library_package(slug));
        library.insert("dependencies".into(), dependencies.clone().into());
        let mut program = package(&program_package(slug));
        let mut all = dependencies.clone();
        let mut path = Table::new();
        path.insert("path".into(), "../library".into());
        all.insert(library_package(slug), path.into());
        program.insert("dependencies".into(), all.into());
        files.insert(format!("chapters/{slug}/library/Cargo.toml"), library.to_string());
        files.insert(format!("chapters/{slug}/program/Cargo.toml"), program.to_string());
    }
    files
}

/// Everything is compiled well and checks that no number silently wraps. Macros and build scripts
/// are not: Cargo's own profile of those holds as long as no package is asked for by `*`. Nor are these
/// packages of cells, which change often and are thin: what is heavy belongs into module blocks. A panic
/// knows its line without debug information.
pub(super) fn profile(thin: impl IntoIterator<Item = String>) -> Table {
    let fast = Table::from_iter([
        ("opt-level".to_owned(), Value::from(0)),
        ("debug-assertions".to_owned(), true.into()),
    ]);
    let packages: Table =
        thin.into_iter().map(|package| (package, Value::from(fast.clone()))).collect();
    let dev = Table::from_iter([
        ("opt-level".to_owned(), Value::from(3)),
        ("debug".to_owned(), false.into()),
        ("debug-assertions".to_owned(), false.into()),
        ("overflow-checks".to_owned(), true.into()),
        ("package".to_owned(), packages.into()),
    ]);
    Table::from_iter([("dev".to_owned(), Value::from(dev))])
}

pub(super) fn package(name: &str) -> Table {
    let mut package = Table::new();
    package.insert("name".into(), name.into());
    package.insert("version".into(), FIRST_VERSION.into());
    package.insert("edition".into(), "2024".into());
    package.insert("publish".into(), false.into());
    let mut manifest = Table::new();
    manifest.insert("package".into(), package.into());
    manifest
}

/// What cells may use: lab, and the report's dependencies with absolute paths.
fn dependencies(root: &Path, config: &ReportConfig) -> Table {
    let mut table = Table::new();
    let mut lab = Table::new();
    lab.insert("path".into(), "../../../lab".into());
    table.insert(LAB_PACKAGE.into(), lab.into());
    for (name, spec) in &config.dependencies {
        let Ok(mut spec) = Value::try_from(spec) else { continue };
        if let Some(path) = spec.get_mut("path")
            && let Some(relative) = path.as_str()
        {
            *path = root.join(relative).display().to_string().into();
        }
        table.insert(name.clone(), spec);
    }
    table
}

/// Whether the report names a lab of its own, as a report that extends lab does.
fn brings_lab(config: &ReportConfig) -> bool {
    config.dependencies.contains_key(LAB_PACKAGE)
}

/// The part of a lock file that says which code from elsewhere is compiled.
fn locked_versions(lock: &str) -> String {
    let lock: Table = lock.parse().unwrap_or_default();
    let packages = lock.get("package").and_then(Value::as_array).into_iter().flatten();
    packages.filter(|package| package.get("source").is_some()).map(Value::to_string).collect()
}

/// Folders of the crates that cells may use by path.
pub fn path_dependencies(root: &Path, config: &ReportConfig) -> Vec<PathBuf> {
    config
        .dependencies
        .values()
        .filter_map(|spec| spec.get("path")?.as_str())
        .map(|path| root.join(path))
        .collect()
}

/// Digest of the code that a report brings for its cells: its crates, what it asks of others, and
/// their versions. It needs no toolchain.
///
/// # Errors
/// If a path dependency cannot be read.
pub fn sources(root: &Path, config: &ReportConfig) -> Result<String, Diagnostic> {
    let mut digest = blake3::Hasher::new();
    hash_path_dependencies(root, config, &mut digest)?;
    let lock = fs::read_to_string(root.join("Cargo.lock")).unwrap_or_default();
    for part in [dependencies(Path::new(""), config).to_string(), locked_versions(&lock)] {
        digest.update(blake3::hash(part.as_bytes()).as_bytes());
    }
    Ok(digest.finalize().to_hex().to_string())
}

fn hash_path_dependencies(
    root: &Path,
    config: &ReportConfig,
    digest: &mut blake3::Hasher,
) -> Result<(), Diagnostic> {
    for dependency in path_dependencies(root, config) {
        hash_crate(&dependency, digest, &mut Vec::new()).map_err(|error| {
            Diagnostic::global(
                "dependency",
                format!("cannot read the dependency at {}: {error}", dependency.display()),
            )
            .hint("`path` in `dependencies` of report.yaml is relative to the report's root")
        })?;
    }
    Ok(())
}

/// Digest of a crate on disk and of those that it depends on by path, or of a file.
pub fn witness_of_crate(path: &Path) -> Option<String> {
    if path.is_file() {
        return Some(blake3::hash(&fs::read(path).ok()?).to_hex().to_string());
    }
    let mut digest = blake3::Hasher::new();
    hash_crate(path, &mut digest, &mut Vec::new()).ok()?;
    Some(digest.finalize().to_hex().to_string())
}

/// Hashes the files of a crate on disk, and of the crates that it depends on by path.
fn hash_crate(
    folder: &Path,
    digest: &mut blake3::Hasher,
    seen: &mut Vec<PathBuf>,
) -> io::Result<()> {
    let folder = folder.canonicalize()?;
    if seen.contains(&folder) {
        return Ok(());
    }
    seen.push(folder.clone());
    let manifest = fs::read_to_string(folder.join("Cargo.toml"))?;
    hash_folder(&folder, Path::new(""), digest)?;
    hash_inherited(&folder, digest);
    let manifest: Table = manifest.parse().map_err(io::Error::other)?;
    for kind in ["dependencies", "build-dependencies"] {
        let Some(dependencies) = manifest.get(kind).and_then(Value::as_table) else { continue };
        for path in dependencies.values().filter_map(|spec| spec.get("path")?.as_str()) {
            hash_crate(&folder.join(path), digest, seen)?;
        }
    }
    Ok(())
}

fn hash_folder(root: &Path, below: &Path, digest: &mut blake3::Hasher) -> io::Result<()> {
    let mut entries: Vec<_> = fs::read_dir(root.join(below))?.collect::<Result<_, _>>()?;
    entries.sort_by_key(fs::DirEntry::file_name);
    for entry in entries {
        let name = entry.file_name();
        if name == "target" || name.to_string_lossy().starts_with('.') {
            continue;
        }
        let path = below.join(&name);
        if entry.file_type()?.is_dir() {
            hash_folder(root, &path, digest)?;
        } else {
            hash_file(&path, &fs::read(root.join(&path))?, digest);
        }
    }
    Ok(())
}

fn hash_file(path: &Path, content: &[u8], digest: &mut blake3::Hasher) {
    digest.update(blake3::hash(path.as_os_str().as_encoded_bytes()).as_bytes());
    digest.update(blake3::hash(content).as_bytes());
}

/// Hashes what a crate inherits from the workspace around it.
fn hash_inherited(folder: &Path, digest: &mut blake3::Hasher) {
    let around = folder.ancestors().skip(1).find_map(|ancestor| {
        let manifest: Table = fs::read_to_string(ancestor.join("Cargo.toml")).ok()?.parse().ok()?;
        manifest.get("workspace")?.as_table().cloned()
    });
    for part in ["package", "dependencies"] {
        if let Some(part) = around.as_ref().and_then(|workspace| workspace.get(part)) {
            digest.update(part.to_string().as_bytes());
        }
    }
}

/// Hashes what, in the environment and in Cargo's own settings for `folder`, changes the code
/// that comes out.
fn hash_settings(folder: &Path, digest: &mut blake3::Hasher) {
    let changes_code =
        |name: &str| name.ends_with("RUSTFLAGS") || name.starts_with("CARGO_PROFILE_");
    let variables: BTreeMap<_, _> =
        std::env::vars_os().filter(|(name, _)| changes_code(&name.to_string_lossy())).collect();
    digest.update(format!("{variables:?}").as_bytes());
    let home = std::env::var_os("CARGO_HOME")
        .map(PathBuf::from)
        .or_else(|| Some(PathBuf::from(std::env::var_os("HOME")?).join(".cargo")));
    let folders = folder.ancestors().map(|ancestor| ancestor.join(".cargo")).chain(home);
    for file in folders.flat_map(|folder| [folder.join("config.toml"), folder.join("config")]) {
        let Ok(text) = fs::read_to_string(file) else { continue };
        let settings: Table = text.parse().unwrap_or_default();
        for part in ["build", "env", "patch", "profile", "target", "unstable"] {
            if let Some(part) = settings.get(part) {
                digest.update(blake3::hash(part.to_string().as_bytes()).as_bytes());
            }
        }
    }
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

fn manifest_around(members: &[&str], excluded: &[&str]) -> (String, Vec<u8>) {
    let own: Table = OWN_MANIFEST.parse().expect("our own manifest is TOML");
    let mut workspace: Table = inherited(&own);
    let list = |names: &[&str]| Value::Array(names.iter().map(|&name| name.into()).collect());
    workspace.insert("members".into(), list(members));
    workspace.insert("exclude".into(), list(excluded));
    // The profile of chapters, so that what is compiled for them is not compiled again.
    let manifest = Table::from_iter([
        ("workspace".to_owned(), Value::from(workspace)),
        ("profile".to_owned(), profile([]).into()),
    ]);
    ("Cargo.toml".to_owned(), manifest.to_string().into_bytes())
}

/// What lab and protocol inherit.
fn inherited(own: &Table) -> Table {
    ["resolver", "package", "dependencies", "lints"]
        .into_iter()
        .filter_map(|key| Some((key.to_owned(), own["workspace"].get(key)?.clone())))
        .collect()
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
    let mut builder = tempfile::Builder::new();
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
    let failed = |words: String| Diagnostic::global("dependency", words);
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

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn cargo_settings_that_change_code_change_the_digest() {
        let folder = tempfile::tempdir().expect("a temporary folder");
        let work = folder.path().join("build/work");
        let with = |settings: &str| {
            write_if_changed(&folder.path().join(".cargo/config.toml"), settings.as_bytes())
                .expect("it can be written");
            let mut digest = blake3::Hasher::new();
            hash_settings(&work, &mut digest);
            digest.finalize()
        };
        let plain = with("");
        assert_eq!(with("[net]\nretry = 3\n"), plain);
        assert_ne!(with("[build]\nrustflags = [\"-Ctarget-cpu=native\"]\n"), plain);
    }
}
