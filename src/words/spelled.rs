//! Numbers written as words, such as "twenty-one".
//!
//! In: a text and its language. Out: each cardinal number in it, exactly, with its place. Left out:
//! ordinals, fractions, plurals such as "hundreds", what a hyphen joins to another word ("three-dimensional"), and
//! "one", which is grammar. Words that change a number beside them are [`super::scaled`]'s.

use std::borrow::Cow;
use std::ops::Range;
use std::sync::LazyLock;

use text2num::{Language, Occurence, Token, find_numbers};

use super::table::LANGUAGES;
use super::{Words, scaled};

/// A number written as words.
#[derive(Clone, Debug, PartialEq, Eq)]
pub(crate) struct Spelled {
    /// Where its words stand.
    pub range: Range<usize>,
    /// The same in digits, decimals behind a point.
    pub digits: String,
    /// What its words are besides.
    pub kind: Kind,
}

/// What the words of a number are besides.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub(crate) enum Kind {
    /// A number and nothing else.
    Number,
    /// A power of ten that scales a number in front of it, as in "5 million".
    Scale,
    /// A power of ten that needs a number in front of it, as in "several million".
    BareScale,
    /// A word that often means something else, such as the French "neuf".
    Doubtful,
    /// The numerator of a fraction, as in "three quarters".
    Part,
}

/// Words of a language that are no numbers by themselves, with those in front of them or without.
struct Manner {
    /// Words that are read as numbers and are none.
    none: &'static [&'static str],
    /// Words that are no numbers behind another, as in "pour cent".
    behind: &'static [(&'static str, &'static str)],
    /// Words that are seldom numbers.
    doubtful: &'static [&'static str],
    /// Powers of ten, the first of which are numbers by themselves.
    powers: &'static [&'static str],
    /// How many of them are.
    alone: usize,
    articles: &'static [&'static str],
}

/// In the order of [`LANGUAGES`].
const MANNERS: [Manner; LANGUAGES.len()] = [
    Manner {
        none: &["o"],
        behind: &[],
        doubtful: &[],
        powers: &["hundred", "thousand", "million", "billion"],
        alone: 0,
        articles: &["a"],
    },
    Manner {
        none: &["zwo"],
        behind: &[("außer", "acht"), ("in", "acht")],
        doubtful: &["acht", "sieben"],
        powers: &[
            "hundert",
            "tausend",
            "million",
            "millionen",
            "milliarde",
            "milliarden",
            "billion",
            "billionen",
        ],
        alone: 2,
        articles: &["eine", "einer"],
    },
    Manner {
        none: &[],
        behind: &[("pour", "cent")],
        doubtful: &["neuf"],
        powers: &["cent", "cents", "mille", "million", "millions", "milliard", "milliards"],
        alone: 3,
        articles: &["un"],
    },
    Manner {
        none: &[],
        behind: &[("por", "ciento"), ("por", "cien")],
        doubtful: &[],
        powers: &["cien", "ciento", "mil", "millón", "millones"],
        alone: 3,
        articles: &["un"],
    },
];

/// How one counts from two on, in the order of [`LANGUAGES`].
const COUNTING: [&str; LANGUAGES.len()] = [
    "two three four five six seven eight nine ten eleven twelve thirteen",
    "zwei drei vier fünf sechs sieben acht neun zehn elf zwölf dreizehn",
    "deux trois quatre cinq six sept huit neuf dix onze douze treize",
    "dos tres cuatro cinco seis siete ocho nueve diez once doce trece",
];

/// What reads the words of each language, in the order of [`LANGUAGES`].
static READERS: LazyLock<Vec<Language>> = LazyLock::new(|| {
    vec![Language::english(), Language::german(), Language::french(), Language::spanish()]
});

/// A word between spaces, without the punctuation around it.
pub(super) struct Word<'a> {
    pub text: &'a str,
    pub range: Range<usize>,
    /// Whether nothing but space stands between it and the word before.
    pub follows: bool,
}

