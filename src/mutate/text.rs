//! Changes of what a claim states.
//!
//! In: a claim that is as expected, or that quotes a figure. Out: mutants that state a neighbouring
//! number, the other sign or another relation. Left out: a wider tolerance, which no verdict can
//! notice.

use std::ops::Range;

use veracity_protocol::Value;

use super::{Kind, Mutant};
use crate::claims::{Expected, Judged, number};
use crate::pipeline::Evaluated;
use crate::words::Words;
use crate::words::spelled;

/// Opposites of the relations to a bound.
const OPPOSITES: [(&str, &str); 8] = [
    (">=", "<"),
    ("≥", "<"),
    ("<=", ">"),
    ("≤", ">"),
    ("!=", ""),
    ("≠", ""),
    (">", "<="),
    ("<", ">="),
];

/// All changes of one claim.
pub(super) fn mutants(report: &Evaluated, claim: &Judged) -> Vec<Mutant> {
    let Some(chapter) = report.chapters.iter().position(|it| it.slug == claim.chapter) else {
        return Vec::new();
    };
    let changes = match Link::of(claim) {
        Some(link) => link.changes(claim, is_number(report, claim), language(report)),
        None => attribute(claim).into_iter().collect(),
    };
    of(chapter, claim, changes)
}

/// Whether a claim quotes a published figure.
pub(super) fn quotes(claim: &Judged) -> bool {
    claim.relation.contains("quotes ")
}

/// Other numbers in the place of one that is quoted.
pub(super) fn misquoted(report: &Evaluated, claim: &Judged) -> Vec<Mutant> {
    let chapter = report.chapters.iter().position(|it| it.slug == claim.chapter);
    let (Some(chapter), Some(link)) = (chapter, Link::of(claim)) else { return Vec::new() };
    of(chapter, claim, link.neighbours(language(report)))
}

fn of(chapter: usize, claim: &Judged, changes: Vec<Change>) -> Vec<Mutant> {
    let mutant = |(range, by): Change| Mutant {
        kind: Kind::Text,
        chapter,
        span: claim.span.source.span(range),
        by,
        claims: vec![claim.id.clone()],
        reason: None,
    };
    changes.into_iter().map(mutant).collect()
}

/// The language of numbers in words.
fn language(report: &Evaluated) -> Option<Words> {
    Words::known(&report.document.language)
}

/// A place in a chapter and what stands there instead.
type Change = (Range<usize>, String);

/// Whether a claim is about one number.
fn is_number(report: &Evaluated, claim: &Judged) -> bool {
    let Some((chapter, cell)) = super::cell_of(report, claim) else { return false };
    let name = claim.name.rsplit('/').next().unwrap_or_default();
    report.executed.chapters[chapter].cells[cell].record.output.values.iter().any(|published| {
        published.name == name
            && matches!(
                published.value,
                Value::Integer { .. } | Value::Rational { .. } | Value::Float { .. }
            )
    })
}

/// The change of a claim in an attribute. A formula, whose numbers are its own, is said to be wrong; of a
/// table, the opposite is said to be best, and two cells change places.
fn attribute(claim: &Judged) -> Option<Change> {
    let (start, end) = (claim.span.range.start, claim.span.range.end);
    let stated = claim.span.text();
    if stated.starts_with("best") {
        let (word, opposite) = if stated.contains("max") { ("max", "min") } else { ("min", "max") };
        let at = start + stated.find(word)?;
        return Some((at..at + word.len(), opposite.to_owned()));
    }
    if stated.starts_with("total") {
        return None;
    }
    if stated.starts_with("cells") {
        return swapped(claim.span.source.text(), start);
    }
    match claim.expected {
        Expected::Verified => Some((end..end, " relation=\"refuted\"".to_owned())),
        // The attribute stands behind the one of the claim.
        Expected::Refuted => {
            let text = claim.span.source.text();
            let closing = end + text[end..].find('}')?;
            let at = end + text[end..closing].find("refuted")?;
            Some((at..at + "refuted".len(), String::new()))
        }
    }
}

/// The last two cells of the table above a caption, in the place of each other.
fn swapped(text: &str, caption: usize) -> Option<Change> {
    let line = text[..caption].rfind('\n')?;
    let above = text[..line].trim_end();
    let row = above.rfind('\n').map_or(0, |at| at + 1)..above.len();
    let bars: Vec<usize> =
        text[row.clone()].match_indices('|').map(|(at, _)| row.start + at).collect();
    let [.., first, middle, last] = bars.as_slice() else { return None };
    let cells = [&text[first + 1..*middle], &text[middle + 1..*last]];
    Some((first + 1..*last, format!("{}|{}", cells[1], cells[0])))
}

/// A link `[words](claim:name "relation")`.
struct Link<'a> {
    text: &'a str,
    words: Range<usize>,
    /// From behind the name to the closing parenthesis.
    relation: Range<usize>,
}

