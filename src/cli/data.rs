//! `veracity data`: lists, downloads and verifies data sets.

use std::fmt::Write as _;
use std::io::IsTerminal;
use std::path::{Path, PathBuf};
use std::time::{Duration, Instant};

use clap::{Args, Subcommand};
use indicatif::{HumanDuration, ProgressBar, ProgressStyle};
use veracity_protocol::DataKind;

use super::{Session, Verbosity, WRONG};
use crate::config::{Entry, Manifest};
use crate::data::fetch::{self, Step, Terms};
use crate::data::{self, Digests, Found, bytes, kind_word};
use crate::diag::{Diagnostic, Severity, printable};
use crate::kernel::workspace::Network;
use crate::pipeline;
use crate::world::DiskWorld;

/// How often a line tells of progress where there is no terminal.
const LINE_EVERY: Duration = Duration::from_secs(10);

const NO_DATA: &str = "this report names no data sets in data/manifest.yaml";

#[derive(Debug, Subcommand)]
pub(super) enum DataCommand {
    /// Tell which data sets there are, and which of them are at hand
    List {
        #[command(flatten)]
        place: Place,
    },
    /// Download data sets; what is there already is not downloaded again
    Fetch {
        /// Names in the manifest
        #[arg(required = true)]
        names: Vec<String>,
        /// Use no network; only verify and unpack what is there
        #[arg(long)]
        offline: bool,
        /// Longest time without a byte, in seconds
        #[arg(long, hide = true, value_name = "SECONDS", value_parser = seconds)]
        read_timeout: Option<Duration>,
        #[command(flatten)]
        place: Place,
    },
    /// Read data sets from the first byte to the last and compare them with the manifest
    Verify {
        /// Names in the manifest [default: all that are at hand]
        names: Vec<String>,
        #[command(flatten)]
        place: Place,
    },
}

#[derive(Debug, Args)]
pub(super) struct Place {
    /// Folder with data sets [default: `data` in the report's folder]
    #[arg(long, value_name = "DIR", env = "VERACITY_DATA")]
    data: Option<PathBuf>,

    /// Folder for stored results [default: `build` in the report's folder]
    #[arg(long, value_name = "DIR")]
    out: Option<PathBuf>,
}

fn seconds(text: &str) -> Result<Duration, String> {
    let seconds: f64 = text.parse().map_err(|_| "not a number".to_owned())?;
    Duration::try_from_secs_f64(seconds).map_err(|error| error.to_string())
}

pub(super) fn run(
    session: &Session,
    root: &Path,
    command: &DataCommand,
) -> Result<u8, Vec<Diagnostic>> {
    let mut diagnostics = Vec::new();
    let manifest = pipeline::read_manifest(&DiskWorld::new(root), &mut diagnostics);
    let has_error = diagnostics.iter().any(|found| found.severity == Severity::Error);
    session.problems(&diagnostics);
    let status = match command {
        DataCommand::List { place } => list(session, root, &manifest, place)?,
        DataCommand::Fetch { names, offline, read_timeout, place } => {
            let usual = Terms::default();
            let terms = Terms {
                network: if *offline { Network::Forbidden } else { Network::Allowed },
                silence: read_timeout.unwrap_or(usual.silence),
                ..usual
            };
            fetch_all(session, root, &manifest, names, terms, place)?
        }
        DataCommand::Verify { names, place } => verify(session, root, &manifest, names, place)?,
    };
    Ok(if has_error { status.max(WRONG) } else { status })
}

impl Place {
    fn data(&self, root: &Path) -> PathBuf {
        self.data.as_deref().map_or_else(
            || root.join("data"),
            |data| std::path::absolute(data).unwrap_or_else(|_| data.to_owned()),
        )
    }

    /// File of the digests that builds have computed.
    fn kept(&self, root: &Path) -> PathBuf {
        let out = self.out.clone().unwrap_or_else(|| root.join("build"));
        out.join("cache").join("data.json")
    }
}

