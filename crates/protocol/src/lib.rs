//! The plain data that crosses between the report builder (the *host*) and the
//! program that runs a chapter's cells.
//!
//! In: nothing. Out: serde types, versioned by [`VERSION`]. Left out: behaviour.
//! The host links no cell and a cell links no host, so these types are all they share.
//!
//! A run works as follows. The host writes a [`RunPlan`] to a file and names it in the
//! environment variable [`PLAN_VARIABLE`]. The program appends [`Event`]s, one JSON object
//! a line, to `events.jsonl` in [`RunPlan::outbox`], and writes the [`CellOutput`] of the
//! n-th cell to `cell-N.json` there before it reports the cell as finished. Standard output
//! and standard error stay the author's; before each cell the program prints
//! [`boundary`] as a line of its own on both, so that the host can cut them into cells.
//! The host holds a lock on [`ALIVE_FILE`], so that a program outlives no host that is killed.

mod artifact;
mod bundle;
mod cluster;
mod equation;
mod gpu;
mod live;
mod value;

pub use artifact::{
    Align, Artifact, Axis, Check, CheckStatus, Column, Evidence, Figure, Plot, Scale, Series,
    SeriesKind, Table,
};
pub use bundle::{
    BUNDLE_FILE, BUNDLE_HEADER, BUNDLE_VERSION, Bundle, BundledChapter, BundledData, CudaNeeds,
    HEADERS_FOLDER, RESULTS_FILE, RESULTS_HEADER, RanChapter, Results, SEAL_PURPOSE, STDERR_FILE,
    STDOUT_FILE, THIS_RUN,
};
pub use cluster::wrong_sbatch_argument;
pub use equation::{Equation, Expr, Function, Relation};
pub use gpu::lacks_memory;
pub use live::{
    CANCELLED_FILE, LOCK_VARIABLE, LiveReply, LiveRequest, LiveState, Opening, STATE_FILE,
    STDERR_PIPE, STDOUT_PIPE,
};
pub use value::{DataKind, DataUse, Float, Published, Value};

use std::collections::BTreeMap;
use std::path::PathBuf;

use serde::{Deserialize, Serialize};

/// Version of every message in this crate; host and program refuse to talk across versions.
pub const VERSION: u32 = 3;

/// Environment variable that holds the path of the [`RunPlan`].
pub const PLAN_VARIABLE: &str = "VERACITY_PLAN";

/// File in the outbox to which the program appends [`Event`]s.
pub const EVENTS_FILE: &str = "events.jsonl";

/// File in the outbox that the host keeps locked while it lives; the program ends once it gets the
/// lock. Without the file nobody watches over the program.
pub const ALIVE_FILE: &str = "host.lock";

/// Exit status of a program whose cell failed in a way that it reported itself.
pub const CELL_FAILED: i32 = 101;

/// What the program needs to know before it runs its cells.
#[derive(Clone, Debug, PartialEq, Serialize, Deserialize)]
#[serde(deny_unknown_fields)]
pub struct RunPlan {
    /// Must equal [`VERSION`].
    pub version: u32,
    /// Identifier of the chapter, for messages.
    pub chapter: String,
    /// Name of the profile, `quick` or `full` in every report.
    pub profile: String,
    /// Name of the device that the cells should use, `cpu` or `cuda`.
    pub device: String,
    /// Seed from which every random number of the report is derived.
    pub seed: u64,
    /// Unguessable word that marks the lines which separate the cells' output.
    pub nonce: String,
    /// Empty folder for events and outputs.
    pub outbox: PathBuf,
    /// Folder of memoised results; shared between runs.
    pub memo: PathBuf,
    /// Folder of the report's data sets.
    pub data: PathBuf,
    /// Data sets at hand, by name.
    pub datasets: BTreeMap<String, DataSource>,
    /// The cells, in the order in which they run.
    pub cells: Vec<PlannedCell>,
    /// Equations of the chapter that a cell names, by label.
    pub equations: BTreeMap<String, Equation>,
    /// Most processes at a time into which a cell may divide its work; 1 for none but its own.
    pub jobs: usize,
    /// The part of a cell's work for which alone this process was started, by another of the same
    /// program.
    pub job: Option<Job>,
    /// The cluster to which a cell gives such parts, if they are not to run on this machine.
    pub cluster: Option<Cluster>,
    /// The program that does such parts, if this process is none that can be started once more.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub worker: Option<Worker>,
}

/// A program of the same chapter, for parts of a cell's work.
#[derive(Clone, Debug, PartialEq, Serialize, Deserialize)]
#[serde(deny_unknown_fields)]
pub struct Worker {
    /// Its executable.
    pub executable: PathBuf,
    /// The cells that it holds, among them the one with the work.
    pub cells: Vec<PlannedCell>,
}

