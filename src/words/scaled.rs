//! Words that make another number of the one beside them, such as "half of" or "squared".
//!
//! In: what stands in front of a number or behind it, and the language. Out: the words. Left out: powers of
//! ten behind a number, which are read with it, and words that do not touch it.

use super::Words;
use super::spelled::{self, Kind};
use super::table::LANGUAGES;

/// Words of one language that change a number beside them. A hyphen in front marks what ends a word that begins
/// with a number.
struct Table {
    /// In front of a number, with words between that say nothing.
    front: &'static str,
    /// In front of those and of `part`, which then are places: "the second half".
    places: &'static str,
    /// In front of a number and behind another, or behind a word of `several`.
    times: &'static str,
    several: &'static str,
    /// In front of a number with `of` between.
    part: &'static str,
    /// Likewise, if no word of `a` stands in front, which makes a figure of it.
    figure: &'static str,
    a: &'static str,
    /// Likewise, if no word of `the` stands in front, which makes a place in an order of it.
    place_or_part: &'static str,
    of: &'static str,
    /// "of the", which speaks of a part of what is counted.
    of_the: &'static str,
    the: &'static str,
    /// Behind a number, if no noun follows, as in "squared errors".
    powers: &'static str,
    /// Words that follow those and are no nouns.
    no_nouns: &'static str,
    /// Words that say nothing.
    empty: &'static str,
    /// Those of them with which a number is compared: "twice as many as".
    as_many: &'static str,
    /// Signs in words.
    sign: &'static str,
    /// Words in front of those that make a bound of them: "au moins", "plus ou moins".
    bounds: &'static str,
    /// Behind a number, parts of a whole, with how many of them make it.
    denominators: &'static str,
    /// Behind a number, with `|` between phrases; a space in front marks what a hyphen makes no number of, as in
    /// "5-fold".
    behind: &'static str,
}

