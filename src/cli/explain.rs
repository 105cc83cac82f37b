//! `veracity explain CLAIM`: the whole chain from the printed number to the code behind it.

use std::fmt::Write as _;

use veracity_protocol::Artifact;

use super::Session;
use super::summary::plain;
use crate::claims::{Expected, Judged};
use crate::data::kind_word;
use crate::diag::{Diagnostic, printable};
use crate::parse::Chapter;
use crate::pipeline::{self, BuildEvent, BuildRequest, Evaluated};
use crate::plan::{ChapterPlan, items};
use crate::publish::Output;

pub(super) fn explain(
    session: &Session,
    request: &BuildRequest,
    wanted: &str,
) -> Result<u8, Vec<Diagnostic>> {
    let show = |event: BuildEvent<'_>| session.progress.show(event);
    // Its cells may run, and no other build may clear away what they write meanwhile.
    let _output =
        Output::open(&request.out, || show(BuildEvent::Waiting)).map_err(|it| vec![it])?;
    let evaluated =
        pipeline::evaluate(request, &crate::world::DiskWorld::new(&request.root), &show)?;
    session.progress.finish();
    match told(request, &evaluated, wanted) {
        Ok(words) => session.print(&words),
        Err(problem) => {
            session.problem(&problem);
            return Ok(super::USAGE);
        }
    }
    Ok(0)
}

/// How the claims of a name were judged.
///
/// # Errors
/// If no claim has it.
pub(super) fn told(
    request: &BuildRequest,
    evaluated: &Evaluated,
    wanted: &str,
) -> Result<String, Diagnostic> {
    let claims = &evaluated.document.claims;
    let found: Vec<&Judged> =
        claims.iter().filter(|claim| claim.id == wanted || claim.name == wanted).collect();
    if found.is_empty() {
        let names = claims.iter().flat_map(|claim| [claim.id.as_str(), claim.name.as_str()]);
        let known: Vec<&str> = claims.iter().map(|claim| claim.id.as_str()).collect();
        return Err(Diagnostic::global("unknown-claim", format!("no claim is called `{wanted}`"))
            .note(match known.as_slice() {
                [] => "this report makes no claims".to_owned(),
                known => format!("its claims: {}", known.join(", ")),
            })
            .did_you_mean(wanted, names));
    }
    let words: Vec<String> = found.iter().map(|claim| words(request, evaluated, claim)).collect();
    Ok(words.join("\n"))
}

fn words(request: &BuildRequest, evaluated: &Evaluated, claim: &Judged) -> String {
    let mut text = String::new();
    let bold = |words: &str| format!("\x1b[1m{words}\x1b[0m");
    let verdict = match (claim.verdict.word(), claim.expected) {
        ("refuted", Expected::Refuted) => "refuted, as expected",
        ("verified", Expected::Refuted) => "verified, but said to be wrong",
        (word, _) => word,
    };
    let mut line = |name: &str, words: &str| {
        for (index, words) in words.lines().enumerate() {
            let name = if index == 0 { name } else { "" };
            let _ = writeln!(text, "{} {}", bold(&format!("{name:>9}")), printable(words));
        }
    };
    line("claim", &claim.id);
    line("at", &claim.span.to_string());
    line("prose", sentence(claim).trim());
    line("asserts", &claim.text);
    line("relation", &claim.relation);
    if let Some(value) = &claim.value {
        let unit = claim.unit.as_deref().unwrap_or_default();
        line("value", format!("{value} {unit}").trim());
    }
    line("verdict", verdict);
    line("because", claim.verdict.detail());
    let place = |slug: &str| evaluated.chapters.iter().position(|chapter| chapter.slug == slug);
    let computed_in = claim.provenance.as_ref().map_or(&claim.chapter, |from| &from.chapter);
    if let Some(from) = &claim.provenance {
        line("device", &from.device);
        line("profile", &from.profile);
        if let Some(data) = &from.data {
            let kind = kind_word(data.kind);
            line("data", &format!("{} ({kind}), digest {}", data.name, data.digest));
        }
        if let Some(seed) = from.seed {
            line("seed", &seed.to_string());
        }
        line("key", &from.key);
        line("took", &format!("{} ms", from.duration_ms));
        if let Some(index) = place(&from.chapter) {
            for formula in formulas(evaluated, index, &from.cell, claim) {
                line("formula", formula);
            }
            let plan = &evaluated.plan.chapters[index];
            code(&evaluated.chapters[index], plan, &from.cell, &mut text, bold);
        }
    }
    if let Some(index) = place(computed_in) {
        let title = printable(&plain(&evaluated.document.chapters[index].title));
        let profile = match request.profile.as_str() {
            "quick" => String::new(),
            other => format!(" --profile {other}"),
        };
        let _ = writeln!(
            text,
            "{} veracity check --no-cache --chapter {}{profile}    # {title}",
            bold("    again"),
            index + 1,
        );
    }
    text
}

/// The paragraph of the chapter in which the claim stands.
fn sentence(claim: &Judged) -> String {
    let source = &claim.span.source;
    let text = source.text();
    let start = text[..claim.span.range.start].rfind("\n\n").map_or(0, |at| at + 2);
    let end = text[claim.span.range.end..]
        .find("\n\n")
        .map_or(text.len(), |at| claim.span.range.end + at);
    text[start..end].to_owned()
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

/// The cell behind a claim, with the items of modules and the cells that it builds on before it.
fn code(
    chapter: &Chapter,
    plan: &ChapterPlan,
    cell: &str,
    text: &mut String,
    bold: impl Fn(&str) -> String,
) {
    let Some(index) = plan.cells.iter().position(|other| other.id == cell) else { return };
    let needed: Vec<usize> = plan.cells[index].needs.iter().copied().chain([index]).collect();
    for (code, span) in items(chapter, &needed) {
        let _ = writeln!(text, "{} at {span}", bold("   module"));
        for line in code.lines() {
            let _ = writeln!(text, "          | {}", printable(line));
        }
    }
    for needed in needed {
        let cell = &chapter.cells[needed];
        let name = printable(&cell.id);
        let _ = writeln!(text, "{} {name} at {}", bold("     cell"), cell.span);
        for line in cell.code.text.lines() {
            let _ = writeln!(text, "          | {}", printable(line));
        }
    }
}
