//! The stretches of a chapter that its readers read as words, with places.
//!
//! In: the text of a chapter. Out: [`Stretch`]es, each of one [`Role`]; of formulas only those
//! without a variable, which are numbers in another dress. Left out: code, formulas, labels,
//! references and citations, and what the words mean.

use std::ops::Range;

use pulldown_cmark::{Event, LinkType, Parser, Tag, TagEnd};

use super::blocks::options;
use super::shield;
use crate::parse::Chapter;

/// Target of the link around a number that needs no evidence.
pub(crate) const EXEMPT: &str = "exempt:";

/// Words of one role without anything between them.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct Stretch {
    /// Where they stand in the chapter; its text is what the author wrote.
    pub range: Range<usize>,
    /// What they are a part of.
    pub role: Role,
}

/// What words are a part of.
#[derive(Clone, Debug, PartialEq, Eq)]
pub enum Role {
    /// A sentence.
    Prose,
    /// The text of a claim, whose link stands in this range.
    Claim(Range<usize>),
    /// A number that the author exempts, with the reason.
    Exempt(String),
    /// An inline value.
    Value,
}

/// All stretches of a chapter, captions of cells included, in the order of the file.
pub fn prose(chapter: &Chapter) -> Vec<Stretch> {
    let text = chapter.source.text();
    let mut found = Vec::new();
    collect(text, chapter.body..text.len(), &mut found);
    for cell in &chapter.cells {
        for line in caption(text, cell.span.range.clone()) {
            collect(text, line, &mut found);
        }
    }
    found.sort_by_key(|stretch| stretch.range.start);
    found
}

fn collect(text: &str, range: Range<usize>, found: &mut Vec<Stretch>) {
    let covered = shield::cover(&text[range.clone()]);
    let mut roles = Vec::new();
    let mut is_code = false;
    // Text comes in pieces, cut at quotes and dashes, that belong together.
    let mut run: Option<Stretch> = None;
    for (event, place) in Parser::new_ext(&covered, options()).into_offset_iter() {
        let place = place.start + range.start..place.end + range.start;
        let role = || roles.last().cloned().flatten().unwrap_or(Role::Prose);
        let piece = match &event {
            Event::Text(_) if !is_code => Some(place.clone()),
            Event::InlineMath(latex) if is_number(latex) => Some(place.clone()),
            _ => None,
        };
        if let Some(place) = piece {
            match &mut run {
                Some(open) if open.range.end == place.start && open.role == role() => {
                    open.range.end = place.end;
                }
                _ => {
                    cut(text, run.take(), found);
                    run = Some(Stretch { range: place, role: role() });
                }
            }
            continue;
        }
        match event {
            // Words go on after emphasis, and a number may end with it.
            Event::Start(Tag::CodeBlock(_)) => is_code = true,
            Event::End(TagEnd::CodeBlock) => is_code = false,
            Event::Start(Tag::Link { link_type, dest_url, title, .. }) => {
                let role = match dest_url.as_ref() {
                    _ if matches!(link_type, LinkType::Autolink | LinkType::Email) => {
                        Some(Role::Exempt("an address".into()))
                    }
                    target if target.starts_with("claim:") => Some(Role::Claim(place)),
                    EXEMPT => Some(Role::Exempt(shield::restore(title.trim()).into_owned())),
                    _ => None,
                };
                roles.push(role);
            }
            Event::End(TagEnd::Link) => drop(roles.pop()),
            _ => {}
        }
    }
    cut(text, run, found);
}

/// Whether a character is a digit of any script or a fraction; raised and lowered ones, which count nothing
/// by themselves, are none.
pub(crate) fn is_digit(c: char) -> bool {
    c.is_ascii_digit()
        || c.is_numeric()
            && !matches!(c, '¹' | '²' | '³' | '\u{2070}'..='\u{2089}' | '\u{2460}'..='\u{24ff}')
}

