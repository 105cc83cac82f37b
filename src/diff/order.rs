//! Which passages stand elsewhere.
//!
//! In: the passages of both sides and the pairs that say the same. Out: runs of passages, on either side, that
//! would have to be moved: as few passages as possible, so that one that is moved far is told, and not all that it
//! has passed. A chapter under a new name is still the same chapter.

use std::collections::{BTreeMap, BTreeSet};
use std::ops::Range;

use crate::record::Passage;

/// The runs that were moved, by indices of the old and the new side.
pub(super) fn moved(
    before: &[Passage],
    after: &[Passage],
    mut pairs: Vec<(usize, usize)>,
) -> Vec<(Range<usize>, Range<usize>)> {
    pairs.sort_by_key(|&(_, new)| new);
    // Where order counts: in a chapter, whatever it is called.
    let mut chapters: BTreeMap<(&str, &str), Vec<(usize, usize)>> = BTreeMap::new();
    for &(old, new) in &pairs {
        chapters.entry((&before[old].path, &after[new].path)).or_default().push((old, new));
    }
    let paths = |all: &'_ [Passage]| all.iter().map(|it| it.path.clone()).collect::<BTreeSet<_>>();
    let (olds, news) = (paths(before), paths(after));
    let is_one = |old: &str, new: &str| old == new || !news.contains(old) && !olds.contains(new);
    let mut moved: Vec<(usize, usize)> = Vec::new();
    for ((old, new), pairs) in chapters {
        match is_one(old, new) {
            true => moved.extend(out_of_order(&pairs)),
            false => moved.extend(pairs),
        }
    }
    moved.sort_by_key(|&(_, new)| new);
    let mut runs: Vec<(Range<usize>, Range<usize>)> = Vec::new();
    for (old, new) in moved {
        match runs.last_mut() {
            Some((was, is))
                if was.end == old
                    && is.end == new
                    && before[was.start].path == before[old].path
                    && after[is.start].path == after[new].path =>
            {
                (was.end, is.end) = (old + 1, new + 1);
            }
            _ => runs.push((old..old + 1, new..new + 1)),
        }
    }
    runs
}

/// The pairs, sorted by their second indices, that are not in a longest part of which the first ones rise.
fn out_of_order(pairs: &[(usize, usize)]) -> Vec<(usize, usize)> {
    // The last pair of a rising part of each length, such that its first index is smallest.
    let mut lasts: Vec<usize> = Vec::new();
    let mut previous: Vec<Option<usize>> = Vec::with_capacity(pairs.len());
    for (at, &(old, _)) in pairs.iter().enumerate() {
        let length = lasts.partition_point(|&last| pairs[last].0 < old);
        previous.push(length.checked_sub(1).map(|shorter| lasts[shorter]));
        match lasts.get_mut(length) {
            Some(last) => *last = at,
            None => lasts.push(at),
        }
    }
    let mut stays = vec![false; pairs.len()];
    let mut at = lasts.last().copied();
    while let Some(it) = at {
        stays[it] = true;
        at = previous[it];
    }
    let moved = pairs.iter().zip(stays).filter(|(_, stays)| !stays);
    moved.map(|(&pair, _)| pair).collect()
}

#[cfg(test)]
mod tests {
    use super::*;

    fn of(before: &[(&str, &str)], after: &[(&str, &str)]) -> Vec<(Range<usize>, Range<usize>)> {
        let passages = |all: &[(&str, &str)]| -> Vec<Passage> {
            let passage = |&(path, text): &(&str, &str)| Passage {
                path: path.into(),
                text: text.into(),
                ..Passage::default()
            };
            all.iter().map(passage).collect()
        };
        let pairs = before.iter().enumerate().filter_map(|(old, (_, text))| {
            Some((old, after.iter().position(|(_, other)| other == text)?))
        });
        moved(&passages(before), &passages(after), pairs.collect())
    }

    #[test]
    fn as_few_as_possible_are_moved() {
        let all = |texts: &'static str, path: &'static str| -> Vec<(&str, &str)> {
            texts.split_terminator("").skip(1).map(|text| (path, text)).collect()
        };
        let moved = |old, new| of(&all(old, "a.md"), &all(new, "a.md"));
        assert_eq!(moved("abcdef", "abcdef"), []);
        assert_eq!(moved("abcdef", "adef"), []);
        assert_eq!(moved("abcdef", "bcdefa"), [(0..1, 5..6)]);
        assert_eq!(moved("abcdef", "fabcde"), [(5..6, 0..1)]);
        assert_eq!(moved("abcdef", "cdefab"), [(0..2, 4..6)]);
        assert_eq!(moved("ab", "ba").len(), 1);
        // Under a new name, and in another chapter.
        assert_eq!(of(&all("abc", "a.md"), &all("abc", "b.md")), []);
        let both = |a, b| [all(a, "a.md"), all(b, "b.md")].concat();
        assert_eq!(of(&both("ab", "cd"), &both("a", "cbd")), [(1..2, 2..3)]);
    }
}
