//! The command line: arguments to a [`BuildRequest`], results to words and an exit code.

#[cfg(unix)]
mod console;
mod data;
mod doctor;
mod explain;
mod new;
mod notebook;
mod summary;
mod watch;

use std::io::{self, Write};
use std::path::{Path, PathBuf};
use std::process::ExitCode;
use std::sync::Arc;

use clap::{Args, Parser, Subcommand, ValueEnum};

use crate::claims::Standing;
use crate::diag::{self, Color, Diagnostic};
#[cfg(unix)]
use crate::kernel::live::{Absence, Pool};
use crate::kernel::process;
use crate::kernel::workspace::Network;
use crate::pipeline::{self, BuildEvent, BuildRequest, Formats, KernelChoice};
use crate::progress::{Progress, Verbosity};
use crate::publish::{self, Output};
use crate::serve::{Access, Options};

const AFTER_HELP: &str = "\
Exit status:
  0  every claim is as expected
  1  a claim is refuted, vacuous or in error, or a chapter has an error
     (with --strict, also if a claim could not be checked)
  2  wrong usage
  3  the report could not be built; the one before is still there

A chapter is code: building a report runs it with your rights.
Build only reports that you trust; opening a finished one runs nothing of it.";

/// Builds reports from Markdown and Rust, and checks what the prose claims against the code.
#[derive(Debug, Parser)]
#[command(name = "veracity", version, after_help = AFTER_HELP, propagate_version = true)]
struct Cli {
    /// Folder of the report [default: the nearest one with report.yaml, from here upwards]
    #[arg(long, global = true, value_name = "DIR")]
    root: Option<PathBuf>,

    /// Say only what is wrong
    #[arg(long, short, global = true)]
    quiet: bool,

    /// When to use colours
    #[arg(long, global = true, value_name = "WHEN", default_value = "auto")]
    color: ColorChoice,

    #[command(subcommand)]
    command: Command,
}

#[derive(Clone, Copy, Debug, ValueEnum)]
enum ColorChoice {
    Auto,
    Always,
    Never,
}

#[derive(Debug, Subcommand)]
enum Command {
    /// Run the code, judge the claims, and write the HTML and PDF report
    #[command(after_help = AFTER_HELP)]
    BuildReport {
        /// What to write
        #[arg(long, value_delimiter = ',', default_value = "html,pdf")]
        format: Vec<Format>,
        #[command(flatten)]
        run: RunArgs,
    },
    /// Run the code and judge the claims, but render nothing
    #[command(after_help = AFTER_HELP)]
    Check {
        #[command(flatten)]
        run: RunArgs,
    },
    /// Build again after every change of a file, and tell what came of it
    Watch {
        /// What to write
        #[arg(long, value_delimiter = ',', default_value = "html,pdf")]
        format: Vec<Format>,
        #[command(flatten)]
        run: RunArgs,
    },
    /// The same, with a page that follows in the browser
    Serve {
        /// Port to listen on; 0 takes any that is free
        #[arg(long, default_value_t = 4040)]
        port: u16,
        /// Name or address to listen on; other than this machine's own only with --token
        #[arg(long, value_name = "NAME", default_value = "127.0.0.1")]
        host: String,
        /// Let in only who has the token that is printed
        #[arg(long)]
        token: bool,
        /// Let readers ask the code, in a panel of each chapter; means --token, for it runs code
        #[arg(long)]
        console: bool,
        #[command(flatten)]
        run: RunArgs,
    },
    /// Tell how a claim was judged: prose, formula or value, code, data, verdict
    Explain {
        /// Name or identifier of the claim, such as `m-count` or `1-attention/m-count`
        claim: String,
        #[command(flatten)]
        run: RunArgs,
    },
    /// Ask the code of a chapter questions, at a prompt behind its cells
    #[cfg(unix)]
    Console {
        /// The chapter: its number, file or name
        #[arg(id = "asked", value_name = "CHAPTER")]
        chapter: String,
        #[command(flatten)]
        run: RunArgs,
    },
    /// Write the chapters in another form
    Export {
        /// As notebooks of the Rust kernel for Jupyter, with their outputs
        #[arg(long, required = true)]
        ipynb: bool,
        /// Folder to write into [default: `build/notebooks` in the report's folder]
        #[arg(long = "to", value_name = "DIR", id = "into")]
        to: Option<PathBuf>,
        #[command(flatten)]
        run: RunArgs,
    },
    /// Make a chapter out of a Rust notebook
    ImportNotebook {
        /// The notebook
        file: PathBuf,
        /// The chapter's file [default: of the notebook's name, in `chapters`]
        #[arg(long, value_name = "FILE")]
        out: Option<PathBuf>,
    },
    /// Make a small report that builds at once
    New {
        /// Folder to make; it must not exist or be empty
        dir: PathBuf,
    },
    /// Look for what is needed here: toolchain, disk, GPU, optional parts
    Doctor,
    /// List, download and verify the data sets of data/manifest.yaml
    Data {
        #[command(subcommand)]
        command: data::DataCommand,
    },
    /// Remove stored results, compiled chapters and outputs
    Clean {
        /// Folder with them [default: `build` in the report's folder]
        #[arg(long, value_name = "DIR")]
        out: Option<PathBuf>,
    },
}