/// The words of a text.
pub(super) fn words(text: &str) -> Vec<Word<'_>> {
    let is_letter = |c: char| c.is_alphanumeric();
    let mut found: Vec<Word<'_>> = Vec::new();
    let mut at = 0;
    for piece in text.split_inclusive(|c: char| c.is_whitespace() || matches!(c, '—' | '–')) {
        let start = at;
        at += piece.len();
        let Some(first) = piece.find(is_letter) else { continue };
        let last = piece.rfind(is_letter).unwrap_or(first);
        let end = last + piece[last..].chars().next().map_or(0, char::len_utf8);
        // `5-million`
        let rest = piece[first..end].trim_start_matches(|c: char| c.is_ascii_digit() || c == '.');
        let behind = end - rest.len();
        let (whole, rest) = match rest.starts_with('-') && first < behind {
            true => (first..behind, Some(behind + 1..end)),
            false => (first..end, None),
        };
        for cut in std::iter::once(whole).chain(rest) {
            let range = start + cut.start..start + cut.end;
            let gap = found.last().map_or("", |before| &text[before.range.end..range.start]);
            let follows = !gap.is_empty() && (gap == "-" || gap.chars().all(char::is_whitespace));
            found.push(Word { text: &text[range.clone()], range, follows });
        }
    }
    found
}

/// A word as it is given to the reader of numbers.
struct Read<'a> {
    lower: String,
    word: &'a Word<'a>,
    is_none: bool,
}

impl Token for Read<'_> {
    fn text(&self) -> Cow<'_, str> {
        self.lower.as_str().into()
    }

    fn text_lowercase(&self) -> Cow<'_, str> {
        self.lower.as_str().into()
    }

    fn nt_separated(&self, _previous: &Self) -> bool {
        !self.word.follows
    }

    fn not_a_number_part(&self) -> bool {
        self.is_none
    }
}

/// The numbers that words of a text make.
pub(crate) fn find(text: &str, language: Words) -> Vec<Spelled> {
    let manner = &MANNERS[language.0];
    let words = words(text);
    let lower = |at: usize| words.get(at).map(|word| word.text.to_lowercase());
    let before = |at: usize| match words.get(at) {
        Some(word) if word.follows => lower(at.checked_sub(1)?),
        _ => None,
    };
    let read = (0..words.len()).map(|at| {
        let (word, lower) = (&words[at], words[at].text.to_lowercase());
        let behind = &text[word.range.end..];
        let is_plural = language == Words::default() && lower.ends_with('s');
        let is_none = is_plural
            || manner.none.contains(&lower.as_str())
            || lower.chars().any(|c| !c.is_alphabetic() && c != '-')
            // `three- and four-sided`
            || behind.starts_with('-')
            || text[..word.range.start].ends_with('-') && !word.follows
            || before(at).is_some_and(|before| {
                manner.behind.contains(&(before.as_str(), lower.as_str()))
            });
        Read { lower, word, is_none }
    });
    let found = find_numbers(read, &READERS[language.0], 0.0);
    let spelled = |it: &Occurence| {
        let digits = it.text.replace(',', ".");
        let is_number = digits.bytes().all(|byte| byte.is_ascii_digit() || byte == b'.');
        if it.is_ordinal || !is_number || digits == "1" {
            return None;
        }
        let (first, last) = (words.get(it.start)?, words.get(it.end.checked_sub(1)?)?);
        let mut range = first.range.start..last.range.end;
        let head = first.text.to_lowercase();
        let is_power = digits.len() > 2
            && digits.starts_with('1')
            && digits[1..].bytes().all(|byte| byte == b'0')
            && manner.powers.contains(&head.as_str());
        let article = before(it.start).filter(|word| manner.articles.contains(&word.as_str()));
        let kind = if scaled::is_denominator(&text[last.range.end..], language) {
            Kind::Part
        } else if is_power && article.is_some() {
            range.start = words[it.start - 1].range.start;
            Kind::Number
        } else if is_power && !manner.powers[..manner.alone].contains(&head.as_str()) {
            Kind::BareScale
        } else if is_power {
            Kind::Scale
        } else if it.end - it.start == 1 && manner.doubtful.contains(&head.as_str()) {
            Kind::Doubtful
        } else {
            Kind::Number
        };
        Some(Spelled { range, digits, kind })
    };
    found.iter().filter_map(spelled).collect()
}

