//! What has changed of what a report says.
//!
//! In: the passages of both sides, the pairs of their claims, and the exemptions that differ. Out: changes. None is told
//! of a passage that would be the same without what is told of its claims: other words of a claim, a claim or an
//! exemption that is new or gone. Formulas that look the same are the same. Time grows with the number of passages, not
//! with its square.

use std::borrow::Cow;
use std::collections::{BTreeSet, HashMap};
use std::ops::Range;

use super::matching::Pair;
use super::{Change, Exempt, Kind, Side, order, place};
use crate::math;
use crate::parse::prose::EXEMPT;
use crate::passages::values;
use crate::record::{Exemption, Passage};

/// Compares the passages of two sides, if both know theirs.
pub(super) fn compare(
    old: &Side,
    new: &Side,
    claims: &[Pair<'_>],
    exempt: &Exempt,
    changes: &mut Vec<Change>,
) {
    let (Some(before), Some(after)) = (&old.passages, &new.passages) else { return };
    let told = Told::of(claims, exempt);
    let (says, said) = (texts(before), texts(after));
    let mut left = Left { old: (0..before.len()).collect(), new: (0..after.len()).collect() };
    let mut same = left.pair(
        |old| Some((before[old].path.as_str(), &says[old])),
        |new| Some((after[new].path.as_str(), &said[new])),
    );
    same.extend(left.pair(|old| Some(&says[old]), |new| Some(&said[new])));
    let (olds, news) = (marked(&says, &left.old), marked(&said, &left.new));
    // Only the words of its claims, or which of its words are claims.
    let about: [for<'a> fn(&'a Marked<'_>) -> Option<&'a str>; 2] =
        [|it| Some(it.around.as_str()), |it| Some(it.plain.as_str())];
    let mut pairs = Vec::new();
    for (way, key) in about.into_iter().enumerate() {
        let found = left.pair(
            |old| key(&olds[&old]).map(|key| (&before[old].path, key)),
            |new| key(&news[&new]).map(|key| (&after[new].path, key)),
        );
        for (old, new) in found {
            let told = told.at(&before[old].path, &after[new].path);
            let is_told = match way {
                0 => told.words(&olds[&old], &news[&new]),
                _ => told.names(&olds[&old], &news[&new]),
            };
            if !is_told {
                pairs.push((Some(old), Some(new)));
            }
        }
    }
    // Many things are exempt.
    let named = |it: &Marked<'_>| {
        let names: Vec<&str> =
            it.names.iter().map(String::as_str).filter(|name| *name != EXEMPT).collect();
        (!names.is_empty()).then(|| names.join("\n"))
    };
    pairs.extend(both(left.pair(
        |old| named(&olds[&old]).map(|names| (before[old].path.clone(), names)),
        |new| named(&news[&new]).map(|names| (after[new].path.clone(), names)),
    )));
    pairs.extend(both(left.pair(|old| named(&olds[&old]), |new| named(&news[&new]))));
    pairs.extend(both(left.alike(before, after)));
    let is_new = |it: &&usize| told.at("", &after[**it].path).is_new(&news[it]);
    let is_gone = |it: &&usize| told.at(&before[**it].path, "").is_gone(&olds[it]);
    pairs.extend(left.new.iter().filter(|it| !is_new(it)).map(|&it| (None, Some(it))));
    pairs.extend(left.old.iter().filter(|it| !is_gone(it)).map(|&it| (Some(it), None)));
    pairs.sort_by_key(|&(old, new)| (new.is_none(), new, old));
    let ids = ids(new).chain(ids(old)).rev().collect::<HashMap<_, _>>();
    let what = |at: &Passage| {
        let id = claims_of(&at.text).find_map(|(_, name)| {
            ids.get(&(at.path.as_str(), last(&at.text[name.start..name.end - 1])))
        });
        id.map_or_else(|| at.path.clone(), |id| (*id).to_owned())
    };
    for (was, is) in pairs {
        let (was, is) = (was.map(|at| &before[at]), is.map(|at| &after[at]));
        let Some(at) = is.or(was) else { continue };
        let (from, to) = match (was, is) {
            (Some(was), Some(is)) => {
                let (from, to) = shortened(&was.text, &is.text);
                (Some(from), Some(to))
            }
            _ => (was.map(|it| it.text.clone()), is.map(|it| it.text.clone())),
        };
        let place = is.and_then(|it| place(&it.path, it.line, it.column));
        changes.push(Change { kind: Kind::Said, what: what(at), place, from, to });
    }
    for (was, is) in order::moved(before, after, same) {
        let at = &after[is.start];
        let behind = |all: &[Passage], run: &Range<usize>| {
            let first = begin(&all[run.start].text);
            let more = match run.len() {
                1 => String::new(),
                many => format!(" and {} more", many - 1),
            };
            let before = run.start.checked_sub(1).map(|at| &all[at]);
            match before.filter(|it| it.path == all[run.start].path) {
                Some(before) => format!("“{first}”{more} behind “{}”", begin(&before.text)),
                None => format!("“{first}”{more} at the beginning of {}", all[run.start].path),
            }
        };
        changes.push(Change {
            kind: Kind::Order,
            what: what(at),
            place: place(&at.path, at.line, at.column),
            from: Some(behind(before, &was)),
            to: Some(behind(after, &is)),
        });
    }
}

