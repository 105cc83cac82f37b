//! `veracity watch` and `veracity serve`: a session, told of in the terminal and on a page.

use std::io::{self, Write};
use std::sync::{Arc, Mutex, PoisonError};
use std::time::{Duration, Instant};

use super::{Session, summary};
use crate::diag::{self, Color, Diagnostic};
use crate::kernel::process;
use crate::pipeline::{self, BuildRequest};
use crate::progress::{Progress, Verbosity};
use crate::serve::{Board, Options, Server};
use crate::session::{self, Page, PageState, Subscriber, Update};

/// How often it is looked whether the person wants to stop.
const TICK: Duration = Duration::from_millis(50);

/// Keeps a report built until it is interrupted.
pub(super) fn watch(session: &Session, request: BuildRequest) -> Result<u8, Vec<Diagnostic>> {
    let root = request.root.display().to_string();
    session.say(&format!("watching {root}; Ctrl-C ends\n"));
    let terminal = Arc::new(Terminal::new(session.verbosity));
    run(request, Arc::new(move |update| terminal.show(update)));
    Ok(0)
}

/// The same, with a page that follows.
pub(super) fn serve(
    session: &Session,
    request: BuildRequest,
    options: &Options,
) -> Result<u8, Vec<Diagnostic>> {
    let board = Arc::new(Board::default());
    let server = Server::start(options, Arc::clone(&board), request.out.clone())
        .map_err(|problem| vec![problem])?;
    session.print(&format!("{}\n", server.address()));
    session.say(&format!("serving {}; Ctrl-C ends\n", request.root.display()));
    let terminal = Arc::new(Terminal::new(session.verbosity));
    run(
        request,
        Arc::new(move |update| {
            board.note(update);
            terminal.show(update);
        }),
    );
    server.stop();
    Ok(0)
}

fn run(request: BuildRequest, subscriber: Subscriber) {
    let session = session::Session::start(request, Arc::new(pipeline::prepare), subscriber);
    while !process::interrupted() && !session.has_ended() {
        std::thread::sleep(TICK);
    }
    session.stop();
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
    since: Option<Instant>,
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
            Update::Printed(problems) => self.problems(&mut state, problems, Telling::More),
            Update::Trouble(problems) if !process::interrupted() => {
                self.progress.finish();
                self.problems(&mut state, problems, Telling::Anew);
                self.say("the report before is still there; it is tried again soon, and when a file changes\n");
            }
            Update::Page(_) | Update::Planned(_) | Update::Trouble(_) => {}
        }
    }

    fn page(&self, state: &mut Shown, page: &Page) {
        let problems: Vec<Diagnostic> = page
            .evaluated
            .diagnostics
            .iter()
            .cloned()
            .chain(summary::claims(&page.evaluated.document))
            .collect();
        self.problems(state, &problems, Telling::Anew);
        let took = state.since.take().map_or(page.took, |since| since.elapsed());
        let what = std::mem::take(&mut state.changes);
        let what = if what.is_empty() { "built".to_owned() } else { format!("{what} changed") };
        let mut words = format!("{what}, pages in {:.0} ms\n", took.as_secs_f64() * 1e3);
        words.push_str(&summary::words(&page.evaluated.document));
        self.say(&words);
    }

    /// Tells problems that are not on the screen already.
    fn problems(&self, state: &mut Shown, problems: &[Diagnostic], telling: Telling) {
        let shown: Vec<String> =
            problems.iter().map(|problem| diag::render(problem, Color::Ansi)).collect();
        for words in shown.iter().take(super::MOST_PROBLEMS) {
            if !state.problems.contains(words) {
                // Without a place to tell it the session goes on.
                let _ = writeln!(anstream::stderr(), "{words}\n");
            }
        }
        match telling {
            Telling::Anew => state.problems = shown,
            Telling::More => state.problems.extend(shown),
        }
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
