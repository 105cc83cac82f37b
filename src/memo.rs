//! Results of pure functions, remembered as long as they are asked for.
//!
//! In: the input of a function, as a digest, and the function. Out: its result, from before if the input
//! has been seen. A session works out the same chapters, formulas and pictures after every edit; what
//! it is given here is what the function would give again. Left out: what is kept between processes,
//! which is [`crate::cache`]'s.

use std::collections::BTreeMap;
use std::fmt::{self, Write};
use std::sync::{Mutex, PoisonError};

/// Results of one function by its input.
///
/// Each result has a size. Once the newer half is full, what nobody has asked for since the half
/// before was full is forgotten.
#[derive(Debug)]
pub(crate) struct Memo<V> {
    /// How large the results of one half may be together.
    most: usize,
    kept: Mutex<Kept<V>>,
}

#[derive(Debug)]
struct Kept<V> {
    older: BTreeMap<Input, (V, usize)>,
    newer: BTreeMap<Input, (V, usize)>,
    /// Size of the newer half.
    size: usize,
}

/// Digest of a function's whole input.
#[derive(Clone, Copy, Debug, PartialEq, Eq, PartialOrd, Ord)]
pub(crate) struct Input([u8; 32]);

impl Input {
    /// The digest of parts, each with its length, so that no two lists of parts collide.
    pub(crate) fn of<'a>(parts: impl IntoIterator<Item = &'a [u8]>) -> Self {
        let mut digest = blake3::Hasher::new();
        for part in parts {
            digest.update(&(part.len() as u64).to_le_bytes());
            digest.update(part);
        }
        Self(*digest.finalize().as_bytes())
    }

    /// The digest of values, all of which their words for debugging tell, as those of derived
    /// implementations do.
    pub(crate) fn of_debug(values: &dyn fmt::Debug) -> Self {
        let mut words = Words(blake3::Hasher::new());
        write!(words, "{values:?}").expect("a digest takes all words");
        Self(*words.0.finalize().as_bytes())
    }

    pub(crate) fn as_bytes(&self) -> &[u8] {
        &self.0
    }
}

/// Takes words into a digest.
struct Words(blake3::Hasher);

impl fmt::Write for Words {
    fn write_str(&mut self, text: &str) -> fmt::Result {
        self.0.update(text.as_bytes());
        Ok(())
    }
}

impl<V: Clone> Memo<V> {
    /// One that keeps results of about twice this size.
    pub(crate) const fn new(most: usize) -> Self {
        let kept = Kept { older: BTreeMap::new(), newer: BTreeMap::new(), size: 0 };
        Self { most, kept: Mutex::new(kept) }
    }

    /// The result for an input, worked out by `make` together with its size if it is not known.
    pub(crate) fn get(&self, input: Input, make: impl FnOnce() -> (V, usize)) -> V {
        let mut kept = self.kept.lock().unwrap_or_else(PoisonError::into_inner);
        if let Some((value, _)) = kept.newer.get(&input) {
            return value.clone();
        }
        if let Some((value, size)) = kept.older.remove(&input) {
            kept.keep(self.most, input, value.clone(), size);
            return value;
        }
        drop(kept);
        let (value, size) = make();
        let mut kept = self.kept.lock().unwrap_or_else(PoisonError::into_inner);
        kept.keep(self.most, input, value.clone(), size);
        value
    }
}

impl<V> Kept<V> {
    fn keep(&mut self, most: usize, input: Input, value: V, size: usize) {
        if size > most {
            return;
        }
        if self.size + size > most {
            self.older = std::mem::take(&mut self.newer);
            self.size = 0;
        }
        if self.newer.insert(input, (value, size)).is_none() {
            self.size += size;
        }
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn what_is_asked_for_stays_and_the_rest_is_forgotten() {
        let memo = Memo::new(3);
        let made = Mutex::new(Vec::new());
        let ask = |n: u8| {
            memo.get(Input::of([&[n][..]]), || {
                made.lock().expect("nobody panics here").push(n);
                (n, 1)
            })
        };
        for n in [1, 2, 3, 1, 4, 1, 5, 6, 1] {
            assert_eq!(ask(n), n);
        }
        assert_eq!(*made.lock().expect("nobody panics here"), [1, 2, 3, 4, 5, 6]);
        assert_eq!(ask(2), 2);
        assert_eq!(*made.lock().expect("nobody panics here"), [1, 2, 3, 4, 5, 6, 2]);
        assert_ne!(Input::of([&b"ab"[..], b"c"]), Input::of([&b"a"[..], b"bc"]));
    }

    #[test]
    fn what_is_too_large_is_not_kept() {
        let memo = Memo::new(3);
        let input = Input::of([&b"large"[..]]);
        assert_eq!(memo.get(input, || (1, 4)), 1);
        assert_eq!(memo.get(input, || (2, 4)), 2);
        let small = Input::of([&b"small"[..]]);
        assert_eq!(memo.get(small, || (3, 1)), 3);
        assert_eq!(memo.get(input, || (4, 4)), 4);
        assert_eq!(memo.get(input, || (5, 4)), 5);
        assert_eq!(memo.get(small, || (6, 1)), 3);
    }
}
