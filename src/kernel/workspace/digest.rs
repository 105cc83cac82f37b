//! Digests of the code on which cells stand.
//!
//! In: the report's dependencies, crates on disk, settings. Out: what goes into the digest of a
//! workspace, and the part of it that needs no toolchain. Neither the place of the report on disk
//! nor the names of its chapters matter.

use std::collections::BTreeMap;
use std::fs;
use std::io;
use std::path::{Path, PathBuf};

use toml::{Table, Value};

use super::manifests::dependencies;
use crate::config::ReportConfig;
use crate::diag::Diagnostic;

/// The part of a lock file that says which code from elsewhere is compiled.
pub(super) fn locked_versions(lock: &str) -> String {
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

pub(super) fn hash_path_dependencies(
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

pub(super) fn hash_file(path: &Path, content: &[u8], digest: &mut blake3::Hasher) {
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
pub(super) fn hash_settings(folder: &Path, digest: &mut blake3::Hasher) {
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

#[cfg(test)]
mod tests {
    use super::super::write_if_changed;
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