#[derive(Clone, Copy, Debug, PartialEq, Eq, ValueEnum)]
enum Format {
    Html,
    Pdf,
}

#[derive(Clone, Copy, Debug, PartialEq, Eq, ValueEnum)]
enum Device {
    Auto,
    Cpu,
    Cuda,
}

#[derive(Clone, Copy, Debug, PartialEq, Eq, ValueEnum)]
enum KernelName {
    /// A compiled program for each chapter
    Batch,
    /// A process for each chapter that stays, on evcxr
    #[cfg(unix)]
    Live,
}

#[derive(Debug, Args)]
struct RunArgs {
    /// Run the cells of this chapter only (from 1); the others keep their stored results
    #[arg(long, value_name = "N", value_parser = clap::value_parser!(u32).range(1..))]
    chapter: Option<u32>,

    /// `quick` takes minutes on two cores; `full` is the real experiment
    #[arg(long, default_value = "quick")]
    profile: String,

    /// Where tensors live
    #[arg(long, default_value = "auto")]
    device: Device,

    /// What runs the cells [default: batch; for `watch` and `serve` live, if it is there]
    #[arg(long)]
    kernel: Option<KernelName>,

    /// Chapters to run at a time [default: one for each processor]
    #[arg(long, short, value_name = "N", value_parser = clap::value_parser!(u32).range(1..))]
    jobs: Option<u32>,

    /// Folder for outputs and stored results [default: `build` in the report's folder]
    #[arg(long, value_name = "DIR")]
    out: Option<PathBuf>,

    /// Folder with data sets [default: `data` in the report's folder]
    #[arg(long, value_name = "DIR", env = "VERACITY_DATA")]
    data: Option<PathBuf>,

    /// Run every cell from scratch, whatever is stored
    #[arg(long)]
    no_cache: bool,

    /// Use no network, not even to fetch crates for the chapters
    #[arg(long)]
    offline: bool,

    /// Fail also if a claim could not be checked
    #[arg(long)]
    strict: bool,
}

/// Exit status if a claim or a chapter is not as it should be.
const WRONG: u8 = 1;
/// Exit status for wrong usage, the same as clap's.
const USAGE: u8 = 2;
/// Problems that are the command line's, not the report's.
const USAGE_CODES: [&str; 6] =
    ["unknown-profile", "unknown-chapter", "no-cuda", "unknown-dataset", "open-host", "port-taken"];
/// Most problems of one kind of source that are printed; more are a mistake that repeats itself.
const MOST_PROBLEMS: usize = 100;
/// Exit status if nothing could be built.
const NOT_BUILT: u8 = 3;

