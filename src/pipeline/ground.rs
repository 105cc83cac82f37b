//! What the cells stand on, and the kernel that the request asks for.

#[cfg(unix)]
use std::sync::Arc;

use veracity_protocol::Cluster;

use super::{BuildEvent, BuildRequest, KernelChoice, Sink, Venue, Written, one};
use crate::config::{ClusterNeeds, ReportConfig};
use crate::diag::Diagnostic;
use crate::kernel::Kernel;
use crate::kernel::absent::AbsentKernel;
use crate::kernel::batch::BatchKernel;
#[cfg(unix)]
use crate::kernel::behind::Teller;
use crate::kernel::cuda::{self, Survey};
#[cfg(unix)]
use crate::kernel::live::{CONSOLE_FOLDER, LiveKernel, Pool, Purpose, WarmKernel};
use crate::kernel::workspace::Workspace;

/// What the cells of a report stand on besides the report itself, and what runs them.
pub struct Ground {
    /// Digest of lab, dependencies, lock file and toolchain.
    pub digest: String,
    /// The compiler's own description of itself.
    pub toolchain: String,
    /// What runs the cells.
    pub kernel: Box<dyn Kernel>,
}

/// Prepares the ground for the chapters with these slugs, all of which have code that runs.
pub type Prepare =
    dyn Fn(&BuildRequest, &ReportConfig, &[&str]) -> Result<Ground, Diagnostic> + Send + Sync;

/// Prepares what the cells stand on; nothing is needed where there are none.
///
/// # Errors
/// As for [`Workspace::prepare`].
pub fn ground(
    request: &BuildRequest,
    written: &Written,
    prepare: &Prepare,
    sink: Sink<'_>,
) -> Result<Ground, Vec<Diagnostic>> {
    let slugs = written.slugs_with_code();
    if slugs.is_empty() {
        return Ok(Ground {
            digest: String::new(),
            toolchain: String::new(),
            kernel: Box::new(crate::kernel::scripted::ScriptedKernel::default()),
        });
    }
    sink(BuildEvent::Preparing);
    prepare(request, &written.config, &slugs).map_err(one)
}

/// The ground with the kernel that the request asks for.
///
/// # Errors
/// As for [`Workspace::prepare`].
pub fn prepare(
    request: &BuildRequest,
    config: &ReportConfig,
    slugs: &[&str],
) -> Result<Ground, Diagnostic> {
    let config = &config.on(&request.device);
    let folder = match &request.kernel {
        #[cfg(unix)]
        KernelChoice::Console(_) => &request.out.join(CONSOLE_FOLDER),
        _ => &request.out,
    };
    let mut workspace = Workspace::prepare(&request.root, folder, config, slugs, request.network)?;
    let (digest, toolchain) = (workspace.digest.clone(), workspace.toolchain.clone());
    if request.device == cuda::CUDA {
        let survey = Survey::take();
        let Some((gpu, toolkit)) = survey.complete() else {
            let because = format!("needs the device `cuda`; {}", survey.missing().join("; "));
            return Ok(Ground { digest, toolchain, kernel: Box::new(AbsentKernel { because }) });
        };
        workspace = workspace.with_layout(toolkit.lay_out(&request.out.join("cuda"), gpu.arch)?);
    }
    let (root, build, data) = (request.root.clone(), request.out.clone(), request.data.clone());
    let kernel: Box<dyn Kernel> = match &request.kernel {
        KernelChoice::Batch => {
            let kernel = BatchKernel::new(workspace, root, build, data, request.jobs);
            Box::new(kernel.confined(request.confinement).on(cluster(request, config)))
        }
        #[cfg(unix)]
        KernelChoice::Live(pool) => {
            pool.keep_only(slugs);
            let pool = Arc::clone(pool);
            let (purpose, jobs) = (Purpose::Report, request.jobs);
            Box::new(LiveKernel::new(purpose, pool, workspace, root, build, data, jobs))
        }
        #[cfg(unix)]
        KernelChoice::Console(pool) => {
            let pool = Arc::clone(pool);
            let (purpose, jobs) = (Purpose::Console, request.jobs);
            Box::new(LiveKernel::new(purpose, pool, workspace, root, build, data, jobs))
        }
    };
    Ok(Ground { digest, toolchain, kernel })
}

/// What the jobs of sweeps ask of a cluster, if they are to run on one.
fn cluster(request: &BuildRequest, config: &ReportConfig) -> Option<Cluster> {
    let Venue::Slurm(more) = &request.venue else { return None };
    let ClusterNeeds { arguments, at_once } = config.cluster.clone();
    // Of two that say something of the same thing `sbatch` takes the later.
    let arguments = arguments.into_iter().chain(more.iter().cloned()).collect();
    Some(Cluster { arguments, at_once })
}

/// The ground with a kernel that runs cells in the contexts of a pool as soon as they are there, and
/// as programs until then.
///
/// # Errors
/// As for [`Workspace::prepare`].
#[cfg(unix)]
pub fn prepare_warm(
    pool: &Arc<Pool>,
    tell: &Teller,
    request: &BuildRequest,
    config: &ReportConfig,
    slugs: &[&str],
) -> Result<Ground, Diagnostic> {
    let workspace =
        Workspace::prepare(&request.root, &request.out, config, slugs, request.network)?;
    let (digest, toolchain) = (workspace.digest.clone(), workspace.toolchain.clone());
    pool.keep_only(slugs);
    let (root, build, data) = (request.root.clone(), request.out.clone(), request.data.clone());
    let (pool, jobs) = (Arc::clone(pool), request.jobs);
    let live = LiveKernel::new(Purpose::Report, pool, workspace, root, build, data, jobs);
    let kernel = Box::new(WarmKernel::new(live, Arc::clone(tell)));
    Ok(Ground { digest, toolchain, kernel })
}
