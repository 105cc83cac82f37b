//! Changes of printed formulas.
//!
//! In: the equations that checks evaluated. Out: for each a group of mutants, of one number, sign,
//! bound or variable each. Left out: whether such a formula still means something, which its
//! check finds out.

use std::collections::BTreeSet;
use std::ops::Range;

use veracity_protocol::Artifact;

use super::{Kind, Mutant, cell_of};
use crate::claims::Judged;
use crate::parse::Equation;
use crate::pipeline::Evaluated;

/// The mutants of each formula on which a claim rests.
pub(super) fn mutants(report: &Evaluated, tested: &[&Judged]) -> Vec<Vec<Mutant>> {
    let mut groups = Vec::new();
    for (index, chapter) in report.chapters.iter().enumerate() {
        for equation in chapter.equations() {
            let Some(label) = &equation.label else { continue };
            let claims: Vec<String> = tested
                .iter()
                .filter(|claim| evaluated(report, claim, index).contains(label.as_str()))
                .map(|claim| claim.id.clone())
                .collect();
            if claims.is_empty() {
                continue;
            }
            let mutant = |(range, by): (Range<usize>, String)| Mutant {
                kind: Kind::Formula,
                chapter: index,
                span: chapter.source.span(range),
                by,
                claims: claims.clone(),
                reason: None,
            };
            groups.push(changes(equation).into_iter().map(mutant).collect());
        }
    }
    groups
}

/// Labels of the formulas of a chapter that the check behind a claim evaluated.
fn evaluated<'a>(report: &'a Evaluated, claim: &Judged, chapter: usize) -> BTreeSet<&'a str> {
    let Some((from, cell)) = cell_of(report, claim) else { return BTreeSet::new() };
    if from != chapter {
        return BTreeSet::new();
    }
    let name = claim.name.rsplit('/').next().unwrap_or_default();
    let artifacts = &report.executed.chapters[from].cells[cell].record.output.artifacts;
    let checks = artifacts.iter().filter_map(|artifact| match artifact {
        Artifact::Check(check) if check.name == name => Some(check),
        _ => None,
    });
    checks.flat_map(|check| &check.equations).map(String::as_str).collect()
}

/// Changes of one number, sign or bound each, by their places in the chapter.
fn changes(equation: &Equation) -> Vec<(Range<usize>, String)> {
    let start = equation.span.range.start;
    let latex = equation.span.text();
    let mut changes = Vec::new();
    let mut change = |range: Range<usize>, by: String| {
        changes.push((start + range.start..start + range.end, by));
    };
    for (at, character) in latex.char_indices() {
        let end = at + character.len_utf8();
        match character {
            '0'..='9' => {
                let digit = character.to_digit(10).unwrap_or_default();
                change(at..end, ((digit + 1) % 10).to_string());
            }
            '+' => change(at..end, "-".to_owned()),
            '-' => change(at..end, "+".to_owned()),
            _ => {}
        }
    }
    for chain in chains(latex) {
        for (from, to) in [("<", "\\le "), ("\\le ", "<")] {
            for (at, _) in latex[chain.clone()].match_indices(from) {
                let at = chain.start + at;
                change(at..at + from.len(), to.to_owned());
            }
        }
    }
    // The last index of a sum or product.
    for operator in ["\\sum", "\\prod"] {
        for (at, _) in latex.match_indices(operator) {
            let Some(open) = latex[at..].find("}^").map(|found| at + found + 2) else { continue };
            if latex[open..].starts_with('{')
                && let Some(close) = latex[open..].find('}')
            {
                change(open + close..open + close, " + 1".to_owned());
            }
        }
    }
    for at in variables(latex) {
        change(at..at + 1, format!("({} + 1)", &latex[at..=at]));
    }
    changes
}

/// Bounds of sums and products in one chain, `1 \le i < j \le D`.
fn chains(latex: &str) -> Vec<Range<usize>> {
    let opens = ["\\sum_{", "\\prod_{"].into_iter();
    let opens = opens.flat_map(|open| latex.match_indices(open).map(|(at, it)| at + it.len()));
    let to_end = opens.filter_map(|at| Some(at..at + latex[at..].find('}')?));
    to_end.filter(|range| !latex[range.clone()].contains('=')).collect()
}

/// Where the letters stand that are variables and have a value, behind the name of the formula.
fn variables(latex: &str) -> Vec<usize> {
    const ALIGNED: &str = "\\begin{aligned}";
    let begin = latex.find(ALIGNED).map_or(0, |at| at + ALIGNED.len());
    let name = latex[begin..].find('=').map(|at| begin + at);
    let bytes = latex.as_bytes();
    let chains = chains(latex);
    let mut found = Vec::new();
    let mut at =
        name.filter(|&at| !latex[begin..at].contains(['|', '\\', '^', '+'])).unwrap_or(begin);
    while at < bytes.len() {
        if bytes[at] == b'\\' {
            let command = at + 1;
            at = command;
            while at < bytes.len() && bytes[at].is_ascii_alphabetic() {
                at += 1;
            }
            // Words name no variable.
            if ["text", "mathrm", "operatorname"].contains(&&latex[command..at]) {
                at += latex[at..].find('}').map_or(0, |close| close + 1);
            }
            if latex[..at].ends_with("\\end") {
                break;
            }
        } else {
            let next = at + latex[at..].chars().next().map_or(1, char::len_utf8);
            // An index is bound where an equals sign follows, or the next relation of a chain.
            let rest = latex[next..].trim_start();
            let is_next = ["<", "\\le"].iter().any(|relation| rest.starts_with(relation));
            let bound =
                rest.starts_with('=') || is_next && chains.iter().any(|chain| chain.contains(&at));
            if bytes[at].is_ascii_alphabetic() && !bound {
                found.push(at);
            }
            at = next;
        }
    }
    found
}
