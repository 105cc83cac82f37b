//! Words with which a text bounds or denies what stands in it, such as "at most" and "does not hold".
//!
//! In: the language. Out: its words, in small letters, with `|` between phrases. Left out: what they mean for a
//! claim.

use super::Words;
use super::table::LANGUAGES;

/// Words of one language.
pub(crate) struct Wording {
    /// Words that say that something is no larger than a number.
    at_most: &'static str,
    /// Words that say that something is smaller than a number.
    less: &'static str,
    /// Those that are more often of place, as in "under noise".
    under: &'static str,
    /// Words that say that something is no smaller than a number.
    at_least: &'static str,
    /// Words that say that something is larger than a number.
    more: &'static str,
    /// Those that are more often of place, as in "over all seeds".
    over: &'static str,
    /// Words before a number that say that the value is near it or elsewhere.
    near: &'static str,
    /// Words before a number, or before `between`, that deny it; a hyphen marks an ending, a star any word but one of
    /// `only`.
    denials: &'static str,
    /// Words between those and the number, any of them.
    between: &'static str,
    /// Words behind a denial that make none of it, as in "no solo".
    only: &'static str,
    /// Words in front of a denial that make none of it, as in "un pas".
    articles: &'static str,
    /// The word before a denial that leaves it open, as in "whether or not".
    or: &'static str,
    /// Words at the beginning of a text that say nothing.
    it_is: &'static str,
    /// Texts that say nothing but that something is false.
    wrong: &'static str,
    /// Words with which a longer text denies what it speaks of.
    denied: &'static str,
}

/// In the order of [`LANGUAGES`].
const WORDINGS: [Wording; LANGUAGES.len()] = [
    Wording {
        at_most: "at most|up to|or less|or fewer",
        less: "less than|fewer than|smaller than|below",
        under: "under",
        at_least: "at least|or more",
        more: "more than|greater than|larger than|above|exceeds",
        over: "over",
        near: "unequal to|other than|differs from|differ from|different from|nearly|almost|not quite|hardly|beyond|\
               upwards of|in excess of|far from|short of|anything but|just over|well over",
        denials: "no|not|nor|neither|never|cannot|-n't",
        between: "even|yet|longer|exactly|really|actually|have|equal|equals|to|be|contain|reach|use",
        only: "",
        articles: "",
        or: "or",
        it_is: "it is |is |it ",
        wrong: "false|not true|untrue|wrong|no|does not hold",
        denied: "is false|are false|not true|untrue|does not hold|do not hold|is wrong",
    },
    Wording {
        at_most: "höchstens|maximal|bis zu|oder weniger",
        less: "weniger als|kleiner als",
        under: "unter",
        at_least: "mindestens|wenigstens|oder mehr",
        more: "mehr als|größer als|übersteigt",
        over: "über",
        near: "ungleich|verschieden von|fast|beinahe|nahezu|knapp|nicht ganz|kaum|weit über|etwas über",
        denials: "nicht|nie|niemals|kein|keine|keinen|keiner|weder",
        between: "etwa|genau|einmal|wirklich|gleich",
        only: "",
        articles: "",
        or: "oder",
        it_is: "das ist |es ist |ist |das |es ",
        wrong: "falsch|nicht wahr|unwahr|nein|gilt nicht",
        denied: "ist falsch|sind falsch|nicht wahr|unwahr|gilt nicht|gelten nicht",
    },
    Wording {
        at_most: "au plus|jusqu'à|ou moins",
        less: "moins de|moins d'|inférieur à|inférieure à",
        under: "sous",
        at_least: "au moins|ou plus",
        more: "plus de|plus d'|supérieur à|supérieure à|dépasse",
        over: "",
        near: "différent de|différente de|diffère de|presque|près de|à peine|loin de",
        denials: "pas|pas de|jamais|aucun|aucune|non|ni",
        between: "exactement|vraiment|même|encore|égal|égale|à",
        only: "",
        articles: "un|le|du|au|ce|chaque|leur",
        or: "ou",
        it_is: "c'est |est |cela ",
        wrong: "faux|pas vrai|non|ne tient pas",
        denied: "est faux|est fausse|sont faux|sont fausses|pas vrai|ne tient pas",
    },
    Wording {
        at_most: "como máximo|a lo sumo|hasta|o menos",
        less: "menos de|menor que|por debajo de",
        under: "",
        at_least: "al menos|como mínimo|o más",
        more: "más de|mayor que|por encima de|supera",
        over: "",
        near: "distinto de|distinta de|difiere de|casi|apenas|lejos de",
        denials: "no|nunca|ni|ningún|ninguna|no *",
        between: "exactamente|realmente|siquiera|todavía|aún|igual|a",
        only: "solo|sólo|más",
        articles: "",
        or: "o",
        it_is: "esto es |eso es |es ",
        wrong: "falso|no es cierto|no|no se cumple",
        denied: "es falso|es falsa|son falsos|no es cierto|no se cumple|no se cumplen",
    },
];

