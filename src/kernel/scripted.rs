//! A kernel that answers from a list, so that neither tests nor a report without cells need a
//! compiler.

use std::collections::BTreeMap;
use std::sync::Mutex;

use veracity_protocol::CellOutput;

use super::{Ending, Event, Kernel, Outcome};
use crate::plan::ChapterPlan;

/// Answers for cells by `chapter/cell`; a cell without an answer does nothing,
/// and one behind a cell that fails is not reached.
#[derive(Debug, Default)]
pub struct ScriptedKernel {
    answers: BTreeMap<String, Outcome>,
    ran: Mutex<Vec<String>>,
}

impl ScriptedKernel {
    /// Adds the answer for a cell.
    #[must_use]
    pub fn with(mut self, cell: &str, outcome: Outcome) -> Self {
        self.answers.insert(cell.to_owned(), outcome);
        self
    }

    /// The cells that were run so far, in order.
    pub fn ran(&self) -> Vec<String> {
        self.ran.lock().map(|ran| ran.clone()).unwrap_or_default()
    }
}

impl Kernel for ScriptedKernel {
    fn run(
        &self,
        chapter: &ChapterPlan,
        cells: &[usize],
        sink: &(dyn Fn(Event) + Sync),
    ) -> Vec<Outcome> {
        let mut failed = false;
        let answer = |&cell: &usize| {
            if failed {
                return Outcome::silent(Ending::NotReached);
            }
            let name = format!("{}/{}", chapter.slug, chapter.cells[cell].id);
            sink(Event::Started { cell });
            if let Ok(mut ran) = self.ran.lock() {
                ran.push(name.clone());
            }
            sink(Event::Ended { cell });
            let nothing = || Outcome::silent(Ending::Done(CellOutput::default()));
            let outcome = self.answers.get(&name).cloned().unwrap_or_else(nothing);
            failed = matches!(outcome.ending, Ending::Failed(_));
            outcome
        };
        cells.iter().map(answer).collect()
    }
}
