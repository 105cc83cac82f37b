//! What stands behind each claim: formulas, passages of code, and the command that judges it again.
//!
//! In: an evaluated report and some of its claims. Out: [`Evidence`], in which a passage that many
//! claims rest on stands once. Left out: how it is shown; value, data and run are in the claim itself.

use std::collections::BTreeMap;

use veracity_protocol::Artifact;

use crate::claims::{Judged, Provenance};
use crate::pipeline::Evaluated;
use crate::plan::Items;
use crate::span::Span;

/// What some claims of a report rest on.
#[derive(Clone, Debug, Default)]
pub struct Evidence {
    /// Passages of code, each once.
    pub passages: Vec<Passage>,
    /// What stands behind a result, by the anchor of the cell that published it.
    pub chains: BTreeMap<String, Chain>,
    /// LaTeX of the formulas that the check of a claim evaluated, as they are printed, by the
    /// identifier of the claim.
    pub formulas: BTreeMap<String, Vec<String>>,
    /// Profile under which all was judged.
    pub profile: String,
}

/// Code where the author wrote it.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct Passage {
    /// Identifier of the cell; none for an item of a module.
    pub cell: Option<String>,
    /// File, line and column.
    pub place: String,
    /// The code.
    pub code: String,
}

/// A cell and the code that it uses, as indices into [`Evidence::passages`].
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct Chain {
    /// The cell itself.
    pub cell: usize,
    /// Cells before it on which it builds, in order.
    pub builds_on: Vec<usize>,
    /// Items of modules that these cells use, in order.
    pub uses: Vec<usize>,
}

impl Evidence {
    /// Gathers what stands behind some claims of a report.
    pub fn of<'a>(evaluated: &'a Evaluated, claims: impl IntoIterator<Item = &'a Judged>) -> Self {
        let profile = evaluated.plan.chapters.first().map(|it| it.foundation.profile.clone());
        let mut evidence = Self { profile: profile.unwrap_or_default(), ..Self::default() };
        let mut known = BTreeMap::new();
        let mut items: BTreeMap<usize, Items<'a>> = BTreeMap::new();
        for claim in claims {
            let Some(from) = &claim.provenance else { continue };
            let Some((chapter, cell)) = place(evaluated, from) else { continue };
            let formulas = formulas(evaluated, chapter, cell, claim);
            if !formulas.is_empty() {
                evidence.formulas.insert(claim.id.clone(), formulas);
            }
            if evidence.chains.contains_key(&from.anchor) {
                continue;
            }
            let parsed = &evaluated.chapters[chapter];
            let needs = &evaluated.plan.chapters[chapter].cells[cell].needs;
            let all: Vec<usize> = needs.iter().copied().chain([cell]).collect();
            let mut add = |cell: Option<&str>, place: &Span, code: &str| {
                *known.entry((chapter, place.range.start)).or_insert_with(|| {
                    let (cell, code) = (cell.map(str::to_owned), code.trim_end().to_owned());
                    evidence.passages.push(Passage { cell, place: place.to_string(), code });
                    evidence.passages.len() - 1
                })
            };
            let items = items.entry(chapter).or_insert_with(|| Items::of(parsed));
            let uses = items.used_by(&all).into_iter();
            let uses = uses.map(|(code, place)| add(None, place, code)).collect();
            let mut cells = all.iter().map(|&index| {
                let cell = &parsed.cells[index];
                add(Some(&cell.id), &cell.span, &cell.code.text)
            });
            let builds_on: Vec<usize> = cells.by_ref().take(needs.len()).collect();
            let cell = cells.next().expect("the cell itself is the last");
            evidence.chains.insert(from.anchor.clone(), Chain { cell, builds_on, uses });
        }
        evidence
    }

    /// The code behind a claim: items of modules, cells on which its cell builds, and its cell.
    pub fn behind(&self, claim: &Judged) -> impl Iterator<Item = &Passage> {
        let chain = claim.provenance.as_ref().and_then(|from| self.chains.get(&from.anchor));
        let all =
            chain.into_iter().flat_map(|it| it.uses.iter().chain(&it.builds_on).chain([&it.cell]));
        all.map(|&index| &self.passages[index])
    }

    /// The command that judges a claim from scratch, for anyone with the report.
    pub fn again(&self, claim: &Judged) -> String {
        let profile = match self.profile.as_str() {
            "" | "quick" => String::new(),
            other => format!(" --profile {}", quoted(other)),
        };
        format!("veracity check --claim {} --no-cache{profile}", quoted(&claim.id))
    }
}

/// The paragraph of the chapter around a place, as it is written.
pub fn paragraph(span: &Span) -> &str {
    let text = span.source.text();
    let start = text[..span.range.start].rfind("\n\n").map_or(0, |at| at + 2);
    let end = text[span.range.end..].find("\n\n").map_or(text.len(), |at| span.range.end + at);
    text[start..end].trim()
}

/// Indices of the chapter and the cell that published a value.
fn place(evaluated: &Evaluated, from: &Provenance) -> Option<(usize, usize)> {
    let chapter = evaluated.chapters.iter().position(|it| it.slug == from.chapter)?;
    let cell = evaluated.chapters[chapter].cells.iter().position(|it| it.id == from.cell)?;
    Some((chapter, cell))
}

/// The formulas that a claim's check evaluated.
fn formulas(evaluated: &Evaluated, chapter: usize, cell: usize, claim: &Judged) -> Vec<String> {
    let name = claim.name.rsplit('/').next();
    let artifacts = &evaluated.executed.chapters[chapter].cells[cell].record.output.artifacts;
    let check = artifacts.iter().find_map(|artifact| match artifact {
        Artifact::Check(check) if Some(check.name.as_str()) == name => Some(check),
        _ => None,
    });
    let Some(check) = check else { return Vec::new() };
    let is_checked = |label: &String| check.equations.contains(label);
    let equations = evaluated.chapters[chapter].equations().into_iter();
    let checked = equations.filter(|equation| equation.label.as_ref().is_some_and(is_checked));
    checked.map(|equation| equation.latex.trim().to_owned()).collect()
}

/// A word as a shell reads it.
fn quoted(word: &str) -> String {
    // `#` begins a comment or a pattern in some shells.
    let plain = |c: char| c.is_ascii_alphanumeric() || "/_-.".contains(c);
    if word.chars().all(plain) {
        return word.to_owned();
    }
    format!("'{}'", word.replace('\'', "'\\''"))
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn a_shell_reads_back_what_was_quoted() {
        assert_eq!(quoted("1-attention/m-count"), "1-attention/m-count");
        assert_eq!(quoted("1-attention/m-count#2"), "'1-attention/m-count#2'");
        assert_eq!(quoted("a/it's; rm"), "'a/it'\\''s; rm'");
    }
}