impl<'a> Link<'a> {
    fn of(claim: &'a Judged) -> Option<Self> {
        let (text, span) = (claim.span.source.text(), &claim.span.range);
        let target = format!("](claim:{}", claim.name);
        let middle = span.start + text[span.clone()].find(&target)?;
        let start = span.start + text[span.start..middle].find('[')? + 1;
        let behind = middle + target.len();
        let end = behind + text[behind..].find(')')?;
        Some(Self { text, words: start..middle, relation: behind..end })
    }

    fn changes(&self, claim: &Judged, is_number: bool, language: Option<Words>) -> Vec<Change> {
        let stated = self.text[self.relation.clone()].trim().trim_matches('"').trim();
        let parts = || stated.split(';').map(str::trim).filter(|part| !part.is_empty());
        let relation = |parts: Vec<String>| {
            let by = match parts.join("; ") {
                nothing if nothing.is_empty() => nothing,
                words => format!(" \"{words}\""),
            };
            (self.relation.clone(), by)
        };
        let mut changes = vec![match claim.expected {
            Expected::Verified => {
                relation(["refuted"].into_iter().chain(parts()).map(str::to_owned).collect())
            }
            Expected::Refuted => {
                relation(parts().filter(|part| *part != "refuted").map(str::to_owned).collect())
            }
        }];
        for (side, opposite) in OPPOSITES {
            let turned = |part: &str| Some(format!("{opposite}{}", part.strip_prefix(side)?));
            // `>` begins `>=` as well.
            let is_this = |part: &&str| {
                part.starts_with(side)
                    && OPPOSITES.iter().find(|(any, _)| part.starts_with(any)).map(|it| it.0)
                        == Some(side)
            };
            if !opposite.is_empty() && parts().any(|part| is_this(&part)) {
                let all = parts().map(|part| match is_this(&part) {
                    true => turned(part).expect("it begins so"),
                    false => part.to_owned(),
                });
                changes.push(relation(all.collect()));
            }
        }
        match claim.expected {
            Expected::Verified if is_number => changes.extend(self.numbers(stated, language)),
            // The neighbours of a wrong number are as wrong; only the right one is not.
            Expected::Refuted => {
                changes.extend(claim.value.as_deref().and_then(|it| self.right(it)))
            }
            Expected::Verified => {}
        }
        changes
    }

    /// Neighbouring numbers, the number with the other sign, and relations that deny it.
    fn numbers(&self, stated: &str, language: Option<Words>) -> Vec<Change> {
        let words = &self.text[self.words.clone()];
        let mut changes = self.neighbours(language);
        // A rounded number may lie on either side of what is printed.
        let printed = number::stated(words, language).ok().flatten();
        if !changes.is_empty()
            && stated.is_empty()
            && let Some(plain) = printed.and_then(|printed| printed.in_digits())
        {
            let deny = |side: &str| (self.relation.clone(), format!(" \"{side} {plain}\""));
            changes.extend(["!=", ">", "<"].map(deny));
        }
        changes
    }

    /// The whole number that code gives in the place of the one that is claimed.
    fn right(&self, value: &str) -> Option<Change> {
        let words = &self.text[self.words.clone()];
        let is_digit = |c: char| c.is_ascii_digit();
        let (first, last) = (words.find(is_digit)?, words.rfind(is_digit)?);
        let range = self.words.start + first..self.words.start + last + 1;
        value.chars().all(is_digit).then(|| (range, value.to_owned()))
    }

    /// A number in words, with its digits, if the link has none in digits.
    fn spelled(&self, language: Option<Words>) -> Option<(Range<usize>, String)> {
        let words = &self.text[self.words.clone()];
        if words.contains(|c: char| c.is_ascii_digit()) {
            return None;
        }
        let found = spelled::find(words, language?).into_iter();
        let mut found = found.filter(|it| it.kind.counts());
        let first = found.next()?;
        let start = self.words.start;
        Some((start + first.range.start..start + first.range.end, first.digits))
    }

    /// Neighbouring numbers and the number with the other sign.
    fn neighbours(&self, language: Option<Words>) -> Vec<Change> {
        let words = &self.text[self.words.clone()];
        if let Some((language, (range, digits))) = language.zip(self.spelled(language)) {
            let mut others = spelled::neighbours(&self.text[range.clone()], language);
            // What is not counted in words is another number in digits.
            if others.is_empty() {
                others.push(format!("{digits}1"));
            }
            return others.into_iter().map(|other| (range.clone(), other)).collect();
        }
        let is_digit = |c: char| c.is_ascii_digit();
        let (Some(first), Some(last)) = (words.find(is_digit), words.rfind(is_digit)) else {
            return Vec::new();
        };
        let at = self.words.start + last;
        let digit = words.as_bytes()[last] - b'0';
        let mut changes: Vec<Change> =
            [1, 9].map(|by| (at..at + 1, ((digit + by) % 10).to_string())).into();
        let before = words[..first].chars().next_back();
        let start = self.words.start + first;
        // Zero has no sign.
        if words.contains(|c: char| c.is_ascii_digit() && c != '0') {
            changes.push(match before {
                Some(minus @ ('-' | '−')) => (start - minus.len_utf8()..start, String::new()),
                _ => (start..start, "−".to_owned()),
            });
        }
        changes
    }
}
