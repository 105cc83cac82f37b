//! The kernel of a device that is not here: only results from elsewhere can be shown.
//!
//! In: cells. Out: for each, that it did not run for want of the device.

use super::{Ending, Event, Kernel, Outcome};
use crate::claims::Reason;
use crate::plan::ChapterPlan;

/// Runs no cell.
#[derive(Debug)]
pub struct AbsentKernel {
    /// What is missing, in words.
    pub because: String,
}

impl Kernel for AbsentKernel {
    fn run(
        &self,
        _chapter: &ChapterPlan,
        cells: &[usize],
        _sink: &(dyn Fn(Event) + Sync),
    ) -> Vec<Outcome> {
        let ending = Ending::NotRun(Reason::NeedsDevice, self.because.clone());
        cells.iter().map(|_| Outcome::silent(ending.clone())).collect()
    }
}
