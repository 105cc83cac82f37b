//! Replays cells whose results are stored and runs the others.

use veracity_protocol::CellOutput;

use crate::claims::Reason;
use crate::diag::Diagnostic;

/// Results of all chapters, in the order of the chapters.
#[derive(Clone, Debug, Default)]
pub struct Executed {
    /// One per chapter.
    pub chapters: Vec<ExecutedChapter>,
}

/// Results of one chapter, in the order of its cells.
#[derive(Clone, Debug, Default)]
pub struct ExecutedChapter {
    /// One per cell.
    pub cells: Vec<CellResult>,
}

/// What became of one cell.
#[derive(Clone, Debug)]
pub struct CellResult {
    /// Cache key, hexadecimal.
    pub key: String,
    /// Device for which it was planned.
    pub device: String,
    /// Profile for which it was planned.
    pub profile: String,
    /// How it ended.
    pub status: CellStatus,
    /// What it published; empty unless it is done.
    pub output: CellOutput,
    /// Standard output, cut if it is very long.
    pub stdout: String,
    /// Standard error, cut if it is very long.
    pub stderr: String,
    /// Wall time.
    pub duration_ms: u64,
}

/// How a cell ended.
#[derive(Clone, Debug)]
pub enum CellStatus {
    /// To its end.
    Done,
    /// With an error, a panic, a time-out, or without compiling.
    Failed(Diagnostic),
    /// Not run, for a reason that is put into words.
    NotRun(Reason, String),
}
