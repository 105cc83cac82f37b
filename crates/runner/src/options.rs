//! What a person may say to the runner.

use std::ffi::OsString;
use std::path::PathBuf;

use veracity_protocol::wrong_sbatch_argument;

/// Told on `--help`.
pub(crate) const HELP: &str = "\
Runs the chapters of this bundle and leaves their results for `veracity import`.

  --results DIR  folder for results, memoised ones included [default: results beside this file]
  --data DIR     folder with the data sets [default: data beside this file]
  --cuda DIR     folder with CUDA's libraries [default: LD_LIBRARY_PATH and the usual places]
  --jobs N       most processes into which a cell may divide its work [default: processors; 1 on a GPU]
  --on WHERE     where the jobs of sweeps run: local, or slurm, as arrays on a cluster whose nodes see
                 this folder and that of the results [default: local]
  --sbatch ARG   further argument for Slurm's sbatch, such as --sbatch=--time=2:00:00; may be repeated
  --throughput   of a self-test: tell how fast it is instead of whether it is right
  --check        only look whether bundle, data and machine are as they should be

Exit status: 0 all cells ended well, 1 some did not, 2 the bundle cannot run here.";

/// What is to be done.
#[derive(Debug)]
pub(crate) struct Options {
    /// Folder of the bundle.
    pub bundle: PathBuf,
    /// Folder for results.
    pub results: PathBuf,
    /// Folder of data sets.
    pub data: PathBuf,
    /// Folder of CUDA's libraries.
    pub cuda: Option<PathBuf>,
    /// Most processes at a time, if that was said.
    pub jobs: Option<usize>,
    /// Further arguments for Slurm, if jobs are to run there.
    pub slurm: Option<Vec<String>>,
    /// Whether a self-test is to measure and not to compare.
    pub throughput: bool,
    /// Whether nothing is to run.
    pub only_check: bool,
}

impl Options {
    /// Reads arguments; nothing if a person asks for help.
    pub(crate) fn read(arguments: impl Iterator<Item = OsString>) -> Result<Option<Self>, String> {
        let own =
            std::env::current_exe().map_err(|error| format!("cannot find itself: {error}"))?;
        let bundle = own.parent().ok_or("lies in no folder")?.to_owned();
        let mut options = Self {
            results: bundle.join("results"),
            data: bundle.join("data"),
            bundle,
            cuda: None,
            jobs: None,
            slurm: None,
            throughput: false,
            only_check: false,
        };
        let mut arguments = arguments;
        let mut sbatch = Vec::new();
        while let Some(argument) = arguments.next() {
            let said = argument.to_string_lossy().into_owned();
            let (name, mut attached) = match said.split_once('=') {
                Some((name, value)) if name.starts_with("--") => {
                    (name.to_owned(), Some(OsString::from(value)))
                }
                _ => (said, None),
            };
            let mut value = || {
                let value = attached.take().or_else(|| arguments.next());
                value.ok_or_else(|| format!("`{name}` wants a value; see `--help`"))
            };
            let absolute = |path: OsString| {
                std::path::absolute(path).map_err(|error| format!("`{name}`: {error}"))
            };
            match name.as_str() {
                "--results" => options.results = absolute(value()?)?,
                "--data" => options.data = absolute(value()?)?,
                "--cuda" => options.cuda = Some(absolute(value()?)?),
                "--jobs" => {
                    let jobs = value()?.to_string_lossy().parse().ok().filter(|&jobs| jobs > 0);
                    options.jobs = Some(jobs.ok_or("`--jobs` wants a number from 1")?);
                }
                "--on" => match value()?.to_str() {
                    Some("local") => options.slurm = None,
                    Some("slurm") => options.slurm = Some(Vec::new()),
                    _ => return Err("`--on` wants `local` or `slurm`".to_owned()),
                },
                "--sbatch" => sbatch.push(value()?.to_string_lossy().into_owned()),
                "--throughput" => options.throughput = true,
                "--check" => options.only_check = true,
                "--help" | "-h" => return Ok(None),
                _ => return Err(format!("`{name}` is not known; see `--help`")),
            }
            if let Some(value) = attached {
                return Err(format!("`{name}` takes no value, and not {}", value.display()));
            }
        }
        for argument in &sbatch {
            if let Some(why) = wrong_sbatch_argument(argument) {
                return Err(format!("`--sbatch`: {argument:?} {why}"));
            }
        }
        match &mut options.slurm {
            Some(more) => *more = sbatch,
            None if sbatch.is_empty() => {}
            None => return Err("`--sbatch` is for `--on slurm`".to_owned()),
        }
        Ok(Some(options))
    }
}