/// What passages say, with formulas that look the same written the same.
fn texts(passages: &[Passage]) -> Vec<Cow<'_, str>> {
    passages.iter().map(|it| math::canonical(&it.text)).collect()
}

/// The first words of a text.
fn begin(text: &str) -> String {
    let mut words = text.split(' ');
    let first = words.by_ref().take(2 * CONTEXT).collect::<Vec<_>>().join(" ");
    if words.next().is_some() { first + " …" } else { first }
}

fn both(pairs: Vec<(usize, usize)>) -> impl Iterator<Item = (Option<usize>, Option<usize>)> {
    pairs.into_iter().map(|(old, new)| (Some(old), Some(new)))
}

/// The claims of a side by the file and the name in it.
fn ids(side: &Side) -> impl DoubleEndedIterator<Item = ((&str, &str), &str)> {
    side.claims.iter().map(|claim| {
        let about = claim.id.split('#').next().unwrap_or_default();
        ((claim.path.as_str(), last(about)), about)
    })
}

fn last(name: &str) -> &str {
    name.rsplit('/').next().unwrap_or(name)
}

/// The passages of both sides, by index, that have no partner yet.
struct Left {
    old: Vec<usize>,
    new: Vec<usize>,
}

impl Left {
    /// Pairs those with the same key, in their order.
    fn pair<K: Eq + std::hash::Hash>(
        &mut self,
        of_old: impl Fn(usize) -> Option<K>,
        of_new: impl Fn(usize) -> Option<K>,
    ) -> Vec<(usize, usize)> {
        let mut free: HashMap<K, Vec<usize>> = HashMap::new();
        for &old in self.old.iter().rev() {
            if let Some(key) = of_old(old) {
                free.entry(key).or_default().push(old);
            }
        }
        self.take(|new| free.get_mut(&of_new(new)?)?.pop())
    }

    /// Pairs those of a chapter that have the most words in common, and at least half of them.
    fn alike(&mut self, before: &[Passage], after: &[Passage]) -> Vec<(usize, usize)> {
        let words =
            |it: &'_ Passage| it.text.split(' ').map(str::to_owned).collect::<BTreeSet<_>>();
        let olds: HashMap<usize, BTreeSet<String>> =
            self.old.iter().map(|&old| (old, words(&before[old]))).collect();
        let mut with: HashMap<(&str, &str), Vec<usize>> = HashMap::new();
        for &old in &self.old {
            for word in &olds[&old] {
                with.entry((&before[old].path, word)).or_default().push(old);
            }
        }
        // What stands everywhere tells nothing.
        with.retain(|_, passages| passages.len() <= MOST_WITH_A_WORD);
        let mut taken = BTreeSet::new();
        self.take(|new| {
            let own = words(&after[new]);
            let mut shared: HashMap<usize, usize> = HashMap::new();
            for word in &own {
                let found = with.get(&(after[new].path.as_str(), word.as_str()));
                for old in found.into_iter().flatten().filter(|old| !taken.contains(*old)) {
                    *shared.entry(*old).or_default() += 1;
                }
            }
            let common = |old: &usize| olds[old].intersection(&own).count();
            let best = shared.into_keys().map(|old| (common(&old), old));
            let (count, old) = best.max_by_key(|&(count, old)| (count, std::cmp::Reverse(old)))?;
            let is_alike = 2 * count >= olds[&old].len().max(own.len());
            is_alike.then(|| {
                taken.insert(old);
                old
            })
        })
    }

