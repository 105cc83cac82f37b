//! The state of a running chapter: which cell runs and what it has published.
//!
//! In: the run plan. Out: events and one output file per cell. Left out: panics of the author,
//! which `runtime` turns into failures. Functions here return what went wrong instead of
//! panicking, so that the lock is never held during a panic.

use std::collections::BTreeSet;
use std::fs::{File, OpenOptions};
use std::io::Write;
use std::path::Path;
use std::sync::atomic::{AtomicU64, Ordering};
use std::sync::{Mutex, PoisonError};
use std::time::Instant;

use veracity_protocol::{
    Artifact, CellOutput, EVENTS_FILE, Event, PLAN_VARIABLE, Published, RunPlan, VERSION, boundary,
    output_file,
};

static CONTEXT: Mutex<Option<Context>> = Mutex::new(None);

#[cfg(test)]
thread_local! {
    static OF_THIS_TEST: std::cell::RefCell<Option<Context>> =
        const { std::cell::RefCell::new(None) };
}

/// State of the chapter's program.
pub(crate) struct Context {
    pub(crate) plan: RunPlan,
    events: File,
    cell: Option<usize>,
    started: Instant,
    output: CellOutput,
    /// Names that the running cell has published.
    names: BTreeSet<String>,
}

/// Where a published value lies, so that it can be amended.
#[derive(Clone, Copy, Debug)]
pub(crate) struct Place {
    cell: usize,
    index: usize,
}

/// Runs `act` on the state of the program.
#[track_caller]
pub(crate) fn with<T>(act: impl FnOnce(&mut Context) -> T) -> T {
    match try_with(act) {
        Some(result) => result,
        None => panic!("no report is being built: cells are run by veracity"),
    }
}

/// Runs `act` on the state of the program, if there is one.
pub(crate) fn try_with<T>(act: impl FnOnce(&mut Context) -> T) -> Option<T> {
    #[cfg(test)]
    if OF_THIS_TEST.with_borrow(Option::is_some) {
        return OF_THIS_TEST.with_borrow_mut(|context| context.as_mut().map(act));
    }
    CONTEXT.lock().unwrap_or_else(PoisonError::into_inner).as_mut().map(act)
}

/// Reads the plan that the environment names and makes it the state of the program.
pub(crate) fn load() -> Result<(), String> {
    let path = std::env::var_os(PLAN_VARIABLE)
        .ok_or_else(|| format!("this program is run by veracity ({PLAN_VARIABLE} is not set)"))?;
    load_plan(Path::new(&path))
}

/// Reads the plan at `path` and makes it the state of the program.
pub(crate) fn load_plan(path: &Path) -> Result<(), String> {
    let unreadable = |error: &dyn std::fmt::Display| format!("{}: {error}", path.display());
    let text = std::fs::read_to_string(path).map_err(|error| unreadable(&error))?;
    let plan: serde_json::Value =
        serde_json::from_str(&text).map_err(|error| unreadable(&error))?;
    if plan["version"] != VERSION {
        return Err(format!(
            "{}: the plan has version {}, this program needs version {VERSION}",
            path.display(),
            plan["version"]
        ));
    }
    let plan = serde_json::from_value(plan).map_err(|error| unreadable(&error))?;
    let context = Context::new(plan)?;
    *CONTEXT.lock().unwrap_or_else(PoisonError::into_inner) = Some(context);
    Ok(())
}

/// Ends the program because the report builder cannot be reached any more.
pub(crate) fn fatal(message: &str) -> ! {
    eprintln!("veracity: {message}");
    std::process::exit(2)
}

impl Context {
    fn new(plan: RunPlan) -> Result<Self, String> {
        let path = plan.outbox.join(EVENTS_FILE);
        let events = OpenOptions::new()
            .append(true)
            .create(true)
            .open(&path)
            .map_err(|error| format!("{}: {error}", path.display()))?;
        Ok(Self {
            plan,
            events,
            cell: None,
            started: Instant::now(),
            output: CellOutput::default(),
            names: BTreeSet::new(),
        })
    }

