//! Slurm's own commands: `sbatch`, `squeue`, `sacct`, `scancel`.

use std::collections::BTreeMap;
use std::io::{self, Write};
use std::path::Path;
use std::process::{Child, Command, Stdio};

use veracity_protocol::Cluster;

/// States in which a job has not ended.
const OPEN: [&str; 9] = [
    "PENDING",
    "RUNNING",
    "CONFIGURING",
    "COMPLETING",
    "SUSPENDED",
    "REQUEUED",
    "RESIZING",
    "STAGE_OUT",
    "SIGNALING",
];

/// What Slurm says of a job.
pub(super) struct Seen {
    /// Whether it waits or runs.
    pub(super) is_open: bool,
    /// Its state, such as `running` or `pending: Resources`.
    pub(super) state: String,
    /// How it ended, if in a way that it could not tell itself.
    pub(super) ended: Option<String>,
}

/// Gives an array of so many jobs to Slurm; gives its number.
pub(super) fn submit(
    cluster: &Cluster,
    name: &str,
    jobs: usize,
    log: &str,
    command: &[&Path],
) -> Result<String, String> {
    let at_once = cluster.at_once.map_or_else(String::new, |most| format!("%{most}"));
    let mut sbatch = Command::new("sbatch");
    sbatch
        .args(["--parsable", "--no-requeue", "--ntasks=1", "--open-mode=truncate"])
        .args(&cluster.arguments)
        .arg(format!("--array=0-{}{at_once}", jobs - 1))
        .arg(format!("--job-name={name}"))
        .arg(format!("--output={log}"))
        .args(command);
    let said = ask(sbatch)?;
    // Behind the number may stand the name of the cluster.
    let number = said.trim().split(';').next().unwrap_or_default();
    match !number.is_empty() && number.bytes().all(|byte| byte.is_ascii_digit()) {
        true => Ok(number.to_owned()),
        false => Err(format!("`sbatch` says \"{}\"", said.trim())),
    }
}

/// A path as a part of a pattern for names of files, in which Slurm replaces what begins with `%`.
pub(super) fn literally(path: &Path) -> String {
    path.display().to_string().replace('%', "%%")
}

/// What Slurm knows of the arrays of these jobs.
pub(super) fn queue<'a>(
    jobs: impl Iterator<Item = &'a str>,
) -> Result<BTreeMap<String, Seen>, String> {
    let mut arrays: Vec<&str> = jobs.map(|job| job.split('_').next().unwrap_or_default()).collect();
    arrays.dedup();
    let mut seen = BTreeMap::new();
    for array in arrays {
        let mut squeue = Command::new("squeue");
        squeue
            .args(["--array", "--noheader", "--states=all", "--format=%i|%T|%r"])
            .arg(format!("--jobs={array}"));
        match ask(squeue) {
            Ok(said) => seen.extend(said.lines().filter_map(line)),
            // It forgets jobs some minutes after their end.
            Err(words) if words.contains("Invalid job id") => {}
            Err(words) => return Err(words),
        }
    }
    Ok(seen)
}

/// A line of `squeue`: name, state, and why it is in that.
fn line(text: &str) -> Option<(String, Seen)> {
    let mut fields = text.trim().split('|');
    let (id, state, reason) = (fields.next()?, fields.next()?, fields.next()?);
    let is_open = OPEN.contains(&state);
    let ended = ended(state);
    let state = match (state, reason) {
        ("PENDING", reason) if reason != "None" => format!("pending ({reason})"),
        _ => state.to_lowercase(),
    };
    Some((id.to_owned(), Seen { is_open, state, ended }))
}

