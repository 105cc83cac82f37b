//! Which numbers of the prose are backed, and which are not.
//!
//! In: the words of a chapter and its judged claims. Out: a [`Coverage`]: every number is
//! compared by a claim, an interpolated value, exempt with a reason, or uncovered. Left out:
//! "one" and "two", which are mostly grammar, what is no cardinal number in words, those inside of code and
//! formulas with a variable, and descriptions of pictures.

use std::borrow::Cow;
use std::collections::BTreeSet;
use std::ops::Range;

use veracity_protocol::Expr;

use crate::claims::{Compared, Judged, number};
use crate::math::{Display, Macros, Math};
use crate::memo::{Input, Memo};
use crate::mutate::reasons::{self, Reason};
use crate::parse::Chapter;
use crate::parse::prose::{self, Role, Stretch, is_digit, prose};
use crate::span::Span;
use crate::words::Words;
use crate::words::spelled::{self, Kind};

/// What became of the numbers of one chapter.
#[derive(Clone, Debug, PartialEq)]
pub struct Coverage {
    /// Slug of the chapter.
    pub chapter: String,
    /// How many numbers a claim compares.
    pub claimed: usize,
    /// How many values are interpolated.
    pub values: usize,
    /// Numbers that need no evidence, in order.
    pub exempt: Vec<Exempt>,
    /// Numbers that nothing backs, in order.
    pub uncovered: Vec<Span>,
    /// Formulas that nothing evaluates, in order; none that a cell without a result may evaluate.
    pub formulas: Vec<Span>,
    /// Code of which changes may go unnoticed, by the author's word, in order.
    pub unnoticed: Vec<Reason>,
}

/// A number that needs no evidence.
#[derive(Clone, Debug, PartialEq)]
pub struct Exempt {
    /// The number.
    pub span: Span,
    /// Why it needs none.
    pub reason: String,
    /// Who says so.
    pub by: Authority,
}

/// Who says that a number needs no evidence.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub enum Authority {
    /// Its form: a date, a version, the number of a section.
    Form,
    /// The author, by `[28](exempt: "reason")`.
    Author,
}

impl Coverage {
    /// Looks at every number and formula of a chapter, words for numbers in its language; `claims` are those of the report, `evaluated` the
    /// labels of the formulas that its checks evaluated or may evaluate. What was found for the same words, claims and
    /// labels is remembered.
    pub fn of(
        chapter: &Chapter,
        language: Option<Words>,
        claims: &[Judged],
        evaluated: &BTreeSet<&str>,
    ) -> Self {
        static KNOWN: Memo<Coverage> = Memo::new(1 << 20);
        let source = &chapter.source;
        let own = claims.iter().filter(|claim| claim.span.source == *source);
        let own: Vec<_> = own.map(|claim| (&claim.span.range, claim.compared)).collect();
        let own = Input::of_debug(&(&chapter.slug, language, own, evaluated));
        let parts = [own.as_bytes(), source.path().as_bytes(), source.text().as_bytes()];
        KNOWN.get(Input::of(parts), || {
            (Self::found(chapter, language, claims, evaluated), source.text().len())
        })
    }

    fn found(
        chapter: &Chapter,
        language: Option<Words>,
        claims: &[Judged],
        evaluated: &BTreeSet<&str>,
    ) -> Self {
        let mut coverage = Self {
            chapter: chapter.slug.clone(),
            claimed: 0,
            values: 0,
            exempt: Vec::new(),
            uncovered: Vec::new(),
            formulas: unevaluated(chapter, claims, evaluated),
            unnoticed: reasons::of(chapter),
        };
        let text = chapter.source.text();
        for Stretch { range, role } in prose(chapter) {
            if role == Role::Value {
                coverage.values += 1;
                continue;
            }
            for number in all_numbers(text, range.clone(), language) {
                let span = chapter.source.span(number.clone());
                match &role {
                    Role::Claim(link) if compared(claims, chapter, link) != Compared::Nothing => {
                        coverage.claimed += 1;
                    }
                    Role::Exempt(reason) if !reason.is_empty() => coverage.exempt.push(Exempt {
                        span,
                        reason: reason.clone(),
                        by: Authority::Author,
                    }),
                    _ => match form(text, &range, &number, language) {
                        Some(reason) => coverage.exempt.push(Exempt {
                            span,
                            reason: reason.to_owned(),
                            by: Authority::Form,
                        }),
                        None => coverage.uncovered.push(span),
                    },
                }
            }
        }
        coverage
    }

