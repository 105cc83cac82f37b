//! What inline values print, by the cells whose values they print.
//!
//! In: an evaluated report. Out: the words, in the order of the text. Left out: where they stand, and
//! the prose around them.

use std::collections::{BTreeMap, BTreeSet};

use crate::claims::published::{Hit, Names, Outcome};
use crate::parse::prose::{Role, prose};
use crate::pipeline::Evaluated;
use crate::resolve::Evaluator;

/// The words by the indices of chapter and cell; those made of values of several cells are given to each.
pub(super) fn of(evaluated: &Evaluated) -> BTreeMap<(usize, usize), Vec<String>> {
    let names = Names::new(&evaluated.chapters, &evaluated.executed);
    let evaluator = Evaluator::new();
    let mut printed: BTreeMap<_, Vec<String>> = BTreeMap::new();
    for (index, chapter) in evaluated.chapters.iter().enumerate() {
        for stretch in prose(chapter).into_iter().filter(|it| it.role == Role::Value) {
            let expression = &chapter.source.text()[stretch.range];
            let mut cells = BTreeSet::new();
            let found = evaluator.evaluate(expression.trim_matches(['{', '}']), |name| {
                let Ok(Hit { result: Outcome::Value(published), chapter, cell }) =
                    names.find(name, index)
                else {
                    return Err(());
                };
                cells.insert((chapter, cell));
                Ok(&published.value)
            });
            // What cannot be evaluated is told where the report is resolved.
            let Ok((words, _)) = found else { continue };
            for cell in cells {
                printed.entry(cell).or_default().push(words.clone());
            }
        }
    }
    printed
}
