//! Words that make another number of the one beside them, such as "half of" or "squared".
//!
//! In: what stands in front of a number or behind it, and the language. Out: the words. Left out: powers of
//! ten behind a number, which are read with it, and words that do not touch it.

use super::table::LANGUAGES;
use super::{Words, spelled};

/// Words of one language that change a number beside them. A hyphen in front marks what ends a word that begins
/// with a number.
struct Table {
    /// In front of a number, with words between that say nothing.
    front: &'static str,
    /// In front of a number and behind another, or behind a word of `several`.
    times: &'static str,
    several: &'static str,
    /// In front of a number with `of` between.
    part: &'static str,
    of: &'static str,
    /// Words that say nothing.
    empty: &'static str,
    /// Signs in words.
    sign: &'static str,
    /// Behind a number, parts of a whole.
    denominators: &'static str,
    /// Behind a number, with `|` between phrases.
    behind: &'static str,
}

/// In the order of [`LANGUAGES`].
const TABLES: [Table; LANGUAGES.len()] = [
    Table {
        front: "half twice thrice double triple quadruple dozen -fold",
        times: "times",
        several: "several many",
        part: "third quarter fourth fifth sixth seventh eighth ninth tenth hundredth thousandth \
               thirds quarters fourths fifths sixths sevenths eighths ninths tenths hundredths \
               thousandths dozens hundreds thousands millions square cube root",
        of: "of",
        empty: "the a an as many much that those its",
        sign: "minus",
        denominators: "halves thirds quarters fourths fifths sixths sevenths eighths ninths tenths \
                       twentieths hundredths thousandths",
        behind: "and a half|and a quarter|dozen|dozens|hundreds|thousands|millions|billions|\
                 trillion|trillions|squared|cubed|factorial",
    },
    Table {
        front: "halb halbe halben halbes doppelt doppelte doppelten dutzend -mal -fach -fache -fachen",
        times: "mal",
        several: "mehrere viele",
        part: "hälfte drittel viertel fünftel sechstel siebtel achtel neuntel zehntel hundertstel tausendstel \
               quadrat wurzel",
        of: "von der des aus",
        empty: "so viel viele wie die das den dem einer eines",
        sign: "minus",
        denominators: "halbe drittel viertel fünftel sechstel siebtel achtel neuntel zehntel zwanzigstel \
                       hundertstel tausendstel",
        behind: "einhalb|und ein halb|und ein halbes|und eine halbe|dutzend|hunderte|tausende|tsd|mio|mrd|\
                 zum quadrat|im quadrat|hoch|fakultät",
    },
    Table {
        front: "demi demie double triple quadruple",
        times: "fois",
        several: "plusieurs",
        part: "moitié tiers quart cinquième sixième dixième centième millième carré cube racine",
        of: "de du des",
        empty: "le la les un une que",
        sign: "moins",
        denominators: "tiers quart quarts cinquième cinquièmes sixième sixièmes septièmes huitième huitièmes \
                       neuvièmes dixième dixièmes vingtièmes centième centièmes millième millièmes",
        behind: "et demi|et demie|douzaine|douzaines|centaines|milliers|au carré|au cube|factorielle",
    },
    Table {
        front: "doble triple cuádruple",
        times: "veces",
        several: "varias muchas",
        part: "mitad tercio cuarto quinto sexto décimo centésimo milésimo cuadrado cubo raíz",
        of: "de del",
        empty: "el la los las un una que",
        sign: "menos",
        denominators: "tercio tercios cuarto cuartos quinto quintos sextos séptimos octavos novenos décimos \
                       centésimas milésimas décimas",
        behind: "y medio|y media|docena|docenas|miles|billón|billones|al cuadrado|al cubo|factorial",
    },
];

impl Table {
    const fn of(language: Words) -> &'static Self {
        &TABLES[language.0]
    }
}

/// Words before those for a sign that make a bound of them: "au moins", "al menos", "plus ou moins".
const AT_LEAST: &str = "au du ou al lo o";

/// Whether a word is in a list.
fn has(list: &str, word: &str) -> bool {
    list.split(' ').any(|it| it == word)
}

/// Whether a word begins with a number and ends as the list says.
fn multiplies(list: &str, word: &str, language: Words) -> bool {
    let mut endings = list.split(' ').filter_map(|it| it.strip_prefix('-'));
    endings.any(|ending| word.strip_suffix(ending).is_some_and(|it| is_number(it, language)))
}

fn is_number(text: &str, language: Words) -> bool {
    text.contains(char::is_numeric)
        || !spelled::find(text.trim_end_matches('-'), language).is_empty()
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
    let is_space = |text: &str| text.chars().all(|c| c.is_whitespace() || c == '$' || c == '*');
    if !is_space(&before[last.range.end..]) {
        return None;
    }
    let mut has_of = false;
    for (at, word) in words.iter().enumerate().rev() {
        let lower = word.text.to_lowercase();
        let is_first = at + 1 == words.len();
        let earlier = at.checked_sub(1).map(|at| words[at].text).filter(|_| word.follows);
        let is_times = has(table.times, word.text)
            && earlier.is_some_and(|it| {
                is_number(it, language) || has(table.several, &it.to_lowercase())
            });
        if is_times
            || has(table.front, &lower)
            || multiplies(table.front, &lower, language)
            || has_of && has(table.part, &lower)
            || is_first
                && has(table.sign, &lower)
                && !earlier.is_some_and(|it| has(AT_LEAST, &it.to_lowercase()))
        {
            return Some(before[word.range.start..last.range.end].to_owned());
        }
        let is_of = has(table.of, &lower);
        has_of |= is_of;
        if !(is_of || reach == Reach::Sentence && has(table.empty, &lower)) || !word.follows {
            return None;
        }
    }
    None
}

/// The words at the beginning of a text that make another number of the one in front of it.
pub(crate) fn behind(after: &str, language: Words) -> Option<String> {
    let table = Table::of(language);
    let words = following(after);
    let first = words.first()?;
    let is_phrase = |phrase: &&str| {
        let mut parts = phrase.split(' ');
        let same = parts.by_ref().zip(&words).all(|(part, word)| part == word.text.to_lowercase());
        same && phrase.split(' ').count() <= words.len()
    };
    if has(table.denominators, &first.text.to_lowercase()) {
        return Some(first.text.to_owned());
    }
    let phrase = table.behind.split('|').find(is_phrase)?;
    let last = &words[phrase.split(' ').count() - 1];
    Some(after[first.range.start..last.range.end].to_owned())
}

/// Whether the word at the beginning of a text makes a number in front of it a part of a fraction.
pub(super) fn is_denominator(after: &str, language: Words) -> bool {
    let words = following(after);
    words.first().is_some_and(|it| has(Table::of(language).denominators, &it.text.to_lowercase()))
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
