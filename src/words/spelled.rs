//! Numbers written as words, such as "twenty-one".
//!
//! In: a text and its language. Out: each number in it, exactly, with its place. Left out: plurals such as
//! "hundreds", and what a hyphen joins to another word ("three-dimensional"). Words that change a number beside
//! them are [`super::scaled`]'s.

mod manners;

use std::borrow::Cow;
use std::ops::Range;
use std::sync::LazyLock;

use num_bigint::BigInt;
use text2num::{Language, Occurence, Token, find_numbers};

use self::manners::{MANNERS, Manner};
use super::table::LANGUAGES;
use super::{Words, scaled};

/// A number written as words.
#[derive(Clone, Debug, PartialEq, Eq)]
pub(crate) struct Spelled {
    /// Where its words stand.
    pub range: Range<usize>,
    /// The same in digits, decimals behind a point, a denominator behind `/`.
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
    /// A fraction, as in "three quarters".
    Part,
    /// A place in an order, as in "twenty-first".
    Ordinal,
    /// "one", which is grammar.
    One,
}

impl Kind {
    /// Whether it says how many there are, without anything beside it.
    pub fn counts(self) -> bool {
        !matches!(self, Self::BareScale | Self::Ordinal | Self::One)
    }
}

impl Spelled {
    /// Whether it scales digits that end in front of `gap`, which ends in front of it.
    pub fn scales(&self, gap: &str) -> bool {
        let is_near = gap == "-" || !gap.is_empty() && gap.chars().all(char::is_whitespace);
        is_near && matches!(self.kind, Kind::Scale | Kind::BareScale)
    }
}

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
    for piece in text.split_inclusive(|c: char| c.is_whitespace() || matches!(c, '—' | '–' | '/'))
    {
        let start = at;
        at += piece.len();
        let Some(first) = piece.find(is_letter) else { continue };
        let last = piece.rfind(is_letter).unwrap_or(first);
        let end = last + piece[last..].chars().next().map_or(0, char::len_utf8);
        // `5-million`
        let rest = piece[first..end]
            .trim_start_matches(|c: char| c.is_ascii_digit() || matches!(c, '.' | ','));
        let behind = end - rest.len();
        let hyphen = rest.chars().next().filter(|&c| is_hyphen(c) && first < behind);
        let (whole, rest) = match hyphen {
            Some(hyphen) => (first..behind, Some(behind + hyphen.len_utf8()..end)),
            None => (first..end, None),
        };
        for cut in std::iter::once(whole).chain(rest) {
            let range = start + cut.start..start + cut.end;
            let gap = found.last().map_or("", |before| &text[before.range.end..range.start]);
            let is_blank = gap.chars().all(char::is_whitespace);
            let follows = !gap.is_empty() && (is_blank || gap.chars().all(is_hyphen));
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
    let lower: Vec<String> = words.iter().map(|word| lower(word.text, manner)).collect();
    let before = |at: usize| match words.get(at) {
        Some(word) if word.follows => lower.get(at.checked_sub(1)?).map(String::as_str),
        _ => None,
    };
    let read = (0..words.len()).map(|at| {
        let (word, lower) = (&words[at], lower[at].clone());
        let is_plural = language == Words::default() && lower.ends_with('s');
        let is_none = is_plural
            || manner.none.contains(&lower.as_str())
            || manner.scales.iter().any(|(scale, _)| *scale == lower)
            || lower.chars().any(|c| !c.is_alphabetic() && c != '-')
            // `three- and four-sided`
            || text[word.range.end..].starts_with(is_hyphen)
            || text[..word.range.start].ends_with(is_hyphen) && !word.follows
            || before(at).is_some_and(|before| manner.behind.contains(&(before, &lower)));
        Read { lower, word, is_none }
    });
    let article = |at: usize| before(at).is_some_and(|word| manner.articles.contains(&word));
    let spelled = |it: &Occurence| {
        let digits = it.text.replace(',', ".");
        let (first, last) = (words.get(it.start)?, words.get(it.end.checked_sub(1)?)?);
        let mut range = first.range.start..last.range.end;
        if it.is_ordinal {
            return Some((it.end, Spelled { range, digits, kind: Kind::Ordinal }));
        }
        if !digits.bytes().all(|byte| byte.is_ascii_digit() || byte == b'.') {
            return None;
        }
        let head = lower[it.start].as_str();
        let is_power = digits.len() > 2
            && digits.starts_with('1')
            && digits[1..].bytes().all(|byte| byte == b'0')
            && manner.powers.contains(&head);
        let kind = if is_power && article(it.start) {
            range.start = words[it.start - 1].range.start;
            Kind::Number
        } else if is_power && !manner.powers[..manner.alone].contains(&head) {
            Kind::BareScale
        } else if is_power {
            Kind::Scale
        } else if digits == "1" {
            Kind::One
        } else if it.end - it.start == 1 && manner.doubtful.contains(&head) {
            Kind::Doubtful
        } else {
            Kind::Number
        };
        Some((it.end, Spelled { range, digits, kind }))
    };
    let occurrences = find_numbers(read, &READERS[language.0], 0.0);
    let mut found: Vec<(usize, Spelled)> = occurrences.iter().filter_map(spelled).collect();
    for (at, word) in words.iter().enumerate() {
        let known = manner.scales.iter().find(|(scale, _)| *scale == lower[at]);
        let Some((_, scale)) = known else { continue };
        let number = found.iter_mut().find(|(end, it)| {
            *end == at && word.follows && matches!(it.kind, Kind::Number | Kind::One)
        });
        let scaled = number.as_ref().and_then(|(_, it)| it.digits.parse::<BigInt>().ok());
        if let (Some((end, number)), Some(count)) = (number, scaled) {
            *end = at + 1;
            number.range.end = word.range.end;
            number.digits = (count * scale).to_string();
            number.kind = Kind::Number;
            continue;
        }
        let (start, kind) = match article(at) {
            true => (words[at - 1].range.start, Kind::Number),
            false => (word.range.start, Kind::BareScale),
        };
        // "un" is a number, too.
        found.retain(|(_, it)| it.range.end <= start || it.range.start > start);
        let (range, digits) = (start..word.range.end, scale.to_string());
        found.push((at + 1, Spelled { range, digits, kind }));
    }
    for (_, it) in &mut found {
        let part = scaled::denominator(&text[it.range.end..], language);
        if let Some((length, denominator)) = part.filter(|_| it.kind.counts()) {
            it.kind = Kind::Part;
            if !it.digits.contains('.') {
                it.range.end += length;
                it.digits = format!("{}/{denominator}", it.digits);
            }
        }
    }
    for (end, it) in &mut found {
        let half = |phrase: &str| {
            let length = phrase.split(' ').count();
            let parts = words.get(*end..*end + length)?;
            let is_it = parts.iter().all(|part| part.follows)
                && phrase.split(' ').eq(lower[*end..*end + length].iter().map(String::as_str));
            let next = words.get(*end + length).filter(|next| next.follows);
            // "two and a half of the rest"
            let is_another = next.is_some_and(|next| scaled::is_of(next.text, language));
            (is_it && !is_another).then(|| parts[length - 1].range.end)
        };
        if let Kind::Number | Kind::One = it.kind
            && let Ok(count) = it.digits.parse::<BigInt>()
            && let Some(end) = manner.and_a_half.split('|').find_map(half)
        {
            it.range.end = end;
            it.digits = format!("{}/2", count * 2 + 1);
            it.kind = Kind::Number;
        }
    }
    let mut found: Vec<Spelled> = found.into_iter().map(|(_, it)| it).collect();
    found.sort_by_key(|it| it.range.start);
    found
}

/// The number that a text is and nothing else, if its words are mostly none: "one" and "half".
pub(crate) fn alone(text: &str, language: Words) -> Option<Spelled> {
    let start = text.len() - text.trim_start().len();
    let range = start..start + text.trim().len();
    let is_half = MANNERS[language.0].half.contains(&text.trim().to_lowercase().as_str());
    if is_half {
        return Some(Spelled { range, digits: "1/2".into(), kind: Kind::Number });
    }
    let found = find(text, language).into_iter();
    let one = found.last().filter(|it| it.kind == Kind::One && it.range == range)?;
    Some(Spelled { kind: Kind::Number, ..one })
}

/// A word as it is spelled in the tables.
fn lower(word: &str, manner: &Manner) -> String {
    let mut lower = word.to_lowercase().replace(is_hyphen, "-");
    for (other, usual) in manner.spellings {
        lower = lower.replace(other, usual);
    }
    lower
}

/// Whether a character joins words.
pub(crate) fn is_hyphen(c: char) -> bool {
    matches!(c, '-' | '‐' | '‑')
}

/// Whether a word says that those are meant of which was spoken.
pub(crate) fn is_the(word: &str, language: Words) -> bool {
    MANNERS[language.0].the.contains(&word.to_lowercase().as_str())
}

/// Whether a word joins tens and units.
pub(crate) fn is_and(word: &str, language: Words) -> bool {
    word.to_lowercase() == MANNERS[language.0].and
}

/// Whether a word stands in front of two ends.
pub(crate) fn is_between(word: &str, language: Words) -> bool {
    word.to_lowercase() == MANNERS[language.0].between
}

/// Whether a number begins with a word that scales one in front of it.
pub(crate) fn begins_with_scale(words: &str, language: Words) -> bool {
    let manner = &MANNERS[language.0];
    let first = lower(words.split(|c: char| !c.is_alphabetic()).next().unwrap_or_default(), manner);
    manner.powers.contains(&first.as_str()) || manner.scales.iter().any(|(it, _)| *it == first)
}

/// The words of a number with the last of them counted one down and one up, where it is a small one: "five" for
/// "four".
pub(crate) fn neighbours(words: &str, language: Words) -> Vec<String> {
    let counting: Vec<&str> = MANNERS[language.0].counting.split(' ').collect();
    let lower = words.to_lowercase();
    let is_end = |at: &usize| lower.ends_with(counting[*at]);
    let Some(at) = (0..counting.len()).filter(is_end).max_by_key(|at| counting[*at].len()) else {
        return Vec::new();
    };
    let Some(kept) = words.get(..words.len() - counting[at].len()) else { return Vec::new() };
    let is_capital = kept.is_empty() && words.starts_with(char::is_uppercase);
    let others = [at.checked_sub(1), Some(at + 1)].into_iter().flatten();
    let others = others.filter_map(|other| counting.get(other));
    let value = |words: &str| match find(words, language).as_slice() {
        [one] if one.kind.counts() => one.digits.parse::<i64>().ok(),
        _ => None,
    };
    let own = value(words);
    // "twenty-ten" is none.
    let is_next = |other: &String| {
        let apart = own.zip(value(other)).map(|(own, other)| own.abs_diff(other));
        apart == Some(1)
    };
    let write = |other: &&str| {
        let mut letters = other.chars();
        let first = letters.next().filter(|_| is_capital).map(|first| first.to_uppercase());
        match first {
            Some(first) => format!("{kept}{first}{}", letters.as_str()),
            None => format!("{kept}{other}"),
        }
    };
    others.map(write).filter(is_next).collect()
}

#[cfg(test)]
mod tests {
    use super::*;

    fn read(language: &str, text: &str) -> String {
        let mut found = find(text, Words::of(language));
        found.retain(|it| !matches!(it.kind, Kind::One | Kind::Ordinal));
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
            ("en", "two dozen, a dozen, dozen", "two dozen=24, a dozen=12, dozen=12 BareScale"),
            ("en", "five trillion", "five trillion=5000000000000"),
            ("en", "nine/ten twenty‑one", "nine=9, ten=10, twenty‑one=21"),
            (
                "de",
                "fuenfhundert, zwei Billionen",
                "fuenfhundert=500, zwei Billionen=2000000000000",
            ),
            ("fr", "deux douzaines, une dizaine", "deux douzaines=24, une dizaine=10"),
            (
                "es",
                "veintiún mil, tres billones",
                "veintiún mil=21000, tres billones=3000000000000",
            ),
            ("es", "tres cuartos", "tres cuartos=3/4 Part"),
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
            ("en", "twenty-nine", ["twenty-eight", ""]),
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
            "three quarters=3/4 Part, million=1000000 BareScale"
        );
    }
}
