//! What a page shows around a claim.
//!
//! In: the text of a paragraph, and where a link stands in it. Out: the words near it, and the number in it among
//! them. Left out: what they make of it, which is [`super::place`]'s.

use std::ops::Range;

use super::Printed;
use super::place::{Around, Trouble, is_turned};
use super::plain::normalise;
use super::scanner::Scanner;
use crate::words::Words;

/// What a page shows around a claim, of the same paragraph, cell or caption.
#[derive(Clone, Debug, Default, PartialEq, Eq)]
pub(crate) struct Beside {
    /// In front of the link.
    pub before: String,
    /// The text of the link, with values and references.
    pub inside: String,
    /// Behind the link.
    pub after: String,
}

impl Beside {
    /// How far from a link words are read.
    const NEAR: usize = 70;

    /// What stands around a range of a text, up to the next comma or full stop.
    pub fn of(text: &str, range: Range<usize>) -> Self {
        let (before, after) = (&text[..range.start], &text[range.end..]);
        let start = before.char_indices().rev().nth(Self::NEAR).map_or(0, |(at, _)| at);
        let end = after.char_indices().nth(Self::NEAR).map_or(after.len(), |(at, _)| at);
        let (before, after) = (&before[start..], &after[..end]);
        let stops = [", ", ". ", "; ", ": "];
        let start = stops.iter().filter_map(|stop| before.rfind(stop).map(|at| at + stop.len()));
        let end = stops.iter().filter_map(|stop| after.find(stop).map(|at| at + stop.len()));
        Self {
            before: before[start.max().unwrap_or(0)..].to_owned(),
            inside: text[range].to_owned(),
            after: after[..end.min().unwrap_or(after.len())].to_owned(),
        }
    }

    /// Where the number stands in the link, whose words are `inside` in plain characters.
    fn own(
        &self,
        inside: &str,
        printed: &Printed,
        language: Option<Words>,
    ) -> Option<Range<usize>> {
        // Formulas are shown with another minus than they are written with.
        let minus = |text: &str| text.replace('−', "-");
        let inside = minus(inside);
        let text = minus(&printed.text);
        let mut places = inside.match_indices(&text);
        if let (Some((at, text)), None) = (places.next(), places.next()) {
            let start = inside[..at].chars().count();
            return Some(start..start + text.chars().count());
        }
        let found = Scanner::said(&self.inside, language).scan().into_iter();
        let is_own = |it: &Result<Printed, String>| {
            it.as_ref().is_ok_and(|it| it.value == printed.value && minus(&it.text) == text)
        };
        let mut own = found.filter(|(_, it)| is_own(it)).map(|(range, _)| range);
        own.next()
    }

    /// What makes another value of a formula, which is all that stands in the link.
    pub fn trouble_of_formula(&self, language: Option<Words>) -> Option<Trouble> {
        self.around(None, language).trouble(None)
    }

    /// A number that was read in the link, among all these words.
    pub fn around<'a>(&self, printed: Option<&'a Printed>, language: Option<Words>) -> Around<'a> {
        let before = normalise(&self.before);
        let inside = normalise(&self.inside);
        let start = before.chars().count();
        let link = start..start + inside.chars().count();
        let own = printed.and_then(|printed| self.own(&inside, printed, language));
        let own = own.map_or(link.clone(), |own| start + own.start..start + own.end);
        let scanner = Scanner::of(&(before + &inside + &normalise(&self.after)), language);
        let is_turned = [&self.before, &self.inside, &self.after].iter().any(|it| is_turned(it));
        Around { scanner, link, own, printed, is_turned, language }
    }
}
