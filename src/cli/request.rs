//! Arguments to a [`BuildRequest`].

use std::path::{Path, PathBuf};
#[cfg(unix)]
use std::sync::Arc;

use veracity_protocol::wrong_sbatch_argument;

use super::Session;
use super::args::{Format, KernelName, RunArgs, VenueName};
use super::device::{self, Choice, Device};
use crate::config::ARGUMENT_HINT;
use crate::diag::Diagnostic;
use crate::kernel::cluster;
use crate::kernel::confine::{self, Confinement};
use crate::kernel::cuda;
#[cfg(unix)]
use crate::kernel::live::{Absence, Pool};
use crate::kernel::workspace::Network;
use crate::pipeline::{BuildRequest, Formats, KernelChoice, Venue};

impl Formats {
    pub(super) fn of(formats: &[Format]) -> Self {
        Self { html: formats.contains(&Format::Html), pdf: formats.contains(&Format::Pdf) }
    }
}

impl RunArgs {
    /// A request for a session, whose cells run in contexts that stay unless that is not wanted.
    pub(super) fn attended(
        &self,
        session: &Session,
        root: &Path,
        formats: Formats,
    ) -> Result<BuildRequest, Vec<Diagnostic>> {
        let request = self.request(session, root, formats)?;
        #[cfg(unix)]
        let request = match self.kernel {
            // Contexts that stay have no jobs that could be given to a cluster, and compute on the CPU.
            None if self.on == VenueName::Slurm || request.device == cuda::CUDA => request,
            None => {
                let kernel = KernelChoice::Live(Arc::new(Pool::looking(Absence::GiveUp)));
                BuildRequest { kernel, ..request }
            }
            Some(KernelName::Live) if request.device == cuda::CUDA => {
                return Err(vec![
                    Diagnostic::global("live-device", "the live kernel computes on the CPU only")
                        .hint("say `--kernel batch`, or `--device cpu`"),
                ]);
            }
            Some(_) => request,
        };
        Ok(request)
    }

    /// For a report that is not ours: confined, from scratch, without a network, and in a folder that
    /// did not come with it.
    pub(super) fn untrusted(self, root: &Path) -> Result<Self, Vec<Diagnostic>> {
        // They say what Cargo and rustup run, before anything is confined.
        let settings =
            [".cargo/config.toml", ".cargo/config", "rust-toolchain.toml", "rust-toolchain"];
        if let Some(found) = settings.into_iter().find(|name| root.join(name).exists()) {
            return Err(vec![
                Diagnostic::global(
                    "untrusted-settings",
                    format!("the report brings `{found}`, which may run anything unconfined"),
                )
                .hint("look at it, and remove it if the report can do without"),
            ]);
        }
        let out = match &self.out {
            Some(out) => out.clone(),
            None => {
                let cache = std::env::var_os("XDG_CACHE_HOME")
                    .map(PathBuf::from)
                    .or_else(|| Some(PathBuf::from(std::env::var_os("HOME")?).join(".cache")));
                let name = blake3::hash(root.as_os_str().as_encoded_bytes()).to_hex();
                let folder = cache.unwrap_or_else(std::env::temp_dir);
                folder.join("veracity").join(&name[..16])
            }
        };
        let out = std::path::absolute(&out).unwrap_or(out);
        if out.starts_with(root) {
            return Err(vec![
                Diagnostic::global(
                    "untrusted-settings",
                    "the output folder of a report that is not trusted must not lie inside of it",
                )
                .hint("leave `--out` away, or name a folder of your own"),
            ]);
        }
        Ok(Self { sandbox: true, no_cache: true, offline: true, out: Some(out), ..self })
    }

