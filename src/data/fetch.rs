//! Downloads the files of a data set.
//!
//! In: an entry of the manifest. Out: its files below the folder of data, each with the right
//! checksum. A file is written to `NAME.part`, goes on from there after any interruption, and takes
//! its name only when it is whole. Nothing that was downloaded is deleted: what turns out to be wrong is
//! set aside. Left out: how progress looks, which [`Step`]s tell.

mod transfer;

use std::fs::{self, File, TryLockError};
use std::io::{self, Write};
use std::path::{Path, PathBuf};
use std::sync::mpsc::{Receiver, RecvTimeoutError};
use std::thread;
use std::time::{Duration, Instant};

use ureq::http::StatusCode;

use super::digest::{Sum, each_block};
use super::{Digests, PARTIAL, bytes, find, set_aside, unpack};
use crate::config::{Archive, Checksum, Entry, RemoteFile};
use crate::diag::Diagnostic;
use crate::kernel::process;
use crate::kernel::workspace::Network;
use transfer::{Answer, Head, MOST_REDIRECTS, request};
use veracity_protocol::DataKind;

/// How often a transfer that is waited for looks whether the person has asked to stop.
const POLL: Duration = Duration::from_millis(50);

/// Bytes that a try must bring so that the tries before it are forgotten.
const WORTH_A_TRY: u64 = 1 << 20;

/// What a download may do and how patient it is.
#[derive(Clone, Copy, Debug)]
pub struct Terms {
    /// Without it, what is here is only verified and unpacked.
    pub network: Network,
    /// Longest time without a byte.
    pub silence: Duration,
    /// Tries without success.
    pub tries: u32,
    /// Pause before the second try; each further pause is twice as long.
    pub pause: Duration,
}

impl Default for Terms {
    fn default() -> Self {
        Self {
            network: Network::Allowed,
            silence: Duration::from_secs(30),
            tries: 5,
            pause: Duration::from_secs(1),
        }
    }
}

/// Something that happened on the way.
#[derive(Clone, Debug)]
pub enum Step<'a> {
    /// A file is being downloaded; so much of it is here.
    Downloading {
        /// Name of the file.
        file: &'a str,
        /// Bytes here.
        done: u64,
        /// Bytes in total, if known.
        total: Option<u64>,
    },
    /// A whole file is being verified or unpacked.
    Working {
        /// What is done, such as `verifying`.
        what: &'static str,
        /// Name of the file.
        file: &'a str,
        /// Bytes done.
        done: u64,
        /// Bytes in total.
        total: u64,
    },
    /// Something worth a line.
    Said(String),
}