    /// Index of the running cell.
    pub(crate) fn cell(&self) -> Option<usize> {
        self.cell
    }

    /// Ends the running cell, if any, and begins `next` unless that is past the last.
    pub(crate) fn turn_to(&mut self, next: usize) -> Result<(), String> {
        let ended = self.cell.take().map(|cell| (cell, self.started.elapsed()));
        if let Some((cell, _)) = ended {
            let output = std::mem::take(&mut self.output);
            self.names.clear();
            let text = serde_json::to_string(&output)
                .map_err(|error| format!("the cell's output cannot be written: {error}"))?;
            write_atomically(&self.plan.outbox.join(output_file(cell)), text.as_bytes())?;
        }
        print_boundary(&boundary(&self.plan.nonce, next));
        if let Some((cell, duration)) = ended {
            let duration_ms = u64::try_from(duration.as_millis()).unwrap_or(u64::MAX);
            self.emit(&Event::Finished { cell, duration_ms })?;
        }
        if next < self.plan.cells.len() {
            self.cell = Some(next);
            self.emit(&Event::Started { cell: next })?;
            self.started = Instant::now();
        }
        Ok(())
    }

    /// Ends the running cell without an output.
    #[cfg(feature = "live")]
    pub(crate) fn abandon(&mut self) {
        self.cell = None;
        self.output = CellOutput::default();
    }

    /// Appends an event, in one write.
    pub(crate) fn emit(&mut self, event: &Event) -> Result<(), String> {
        let mut line = serde_json::to_vec(event).map_err(|error| error.to_string())?;
        line.push(b'\n');
        self.events.write_all(&line).map_err(|error| format!("cannot report an event: {error}"))
    }

    /// Publishes a value under a name that is still free.
    pub(crate) fn publish(&mut self, value: Published) -> Result<Place, String> {
        let cell = self.take_name(&value.name)?;
        self.output.values.push(value);
        Ok(Place { cell, index: self.output.values.len() - 1 })
    }

    /// Changes a value that the running cell has published.
    pub(crate) fn amend(
        &mut self,
        place: Place,
        change: impl FnOnce(&mut Published),
    ) -> Result<(), String> {
        match self.output.values.get_mut(place.index) {
            Some(value) if self.cell == Some(place.cell) => {
                change(value);
                Ok(())
            }
            _ => Err("a value can only be amended in the cell that published it".into()),
        }
    }

    /// Adds an artifact to the running cell's output.
    pub(crate) fn push(&mut self, artifact: Artifact) -> Result<(), String> {
        match &artifact {
            Artifact::Check(check) => {
                self.take_name(&check.name)?;
            }
            _ if self.cell.is_none() => return Err(NO_CELL.into()),
            _ => {}
        }
        self.output.artifacts.push(artifact);
        Ok(())
    }

    fn take_name(&mut self, name: &str) -> Result<usize, String> {
        let cell = self.cell.ok_or(NO_CELL)?;
        if !is_name(name) {
            return Err(format!(
                "{name:?} cannot be claimed: a name begins with a letter and has only lower-case \
                 letters, digits, `-`, `_` and `.`"
            ));
        }
        if !self.names.insert(name.to_owned()) {
            return Err(format!("\"{name}\" was published before, by this cell"));
        }
        Ok(cell)
    }
}

const NO_CELL: &str = "no cell is running";

/// Replaces a file, or what stands in its place, in one step and makes its folder if there is none.
pub(crate) fn write_atomically(path: &Path, bytes: &[u8]) -> Result<(), String> {
    static WRITES: AtomicU64 = AtomicU64::new(0);
    let number = WRITES.fetch_add(1, Ordering::Relaxed);
    let beside = path.with_extension(format!("{}-{number}.part", std::process::id()));
    path.parent()
        .map_or(Ok(()), std::fs::create_dir_all)
        .and_then(|()| std::fs::write(&beside, bytes))
        .and_then(|()| {
            if path.is_dir() {
                std::fs::remove_dir_all(path)?;
            }
            std::fs::rename(&beside, path)
        })
        .map_err(|error| format!("cannot write {}: {error}", path.display()))
}

