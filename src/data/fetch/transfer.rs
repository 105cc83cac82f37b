//! One request for a file by HTTP.
//!
//! In: an address and the byte from which on to read. Out: the answer in pieces, from a thread of its own.
//! Left out: what is done with them and with failures, which is [`super`]'s.

use std::io::{self, Read};
use std::sync::mpsc::{Receiver, SyncSender, sync_channel};
use std::thread;
use std::time::Duration;

use ureq::http::StatusCode;

/// Most redirects that are followed.
pub(super) const MOST_REDIRECTS: u32 = 10;

/// Blocks that may wait to be written.
const QUEUE: usize = 16;

/// The head of an answer.
pub(super) struct Head {
    pub(super) status: StatusCode,
    pub(super) length: Option<u64>,
    /// First byte and total length, of `Content-Range`.
    pub(super) range: Option<(Option<u64>, Option<u64>)>,
}

/// What a transfer brings.
pub(super) enum Answer {
    Head(Head),
    Block(Vec<u8>),
    End,
    Failed(ureq::Error),
}

/// Starts a request on a thread of its own, which ends when nobody listens any more.
pub(super) fn request(address: &str, from: u64, silence: Duration) -> Receiver<Answer> {
    let (sender, receiver) = sync_channel(QUEUE);
    let address = address.to_owned();
    thread::spawn(move || {
        if let Err(error) = transfer(&address, from, silence, &sender) {
            // Nobody listens any more.
            let _ = sender.send(Answer::Failed(error));
        }
    });
    receiver
}

fn transfer(
    address: &str,
    from: u64,
    silence: Duration,
    sender: &SyncSender<Answer>,
) -> Result<(), ureq::Error> {
    let mut config = ureq::Agent::config_builder()
        .http_status_as_error(false)
        .max_redirects(MOST_REDIRECTS)
        .max_redirects_will_error(true)
        .timeout_connect(Some(silence))
        .timeout_per_read(Some(silence))
        .user_agent(concat!("veracity/", env!("CARGO_PKG_VERSION")));
    if is_on_this_machine(address) {
        config = config.proxy(None);
    }
    let mut request = config.build().new_agent().get(address);
    if from > 0 {
        request = request.header("Range", format!("bytes={from}-"));
    }
    let response = request.call()?;
    let text = |name: &str| response.headers().get(name)?.to_str().ok();
    let head = Head {
        status: response.status(),
        length: text("content-length").and_then(|length| length.parse().ok()),
        range: text("content-range").and_then(content_range),
    };
    let has_body = head.status.is_success();
    if sender.send(Answer::Head(head)).is_err() || !has_body {
        return Ok(());
    }
    let mut body = response.into_body().into_reader();
    loop {
        let mut block = vec![0; 1 << 16];
        let read = match body.read(&mut block) {
            Ok(read) => read,
            Err(error) if error.kind() == io::ErrorKind::UnexpectedEof => 0,
            Err(error) => return Err(error.into()),
        };
        block.truncate(read);
        let answer = if read == 0 { Answer::End } else { Answer::Block(block) };
        if sender.send(answer).is_err() || read == 0 {
            return Ok(());
        }
    }
}

/// `bytes 5-9/10` or `bytes */10`.
fn content_range(text: &str) -> Option<(Option<u64>, Option<u64>)> {
    let (range, total) = text.trim().strip_prefix("bytes")?.trim().split_once('/')?;
    let from = range.split('-').next()?.trim().parse().ok();
    Some((from, total.trim().parse().ok()))
}

/// What runs on this machine is asked directly, not through a proxy.
fn is_on_this_machine(address: &str) -> bool {
    ["http://127.0.0.1", "http://localhost", "http://[::1]"]
        .iter()
        .any(|local| address.starts_with(local))
}
