//! What a resident context holds, and which cells must run again so that it holds what it would
//! after a clean run.
//!
//! In: cells by key, with what they do to names. Out: the cells to run. Pure.
//!
//! Each variable has a history: the keys of the cells that bound it and, since then, may have
//! changed it. Before a cell runs, the history of each variable that it takes must be the one
//! that the cells in front of it give in a clean run; otherwise those run first. So a cell never
//! sees what a cell left behind that is not in the chapter any more, or not in front of it.

use std::collections::{BTreeMap, BTreeSet};

use crate::plan::Touch;

/// Key of a cell, hexadecimal.
pub(super) type Key = String;

/// A cell as far as this module is concerned.
#[derive(Clone, Debug)]
pub(super) struct Step {
    pub(super) key: Key,
    pub(super) touch: Touch,
    /// Positions of the steps on which this one builds, in order.
    pub(super) needs: Vec<usize>,
}

/// Variables of a context.
#[derive(Clone, Debug, Default)]
pub(super) struct Memory {
    histories: Histories,
    types: BTreeMap<String, String>,
}

type Histories = BTreeMap<String, History>;

/// What has made a variable what it is.
#[derive(Clone, Debug, PartialEq, Eq)]
struct History {
    mutable: bool,
    cells: Vec<Key>,
}

impl Memory {
    /// The positions of the steps to run, in order, so that those in `missing` have run.
    pub(super) fn stale(&self, steps: &[Step], missing: &BTreeSet<usize>) -> BTreeSet<usize> {
        let mut stale = missing.clone();
        loop {
            let before = stale.len();
            let mut histories = self.histories.clone();
            for (position, step) in steps.iter().enumerate() {
                if !stale.contains(&position) {
                    continue;
                }
                let clean = self.clean(steps, position);
                for (name, history) in self.taken(&clean, step) {
                    if histories.get(name) != Some(history) {
                        let makers = step.needs.iter().copied();
                        stale.extend(makers.filter(|&at| history.cells.contains(&steps[at].key)));
                    }
                }
                self.pass(&mut histories, step);
            }
            if stale.len() == before {
                return stale;
            }
        }
    }

    /// The variables that a step takes of those in front of it.
    pub(super) fn takes(&self, steps: &[Step], position: usize) -> BTreeMap<String, bool> {
        let clean = self.clean(steps, position);
        let taken = self.taken(&clean, &steps[position]);
        taken.map(|(name, history)| (name.clone(), history.mutable)).collect()
    }

    /// Notes that steps have run one after another, which variables were kept, and what
    /// the context holds since.
    pub(super) fn ran<'a>(
        &mut self,
        steps: impl IntoIterator<Item = &'a Step>,
        kept: &[String],
        variables: BTreeMap<String, String>,
    ) {
        self.types = variables;
        let mut histories = std::mem::take(&mut self.histories);
        for step in steps {
            self.pass(&mut histories, step);
            for name in step.touch.binds.keys().filter(|name| !kept.contains(name)) {
                histories.remove(name);
            }
        }
        self.histories = histories;
        self.histories.retain(|name, _| self.types.contains_key(name));
    }

    /// Notes that a step failed: what it took is lost, and what the context holds since.
    pub(super) fn failed(&mut self, variables: BTreeMap<String, String>) {
        self.types = variables;
        self.histories.retain(|name, _| self.types.contains_key(name));
    }

    fn clean(&self, steps: &[Step], position: usize) -> Histories {
        let mut histories = Histories::new();
        for &at in &steps[position].needs {
            self.pass(&mut histories, &steps[at]);
        }
        histories
    }

    fn taken<'a>(
        &self,
        clean: &'a Histories,
        step: &'a Step,
    ) -> impl Iterator<Item = (&'a String, &'a History)> {
        clean.iter().filter(|(name, _)| step.touch.mentions.contains(*name))
    }

    fn pass(&self, histories: &mut Histories, step: &Step) {
        for (name, history) in histories.iter_mut() {
            let mentioned = step.touch.mentions.contains(name);
            let bound = step.touch.binds.contains_key(name);
            if mentioned && !bound && (history.mutable || self.may_change(name)) {
                history.cells.push(step.key.clone());
            }
        }
        for (name, &mutable) in &step.touch.binds {
            histories.insert(name.clone(), History { mutable, cells: vec![step.key.clone()] });
        }
    }

    /// Whether a cell that mentions an immutable variable may change it.
    fn may_change(&self, name: &str) -> bool {
        // A type that is not known yet may be anything.
        self.types.get(name).is_none_or(|of_type| !is_plain(of_type))
    }
}

/// Whether a type consists of owned data alone, without interior mutability.
fn is_plain(of_type: &str) -> bool {
    const PLAIN: [&str; 35] = [
        "i8",
        "i16",
        "i32",
        "i64",
        "i128",
        "isize",
        "u8",
        "u16",
        "u32",
        "u64",
        "u128",
        "usize",
        "f32",
        "f64",
        "bool",
        "char",
        "str",
        "String",
        "Vec",
        "Option",
        "Box",
        "BTreeMap",
        "BTreeSet",
        "alloc",
        "core",
        "string",
        "vec",
        "option",
        "boxed",
        "collections",
        "btree",
        "map",
        "set",
        "BigInt",
        "num_bigint",
    ];
    let words = of_type.split(|c: char| !(c.is_alphanumeric() || c == '_'));
    let mut words = words.filter(|word| !word.is_empty() && !word.starts_with(char::is_numeric));
    words.all(|word| PLAIN.contains(&word))
}

