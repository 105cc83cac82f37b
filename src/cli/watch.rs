//! `veracity watch` and `veracity serve`: a session, told of in the terminal and on a page.

use std::collections::BTreeSet;
use std::io::{self, Write};
use std::sync::{Arc, Mutex, PoisonError};
use std::time::{Duration, Instant};

use super::{Session, summary};
use crate::diag::{self, Color, Diagnostic, Severity, printable};
use crate::kernel::behind::Told;
use crate::kernel::process;
use crate::pipeline::{self, BuildRequest, Prepare};
use crate::progress::{Progress, Verbosity};
use crate::serve::{Access, Board, Consoles, Options, Server};
use crate::session::{self, Page, PageState, Subscriber, Update};

/// How often it is looked whether the person wants to stop.
const TICK: Duration = Duration::from_millis(50);

/// How long it takes until a further step of what goes on behind is told.
const BETWEEN_REMARKS: Duration = Duration::from_secs(10);

/// Keeps a report built until it is interrupted.
pub(super) fn watch(session: &Session, request: BuildRequest) -> Result<u8, Vec<Diagnostic>> {
    let root = request.root.display().to_string();
    session.say(&format!("watching {root}; Ctrl-C ends\n"));
    let terminal = Arc::new(Terminal::new(session.verbosity));
    let shown = Arc::clone(&terminal);
    run(request, Arc::new(move |update| shown.show(update)), move |told| terminal.behind(told));
    Ok(0)
}

/// The port of a page, unless somebody asks for another or it is taken.
const PORT: u16 = 4040;

/// Where and to whom a person wants a report to be served.
pub(super) struct Wish {
    pub(super) port: Option<u16>,
    pub(super) host: String,
    pub(super) access: Access,
}

/// Whether readers of a served page may ask its code.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub(super) enum Panel {
    Shown,
    Absent,
}

/// The same, with a page that follows.
pub(super) fn serve(
    session: &Session,
    request: BuildRequest,
    wish: &Wish,
    panel: Panel,
) -> Result<u8, Vec<Diagnostic>> {
    let board = Arc::new(Board::default());
    let consoles = consoles(&request, panel);
    let start = |port| {
        let options = Options { host: wish.host.clone(), port, access: wish.access };
        Server::start(&options, Arc::clone(&board), request.out.clone(), consoles.clone())
    };
    let server = match start(wish.port.unwrap_or(PORT)) {
        // Nobody asked for this one.
        Err(problem) if problem.code == "port-taken" && wish.port.is_none() => {
            let hint = "any free one is taken instead; `--port N` takes the one that you name";
            let severity = Severity::Warning;
            session.problem(&Diagnostic { severity, ..problem }.hint(hint));
            start(0)
        }
        started => started,
    };
    let server = server.map_err(|problem| vec![problem])?;
    session.print(&format!("{}\n", server.address()));
    if server.is_everywhere() {
        session.say("other addresses of this machine do as well\n");
    }
    session.say(&format!("serving {}; Ctrl-C ends\n", request.root.display()));
    let terminal = Arc::new(Terminal::new(session.verbosity));
    let (shown, noted) = (Arc::clone(&terminal), Arc::clone(&board));
    run(
        request,
        Arc::new(move |update| {
            noted.note(update);
            shown.show(update);
        }),
        move |told| {
            board.remark(&remark(told));
            terminal.behind(told);
        },
    );
    if let Some(consoles) = consoles {
        consoles.interrupt();
    }
    server.stop();
    Ok(0)
}

fn run(
    request: BuildRequest,
    subscriber: Subscriber,
    behind: impl Fn(&Told) + Send + Sync + 'static,
) {
    let prepare = prepare(&request, behind);
    let session = session::Session::start(request, prepare, subscriber);
    while !process::interrupted() && !session.has_ended() {
        std::thread::sleep(TICK);
    }
    session.stop();
}

/// What answers the readers of a served page; where there is no live kernel nothing can.
fn consoles(request: &BuildRequest, panel: Panel) -> Option<Arc<Consoles>> {
    #[cfg(unix)]
    if panel == Panel::Shown {
        let kernel = pipeline::KernelChoice::Console(Arc::default());
        let request = BuildRequest { kernel, ..request.clone() };
        return Some(Arc::new(Consoles::new(request, Arc::new(pipeline::prepare))));
    }
    let _ = (request, panel);
    None
}

/// What makes the ground of a session; contexts are opened behind it where there are any.
fn prepare(request: &BuildRequest, behind: impl Fn(&Told) + Send + Sync + 'static) -> Arc<Prepare> {
    #[cfg(unix)]
    if let pipeline::KernelChoice::Live(pool) = &request.kernel {
        let pool = Arc::clone(pool);
        let tell: crate::kernel::behind::Teller = Arc::new(move |told| behind(&told));
        return Arc::new(move |request, config, slugs| {
            pipeline::prepare_warm(&pool, &tell, request, config, slugs)
        });
    }
    let _ = (request, behind);
    Arc::new(pipeline::prepare)
}