/// In the order of [`LANGUAGES`].
const TABLES: [Table; LANGUAGES.len()] = [
    Table {
        front: "half twice thrice double triple quadruple doubled halved tripled quadrupled dozen -fold",
        places: "first second third other last former latter upper lower left right top \
                 bottom front rear",
        times: "times",
        several: "several many",
        part: "quarter thirds quarters fourths fifths sixths sevenths eighths ninths tenths hundredths \
               thousandths root",
        figure: "square cube",
        a: "a",
        place_or_part: "third fourth fifth sixth seventh eighth ninth tenth hundredth thousandth",
        of: "of",
        of_the: "",
        the: "the",
        empty: "the a an as many much that those its",
        as_many: "as many much",
        sign: "minus negative",
        bounds: "",
        denominators: "halves=2 thirds=3 quarters=4 fourths=4 fifths=5 sixths=6 sevenths=7 eighths=8 ninths=9 \
                       tenths=10 twentieths=20 hundredths=100 thousandths=1000",
        behind: "and a half|and a quarter|and a third|and three quarters|dozens|hundreds|thousands|millions|\
                 billions|trillions|lakh|lakhs|crore|crores| fold|per thousand|per mille|per mil|per million|to the power of|raised to the|\
                 order of magnitude|orders of magnitude|basis point|basis points|bp",
        powers: "squared cubed factorial doubled halved tripled quadrupled",
        no_nouns: "is are was were equals makes gives and or but plus minus times of in for as than to at on by if",
    },
    Table {
        front: "halb halbe halben halbes doppelt doppelte doppelten dutzend -mal -fach -fache -fachen",
        places: "",
        times: "mal",
        several: "mehrere viele",
        part: "hälfte drittel viertel fünftel sechstel siebtel achtel neuntel zehntel hundertstel tausendstel \
               wurzel",
        figure: "quadrat",
        a: "ein einem",
        place_or_part: "",
        of: "von aus",
        of_the: "der des",
        the: "der die das",
        empty: "so viel viele wie die das den dem einer eines",
        as_many: "so viel viele wie",
        sign: "minus negativ",
        bounds: "",
        denominators: "halbe=2 drittel=3 viertel=4 fünftel=5 sechstel=6 siebtel=7 achtel=8 neuntel=9 zehntel=10 \
                       zwanzigstel=20 hundertstel=100 tausendstel=1000",
        behind: "einhalb|und ein halb|und ein halbes|und eine halbe|und ein viertel|und ein drittel|hunderte|\
                 tausende|tsd|mio|mrd| fach|promille|pro mille|pro tausend|zum quadrat|im quadrat|hoch|fakultät|\
                 größenordnung|größenordnungen|basispunkt|basispunkte|basispunkten",
        powers: "",
        no_nouns: "",
    },
    Table {
        front: "demi demie double triple quadruple",
        places: "",
        times: "fois",
        several: "plusieurs",
        part: "moitié tiers quart racine",
        figure: "carré cube",
        a: "un",
        place_or_part: "cinquième sixième septième huitième neuvième dixième vingtième centième millième",
        of: "de d",
        of_the: "du des",
        the: "le la",
        empty: "le la les un une que",
        as_many: "plus que",
        sign: "moins",
        bounds: "au du ou non ni",
        denominators: "demis=2 tiers=3 quart=4 quarts=4 cinquième=5 cinquièmes=5 sixième=6 sixièmes=6 septièmes=7 \
                       huitième=8 huitièmes=8 neuvièmes=9 dixième=10 dixièmes=10 vingtièmes=20 centième=100 \
                       centièmes=100 millième=1000 millièmes=1000",
        behind: "et demi|et demie|et un quart|et quart|pour mille|au carré|au cube|factorielle|à la puissance|puissance|\
                 ordre de grandeur|ordres de grandeur|point de base|points de base",
        powers: "",
        no_nouns: "",
    },
    Table {
        front: "doble triple cuádruple",
        places: "",
        times: "veces",
        several: "varias muchas",
        part: "mitad tercio raíz",
        figure: "cuadrado cubo",
        a: "un",
        place_or_part: "cuarto quinto sexto séptimo octavo noveno décimo centésimo milésimo",
        of: "de",
        of_the: "del",
        the: "el la",
        empty: "el la los las un una que",
        as_many: "más que",
        sign: "menos",
        bounds: "al lo o cuando ni",
        denominators: "medios=2 tercio=3 tercios=3 cuarto=4 cuartos=4 quinto=5 quintos=5 sextos=6 séptimos=7 \
                       octavos=8 novenos=9 décimos=10 décimas=10 centésimas=100 milésimas=1000",
        behind: "y medio|y media|y un cuarto|miles|por mil|al cuadrado|al cubo|factorial|elevado a|a la potencia|\
                 orden de magnitud|órdenes de magnitud|punto básico|puntos básicos",
        powers: "",
        no_nouns: "",
    },
];

impl Table {
    const fn of(language: Words) -> &'static Self {
        &TABLES[language.0]
    }
}

/// Whether a word is in a list.
fn has(list: &str, word: &str) -> bool {
    !word.is_empty() && list.split(' ').any(|it| it == word)
}

/// Whether a word begins with a number and ends as the list says.
fn multiplies(list: &str, word: &str, language: Words) -> bool {
    let mut endings = list.split(' ').filter_map(|it| it.strip_prefix('-'));
    endings.any(|ending| word.strip_suffix(ending).is_some_and(|it| is_number(it, language)))
}

fn is_number(text: &str, language: Words) -> bool {
    text.contains(char::is_numeric) || is_spelled(text, language)
}

fn is_spelled(text: &str, language: Words) -> bool {
    spelled::find(text.trim_end_matches('-'), language)
        .iter()
        .any(|it| !matches!(it.kind, Kind::One | Kind::Ordinal))
}

/// How far from a number words are read.
#[derive(Clone, Copy, PartialEq, Eq)]
pub(crate) enum Reach {
    /// Over words that say nothing, too.
    Sentence,
    /// What touches it, but for "of".
    Touching,
}