/// Runs the program.
pub fn main() -> ExitCode {
    let cli = Cli::parse();
    match cli.color {
        ColorChoice::Auto => {}
        ColorChoice::Always => anstream::ColorChoice::Always.write_global(),
        ColorChoice::Never => anstream::ColorChoice::Never.write_global(),
    }
    let verbosity = if cli.quiet { Verbosity::Quiet } else { Verbosity::Normal };
    let session = Session { progress: Progress::new(verbosity), verbosity };
    if let Err(error) = process::end_children_on_interrupt() {
        session
            .problem(&Diagnostic::global("signals", format!("Ctrl-C cannot be caught: {error}")));
    }
    let status = match cli.command {
        Command::New { dir } => new::make(&session, &dir),
        Command::Doctor => doctor::look(&session, cli.root.as_deref()),
        Command::BuildReport { format, run } => session.with_root(cli.root, |root| {
            session.build_report(&run.request(root, Formats::of(&format))?, run.strict)
        }),
        Command::Check { run } => session.with_root(cli.root, |root| {
            session.check(&run.request(root, Formats { html: false, pdf: false })?, run.strict)
        }),
        Command::Watch { format, run } => session.with_root(cli.root, |root| {
            let request = run.attended(root, Formats::of(&format))?;
            watch::watch(&session, request)
        }),
        Command::Serve { port, host, token, console, run } => session.with_root(cli.root, |root| {
            let access = if token || console { Access::Token } else { Access::Local };
            let panel = if console { watch::Panel::Shown } else { watch::Panel::Absent };
            let request = run.attended(root, Formats { html: true, pdf: true })?;
            watch::serve(&session, request, &Options { host, port, access }, panel)
        }),
        Command::Explain { claim, run } => session.with_root(cli.root, |root| {
            let request = run.request(root, Formats { html: false, pdf: false })?;
            explain::explain(&session, &request, &claim)
        }),
        #[cfg(unix)]
        Command::Console { chapter, run } => session.with_root(cli.root, |root| {
            let request = run.request(root, Formats { html: false, pdf: false })?;
            console::console(&session, request, &chapter)
        }),
        Command::Export { ipynb: _, to, run } => session.with_root(cli.root, |root| {
            let request = run.request(root, Formats { html: false, pdf: false })?;
            let folder = to.unwrap_or_else(|| request.out.join("notebooks"));
            notebook::export(&session, &request, &folder)
        }),
        Command::ImportNotebook { file, out } => {
            session.with_root(cli.root, |root| notebook::import(&session, root, &file, out))
        }
        Command::Data { command } => {
            session.with_root(cli.root, |root| data::run(&session, root, &command))
        }
        Command::Clean { out } => session
            .with_root(cli.root, |root| session.clean(&out.unwrap_or_else(|| root.join("build")))),
    };
    // The usual status of a program that ended because of Ctrl-C.
    ExitCode::from(if process::interrupted() { 130 } else { status })
}

impl Formats {
    fn of(formats: &[Format]) -> Self {
        Self { html: formats.contains(&Format::Html), pdf: formats.contains(&Format::Pdf) }
    }
}

impl RunArgs {
    /// A request for a session, whose cells run in contexts that stay unless that is not wanted.
    fn attended(&self, root: &Path, formats: Formats) -> Result<BuildRequest, Vec<Diagnostic>> {
        let request = self.request(root, formats)?;
        #[cfg(unix)]
        let request = match self.kernel {
            None => {
                let kernel = KernelChoice::Live(Arc::new(Pool::looking(Absence::GiveUp)));
                BuildRequest { kernel, ..request }
            }
            Some(_) => request,
        };
        Ok(request)
    }

    fn request(&self, root: &Path, formats: Formats) -> Result<BuildRequest, Vec<Diagnostic>> {
        if self.device == Device::Cuda {
            return Err(vec![
                Diagnostic::global(
                    "no-cuda",
                    "this version of Veracity runs cells on the CPU only",
                )
                .hint("leave `--device` away, or say `--device cpu`"),
            ]);
        }
        let kernel = match self.kernel {
            None | Some(KernelName::Batch) => KernelChoice::Batch,
            #[cfg(unix)]
            Some(KernelName::Live) => KernelChoice::Live(Arc::default()),
        };
        let absolute = |path: &Path| std::path::absolute(path).unwrap_or_else(|_| path.to_owned());
        let processors = std::thread::available_parallelism().map_or(1, usize::from);
        Ok(BuildRequest {
            root: root.to_owned(),
            out: self.out.as_deref().map_or_else(|| root.join("build"), absolute),
            data: self.data.as_deref().map_or_else(|| root.join("data"), absolute),
            formats,
            chapter: self.chapter.map(|number| number as usize),
            profile: self.profile.clone(),
            device: "cpu".to_owned(),
            jobs: self.jobs.map_or(processors, |jobs| jobs as usize),
            network: if self.offline { Network::Forbidden } else { Network::Allowed },
            from_scratch: self.no_cache,
            kernel,
        })
    }
}

/// What every command needs to talk to the person.
struct Session {
    progress: Progress,
    verbosity: Verbosity,
}

impl Session {
    fn with_root(
        &self,
        root: Option<PathBuf>,
        run: impl FnOnce(&Path) -> Result<u8, Vec<Diagnostic>>,
    ) -> u8 {
        let missing = match &root {
            Some(root) => format!("{} holds no report.yaml", root.display()),
            None => "neither here nor in any folder above is a report.yaml".to_owned(),
        };
        let found = match root {
            Some(root) => std::path::absolute(root).ok(),
            None => std::env::current_dir().ok().and_then(|here| {
                here.ancestors()
                    .find(|folder| folder.join("report.yaml").is_file())
                    .map(Path::to_owned)
            }),
        };
        let found = found.filter(|root| root.join("report.yaml").exists());
        let Some(root) = found else {
            self.problem(
                &Diagnostic::global("no-report", missing)
                    .hint("name a report with `--root DIR`, or make one with `veracity new DIR`"),
            );
            return USAGE;
        };
        match run(&root) {
            Ok(status) => status,
            Err(problems) => {
                self.progress.finish();
                self.problems(&problems);
                let is_usage = |problem: &Diagnostic| USAGE_CODES.contains(&problem.code);
                if problems.iter().all(is_usage) { USAGE } else { NOT_BUILT }
            }
        }
    }

