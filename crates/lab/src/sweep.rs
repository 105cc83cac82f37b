//! Sweeps: one long computation for each of several configurations, in parallel processes.
//!
//! In: a name, configurations and how to compute one result. Out: one result for each, in order,
//! kept like those of [`memo`](crate::memo()). What is missing is computed by jobs: further
//! processes of the chapter's program, each with a plan that names one result. A job runs the cells
//! before the sweeping one, whose variables the computation may use, computes and keeps its result
//! and ends; nothing else of it is seen but its progress. Where no second process may be started,
//! one computes them all.
//!
//! Jobs run on this machine ([`local`]) or on a cluster ([`slurm`]). What a job reads and leaves, and
//! what is told of one that failed, is the same for both.

mod job;
mod local;
mod slurm;

use std::collections::VecDeque;
use std::panic::Location;
use std::path::PathBuf;

use serde::Serialize;
use serde::de::DeserializeOwned;
use veracity_protocol::{Event, RunPlan};

use crate::{context, memo, runtime};

/// Longest configuration that is shown in a message.
const LONGEST_CONFIG: usize = 200;

/// Computes a result for each configuration, or takes what was computed before.
///
/// ```no_run
/// use veracity_lab as lab;
///
/// let losses: Vec<f64> = lab::sweep("train", &[0.1, 0.01], |rate: &f64| rate * 2.0);
/// ```
///
/// Computations may run in processes of their own: of what they change, nothing but the result
/// comes back. The cells before run in each of these processes again, so what takes long in them
/// belongs into a [`memo`](crate::memo()) as well.
///
/// # Panics
///
/// As [`memo`](crate::memo()); also with the panic of a computation, at the place of that panic.
#[track_caller]
pub fn sweep<C, T>(name: &str, configs: &[C], compute: impl Fn(&C) -> T) -> Vec<T>
where
    C: Serialize,
    T: Serialize + DeserializeOwned,
{
    let places: Vec<Option<PathBuf>> =
        configs.iter().map(|config| memo::place(name, config)).collect();
    let plan = context::try_with(|context| (context.cell(), context.plan.clone()));
    if let Some((Some(cell), plan)) = plan {
        match &plan.job {
            Some(job) if job.cell == cell => {
                let mine = places.iter().position(|place| place.as_ref() == Some(&job.memo));
                if let Some(mine) = mine {
                    memo::keep(name, Some(&job.memo), compute(&configs[mine]));
                    std::process::exit(0);
                }
            }
            Some(_) => {}
            None => {
                let missing = missing::<C, T>(configs, &places);
                let sweep = Sweep { name, cell, plan: &plan, count: missing.len() };
                if let Err(failed) = sweep.run(missing) {
                    runtime::fail(failed.message, failed.location, Location::caller());
                }
            }
        }
    }
    configs
        .iter()
        .zip(places)
        .map(|(config, place)| match place.as_deref().and_then(memo::read) {
            Some(known) => known,
            None => memo::keep(name, place.as_deref(), compute(config)),
        })
        .collect()
}

/// What has no result yet, each once.
fn missing<C: Serialize, T: DeserializeOwned>(
    configs: &[C],
    places: &[Option<PathBuf>],
) -> VecDeque<Missing> {
    let mut missing: VecDeque<Missing> = VecDeque::new();
    for (config, place) in configs.iter().zip(places) {
        let Some(place) = place else { continue };
        if missing.iter().all(|other| other.memo != *place) && memo::read::<T>(place).is_none() {
            let mut words = serde_json::to_string(config).unwrap_or_default();
            if let Some((end, _)) = words.char_indices().nth(LONGEST_CONFIG) {
                words.truncate(end);
                words.push('…');
            }
            missing.push_back(Missing { memo: place.clone(), config: words });
        }
    }
    missing
}

/// A result that is to be computed.
struct Missing {
    /// File in which it is kept.
    memo: PathBuf,
    /// Its configuration in words.
    config: String,
}

/// The jobs of a sweep.
struct Sweep<'a> {
    name: &'a str,
    cell: usize,
    plan: &'a RunPlan,
    count: usize,
}

/// Why a sweep did not do its work.
struct Failed {
    message: String,
    location: Option<veracity_protocol::Location>,
}

impl Sweep<'_> {
    /// Does all jobs. What none of them computed is left to the caller.
    fn run(&self, missing: VecDeque<Missing>) -> Result<(), Failed> {
        match &self.plan.cluster {
            Some(cluster) if !missing.is_empty() => slurm::run(self, cluster, missing),
            None if self.plan.jobs > 1 && missing.len() > 1 => local::run(self, missing),
            _ => Ok(()),
        }
    }

    /// Tells the report builder something.
    fn tell(&self, event: &Event) {
        if let Some(Err(message)) = context::try_with(|context| context.emit(event)) {
            context::fatal(&message);
        }
    }
}

#[cfg(test)]
mod tests {
    use super::*;
    use crate::context::testing::Chapter;

    #[test]
    fn results_are_in_order_and_kept_as_memoised_ones() {
        let _chapter = Chapter::new();
        assert_eq!(crate::memo("square", &2, || 4), 4);
        assert_eq!(sweep("square", &[3, 1], |n| n * n), [9, 1]);
        assert_eq!(sweep("square", &[1, 2, 3], |_| -> i32 { panic!("it is kept") }), [1, 4, 9]);
    }

    #[test]
    fn without_a_report_builder_all_is_computed() {
        assert_eq!(sweep("square", &[3, 1], |n| n * n), [9, 1]);
    }
}
