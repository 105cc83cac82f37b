//! Programs that may do little.
//!
//! In: a command and a [`Policy`]. Out: a command that starts our own executable, which gives up
//! rights and then becomes the program, so that the program and all that it starts have none of
//! them. Landlock holds files, TCP and signals; seccomp other system calls; limits memory and sizes.
//! What the kernel cannot enforce is refused and never left out. Left out: how much is written in
//! all, which the kernel does not limit and [`super::batch`] watches.

use std::path::PathBuf;
use std::process::Command;

use serde::{Deserialize, Serialize};

use crate::diag::Diagnostic;

/// Name of the hidden command that gives up rights.
pub const COMMAND: &str = "__confine";

/// Variables of the environment that a confined program keeps, besides those set for it. Others
/// may hold secrets.
const KEPT: [&str; 14] = [
    "CARGO_HOME",
    "CC",
    "HOME",
    "LANG",
    "LC_ALL",
    "OMP_NUM_THREADS",
    "PATH",
    "RAYON_NUM_THREADS",
    "RUSTC",
    "RUSTFLAGS",
    "RUSTUP_HOME",
    "RUSTUP_TOOLCHAIN",
    "TZ",
    "USER",
];

/// Whether code is confined.
#[derive(Clone, Copy, Debug, Default, PartialEq, Eq)]
pub enum Confinement {
    /// It has the person's rights.
    #[default]
    Free,
    /// It reads the report and the toolchain and writes where results go.
    Confined,
}

/// What a program may do.
#[derive(Clone, Debug, Serialize, Deserialize)]
pub struct Policy {
    /// What it may read. What is not there cannot be read in any case.
    pub read: Vec<PathBuf>,
    /// What it may read and execute.
    pub execute: Vec<PathBuf>,
    /// What it may read, write and remove.
    pub write: Vec<PathBuf>,
    /// Whether it may start processes.
    pub processes: Processes,
    /// Most bytes of address space of each process.
    pub memory: u64,
    /// Most bytes of a file that it writes.
    pub file: u64,
    /// Most seconds of processor time of each process.
    pub seconds: u64,
}

/// Whether a program may start processes.
#[derive(Clone, Copy, Debug, PartialEq, Eq, Serialize, Deserialize)]
pub enum Processes {
    /// Not one; threads are free.
    None,
    /// As compilers do; root's own are not counted by the kernel.
    Some,
}

/// The command under a policy. It keeps its folder and variables, but not its streams.
///
/// # Errors
/// If our own executable cannot be found.
pub fn wrap(command: &Command, policy: &Policy) -> std::io::Result<Command> {
    let mut wrapped = Command::new(std::env::current_exe()?);
    wrapped.arg(COMMAND).arg(serde_json::to_string(policy)?).arg("--");
    wrapped.arg(command.get_program()).args(command.get_args());
    if let Some(folder) = command.get_current_dir() {
        wrapped.current_dir(folder);
    }
    wrapped.env_clear();
    for name in KEPT {
        if let Some(value) = std::env::var_os(name) {
            wrapped.env(name, value);
        }
    }
    for (name, value) in command.get_envs() {
        match value {
            Some(value) => wrapped.env(name, value),
            None => wrapped.env_remove(name),
        };
    }
    Ok(wrapped)
}

/// What no kernel of this machine lets us enforce.
fn refusal(words: &str) -> Diagnostic {
    Diagnostic::global("no-sandbox", format!("programs cannot be confined here: {words}"))
        .note("nothing was run")
        .hint(
            "Linux 6.12 or newer with Landlock on x86-64 or AArch64 is needed; without `--sandbox` and \
             `--untrusted` the report's code runs with your rights",
        )
}

#[cfg(not(all(target_os = "linux", any(target_arch = "x86_64", target_arch = "aarch64"))))]
mod enforce {
    use super::{Diagnostic, Policy, refusal};

    pub fn supported() -> Result<(), Diagnostic> {
        Err(refusal("this system has neither Landlock nor seccomp for it"))
    }

    pub fn restrict(_policy: &Policy) -> Result<(), Diagnostic> {
        supported()
    }
}

#[cfg(all(target_os = "linux", any(target_arch = "x86_64", target_arch = "aarch64")))]
mod enforce;

pub use enforce::{restrict, supported};

/// Gives up rights and becomes the program; returns only if that fails.
#[cfg(unix)]
pub fn become_confined(policy: &str, command: &[std::ffi::OsString]) -> Diagnostic {
    use std::os::unix::process::CommandExt;

    let Ok(policy) = serde_json::from_str::<Policy>(policy) else {
        return Diagnostic::global("no-sandbox", "the policy cannot be read")
            .hint("it is for Veracity alone: say `--sandbox` instead");
    };
    let [program, arguments @ ..] = command else {
        return Diagnostic::global("no-sandbox", "there is no program to confine")
            .hint("it is for Veracity alone: say `--sandbox` instead");
    };
    if let Err(problem) = restrict(&policy) {
        return problem;
    }
    let error = Command::new(program).args(arguments).exec();
    Diagnostic::global("no-sandbox", format!("cannot start the confined program: {error}"))
        .hint("`veracity clean` makes room for another try")
}
