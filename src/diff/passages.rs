//! What has changed of what a report says.
//!
//! In: the passages of both sides, the pairs of their claims, and the changes so far. Out: changes. None is told of a
//! passage of which all is told of its claims: other words of a claim, a claim or an exemption that is new or gone.
//! Formulas that look the same are the same. Time grows with the number of passages, not with its square.

use std::borrow::Cow;
use std::collections::{BTreeSet, HashMap};
use std::ops::Range;

use super::matching::Pair;
use super::{Change, Kind, Side, order, place};
use crate::math;
use crate::parse::prose::EXEMPT;
use crate::passages::values;
use crate::record::Passage;

/// Compares the passages of two sides, if both know theirs.
pub(super) fn compare(old: &Side, new: &Side, claims: &[Pair<'_>], changes: &mut Vec<Change>) {
    let (Some(before), Some(after)) = (&old.passages, &new.passages) else { return };
    let told = Told::of(claims, changes);
    let (says, said) = (texts(before), texts(after));
    let mut left = Left { old: (0..before.len()).collect(), new: (0..after.len()).collect() };
    let mut same = left.pair(
        |old| Some((before[old].path.as_str(), &says[old])),
        |new| Some((after[new].path.as_str(), &said[new])),
    );
    same.extend(left.pair(|old| Some(&says[old]), |new| Some(&said[new])));
    let marked = |texts: &[Cow<'_, str>], left: &[usize]| -> HashMap<usize, Marked> {
        left.iter().map(|&index| (index, Marked::of(&texts[index]))).collect()
    };
    let (olds, news) = (marked(&says, &left.old), marked(&said, &left.new));
    // Only the words of its claims, or which of its words are claims.
    let about: [fn(&Marked) -> Option<&str>; 2] =
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
    let named = |it: &Marked| {
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

/// A passage without some of its marks.
struct Marked {
    /// Without the words of claims.
    around: String,
    /// Without the names of claims.
    plain: String,
    /// Words and names of claims, in order.
    claims: Vec<(String, String)>,
    /// Names of claims and expressions of inline values, sorted.
    names: Vec<String>,
}

impl Marked {
    fn of(text: &str) -> Self {
        let (mut around, mut plain) = (String::new(), String::new());
        let mut at = 0;
        let mut claims = Vec::new();
        for (words, name) in claims_of(text) {
            // What stands in the words of another has been taken already.
            if words.start <= at && at > 0 {
                continue;
            }
            around.push_str(&text[at..words.start]);
            around.push_str(&text[words.end..name.end]);
            plain.push_str(&text[at..words.start - 1]);
            plain.push_str(&text[words.clone()]);
            at = name.end;
            claims.push((text[words].to_owned(), text[name.start..name.end - 1].to_owned()));
        }
        around.push_str(&text[at..]);
        plain.push_str(&text[at..]);
        let names = claims.iter().map(|(_, name)| name.as_str()).chain(values(text));
        let mut names: Vec<String> = names.map(str::to_owned).collect();
        names.sort();
        Self { around, plain, claims, names }
    }
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

/// What is told of claims themselves, by the file and the name without the chapter.
#[derive(Default)]
struct Told<'a> {
    /// Claims with other words.
    reworded: BTreeSet<(&'a str, &'a str)>,
    /// New claims.
    added: BTreeSet<(&'a str, &'a str)>,
    /// Claims that are gone.
    gone: BTreeSet<(&'a str, &'a str)>,
    /// Files with other exemptions.
    exempt: BTreeSet<String>,
}

/// What is told of the claims of a file, which may have had another name.
struct ToldAt<'a> {
    told: &'a Told<'a>,
    old: &'a str,
    new: &'a str,
}

impl<'a> Told<'a> {
    fn of(claims: &[Pair<'a>], changes: &[Change]) -> Self {
        let mut told = Self::default();
        for pair in claims {
            let Some(entry) = pair.new.or(pair.old) else { continue };
            let name = last(entry.id.split('#').next().unwrap_or_default());
            let set = match (pair.old, pair.new) {
                (Some(old), Some(new)) if old.text == new.text => continue,
                (Some(_), Some(_)) => &mut told.reworded,
                (None, _) => &mut told.added,
                (_, None) => &mut told.gone,
            };
            set.insert((entry.path.as_str(), name));
        }
        let exempt = |it: &&Change| matches!(it.kind, Kind::Exempted | Kind::Claimed);
        told.exempt = changes.iter().filter(exempt).map(|it| it.what.clone()).collect();
        told
    }

    fn at(&'a self, old: &'a str, new: &'a str) -> ToldAt<'a> {
        ToldAt { told: self, old, new }
    }
}

impl ToldAt<'_> {
    /// Whether every claim of a passage with other words is told, where nothing else has changed.
    fn words(&self, old: &Marked, new: &Marked) -> bool {
        let pairs = old.claims.iter().zip(&new.claims).filter(|(old, new)| old != new);
        let mut names = pairs.map(|(_, (_, name))| name.as_str());
        names.all(|name| self.is_told(name, &self.told.reworded, self.new))
    }

    /// Whether it is told of every name in one of two passages only, of which there is one, that its claim is gone
    /// or new.
    fn names(&self, old: &Marked, new: &Marked) -> bool {
        let only = |one: &Marked, other: &Marked, told: &BTreeSet<(&str, &str)>, path: &str| {
            let mut names = one.names.iter().filter(|name| !other.names.contains(name));
            names.all(|name| self.is_told(name, told, path))
        };
        old.names != new.names
            && only(old, new, &self.told.gone, self.old)
            && only(new, old, &self.told.added, self.new)
    }

    fn is_new(&self, passage: &Marked) -> bool {
        self.has(passage, &self.told.added, self.new)
    }

    fn is_gone(&self, passage: &Marked) -> bool {
        self.has(passage, &self.told.gone, self.old)
    }

    fn has(&self, passage: &Marked, told: &BTreeSet<(&str, &str)>, path: &str) -> bool {
        passage.claims.iter().any(|(_, name)| self.is_told(name, told, path))
    }

    fn is_told(&self, name: &str, told: &BTreeSet<(&str, &str)>, path: &str) -> bool {
        match name {
            EXEMPT => self.told.exempt.contains(path),
            name => told.contains(&(path, last(name))),
        }
    }
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