/// Receives steps.
pub type Sink<'a> = &'a mut dyn FnMut(Step<'_>);

/// Brings a data set into the folder of data, as far as it is not there yet.
///
/// # Errors
/// What is wrong, with a hint; what was downloaded so far is kept.
pub fn fetch(
    name: &str,
    entry: &Entry,
    data: &Path,
    terms: Terms,
    digests: &mut Digests,
    sink: Sink<'_>,
) -> Result<(), Diagnostic> {
    let unreadable = |error: io::Error| cannot("read", data, &error);
    let found = find(data, name, Some(entry), digests).map_err(unreadable)?;
    if found.is_some_and(|found| found.set.kind == DataKind::Real) {
        sink(Step::Said(format!("{name} is there already, whole")));
        return Ok(());
    }
    let folder = match entry.archive() {
        Some(_) => data.to_owned(),
        None => data.join(&entry.folder),
    };
    fs::create_dir_all(&folder).map_err(|error| cannot("make", &folder, &error))?;
    for file in &entry.files {
        let download =
            Download { file, path: folder.join(&file.name), room_for: room_for(file), terms };
        download.run(digests, sink)?;
    }
    if let Some((file, _)) = entry.archive() {
        unpack_archive(entry, file, data, sink)?;
    }
    Ok(())
}

/// Bytes that are needed besides the file itself.
fn room_for(file: &RemoteFile) -> u64 {
    file.unpack.as_ref().and_then(|unpack| unpack.size).unwrap_or(0)
}

fn unpack_archive(
    entry: &Entry,
    file: &RemoteFile,
    data: &Path,
    sink: Sink<'_>,
) -> Result<(), Diagnostic> {
    let Some(Archive::TarBz2) = file.unpack.as_ref().map(|unpack| unpack.archive) else {
        return Ok(());
    };
    let path = data.join(&file.name);
    let total = fs::metadata(&path).map_or(0, |metadata| metadata.len());
    let missing = room_for(file);
    check_room(data, missing)?;
    let advance = |done| sink(Step::Working { what: "unpacking", file: &file.name, done, total });
    let unpacked = unpack::tar_bz2(&path, file.checksum.as_ref(), entry, data, advance);
    match unpacked {
        Ok(aside) => {
            if let Some(aside) = aside {
                sink(Step::Said(format!(
                    "the {} that was there before is now {}",
                    entry.folder,
                    aside.display()
                )));
            }
            sink(Step::Said(format!(
                "{} is not needed any more and may be removed",
                path.display()
            )));
            Ok(())
        }
        Err(_) if process::interrupted() => Err(interrupted(&path)),
        Err(error) => Err(Diagnostic::global(
            "unpack-failed",
            format!("{} cannot be unpacked: {error}", path.display()),
        )
        .note("the archive is still there, and what was there before is untouched")
        .hint("is the disk full? run the command again to unpack it without a download")),
    }
}

/// The download of one file.
struct Download<'a> {
    file: &'a RemoteFile,
    path: PathBuf,
    /// Bytes that are needed besides.
    room_for: u64,
    terms: Terms,
}

/// Why a try did not bring the whole file.
enum Trouble {
    /// Another try may.
    Passing(Diagnostic),
    /// No other try will.
    Lasting(Diagnostic),
}

