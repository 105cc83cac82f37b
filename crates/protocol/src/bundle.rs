//! What a bundle of compiled chapters holds, and what its runner leaves.
//!
//! Both are read by the builder that made the bundle and by its runner, which has no toolchain and
//! knows of reports nothing but this.

use std::collections::BTreeMap;
use std::path::PathBuf;

use serde::{Deserialize, Serialize};

use crate::{DataKind, RunPlan};

/// Version of [`Bundle`] and [`Results`].
pub const BUNDLE_VERSION: u32 = 2;

/// First words of a bundle's manifest; its digest, a line feed and JSON follow.
pub const BUNDLE_HEADER: &str = "veracity-bundle-1";

/// First words of a results file; its seal, a line feed and JSON follow.
pub const RESULTS_HEADER: &str = "veracity-results-1";

/// Manifest of a bundle, beside its runner.
pub const BUNDLE_FILE: &str = "bundle.json";

/// Folder in a bundle for a GPU with the headers of kernels that are compiled where they run; programs run
/// there, since that is where they are looked for.
pub const HEADERS_FOLDER: &str = "headers";

/// File in a results folder that names all others with their digests.
pub const RESULTS_FILE: &str = "results.json";

/// Purpose of the hash that seals results.
pub const SEAL_PURPOSE: &str = "veracity seal of results v1";

/// What stands in a cell's key for the run, if it builds on a measurement.
pub const THIS_RUN: &str = "{this run}";

/// Folder of a chapter's run in the results: standard output and error beside the outbox.
pub const STDOUT_FILE: &str = "stdout";

/// Standard error of a chapter's run.
pub const STDERR_FILE: &str = "stderr";

/// A bundle. Its identity is the digest of this manifest.
#[derive(Clone, Debug, PartialEq, Serialize, Deserialize)]
#[serde(deny_unknown_fields)]
pub struct Bundle {
    /// Must equal [`BUNDLE_VERSION`].
    pub version: u32,
    /// Title of the report.
    pub report: String,
    /// Digest of lab, dependencies, lock file and toolchain.
    pub foundation: String,
    /// The compiler's description of itself, in one line.
    pub compiler: String,
    /// What the programs need of a GPU; nothing for the CPU.
    pub cuda: Option<CudaNeeds>,
    /// Data sets that the cells read, by name.
    pub datasets: BTreeMap<String, BundledData>,
    /// Whether they are in the bundle, below `data`.
    pub with_data: bool,
    /// Path of an executable that tests the device instead, and ends with 0 if all is well.
    pub self_test: Option<String>,
    /// The chapters, in order.
    pub chapters: Vec<BundledChapter>,
    /// Digests of the bundle's other files, by path.
    pub files: BTreeMap<String, String>,
}

/// What programs for a GPU need where they run.
#[derive(Clone, Debug, PartialEq, Eq, Serialize, Deserialize)]
#[serde(deny_unknown_fields)]
pub struct CudaNeeds {
    /// Oldest architecture, such as `sm_90`.
    pub arch: String,
    /// Version of the toolkit.
    pub toolkit: String,
    /// Oldest driver, the first part of its version.
    pub driver: u32,
    /// Shared libraries, by the names under which they are loaded.
    pub libraries: Vec<String>,
}

/// A data set that is to be at hand.
#[derive(Clone, Debug, PartialEq, Eq, Serialize, Deserialize)]
#[serde(deny_unknown_fields)]
pub struct BundledData {
    /// Its folder, below that of the data.
    pub folder: PathBuf,
    /// Whether it is the whole published set or a part of it.
    pub kind: DataKind,
    /// Digest of its content, hexadecimal.
    pub digest: String,
    /// Digests of its files, by path below its folder.
    pub files: BTreeMap<String, String>,
}

/// A chapter's program with its plan.
#[derive(Clone, Debug, PartialEq, Serialize, Deserialize)]
#[serde(deny_unknown_fields)]
pub struct BundledChapter {
    /// Path of the executable in the bundle.
    pub program: String,
    /// The plan; the runner sets nonce, folders, data and the number of jobs, and takes the cluster
    /// away unless it is to be used.
    pub plan: RunPlan,
}

/// What a runner leaves, sealed with the bundle's identity.
#[derive(Clone, Debug, PartialEq, Serialize, Deserialize)]
#[serde(deny_unknown_fields)]
pub struct Results {
    /// Must equal [`BUNDLE_VERSION`].
    pub version: u32,
    /// The bundle.
    pub bundle: Bundle,
    /// Its identity.
    pub identity: String,
    /// The machine in words: processor, or GPU with its driver.
    pub machine: String,
    /// What became of each chapter that ran, by slug.
    pub chapters: BTreeMap<String, RanChapter>,
    /// Digests of all files of the chapters, by path.
    pub files: BTreeMap<String, String>,
}

/// What became of a chapter's program.
#[derive(Clone, Debug, PartialEq, Eq, Serialize, Deserialize)]
#[serde(deny_unknown_fields)]
pub struct RanChapter {
    /// The word that marks the lines which separate the cells' output.
    pub nonce: String,
    /// How the program ended; nothing if well.
    pub failure: Option<String>,
}