fn list(
    session: &Session,
    root: &Path,
    manifest: &Manifest,
    place: &Place,
) -> Result<u8, Vec<Diagnostic>> {
    let folder = place.data(root);
    let mut digests = Digests::open(&place.kept(root));
    let mut words = String::new();
    if manifest.datasets.is_empty() {
        let _ = writeln!(words, "{NO_DATA}");
    }
    for (name, entry) in &manifest.datasets {
        let found = look(&folder, name, entry, &mut digests)?;
        let _ = writeln!(words, "\x1b[1m{name}\x1b[0m  {}", printable(&entry.title));
        let _ = writeln!(words, "  here     {}", here(found.as_ref()));
        if let Some(found) = &found {
            let _ = writeln!(words, "  folder   {}", found.set.folder.display());
            let _ = writeln!(words, "  digest   {}", found.set.digest);
        }
        let sizes: Option<Vec<u64>> = entry.files.iter().map(|file| file.size).collect();
        let size = sizes.map_or_else(|| "not stated".to_owned(), |all| bytes(all.iter().sum()));
        let _ = writeln!(words, "  download {size}");
        let _ = writeln!(words, "  licence  {}", printable(&entry.licence));
        let _ = writeln!(words, "  cite     {}", printable(&entry.citation));
    }
    digests.save();
    session.print(&words);
    Ok(0)
}

/// What of a data set is at hand, in words.
fn here(found: Option<&Found>) -> String {
    let Some(found) = found else { return "nothing".to_owned() };
    let count = match found.files {
        1 => "1 file".to_owned(),
        files => format!("{files} files"),
    };
    let words = format!("{}, {count}, {}", kind_word(found.set.kind), bytes(found.bytes));
    if found.because.is_empty() { words } else { format!("{words}: {}", found.because) }
}

fn look(
    folder: &Path,
    name: &str,
    entry: &Entry,
    digests: &mut Digests,
) -> Result<Option<Found>, Vec<Diagnostic>> {
    data::find(folder, name, Some(entry), digests).map_err(|error| {
        let message = format!("the data set `{name}` cannot be read: {error}");
        vec![Diagnostic::global("unreadable-data", message).hint(data::UNREADABLE)]
    })
}

/// The entries with these names.
fn named<'a>(
    manifest: &'a Manifest,
    names: &'a [String],
) -> Result<Vec<(&'a str, &'a Entry)>, Vec<Diagnostic>> {
    let known = || manifest.datasets.keys().map(String::as_str);
    names
        .iter()
        .map(|name| {
            manifest.datasets.get(name).map(|entry| (name.as_str(), entry)).ok_or_else(|| {
                let message = format!("the manifest has no data set `{name}`");
                let problem = Diagnostic::global("unknown-dataset", message);
                if manifest.datasets.is_empty() {
                    return vec![problem.note(NO_DATA)];
                }
                let note = format!("its data sets: {}", known().collect::<Vec<_>>().join(", "));
                vec![problem.note(note).did_you_mean(name, known())]
            })
        })
        .collect()
}

fn fetch_all(
    session: &Session,
    root: &Path,
    manifest: &Manifest,
    names: &[String],
    terms: Terms,
    place: &Place,
) -> Result<u8, Vec<Diagnostic>> {
    let folder = place.data(root);
    for (name, entry) in named(manifest, names)? {
        let mut digests = Digests::open(&place.kept(root));
        let mut view = View::new(session);
        let fetched = fetch::fetch(name, entry, &folder, terms, &mut digests, &mut |step| {
            view.show(step);
        });
        view.finish();
        fetched.map_err(|problem| vec![problem])?;
        let found = look(&folder, name, entry, &mut digests)?;
        digests.save();
        session.say(&format!("{name}: {}\n", here(found.as_ref())));
        if let Some(found) = found {
            session.say(&format!("  {}\n", super::relative(&found.set.folder).display()));
        }
        session.say(&format!("  licence: {}\n", printable(&entry.licence)));
    }
    Ok(0)
}

