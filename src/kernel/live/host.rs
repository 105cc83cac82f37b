//! A running `veracity-live`.
//!
//! In: requests. Out: replies, and the words of Cargo on the way. It ends when this is dropped.

use std::io::{self, BufRead, BufReader, Write};
use std::path::Path;
use std::process::{ChildStdin, Command, Stdio};
use std::sync::mpsc::{Receiver, RecvTimeoutError, channel};
use std::thread;
use std::time::Duration;

use veracity_protocol::{LiveReply, LiveRequest};

use crate::kernel::process::Group;

/// A running `veracity-live`.
#[derive(Debug)]
pub(super) struct Host {
    group: Group,
    requests: Option<ChildStdin>,
    replies: Receiver<LiveReply>,
    words: Receiver<String>,
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
        Ok(Self { group, requests, replies, words })
    }

    /// Sends a request.
    pub(super) fn send(&mut self, request: &LiveRequest) -> io::Result<()> {
        let mut line = serde_json::to_vec(request)?;
        line.push(b'\n');
        let requests = self.requests.as_mut().ok_or(io::ErrorKind::BrokenPipe)?;
        requests.write_all(&line)?;
        requests.flush()
    }

    /// The next reply, if it comes in time.
    pub(super) fn reply(&self, patience: Duration) -> io::Result<Option<LiveReply>> {
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