/// The words at the end of a text that make another number of the one behind it.
pub(crate) fn in_front(before: &str, language: Words, reach: Reach) -> Option<String> {
    let table = Table::of(language);
    let words = spelled::words(before);
    let last = words.last()?;
    let gap = &before[last.range.end..];
    if gap != "-" && !gap.chars().all(|c| c.is_whitespace() || c == '*') {
        return None;
    }
    let mut has_of = false;
    for (at, word) in words.iter().enumerate().rev() {
        let lower = word.text.to_lowercase();
        let is_first = at + 1 == words.len();
        let earlier = at.checked_sub(1).map(|at| words[at].text).filter(|_| word.follows);
        let is_behind = |list| earlier.is_some_and(|it| has(list, &it.to_lowercase()));
        // "28 times 28" is like "28 × 28".
        let is_times = has(table.times, word.text)
            && (is_behind(table.several) || earlier.is_some_and(|it| is_spelled(it, language)));
        if is_times
            || has(table.front, &lower) && (has_of || !is_behind(table.places))
            || multiplies(table.front, &lower, language)
            || has_of && has(table.part, &lower) && !is_behind(table.places)
            || has_of && has(table.figure, &lower) && !is_behind(table.a)
            || has_of && has(table.place_or_part, &lower) && !is_behind(table.the)
            // "3 minus 2" has no sign.
            || is_first && is_sign(word, earlier, language)
        {
            return Some(before[word.range.start..last.range.end].to_owned());
        }
        let is_wide = reach == Reach::Sentence;
        let is_of = has(table.of, &lower) || is_wide && has(table.of_the, &lower);
        has_of |= is_of;
        let is_empty = has(table.as_many, &lower) || is_wide && has(table.empty, &lower);
        if !(is_of || is_empty) || !word.follows {
            return None;
        }
    }
    None
}

/// Whether a word makes a negative number of the one behind it; "3 minus 2" has no sign.
fn is_sign(word: &spelled::Word, earlier: Option<&str>, language: Words) -> bool {
    let table = Table::of(language);
    has(table.sign, &word.text.to_lowercase())
        && !earlier
            .is_some_and(|it| has(table.bounds, &it.to_lowercase()) || is_number(it, language))
}

/// Where the word begins that ends a text and makes a negative number of the one in words behind it.
pub(crate) fn sign(before: &str, language: Words) -> Option<usize> {
    let words = spelled::words(before);
    let (last, rest) = words.split_last()?;
    let is_blank = before[last.range.end..].chars().all(char::is_whitespace);
    let earlier = rest.last().map(|it| it.text).filter(|_| last.follows);
    (is_blank && is_sign(last, earlier, language)).then_some(last.range.start)
}

/// The words at the beginning of a text that make another number of the one in front of it.
pub(crate) fn behind(after: &str, language: Words) -> Option<String> {
    let table = Table::of(language);
    let words = following(after);
    let first = words.first()?;
    let lower: Vec<String> = words.iter().map(|word| word.text.to_lowercase()).collect();
    let is_phrase = |phrase: &&str| {
        let parts = || phrase.split(' ').filter(|part| !part.is_empty());
        // "and a quarter of the rest" is another one, and so is "and a third one".
        let is_place = parts().next_back().is_some_and(|last| has(table.place_or_part, last));
        let is_apart = parts().count() > 2
            && (is_place && words.len() > parts().count()
                || words.get(parts().count()).is_some_and(|it| is_of(it.text, language)));
        let is_compound = phrase.starts_with(' ') && after.starts_with('-');
        parts().enumerate().all(|(at, part)| lower.get(at).is_some_and(|it| it == part))
            && !is_apart
            && !is_compound
    };
    if denominator(after, language).is_some() {
        return Some(first.text.to_owned());
    }
    let is_times = has(table.times, first.text);
    let is_alone = lower.get(1).is_none_or(|next| has(table.no_nouns, next));
    if has(table.powers, &lower[0]) && is_alone {
        return Some(first.text.to_owned());
    }
    let length = match table.behind.split('|').find(is_phrase) {
        Some(phrase) => phrase.split_whitespace().count(),
        None if is_times && words.get(1).is_some_and(|it| is_spelled(it.text, language)) => 2,
        None => return None,
    };
    Some(after[first.range.start..words[length - 1].range.end].to_owned())
}

