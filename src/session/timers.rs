//! When a session does again what something from outside has hindered.
//!
//! In: what happened, and when. Out: what is due. Left out: doing it, and the clock, which are the
//! desk's.

use std::time::{Duration, Instant};

/// How soon what stood in the way from outside, such as a full disk, is tried again.
const RETRY: Duration = Duration::from_secs(2);

/// How soon cells run again that failed for such a reason; twice as long after each further time.
const RERUN: Duration = Duration::from_secs(10);

/// Longest of these pauses: a linker that finds no library fails like a full disk, but for good.
const LONGEST_PAUSE: Duration = Duration::from_secs(320);

/// What is to be done again.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub(super) enum Due {
    /// Running the cells.
    Cells,
    /// Reading, building and writing.
    Build,
}

/// When what is due.
pub(super) struct Timers {
    /// When what stood in the way last is tried again.
    trouble: Option<Instant>,
    /// When cells run again that failed for no reason of their own.
    rerun: Option<Instant>,
    /// How soon after that the next time is.
    pause: Duration,
}

impl Timers {
    pub(super) fn new() -> Self {
        Self { trouble: None, rerun: None, pause: RERUN }
    }

    /// Whether something stands in the way.
    pub(super) fn in_trouble(&self) -> bool {
        self.trouble.is_some()
    }

    /// Notes that something stands in the way.
    pub(super) fn trouble(&mut self, now: Instant) {
        self.trouble = Some(now + RETRY);
    }

    /// Notes that nothing stands in the way any more.
    pub(super) fn mended(&mut self) {
        self.trouble = None;
    }

    /// Notes that cells have run and none failed for a reason from outside.
    pub(super) fn ran_well(&mut self) {
        (self.rerun, self.pause) = (None, RERUN);
    }

    /// Notes that cells have run and some failed for a reason from outside.
    pub(super) fn failed_outside(&mut self, now: Instant) {
        self.rerun = Some(now + self.pause);
    }

    /// Lets cells run again at once.
    pub(super) fn rerun(&mut self, now: Instant) {
        self.rerun = Some(now);
    }

    /// What is to be done now. Cells are told once; a build until it is told how that went.
    pub(super) fn due(&mut self, now: Instant) -> Option<Due> {
        let is_due = |at: &mut Instant| *at <= now;
        if self.rerun.take_if(is_due).is_some() {
            self.pause = LONGEST_PAUSE.min(2 * self.pause);
            return Some(Due::Cells);
        }
        self.trouble.is_some_and(|at| at <= now).then_some(Due::Build)
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn pauses_double_up_to_the_longest_until_cells_fail_for_no_reason_from_outside() {
        let mut timers = Timers::new();
        let mut now = Instant::now();
        let mut pause = |timers: &mut Timers| {
            timers.failed_outside(now);
            let begun = now;
            while timers.due(now).is_none() {
                now += Duration::from_secs(1);
            }
            assert_eq!(timers.due(now), None, "it is told once");
            (now - begun).as_secs()
        };
        let pauses: Vec<u64> = (0..7).map(|_| pause(&mut timers)).collect();
        assert_eq!(pauses, [10, 20, 40, 80, 160, 320, 320]);
        timers.ran_well();
        assert_eq!(pause(&mut timers), 10);
    }

    #[test]
    fn cells_that_ran_well_are_not_run_again() {
        let mut timers = Timers::new();
        let now = Instant::now();
        timers.failed_outside(now);
        timers.ran_well();
        assert_eq!(timers.due(now + LONGEST_PAUSE), None);
    }

    #[test]
    fn trouble_stays_due_until_it_is_mended_or_met_again() {
        let mut timers = Timers::new();
        let now = Instant::now();
        timers.trouble(now);
        assert!(timers.in_trouble());
        assert_eq!(timers.due(now), None);
        let later = now + RETRY;
        assert_eq!([timers.due(later), timers.due(later)], [Some(Due::Build); 2]);
        timers.trouble(later);
        assert_eq!(timers.due(later), None);
        timers.mended();
        assert!(!timers.in_trouble());
        assert_eq!(timers.due(later + RETRY), None);
    }

    #[test]
    fn cells_go_before_a_build_of_everything() {
        let mut timers = Timers::new();
        let now = Instant::now();
        timers.trouble(now);
        let later = now + RETRY;
        timers.rerun(later);
        assert_eq!([timers.due(later), timers.due(later)], [Some(Due::Cells), Some(Due::Build)]);
    }
}
