//! The command line: arguments to a [`BuildRequest`], results to words and an exit code.

mod attest;
mod bundle;
#[cfg(unix)]
mod console;
mod data;
mod device;
mod diff;
mod doctor;
mod explain;
mod mutate;
mod new;
mod notebook;
mod record;
mod reports;
mod summary;
mod watch;

use std::io::{self, Write};
use std::path::{Path, PathBuf};
use std::process::ExitCode;
use std::sync::Arc;

use clap::{Args, Parser, Subcommand, ValueEnum};

use self::device::{Choice, Device};
use crate::chain::Chain;
use crate::claims::{Judged, Standing};
use crate::diag::{self, Color, Diagnostic, printable};
use crate::kernel::confine::{self, Confinement};
#[cfg(unix)]
use crate::kernel::live::{Absence, Pool};
use crate::kernel::process;
use crate::kernel::workspace::Network;
use crate::pipeline::{self, Build, BuildEvent, BuildRequest, Evaluated, Formats, KernelChoice};
use crate::progress::{Progress, Verbosity};
use crate::publish::{self, Output};
use crate::serve::{Access, Options};
use crate::slice;
use crate::world::DiskWorld;

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
        /// Render from report.lock and run nothing; no toolchain is needed
        #[arg(long, conflicts_with_all = ["chapter", "profile", "device", "kernel", "no_cache"])]
        frozen: bool,
        #[command(flatten)]
        reports: ReportArgs,
        #[command(flatten)]
        run: RunArgs,
    },
    /// Run the code and judge the claims, but render nothing
    #[command(after_help = AFTER_HELP)]
    Check {
        /// Fail unless this part of the numbers in the prose, in per cent, is backed
        #[arg(long, value_name = "PERCENT", value_parser = clap::value_parser!(u8).range(..=100))]
        require_coverage: Option<u8>,
        /// Run everything from scratch and compare it with report.lock
        #[arg(long, conflicts_with_all = ["chapter", "profile"])]
        locked: bool,
        #[command(flatten)]
        reports: ReportArgs,
        /// Run only what this claim needs, and tell its verdict; claims.json stays as it is
        #[arg(long, value_name = "CLAIM", conflicts_with_all = ["chapter", "locked", "require_coverage", "wanted"])]
        claim: Option<String>,
        /// The report is not yours: confine its code and use nothing that it brings along but sources
        #[arg(long)]
        untrusted: bool,
        #[command(flatten)]
        run: RunArgs,
    },
    /// Run the code and write down in report.lock what the report claims and what came of it
    Record {
        #[command(flatten)]
        run: RunArgs,
    },
    /// Tell what has changed between commits, records or ledgers, what weakens the report first
    #[command(after_help = diff::AFTER_HELP)]
    Diff(diff::DiffArgs),
    /// Make an in-toto statement about a build, or verify one
    Attest(attest::AttestArgs),
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
    /// Change claims, formulas and code one by one, and tell which changes no claim notices
    #[command(after_help = mutate::AFTER_HELP)]
    Mutate {
        #[command(flatten)]
        mutate: mutate::MutateArgs,
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
    /// Make programs of the chapters that run where there is no Rust
    Bundle {
        #[command(flatten)]
        args: bundle::BundleArgs,
    },
    /// Take over the results of a bundle that ran elsewhere
    Import {
        #[command(flatten)]
        args: bundle::ImportArgs,
    },
    /// List, download and verify the data sets of data/manifest.yaml
    Data {
        #[command(subcommand)]
        command: data::DataCommand,
    },
    /// Give up rights and become another program
    #[cfg(unix)]
    #[command(name = confine::COMMAND, hide = true)]
    Confine {
        policy: String,
        #[arg(last = true)]
        command: Vec<std::ffi::OsString>,
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
enum KernelName {
    /// A compiled program for each chapter
    Batch,
    /// A process for each chapter that stays, on evcxr
    #[cfg(unix)]
    Live,
}

#[derive(Debug, Args)]
struct ReportArgs {
    /// Also tell other machines: junit=FILE, sarif=FILE, badge=FILE, or github for annotations
    #[arg(long = "report", value_name = "KIND[=FILE]")]
    wanted: Vec<reports::Report>,
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

    /// Confine compilers and cells: they read the report, the toolchain and declared data, write only
    /// results, use no network and end at limits
    #[arg(long)]
    sandbox: bool,

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
const USAGE_CODES: [&str; 10] = [
    "unknown-claim",
    "unknown-profile",
    "unknown-chapter",
    "no-cuda",
    "unknown-dataset",
    "open-host",
    "port-taken",
    "record-part",
    "bad-key",
    "no-file",
];
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
    #[cfg(unix)]
    if let Command::Confine { policy, command } = &cli.command {
        let problem = confine::become_confined(policy, command);
        let _ = writeln!(anstream::stderr(), "{}", diag::render(&problem, Color::Plain));
        return ExitCode::from(NOT_BUILT);
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
        Command::BuildReport { format, frozen, reports, run } => {
            session.with_root(cli.root, |root| {
                let request = run.request(&session, root, Formats::of(&format))?;
                let build = if frozen { pipeline::build_frozen } else { pipeline::build };
                let (status, evaluated) = session.build_report(&request, build, run.strict)?;
                reports::write(&session, root, &evaluated, &reports.wanted)?;
                Ok(status)
            })
        }
        Command::Check { locked, require_coverage, reports, claim, untrusted, run } => session
            .with_root(cli.root, |root| {
                let run = if untrusted { run.untrusted(root)? } else { run };
                let request = run.request(&session, root, Formats { html: false, pdf: false })?;
                if let Some(claim) = claim {
                    return session.check_claim(&request, &claim, run.strict);
                }
                let (status, evaluated) = match locked {
                    true => record::locked(&session, request, run.strict)?,
                    false => session.check(&request, run.strict)?,
                };
                reports::write(&session, root, &evaluated, &reports.wanted)?;
                Ok(status.max(session.coverage(&evaluated, require_coverage)))
            }),
        Command::Record { run } => session.with_root(cli.root, |root| {
            let request = run.request(&session, root, Formats { html: false, pdf: false })?;
            record::record(&session, &request, run.strict)
        }),
        Command::Diff(args) => diff::run(&session, cli.root, &args),
        Command::Attest(args) => {
            session.with_root(cli.root, |root| attest::run(&session, root, &args))
        }
        Command::Watch { format, run } => session.with_root(cli.root, |root| {
            let request = run.attended(&session, root, Formats::of(&format))?;
            watch::watch(&session, request)
        }),
        Command::Serve { port, host, token, console, run } => session.with_root(cli.root, |root| {
            let access = if token || console { Access::Token } else { Access::Local };
            let panel = if console { watch::Panel::Shown } else { watch::Panel::Absent };
            let request = run.attended(&session, root, Formats { html: true, pdf: true })?;
            watch::serve(&session, request, &Options { host, port, access }, panel)
        }),
        Command::Explain { claim, run } => session.with_root(cli.root, |root| {
            let request = run.request(&session, root, Formats { html: false, pdf: false })?;
            explain::explain(&session, &request, &claim)
        }),
        Command::Mutate { mutate, run } => session.with_root(cli.root, |root| {
            let request = run.request(&session, root, Formats { html: false, pdf: false })?;
            mutate::mutate(&session, &request, &mutate)
        }),
        Command::Bundle { args } => {
            session.with_root(cli.root, |root| bundle::make(&session, root, &args))
        }
        Command::Import { args } => {
            session.with_root(cli.root, |root| bundle::import(&session, root, &args))
        }
        #[cfg(unix)]
        Command::Console { chapter, run } => session.with_root(cli.root, |root| {
            let request = run.request(&session, root, Formats { html: false, pdf: false })?;
            console::console(&session, request, &chapter)
        }),
        Command::Export { ipynb: _, to, run } => session.with_root(cli.root, |root| {
            let request = run.request(&session, root, Formats { html: false, pdf: false })?;
            let folder = to.unwrap_or_else(|| request.out.join("notebooks"));
            notebook::export(&session, &request, &folder)
        }),
        Command::ImportNotebook { file, out } => {
            session.with_root(cli.root, |root| notebook::import(&session, root, &file, out))
        }
        Command::Data { command } => {
            session.with_root(cli.root, |root| data::run(&session, root, &command))
        }
        #[cfg(unix)]
        Command::Confine { .. } => NOT_BUILT,
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
    fn attended(
        &self,
        session: &Session,
        root: &Path,
        formats: Formats,
    ) -> Result<BuildRequest, Vec<Diagnostic>> {
        let request = self.request(session, root, formats)?;
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

    /// For a report that is not ours: confined, from scratch, without a network, and in a folder that
    /// did not come with it.
    fn untrusted(self, root: &Path) -> Result<Self, Vec<Diagnostic>> {
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

    fn request(
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
        let absolute = |path: &Path| std::path::absolute(path).unwrap_or_else(|_| path.to_owned());
        let processors = std::thread::available_parallelism().map_or(1, usize::from);
        let out = self.out.as_deref().map_or_else(|| root.join("build"), absolute);
        let Choice { device, because } = device::choose(self.device, root, &out)?;
        if let Some(because) = because {
            session.say(&format!("device {device}: {because}\n"));
        }
        Ok(BuildRequest {
            root: root.to_owned(),
            out,
            data: self.data.as_deref().map_or_else(|| root.join("data"), absolute),
            formats,
            chapter: self.chapter.map(|number| number as usize),
            profile: self.profile.clone(),
            device: device.to_owned(),
            jobs: self.jobs.map_or(processors, |jobs| jobs as usize),
            network: if self.offline { Network::Forbidden } else { Network::Allowed },
            from_scratch: self.no_cache,
            kernel,
            confinement,
        })
    }
}

/// A build of one kind or the other.
type BuildStage = fn(&BuildRequest, pipeline::Sink<'_>) -> Result<Build, Vec<Diagnostic>>;

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
        self.status_of(run(&root))
    }

    /// The exit status of what came out, after telling what went wrong.
    fn status_of(&self, outcome: Result<u8, Vec<Diagnostic>>) -> u8 {
        match outcome {
            Ok(status) => status,
            Err(problems) => {
                self.progress.finish();
                self.problems(&problems);
                let is_usage = |problem: &Diagnostic| USAGE_CODES.contains(&problem.code);
                if problems.iter().all(is_usage) { USAGE } else { NOT_BUILT }
            }
        }
    }

    fn build_report(
        &self,
        request: &BuildRequest,
        build: BuildStage,
        strict: bool,
    ) -> Result<(u8, Evaluated), Vec<Diagnostic>> {
        let started = std::time::Instant::now();
        let build = build(request, &|event| self.progress.show(event))?;
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
        Ok((status(build.evaluated.standing(), strict), build.evaluated))
    }

    fn check(
        &self,
        request: &BuildRequest,
        strict: bool,
    ) -> Result<(u8, Evaluated), Vec<Diagnostic>> {
        let evaluated = pipeline::check(request, &|event| self.progress.show(event))?;
        self.progress.finish();
        self.results(&evaluated);
        Ok((status(evaluated.standing(), strict), evaluated))
    }

    fn check_claim(
        &self,
        request: &BuildRequest,
        wanted: &str,
        strict: bool,
    ) -> Result<u8, Vec<Diagnostic>> {
        let show = |event: BuildEvent<'_>| self.progress.show(event);
        let _output =
            Output::open(&request.out, || show(BuildEvent::Waiting)).map_err(|it| vec![it])?;
        let slice = slice::evaluate(request, &DiskWorld::new(&request.root), wanted, &show)?;
        self.progress.finish();
        let chains: Vec<Chain<'_>> = slice.chains().collect();
        self.problems(&slice.problems());
        let claims = || chains.iter().map(|chain| chain.claim);
        self.problems(&claims().filter_map(summary::problem).collect::<Vec<_>>());
        for chain in &chains {
            let claim = chain.claim;
            let value = claim.value.as_deref().unwrap_or("no value");
            let words = format!("{}: {} ({value})", claim.id, explain::verdict(claim));
            self.say(&format!("{}\n  again: {}\n", printable(&words), chain.again));
        }
        Ok(status(claims().map(Judged::standing).max().unwrap_or(Standing::Good), strict))
    }

    /// Tells which numbers of the prose are not backed if fewer than this part, in per cent, are.
    fn coverage(&self, evaluated: &Evaluated, least: Option<u8>) -> u8 {
        let bare = least.map_or_else(Vec::new, |least| {
            summary::uncovered(&evaluated.document, usize::from(least))
        });
        self.problems(&bare);
        if bare.is_empty() { 0 } else { WRONG }
    }

    fn results(&self, evaluated: &Evaluated) {
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
            "bundle",
            "cache",
            "console",
            "cuda",
            "live",
            crate::mutate::FOLDER,
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

fn status(standing: Standing, strict: bool) -> u8 {
    match standing {
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