    /// How many numbers are backed.
    pub fn covered(&self) -> usize {
        self.claimed + self.values
    }

    /// How many numbers need evidence.
    pub fn needed(&self) -> usize {
        self.covered() + self.uncovered.len()
    }

    /// Exemptions of the author's.
    pub fn by_author(&self) -> impl Iterator<Item = &Exempt> {
        self.exempt.iter().filter(|exempt| exempt.by == Authority::Author)
    }
}

/// The part of the numbers that is backed, in per cent and rounded down, so that 100 means all.
pub fn percent(covered: usize, needed: usize) -> usize {
    (covered * 100).checked_div(needed).unwrap_or(100)
}

/// What of its text the claim in a link compares. What holds or does not, and what is no claim at
/// all, has nothing that could be wrong.
fn compared(claims: &[Judged], chapter: &Chapter, link: &Range<usize>) -> Compared {
    claims
        .iter()
        .find(|claim| claim.span.range == *link && claim.span.source == chapter.source)
        .map_or(Compared::Nothing, |claim| claim.compared)
}

/// The formulas of a chapter that nothing evaluates.
fn unevaluated(chapter: &Chapter, claims: &[Judged], evaluated: &BTreeSet<&str>) -> Vec<Span> {
    let equations = chapter.equations();
    let is_evaluated = |range: &Range<usize>| {
        equations.iter().any(|equation| {
            let own = &equation.span.range;
            let label = equation.label.as_deref();
            own.start < range.end
                && range.start < own.end
                && label.is_some_and(|label| evaluated.contains(label))
        })
    };
    let text = chapter.source.text();
    let is_claimed = |formula: &prose::Formula| {
        formula.claim.as_ref().is_some_and(|link| match compared(claims, chapter, link) {
            Compared::Formula => true,
            Compared::Number => names_number(&text[formula.range.clone()]),
            Compared::Nothing => false,
        })
    };
    prose::formulas(chapter)
        .into_iter()
        .filter(|it| !is_claimed(it) && !is_evaluated(&it.range))
        .map(|it| chapter.source.span(it.range))
        .collect()
}

/// Whether a formula only says which number a name stands for, as `L = 64` does.
fn names_number(latex: &str) -> bool {
    const RELATIONS: [&str; 8] = ["\\approx", "\\leq", "\\geq", "\\le", "\\ge", "=", "<", ">"];
    let is_name = |latex: &str| {
        let math = Math::parse(latex, Display::Inline, &Macros::default());
        let formula = math.and_then(|math| math.equation(""));
        formula.is_ok_and(|it| matches!(it.sides.as_slice(), [Expr::Variable(_)]))
    };
    let mut parts = RELATIONS.iter().filter_map(|relation| latex.rsplit_once(relation));
    parts.any(|(name, number)| prose::is_number(number) && is_name(name))
}

