//! Results that are kept between runs.
//!
//! In: a name, a configuration and how to compute the result. Out: the result, from the folder
//! of memoised results if it is there. It belongs to the cell's cache key, so that a change of
//! the code or the data before it computes it again. Without a report builder, as in a unit
//! test of a chapter's module, it is always computed.

use std::path::{Path, PathBuf};

use serde::Serialize;
use serde::de::DeserializeOwned;

use crate::{checkpoint, context};

/// First words of an entry; the digest of the payload and a line feed follow.
const HEADER: &str = "veracity memo 1 ";

/// Gives a result that was computed before from an equal configuration, or computes it.
///
/// The result is what JSON makes of it, also when it was just computed, so that both are equal.
/// Names and configurations together must tell the results of a cell apart.
///
/// ```no_run
/// use veracity_lab as lab;
///
/// let losses: Vec<f64> = lab::memo("train", &("adam", 1e-3, 20), || vec![0.7, 0.4]);
/// ```
///
/// # Panics
///
/// If the configuration or the result does not survive JSON, such as a result with NaN.
#[track_caller]
pub fn memo<T, C>(name: &str, config: &C, compute: impl FnOnce() -> T) -> T
where
    T: Serialize + DeserializeOwned,
    C: Serialize + ?Sized,
{
    let place = place(name, config);
    if let Some(known) = place.as_deref().and_then(read) {
        return known;
    }
    keep(name, place.as_deref(), compute())
}

/// As [`memo`], for what may fail; an error is not kept.
///
/// # Panics
///
/// As [`memo`].
#[track_caller]
pub fn try_memo<T, E, C>(
    name: &str,
    config: &C,
    compute: impl FnOnce() -> Result<T, E>,
) -> Result<T, E>
where
    T: Serialize + DeserializeOwned,
    C: Serialize + ?Sized,
{
    let place = place(name, config);
    if let Some(known) = place.as_deref().and_then(read) {
        return Ok(known);
    }
    Ok(keep(name, place.as_deref(), compute()?))
}

/// Where the result lies, if a report is being built.
#[track_caller]
pub(crate) fn place<C: Serialize + ?Sized>(name: &str, config: &C) -> Option<PathBuf> {
    let config = match serde_json::to_string(config) {
        Ok(config) => config,
        Err(error) => panic!("the configuration of \"{name}\" cannot be written: {error}"),
    };
    let found = context::try_with(|context| {
        let cell = context.cell().ok_or("no cell is running")?;
        let key = &context.plan.cells[cell].key;
        let mut hasher = blake3::Hasher::new_derive_key("veracity lab memo v1");
        for part in [key.as_str(), name, config.as_str()] {
            hasher.update(&(part.len() as u64).to_le_bytes()).update(part.as_bytes());
        }
        Ok::<_, &str>(context.plan.memo.join(hasher.finalize().to_hex().as_str()))
    });
    match found.transpose() {
        Ok(place) => place,
        Err(message) => panic!("{message}"),
    }
}

/// Reads an entry; one that is damaged, or of another type, counts as missing.
pub(crate) fn read<T: DeserializeOwned>(place: &Path) -> Option<T> {
    let text = std::fs::read_to_string(place).ok()?;
    let (digest, payload) = text.strip_prefix(HEADER)?.split_once('\n')?;
    if blake3::hash(payload.as_bytes()).to_hex().as_str() != digest {
        return None;
    }
    serde_json::from_str(payload).ok()
}

/// Keeps a result and takes away the checkpoint that led to it.
#[track_caller]
pub(crate) fn keep<T: Serialize + DeserializeOwned>(
    name: &str,
    place: Option<&Path>,
    computed: T,
) -> T {
    let kept = write(name, place, computed);
    if let Some(place) = place {
        // One that stays takes up room and misleads nobody.
        let _ = std::fs::remove_dir_all(checkpoint::folder_beside(place));
    }
    kept
}