fn is_name(name: &str) -> bool {
    name.starts_with(|first: char| first.is_ascii_lowercase())
        && name.chars().all(|c| c.is_ascii_lowercase() || c.is_ascii_digit() || "-_.".contains(c))
}

/// Prints the line on both streams. A stream that the author closed has no output to cut.
fn print_boundary(line: &str) {
    let mut out = std::io::stdout().lock();
    let _ = writeln!(out, "{line}").and_then(|()| out.flush());
    let mut err = std::io::stderr().lock();
    let _ = writeln!(err, "{line}").and_then(|()| err.flush());
}

/// A chapter of one running cell, for unit tests of this crate.
#[cfg(test)]
pub(crate) mod testing {
    use super::*;
    use veracity_protocol::{DataKind, DataSource, Equation, PlannedCell};

    /// Keeps the state of the calling test alive.
    pub(crate) struct Chapter {
        pub(crate) folder: tempfile::TempDir,
    }

    impl Chapter {
        pub(crate) fn new() -> Self {
            Self::with_equations([])
        }

        pub(crate) fn with_equations(equations: impl IntoIterator<Item = Equation>) -> Self {
            let folder = tempfile::tempdir().expect("a temporary folder can be made");
            let cell = |id: &str| PlannedCell {
                id: id.into(),
                key: format!("key-of-{id}"),
                data: vec!["at-hand".into(), "absent".into()],
            };
            let at_hand = DataSource {
                folder: folder.path().join("at-hand"),
                kind: DataKind::Subset,
                digest: "d1".into(),
            };
            let plan = RunPlan {
                version: VERSION,
                chapter: "test".into(),
                profile: "quick".into(),
                device: "cpu".into(),
                seed: 1,
                nonce: "nonce".into(),
                outbox: folder.path().into(),
                memo: folder.path().into(),
                data: folder.path().into(),
                datasets: [("at-hand", at_hand.clone()), ("undeclared", at_hand)]
                    .map(|(name, source)| (name.to_owned(), source))
                    .into(),
                cells: vec![cell("first"), cell("second")],
                equations: equations.into_iter().map(|e| (e.label.clone(), e)).collect(),
                jobs: 1,
                job: None,
                cluster: None,
                worker: None,
            };
            let mut context = Context::new(plan).expect("the folder can be written");
            context.cell = Some(0);
            OF_THIS_TEST.set(Some(context));
            Self { folder }
        }

        /// Ends the first cell and gives what it published.
        pub(crate) fn output(&self) -> CellOutput {
            with(|context| std::mem::take(&mut context.output))
        }

        pub(crate) fn events(&self) -> Vec<Event> {
            let text = std::fs::read_to_string(self.folder.path().join(EVENTS_FILE)).unwrap();
            text.lines().map(|line| serde_json::from_str(line).unwrap()).collect()
        }
    }

    impl Drop for Chapter {
        fn drop(&mut self) {
            OF_THIS_TEST.set(None);
        }
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn names_are_restricted_to_what_a_claim_can_say() {
        for good in ["m", "cnn-params", "cnn.test_acc", "a1"] {
            assert!(is_name(good), "{good}");
        }
        for bad in ["", "M", "1a", "-a", "a b", "é", "a/b", "a:b"] {
            assert!(!is_name(bad), "{bad}");
        }
    }

    #[test]
    fn without_a_plan_the_message_says_who_runs_cells() {
        let panic = std::panic::catch_unwind(|| crate::value("x", 1)).unwrap_err();
        let message = panic.downcast_ref::<&str>().expect("a plain message");
        assert!(message.contains("run by veracity"), "{message}");
    }
}
