//! A chapter with no more code than some claims need.
//!
//! In: a mutant. Out: the changed chapter, in whose cells only the statements are left from which
//! the values behind its claims are made, as far as names tell. Everything else is blank, so that a
//! place is still the same place. A cell may train a network and count something else besides; a
//! change of what counts need not wait for the training. Left out: whether what is left can be
//! compiled.

use std::ops::Range;

use syn::spanned::Spanned;

use super::{Mutant, cell_of};
use crate::parse::Chapter;
use crate::pipeline::Evaluated;
use crate::plan::slice;

/// The text of the changed chapter; nothing if all of its code is needed.
pub(super) fn text(report: &Evaluated, mutant: &Mutant) -> Option<String> {
    let chapter = &report.chapters[mutant.chapter];
    let mut needed = Vec::new();
    for id in &mutant.claims {
        let claim = report.document.claims.iter().find(|claim| claim.id == *id)?;
        let (from, cell) = cell_of(report, claim)?;
        let needs = &report.plan.chapters[from].cells[cell].needs;
        let name = claim.name.rsplit('/').next().unwrap_or_default();
        needed.extend(slice::behind(chapter, cell, needs, name));
    }
    let mut text = chapter.source.text().to_owned().into_bytes();
    let mut is_less = false;
    for place in statements(chapter) {
        let is_needed = needed.iter().any(|it| it.start <= place.start && place.end <= it.end);
        if !is_needed {
            is_less = true;
            text[place].iter_mut().filter(|byte| **byte != b'\n').for_each(|byte| *byte = b' ');
        }
    }
    // What is replaced is behind a claim, and stands where it stood.
    let mut text = String::from_utf8(text).ok().filter(|_| is_less)?;
    text.replace_range(mutant.span.range.clone(), &mutant.by);
    Some(text)
}

/// Where the statements of the cells stand in the chapter.
fn statements(chapter: &Chapter) -> Vec<Range<usize>> {
    let mut places = Vec::new();
    for cell in &chapter.cells {
        let code = &cell.code;
        let parsed = syn::parse::Parser::parse_str(syn::Block::parse_within, &code.text);
        let Ok(statements) = parsed else { continue };
        for range in statements.iter().map(|statement| statement.span().byte_range()) {
            let place = code.offset(range.start)..code.offset(range.end);
            // In a quotation or a list something else stands between the lines.
            if chapter.source.text().get(place.clone()) == code.text.get(range) {
                places.push(place);
            }
        }
    }
    places
}