fn phrases(list: &'static str) -> impl Iterator<Item = &'static str> {
    list.split('|').filter(|it| !it.is_empty())
}

impl Wording {
    /// Those of a language.
    pub const fn of(language: Words) -> &'static Self {
        &WORDINGS[language.0]
    }

    /// Words that say that something is no larger, or smaller.
    pub fn limits_above(&self) -> impl Iterator<Item = &'static str> {
        phrases(self.at_most).chain(phrases(self.less))
    }

    /// Those of them that are more often of place.
    pub fn under(&self) -> impl Iterator<Item = &'static str> {
        phrases(self.under)
    }

    /// Words that say that something is no smaller, or larger.
    pub fn limits_below(&self) -> impl Iterator<Item = &'static str> {
        phrases(self.at_least).chain(phrases(self.more))
    }

    /// Those of them that are more often of place.
    pub fn over(&self) -> impl Iterator<Item = &'static str> {
        phrases(self.over)
    }

    /// Words before a number that say that the value is another.
    pub fn unequal(&self) -> impl Iterator<Item = &'static str> {
        phrases(self.less).chain(phrases(self.more)).chain(phrases(self.near))
    }

    /// Whether a word stands between a denial and its number.
    pub fn is_between(&self, word: &str) -> bool {
        phrases(self.between).any(|it| it == word)
    }

    /// The words at the end of a text that deny what follows, and what stands before them.
    pub fn denial<'a>(&self, before: &'a str) -> Option<(&'a str, &'a str)> {
        let last_word = |text: &'a str| text.trim_end().rsplit(' ').next().unwrap_or_default();
        let of = |words: &'static str| {
            let (ending, any) = (words.strip_prefix('-'), words.strip_suffix(" *"));
            let last = if any.is_some() { last_word(before) } else { "" };
            if phrases(self.only).any(|it| it == last) {
                return None;
            }
            let end = before[..before.len() - last.len()].trim_end();
            let rest = end.strip_suffix(ending.or(any).unwrap_or(words))?;
            if phrases(self.articles).any(|it| it == last_word(rest)) {
                return None;
            }
            let start = match ending {
                Some(_) => rest.trim_end_matches(char::is_alphabetic).len(),
                None if rest.ends_with(char::is_alphanumeric) => return None,
                None => rest.len(),
            };
            Some((before[start..].trim(), before[..start].trim_end()))
        };
        // The longest one.
        let (words, rest) = phrases(self.denials).filter_map(of).min_by_key(|(_, it)| it.len())?;
        let or = rest.strip_suffix(self.or);
        let is_open = or.is_some_and(|rest| !rest.ends_with(char::is_alphanumeric));
        (!is_open).then_some((words, rest))
    }

    /// Whether a text says nothing but that something is false.
    pub fn says_false(&self, text: &str) -> bool {
        let said = phrases(self.it_is).find_map(|it| text.strip_prefix(it)).unwrap_or(text);
        phrases(self.wrong).any(|it| it == said)
    }

    /// Words with which a longer text denies what it speaks of.
    pub fn denied(&self) -> impl Iterator<Item = &'static str> {
        phrases(self.denied)
    }
}
