//! What a long computation keeps on its way, so that it can go on after an interruption.
//!
//! In: the name and the configuration of a [`memo`](crate::memo()) or
//! [`sweep`](crate::sweep()), and from time to time a state. Out: the last state that was saved.
//! It lies beside the memoised result until that is written, and belongs to the same code and data.

use std::path::{Path, PathBuf};

use serde::Serialize;
use serde::de::DeserializeOwned;

use crate::{context, memo};

/// File of the state in a checkpoint's folder.
const STATE: &str = "state";

/// The checkpoint of the memoised result with this name and configuration.
///
/// ```no_run
/// use veracity_lab as lab;
///
/// let losses: Vec<f64> = lab::memo("train", &0.1, || {
///     let kept = lab::checkpoint("train", &0.1);
///     let mut losses: Vec<f64> = kept.load().unwrap_or_default();
///     for epoch in losses.len()..15 {
///         losses.push(1.0 / (epoch + 1) as f64);
///         kept.save(&losses);
///     }
///     losses
/// });
/// ```
///
/// # Panics
///
/// If the configuration cannot be written as JSON.
#[track_caller]
pub fn checkpoint<C: Serialize + ?Sized>(name: &str, config: &C) -> Checkpoint {
    let folder = memo::place(name, config).map(|place| folder_beside(&place));
    Checkpoint { name: name.to_owned(), folder }
}

/// A place for the state of a long computation, from [`checkpoint`].
///
/// Without a report builder, as in a unit test of a chapter's module, nothing is kept.
#[derive(Clone, Debug)]
pub struct Checkpoint {
    name: String,
    folder: Option<PathBuf>,
}

impl Checkpoint {
    /// The state that was saved last; none if there is none, or it is damaged or of another type.
    pub fn load<T: DeserializeOwned>(&self) -> Option<T> {
        memo::read(&self.folder.as_ref()?.join(STATE))
    }

    /// Saves a state in the place of the one before, in one step.
    ///
    /// # Panics
    ///
    /// If the state does not survive JSON, or cannot be written.
    #[track_caller]
    pub fn save<T: Serialize + DeserializeOwned + Clone>(&self, state: &T) {
        if let Some(folder) = &self.folder {
            memo::write(&self.name, Some(&folder.join(STATE)), state.clone());
        }
    }

    /// A folder for further files, such as weights, which goes when the result is there; `None`
    /// without a report builder.
    ///
    /// Save a state that names a file after the file itself: an interruption may come between.
    ///
    /// # Panics
    ///
    /// If it cannot be made.
    #[track_caller]
    pub fn folder(&self) -> Option<PathBuf> {
        let folder = self.folder.clone()?;
        match std::fs::create_dir_all(&folder) {
            Ok(()) => Some(folder),
            Err(error) => panic!("the checkpoint of \"{}\" cannot be kept: {error}", self.name),
        }
    }

    /// Writes a file of the folder in one step, in the place of the one before.
    ///
    /// # Panics
    ///
    /// If it cannot be written.
    #[track_caller]
    pub fn write(&self, file: &str, bytes: &[u8]) {
        if let Some(folder) = &self.folder
            && let Err(message) = context::write_atomically(&folder.join(file), bytes)
        {
            panic!("the checkpoint of \"{}\" cannot be kept: {message}", self.name);
        }
    }
}

/// The folder of the checkpoint of a memoised result.
pub(crate) fn folder_beside(memo: &Path) -> PathBuf {
    memo.with_extension("checkpoint")
}

#[cfg(test)]
mod tests {
    use super::*;
    use crate::context::testing::Chapter;

    #[test]
    fn an_interrupted_computation_goes_on_where_it_was() {
        let _chapter = Chapter::new();
        let train = |epochs: usize, crash: usize| {
            crate::memo("train", &epochs, || {
                let kept = checkpoint("train", &epochs);
                let mut done: Vec<usize> = kept.load().unwrap_or_default();
                let first = done.len();
                for epoch in first..epochs {
                    assert_ne!(epoch, crash, "interrupted");
                    done.push(epoch);
                    kept.write("weights", &[epoch as u8]);
                    kept.save(&done);
                }
                (first, done.len())
            })
        };
        assert!(std::panic::catch_unwind(|| train(5, 3)).is_err());
        let kept = checkpoint("train", &5);
        let weights = kept.folder().expect("a report is built").join("weights");
        assert_eq!(std::fs::read(&weights).expect("they were written"), [2]);
        assert_eq!(train(5, 9), (3, 5));
        assert_eq!(kept.load::<Vec<usize>>(), None);
        assert!(!weights.exists());
        assert_eq!(checkpoint("train", &6).load::<Vec<usize>>(), None);
    }

    #[test]
    fn a_damaged_state_and_one_of_another_type_are_none() {
        let _chapter = Chapter::new();
        let kept = checkpoint("train", &1);
        kept.save(&vec![1, 2]);
        assert_eq!(kept.load(), Some(vec![1, 2]));
        assert_eq!(kept.load::<String>(), None);
        kept.write(STATE, b"veracity memo 1 x\n[1]");
        assert_eq!(kept.load::<Vec<i32>>(), None);
    }

    #[test]
    fn without_a_report_builder_nothing_is_kept() {
        let kept = checkpoint("train", &1);
        kept.save(&1);
        assert_eq!((kept.load::<i32>(), kept.folder()), (None, None));
    }
}