/// The words of a number with the last of them counted one down and one up, where it is a small one: "five" for
/// "four".
pub(crate) fn neighbours(words: &str, language: Words) -> Vec<String> {
    let counting: Vec<&str> = COUNTING[language.0].split(' ').collect();
    let lower = words.to_lowercase();
    let is_end = |at: &usize| lower.ends_with(counting[*at]);
    let Some(at) = (0..counting.len()).filter(is_end).max_by_key(|at| counting[*at].len()) else {
        return Vec::new();
    };
    let Some(kept) = words.get(..words.len() - counting[at].len()) else { return Vec::new() };
    let is_capital = kept.is_empty() && words.starts_with(char::is_uppercase);
    let others = [at.checked_sub(1), Some(at + 1)].into_iter().flatten();
    let others = others.filter_map(|other| counting.get(other));
    let write = |other: &&str| {
        let mut letters = other.chars();
        let first = letters.next().filter(|_| is_capital).map(|first| first.to_uppercase());
        match first {
            Some(first) => format!("{kept}{first}{}", letters.as_str()),
            None => format!("{kept}{other}"),
        }
    };
    others.map(write).collect()
}

#[cfg(test)]
mod tests {
    use super::*;

    fn read(language: &str, text: &str) -> String {
        let found = find(text, Words::of(language));
        let shown = |it: &Spelled| match it.kind {
            Kind::Number => format!("{}={}", &text[it.range.clone()], it.digits),
            kind => format!("{}={} {kind:?}", &text[it.range.clone()], it.digits),
        };
        found.iter().map(shown).collect::<Vec<_>>().join(", ")
    }

    #[test]
    fn cardinals_are_read_in_every_language() {
        for (language, text, expected) in [
            ("en", "Three heads of twenty-one", "Three=3, twenty-one=21"),
            (
                "en",
                "two hundred and five thousand, (twelve)",
                "two hundred and five thousand=205000, twelve=12",
            ),
            ("en", "a hundred", "a hundred=100"),
            ("en", "three point one four", "three point one four=3.14"),
            (
                "en",
                "1.2 million and 5-million",
                "million=1000000 BareScale, million=1000000 BareScale",
            ),
            (
                "de",
                "einundzwanzig Köpfe, zweihundertfünfzigtausend",
                "einundzwanzig=21, zweihundertfünfzigtausend=250000",
            ),
            (
                "de",
                "eine Million, 5 Milliarden",
                "eine Million=1000000, Milliarden=1000000000 BareScale",
            ),
            (
                "fr",
                "quatre-vingt-dix-sept et deux cents mille",
                "quatre-vingt-dix-sept=97, deux cents mille=200000",
            ),
            ("fr", "soixante et onze, mille", "soixante et onze=71, mille=1000 Scale"),
            (
                "es",
                "Treinta y uno, veintidós, quinientos mil",
                "Treinta y uno=31, veintidós=22, quinientos mil=500000",
            ),
            ("es", "5 mil millones", "mil millones=1000000000 Scale"),
        ] {
            assert_eq!(read(language, text), expected, "{text}");
        }
    }

    #[test]
    fn a_number_has_neighbours() {
        for (language, words, expected) in [
            ("en", "four", ["three", "five"]),
            ("en", "Six", ["Five", "Seven"]),
            ("en", "twenty-four", ["twenty-three", "twenty-five"]),
            ("de", "Fünf", ["Vier", "Sechs"]),
            ("fr", "dix-huit", ["dix-sept", "dix-neuf"]),
            ("es", "treinta y dos", ["", "treinta y tres"]),
        ] {
            let expected: Vec<&str> = expected.into_iter().filter(|it| !it.is_empty()).collect();
            assert_eq!(neighbours(words, Words::of(language)), expected, "{words}");
        }
        assert!(neighbours("a hundred", Words::default()).is_empty());
    }

    #[test]
    fn what_is_no_number_is_left() {
        for (language, text) in [
            ("en", "one of the first three-dimensional ones, and no one in tens of hundreds"),
            ("en", "a third, the twenty-first, four-to-six, three- or fourfold, three.js, one"),
            ("de", "ein Kopf, das vierte, außer Acht, einer von ihnen, eine dritte"),
            ("fr", "un modèle, une page, dix-huitième, pour cent"),
            ("es", "uno, una, el cuarto, por ciento, doceavo"),
        ] {
            assert_eq!(read(language, text), "", "{text}");
        }
        assert_eq!(read("fr", "un cadre neuf"), "neuf=9 Doubtful");
        assert_eq!(
            read("en", "three quarters, several million"),
            "three=3 Part, million=1000000 BareScale"
        );
    }
}