/// Writes an entry; gives what will be read of it.
#[track_caller]
pub(crate) fn write<T: Serialize + DeserializeOwned>(
    name: &str,
    place: Option<&Path>,
    computed: T,
) -> T {
    let write = |value: &T| serde_json::to_string(value);
    let survived = write(&computed).and_then(|payload| {
        let copy: T = serde_json::from_str(&payload)?;
        let is_equal = write(&copy)? == payload;
        Ok((payload, copy, is_equal))
    });
    let (payload, copy) = match survived {
        Ok((payload, copy, true)) => (payload, copy),
        Ok(_) => panic!("the result of \"{name}\" changes when it is written and read again"),
        Err(error) => panic!("the result of \"{name}\" cannot be kept: {error}"),
    };
    if let Some(place) = place {
        let digest = blake3::hash(payload.as_bytes()).to_hex();
        let entry = format!("{HEADER}{digest}\n{payload}");
        if let Err(message) = context::write_atomically(place, entry.as_bytes()) {
            panic!("the result of \"{name}\" cannot be kept: {message}");
        }
    }
    copy
}

#[cfg(test)]
mod tests {
    use super::*;
    use crate::context::testing::Chapter;

    fn entry(chapter: &Chapter) -> PathBuf {
        let mut files: Vec<_> = std::fs::read_dir(chapter.folder.path())
            .unwrap()
            .map(|file| file.unwrap().path())
            .filter(|path| path.extension().is_none())
            .collect();
        assert_eq!(files.len(), 1);
        files.remove(0)
    }

    #[test]
    fn a_result_is_computed_once_for_a_configuration() {
        let _chapter = Chapter::new();
        let mut computed = 0;
        for config in [1, 1, 2, 1] {
            let result = memo("square", &config, || {
                computed += 1;
                config * config
            });
            assert_eq!(result, config * config);
        }
        assert_eq!(computed, 2);
        memo("other", &1, || computed += 1);
        crate::runtime::begin(1);
        memo("square", &1, || computed += 1);
        assert_eq!(computed, 4);
    }

    #[test]
    fn a_damaged_entry_is_computed_again() {
        let chapter = Chapter::new();
        let result = || memo("r", &(), || vec![0.1_f64, 1.0 / 3.0]);
        let first = result();
        let good = std::fs::read(entry(&chapter)).unwrap();
        let mut flipped = good.clone();
        *flipped.last_mut().unwrap() ^= 1;
        let bad: [&[u8]; 5] =
            [b"", &good[..good.len() - 3], &flipped, b"veracity memo 0 x\n[]", b"\xff"];
        for bytes in bad {
            std::fs::write(entry(&chapter), bytes).unwrap();
            assert_eq!(result(), first);
            assert_eq!(std::fs::read(entry(&chapter)).unwrap(), good);
        }
        let place = entry(&chapter);
        std::fs::remove_file(&place).unwrap();
        std::fs::create_dir_all(place.join("inside")).unwrap();
        assert_eq!(result(), first);
        assert_eq!(std::fs::read(entry(&chapter)).unwrap(), good);
    }

    #[test]
    fn doubles_come_back_bit_for_bit() {
        let _chapter = Chapter::new();
        let numbers: Vec<f64> =
            (1..2000).map(|n| (f64::from(n) * 0.7).sin() * 10_f64.powi(n % 600 - 300)).collect();
        for _ in 0..2 {
            let kept = memo("n", &(), || numbers.clone());
            assert!(kept.iter().zip(&numbers).all(|(a, b)| a.to_bits() == b.to_bits()));
        }
    }

    #[test]
    fn what_does_not_survive_is_refused_and_errors_are_not_kept() {
        let _chapter = Chapter::new();
        let panic = std::panic::catch_unwind(|| memo("r", &(), || f64::NAN)).unwrap_err();
        assert!(panic.downcast::<String>().unwrap().contains("cannot be kept"));
        assert_eq!(try_memo("t", &(), || Err::<i32, _>("no")), Err("no"));
        assert_eq!(try_memo("t", &(), || Ok::<_, &str>(3)), Ok(3));
        assert_eq!(try_memo("t", &(), || Err::<i32, _>("no")), Ok(3));
    }

    #[test]
    fn without_a_report_builder_it_is_computed() {
        assert_eq!(memo("r", &(), || 3), 3);
    }
}
