//! The chain behind a claim: from the printed number to the run that it rests on.
//!
//! In: an evaluated report and one of its claims. Out: a [`Chain`], whose parts stand in the order
//! in which one asks for them: what is printed, how it must be related to which value, the cell
//! that gave the value, the code and formulas behind that, the data, and the record of the run.
//! Left out: how it is shown.

use veracity_protocol::{Artifact, DataUse};

use crate::claims::{Judged, Provenance};
use crate::parse::Chapter;
use crate::pipeline::Evaluated;
use crate::plan::{ChapterPlan, Items};
use crate::span::Span;

/// Everything that led to a verdict.
#[derive(Clone, Debug)]
pub struct Chain<'a> {
    /// The claim: what is printed, the relation, the value and the verdict.
    pub claim: &'a Judged,
    /// The paragraph of the chapter in which it stands, as it is written.
    pub paragraph: &'a str,
    /// LaTeX of the formulas that its check evaluated, as they are printed.
    pub formulas: Vec<&'a str>,
    /// The code behind the value: items of modules, cells on which its cell builds, and at the end
    /// its cell; nothing if no cell published it.
    pub code: Vec<Part>,
    /// The data set behind the value.
    pub data: Option<&'a DataUse>,
    /// The run that gave the value: cell, key, device, profile, seed and duration.
    pub run: Option<&'a Provenance>,
    /// The command that runs what the claim needs from scratch, for anyone with the report.
    pub again: String,
}

/// A piece of code behind a value.
#[derive(Clone, Debug)]
pub struct Part {
    /// Identifier of the cell; none for an item of a module.
    pub cell: Option<String>,
    /// Where it stands.
    pub span: Span,
    /// The code.
    pub code: String,
}

impl<'a> Chain<'a> {
    /// The chain behind a claim of a report.
    pub fn of(evaluated: &'a Evaluated, claim: &'a Judged) -> Self {
        let run = claim.provenance.as_ref();
        let place = run.and_then(|run| {
            let chapters = &evaluated.chapters;
            let index = chapters.iter().position(|chapter| chapter.slug == run.chapter)?;
            Some((index, run.cell.as_str()))
        });
        let profile = evaluated.plan.chapters.first().map(|chapter| &chapter.foundation.profile);
        Self {
            claim,
            paragraph: paragraph(&claim.span),
            formulas: place
                .map(|(chapter, cell)| formulas(evaluated, chapter, cell, claim))
                .unwrap_or_default(),
            code: place
                .map(|(chapter, cell)| {
                    code(&evaluated.chapters[chapter], &evaluated.plan.chapters[chapter], cell)
                })
                .unwrap_or_default(),
            data: run.and_then(|run| run.data.as_ref()),
            run,
            again: again(&claim.id, profile.map_or("quick", String::as_str)),
        }
    }
}

/// The command that judges a claim from scratch.
fn again(id: &str, profile: &str) -> String {
    let profile = match profile {
        "quick" => String::new(),
        other => format!(" --profile {other}"),
    };
    // `#` begins a comment in some shells.
    let id = if id.contains('#') { format!("'{id}'") } else { id.to_owned() };
    format!("veracity check --claim {id} --no-cache{profile}")
}

fn paragraph(span: &Span) -> &str {
    let text = span.source.text();
    let start = text[..span.range.start].rfind("\n\n").map_or(0, |at| at + 2);
    let end = text[span.range.end..].find("\n\n").map_or(text.len(), |at| span.range.end + at);
    text[start..end].trim()
}

/// The formulas that a claim's check evaluated, as they are printed.
fn formulas<'a>(
    evaluated: &'a Evaluated,
    chapter: usize,
    cell: &str,
    claim: &Judged,
) -> Vec<&'a str> {
    let parsed = &evaluated.chapters[chapter];
    let name = claim.name.rsplit('/').next();
    let checked: Vec<&String> = parsed
        .cells
        .iter()
        .zip(&evaluated.executed.chapters[chapter].cells)
        .filter(|(parsed, _)| parsed.id == cell)
        .flat_map(|(_, result)| &result.output.artifacts)
        .filter_map(|artifact| match artifact {
            Artifact::Check(check) if Some(check.name.as_str()) == name => Some(&check.equations),
            _ => None,
        })
        .flatten()
        .collect();
    let is_checked = |label: &String| checked.contains(&label);
    let equations = parsed.equations().into_iter();
    equations
        .filter(|equation| equation.label.as_ref().is_some_and(is_checked))
        .map(|equation| equation.latex.trim())
        .collect()
}

/// The cell behind a claim, after the items of modules and the cells that it builds on.
fn code(chapter: &Chapter, plan: &ChapterPlan, cell: &str) -> Vec<Part> {
    let Some(index) = plan.cells.iter().position(|other| other.id == cell) else {
        return Vec::new();
    };
    let needed: Vec<usize> = plan.cells[index].needs.iter().copied().chain([index]).collect();
    let items = Items::of(chapter);
    let modules = items.used_by(&needed).into_iter();
    let modules =
        modules.map(|(code, span)| Part { cell: None, span: span.clone(), code: code.into() });
    let cells = needed.iter().map(|&needed| {
        let cell = &chapter.cells[needed];
        let code = cell.code.text.clone();
        Part { cell: Some(cell.id.clone()), span: cell.span.clone(), code }
    });
    modules.chain(cells).collect()
}
