//! Which claim of one side is which of the other.
//!
//! In: the claims of both sides. Out: pairs, in the reading order of the new side, then what is
//! gone. Time grows with the number of claims, not with its square.

use std::collections::HashMap;

use crate::record::Entry;

/// A claim on both sides, or on one.
pub(super) struct Pair<'a> {
    pub(super) old: Option<&'a Entry>,
    pub(super) new: Option<&'a Entry>,
}

/// Pairs the claims of two sides: those on the same value that say the same, then others on the
/// same value in their order, then those on a value of that name in another chapter.
pub(super) fn pairs<'a>(old: &'a [Entry], new: &'a [Entry]) -> Vec<Pair<'a>> {
    let mut partner: Vec<Option<usize>> = vec![None; new.len()];
    let mut taken = vec![false; old.len()];
    let keys: [fn(&Entry) -> Key<'_>; 4] = [
        |entry| (about(entry), &entry.text, &entry.relation),
        |entry| (about(entry), &entry.text, ""),
        |entry| (about(entry), "", ""),
        |entry| (name(entry), &entry.text, &entry.relation),
    ];
    for key in keys {
        let mut free: HashMap<Key<'_>, Vec<usize>> = HashMap::new();
        for index in (0..old.len()).rev().filter(|&index| !taken[index]) {
            free.entry(key(&old[index])).or_default().push(index);
        }
        for (entry, partner) in new.iter().zip(&mut partner) {
            if partner.is_none()
                && let Some(index) = free.get_mut(&key(entry)).and_then(Vec::pop)
            {
                *partner = Some(index);
                taken[index] = true;
            }
        }
    }
    let present = new
        .iter()
        .zip(partner)
        .map(|(entry, index)| Pair { old: index.map(|index| &old[index]), new: Some(entry) });
    let gone = old.iter().zip(taken).filter(|(_, taken)| !taken);
    present.chain(gone.map(|(entry, _)| Pair { old: Some(entry), new: None })).collect()
}

/// What claims must have in common to be the same: what they are about, text, relation.
type Key<'a> = (&'a str, &'a str, &'a str);

/// Chapter and value of a claim, without its number among those on the same value.
fn about(entry: &Entry) -> &str {
    entry.id.rsplit_once('#').map_or(entry.id.as_str(), |(about, _)| about)
}

fn name(entry: &Entry) -> &str {
    about(entry).rsplit_once('/').map_or(about(entry), |(_, name)| name)
}
