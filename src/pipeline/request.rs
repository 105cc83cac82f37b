//! What a person asks of a build.

use std::path::{Path, PathBuf};
#[cfg(unix)]
use std::sync::Arc;
use std::thread;

use crate::kernel::confine::Confinement;
use crate::kernel::cuda;
#[cfg(unix)]
use crate::kernel::live::Pool;
use crate::kernel::workspace::Network;

/// What is to be built, and how.
#[derive(Clone, Debug)]
pub struct BuildRequest {
    /// Folder with `report.yaml`.
    pub root: PathBuf,
    /// Folder for outputs and caches.
    pub out: PathBuf,
    /// Folder with data sets.
    pub data: PathBuf,
    /// Outputs to render.
    pub formats: Formats,
    /// Number from 1 of the only chapter whose cells may run.
    pub chapter: Option<usize>,
    /// Name of the profile.
    pub profile: String,
    /// Name of the device.
    pub device: String,
    /// How many chapters may run at a time.
    pub jobs: usize,
    /// Whether crates may be fetched.
    pub network: Network,
    /// Whether cells run even if their results are stored.
    pub from_scratch: bool,
    /// What runs the cells.
    pub kernel: KernelChoice,
    /// Whether compilers and cells are confined; the batch kernel can do that.
    pub confinement: Confinement,
    /// Where the jobs of sweeps run; the batch kernel alone has any.
    pub venue: Venue,
}

impl BuildRequest {
    /// The usual build of a report: both outputs of all chapters, on this machine's processors.
    pub fn of(root: &Path) -> Self {
        Self {
            root: root.to_owned(),
            out: root.join("build"),
            data: root.join("data"),
            formats: Formats { html: true, pdf: true },
            chapter: None,
            profile: "quick".to_owned(),
            device: cuda::CPU.to_owned(),
            jobs: thread::available_parallelism().map_or(1, usize::from),
            network: Network::Allowed,
            from_scratch: false,
            kernel: KernelChoice::Batch,
            confinement: Confinement::Free,
            venue: Venue::Local,
        }
    }
}

/// Where the jobs of sweeps run.
#[derive(Clone, Debug, Default, PartialEq, Eq)]
pub enum Venue {
    /// On this machine.
    #[default]
    Local,
    /// On a cluster with Slurm, with further arguments for `sbatch`.
    Slurm(Vec<String>),
}

/// What runs the cells.
#[derive(Clone, Debug, Default)]
pub enum KernelChoice {
    /// A compiled program per chapter.
    #[default]
    Batch,
    /// Processes that stay, in this pool.
    #[cfg(unix)]
    Live(Arc<Pool>),
    /// The same, apart from what the report is made with.
    #[cfg(unix)]
    Console(Arc<Pool>),
}

/// Outputs to render.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub struct Formats {
    /// The folder of web pages.
    pub html: bool,
    /// The PDF.
    pub pdf: bool,
}