/// What goes on behind the runs, for people.
fn remark(told: &Told) -> String {
    match told {
        Told::Warming(words) => words.clone(),
        Told::Ready(slug) => format!("{slug}: cells run on evcxr now"),
        Told::Failed(problem) => {
            let hint = problem.hint.as_ref().map(|hint| format!("; {hint}")).unwrap_or_default();
            format!("cells run as programs: {}{hint}", problem.message)
        }
    }
}

/// What a person sees of a session in the terminal.
struct Terminal {
    progress: Progress,
    verbosity: Verbosity,
    state: Mutex<Shown>,
}

#[derive(Default)]
struct Shown {
    /// Problems that are on the screen already.
    problems: Vec<String>,
    changes: String,
    /// Digest of the page that was told of last.
    page: String,
    since: Option<Instant>,
    /// When a step of what goes on behind was told last.
    remarked: Option<Instant>,
    /// What was told of it and need not be told again.
    remarks: BTreeSet<String>,
}

impl Terminal {
    fn new(verbosity: Verbosity) -> Self {
        Self { progress: Progress::new(verbosity), verbosity, state: Mutex::default() }
    }

    fn show(&self, update: Update<'_>) {
        let mut state = self.state.lock().unwrap_or_else(PoisonError::into_inner);
        match update {
            Update::Build(event) => self.progress.show(event.clone()),
            Update::Changed(changes) => {
                let words: Vec<String> = changes.iter().map(ToString::to_string).collect();
                state.changes = words.join(", ");
                state.since = Some(Instant::now());
            }
            Update::Page(page) if page.state == PageState::Final => {
                self.progress.finish();
                self.page(&mut state, page);
            }
            Update::Printed(problems) => {
                self.problems(&mut state, problems, Telling::More);
            }
            Update::Trouble(problems) if !process::interrupted() => {
                self.progress.finish();
                if self.problems(&mut state, problems, Telling::Anew) {
                    self.say("the report before is still there; it is tried again soon, and when a file changes\n");
                }
            }
            Update::Page(_) | Update::Planned(_) | Update::Trouble(_) => {}
        }
    }

    /// Tells what goes on behind the runs; of many steps only some.
    fn behind(&self, told: &Told) {
        let mut state = self.state.lock().unwrap_or_else(PoisonError::into_inner);
        if let Told::Warming(_) = told {
            if state.remarked.is_some_and(|at| at.elapsed() < BETWEEN_REMARKS) {
                return;
            }
            state.remarked = Some(Instant::now());
        } else if !state.remarks.insert(remark(told)) {
            return;
        }
        self.say(&format!("{}\n", printable(&remark(told))));
    }

    fn page(&self, state: &mut Shown, page: &Page) {
        let problems: Vec<Diagnostic> = page
            .evaluated
            .diagnostics
            .iter()
            .cloned()
            .chain(summary::claims(&page.evaluated.document))
            .collect();
        let others = self.problems(state, &problems, Telling::Anew);
        // What was tried again and came out as before is on the screen already.
        if !others && state.changes.is_empty() && state.page == page.evaluated.digest {
            return;
        }
        state.page.clone_from(&page.evaluated.digest);
        let took = state.since.take().map_or(page.took, |since| since.elapsed());
        let what = std::mem::take(&mut state.changes);
        let what = if what.is_empty() { "built".to_owned() } else { format!("{what} changed") };
        let mut words = format!("{what}, pages in {:.0} ms\n", took.as_secs_f64() * 1e3);
        words.push_str(&summary::words(&page.evaluated.document));
        self.say(&words);
    }

    /// Tells problems that are not on the screen already; says whether they are others than before.
    fn problems(&self, state: &mut Shown, problems: &[Diagnostic], telling: Telling) -> bool {
        let shown: Vec<String> =
            problems.iter().map(|problem| diag::render(problem, Color::Ansi)).collect();
        for words in shown.iter().take(super::MOST_PROBLEMS) {
            if !state.problems.contains(words) {
                // Without a place to tell it the session goes on.
                let _ = writeln!(anstream::stderr(), "{words}\n");
            }
        }
        let others = state.problems != shown;
        match telling {
            Telling::Anew => state.problems = shown,
            Telling::More => state.problems.extend(shown),
        }
        others
    }

    fn say(&self, words: &str) {
        if self.verbosity == Verbosity::Normal {
            let mut out = anstream::stdout();
            let _ = out.write_all(words.as_bytes()).and_then(|()| io::Write::flush(&mut out));
        }
    }
}

#[derive(Clone, Copy)]
enum Telling {
    /// These are all problems of a build.
    Anew,
    /// These come on top.
    More,
}
