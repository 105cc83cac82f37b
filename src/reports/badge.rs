//! A badge: an SVG of two words, to be shown where a project is introduced.

use super::Findings;
use crate::claims::Standing;
use crate::diag::Severity;

/// Height in pixels.
const HEIGHT: u32 = 20;
/// Space on both sides of words.
const PADDING: u32 = 6;
const LABEL: &str = "claims";

/// Draws the badge of a build, with a newline at the end.
pub fn text(findings: Findings<'_>) -> String {
    let (words, color) = words(findings);
    let (left, right) = (width(LABEL), width(&words));
    let (left_box, right_box) = (left + 2 * PADDING, right + 2 * PADDING);
    let all = left_box + right_box;
    let name = format!("{LABEL}: {words}");
    // The text is set to the width for which there is room, whatever font the reader has.
    let part = |words: &str, at: u32, width: u32| {
        format!("<text x=\"{at}\" y=\"14\" textLength=\"{width}\">{words}</text>")
    };
    format!(
        "<svg xmlns=\"http://www.w3.org/2000/svg\" width=\"{all}\" height=\"{HEIGHT}\" \
         viewBox=\"0 0 {all} {HEIGHT}\" role=\"img\" aria-label=\"{name}\">\n\
         <title>{name}</title>\n\
         <clipPath id=\"edge\"><rect width=\"{all}\" height=\"{HEIGHT}\" rx=\"3\"/></clipPath>\n\
         <g clip-path=\"url(#edge)\"><rect width=\"{left_box}\" height=\"{HEIGHT}\" fill=\"#444\"/>\
         <rect x=\"{left_box}\" width=\"{right_box}\" height=\"{HEIGHT}\" fill=\"{color}\"/></g>\n\
         <g fill=\"#fff\" font-family=\"Verdana,Geneva,DejaVu Sans,sans-serif\" font-size=\"11\" \
         aria-hidden=\"true\">{}{}</g>\n</svg>\n",
        part(LABEL, PADDING, left),
        part(&words, left_box + PADDING, right),
    )
}

/// What the badge says, and its colour; white words on it have a contrast of at least 4.5.
fn words(findings: Findings<'_>) -> (String, &'static str) {
    let count = |standing| findings.claims.iter().filter(|it| it.standing() == standing).count();
    let (good, open, bad) = (count(Standing::Good), count(Standing::Open), count(Standing::Bad));
    let errors = findings.problems.iter().any(|problem| problem.severity == Severity::Error);
    match (good, open, bad) {
        (_, _, 1..) => (format!("{bad} of {} wrong", findings.claims.len()), "#b3261e"),
        _ if errors => ("in error".to_owned(), "#b3261e"),
        (0, 0, 0) => ("none".to_owned(), "#5f6368"),
        (_, 1.., 0) => (format!("{good} verified, {open} open"), "#8a5300"),
        _ => (format!("{good} verified"), "#00695c"),
    }
}

/// About how wide words are in Verdana of 11 pixels.
fn width(words: &str) -> u32 {
    let tenths = |c: char| match c {
        ' ' | ',' | 'f' | 'i' | 'l' | 'r' | 't' => 42,
        'm' | 'w' => 98,
        _ => 68,
    };
    words.chars().map(tenths).sum::<u32>().div_ceil(10)
}
