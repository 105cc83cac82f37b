//! What inline values print, by the cells whose values they print.
//!
//! In: an evaluated report. Out: the words, in the order of the text. Left out: where they stand, and
//! the prose around them.

use std::collections::{BTreeMap, BTreeSet};

use crate::claims::published::{Hit, Names, Outcome};
use crate::parse::prose::{Role, prose};
use crate::pipeline::Evaluated;
use crate::resolve::Evaluator;
use crate::words::Words;

/// What inline values print.
pub(super) struct Printed {
    /// The words by the indices of chapter and cell; those made of values of several cells are given to each.
    pub words: BTreeMap<(usize, usize), Vec<String>>,
    /// Expressions that print nothing, since a value is not there.
    pub nothing: BTreeSet<String>,
}

pub(super) fn of(evaluated: &Evaluated) -> Printed {
    let names = Names::new(&evaluated.chapters, &evaluated.executed);
    let evaluator = Evaluator::new(Words::of(&evaluated.config.language));
    let mut printed = Printed { words: BTreeMap::new(), nothing: BTreeSet::new() };
    // A record does not know the order of chapters.
    let mut chapters: Vec<_> = evaluated.chapters.iter().enumerate().collect();
    chapters.sort_by_key(|(_, chapter)| chapter.source.path());
    for (index, chapter) in chapters {
        for stretch in prose(chapter).into_iter().filter(|it| it.role == Role::Value) {
            let expression = chapter.source.text()[stretch.range].trim_matches(['{', '}']);
            let mut cells = BTreeSet::new();
            let found = evaluator.evaluate(expression, |name| {
                let Ok(Hit { result: Outcome::Value(published), chapter, cell }) =
                    names.find(name, index)
                else {
                    return Err(());
                };
                cells.insert((chapter, cell));
                Ok(&published.value)
            });
            // What cannot be evaluated is told where the report is resolved.
            let Ok((words, _)) = found else {
                printed.nothing.insert(expression.to_owned());
                continue;
            };
            for cell in cells {
                printed.words.entry(cell).or_default().push(words.clone());
            }
        }
    }
    printed
}
