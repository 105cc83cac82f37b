//! `veracity-live`: compiles and runs statements in a process that stays, on evcxr.
//!
//! In: requests on standard input, one JSON object a line. Out: replies on standard output in the
//! same manner; on standard error the crates that Cargo compiles. One process serves one chapter.
//! It knows nothing of cells, reports or values: `veracity` writes the statements, and what
//! they publish goes through the outbox. It ends when its standard input does.
//!
//! The same executable is the process that runs the statements; evcxr starts it a second time and
//! tells it by the environment.

mod context;

use std::io::{self, BufRead, Write};
use std::process::ExitCode;
use std::sync::mpsc::channel;
use std::thread;

use veracity_protocol::{LiveReply, LiveRequest, VERSION};

use self::context::{Context, Ender};

fn main() -> ExitCode {
    // Does not return in the process that runs statements.
    evcxr::runtime_hook();
    let ender = Ender::default();
    let (sender, requests) = channel();
    let killer = ender.clone();
    // Requests are read while statements run, so that they can be ended.
    thread::spawn(move || {
        for line in io::stdin().lock().lines() {
            let Ok(line) = line else { break };
            match serde_json::from_str(&line) {
                Ok(LiveRequest::Kill) => killer.end(),
                request => {
                    if sender.send(request).is_err() {
                        break;
                    }
                }
            }
        }
        killer.end();
        std::process::exit(0);
    });
    let mut context: Option<Context> = None;
    while let Ok(request) = requests.recv() {
        let reply = match (request, &mut context) {
            (Ok(LiveRequest::Open(opening)), None) if opening.version == VERSION => {
                match Context::open(&opening, &ender) {
                    Ok(opened) => {
                        context = Some(opened);
                        LiveReply::Opened
                    }
                    Err(reply) => reply,
                }
            }
            (Ok(LiveRequest::Open(opening)), None) => {
                let version = opening.version;
                unable(&format!("the builder speaks version {version}, this is {VERSION}"))
            }
            (Ok(LiveRequest::Open(_)), Some(_)) => unable(&"the context is there already"),
            (Ok(LiveRequest::Evaluate { code }), Some(context)) => context.evaluate(&code),
            (Ok(LiveRequest::Complete { code, at }), Some(context)) => context.complete(&code, at),
            // A reply that somebody may not wait for must be known by its kind.
            (Ok(LiveRequest::Complete { at, .. }), None) => {
                LiveReply::Completed { from: at, words: Vec::new() }
            }
            (Ok(LiveRequest::Evaluate { .. } | LiveRequest::Kill), _) => unable(&"nothing is open"),
            (Err(error), _) => unable(&error),
        };
        if answer(&reply).is_err() {
            break;
        }
    }
    ender.end();
    ExitCode::SUCCESS
}

fn unable(words: &dyn std::fmt::Display) -> LiveReply {
    LiveReply::Unable { words: words.to_string() }
}

fn answer(reply: &LiveReply) -> io::Result<()> {
    let mut line = serde_json::to_vec(reply)?;
    line.push(b'\n');
    let mut out = io::stdout().lock();
    out.write_all(&line)?;
    out.flush()
}
