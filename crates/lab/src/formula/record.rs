//! Which formulas a check evaluates.
//!
//! In: evaluations on this thread. Out: for each check under construction, the formulas of
//! which every side was evaluated, and sides that disagreed. Left out: other threads.

use std::cell::{Cell, RefCell};
use std::collections::{BTreeMap, BTreeSet};
use std::marker::PhantomData;

use super::Equation;

thread_local! {
    static NEXT: Cell<u64> = const { Cell::new(0) };
    static RECORDS: RefCell<BTreeMap<u64, Record>> = const { RefCell::new(BTreeMap::new()) };
}

#[derive(Default)]
struct Record {
    /// By label: the formula and the sides of it that were evaluated.
    evaluated: BTreeMap<String, (Equation, BTreeSet<usize>)>,
    disagreement: Option<String>,
}

/// Records the evaluations on this thread from its start until it is dropped.
#[derive(Debug)]
pub(crate) struct Recording {
    id: u64,
    /// The records belong to the thread.
    _not_send: PhantomData<*const ()>,
}

impl Recording {
    pub(crate) fn start() -> Self {
        let id = NEXT.replace(NEXT.get() + 1);
        RECORDS.with_borrow_mut(|records| records.insert(id, Record::default()));
        Self { id, _not_send: PhantomData }
    }

    /// Labels of the formulas of which every side was evaluated.
    pub(crate) fn labels(&self) -> Vec<String> {
        self.read(|record| {
            let whole = record.evaluated.values().filter(|(eq, sides)| sides.len() == eq.sides());
            whole.map(|(equation, _)| equation.label().to_owned()).collect()
        })
    }

    /// All formulas of which some side was evaluated.
    pub(crate) fn equations(&self) -> Vec<Equation> {
        self.read(|record| record.evaluated.values().map(|(eq, _)| eq.clone()).collect())
    }

    /// Takes the first disagreement of sides since the last call.
    pub(crate) fn take_disagreement(&self) -> Option<String> {
        self.read(|record| record.disagreement.take())
    }

    fn read<T: Default>(&self, read: impl FnOnce(&mut Record) -> T) -> T {
        RECORDS.with_borrow_mut(|records| records.get_mut(&self.id).map(read).unwrap_or_default())
    }
}

impl Drop for Recording {
    fn drop(&mut self) {
        // At the end of the thread the records may be gone already.
        let _ = RECORDS.try_with(|records| records.borrow_mut().remove(&self.id));
    }
}

/// Notes that a side was evaluated.
pub(super) fn evaluated(equation: &Equation, side: usize) {
    RECORDS.with_borrow_mut(|records| {
        for record in records.values_mut() {
            let label = equation.label();
            if let Some((_, sides)) = record.evaluated.get_mut(label) {
                sides.insert(side);
            } else {
                let first = (equation.clone(), BTreeSet::from([side]));
                record.evaluated.insert(label.to_owned(), first);
            }
        }
    });
}

/// Notes that sides disagreed, for the checks under construction; false if there are none.
pub(super) fn disagreed(message: &str) -> bool {
    RECORDS.with_borrow_mut(|records| {
        for record in records.values_mut() {
            record.disagreement.get_or_insert_with(|| message.to_owned());
        }
        !records.is_empty()
    })
}