#[cfg(test)]
mod tests {
    use super::*;

    /// What cells know of variables: the derivation of each, in words.
    type Variables = BTreeMap<String, String>;

    /// A cell: version, what it binds and whether mutably, what it mentions.
    type Cell = (u64, BTreeMap<String, bool>, BTreeSet<String>);

    fn steps(cells: &[Cell]) -> Vec<Step> {
        let mut steps: Vec<Step> = Vec::new();
        for (version, binds, mentions) in cells {
            let mut names = mentions.clone();
            let mut needs = Vec::new();
            for (at, before) in steps.iter().enumerate().rev() {
                let touched: BTreeSet<String> = before
                    .touch
                    .mentions
                    .iter()
                    .chain(before.touch.binds.keys())
                    .cloned()
                    .collect();
                if !touched.is_disjoint(&names) {
                    names.extend(touched);
                    needs.push(at);
                }
            }
            needs.reverse();
            let keys: String = needs.iter().map(|&at: &usize| steps[at].key.as_str()).collect();
            let key = blake3::hash(format!("{version} {binds:?} {mentions:?} {keys}").as_bytes());
            let touch =
                Touch { binds: binds.clone(), mentions: mentions.clone(), ..Touch::default() };
            steps.push(Step { key: key.to_hex().to_string(), touch, needs });
        }
        steps
    }

    fn type_of(name: &str) -> String {
        if name == "a" { "u64" } else { "chapter::Model" }.to_owned()
    }

    /// Runs a step, gives what it sees.
    fn execute(step: &Step, taken: &BTreeMap<String, bool>, variables: &mut Variables) -> String {
        let seen: Vec<String> =
            taken.keys().map(|name| variables.get(name).cloned().unwrap_or_default()).collect();
        let seen = format!("{seen:?}");
        for (name, mutable) in taken {
            if *mutable || type_of(name) != "u64" {
                let changed = variables.entry(name.clone()).or_default();
                changed.push_str(&format!("+{}", &step.key[..6]));
            }
        }
        for name in step.touch.binds.keys() {
            variables.insert(name.clone(), format!("{}{seen}", &step.key[..6]));
        }
        seen
    }

    fn run(memory: &mut Memory, variables: &mut Variables, steps: &[Step], at: usize) -> String {
        let taken = memory.takes(steps, at);
        let seen = execute(&steps[at], &taken, variables);
        let kept: Vec<String> = steps[at].touch.binds.keys().chain(taken.keys()).cloned().collect();
        let types = variables.keys().map(|name| (name.clone(), type_of(name))).collect();
        memory.ran([&steps[at]], &kept, types);
        seen
    }

    #[test]
    fn after_any_edits_a_cell_sees_what_it_would_in_a_clean_run() {
        let mut state = 7_u64;
        let mut random = |below: u64| {
            state = state
                .wrapping_mul(6_364_136_223_846_793_005)
                .wrapping_add(1_442_695_040_888_963_407);
            (state >> 33) % below
        };
        let mut spared = 0;
        for _ in 0..60 {
            let mut cell = || -> Cell {
                let mut binds = BTreeMap::new();
                let mut mentions = BTreeSet::new();
                for name in ["a", "b", "c", "d"] {
                    if random(4) == 0 {
                        binds.insert(name.to_owned(), random(2) == 0);
                    }
                    if random(3) == 0 {
                        mentions.insert(name.to_owned());
                    }
                }
                mentions.extend(binds.keys().cloned());
                (random(1000), binds, mentions)
            };
            let mut cells: Vec<Cell> = (0..6).map(|_| cell()).collect();
            let (mut memory, mut variables) = (Memory::default(), Variables::new());
            let mut known: BTreeMap<Key, String> = BTreeMap::new();
            for edit in 0..12 {
                let at = edit * 5 % cells.len();
                match edit % 4 {
                    0 => cells[at] = cell(),
                    1 if cells.len() > 2 => drop(cells.remove(at)),
                    2 => cells.insert(at, cell()),
                    _ => cells[at].0 += 1,
                }
                let steps = steps(&cells);
                let missing: BTreeSet<usize> =
                    (0..steps.len()).filter(|&at| !known.contains_key(&steps[at].key)).collect();
                let stale = memory.stale(&steps, &missing);
                spared += steps.len() - stale.len();
                for &at in &stale {
                    let seen = run(&mut memory, &mut variables, &steps, at);
                    known.insert(steps[at].key.clone(), seen);
                }
                let (mut clean, mut fresh) = (Memory::default(), Variables::new());
                for at in 0..steps.len() {
                    let seen = run(&mut clean, &mut fresh, &steps, at);
                    assert_eq!(known[&steps[at].key], seen, "cell {at} of {cells:?}");
                }
            }
        }
        assert!(spared > 500, "{spared}");
    }

    #[test]
    fn only_owned_data_is_plain() {
        for plain in
            ["u64", "&str", "alloc::vec::Vec<[f64; 3]>", "core::option::Option<(u8, bool)>"]
        {
            assert!(is_plain(plain), "{plain}");
        }
        for other in ["core::cell::Cell<u64>", "alloc::boxed::Box<dyn core::ops::Fn()>", "a::Model"]
        {
            assert!(!is_plain(other), "{other}");
        }
    }
}