/// Where numbers stand in a stretch of text, those written as words among them.
fn all_numbers(text: &str, range: Range<usize>, language: Option<Words>) -> Vec<Range<usize>> {
    let words = without_entities(&text[range.clone()]);
    let digits = numbers(&words, 0..words.len(), language);
    let mut found: Vec<Range<usize>> = (digits.iter())
        .map(|number| range.start + number.start..range.start + number.end)
        .collect();
    let spelled = language.map(|language| spelled::find(&words, language));
    for spelled in spelled.into_iter().flatten() {
        let is_grammar = ["0", "2"].contains(&spelled.digits.as_str());
        let place = range.start + spelled.range.start..range.start + spelled.range.end;
        // `5 million` is one number.
        let nearest = digits.partition_point(|it| it.end < spelled.range.start).checked_sub(1);
        let is_scale =
            nearest.is_some_and(|at| spelled.scales(&words[digits[at].end..spelled.range.start]));
        match spelled.kind {
            Kind::Number | Kind::Scale if !is_grammar && !is_scale => found.push(place),
            _ => {}
        }
    }
    found.sort_by_key(|number| number.start);
    found
}

/// A text of the same length in which spaces stand for entities such as `&nbsp;`, but for digits.
fn without_entities(text: &str) -> Cow<'_, str> {
    let mut plain = Cow::Borrowed(text);
    for (start, _) in text.match_indices('&') {
        let rest = &text[start + 1..];
        let name = rest.split(|c: char| !(c.is_ascii_alphanumeric() || c == '#')).next();
        let name = name.unwrap_or_default();
        let code = name.strip_prefix('#').and_then(|code| match code.strip_prefix(['x', 'X']) {
            Some(code) => u32::from_str_radix(code, 16).ok(),
            None => code.parse().ok(),
        });
        let end = start + 1 + name.len();
        let is_number = code.and_then(char::from_u32).is_some_and(is_digit);
        if end > start + 1 && text[end..].starts_with(';') && !is_number {
            plain.to_mut().replace_range(start..=end, &" ".repeat(end + 1 - start));
        }
    }
    plain
}

/// Where digits stand in a stretch of text.
fn numbers(text: &str, range: Range<usize>, language: Option<Words>) -> Vec<Range<usize>> {
    let mut found = Vec::new();
    let mut at = range.start;
    while let Some(next) = text[at..range.end].find(is_digit) {
        let start = at + next;
        let end = end_of(text, start, range.end, language);
        at = end;
        let before = text[range.start..start].chars().next_back();
        let is_word = before.is_some_and(|c| c.is_alphabetic() || c == '_')
            || before == Some('-') && text[range.start..start - 1].ends_with(char::is_alphabetic);
        // Three digits of a decimal whose first ones are letters, or a name such as `2D`.
        let is_name = text[end..range.end].starts_with(|c: char| c.is_ascii_uppercase());
        if is_word || is_name {
            let rest = &text[end..range.end];
            at += rest.find(|c: char| !c.is_alphanumeric()).unwrap_or(rest.len());
        } else {
            found.push(start..end);
        }
    }
    found
}

/// The end of the number that begins at `start`: digits with marks between them.
fn end_of(text: &str, start: usize, limit: usize, language: Option<Words>) -> usize {
    let mut end = start;
    loop {
        let rest = &text[end..limit];
        end += rest.find(|c: char| !is_digit(c)).unwrap_or(rest.len());
        let rest = &text[end..limit];
        let joins =
            |mark: &&&str| rest.strip_prefix(**mark).is_some_and(|rest| rest.starts_with(is_digit));
        let marks =
            [".", ",", "_", "\u{2009}", "\u{202f}", "\u{a0}", "\\,", "{,}", "e-", "e", "^", "-"];
        match marks.iter().find(joins) {
            // `2-5` are two numbers, `2024-05-01` is a date.
            Some(&"-") if !is_date(&text[start..limit]) => return end,
            Some(mark) => end += mark.len(),
            None => match group(rest).filter(|_| is_grouped(&text[start..end], language)) {
                Some(length) => end += length,
                None => return end,
            },
        }
    }
}