/// How a job ended that its own script could not outlive.
fn ended(state: &str) -> Option<String> {
    let words = match state {
        "TIMEOUT" | "DEADLINE" => {
            "ran out of the time that it has on the cluster; give it more with `time` in `cluster` of \
             report.yaml or `--sbatch=--time=…`, or save checkpoints"
        }
        "OUT_OF_MEMORY" => {
            "was ended for want of memory; give it more with `memory` in `cluster` of report.yaml or \
             `--sbatch=--mem=…`"
        }
        "CANCELLED" | "REVOKED" => "was cancelled",
        "NODE_FAIL" | "BOOT_FAIL" => "was lost with its node",
        "PREEMPTED" => "had to make room for another job",
        _ => return None,
    };
    Some(words.to_owned())
}

/// What the cluster's accounting remembers of a job that the queue has forgotten, if it has any.
pub(super) fn remembered(job: &str) -> Option<String> {
    let mut sacct = Command::new("sacct");
    sacct
        .args(["--noheader", "--parsable2", "--allocations", "--format=State,ExitCode"])
        .arg(format!("--jobs={job}"));
    let said = ask(sacct).ok()?;
    let (state, exit) = said.lines().next()?.trim().split_once('|')?;
    // Behind a state may stand who brought it about.
    let state = state.split(' ').next().unwrap_or_default();
    Some(ended(state).unwrap_or_else(|| format!("ended as {state} with exit code {exit}")))
}

/// What a command prints, or what it says that is wrong.
fn ask(mut command: Command) -> Result<String, String> {
    let name = command.get_program().to_string_lossy().into_owned();
    let output = command
        .stdin(Stdio::null())
        .output()
        .map_err(|error| format!("`{name}` cannot be run: {error}"))?;
    match output.status.success() {
        true => Ok(String::from_utf8_lossy(&output.stdout).into_owned()),
        false => {
            let said = String::from_utf8_lossy(&output.stderr);
            Err(format!("`{name}` says \"{}\"", said.trim()))
        }
    }
}

/// A process that cancels all jobs of a name as soon as this program is gone, unless it is dismissed.
///
/// It notices by the end of its input, which ends with the program whatever ends that, and is in a process
/// group of its own, since an interrupt of a build ends the whole group of a chapter's program.
pub(super) struct Guard(Child);

impl Guard {
    pub(super) fn of(name: &str) -> io::Result<Self> {
        let mut command = Command::new("sh");
        command
            .args(["-c", "read -r dismissed || exec scancel --quiet --name=\"$1\"", "guard", name])
            .stdin(Stdio::piped())
            .stdout(Stdio::null())
            .stderr(Stdio::null());
        #[cfg(unix)]
        std::os::unix::process::CommandExt::process_group(&mut command, 0);
        command.spawn().map(Self)
    }

    /// There is nothing to cancel any more.
    pub(super) fn dismiss(mut self) {
        if let Some(input) = &mut self.0.stdin {
            // If it is gone, it has cancelled what had ended already.
            let _ = input.write_all(b"dismissed\n");
        }
    }
}

impl Drop for Guard {
    fn drop(&mut self) {
        drop(self.0.stdin.take());
        // It ends by itself.
        let _ = self.0.wait();
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn lines_of_the_queue_tell_who_waits_and_how_others_ended() {
        let seen = |text: &str| line(text).map(|(id, seen)| (id, seen.is_open, seen.state));
        let of = |id: &str, is_open, state: &str| Some((id.to_owned(), is_open, state.to_owned()));
        assert_eq!(seen("7_1|RUNNING|None"), of("7_1", true, "running"));
        assert_eq!(seen("7_2|PENDING|Resources"), of("7_2", true, "pending (Resources)"));
        assert_eq!(seen("7_3|COMPLETED|None"), of("7_3", false, "completed"));
        assert_eq!(seen(""), None);
        let ended = |text: &str| line(text).and_then(|(_, seen)| seen.ended);
        assert_eq!(ended("7_3|FAILED|NonZeroExitCode"), None);
        assert!(ended("7_3|TIMEOUT|TimeLimit").is_some_and(|words| words.contains("time")));
        assert_eq!(ended("7_3|CANCELLED|None").as_deref(), Some("was cancelled"));
    }
}