/// Adds a stretch without the syntax of ours that stands in it.
fn cut(text: &str, stretch: Option<Stretch>, found: &mut Vec<Stretch>) {
    let Some(Stretch { range, role }) = stretch else { return };
    let mut add = |range: Range<usize>, role: Role| {
        if text[range.clone()].contains(char::is_alphanumeric) || role == Role::Value {
            found.push(Stretch { range, role });
        }
    };
    let mut from = range.start;
    let mut at = range.start;
    while at < range.end {
        let rest = &text[at..range.end];
        let (length, role_of_it) = if rest.starts_with("{{") {
            (rest.find("}}").map(|end| end + 2), Some(Role::Value))
        } else if rest.starts_with("{#") {
            (rest.find('}').map(|end| end + 1), None)
        } else if rest.starts_with('[') {
            let end = rest.find(']').filter(|&end| rest[..end].contains('@'));
            (end.map(|end| end + 1), None)
        } else if let Some(key) = rest.strip_prefix('@') {
            let is_key = |c: char| c.is_alphanumeric() || matches!(c, '_' | '-' | ':' | '/');
            (Some(key.find(|c| !is_key(c)).unwrap_or(key.len()) + 1), None)
        } else {
            (None, None)
        };
        let Some(length) = length else {
            at += rest.chars().next().map_or(1, char::len_utf8);
            continue;
        };
        add(from..at, role.clone());
        if let Some(role) = role_of_it {
            add(at..at + length, role);
        }
        at += length;
        from = at;
    }
    add(from..range.end, role);
}

/// A formula of a chapter.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct Formula {
    /// The LaTeX, without the dollars.
    pub range: Range<usize>,
    /// The claim whose link it stands in.
    pub claim: Option<Range<usize>>,
}

/// All formulas of a chapter that say more than how something is called, in the order of the file.
pub fn formulas(chapter: &Chapter) -> Vec<Formula> {
    let text = chapter.source.text();
    let mut found = Vec::new();
    collect_formulas(text, chapter.body..text.len(), &mut found);
    for cell in &chapter.cells {
        for line in caption(text, cell.span.range.clone()) {
            collect_formulas(text, line, &mut found);
        }
    }
    found.sort_by_key(|formula| formula.range.start);
    found
}

fn collect_formulas(text: &str, range: Range<usize>, found: &mut Vec<Formula>) {
    let covered = shield::cover(&text[range.clone()]);
    let mut links: Vec<Option<Range<usize>>> = Vec::new();
    for (event, place) in Parser::new_ext(&covered, options()).into_offset_iter() {
        let place = place.start + range.start..place.end + range.start;
        let dollars = match &event {
            Event::InlineMath(_) => 1,
            Event::DisplayMath(_) => 2,
            Event::Start(Tag::Link { dest_url, .. }) => {
                links.push(dest_url.starts_with("claim:").then_some(place));
                continue;
            }
            Event::End(TagEnd::Link) => {
                links.pop();
                continue;
            }
            _ => continue,
        };
        let latex = place.start + dollars..place.end - dollars;
        if says_something(&text[latex.clone()]) {
            found.push(Formula { range: latex, claim: links.last().cloned().flatten() });
        }
    }
}

/// Whether a formula relates or computes something, and is no number.
fn says_something(latex: &str) -> bool {
    const SIGNS: [&str; 14] = [
        "\\times", "\\cdot", "=", "<", ">", "+", "/", "\\le", "\\ge", "\\approx", "\\frac",
        "\\dfrac", "\\sqrt", "\\sum",
    ];
    let plain = latex.replace("^{\\top}", "").replace("^\\top", "");
    // `\left` and `\leq` begin alike.
    let plain = plain.replace("\\left", "");
    // What ends with a sign goes on in the words behind it.
    !is_number(latex)
        && !plain.trim_end().ends_with('=')
        && (plain.contains('^') || SIGNS.iter().any(|sign| plain.contains(sign)) || factor(&plain))
}

/// Whether a number stands before a name, as in `2 W`.
fn factor(latex: &str) -> bool {
    let digits = latex.trim_start().trim_start_matches(|c: char| c.is_ascii_digit());
    digits.len() < latex.trim_start().len() && digits.contains(char::is_alphabetic)
}

