//! Cuts what a program prints into the parts that each cell printed.
//!
//! In: a byte stream with boundary lines in it. Out: text per cell, of which the beginning and
//! a count are kept if it is very long, so that a cell may print a gigabyte.

use std::io::{self, Read};
use std::sync::Mutex;

/// Most bytes that are kept of what one cell prints on one stream.
pub(super) const KEPT: usize = 64 * 1024;

/// Longest boundary line.
const LONGEST_MARK: usize = 200;

/// What one cell printed on one stream.
#[derive(Clone, Debug, Default)]
struct Part {
    kept: Vec<u8>,
    dropped: u64,
}

/// What all cells printed on one stream, by position.
#[derive(Debug)]
pub(super) struct Parts(Vec<Part>);

impl Parts {
    /// Nothing yet.
    pub(super) fn new(cells: usize) -> Self {
        Self(vec![Part::default(); cells])
    }

    /// The text of each cell as far as it has been read.
    pub(super) fn texts(&self) -> Vec<String> {
        self.0.iter().map(Part::text).collect()
    }
}

/// Reads a stream to its end, into `parts`.
///
/// # Errors
/// As for reading.
pub(super) fn split(mut stream: impl Read, nonce: &str, parts: &Mutex<Parts>) -> io::Result<()> {
    let mark = format!("\u{1e}veracity {nonce} ").into_bytes();
    let mut current: Option<usize> = None;
    let mut pending: Vec<u8> = Vec::new();
    let mut buffer = vec![0; 64 * 1024];
    loop {
        let read = match stream.read(&mut buffer) {
            Ok(read) => read,
            Err(error) if error.kind() == io::ErrorKind::Interrupted => continue,
            Err(error) => return Err(error),
        };
        pending.extend_from_slice(&buffer[..read]);
        let end_of_stream = read == 0;
        let Ok(mut parts) = parts.lock() else { return Ok(()) };
        let mut at = 0;
        while at < pending.len() {
            let rest = &pending[at..];
            let plain = rest.iter().position(|&byte| byte == 0x1e).unwrap_or(rest.len());
            if plain > 0 {
                keep(&mut parts.0, current, &rest[..plain]);
                at += plain;
                continue;
            }
            let compared = mark.len().min(rest.len());
            let is_mark = rest[..compared] == mark[..compared];
            let end = rest.iter().take(LONGEST_MARK).position(|&byte| byte == b'\n');
            match end {
                Some(end) if is_mark && end > mark.len() => {
                    let number = std::str::from_utf8(&rest[mark.len()..end]).ok();
                    current = number.and_then(|number| number.trim().parse().ok());
                    at += end + 1;
                }
                None if is_mark && rest.len() < LONGEST_MARK && !end_of_stream => break,
                _ => {
                    keep(&mut parts.0, current, &rest[..1]);
                    at += 1;
                }
            }
        }
        pending.drain(..at);
        if end_of_stream {
            return Ok(());
        }
    }
}

fn keep(parts: &mut [Part], current: Option<usize>, bytes: &[u8]) {
    let Some(part) = current.and_then(|current| parts.get_mut(current)) else { return };
    let room = KEPT.saturating_sub(part.kept.len()).min(bytes.len());
    part.kept.extend_from_slice(&bytes[..room]);
    part.dropped += (bytes.len() - room) as u64;
}

impl Part {
    fn text(&self) -> String {
        let mut text = String::from_utf8_lossy(&self.kept).into_owned();
        if self.dropped > 0 {
            text.push_str(&format!("\n… and {} more bytes that are not kept\n", self.dropped));
        }
        text
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    fn texts(stream: impl Read, cells: usize) -> Vec<String> {
        let parts = Mutex::new(Parts::new(cells));
        split(stream, "n", &parts).expect("memory can be read");
        parts.into_inner().expect("no reader panicked").texts()
    }

    /// Gives one byte at a time, the worst way in which a pipe may cut its stream.
    struct Trickle<'a>(&'a [u8]);

    impl Read for Trickle<'_> {
        fn read(&mut self, buffer: &mut [u8]) -> io::Result<usize> {
            let Some((first, rest)) = self.0.split_first() else { return Ok(0) };
            buffer[0] = *first;
            self.0 = rest;
            Ok(1)
        }
    }

    #[test]
    fn cuts_at_boundaries_wherever_the_stream_breaks() {
        let stream = "before\u{1e}veracity n 0\nhello\u{1e} \u{1e}veracity m 1\n\
                      no newline\u{1e}veracity n 1\nworld\n\u{1e}veracity n 2\n";
        for parts in [texts(stream.as_bytes(), 2), texts(Trickle(stream.as_bytes()), 2)] {
            assert_eq!(parts[0], "hello\u{1e} \u{1e}veracity m 1\nno newline");
            assert_eq!(parts[1], "world\n");
        }
    }

    #[test]
    fn keeps_the_beginning_of_a_flood() {
        let stream = io::Cursor::new(b"\x1everacity n 0\n".to_vec())
            .chain(io::repeat(b'x').take(10_000_000));
        let parts = texts(stream, 1);
        assert!(parts[0].len() < KEPT + 100);
        assert!(parts[0].contains("9934464 more bytes"), "{}", &parts[0][KEPT..]);
    }
}
