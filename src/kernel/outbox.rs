//! What a running program leaves for the builder, and what is told of a cell that failed.
//!
//! In: an outbox, streams, and how a program ended. Out: events, outputs, text per cell, and
//! diagnostics that point into the chapter. Left out: starting programs, which is each kernel's.

use std::fs;
use std::io::{self, BufRead, BufReader, Read, Seek};
use std::path::{Path, PathBuf};
use std::process::ExitStatus;
use std::sync::{Arc, Mutex};
use std::thread;
use std::time::{Duration, Instant};

use veracity_protocol::{self as protocol, DataSource, FailureKind, PlannedCell, RunPlan};

use super::compile::Maps;
use super::streams::{self, Parts};
use crate::data::DataSet;
use crate::diag::Diagnostic;
use crate::plan::{CellPlan, ChapterPlan};
use crate::span::Span;

/// What a run begins with.
pub(super) struct Start<'a> {
    pub(super) chapter: &'a ChapterPlan,
    /// Indices of the cells that run, in order.
    pub(super) cells: &'a [usize],
    /// Folder whose name nobody can guess.
    pub(super) outbox: &'a Path,
    pub(super) memo: PathBuf,
    pub(super) data: &'a Path,
    /// Most processes at a time into which a cell may divide its work.
    pub(super) jobs: usize,
    /// The cluster to which it gives its work instead.
    pub(super) cluster: Option<&'a protocol::Cluster>,
}

impl Start<'_> {
    /// The key under which a cell keeps results. One that builds on a measurement keeps them for
    /// this run alone, for the next measurement is another.
    fn memo_key(&self, cell: &CellPlan) -> String {
        let is_measured = |&at: &usize| self.chapter.cells[at].measured;
        match cell.needs.iter().any(is_measured) {
            true => {
                let run = self.outbox.file_name().unwrap_or_default();
                format!("{} in {}", cell.key, run.to_string_lossy())
            }
            false => cell.key.to_string(),
        }
    }

    /// The plan for the program. The outbox's name is the word that marks its output.
    pub(super) fn plan(self) -> RunPlan {
        let foundation = &self.chapter.foundation;
        let cells = || self.cells.iter().map(|&cell| &self.chapter.cells[cell]);
        let source = |name: &String| {
            let DataSet { folder, kind, digest } = foundation.datasets.get(name)?.clone();
            Some((name.clone(), DataSource { folder, kind, digest }))
        };
        let name = self.outbox.file_name().unwrap_or_default();
        RunPlan {
            version: protocol::VERSION,
            chapter: self.chapter.slug.clone(),
            profile: foundation.profile.clone(),
            device: foundation.device.clone(),
            seed: foundation.seed,
            nonce: name.to_string_lossy().into_owned(),
            outbox: self.outbox.to_owned(),
            memo: self.memo.clone(),
            data: self.data.to_owned(),
            datasets: cells().flat_map(|cell| &cell.data).filter_map(source).collect(),
            cells: cells()
                .map(|cell| PlannedCell {
                    id: cell.id.clone(),
                    key: self.memo_key(cell),
                    data: cell.data.clone(),
                })
                .collect(),
            equations: self.chapter.equations.clone(),
            jobs: self.jobs,
            job: None,
            cluster: self.cluster.cloned(),
            worker: None,
        }
    }
}

/// How often the event file of a running program is looked at.
pub(super) const POLL: Duration = Duration::from_millis(10);

/// How long the streams of a program that has ended may stay open.
pub(super) const PATIENCE: Duration = Duration::from_secs(2);

/// A thread that reads one stream of the program.
pub(super) struct Reader {
    thread: thread::JoinHandle<()>,
    parts: Arc<Mutex<Parts>>,
}

/// Starts to read a stream.
pub(super) fn reader(
    stream: Option<impl Read + Send + 'static>,
    nonce: String,
    cells: usize,
) -> Reader {
    let parts = Arc::new(Mutex::new(Parts::new(cells)));
    let filled = Arc::clone(&parts);
    let thread = thread::spawn(move || {
        if let Some(stream) = stream {
            // What was read before a stream broke is kept.
            let _ = streams::split(stream, &nonce, &filled);
        }
    });
    Reader { thread, parts }
}

impl Reader {
    /// What each cell printed. A process that left the program's group may hold the stream open
    /// for ever, so nobody waits for its end longer than this.
    pub(super) fn texts(self, patience: Instant) -> Vec<String> {
        while !self.thread.is_finished() && Instant::now() < patience {
            thread::sleep(POLL);
        }
        self.parts.lock().map(|parts| parts.texts()).unwrap_or_default()
    }
}

