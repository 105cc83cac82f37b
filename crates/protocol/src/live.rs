//! What the report builder and `veracity-live` say to each other: one JSON object a line, requests
//! on its standard input and replies on its standard output.
//!
//! Left out: what cells publish, which takes the way through the outbox as in every kernel.

use std::collections::BTreeMap;
use std::path::PathBuf;

use serde::{Deserialize, Serialize};

/// Environment variable of the process that runs cells: a file that the builder keeps locked as
/// long as it lives.
pub const LOCK_VARIABLE: &str = "VERACITY_LIVE_LOCK";

/// Pipe in the outbox that takes what cells print on standard output.
pub const STDOUT_PIPE: &str = "stdout";

/// Pipe in the outbox that takes what cells print on standard error.
pub const STDERR_PIPE: &str = "stderr";

/// File in the outbox that holds the [`LiveState`] after an evaluation.
pub const STATE_FILE: &str = "state.json";

/// File in the outbox by which the builder says that nobody waits for an evaluation any more. One
/// that has not yet begun then runs nothing.
pub const CANCELLED_FILE: &str = "cancelled";

/// What the builder asks for.
#[derive(Clone, Debug, PartialEq, Serialize, Deserialize)]
#[serde(tag = "request", rename_all = "kebab-case")]
pub enum LiveRequest {
    /// Makes the context; the first request, and the only one of its kind.
    Open(Opening),
    /// Compiles and runs statements.
    Evaluate {
        /// The statements.
        code: String,
    },
    /// Asks what may stand at a place in statements that need not be whole. Runs nothing.
    Complete {
        /// The statements.
        code: String,
        /// The place: a byte offset.
        at: usize,
    },
    /// Ends the process that runs cells, with all that it started. Has no reply of its own.
    Kill,
}

/// What a context stands on.
#[derive(Clone, Debug, PartialEq, Serialize, Deserialize)]
#[serde(deny_unknown_fields)]
pub struct Opening {
    /// Must equal [`crate::VERSION`].
    pub version: u32,
    /// Folder in which cells run.
    pub root: PathBuf,
    /// Where Cargo keeps the versions of dependencies.
    pub lock_file: PathBuf,
    /// Which versions those shall be: the file's content.
    pub lock: String,
    /// Crates that cells may use, in the words of a manifest, at least one.
    pub dependencies: BTreeMap<String, String>,
    /// Environment of Cargo.
    pub build: BTreeMap<String, String>,
    /// Environment of the process that runs cells.
    pub run: BTreeMap<String, String>,
}

/// What `veracity-live` answers.
#[derive(Clone, Debug, PartialEq, Serialize, Deserialize)]
#[serde(tag = "reply", rename_all = "kebab-case")]
pub enum LiveReply {
    /// The context is there.
    Opened,
    /// The statements ran to their end, however the cells in them fared.
    Done,
    /// The statements do not compile.
    Rejected {
        /// The compiler's messages, each a JSON object.
        messages: Vec<String>,
        /// The file to which the messages refer.
        source: String,
    },
    /// What may stand at the place that was asked for.
    Completed {
        /// Byte offset in the statements from which on the words stand.
        from: usize,
        /// Words, each instead of what stands from there to the place.
        words: Vec<String>,
    },
    /// The process that runs cells has ended. Another is there, without variables.
    Died {
        /// How it ended.
        status: String,
    },
    /// The request cannot be served.
    Unable {
        /// Why.
        words: String,
    },
}

/// What the process that runs cells holds after an evaluation.
#[derive(Clone, Debug, Default, PartialEq, Serialize, Deserialize)]
#[serde(deny_unknown_fields)]
pub struct LiveState {
    /// The type of each variable, by name.
    pub variables: BTreeMap<String, String>,
    /// A variable that the statements need and that is not there with that type. Nothing has run.
    pub refused: Option<String>,
}
