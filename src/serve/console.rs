//! Questions from a served page to the code of its chapter.
//!
//! In: requests with an input. Out: what it gives. This runs code, so it is there only if it was asked
//! for, only for those who have the token, and only for pages that come from here: a request must
//! name this server as its origin, which a page from elsewhere cannot.

use std::collections::BTreeMap;
use std::sync::{Arc, Mutex, PoisonError};

use axum::Json;
use axum::extract::State;
use axum::http::{HeaderMap, StatusCode, header};
use axum::response::{IntoResponse, Response};
use base64::Engine;
use serde::{Deserialize, Serialize};
use veracity_protocol::Artifact;

use super::{Served, refused};
use crate::console::{self, Answer, Console, Interrupter, Need};
use crate::diag::{self, Color, Diagnostic};
use crate::exec::ExecEvent;
use crate::figure::{self, Theme};
use crate::kernel::Event;
use crate::pipeline::{BuildEvent, BuildRequest, Prepare};
use crate::progress;
use crate::render::html::page_name;

/// The consoles of a served report, one for each chapter that was asked something.
pub struct Consoles {
    request: BuildRequest,
    prepare: Arc<Prepare>,
    open: Mutex<BTreeMap<String, Arc<Mutex<Option<Console>>>>>,
    running: Mutex<Option<Interrupter>>,
    /// What is being done for the input that is waited for.
    activity: Mutex<String>,
}

#[derive(Deserialize)]
pub(super) struct Question {
    /// File of the page.
    page: String,
    input: String,
}

#[derive(Default, Serialize)]
struct Reply {
    /// The input is not whole.
    more: bool,
    number: usize,
    text: String,
    /// Figures as addresses of pictures, for a light and a dark ground.
    figures: Vec<[String; 2]>,
    problem: Option<String>,
}

impl Consoles {
    /// Consoles for a report; `prepare` as for [`Console::open`].
    pub fn new(request: BuildRequest, prepare: Arc<Prepare>) -> Self {
        Self {
            request,
            prepare,
            open: Mutex::default(),
            running: Mutex::default(),
            activity: Mutex::default(),
        }
    }

    /// Ends what is running.
    pub fn interrupt(&self) {
        if let Some(running) = &*self.running.lock().unwrap_or_else(PoisonError::into_inner) {
            running.interrupt();
        }
    }

    fn ask(&self, chapter: &str, input: &str) -> Result<Answer, Vec<Diagnostic>> {
        let console = {
            let mut open = self.open.lock().unwrap_or_else(PoisonError::into_inner);
            Arc::clone(open.entry(chapter.to_owned()).or_default())
        };
        let mut console = console.lock().unwrap_or_else(PoisonError::into_inner);
        let sink = |event: BuildEvent<'_>| self.note(&event);
        if console.is_none() {
            let prepare = Arc::clone(&self.prepare);
            *console = Some(Console::open(&self.request, chapter, prepare, &sink)?);
        }
        let console = console.as_mut().expect("it is open");
        let running = |interrupter| {
            *self.running.lock().unwrap_or_else(PoisonError::into_inner) = interrupter;
        };
        running(Some(console.interrupter()));
        let answer = console.ask(input, &sink);
        running(None);
        answer
    }

    fn note(&self, event: &BuildEvent<'_>) {
        let words = match event {
            BuildEvent::Waiting => "waiting for another build".to_owned(),
            BuildEvent::Preparing => "preparing".to_owned(),
            BuildEvent::Exec(ExecEvent::Kernel { chapter, event }) => match event {
                Event::Ended { .. } | Event::Warning(_) => return,
                event => progress::words(chapter, event).unwrap_or_default(),
            },
            _ => return,
        };
        *self.activity.lock().unwrap_or_else(PoisonError::into_inner) = words;
    }
}

/// Whether a request comes from a page of this server.
fn is_own(headers: &HeaderMap) -> bool {
    let text = |name| headers.get(name).and_then(|value| value.to_str().ok());
    match (text(header::ORIGIN), text(header::HOST)) {
        (Some(origin), Some(host)) => origin.strip_prefix("http://") == Some(host),
        _ => false,
    }
}

const FOREIGN: &str = "Only pages of this report may ask its code.\n";
const OFF: &str = "`veracity serve --console` lets readers ask the code.\n";

/// Runs an input behind the cells of the page's chapter.
pub(super) async fn ask(
    State(served): State<Served>,
    headers: HeaderMap,
    question: Json<Question>,
) -> Response {
    let Some(consoles) = served.consoles else { return refused(StatusCode::NOT_FOUND, OFF) };
    if !is_own(&headers) {
        return refused(StatusCode::FORBIDDEN, FOREIGN);
    }
    let Json(Question { page, input }) = question;
    if console::need(&input) == Need::More && !input.ends_with('\n') {
        return Json(Reply { more: true, ..Reply::default() }).into_response();
    }
    let chapter = served.board.page("index.html").and_then(|(shown, _)| {
        let chapters = shown.evaluated.chapters.iter();
        chapters.map(|chapter| chapter.slug.clone()).find(|slug| page_name(slug) == page)
    });
    let Some(chapter) = chapter else {
        return refused(StatusCode::NOT_FOUND, "This page is no chapter's.\n");
    };
    let answer = tokio::task::spawn_blocking(move || consoles.ask(&chapter, &input)).await;
    match answer {
        Ok(answer) => Json(reply(answer)).into_response(),
        Err(_) => refused(StatusCode::INTERNAL_SERVER_ERROR, "The console has failed.\n"),
    }
}

/// Ends what is running.
pub(super) async fn interrupt(State(served): State<Served>, headers: HeaderMap) -> Response {
    match served.consoles {
        Some(_) if !is_own(&headers) => refused(StatusCode::FORBIDDEN, FOREIGN),
        Some(consoles) => {
            consoles.interrupt();
            StatusCode::NO_CONTENT.into_response()
        }
        None => refused(StatusCode::NOT_FOUND, OFF),
    }
}

/// What is being done.
pub(super) async fn activity(State(served): State<Served>) -> Response {
    let words = served
        .consoles
        .map(|consoles| consoles.activity.lock().unwrap_or_else(PoisonError::into_inner).clone());
    words.map_or_else(|| refused(StatusCode::NOT_FOUND, OFF), IntoResponse::into_response)
}

fn reply(answer: Result<Answer, Vec<Diagnostic>>) -> Reply {
    let told = |problem: &Diagnostic| diag::render(problem, Color::Plain);
    match answer {
        Ok(answer) => Reply {
            more: false,
            number: answer.number,
            text: console::words(&answer),
            figures: answer.artifacts.iter().filter_map(pictures).collect(),
            problem: answer.problem.as_ref().map(told),
        },
        Err(problems) => {
            let words: Vec<String> = problems.iter().map(told).collect();
            Reply { problem: Some(words.join("\n\n")), ..Reply::default() }
        }
    }
}

/// A figure for both grounds; one that cannot be drawn is described in the text alone.
fn pictures(artifact: &Artifact) -> Option<[String; 2]> {
    let Artifact::Figure(figure) = artifact else { return None };
    let address = |theme| {
        let svg = figure::draw(figure, theme).ok()?;
        let encoded = base64::engine::general_purpose::STANDARD.encode(svg);
        Some(format!("data:image/svg+xml;base64,{encoded}"))
    };
    Some([address(Theme::Light)?, address(Theme::Dark)?])
}