/// Whether a formula multiplies a number behind it, as `\frac12`, `2 L` and `2 \times` do. Relations, lists and
/// quantities, such as `1, \dots, n` and `5\,\mathrm{ms}`, do not.
pub(crate) fn multiplies(latex: &str) -> bool {
    const RELATIONS: &str = "le ge leq geq lt gt ne neq approx sim simeq equiv propto in to ll gg mapsto rightarrow dots ldots";
    const FRACTIONS: [&str; 3] = ["\\frac", "\\dfrac", "\\tfrac"];
    let latex = latex.trim();
    let mut commands = latex
        .split('\\')
        .skip(1)
        .map(|rest| rest.split(|c: char| !c.is_ascii_alphabetic()).next().unwrap_or_default());
    let is_related = latex.contains(['=', '<', '>', '≈', '≤', '≥', '≠', ':'])
        || latex.contains(", ")
        || latex.ends_with([',', ';', '.', '!', '?'])
        || commands.any(|command| RELATIONS.split(' ').any(|it| it == command));
    let is_times = ["\\times", "\\cdot", "×", "·"].iter().any(|sign| latex.ends_with(sign));
    let is_fraction = FRACTIONS.iter().any(|it| latex.starts_with(it));
    let begins = latex.starts_with(|c: char| c.is_ascii_digit());
    !is_related
        && (is_times
            || is_fraction
            || begins
                && !ends_in_unit(latex)
                && (latex.contains('/')
                    || !is_number(latex) && latex.contains(char::is_alphabetic)))
}

/// Whether a formula ends in degrees or a word in upright letters.
fn ends_in_unit(latex: &str) -> bool {
    let is_unit = |command| {
        let last = latex.rsplit_once(command).and_then(|(_, unit)| unit.split_once('}'));
        last.is_some_and(|(unit, behind)| {
            unit.chars().all(|c| c.is_alphabetic() || c == '/')
                && (behind.is_empty() || behind.starts_with(['^', '}']))
        })
    };
    latex.ends_with("^\\circ")
        || latex.ends_with("^{\\circ}")
        || ["\\mathrm{", "\\text{"].into_iter().any(is_unit)
}

/// Commands that stand in numbers.
const PLAIN: [&str; 10] =
    ["times", "cdot", "frac", "dfrac", "tfrac", "approx", "pm", "le", "ge", "text"];

/// Whether a formula holds digits and no variable.
pub(crate) fn is_number(latex: &str) -> bool {
    let mut has_digit = false;
    let mut chars = latex.chars().peekable();
    while let Some(c) = chars.next() {
        match c {
            '\\' => {
                let mut command = String::new();
                while let Some(letter) = chars.next_if(|c| c.is_ascii_alphabetic()) {
                    command.push(letter);
                }
                // `\varepsilon < 1` speaks of a variable.
                if !command.is_empty() && !PLAIN.contains(&command.as_str()) {
                    return false;
                }
            }
            c if c.is_alphabetic() => return false,
            c => has_digit |= c.is_ascii_digit(),
        }
    }
    has_digit
}

/// Where the caption of a cell stands, line by line.
fn caption(text: &str, cell: Range<usize>) -> Vec<Range<usize>> {
    let mut lines = Vec::new();
    let mut is_open = false;
    let mut start = cell.start;
    for line in text[cell].split_inclusive('\n') {
        let end = start + line.trim_end().len();
        if let Some((before, option)) =
            line.split_once("//|").filter(|(before, _)| before.trim().is_empty())
        {
            let at = start + before.len() + "//|".len();
            let key = option.strip_prefix(' ').unwrap_or(option);
            if let Some(rest) = key.strip_prefix("caption:") {
                is_open = true;
                lines.push(
                    start + line.len() - rest.len()..end.max(start + line.len() - rest.len()),
                );
            } else if key.starts_with(char::is_whitespace) {
                if is_open {
                    lines.push(at..end.max(at));
                }
            } else {
                is_open = false;
            }
        }
        start += line.len();
    }
    lines.retain_mut(|line| {
        let part = &text[line.clone()];
        line.start += part.len() - part.trim_start().len();
        line.start < line.end
    });
    lines
}
