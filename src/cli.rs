//! The command line: arguments to a [`BuildRequest`], results to words and an exit code.

mod args;
mod attest;
mod bundle;
mod clean;
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
mod request;
mod summary;
mod watch;

use std::io::Write;
use std::path::{Path, PathBuf};
use std::process::ExitCode;

use clap::Parser;

use self::args::{Cli, ColorChoice, Command, RunArgs};
use crate::claims::{Judged, Standing};
use crate::diag::{self, Color, Diagnostic, Severity, printable};
use crate::evidence::Evidence;
#[cfg(unix)]
use crate::kernel::confine;
use crate::kernel::process;
use crate::pipeline::{self, Build, BuildEvent, BuildRequest, Evaluated, Formats};
use crate::progress::{Progress, Verbosity};
use crate::publish::{self, Output};
use crate::serve::Access;
use crate::slice;
use crate::world::DiskWorld;

/// Exit status if a claim or a chapter is not as it should be.
const WRONG: u8 = 1;
/// Exit status for wrong usage, the same as clap's.
const USAGE: u8 = 2;
/// Problems that are the command line's, not the report's.
const USAGE_CODES: [&str; 12] = [
    "foreign-folder",
    "no-folder",
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
        Command::Record { with_files, run } => session.with_root(cli.root, |root| {
            let request = run.request(&session, root, Formats { html: false, pdf: false })?;
            let files = if with_files { record::Files::All } else { record::Files::Small };
            record::record(&session, &request, files, run.strict)
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
            watch::serve(&session, request, &watch::Wish { port, host, access }, panel)
        }),
        Command::Explain { claim, run } => session.with_root(cli.root, |root| {
            let request = run.request(&session, root, Formats { html: false, pdf: false })?;
            explain::explain(&session, &request, &claim)
        }),
        Command::Mutate { mutate, run } => session.with_root(cli.root, |root| {
            let request =
                run.here()?.request(&session, root, Formats { html: false, pdf: false })?;
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
            let request =
                run.here()?.request(&session, root, Formats { html: false, pdf: false })?;
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
        Command::Clean { out } => {
            session.with_root(cli.root, |root| session.clean(root, out.as_deref()))
        }
    };
    // The usual status of a program that ended because of Ctrl-C.
    ExitCode::from(if process::interrupted() { 130 } else { status })
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
        self.results(&build.evaluated, strict);
        let mut written = Vec::new();
        if request.formats.html {
            written.push(request.out.join(publish::HTML_FOLDER).join("index.html"));
        }
        if request.formats.pdf {
            written.push(request.out.join(publish::PDF_FILE));
        }
        written.push(request.out.join(publish::CLAIMS_FILE));
        let weaker = self.weaker(request, &build.evaluated);
        let verb = if build.rendered { "wrote" } else { "unchanged" };
        let mut words = format!("{verb} in {:.2} s\n", started.elapsed().as_secs_f64());
        for path in written {
            words.push_str(&format!("  {}\n", relative(&path).display()));
        }
        self.say(&words);
        let standing = build.evaluated.standing().max(weaker);
        Ok((status(standing, strict), build.evaluated))
    }

    fn check(
        &self,
        request: &BuildRequest,
        strict: bool,
    ) -> Result<(u8, Evaluated), Vec<Diagnostic>> {
        let evaluated = pipeline::check(request, &|event| self.progress.show(event))?;
        self.progress.finish();
        self.results(&evaluated, strict);
        let standing = evaluated.standing().max(self.weaker(request, &evaluated));
        Ok((status(standing, strict), evaluated))
    }

    /// Tells what a whole report promises less than its record; open if there is anything.
    fn weaker(&self, request: &BuildRequest, evaluated: &Evaluated) -> Standing {
        let is_whole = request.chapter.is_none();
        // A frozen build has told all that is not as recorded.
        let is_told = evaluated.diagnostics.iter().any(|it| it.code == "record-differs");
        match is_whole.then(|| record::weaker(&request.root, evaluated)).flatten() {
            Some(problem) => {
                if !is_told {
                    self.problem(&problem);
                }
                Standing::Open
            }
            None => Standing::Good,
        }
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
        let problems = slice.problems();
        self.problems(&problems);
        let claims = || slice.judged();
        self.problems(&claims().filter_map(summary::problem).collect::<Vec<_>>());
        let evidence = Evidence::of(&slice.evaluated, claims());
        for claim in claims() {
            let value = claim.value.as_deref().unwrap_or("no value");
            let words = format!("{}: {} ({value})", claim.id, explain::verdict(claim));
            self.say(&format!("{}\n  again: {}\n", printable(&words), evidence.again(claim)));
        }
        let is_error = problems.iter().any(|problem| problem.severity == Severity::Error);
        let own = if is_error { Standing::Bad } else { Standing::Good };
        Ok(status(claims().map(Judged::standing).fold(own, Standing::max), strict))
    }

    /// Tells which numbers of the prose are not backed if fewer than this part, in per cent, are.
    fn coverage(&self, evaluated: &Evaluated, least: Option<u8>) -> u8 {
        let bare = least.map_or_else(Vec::new, |least| {
            summary::uncovered(&evaluated.document, usize::from(least))
        });
        self.problems(&bare);
        if bare.is_empty() { 0 } else { WRONG }
    }

    fn results(&self, evaluated: &Evaluated, strict: bool) {
        self.problems(&evaluated.diagnostics);
        self.problems(&summary::claims(&evaluated.document));
        if strict {
            self.problems(&summary::unchecked(&evaluated.document));
        }
        self.say(&summary::words(&evaluated.document));
    }

    /// Prints to standard output, unless only problems are wanted.
    fn say(&self, words: &str) {
        if self.verbosity == Verbosity::Normal {
            self.print(words);
        }
    }

    /// Prints beside the progress, so that standard output has only what was asked for.
    fn note(&self, words: &str) {
        if self.verbosity == Verbosity::Normal {
            let _ = anstream::stderr().write_all(words.as_bytes());
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