    pub(super) fn request(
        &self,
        session: &Session,
        root: &Path,
        formats: Formats,
    ) -> Result<BuildRequest, Vec<Diagnostic>> {
        let kernel = match self.kernel {
            None | Some(KernelName::Batch) => KernelChoice::Batch,
            #[cfg(unix)]
            Some(KernelName::Live) => KernelChoice::Live(Arc::default()),
        };
        let confinement = match (self.sandbox, self.kernel) {
            (false, _) => Confinement::Free,
            (true, None | Some(KernelName::Batch)) => {
                confine::supported().map_err(|problem| vec![problem])?;
                Confinement::Confined
            }
            #[cfg(unix)]
            (true, Some(KernelName::Live)) => {
                return Err(vec![
                    Diagnostic::global("live-sandbox", "the live kernel cannot be confined")
                        .hint("say `--kernel batch`"),
                ]);
            }
        };
        let venue = self.venue()?;
        let absolute = |path: &Path| std::path::absolute(path).unwrap_or_else(|_| path.to_owned());
        let processors = std::thread::available_parallelism().map_or(1, usize::from);
        let out = self.out.as_deref().map_or_else(|| root.join("build"), absolute);
        let Choice { device, because } = device::choose(self.device, root, &out)?;
        // Processes that share a GPU slow each other down, and share its memory.
        let most = if device == cuda::CUDA { 1 } else { processors };
        if let Some(because) = because {
            session.note(&format!("device {device}: {because}\n"));
        }
        Ok(BuildRequest {
            root: root.to_owned(),
            out,
            data: self.data.as_deref().map_or_else(|| root.join("data"), absolute),
            formats,
            chapter: self.chapter.map(|number| number as usize),
            profile: self.profile.clone(),
            device: device.to_owned(),
            jobs: self.jobs.map_or(most, |jobs| jobs as usize),
            network: if self.offline { Network::Forbidden } else { Network::Allowed },
            from_scratch: self.no_cache,
            kernel,
            confinement,
            venue,
        })
    }

    /// For commands that compute on this machine's processors, whatever the report is made with.
    pub(super) fn here(&self) -> Result<&Self, Vec<Diagnostic>> {
        let wrong = |code, words: &str, hint: &str| {
            Err(vec![Diagnostic::global(code, words.to_owned()).hint(hint.to_owned())])
        };
        match (self.on, self.device) {
            (VenueName::Slurm, _) => wrong(
                "no-slurm",
                "this command gives no jobs to a cluster",
                "leave `--on slurm` away; `build-report` and `check` know it",
            ),
            (_, Device::Cuda) => wrong(
                "no-cuda",
                "this command computes on the CPU only",
                "leave `--device cuda` away; `build-report` and `check` know it",
            ),
            _ => Ok(self),
        }
    }

    /// Where the jobs of sweeps are to run, if they can.
    fn venue(&self) -> Result<Venue, Vec<Diagnostic>> {
        let cannot = |words: &str, hint: &str| {
            Err(vec![Diagnostic::global("no-slurm", words.to_owned()).hint(hint.to_owned())])
        };
        let is_live = self.kernel.is_some_and(|kernel| kernel != KernelName::Batch);
        match self.on {
            VenueName::Local if !self.sbatch.is_empty() => cannot(
                "`--sbatch` says nothing without `--on slurm`",
                "add it, or leave `--sbatch` away",
            ),
            VenueName::Local => Ok(Venue::Local),
            VenueName::Slurm if is_live => cannot(
                "the live kernel computes the results of a sweep itself and gives none to a cluster",
                "say `--kernel batch`",
            ),
            VenueName::Slurm if self.sandbox => cannot(
                "jobs on a cluster cannot be confined",
                "leave `--sandbox` or `--on slurm` away",
            ),
            VenueName::Slurm => {
                for argument in &self.sbatch {
                    if let Some(why) = wrong_sbatch_argument(argument) {
                        return cannot(&format!("`--sbatch`: {argument:?} {why}"), ARGUMENT_HINT);
                    }
                }
                if let Some(words) = cluster::missing() {
                    let hint = "run this where jobs can be submitted; `--on local` does without";
                    return cannot(&words, hint);
                }
                match cluster::silent() {
                    None => Ok(Venue::Slurm(self.sbatch.clone())),
                    Some(words) => cannot(
                        &words,
                        "is there a `slurm.conf` on this machine, or one that `SLURM_CONF` names, and \
                         does its controller run? `scontrol ping` tells; `--on local` does without",
                    ),
                }
            }
        }
    }
}
