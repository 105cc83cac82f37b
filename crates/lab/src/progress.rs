//! Progress of long work.
//!
//! In: units done. Out: at most about ten events a second, and always the last. Without a
//! report builder, as in a unit test of a chapter's module, nothing happens.

use std::collections::BTreeMap;
use std::sync::{Mutex, PoisonError};
use std::time::{Duration, Instant};

use veracity_protocol::{Event, Float};

use crate::context;

const PAUSE: Duration = Duration::from_millis(100);

/// Starts to report progress of a task, of so many units or of `None` if that is unknown.
pub fn progress(task: &str, total: impl Into<Option<u64>>) -> Progress {
    let progress = Progress {
        task: task.to_owned(),
        total: total.into(),
        state: Mutex::new(State {
            done: 0,
            note: String::new(),
            metrics: BTreeMap::new(),
            sent: None,
            pending: true,
        }),
    };
    progress.update(|_| {});
    progress
}

/// Reports the progress of a task, from [`progress`]; threads may share it.
#[derive(Debug)]
pub struct Progress {
    task: String,
    total: Option<u64>,
    state: Mutex<State>,
}

#[derive(Debug)]
struct State {
    done: u64,
    note: String,
    metrics: BTreeMap<String, Float>,
    sent: Option<Instant>,
    pending: bool,
}

impl Progress {
    /// Says how many units are done.
    pub fn at(&self, done: u64) {
        self.update(|state| state.done = done);
    }

    /// Says that one more unit is done.
    pub fn step(&self) {
        self.update(|state| state.done += 1);
    }

    /// Says a number to follow, such as the present loss, which `veracity serve` draws as a curve
    /// over the units done.
    pub fn metric(&self, name: &str, value: impl Into<f64>) {
        let value = Float(value.into());
        self.update(|state| {
            state.metrics.insert(name.to_owned(), value);
        });
    }

    /// Says further words.
    pub fn note(&self, note: impl Into<String>) {
        self.update(|state| state.note = note.into());
    }

    fn update(&self, change: impl FnOnce(&mut State)) {
        let mut state = self.state.lock().unwrap_or_else(PoisonError::into_inner);
        change(&mut state);
        state.pending = true;
        if state.sent.is_none_or(|sent| sent.elapsed() >= PAUSE) {
            self.send(&mut state);
        }
    }

    fn send(&self, state: &mut State) {
        state.pending = false;
        state.sent = Some(Instant::now());
        let sent = context::try_with(|context| match context.cell() {
            Some(cell) => context.emit(&Event::Progress {
                cell,
                task: self.task.clone(),
                done: state.done,
                total: self.total,
                note: state.note.clone(),
                metrics: state.metrics.clone(),
            }),
            None => Ok(()),
        });
        if let Some(Err(message)) = sent {
            context::fatal(&message);
        }
    }
}

impl Drop for Progress {
    fn drop(&mut self) {
        let mut state = self.state.lock().unwrap_or_else(PoisonError::into_inner);
        if state.pending {
            self.send(&mut state);
        }
    }
}

#[cfg(test)]
mod tests {
    use super::*;
    use crate::context::testing::Chapter;

    #[test]
    fn the_first_and_the_last_state_are_always_reported() {
        let chapter = Chapter::new();
        let training = progress("training", 1000);
        for done in 1..=1000 {
            training.at(done);
        }
        training.note("almost there");
        training.metric("loss", 0.5);
        drop(training);
        let reported: Vec<_> = chapter
            .events()
            .into_iter()
            .map(|event| match event {
                Event::Progress { cell: 0, done, total: Some(1000), note, metrics, .. } => {
                    (done, note, metrics.get("loss").map(|loss| loss.0))
                }
                other => panic!("{other:?}"),
            })
            .collect();
        assert_eq!(reported.first(), Some(&(0, String::new(), None)));
        assert_eq!(reported.last(), Some(&(1000, "almost there".to_owned(), Some(0.5))));
        assert!(reported.len() < 500, "{}", reported.len());
    }

    #[test]
    fn without_a_report_builder_nothing_happens() {
        progress("training", None).step();
    }
}