    /// Takes away the pairs that are found.
    fn take(&mut self, mut partner: impl FnMut(usize) -> Option<usize>) -> Vec<(usize, usize)> {
        let mut pairs = Vec::new();
        self.new.retain(|&new| match partner(new) {
            Some(old) => {
                pairs.push((old, new));
                false
            }
            None => true,
        });
        let gone: BTreeSet<usize> = pairs.iter().map(|(old, _)| *old).collect();
        self.old.retain(|old| !gone.contains(old));
        pairs
    }
}

/// In how many passages a word may stand that tells them apart.
const MOST_WITH_A_WORD: usize = 32;

/// A passage, and what it is without some of its marks.
struct Marked<'a> {
    text: &'a str,
    /// Without the words of claims.
    around: String,
    /// Without the names of claims.
    plain: String,
    /// Names of claims and expressions of inline values, sorted.
    names: Vec<String>,
}

impl<'a> Marked<'a> {
    fn of(text: &'a str) -> Self {
        let mut names: Vec<String> = values(text).map(str::to_owned).collect();
        let around = replaced(text, |claim| {
            names.push(claim.name.to_owned());
            wordless(claim)
        });
        names.sort();
        Self { text, around, plain: replaced(text, nameless), names }
    }
}

fn marked<'a>(texts: &'a [Cow<'_, str>], left: &[usize]) -> HashMap<usize, Marked<'a>> {
    left.iter().map(|&index| (index, Marked::of(&texts[index]))).collect()
}

/// A claim or an exemption in a passage.
#[derive(Clone, Copy)]
struct Mark<'a> {
    /// With its brackets.
    whole: &'a str,
    words: &'a str,
    name: &'a str,
}

fn wordless(mark: Mark<'_>) -> String {
    format!("[]({})", mark.name)
}

fn nameless(mark: Mark<'_>) -> String {
    mark.words.to_owned()
}

/// A passage with something else in the place of its claims and exemptions.
fn replaced(text: &str, mut with: impl FnMut(Mark<'_>) -> String) -> String {
    let (mut new, mut at) = (String::new(), 0);
    for (words, name) in claims_of(text) {
        // What stands in the words of another has been taken already.
        if words.start <= at && at > 0 {
            continue;
        }
        let whole = words.start - 1..name.end;
        new.push_str(&text[at..whole.start]);
        at = whole.end;
        let name = &text[name.start..name.end - 1];
        new.push_str(&with(Mark { whole: &text[whole], words: &text[words], name }));
    }
    new + &text[at..]
}

/// Where the words and the names of the claims and exemptions of a passage stand, names with their brackets.
fn claims_of(text: &str) -> impl Iterator<Item = (Range<usize>, Range<usize>)> {
    text.match_indices("](").filter_map(move |(close, _)| {
        let end = close + text[close..].find(')')? + 1;
        // Words may hold brackets.
        let mut depth = 0;
        let (open, _) = text[..close].match_indices(['[', ']']).rev().find(|(_, bracket)| {
            depth += if *bracket == "]" { 1 } else { -1 };
            depth < 0
        })?;
        Some((open + 1..close, close + 2..end))
    })
}

/// What is told of claims and exemptions themselves.
#[derive(Default)]
struct Told<'a> {
    /// Claims with other words, by the file and the name without the chapter.
    reworded: BTreeSet<(&'a str, &'a str)>,
    added: Known<'a>,
    gone: Known<'a>,
}

/// Claims and exemptions that one side has.
#[derive(Default)]
struct Known<'a> {
    /// Claims by the file and the name without the chapter.
    claims: BTreeSet<(&'a str, &'a str)>,
    /// Exemptions by the file and the text.
    exempt: BTreeSet<(&'a str, Cow<'a, str>)>,
}

impl<'a> Known<'a> {
    fn exempt(all: &'a [Exemption]) -> Self {
        let exempt = all.iter().map(|it| (it.path.as_str(), math::canonical(&it.text)));
        Self { exempt: exempt.collect(), ..Self::default() }
    }