impl Download<'_> {
    fn run(&self, digests: &mut Digests, sink: Sink<'_>) -> Result<(), Diagnostic> {
        if self.path.is_file() {
            let Some(wanted) = &self.file.checksum else { return Ok(()) };
            let digest = digests
                .of(&self.path, Some(wanted.algorithm))
                .map_err(|error| cannot("read", &self.path, &error))?;
            if digest.checksum.as_ref() == Some(&wanted.hex) {
                sink(Step::Said(format!("{} is there already, whole", self.file.name)));
                return Ok(());
            }
            self.may_ask()?;
            let aside = set_aside(&self.path).map_err(|e| cannot("rename", &self.path, &e))?;
            sink(Step::Said(format!(
                "{} has not the checksum {wanted}; it is now {}",
                self.path.display(),
                aside.display()
            )));
        }
        self.may_ask()?;
        let part = self.part();
        let mut file = self.open(&part)?;
        let mut tries = 1;
        loop {
            let before = length(&file);
            let trouble = match self.attempt(&mut file, sink) {
                Ok(()) => break,
                Err(Trouble::Lasting(problem)) => return Err(problem),
                Err(Trouble::Passing(problem)) => problem,
            };
            if !part.exists() {
                // It was set aside; the next try begins anew.
                file = self.open(&part)?;
            }
            if length(&file).saturating_sub(before) >= WORTH_A_TRY {
                tries = 1;
            }
            if tries >= self.terms.tries {
                let kept = length(&file);
                return Err(match kept {
                    0 => trouble,
                    kept => trouble.note(format!("{} are kept in {}", bytes(kept), part.display())),
                }
                .note(format!("{tries} tries brought nothing more"))
                .hint("run the command again later; it goes on where it was"));
            }
            let pause = self.terms.pause * 2_u32.saturating_pow(tries - 1);
            let seconds = pause.as_secs_f64();
            sink(Step::Said(format!("{}; trying again in {seconds} s", trouble.message)));
            wait(pause).map_err(|()| interrupted(&part))?;
            tries += 1;
        }
        file.sync_all().map_err(|error| cannot("write", &part, &error))?;
        self.verify(&part, sink)?;
        fs::rename(&part, &self.path).map_err(|error| cannot("rename", &part, &error))
    }

    fn may_ask(&self) -> Result<(), Diagnostic> {
        match self.terms.network {
            Network::Allowed => Ok(()),
            Network::Forbidden => Err(Diagnostic::global(
                "offline",
                format!(
                    "{} is not here whole, and `--offline` forbids to fetch it",
                    self.file.name
                ),
            )
            .hint("leave `--offline` away")),
        }
    }

    fn part(&self) -> PathBuf {
        self.path.with_file_name(format!("{}.{PARTIAL}", self.file.name))
    }

    /// The partial file, which no other process downloads.
    fn open(&self, part: &Path) -> Result<File, Diagnostic> {
        let file = File::options()
            .append(true)
            .create(true)
            .open(part)
            .map_err(|error| cannot("write", part, &error))?;
        match file.try_lock() {
            Err(TryLockError::WouldBlock) => Err(Diagnostic::global(
                "fetch-busy",
                format!("another process is downloading {}", self.file.name),
            )
            .hint("wait for it; then `veracity data verify` tells whether all is there")),
            // Without locks in the file system nobody is kept out.
            Ok(()) | Err(TryLockError::Error(_)) => Ok(file),
        }
    }

    /// One request, from where the partial file ends.
    fn attempt(&self, file: &mut File, sink: Sink<'_>) -> Result<(), Trouble> {
        let have = length(file);
        let size = self.file.size;
        match size {
            Some(size) if have == size => return Ok(()),
            Some(size) if have > size => {
                let longer = format!("{} were here where the file has {size}", have);
                return Err(self.restart(longer, sink));
            }
            _ => {}
        }
        if let Some(size) = size {
            let folder = self.path.parent().unwrap_or(Path::new("."));
            check_room(folder, size - have + self.room_for).map_err(Trouble::Lasting)?;
        }
        let answers = request(&self.file.address, have, self.terms.silence);
        let head = match self.next(&answers)? {
            Some(Answer::Head(head)) => head,
            Some(Answer::Failed(error)) => {
                return Err(self.no_answer(&error, "there is no connection"));
            }
            Some(Answer::Block(_) | Answer::End) | None => {
                return Err(self.passing("the connection was lost".to_owned()));
            }
        };
        let (mut skip, total) = self.judge(&head, have, sink)?;
        let Some(total) = total else { return Ok(()) };
        if let (Some(size), Length::Known(total)) = (size, total)
            && total != size
        {
            return Err(Trouble::Lasting(
                self.problem(format!(
                    "the server offers {total} bytes, and the manifest says {size}"
                ))
                .hint(
                    "has the file been replaced? then the manifest needs its new size and checksum",
                ),
            ));
        }
        let total = match total {
            Length::Known(total) => Some(total),
            Length::Unknown => size,
        };
        if skip == 0 && have > 0 {
            sink(Step::Said(format!("going on after {}", bytes(have))));
        }
        let mut done = have;
        loop {
            sink(Step::Downloading { file: &self.file.name, done, total });
            match self.next(&answers)? {
                Some(Answer::Block(block)) => {
                    let skipped = usize::try_from(skip).unwrap_or(usize::MAX).min(block.len());
                    skip -= skipped as u64;
                    let fresh = &block[skipped..];
                    file.write_all(fresh).map_err(|error| {
                        let part = self.part();
                        Trouble::Lasting(cannot("write", &part, &error).note("it is kept so far"))
                    })?;
                    done += fresh.len() as u64;
                    if total.is_some_and(|total| done > total) {
                        let total = total.unwrap_or_default();
                        let words = format!("the server sends more than {total} bytes");
                        let hint = "has the file been replaced? then the manifest needs its new \
                                    size and checksum";
                        return Err(Trouble::Lasting(self.problem(words).hint(hint)));
                    }
                }
                Some(Answer::End) => {
                    return match total {
                        Some(total) if done < total => Err(self
                            .passing(format!("the transfer ended after {done} of {total} bytes"))),
                        _ => Ok(()),
                    };
                }
                Some(Answer::Failed(error)) => {
                    return Err(self.no_answer(&error, "the connection was lost"));
                }
                Some(Answer::Head(_)) | None => {
                    return Err(self.passing("the connection was lost".to_owned()));
                }
            }
        }
    }

    /// What an answer's head means: how many bytes of its body are here already, and how long the
    /// whole file is; no length if it is here already.
    fn judge(
        &self,
        head: &Head,
        have: u64,
        sink: Sink<'_>,
    ) -> Result<(u64, Option<Length>), Trouble> {
        match head.status {
            StatusCode::OK => {
                if have > 0 {
                    sink(Step::Said(format!(
                        "the server cannot go on in the middle; {} are passed over",
                        bytes(have)
                    )));
                }
                let total = head.length.map_or(Length::Unknown, Length::Known);
                Ok((have, Some(total)))
            }
            StatusCode::PARTIAL_CONTENT => match head.range {
                Some((Some(from), total)) if from == have => {
                    Ok((0, Some(total.map_or(Length::Unknown, Length::Known))))
                }
                _ => Err(Trouble::Lasting(
                    self.problem(format!(
                        "the server was asked for what comes after {have} bytes and answers \
                         something else"
                    ))
                    .hint(format!("remove {} to begin anew", self.part().display())),
                )),
            },
            StatusCode::RANGE_NOT_SATISFIABLE => {
                match head.range {
                    Some((_, Some(total))) if total == have => Ok((0, None)),
                    _ if have > 0 => Err(self
                        .restart(format!("the server has nothing after {have} bytes (416)"), sink)),
                    _ => Err(Trouble::Lasting(
                        self.problem("the server refuses to send the file (416)".to_owned()),
                    )),
                }
            }
            status
                if status.is_server_error()
                    || [
                        StatusCode::REQUEST_TIMEOUT,
                        StatusCode::TOO_EARLY,
                        StatusCode::TOO_MANY_REQUESTS,
                    ]
                    .contains(&status) =>
            {
                Err(self.passing(format!("the server answers {status}")))
            }
            status => {
                let hint = match status.as_u16() {
                    401 | 403 => "the server wants to know who asks; download it with a browser",
                    404 | 410 => {
                        "the file is not there any more; look for its new address and change the \
                         manifest"
                    }
                    _ => "open the address in a browser to see what is wrong",
                };
                Err(Trouble::Lasting(
                    self.problem(format!("the server answers {status}"))
                        .note(format!("its address is {}", self.file.address))
                        .hint(hint),
                ))
            }
        }
    }

    /// The next answer; none when the transfer is over.
    fn next(&self, answers: &Receiver<Answer>) -> Result<Option<Answer>, Trouble> {
        loop {
            match answers.recv_timeout(POLL) {
                Ok(answer) => return Ok(Some(answer)),
                Err(RecvTimeoutError::Disconnected) => return Ok(None),
                Err(RecvTimeoutError::Timeout) => {}
            }
            if process::interrupted() {
                return Err(Trouble::Lasting(interrupted(&self.part())));
            }
        }
    }

    /// Sets the partial file aside, which cannot be the beginning of the whole one.
    fn restart(&self, why: String, sink: Sink<'_>) -> Trouble {
        let part = self.part();
        match set_aside(&part) {
            Ok(aside) => {
                sink(Step::Said(format!("what was here is now {}", aside.display())));
                self.passing(why)
            }
            Err(error) => Trouble::Lasting(cannot("rename", &part, &error)),
        }
    }

    fn no_answer(&self, error: &ureq::Error, lost: &str) -> Trouble {
        use ureq::Error;
        let seconds = self.terms.silence.as_secs_f64();
        match error {
            Error::Timeout(_) => self.passing(format!("nothing came for {seconds} s")),
            Error::HostNotFound | Error::ConnectionFailed => {
                self.passing(format!("{lost}: {error}"))
            }
            Error::Io(error) if error.kind() == io::ErrorKind::TimedOut => {
                self.passing(format!("nothing came for {seconds} s"))
            }
            Error::Io(error) => self.passing(format!("{lost}: {error}")),
            Error::TooManyRedirects => Trouble::Lasting(
                self.problem(format!("the server redirects more than {MOST_REDIRECTS} times"))
                    .note(format!("its address is {}", self.file.address))
                    .hint("open the address in a browser to see where it leads"),
            ),
            // A broken message, such as a head that ends too soon.
            Error::Protocol(_) => self.passing(format!("the server cannot be understood: {error}")),
            error => Trouble::Lasting(self.problem(error.to_string())),
        }
    }

    fn verify(&self, part: &Path, sink: Sink<'_>) -> Result<(), Diagnostic> {
        let Some(wanted) = &self.file.checksum else { return Ok(()) };
        let name = &self.file.name;
        let found = checksum(part, name, wanted, sink)?;
        if found == wanted.hex {
            return Ok(());
        }
        let aside = set_aside(part).map_err(|error| cannot("rename", part, &error))?;
        Err(Diagnostic::global(
            "fetch-corrupt",
            format!("{name} is not the published file: its checksum is {found}"),
        )
        .note(format!("the manifest says {wanted}"))
        .note(format!("what was downloaded is now {}", aside.display()))
        .hint("run the command again; if it happens again, the file at this address has changed"))
    }

    fn passing(&self, words: String) -> Trouble {
        Trouble::Passing(self.problem(words))
    }

    fn problem(&self, words: String) -> Diagnostic {
        Diagnostic::global("fetch-failed", format!("cannot download {}: {words}", self.file.name))
            .hint("what is there is kept: the same command goes on from it")
    }
}