fn verify(
    session: &Session,
    root: &Path,
    manifest: &Manifest,
    names: &[String],
    place: &Place,
) -> Result<u8, Vec<Diagnostic>> {
    let folder = place.data(root);
    let all: Vec<(&str, &Entry)> = match names {
        [] => manifest.datasets.iter().map(|(name, entry)| (name.as_str(), entry)).collect(),
        names => named(manifest, names)?,
    };
    if all.is_empty() {
        session.say(&format!("{NO_DATA}\n"));
    }
    let mut status = 0;
    // What is found here counts for the next build too.
    let mut digests = Digests::anew(&place.kept(root));
    for (name, entry) in all {
        let found = look(&folder, name, entry, &mut digests)?;
        let is_right = match &found {
            Some(found) => found.set.kind == DataKind::Real,
            None => names.is_empty(),
        };
        if !is_right {
            status = WRONG;
        }
        session.print(&format!("{name}: {}\n", here(found.as_ref())));
    }
    digests.save();
    Ok(status)
}

fn bar() -> ProgressBar {
    let template = "{prefix} [{bar:24}] {decimal_bytes}/{decimal_total_bytes} \
                    {decimal_bytes_per_sec}, {eta} left";
    let style = ProgressStyle::with_template(template).expect("the template is ours");
    ProgressBar::new(0).with_style(style)
}

/// Shows a download: a bar in a terminal, a line now and then elsewhere.
struct View {
    /// In a terminal, once there is progress to show.
    bar: Option<ProgressBar>,
    is_terminal: bool,
    is_silent: bool,
    task: String,
    began: Instant,
    first: u64,
    told: Option<Instant>,
}

impl View {
    fn new(session: &Session) -> Self {
        let is_silent = session.verbosity == Verbosity::Quiet;
        let began = Instant::now();
        let is_terminal = std::io::stderr().is_terminal();
        Self { bar: None, is_terminal, is_silent, task: String::new(), began, first: 0, told: None }
    }

    fn show(&mut self, step: Step<'_>) {
        match step {
            Step::Said(words) => self.say(&words),
            Step::Downloading { file, done, total } => self.advance(file.to_owned(), done, total),
            Step::Working { what, file, done, total } => {
                self.advance(format!("{what} {file}"), done, Some(total));
            }
        }
    }

    fn say(&self, words: &str) {
        let words = printable(words);
        match &self.bar {
            Some(bar) => bar.println(words),
            None if self.is_silent => {}
            None => eprintln!("{words}"),
        }
    }

    fn advance(&mut self, task: String, done: u64, total: Option<u64>) {
        let is_new = task != self.task;
        if is_new {
            (self.task, self.began, self.first, self.told) = (task, Instant::now(), done, None);
            if self.bar.is_none() && self.is_terminal && !self.is_silent {
                self.bar = Some(bar());
            }
            if let Some(bar) = &self.bar {
                bar.set_prefix(printable(&self.task));
                bar.reset();
            }
        }
        if let Some(bar) = &self.bar {
            match total {
                Some(total) => bar.set_length(total),
                None => bar.unset_length(),
            }
            bar.set_position(done);
            if is_new {
                // What was here before says nothing of the rate.
                bar.reset_eta();
            }
            return;
        }
        // What is over in a moment needs no line.
        let is_over = total == Some(done) && self.began.elapsed() >= Duration::from_secs(1);
        let is_due = match self.told {
            None => total != Some(done),
            Some(told) => told.elapsed() >= LINE_EVERY,
        };
        if !self.is_silent && (is_due || is_over) {
            self.told = Some(Instant::now());
            eprintln!("{}", printable(&self.line(done, total)));
        }
    }

    /// Progress as a line.
    fn line(&self, done: u64, total: Option<u64>) -> String {
        let mut words = match total {
            Some(total) => format!("{}: {} of {}", self.task, bytes(done), bytes(total)),
            None => format!("{}: {}", self.task, bytes(done)),
        };
        let seconds = self.began.elapsed().as_secs_f64();
        let rate = (done - self.first.min(done)) as f64 / seconds.max(1e-9);
        if done > self.first && seconds > 0.0 {
            words.push_str(&format!(", {}/s", bytes(rate as u64)));
            if let Some(left) = total.map(|total| total.saturating_sub(done)).filter(|&l| l > 0)
                && rate > 0.0
            {
                let left = Duration::try_from_secs_f64(left as f64 / rate).unwrap_or_default();
                words.push_str(&format!(", {} left", HumanDuration(left)));
            }
        }
        words
    }

    fn finish(&self) {
        if let Some(bar) = &self.bar {
            bar.finish_and_clear();
        }
    }
}
