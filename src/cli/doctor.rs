//! `veracity doctor`: what is here, what is missing, and how to get it.

use std::fmt::Write as _;
use std::path::Path;
use std::process::Command;

use super::Session;
#[cfg(unix)]
use crate::kernel::live::{self, Companion};

/// Free space that a first build of a report with dfdx takes, with room to spare.
const WANTED_BYTES: u64 = 4 << 30;

/// What further lines of a finding begin with.
const INDENT: &str = "                     ";

/// What was found about one thing.
enum Finding {
    Here(String),
    Optional(String),
    Missing(String),
}

pub(super) fn look(session: &Session, root: Option<&Path>) -> u8 {
    let folder = root.unwrap_or(Path::new("."));
    let findings = [
        ("rustc", tool("rustc", &["--version"], "install Rust from https://rustup.rs")),
        ("cargo", tool("cargo", &["--version"], "install Rust from https://rustup.rs")),
        ("C linker", tool("cc", &["--version"], "install gcc or clang, such as `apt install gcc`")),
        ("disk", disk(folder)),
        ("report", report(folder)),
        ("GPU", gpu()),
        ("Slurm", slurm()),
        ("live", live()),
    ];
    let mut words = String::new();
    let mut missing = false;
    for (name, finding) in findings {
        let (mark, text) = match finding {
            Finding::Here(text) => ("\x1b[32m✓ found  \x1b[0m", text),
            Finding::Optional(text) => ("\x1b[33m○ without\x1b[0m", text),
            Finding::Missing(text) => {
                missing = true;
                ("\x1b[31m✗ missing\x1b[0m", text)
            }
        };
        let _ = writeln!(words, "{mark}  {name:<9} {text}");
    }
    session.print(&words);
    u8::from(missing) * super::WRONG
}

fn tool(name: &str, arguments: &[&str], remedy: &str) -> Finding {
    match Command::new(name).args(arguments).output() {
        Ok(output) if output.status.success() => {
            let said = String::from_utf8_lossy(&output.stdout);
            Finding::Here(said.lines().next().unwrap_or_default().to_owned())
        }
        Ok(output) => Finding::Missing(format!("`{name}` fails with {}; {remedy}", output.status)),
        Err(error) => Finding::Missing(format!("`{name}`: {error}; {remedy}")),
    }
}

#[cfg(unix)]
fn disk(folder: &Path) -> Finding {
    match rustix::fs::statvfs(folder) {
        Ok(space) => {
            let free = space.f_bavail.saturating_mul(space.f_frsize);
            let words = format!("{:.1} GB free", free as f64 / 1e9);
            if free >= WANTED_BYTES {
                Finding::Here(words)
            } else {
                let wanted = WANTED_BYTES as f64 / 1e9;
                Finding::Missing(format!(
                    "{words}, a first build may take {wanted:.1} GB; `veracity clean` frees some"
                ))
            }
        }
        Err(error) => Finding::Optional(format!("cannot be told: {error}")),
    }
}

#[cfg(not(unix))]
fn disk(_folder: &Path) -> Finding {
    Finding::Optional(format!("see that {:.1} GB are free", WANTED_BYTES as f64 / 1e9))
}

fn report(folder: &Path) -> Finding {
    let found = std::path::absolute(folder).ok().and_then(|folder| {
        folder.ancestors().find(|folder| folder.join("report.yaml").is_file()).map(Path::to_owned)
    });
    match found {
        Some(root) => Finding::Here(root.join("report.yaml").display().to_string()),
        None => Finding::Optional(
            "no report.yaml here or above; `veracity new DIR` makes a report".to_owned(),
        ),
    }
}

/// The executable behind the live kernel.
#[cfg(unix)]
fn live() -> Finding {
    let version = Command::new("rustc").arg("-vV").output().map(|output| output.stdout);
    let toolchain = String::from_utf8_lossy(&version.unwrap_or_default()).into_owned();
    match live::find(&toolchain) {
        Ok(Companion::Here(path)) => Finding::Here(path.display().to_string()),
        Ok(Companion::Missing(folder)) => Finding::Optional(format!(
            "no veracity-live; `--kernel live` builds it once into {}, which takes some minutes and \
             1 GB meanwhile",
            folder.display()
        )),
        Err(problem) => Finding::Optional(problem.message),
    }
}

#[cfg(not(unix))]
fn live() -> Finding {
    Finding::Optional("the live kernel runs on Unix only; `--kernel batch` does without".to_owned())
}

fn slurm() -> Finding {
    match crate::kernel::cluster::missing() {
        None => Finding::Here("sweeps may run on a cluster with `--on slurm`".to_owned()),
        Some(words) => Finding::Optional(format!("{words}; sweeps run on this machine")),
    }
}

fn gpu() -> Finding {
    match super::bundle::survey() {
        Ok(words) => Finding::Here(words),
        Err(words) => Finding::Optional(format!(
            "cells run on the CPU:\n{INDENT}{words}\n{INDENT}`veracity bundle --device cuda` makes \
             programs for a machine with a GPU; it takes a toolkit only:\n{INDENT}{}",
            super::bundle::TOOLKIT_HINT
        )),
    }
}