/// Whether a word says that a number in front of it is a part of what follows.
pub(crate) fn is_of(word: &str, language: Words) -> bool {
    let (table, word) = (Table::of(language), word.to_lowercase());
    has(table.of, &word) || has(table.of_the, &word)
}

/// Whether a word in front of a number says what is done that often, as in "halved 5 times".
pub(crate) fn is_done(word: &str, behind: &str, language: Words) -> bool {
    let table = Table::of(language);
    let is_times = spelled::words(behind).first().is_some_and(|it| has(table.times, it.text));
    is_times && has(table.powers, &word.to_lowercase())
}

/// Whether a word makes another number of "one" in front of it, as in "one third".
pub(crate) fn is_part(word: &str, language: Words) -> bool {
    let (table, word) = (Table::of(language), word.to_lowercase());
    [table.front, table.part, table.place_or_part].iter().any(|list| has(list, &word))
}

/// The word at the beginning of a text that makes a number in front of it a part of a fraction: where it ends,
/// and the denominator.
pub(super) fn denominator(after: &str, language: Words) -> Option<(usize, &'static str)> {
    let words = following(after);
    let word = words.first()?;
    let lower = word.text.to_lowercase();
    let mut known = Table::of(language).denominators.split(' ').filter_map(|it| it.split_once('='));
    known.find(|(it, _)| *it == lower).map(|(_, number)| (word.range.end, number))
}

/// The words that follow upon each other from the beginning of a text.
fn following(after: &str) -> Vec<spelled::Word<'_>> {
    let near = after.char_indices().nth(40).map_or(after.len(), |(at, _)| at);
    let mut words = spelled::words(&after[..near]);
    let touches =
        |text: &str| text == "-" || !text.is_empty() && text.chars().all(char::is_whitespace);
    if words.first().is_none_or(|first| !touches(&after[..first.range.start])) {
        return Vec::new();
    }
    let count = 1 + words.iter().skip(1).take_while(|word| word.follows).count();
    words.truncate(count);
    words
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn words_that_change_the_number_behind_them_are_found() {
        let found = |language, text| in_front(text, Words::of(language), Reach::Sentence);
        for (language, text, words) in [
            ("en", "it is a half of ", "half of"),
            ("en", "twice as many as ", "twice as many as"),
            ("en", "five times ", "times"),
            ("en", "The square root of ", "root of"),
            ("en", "a tenfold ", "tenfold"),
            ("de", "die Hälfte von ", "Hälfte von"),
            ("de", "fünfmal ", "fünfmal"),
            ("de", "minus ", "minus"),
            ("fr", "la moitié de ", "moitié de"),
            ("fr", "deux fois ", "fois"),
            ("es", "la mitad de ", "mitad de"),
            ("es", "el doble de ", "doble de"),
        ] {
            assert_eq!(found(language, text).as_deref(), Some(words), "{text}");
        }
        for (language, text) in [
            ("en", "half of it has "),
            ("en", "the third "),
            ("en", "three times, "),
            ("en", "as many as "),
            ("es", "la media de "),
            ("es", "a veces "),
            ("de", "dieses Mal "),
            ("de", "manchmal "),
            ("de", "der einfache "),
            ("en", "a manifold "),
            ("fr", "moins de "),
            ("fr", "au moins "),
            ("es", "al menos "),
        ] {
            assert_eq!(found(language, text), None, "{text}");
        }
        let near = |text| in_front(text, Words::of("en"), Reach::Touching);
        assert_eq!(near("half of ").as_deref(), Some("half of"));
        assert_eq!(near("half of the "), None);
    }

    #[test]
    fn words_that_change_the_number_in_front_of_them_are_found() {
        for (language, text, words) in [
            ("en", " and a half", Some("and a half")),
            ("en", " quarters of it", Some("quarters")),
            ("en", "-squared", Some("squared")),
            ("de", " Mio. Wörter", Some("Mio")),
            ("fr", " et demie", Some("et demie")),
            ("es", " y medio", Some("y medio")),
            ("en", ", half of it", None),
            ("en", " and a third one", None),
            ("en", " times as many", None),
            ("en", "", None),
        ] {
            assert_eq!(behind(text, Words::of(language)).as_deref(), words, "{text}");
        }
    }
}
