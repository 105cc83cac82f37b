//! A running `veracity-live`.
//!
//! In: requests. Out: replies, and the words of Cargo on the way. It ends when this is dropped.

use std::io::{self, BufRead, BufReader, Write};
use std::path::Path;
use std::process::{ChildStdin, Command, Stdio};
use std::sync::mpsc::{Receiver, RecvTimeoutError, channel};
use std::thread;
use std::time::{Duration, Instant};

use veracity_protocol::{LiveReply, LiveRequest};

use crate::kernel::Completion;
use crate::kernel::process::Group;

/// A running `veracity-live`.
#[derive(Debug)]
pub(super) struct Host {
    group: Group,
    requests: Option<ChildStdin>,
    replies: Receiver<LiveReply>,
    words: Receiver<String>,
    /// What was asked last about half-typed code, and the answer once it is there.
    question: Option<(Question, Option<Completion>)>,
}

/// Half-typed code and the place in it that is asked about.
#[derive(Debug, PartialEq)]
struct Question {
    code: String,
    at: usize,
}

impl Host {
    /// Starts the executable; its context will lie in `folder`.
    pub(super) fn start(executable: &Path, folder: &Path) -> io::Result<Self> {
        let mut command = Command::new(executable);
        command
            .current_dir(folder)
            .env("EVCXR_TMPDIR", folder)
            // Nobody's own settings of evcxr may change what a report says.
            .env("EVCXR_CONFIG_DIR", folder)
            .stdin(Stdio::piped())
            .stdout(Stdio::piped())
            .stderr(Stdio::piped());
        let mut group = Group::spawn(&mut command)?;
        let requests = group.child.stdin.take();
        let stdout = group.child.stdout.take().expect("standard output is piped");
        let stderr = group.child.stderr.take().expect("standard error is piped");
        let (send, replies) = channel();
        thread::spawn(move || {
            for line in BufReader::new(stdout).lines().map_while(Result::ok) {
                // A line that is no reply cannot be the executable's own.
                let Ok(reply) = serde_json::from_str(&line) else { continue };
                if send.send(reply).is_err() {
                    break;
                }
            }
        });
        let (send, words) = channel();
        thread::spawn(move || {
            // The stream is read to its end even if nobody listens, or it would fill up.
            for line in BufReader::new(stderr).lines().map_while(Result::ok) {
                let _ = send.send(line);
            }
        });
        Ok(Self { group, requests, replies, words, question: None })
    }

    /// Sends a request.
    pub(super) fn send(&mut self, request: &LiveRequest) -> io::Result<()> {
        let mut line = serde_json::to_vec(request)?;
        line.push(b'\n');
        let requests = self.requests.as_mut().ok_or(io::ErrorKind::BrokenPipe)?;
        requests.write_all(&line)?;
        requests.flush()
    }

    /// The next reply to anything but a question, if it comes in time.
    pub(super) fn reply(&mut self, patience: Duration) -> io::Result<Option<LiveReply>> {
        let until = Instant::now() + patience;
        // Replies come in the order of the requests.
        if self.is_asking() && !self.hear(patience)? {
            return Ok(None);
        }
        self.next(until.saturating_duration_since(Instant::now()))
    }

    /// What may stand at a place in half-typed code, if that is known in time. If not, the same question
    /// finds the answer later.
    pub(super) fn complete(
        &mut self,
        code: String,
        at: usize,
        patience: Duration,
    ) -> io::Result<Option<Completion>> {
        let until = Instant::now() + patience;
        let left = || until.saturating_duration_since(Instant::now());
        if self.is_asking() && !self.hear(left())? {
            return Ok(None);
        }
        let question = Question { code, at };
        if self.question.as_ref().is_none_or(|(known, _)| *known != question) {
            let code = question.code.clone();
            self.send(&LiveRequest::Complete { code, at })?;
            self.question = Some((question, None));
            self.hear(left())?;
        }
        Ok(self.question.as_ref().and_then(|(_, found)| found.clone()))
    }

    fn is_asking(&self) -> bool {
        self.question.as_ref().is_some_and(|(_, found)| found.is_none())
    }

    /// Takes the answer to the question, if it comes in time; says whether it did.
    fn hear(&mut self, patience: Duration) -> io::Result<bool> {
        let Some(reply) = self.next(patience)? else { return Ok(false) };
        if let Some((question, found)) = &mut self.question {
            *found = Some(match reply {
                LiveReply::Completed { from, words } => {
                    Completion { typed: question.at.saturating_sub(from), words }
                }
                // One that knows no questions.
                _ => Completion::default(),
            });
        }
        Ok(true)
    }

    fn next(&self, patience: Duration) -> io::Result<Option<LiveReply>> {
        match self.replies.recv_timeout(patience) {
            Ok(reply) => Ok(Some(reply)),
            Err(RecvTimeoutError::Timeout) => Ok(None),
            Err(RecvTimeoutError::Disconnected) => {
                Err(io::Error::other("the live kernel has ended"))
            }
        }
    }

    /// What was said on standard error since the last call.
    pub(super) fn words(&self) -> Vec<String> {
        self.words.try_iter().collect()
    }

    /// Process identifier, for those who measure.
    pub(super) fn id(&self) -> u32 {
        self.group.child.id()
    }
}

impl Drop for Host {
    fn drop(&mut self) {
        // It ends itself, and what it runs, when its input ends; what is left ends with its group.
        let _ = self.send(&LiveRequest::Kill);
        self.requests = None;
        let _ = self.group.child.wait();
        // Cargo may be at work.
        self.group.kill();
    }
}
