//! `veracity bundle` and `veracity import`.

use std::path::{Path, PathBuf};

use clap::{Args, ValueEnum};

use super::{Session, USAGE, WRONG, relative};
use crate::bundle::{self, Brings, Target};
use crate::data::bytes;
use crate::diag::Diagnostic;
use crate::kernel::cuda::{Arch, CPU, CUDA, Survey, Toolkit};
use crate::kernel::workspace::Network;
use crate::pipeline::{BuildEvent, BuildRequest, Formats};
use crate::publish::Output;

/// For what a bundle is made.
#[derive(Clone, Copy, Debug, PartialEq, Eq, ValueEnum)]
enum Device {
    /// Any processor of this kind
    Cpu,
    /// An NVIDIA GPU
    Cuda,
}

#[derive(Debug, Args)]
pub(super) struct BundleArgs {
    /// Where tensors live
    #[arg(long, default_value = "cpu")]
    device: Device,

    /// Oldest GPU on which it is to run, as nvcc calls it
    #[arg(long, value_name = "ARCH", default_value = "sm_90", value_parser = arch)]
    arch: Arch,

    /// Folder with the CUDA toolkit, or with its packages from PyPI, such as a virtual environment
    /// [default: CUDA_ROOT and the usual places]
    #[arg(long, value_name = "DIR")]
    toolkit: Option<PathBuf>,

    /// Make a test of the device itself instead, with what the report's crates bring for that
    #[arg(long, conflicts_with = "chapter")]
    selftest: bool,

    /// Take this chapter only (from 1)
    #[arg(long, value_name = "N", value_parser = clap::value_parser!(u32).range(1..))]
    chapter: Option<u32>,

    /// Profile to run there
    #[arg(long, default_value = "quick")]
    profile: String,

    /// Bring along the data sets that its cells declare
    #[arg(long, conflicts_with = "selftest")]
    with_data: bool,

    /// Folder to make
    #[arg(long, value_name = "DIR")]
    out: PathBuf,

    /// Folder with data sets [default: `data` in the report's folder]
    #[arg(long, value_name = "DIR", env = "VERACITY_DATA")]
    data: Option<PathBuf>,

    /// Use no network, not even to fetch crates for the chapters
    #[arg(long)]
    offline: bool,
}

#[derive(Debug, Args)]
pub(super) struct ImportArgs {
    /// Results folder that a bundle's `run` made
    results: PathBuf,

    /// Folder with stored results [default: `build` in the report's folder]
    #[arg(long, value_name = "DIR")]
    out: Option<PathBuf>,

    /// Folder with data sets [default: `data` in the report's folder]
    #[arg(long, value_name = "DIR", env = "VERACITY_DATA")]
    data: Option<PathBuf>,
}

fn arch(text: &str) -> Result<Arch, String> {
    Arch::parse(text).ok_or_else(|| "write it as `sm_90`".to_owned())
}

pub(super) fn make(
    session: &Session,
    root: &Path,
    args: &BundleArgs,
) -> Result<u8, Vec<Diagnostic>> {
    let (device, target) = match args.device {
        Device::Cpu => (CPU, Target::Cpu),
        Device::Cuda => {
            let toolkit = Toolkit::find(args.toolkit.as_deref()).map_err(|absence| {
                vec![Diagnostic::global("no-cuda", absence.words()).hint(TOOLKIT_HINT)]
            })?;
            (CUDA, Target::Cuda(toolkit, args.arch))
        }
    };
    let network = if args.offline { Network::Forbidden } else { Network::Allowed };
    let mut request = request(root, None, args.data.as_deref(), network);
    request.device = device.to_owned();
    request.profile.clone_from(&args.profile);
    request.chapter = args.chapter.map(|number| number as usize);
    let _output = open(session, &request)?;
    let folder = std::path::absolute(&args.out).unwrap_or_else(|_| args.out.clone());
    let tell = |words: String| session.progress.step(&words);
    let brings = if args.with_data { Brings::Data } else { Brings::Checksums };
    let made = match args.selftest {
        true => bundle::make_self_test(&request, &target, &folder, &tell)?,
        false => bundle::make(&request, &target, brings, &folder, &tell)?,
    };
    session.progress.finish();
    session.problems(&made.diagnostics);
    let mut words = format!(
        "{}: {} for {device}, {}\n",
        relative(&folder).display(),
        made.chapters.join(", "),
        bytes(made.bytes)
    );
    for (name, place) in &made.data {
        let (verb, place) = (if made.with_data { "brings" } else { "reads" }, place.display());
        words.push_str(&format!("  it {verb} the data set {name} in data/{place}\n"));
    }
    words.push_str(match args.selftest {
        true => "copy it to where it is to run and say `./run`\n",
        false => "copy it to where it is to run and say `./run`, then `veracity import` here\n",
    });
    session.say(&words);
    Ok(0)
}

pub(super) fn import(
    session: &Session,
    root: &Path,
    args: &ImportArgs,
) -> Result<u8, Vec<Diagnostic>> {
    if !args.results.is_dir() {
        session.problem(
            &Diagnostic::global("results", format!("{} is no folder", args.results.display()))
                .hint("name the folder `results` that the bundle's `run` has written"),
        );
        return Ok(USAGE);
    }
    let request = request(root, args.out.as_deref(), args.data.as_deref(), Network::Allowed);
    let _output = open(session, &request)?;
    let imported = bundle::import(&request, &args.results)?;
    session.problems(&imported.refused);
    session.say(&format!(
        "took over {} results for {} of {}\n",
        imported.taken, imported.device, imported.machine
    ));
    if imported.taken > 0 && imported.device == CUDA {
        session.say("`veracity build-report --device cuda` shows them\n");
    }
    Ok(if imported.refused.is_empty() && imported.taken > 0 { 0 } else { WRONG })
}

/// How to get a toolkit.
pub(super) const TOOLKIT_HINT: &str = "install CUDA 12 or 13 and set CUDA_ROOT, or `pip install \
     nvidia-cuda-nvcc nvidia-nvvm nvidia-cuda-crt nvidia-cuda-cccl nvidia-cuda-runtime \
     nvidia-cuda-nvrtc nvidia-cublas nvidia-curand` into a virtual environment and say \
     `--toolkit DIR`";

/// What of a GPU is here, for `veracity doctor`.
pub(super) fn survey() -> Result<String, String> {
    let survey = Survey::take();
    match survey.complete() {
        Some((gpu, toolkit)) => Ok(format!(
            "{}, {}, driver {}, toolkit {}",
            gpu.name, gpu.arch, gpu.driver, toolkit.version
        )),
        None => Err(survey.missing().join("\n                     ")),
    }
}

fn open(session: &Session, request: &BuildRequest) -> Result<Output, Vec<Diagnostic>> {
    Output::open(&request.out, || session.progress.show(BuildEvent::Waiting))
        .map_err(|problem| vec![problem])
}

fn request(root: &Path, out: Option<&Path>, data: Option<&Path>, network: Network) -> BuildRequest {
    let absolute = |path: &Path| std::path::absolute(path).unwrap_or_else(|_| path.to_owned());
    BuildRequest {
        out: out.map_or_else(|| root.join("build"), absolute),
        data: data.map_or_else(|| root.join("data"), absolute),
        formats: Formats { html: false, pdf: false },
        network,
        ..BuildRequest::of(root)
    }
}
