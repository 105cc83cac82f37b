//! What a person may say to the runner.

use std::ffi::OsString;
use std::path::PathBuf;

/// Told on `--help`.
pub(crate) const HELP: &str = "\
Runs the chapters of this bundle and leaves their results for `veracity import`.

  --results DIR  folder for results, memoised ones included [default: results beside this file]
  --data DIR     folder with the data sets [default: data beside this file]
  --cuda DIR     folder with CUDA's libraries [default: LD_LIBRARY_PATH and the usual places]
  --jobs N       most processes into which a cell may divide its work [default: processors; 1 on a GPU]
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
            only_check: false,
        };
        let mut arguments = arguments;
        while let Some(argument) = arguments.next() {
            let name = argument.to_string_lossy().into_owned();
            let mut value =
                || arguments.next().ok_or_else(|| format!("`{name}` wants a value; see `--help`"));
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
                "--check" => options.only_check = true,
                "--help" | "-h" => return Ok(None),
                _ => return Err(format!("`{name}` is not known; see `--help`")),
            }
        }
        Ok(Some(options))
    }
}
