//! Which compiler will compile the chapters.
//!
//! In: the folder in which it is asked. Out: its own description of itself, kept between builds,
//! so that a build in which nothing has changed starts no process.

use std::ffi::OsStr;
use std::fs;
use std::path::{Path, PathBuf};
use std::process::Command;

use super::workspace::write_if_changed;
use crate::diag::Diagnostic;

/// What `rustc -vV` says; asked again only if the toolchain may have changed.
///
/// # Errors
/// If there is no rustc or no cargo, or rustc fails.
pub(super) fn describe(root: &Path, build: &Path) -> Result<String, Diagnostic> {
    let missing = |words: String| {
        Diagnostic::global("toolchain", words)
            .hint("install Rust from https://rustup.rs, then run `veracity doctor`")
    };
    let find = |name: &str, variable: &str| {
        find_tool(name, variable)
            .ok_or_else(|| missing(format!("there is no `{name}` on the PATH")))
    };
    let rustc = find("rustc", "RUSTC")?;
    find("cargo", "CARGO")?;
    let witness = witness_of(root, &rustc);
    let cached = build.join("cache").join("toolchain");
    let noted = |version: &str| {
        let digest = blake3::hash(version.as_bytes()).to_hex();
        format!("{witness} {digest}\n{version}")
    };
    if let Ok(text) = fs::read_to_string(&cached)
        && let Some((_, version)) = text.split_once('\n')
        && text == noted(version)
    {
        return Ok(version.to_owned());
    }
    let output = Command::new(&rustc)
        .arg("-vV")
        .current_dir(root)
        .output()
        .map_err(|error| missing(format!("cannot start {}: {error}", rustc.display())))?;
    if !output.status.success() {
        return Err(missing("`rustc -vV` fails".to_owned())
            .note(String::from_utf8_lossy(&output.stderr).trim().to_owned()));
    }
    let version = String::from_utf8_lossy(&output.stdout).into_owned();
    // A missing note only costs the question next time.
    let _ = write_if_changed(&cached, noted(&version).as_bytes());
    Ok(version)
}

/// Where a tool of the toolchain is: what `variable` says, or the first on the PATH.
fn find_tool(name: &str, variable: &str) -> Option<PathBuf> {
    if let Some(path) = std::env::var_os(variable) {
        return Some(path.into());
    }
    let name = format!("{name}{}", std::env::consts::EXE_SUFFIX);
    std::env::split_paths(&std::env::var_os("PATH")?)
        .map(|folder| folder.join(&name))
        .find(|path| path.is_file())
}

/// A hash that changes when `rustc -vV` may: executable, rustup's settings and overrides,
/// installed toolchains.
fn witness_of(root: &Path, rustc: &Path) -> String {
    let mut witness = blake3::Hasher::new();
    let mut stat = |path: &Path| {
        witness.update(path.as_os_str().as_encoded_bytes());
        if let Ok(metadata) = fs::metadata(path) {
            witness.update(&metadata.len().to_le_bytes());
            let modified = metadata.modified().ok();
            let age = modified.and_then(|at| at.duration_since(std::time::UNIX_EPOCH).ok());
            witness.update(&age.unwrap_or_default().as_nanos().to_le_bytes());
        }
    };
    stat(rustc);
    for folder in root.ancestors() {
        stat(&folder.join("rust-toolchain.toml"));
        stat(&folder.join("rust-toolchain"));
    }
    let rustup = std::env::var_os("RUSTUP_HOME")
        .map(PathBuf::from)
        .or_else(|| Some(PathBuf::from(std::env::var_os("HOME")?).join(".rustup")));
    if let Some(rustup) = rustup {
        stat(&rustup.join("settings.toml"));
        let toolchains = fs::read_dir(rustup.join("toolchains")).into_iter().flatten().flatten();
        let mut toolchains: Vec<_> = toolchains.map(|entry| entry.path()).collect();
        toolchains.sort();
        for toolchain in toolchains {
            stat(&toolchain.join("lib").join("rustlib").join("components"));
        }
    }
    let chosen = std::env::var_os("RUSTUP_TOOLCHAIN").unwrap_or_default();
    witness.update(OsStr::as_encoded_bytes(&chosen));
    witness.finalize().to_hex().to_string()
}