/// Length of the whole file, as a server tells it.
#[derive(Clone, Copy)]
enum Length {
    Known(u64),
    Unknown,
}

/// Computes a file's checksum and tells how far it is.
fn checksum(
    path: &Path,
    name: &str,
    wanted: &Checksum,
    sink: Sink<'_>,
) -> Result<String, Diagnostic> {
    let mut sum = Sum::new(wanted.algorithm);
    let total = fs::metadata(path).map_or(0, |metadata| metadata.len());
    let mut done = 0;
    let read = each_block(path, |block| {
        sum.update(block);
        done += block.len() as u64;
        sink(Step::Working { what: "verifying", file: name, done, total });
        match process::interrupted() {
            true => Err(io::Error::other("interrupted")),
            false => Ok(()),
        }
    });
    match read {
        Ok(()) => Ok(sum.finish()),
        Err(_) if process::interrupted() => Err(interrupted(path)),
        Err(error) => Err(cannot("read", path, &error)),
    }
}

/// Waits, unless the person asks to stop.
fn wait(pause: Duration) -> Result<(), ()> {
    let until = Instant::now() + pause;
    while Instant::now() < until {
        if process::interrupted() {
            return Err(());
        }
        thread::sleep(POLL.min(until.saturating_duration_since(Instant::now())));
    }
    if process::interrupted() { Err(()) } else { Ok(()) }
}