/// Reads what the cell at `position` published.
pub(super) fn read_output(outbox: &Path, position: usize) -> io::Result<protocol::CellOutput> {
    let bytes = fs::read(outbox.join(protocol::output_file(position)))?;
    Ok(serde_json::from_slice(&bytes)?)
}

/// Says how a program ended.
pub(super) fn describe(status: ExitStatus) -> String {
    #[cfg(unix)]
    if let Some(number) = std::os::unix::process::ExitStatusExt::signal(&status) {
        return signal(number);
    }
    match status.code() {
        Some(code) => format!("exit status {code}"),
        None => "no exit status".to_owned(),
    }
}

/// Says what a signal means.
#[cfg(unix)]
pub(super) fn signal(number: i32) -> String {
    let name = match number {
        4 => " (illegal instruction)",
        6 => " (abort)",
        8 => " (arithmetic fault)",
        9 => " (killed, perhaps for want of memory)",
        11 => " (segmentation fault)",
        24 => " (its processor time was used up)",
        25 => " (it wrote a longer file than it may)",
        _ => "",
    };
    format!("signal {number}{name}")
}

/// The event file of a running program, read as it grows.
pub(super) struct Events {
    file: BufReader<fs::File>,
    partial: String,
}

impl Events {
    /// Opens the event file at `path`.
    pub(super) fn open(path: &Path) -> io::Result<Self> {
        Ok(Self { file: BufReader::new(fs::File::open(path)?), partial: String::new() })
    }

    /// The events since the last call; a line that is not whole yet waits for the next.
    pub(super) fn read(&mut self) -> io::Result<Vec<protocol::Event>> {
        let mut events = Vec::new();
        // A reader that has met the end of a file must be told to look again.
        self.file.stream_position()?;
        while self.file.read_line(&mut self.partial)? > 0 {
            if !self.partial.ends_with('\n') {
                break;
            }
            // A line that is no event cannot be the program's own.
            events.extend(serde_json::from_str(&self.partial).ok());
            self.partial.clear();
        }
        Ok(events)
    }
}

/// A cell that ran longer than it may.
pub(super) fn timed_out(cell: &CellPlan) -> Diagnostic {
    let seconds = cell.timeout.as_secs_f64();
    Diagnostic::error(
        "cell-timeout",
        format!("this cell ran longer than its limit of {seconds} s and was ended"),
        cell.span.clone(),
    )
    .hint(
        "raise the limit with `//| timeout: 5m` in the cell, or do less under this profile; \
         a cell gets nothing on its standard input, so reading it waits for ever",
    )
}

/// A cell that wrote more than a confined program may.
pub(super) fn overfull(cell: &CellPlan) -> Diagnostic {
    Diagnostic::error(
        "cell-disk",
        "this cell wrote more than a confined program may and was ended",
        cell.span.clone(),
    )
    .hint("without `--sandbox` it may write as much as there is room")
}

/// A cell that ended its program as if all were well.
pub(super) fn left(cell: &CellPlan) -> Diagnostic {
    Diagnostic::error("cell-died", "the program ended before this cell did", cell.span.clone())
        .hint("`return` in a cell ends all cells of its chapter, and so does `std::process::exit`")
}

/// A cell that ended its program, with how.
pub(super) fn died(cell: &CellPlan, how: &str) -> Diagnostic {
    Diagnostic::error(
        "cell-died",
        format!("this cell ended the program: {how}"),
        cell.span.clone(),
    )
    .hint("an abort, a stack overflow, `std::process::exit` or too little memory ends a program without a panic")
}

/// What a cell itself said of its failure.
pub(super) fn reported(cell: Span, failure: &protocol::Failure, maps: &Maps) -> Diagnostic {
    let place = failure.location.as_ref().and_then(|location| {
        let at = (location.line as usize, location.column as usize);
        maps.get(&location.file)?.span(at, at)
    });
    let (code, what) = match failure.kind {
        FailureKind::Panic => ("cell-panic", "this cell panicked"),
        FailureKind::Error => ("cell-error", "this cell returned an error"),
        FailureKind::Sweep => ("cell-sweep", "a sweep of this cell failed"),
    };
    let outside = failure.location.as_ref().filter(|_| place.is_none());
    let mut diagnostic =
        Diagnostic::error(code, format!("{what}: {}", failure.message), place.unwrap_or(cell));
    if let Some(location) = outside {
        diagnostic =
            diagnostic.note(format!("at {}:{}:{}", location.file, location.line, location.column));
    }
    if failure.kind == FailureKind::Sweep {
        diagnostic =
            diagnostic.hint("what its jobs have computed is kept; only the rest runs again");
    }
    diagnostic
}