    fn has(&self, path: &str, mark: Mark<'_>) -> bool {
        match mark.name {
            EXEMPT => self.exempt.contains(&(path, Cow::Borrowed(mark.words.trim()))),
            name => self.claims.contains(&(path, last(name))),
        }
    }
}

/// What is told of the claims of a file, which may have had another name.
struct ToldAt<'a> {
    told: &'a Told<'a>,
    old: &'a str,
    new: &'a str,
}

impl<'a> Told<'a> {
    fn of(claims: &[Pair<'a>], exempt: &'a Exempt) -> Self {
        let mut told = Self {
            added: Known::exempt(&exempt.added),
            gone: Known::exempt(&exempt.gone),
            ..Self::default()
        };
        for pair in claims {
            let Some(entry) = pair.new.or(pair.old) else { continue };
            let name = last(entry.id.split('#').next().unwrap_or_default());
            let set = match (pair.old, pair.new) {
                (Some(old), Some(new)) if old.text == new.text => continue,
                (Some(_), Some(_)) => &mut told.reworded,
                (None, _) => &mut told.added.claims,
                (_, None) => &mut told.gone.claims,
            };
            set.insert((entry.path.as_str(), name));
        }
        told
    }

    fn at(&'a self, old: &'a str, new: &'a str) -> ToldAt<'a> {
        ToldAt { told: self, old, new }
    }
}

impl ToldAt<'_> {
    /// Whether two passages differ in the words of claims and exemptions alone of which it is told.
    fn words(&self, old: &Marked<'_>, new: &Marked<'_>) -> bool {
        let is_told = |known: &Known<'_>, path: &str, mark: Mark<'_>| match mark.name {
            EXEMPT => known.has(path, mark),
            name => self.told.reworded.contains(&(self.new, last(name))),
        };
        let old = without(old.text, |it| is_told(&self.told.gone, self.old, it), wordless);
        let new = without(new.text, |it| is_told(&self.told.added, self.new, it), wordless);
        old == new
    }

    /// Whether two passages differ in claims and exemptions alone of which it is told that they are gone or new.
    fn names(&self, old: &Marked<'_>, new: &Marked<'_>) -> bool {
        let old = without(old.text, |it| self.told.gone.has(self.old, it), nameless);
        let new = without(new.text, |it| self.told.added.has(self.new, it), nameless);
        old == new
    }

    fn is_new(&self, passage: &Marked<'_>) -> bool {
        is_told(passage, &self.told.added, self.new)
    }

    fn is_gone(&self, passage: &Marked<'_>) -> bool {
        is_told(passage, &self.told.gone, self.old)
    }
}

/// A passage with something else in the place of the claims and exemptions of which it is told.
fn without(text: &str, is_told: impl Fn(Mark<'_>) -> bool, with: fn(Mark<'_>) -> String) -> String {
    replaced(text, |mark| if is_told(mark) { with(mark) } else { mark.whole.to_owned() })
}

/// Whether a passage says nothing but claims and exemptions that are known.
fn is_told(passage: &Marked<'_>, known: &Known<'_>, path: &str) -> bool {
    let left = without(passage.text, |mark| known.has(path, mark), |_| String::new());
    left != passage.text && left.split_whitespace().all(|rest| matches!(rest, "|" | "."))
}

/// Both texts without most of what they have in common at either end.
fn shortened(old: &str, new: &str) -> (String, String) {
    let (old, new): (Vec<&str>, Vec<&str>) = (old.split(' ').collect(), new.split(' ').collect());
    let same = |(a, b): &(&&str, &&str)| a == b;
    let start = old.iter().zip(&new).take_while(same).count();
    let most = old.len().min(new.len()) - start;
    let end = old.iter().rev().zip(new.iter().rev()).take(most).take_while(same).count();
    let cut = |words: &[&str]| {
        let from = start.saturating_sub(CONTEXT);
        let to = words.len() - end.saturating_sub(CONTEXT);
        let (before, after) =
            (if from > 0 { "… " } else { "" }, if to < words.len() { " …" } else { "" });
        format!("{before}{}{after}", words[from..to].join(" "))
    };
    (cut(&old), cut(&new))
}

/// How many words are shown on either side of a difference.
const CONTEXT: usize = 6;
