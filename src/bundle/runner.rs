//! Builds the bundles' runner out of the sources that travel inside this executable.

use std::io::Read;
use std::path::{Path, PathBuf};
use std::process::{Command, Stdio};

use include_dir::{Dir, include_dir};

use crate::kernel::process::Group;
use crate::kernel::workspace::{self, Network, write_if_changed};

static RUNNER: Dir<'_> = include_dir!("$CARGO_MANIFEST_DIR/crates/runner");

/// The runner's executable.
///
/// # Errors
/// What went wrong, in words.
pub(super) fn build(out: &Path, network: Network) -> Result<PathBuf, String> {
    let folder = out.join("bundle");
    let mut folders = vec![&RUNNER];
    while let Some(dir) = folders.pop() {
        folders.extend(dir.dirs());
        for file in dir.files() {
            let path = folder.join("crates/runner").join(file.path());
            write_if_changed(&path, file.contents()).map_err(|error| error.to_string())?;
        }
    }
    for (path, text) in workspace::sources_around("crates/runner") {
        write_if_changed(&folder.join(path), &text).map_err(|error| error.to_string())?;
    }
    let target = out.join("target");
    let mut command = Command::new(std::env::var_os("CARGO").unwrap_or_else(|| "cargo".into()));
    command
        .current_dir(&folder)
        .args(["build", "--quiet", "--package", "veracity-runner"])
        .env("CARGO_TARGET_DIR", &target)
        .stdin(Stdio::null())
        .stderr(Stdio::piped());
    if network == Network::Forbidden {
        command.env("CARGO_NET_OFFLINE", "true");
    }
    let mut cargo = Group::spawn(&mut command).map_err(|error| error.to_string())?;
    let mut said = String::new();
    if let Some(mut stderr) = cargo.child.stderr.take() {
        // A part of what Cargo says is better than nothing.
        let _ = stderr.read_to_string(&mut said);
    }
    let status = cargo.child.wait().map_err(|error| error.to_string())?;
    match status.success() {
        true => Ok(target.join("debug").join("veracity-runner")),
        false => Err(said),
    }
}