    fn build_report(&self, request: &BuildRequest, strict: bool) -> Result<u8, Vec<Diagnostic>> {
        let started = std::time::Instant::now();
        let build = pipeline::build(request, &|event| self.progress.show(event))?;
        self.progress.finish();
        self.results(&build.evaluated);
        let mut written = Vec::new();
        if request.formats.html {
            written.push(request.out.join(publish::HTML_FOLDER).join("index.html"));
        }
        if request.formats.pdf {
            written.push(request.out.join(publish::PDF_FILE));
        }
        written.push(request.out.join(publish::CLAIMS_FILE));
        let verb = if build.rendered { "wrote" } else { "unchanged" };
        let mut words = format!("{verb} in {:.2} s\n", started.elapsed().as_secs_f64());
        for path in written {
            words.push_str(&format!("  {}\n", relative(&path).display()));
        }
        self.say(&words);
        Ok(status(&build.evaluated, strict))
    }

    fn check(&self, request: &BuildRequest, strict: bool) -> Result<u8, Vec<Diagnostic>> {
        let evaluated = pipeline::check(request, &|event| self.progress.show(event))?;
        self.progress.finish();
        self.results(&evaluated);
        Ok(status(&evaluated, strict))
    }

    fn results(&self, evaluated: &pipeline::Evaluated) {
        self.problems(&evaluated.diagnostics);
        self.problems(&summary::claims(&evaluated.document));
        self.say(&summary::words(&evaluated.document));
    }

    fn clean(&self, out: &Path) -> Result<u8, Vec<Diagnostic>> {
        let failed = |path: &Path, error: &io::Error| {
            vec![Diagnostic::global(
                "output-folder",
                format!("cannot remove {}: {error}", path.display()),
            )]
        };
        if !out.exists() {
            return Ok(0);
        }
        // A build that is running is waited for; its lock stays, or a third could slip in.
        let _output = Output::open(out, || self.progress.show(BuildEvent::Waiting))
            .map_err(|problem| vec![problem])?;
        // Only what a build makes is removed: the folder may hold other things.
        for name in [
            "cache",
            "console",
            "live",
            "notebooks",
            "run",
            "target",
            "work",
            "report",
            "report.pdf",
            "claims.json",
        ] {
            let path = out.join(name);
            let removed = match std::fs::symlink_metadata(&path) {
                Ok(metadata) if metadata.is_dir() => std::fs::remove_dir_all(&path),
                Ok(_) => std::fs::remove_file(&path),
                Err(_) => continue,
            };
            removed.map_err(|error| failed(&path, &error))?;
        }
        self.say(&format!("removed what builds left in {}\n", relative(out).display()));
        Ok(0)
    }

    /// Prints to standard output, unless only problems are wanted.
    fn say(&self, words: &str) {
        if self.verbosity == Verbosity::Normal {
            self.print(words);
        }
    }

    /// Prints to standard output what was asked for.
    fn print(&self, words: &str) {
        // A reader that has gone, as `head` does, is no reason to fail.
        let _ = anstream::stdout().write_all(words.as_bytes());
    }

    /// Prints problems, but not a flood of them.
    fn problems(&self, problems: &[Diagnostic]) {
        for problem in problems.iter().take(MOST_PROBLEMS) {
            self.problem(problem);
        }
        if let more @ 1.. = problems.len().saturating_sub(MOST_PROBLEMS) {
            let _ = writeln!(anstream::stderr(), "… and {more} more problems\n");
        }
    }

    fn problem(&self, problem: &Diagnostic) {
        let _ = writeln!(anstream::stderr(), "{}\n", diag::render(problem, Color::Ansi));
    }
}

fn status(evaluated: &pipeline::Evaluated, strict: bool) -> u8 {
    match evaluated.standing() {
        Standing::Good => 0,
        Standing::Open => u8::from(strict) * WRONG,
        Standing::Bad => WRONG,
    }
}

/// A path as seen from here, if it is below.
fn relative(path: &Path) -> PathBuf {
    std::env::current_dir()
        .ok()
        .and_then(|here| path.strip_prefix(here).ok().map(Path::to_owned))
        .filter(|path| !path.as_os_str().is_empty())
        .unwrap_or_else(|| path.to_owned())
}
