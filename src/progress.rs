//! Shows in the terminal what a build is doing.
//!
//! In: [`BuildEvent`]s from any thread. Out: a line per running chapter on standard error if
//! that is a terminal, plain lines otherwise. Left out: results, which the command prints.

use std::borrow::Cow;
use std::collections::BTreeMap;
use std::io::{IsTerminal, Write};
use std::sync::Mutex;
use std::time::Duration;

use indicatif::{MultiProgress, ProgressBar, ProgressStyle};

use crate::diag::printable;
use crate::exec::ExecEvent;
use crate::kernel;
use crate::pipeline::BuildEvent;
use crate::plan::ChapterPlan;

/// A terminal's view of a build.
#[derive(Debug)]
pub struct Progress {
    view: View,
}

#[derive(Debug)]
enum View {
    Bars { all: MultiProgress, state: Mutex<Bars> },
    Lines,
    Silent,
}

#[derive(Debug, Default)]
struct Bars {
    /// The line of the build itself.
    build: Option<ProgressBar>,
    chapters: BTreeMap<String, ProgressBar>,
}

/// How much is shown.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub enum Verbosity {
    /// Work in progress and results.
    Normal,
    /// Problems only.
    Quiet,
}

impl Progress {
    /// A view on standard error.
    pub fn new(verbosity: Verbosity) -> Self {
        let view = match verbosity {
            Verbosity::Quiet => View::Silent,
            Verbosity::Normal if std::io::stderr().is_terminal() => {
                View::Bars { all: MultiProgress::new(), state: Mutex::default() }
            }
            Verbosity::Normal => View::Lines,
        };
        Self { view }
    }

    /// Shows an event.
    pub fn show(&self, event: BuildEvent<'_>) {
        match &self.view {
            View::Silent => {}
            View::Lines => {
                if let Some(line) = line(&event) {
                    // Without a place to show progress the build goes on.
                    let _ = writeln!(anstream::stderr(), "{line}");
                }
            }
            View::Bars { all, state } => {
                if let Ok(mut bars) = state.lock() {
                    bars.show(all, event);
                }
            }
        }
    }

    /// Shows a step that is no build's.
    pub fn step(&self, words: &str) {
        let words = printable(words);
        match &self.view {
            View::Silent => {}
            View::Lines => {
                // As for an event.
                let _ = writeln!(anstream::stderr(), "{words}");
            }
            View::Bars { all, state } => {
                if let Ok(mut bars) = state.lock() {
                    bars.say(all, words);
                }
            }
        }
    }

    /// Takes the view away, so that results can be printed.
    pub fn finish(&self) {
        if let View::Bars { all, state } = &self.view {
            // A line that still ticks would draw itself again.
            if let Ok(mut bars) = state.lock() {
                let Bars { build, chapters } = std::mem::take(&mut *bars);
                build
                    .into_iter()
                    .chain(chapters.into_values())
                    .for_each(|bar| bar.finish_and_clear());
            }
            // A terminal that cannot be cleared shows a line too many.
            let _ = all.clear();
        }
    }
}

impl Bars {
    fn show(&mut self, all: &MultiProgress, event: BuildEvent<'_>) {
        match event {
            BuildEvent::Waiting => self.say(all, "another build is running here; waiting for it"),
            BuildEvent::Preparing => self.say(all, "preparing"),
            BuildEvent::Rendering => self.say(all, "rendering"),
            BuildEvent::Exec(ExecEvent::Replayed { .. }) => {}
            BuildEvent::Exec(ExecEvent::Running { chapter, cells }) => {
                let bar = all.add(ProgressBar::new(cells as u64));
                bar.set_style(style(match cells {
                    // Only what cells stand on is made ready.
                    0 => "{spinner} {prefix}: opening {elapsed} {msg}",
                    _ => "{spinner} {prefix} [{bar:24}] {pos}/{len} cells {elapsed} {msg}",
                }));
                bar.set_prefix(chapter.slug.clone());
                bar.enable_steady_tick(Duration::from_millis(120));
                self.chapters.insert(chapter.slug.clone(), bar);
            }
            BuildEvent::Exec(ExecEvent::Kernel { chapter, event }) => {
                if let Some(bar) = self.chapters.get(&chapter.slug) {
                    match &event {
                        kernel::Event::Ended { .. } => bar.inc(1),
                        event => {
                            if let Some(words) = words(chapter, event) {
                                bar.set_message(words);
                            }
                        }
                    }
                }
            }
            BuildEvent::Exec(ExecEvent::Ran { chapter }) => {
                if let Some(bar) = self.chapters.remove(&chapter.slug) {
                    bar.finish_and_clear();
                }
            }
        }
    }

    fn say(&mut self, all: &MultiProgress, words: impl Into<Cow<'static, str>>) {
        let bar = self.build.get_or_insert_with(|| {
            let bar = all.insert(0, ProgressBar::new_spinner());
            bar.set_style(style("{spinner} {msg}"));
            bar.enable_steady_tick(Duration::from_millis(120));
            bar
        });
        bar.set_message(words);
    }
}

fn style(template: &str) -> ProgressStyle {
    ProgressStyle::with_template(template).expect("the template is ours")
}

/// An event in words that cannot drive the terminal: a cell names its own work.
pub(crate) fn words(chapter: &ChapterPlan, event: &kernel::Event) -> Option<String> {
    let name = |cell: &usize| &chapter.cells[*cell].id;
    let words = match event {
        kernel::Event::Building(what) => what.clone(),
        kernel::Event::Started { cell } => format!("running {}", name(cell)),
        kernel::Event::Progress { task, done, total, note, metrics, .. } => {
            let count = total.map_or_else(|| done.to_string(), |total| format!("{done}/{total}"));
            let metrics: String =
                metrics.iter().map(|(name, value)| format!(" {name} {value:.4}")).collect();
            format!("{task} {count}{metrics} {note}").trim_end().to_owned()
        }
        kernel::Event::Ended { .. } | kernel::Event::Warning(_) => return None,
    };
    Some(printable(&words))
}

/// An event as a line for a log; progress inside a cell would flood it.
fn line(event: &BuildEvent<'_>) -> Option<String> {
    match event {
        BuildEvent::Waiting => Some("another build is running here; waiting for it".to_owned()),
        BuildEvent::Exec(ExecEvent::Running { chapter, cells: 0 }) => {
            Some(format!("{}: opening", chapter.slug))
        }
        BuildEvent::Exec(ExecEvent::Running { chapter, cells }) => {
            Some(format!("{}: building and running {cells} cells", chapter.slug))
        }
        BuildEvent::Exec(ExecEvent::Kernel { chapter, event }) => match event {
            kernel::Event::Building(_) | kernel::Event::Started { .. } => {
                Some(format!("{}: {}", chapter.slug, words(chapter, event)?))
            }
            _ => None,
        },
        BuildEvent::Exec(ExecEvent::Replayed { .. } | ExecEvent::Ran { .. })
        | BuildEvent::Preparing
        | BuildEvent::Rendering => None,
    }
}