fn length(file: &File) -> u64 {
    file.metadata().map_or(0, |metadata| metadata.len())
}

/// Sees whether the disk has room for so many bytes more.
fn check_room(folder: &Path, needed: u64) -> Result<(), Diagnostic> {
    match free_space(folder) {
        Some(free) if free < needed => Err(Diagnostic::global(
            "no-room",
            format!("{} more are needed here, and {} are free", bytes(needed), bytes(free)),
        )
        .note(format!("in {}", folder.display()))
        .hint("make room, or name a folder on another disk with `--data DIR`")),
        _ => Ok(()),
    }
}

#[cfg(unix)]
fn free_space(folder: &Path) -> Option<u64> {
    let found = rustix::fs::statvfs(folder).ok()?;
    Some(found.f_bavail.saturating_mul(found.f_frsize))
}

#[cfg(not(unix))]
fn free_space(_folder: &Path) -> Option<u64> {
    None
}

fn cannot(act: &str, path: &Path, error: &io::Error) -> Diagnostic {
    Diagnostic::global("data-folder", format!("cannot {act} {}: {error}", path.display()))
        .hint("is the disk full, or the folder read-only? `--data DIR` names another")
}

fn interrupted(path: &Path) -> Diagnostic {
    Diagnostic::global("interrupted", "the download was interrupted")
        .note(format!("what is here so far is kept: {}", path.display()))
        .hint("run the command again; it goes on where it was")
}

#[cfg(test)]
mod tests;