/// How long a mark and a group of three digits are with which a text begins, where the mark may part numbers as well.
fn group(rest: &str) -> Option<usize> {
    let mark = rest.chars().next().filter(|c| matches!(c, ' ' | '\'' | '’'))?;
    let digits = &rest[mark.len_utf8()..];
    let end = digits.find(|c: char| !c.is_ascii_digit()).unwrap_or(digits.len());
    let is_apart = number::is_apart(mark, &digits[..end], digits[end..].chars().next());
    (end == 3 && !is_apart).then(|| mark.len_utf8() + end)
}

/// Whether thousands may be parted by a point in a language, and a number has only groups of up to three digits.
fn is_grouped(number: &str, language: Option<Words>) -> bool {
    language.is_some_and(Words::has_decimal_comma)
        && number::is_grouped(number, |c| matches!(c, '.' | ' ' | '\'' | '’'))
}

/// Whether a text begins with a date such as `2024-05-01`.
fn is_date(text: &str) -> bool {
    let shape: String =
        text.chars().take(10).map(|c| if c.is_ascii_digit() { '0' } else { c }).collect();
    shape == "0000-00-00"
}

/// How far in front of a number words tell why it needs no evidence.
const NEAR: usize = 40;

const MONTHS: [&str; 12] = [
    "January",
    "February",
    "March",
    "April",
    "May",
    "June",
    "July",
    "August",
    "September",
    "October",
    "November",
    "December",
];

/// Words after which a number is a name.
const NUMBERED: [&str; 24] = [
    "section",
    "sections",
    "sec",
    "chapter",
    "chapters",
    "figure",
    "figures",
    "fig",
    "table",
    "tables",
    "equation",
    "equations",
    "eq",
    "theorem",
    "lemma",
    "appendix",
    "page",
    "pages",
    "p",
    "pp",
    "line",
    "lines",
    "footnote",
    "version",
];

/// Why a number needs no evidence, as far as its form and the words beside it tell.
fn form(
    text: &str,
    stretch: &Range<usize>,
    number: &Range<usize>,
    language: Option<Words>,
) -> Option<&'static str> {
    let digits = &text[number.clone()];
    let before = text[stretch.start..number.start].trim_end();
    let start = before.char_indices().rev().nth(NEAR).map_or(0, |(at, _)| at);
    let before = &before[start..];
    let after = &text[number.end..stretch.end];
    let word = before
        .trim_end_matches('.')
        .rsplit(|c: char| !c.is_alphanumeric())
        .next()
        .unwrap_or_default();
    let next = after.trim_start().split(|c: char| !c.is_alphabetic()).next().unwrap_or_default();
    let is_month = |word: &str| MONTHS.contains(&word);
    // In the text itself a year is followed by nothing that it could count.
    let is_year = digits.len() == 4
        && (digits.starts_with("19") || digits.starts_with("20"))
        && digits.bytes().all(|byte| byte.is_ascii_digit());
    let ends = after.is_empty() || after.starts_with(['.', ',', ';', ':', ')']);
    // `May 5, 2020`
    let mut words = before.rsplit([' ', ',']).filter(|word| !word.is_empty());
    let is_day = |word: &str| word.len() <= 2 && word.bytes().all(|byte| byte.is_ascii_digit());
    let ends_date = words.next().is_some_and(is_day) && words.next().is_some_and(is_month);
    let is_of_three = digits.matches('.').count() == 2;
    // `12.05.2024`
    let ends_in_year = digits.rsplit('.').next().is_some_and(|it| it.len() == 4);
    if is_date(digits)
        || (is_of_three && ends_in_year)
        || is_month(word)
        || (is_year && ends_date)
        || (is_month(next) && digits.len() <= 2)
    {
        Some("a date")
    } else if is_year && ends && ["in", "since", "until", "from", "before", "after"].contains(&word)
    {
        Some("a year")
    } else if is_of_three && !is_grouped(digits, language) {
        Some("a version")
    } else if NUMBERED.contains(&word.to_lowercase().as_str()) {
        Some("the number of a place")
    } else {
        None
    }
}