/// A cluster with Slurm, whose nodes see the same files.
#[derive(Clone, Debug, Default, PartialEq, Eq, Serialize, Deserialize)]
#[serde(deny_unknown_fields)]
pub struct Cluster {
    /// What each array of jobs asks for, as arguments of `sbatch`.
    pub arguments: Vec<String>,
    /// Most jobs of an array that may run at a time.
    pub at_once: Option<usize>,
}

/// One part of a cell's work. The process that does it runs the cells before that cell too, whose
/// variables the work may use; nothing comes of it but one memoised result.
#[derive(Clone, Debug, PartialEq, Eq, Serialize, Deserialize)]
#[serde(deny_unknown_fields)]
pub struct Job {
    /// Index of the cell in [`RunPlan::cells`].
    pub cell: usize,
    /// File of the memoised result.
    pub memo: PathBuf,
}

/// One cell of a [`RunPlan`].
#[derive(Clone, Debug, PartialEq, Serialize, Deserialize)]
#[serde(deny_unknown_fields)]
pub struct PlannedCell {
    /// Identifier, unique in the chapter.
    pub id: String,
    /// Cache key, hexadecimal. Memoised results belong to it.
    pub key: String,
    /// Names of the data sets that it declares, at hand or not.
    pub data: Vec<String>,
}

/// A data set at hand.
#[derive(Clone, Debug, PartialEq, Eq, Serialize, Deserialize)]
#[serde(deny_unknown_fields)]
pub struct DataSource {
    /// Its folder.
    pub folder: PathBuf,
    /// Whether it is the whole published set or a part of it.
    pub kind: DataKind,
    /// Digest of its content, hexadecimal.
    pub digest: String,
}

/// Something that happened in a running program.
#[derive(Clone, Debug, PartialEq, Serialize, Deserialize)]
#[serde(tag = "event", rename_all = "kebab-case")]
pub enum Event {
    /// A cell begins.
    Started {
        /// Index of the cell in [`RunPlan::cells`].
        cell: usize,
    },
    /// Long work has advanced.
    Progress {
        /// Index of the cell in [`RunPlan::cells`].
        cell: usize,
        /// What is being done.
        task: String,
        /// Units done.
        done: u64,
        /// Units in total, if known.
        total: Option<u64>,
        /// Further words.
        note: String,
        /// Numbers to follow, such as the present loss, by name.
        #[serde(default, skip_serializing_if = "BTreeMap::is_empty")]
        metrics: BTreeMap<String, Float>,
    },
    /// A cell waits for jobs on a cluster, which are not this machine's: the time until it goes on
    /// is not its own.
    Waiting {
        /// Index of the cell in [`RunPlan::cells`].
        cell: usize,
    },
    /// The jobs for which a cell waited have ended.
    Resumed {
        /// Index of the cell in [`RunPlan::cells`].
        cell: usize,
    },
    /// A cell ended well and its output is in the outbox.
    Finished {
        /// Index of the cell in [`RunPlan::cells`].
        cell: usize,
        /// Wall time in milliseconds.
        duration_ms: u64,
    },
    /// A cell ended with a panic or an error.
    Failed {
        /// Index of the cell in [`RunPlan::cells`].
        cell: usize,
        /// What went wrong.
        failure: Failure,
    },
}

/// Why a cell failed.
#[derive(Clone, Debug, PartialEq, Serialize, Deserialize)]
pub struct Failure {
    /// Panic, error or sweep.
    pub kind: FailureKind,
    /// The panic's or error's own text, sources included.
    pub message: String,
    /// Where in the program's source it happened.
    pub location: Option<Location>,
}

/// The ways in which a cell can report its own failure.
#[derive(Clone, Copy, Debug, PartialEq, Eq, Serialize, Deserialize)]
#[serde(rename_all = "kebab-case")]
pub enum FailureKind {
    /// A panic.
    Panic,
    /// An error returned by `?`.
    Error,
    /// Jobs of a sweep that did not end well.
    Sweep,
}

/// A place in a generated source file.
#[derive(Clone, Debug, PartialEq, Eq, Serialize, Deserialize)]
pub struct Location {
    /// File as the compiler knew it.
    pub file: String,
    /// Line, from 1.
    pub line: u32,
    /// Column, from 1, in characters.
    pub column: u32,
}

/// Everything that one cell published.
#[derive(Clone, Debug, Default, PartialEq, Serialize, Deserialize)]
#[serde(deny_unknown_fields)]
pub struct CellOutput {
    /// Artifacts in the order in which the cell produced them.
    pub artifacts: Vec<Artifact>,
    /// Values in the order in which the cell published them.
    pub values: Vec<Published>,
}

/// File in the outbox that holds the [`CellOutput`] of a cell.
pub fn output_file(cell: usize) -> String {
    format!("cell-{cell}.json")
}

/// Line that a program prints on both standard streams before a cell.
///
/// The cell after the last one has no output of its own but closes the one before.
/// An author's last line without a line feed stands in front of it on the same line.
pub fn boundary(nonce: &str, cell: usize) -> String {
    format!("\u{1e}veracity {nonce} {cell}")
}
