//! Names of variables and what a left-hand side declares, in normalised LaTeX.

use super::{Bracket, bracket, character, flatten};
use crate::math::tree::{Class, Font, Kind, Node, Row};

/// Reads `M` or `M(D, K)`.
pub(super) fn declaration(tokens: &[&Node]) -> Option<(String, Vec<String>)> {
    let (first, rest) = tokens.split_first()?;
    let name = plain_name(first)?;
    if rest.is_empty() {
        return Some((name, Vec::new()));
    }
    let arguments: Vec<&Node> = match rest {
        [open, inner @ .., close]
            if matches!(bracket(open), Some(Bracket::Open('(')))
                && matches!(character(close), Some(')')) =>
        {
            inner.to_vec()
        }
        [Node { kind: Kind::Fenced { left: Some('('), right: Some(')'), body }, .. }] => {
            let mut inner = Vec::new();
            flatten(body, &mut inner).ok()?;
            inner
        }
        _ => return None,
    };
    let mut parameters = Vec::new();
    for part in arguments.split(|token| character(token) == Some(',')) {
        match part {
            [only] => parameters.push(plain_name(only)?),
            _ => return None,
        }
    }
    Some((name, parameters))
}

/// Returns a node's name if it is a name with nothing else to it.
pub(super) fn plain_name(node: &Node) -> Option<String> {
    match &node.kind {
        Kind::Scripts { base, sub, sup } => {
            let [base] = &base[..] else { return None };
            let only_primes = sup.as_ref().is_none_or(is_primes);
            (only_primes).then_some(())?;
            let name = base_name(base)?;
            scripted_name(name, sub.as_ref(), sup.as_ref())
        }
        _ => base_name(node),
    }
}

pub(super) fn is_primes(sup: &Row) -> bool {
    !sup.is_empty() && sup.iter().all(|node| character(node) == Some('′'))
}

/// Returns the name of a letter or of an upright, bold or accented word.
pub(super) fn base_name(node: &Node) -> Option<String> {
    match &node.kind {
        Kind::Symbol(symbol)
            if symbol.class == Class::Normal
                && symbol.char.is_alphabetic()
                && !matches!(symbol.latex.as_str(), "\\top" | "\\Re" | "\\Im") =>
        {
            Some(symbol.latex.clone())
        }
        Kind::Font { font, body } => {
            let command = match font {
                Font::Upright => "\\mathrm",
                Font::Italic => "\\mathit",
                Font::Bold => "\\boldsymbol",
                Font::BoldUpright => "\\mathbf",
                Font::Blackboard => "\\mathbb",
                Font::Calligraphic => "\\mathcal",
                Font::Script => "\\mathscr",
                Font::Fraktur => "\\mathfrak",
                Font::Sans => "\\mathsf",
                Font::Mono => "\\mathtt",
            };
            let starts = body.first().is_some_and(|first| base_name(first).is_some());
            starts.then_some(())?;
            Some(format!("{command}{{{}}}", source(body)?))
        }
        Kind::Accent { mark, body, .. } => {
            let command = match mark {
                '\u{302}' => "\\hat",
                '\u{303}' => "\\tilde",
                '\u{304}' => "\\bar",
                '\u{307}' => "\\dot",
                '\u{308}' => "\\ddot",
                _ => return None,
            };
            Some(format!("{command}{{{}}}", source(body)?))
        }
        Kind::Text(text) if text.chars().all(char::is_alphabetic) => {
            Some(format!("\\mathrm{{{text}}}"))
        }
        Kind::Group(body)
        | Kind::Style { body, .. }
        | Kind::Color { body, .. }
        | Kind::Class { class: Class::Normal, body } => match &body[..] {
            [only] => base_name(only),
            _ => None,
        },
        _ => None,
    }
}

pub(super) fn scripted_name(base: String, sub: Option<&Row>, sup: Option<&Row>) -> Option<String> {
    let mut name = base;
    if let Some(sub) = sub {
        let index = source(sub)?;
        let single = sub.len() == 1
            && (index.chars().count() == 1 || index.starts_with('\\') && !index.contains('{'));
        name = if single { format!("{name}_{index}") } else { format!("{name}_{{{index}}}") };
    }
    for _ in sup.into_iter().flatten() {
        name.push('\'');
    }
    Some(name)
}

/// Writes a row of letters, digits and commas back as LaTeX without spaces.
fn source(row: &Row) -> Option<String> {
    let mut latex = String::new();
    for node in row {
        let part = match &node.kind {
            Kind::Space(_) => continue,
            Kind::Number(digits) => digits.clone(),
            Kind::Symbol(symbol) => symbol.latex.clone(),
            Kind::Text(text) => format!("\\mathrm{{{}}}", text.trim_matches('\u{a0}')),
            Kind::Group(body) | Kind::Style { body, .. } => source(body)?,
            _ => plain_name(node)?,
        };
        let command = latex
            .rsplit_once('\\')
            .is_some_and(|(_, last)| last.chars().all(|char| char.is_ascii_alphabetic()));
        if command && part.starts_with(|char: char| char.is_ascii_alphabetic()) {
            latex.push(' ');
        }
        latex.push_str(&part);
    }
    (!latex.is_empty()).then_some(latex)
}
