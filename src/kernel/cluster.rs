//! Whether jobs can be given to a cluster from here.
//!
//! In: the PATH. Out: which of Slurm's commands are not on it, and whether a cluster answers them. Left out:
//! giving jobs away, which the chapter's program does where it sweeps (`lab::sweep`).

use std::process::{Command, Stdio};

/// Commands without which no job can be given away, followed and cancelled.
const COMMANDS: [&str; 3] = ["sbatch", "squeue", "scancel"];

/// What of Slurm is not on the PATH, in words; nothing if all is.
pub fn missing() -> Option<String> {
    let path = std::env::var_os("PATH").unwrap_or_default();
    let is_here =
        |name: &&str| std::env::split_paths(&path).any(|folder| folder.join(name).is_file());
    let missing: Vec<String> =
        COMMANDS.iter().filter(|name| !is_here(name)).map(|name| format!("`{name}`")).collect();
    (!missing.is_empty())
        .then(|| format!("Slurm's {} is not on the PATH {}", missing.join(", "), path.display()))
}

/// What Slurm says if it does not answer, in words; nothing if it does.
pub fn silent() -> Option<String> {
    // Any question that its controller must answer; of jobs of this name there are none.
    let mut squeue = Command::new("squeue");
    squeue.args(["--noheader", "--name=veracity"]).stdin(Stdio::null());
    match squeue.output() {
        Ok(output) if output.status.success() => None,
        Ok(output) => {
            let said = String::from_utf8_lossy(&output.stderr);
            Some(format!("Slurm does not answer: `squeue` says \"{}\"", said.trim()))
        }
        Err(error) => Some(format!("Slurm does not answer: `squeue` cannot be run: {error}")),
    }
}
