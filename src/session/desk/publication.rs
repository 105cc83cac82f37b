//! What becomes of pages once it is known what they show: they are written, and the PDF with them.
//!
//! In: what was judged, and pages. Out: the outputs of an ordinary build, and when to try again what failed.

use std::sync::Arc;
use std::sync::mpsc::Sender;
use std::time::Instant;

use super::super::{Page, Update, attend};
use super::Desk;
use crate::diag::Diagnostic;
use crate::exec::CellStatus;
use crate::ledger;
use crate::pipeline::{self, Evaluated, Formats};
use crate::publish::Output;
use crate::record;

/// Outputs that are to be written.
pub(super) struct Publication {
    /// From what the pages are made.
    pages: String,
    /// Tells the printer that they have been written.
    written: Option<Sender<()>>,
}

impl Desk {
    /// Begins to print the PDF if outputs are to be written, which the pages made meanwhile come before.
    pub(super) fn begin(
        &mut self,
        output: &Output,
        evaluated: &Arc<Evaluated>,
    ) -> Option<Publication> {
        let world = self.seen.as_ref()?;
        // What is wrong with templates is told where pages are rendered.
        self.pages.load(world).ok()?;
        let formats = self.request.formats;
        let inputs = pipeline::inputs(formats, world, evaluated);
        if output.is_current(&inputs) {
            return None;
        }
        let pages = pipeline::inputs(Formats { pdf: false, ..formats }, world, evaluated);
        let written = formats.pdf.then(|| {
            let colours = Arc::clone(self.pages.highlighter());
            self.printer.print(Arc::clone(evaluated), colours, pages.clone(), inputs)
        });
        Some(Publication { pages, written })
    }

    /// Writes the outputs of an ordinary build; the PDF follows.
    pub(super) fn publish(
        &self,
        output: &Output,
        page: &Page,
        publication: Option<Publication>,
    ) -> Result<(), Diagnostic> {
        if let Some(Publication { pages, written }) = publication {
            if self.request.formats.html {
                output.publish(Some(&page.output_files()), None, &pages)?;
            }
            // A printer that has newer pages does not listen.
            let _ = written.map(|written| written.send(()));
        }
        let cells = record::cells(&page.evaluated);
        output.write_claims(&ledger::json(&page.evaluated.document, &cells))
    }

    /// Decides what to do again, and when, after pages were written or could not be.
    pub(super) fn take_note(&mut self, page: &Arc<Page>, published: Result<(), Diagnostic>) {
        match failures(page).any(attend::is_from_outside) {
            true => self.timers.failed_outside(Instant::now()),
            false => self.timers.ran_well(),
        }
        match published {
            Ok(()) if self.unwritten => {
                self.unwritten = false;
                self.timers.mended();
                self.tell(Update::Page(page));
                // What made writing fail may have made cells fail in ways that do not show it.
                self.failures.forget();
                if failures(page).next().is_some() {
                    self.timers.rerun(Instant::now());
                }
            }
            Ok(()) => self.timers.mended(),
            Err(problem) => {
                self.unwritten = true;
                self.trouble(&[problem]);
            }
        }
    }
}

/// Why cells failed whose failure a page shows.
fn failures(page: &Page) -> impl Iterator<Item = &Diagnostic> {
    let chapters = page.evaluated.executed.chapters.iter();
    chapters.flat_map(|chapter| &chapter.cells).filter_map(|cell| match &cell.status {
        CellStatus::Failed(problem) => Some(problem),
        _ => None,
    })
}
