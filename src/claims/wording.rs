//! Words of a claim that say the opposite of what is checked.
//!
//! In: the text of a claim. Out: the words in it that deny, or that set a bound the other way.
//! Left out: every other way of contradicting oneself, which is the reader's to see.

use super::rule::{Rule, Side};
use crate::words::{LANGUAGES, Words};

/// Words of one language.
struct Wording {
    /// Words that say that something is no larger.
    limits_above: &'static [&'static str],
    /// Words that say that something is no smaller.
    limits_below: &'static [&'static str],
    /// Words before a number that say that the value is another.
    unequal: &'static [&'static str],
    /// Words before a number, or before those, that deny it; a hyphen marks an ending, a star any word but "only".
    denials: &'static [&'static str],
    /// Words between those and the number, any of them.
    adverbs: &'static str,
    /// Words before those that leave it open, as in "whether or not".
    or: &'static str,
    /// Words at the beginning of a text that say nothing.
    it_is: &'static [&'static str],
    /// Texts that say nothing but that something is false.
    wrong: &'static [&'static str],
    /// Words with which a longer text denies what it speaks of.
    denied: &'static [&'static str],
}

/// In the order of [`LANGUAGES`].
const WORDINGS: [Wording; LANGUAGES.len()] = [
    Wording {
        limits_above: &[
            "at most",
            "up to",
            "less than",
            "fewer than",
            "below",
            "under",
            "or less",
            "or fewer",
        ],
        limits_below: &[
            "at least",
            "more than",
            "greater than",
            "above",
            "over",
            "exceeds",
            "or more",
        ],
        unequal: &[
            "more than",
            "greater than",
            "larger than",
            "less than",
            "fewer than",
            "smaller than",
            "unequal to",
            "other than",
            "differs from",
            "differ from",
            "different from",
            "below",
            "above",
            "nearly",
            "almost",
            "not quite",
            "hardly",
            "exceeds",
            "beyond",
            "upwards of",
            "in excess of",
            "far from",
            "short of",
            "anything but",
            "just over",
            "well over",
        ],
        denials: &["no", "not", "nor", "neither", "never", "cannot", "-n't"],
        adverbs: "even yet exactly really actually have equal equals to be contain reach use",
        or: "or",
        it_is: &["it is ", "is ", "it "],
        wrong: &["false", "not true", "untrue", "wrong", "no", "does not hold"],
        denied: &[
            "is false",
            "are false",
            "not true",
            "untrue",
            "does not hold",
            "do not hold",
            "is wrong",
        ],
    },
    Wording {
        limits_above: &[
            "höchstens",
            "maximal",
            "bis zu",
            "weniger als",
            "kleiner als",
            "unter",
            "oder weniger",
        ],
        limits_below: &[
            "mindestens",
            "wenigstens",
            "mehr als",
            "größer als",
            "über",
            "übersteigt",
            "oder mehr",
        ],
        unequal: &[
            "mehr als",
            "größer als",
            "weniger als",
            "kleiner als",
            "ungleich",
            "verschieden von",
            "fast",
            "beinahe",
            "nahezu",
            "knapp",
            "nicht ganz",
            "kaum",
            "weit über",
            "etwas über",
        ],
        denials: &["nicht", "nie", "niemals", "kein", "keine", "keinen", "keiner", "weder"],
        adverbs: "etwa genau einmal wirklich gleich",
        or: "oder",
        it_is: &["das ist ", "es ist ", "ist ", "das ", "es "],
        wrong: &["falsch", "nicht wahr", "unwahr", "nein", "gilt nicht"],
        denied: &[
            "ist falsch",
            "sind falsch",
            "nicht wahr",
            "unwahr",
            "gilt nicht",
            "gelten nicht",
        ],
    },
    Wording {
        limits_above: &[
            "au plus",
            "jusqu'à",
            "moins de",
            "inférieur à",
            "inférieure à",
            "sous",
            "ou moins",
        ],
        limits_below: &["au moins", "plus de", "supérieur à", "supérieure à", "dépasse", "ou plus"],
        unequal: &[
            "plus de",
            "plus d'",
            "moins de",
            "moins d'",
            "supérieur à",
            "supérieure à",
            "inférieur à",
            "inférieure à",
            "différent de",
            "différente de",
            "presque",
            "près de",
            "à peine",
            "loin de",
            "diffère de",
        ],
        denials: &["pas", "pas de", "jamais", "aucun", "aucune", "non", "ni"],
        adverbs: "exactement vraiment même encore égal égale à",
        or: "ou",
        it_is: &["c'est ", "est ", "cela "],
        wrong: &["faux", "pas vrai", "non", "ne tient pas"],
        denied: &[
            "est faux",
            "est fausse",
            "sont faux",
            "sont fausses",
            "pas vrai",
            "ne tient pas",
        ],
    },
    Wording {
        limits_above: &[
            "como máximo",
            "a lo sumo",
            "hasta",
            "menos de",
            "menor que",
            "por debajo de",
            "o menos",
        ],
        limits_below: &[
            "al menos",
            "como mínimo",
            "más de",
            "mayor que",
            "por encima de",
            "supera",
            "o más",
        ],
        unequal: &[
            "más de",
            "menos de",
            "mayor que",
            "menor que",
            "distinto de",
            "distinta de",
            "difiere de",
            "casi",
            "apenas",
            "lejos de",
            "por debajo de",
            "por encima de",
        ],
        denials: &["no", "nunca", "ni", "ningún", "ninguna", "no *"],
        adverbs: "exactamente realmente siquiera todavía aún igual a",
        or: "o",
        it_is: &["esto es ", "eso es ", "es "],
        wrong: &["falso", "no es cierto", "no", "no se cumple"],
        denied: &[
            "es falso",
            "es falsa",
            "son falsos",
            "no es cierto",
            "no se cumple",
            "no se cumplen",
        ],
    },
];

/// Signs before a number that say that the value is another.
const UNEQUAL: [&str; 14] = [
    "≠", "<", ">", "≪", "≫", "!=", "﹗=", "\\neq", "\\ne", "\\not=", "\\ll", "\\gg", "\\lt", "\\gt",
];

/// Limits that are more often of place, as in "over all seeds", and are read right before a number in a link alone.
const OF_PLACE: [&str; 5] = ["over", "under", "über", "unter", "sous"];

/// Words before the French "pas" that make a step of it.
const A_STEP: [&str; 7] = ["un", "le", "du", "au", "ce", "chaque", "leur"];

impl Wording {
    /// Those of a language that is known.
    fn of(language: Words) -> &'static Self {
        &WORDINGS[language.index()]
    }

    /// The words at the end of a text that deny what follows, and what stands before them.
    fn denial<'a>(&self, before: &'a str) -> Option<(&'a str, &'a str)> {
        let mut found: Vec<_> = self
            .denials
            .iter()
            .filter_map(|words| {
                let (ending, any) = (words.strip_prefix('-'), words.strip_suffix(" *"));
                let last = before.rsplit(' ').next().filter(|_| any.is_some()).unwrap_or_default();
                if ["solo", "sólo", "más"].contains(&last) {
                    return None;
                }
                let end = before[..before.len() - last.len()].trim_end();
                let rest = end.strip_suffix(ending.or(any).unwrap_or(words))?;
                let is_step =
                    || A_STEP.contains(&rest.trim_end().rsplit(' ').next().unwrap_or_default());
                if words.starts_with("pas") && is_step() {
                    return None;
                }
                let start = match ending {
                    Some(_) => rest.trim_end_matches(char::is_alphabetic).len(),
                    None if rest.ends_with(char::is_alphanumeric) => return None,
                    None => rest.len(),
                };
                Some((before[start..].trim(), before[..start].trim_end()))
            })
            .collect();
        found.sort_by_key(|(_, rest)| rest.len());
        let (words, rest) = found.into_iter().next()?;
        let or = rest.strip_suffix(self.or);
        let is_open = or.is_some_and(|rest| !rest.ends_with(char::is_alphanumeric));
        (!is_open).then_some((words, rest))
    }
}

/// The words, in the text of a claim or right before it, that say the opposite of a bound, such as "at most"
/// beside `>= 1`. `front` is what stands in the link before its number.
pub(super) fn opposed_by(
    rule: &Rule,
    before: &str,
    front: &str,
    text: &str,
    language: Option<Words>,
) -> Option<&'static str> {
    let Rule::Bound(side, _) = rule else { return None };
    let wording = Wording::of(language?);
    let opposite = match side {
        Side::AtLeast | Side::Above => wording.limits_above,
        Side::AtMost | Side::Below => wording.limits_below,
        Side::Not => return None,
    };
    let (before, front, text) = (plain(before), plain(front), format!(" {} ", plain(text)));
    let denies = |text: &str| wording.denial(text.trim_end()).is_some();
    let ends = |text: &str, words: &str| {
        let rest = text.strip_suffix(words);
        rest.is_some_and(|rest| !rest.ends_with(char::is_alphanumeric) && !denies(rest))
    };
    let says = |words: &&str| match OF_PLACE.contains(words) {
        true => ends(&front, words),
        false => text.contains(&format!(" {words} ")),
    };
    let is_denied = || text.match_indices(' ').any(|(at, _)| denies(&text[..at]));
    let inside = opposite.iter().copied().find(says).filter(|_| !is_denied());
    let is_outside = |words: &&str| !OF_PLACE.contains(words) && ends(&before, words);
    inside.or_else(|| opposite.iter().copied().find(is_outside))
}

/// The words at the end of what stands before an exact number that say that the value is another, such as
/// "more than".
pub(super) fn unequal_by(before: &str, language: Option<Words>) -> Option<&'static str> {
    let before = plain(before);
    let is_arrow = before.ends_with("->") || before.ends_with("=>");
    let is_sign = |sign: &&str| !is_arrow && before.trim_end_matches(['{', ' ']).ends_with(sign);
    if let Some(sign) = UNEQUAL.into_iter().find(|sign| is_sign(sign)) {
        return Some(sign);
    }
    let wording = Wording::of(language?);
    wording.unequal.iter().copied().find(|words| {
        before.strip_suffix(words).is_some_and(|rest| {
            let is_word = !rest.ends_with(char::is_alphanumeric);
            is_word && wording.denial(rest.trim_end()).is_none()
        })
    })
}

/// The words at the end of what stands before a number that deny it.
pub(super) fn denied_before(before: &str, language: Option<Words>) -> Option<String> {
    let (wording, before) = (Wording::of(language?), plain(before));
    let mut rest = before.as_str();
    while let Some((earlier, last)) = rest.rsplit_once(' ')
        && wording.adverbs.split(' ').any(|adverb| adverb == last)
    {
        rest = earlier;
    }
    let denial = wording.denial(rest)?;
    Some(denial.0.to_owned())
}

/// A text in small letters with single spaces, without marks that say nothing.
fn plain(text: &str) -> String {
    let text = text.to_lowercase().replace(['*', '$'], "").replace('’', "'");
    text.split_whitespace().collect::<Vec<_>>().join(" ")
}

/// Whether a text says nothing but that something is false; in English, too, if the language is not known.
pub(super) fn says_false(text: &str, language: Option<Words>) -> bool {
    let wording = Wording::of(language.unwrap_or_default());
    let text = plain(text.trim().trim_end_matches(['.', '!']));
    let text = wording.it_is.iter().find_map(|it| text.strip_prefix(it)).unwrap_or(&text);
    wording.wrong.contains(&text)
}

/// The words with which a text denies what it speaks of.
pub(super) fn denied_by(text: &str, language: Option<Words>) -> Option<&'static str> {
    let denied = Wording::of(language?).denied;
    let text = text.to_lowercase();
    let words: Vec<&str> =
        text.split(|c: char| !c.is_alphanumeric()).filter(|it| !it.is_empty()).collect();
    let text = format!(" {} ", words.join(" "));
    denied.iter().copied().find(|denial| text.contains(&format!(" {denial} ")))
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn words_before_an_exact_number_that_say_another_are_found() {
        let found = |language, before| {
            let language = Words::known(language);
            unequal_by(before, language)
                .map(str::to_owned)
                .or_else(|| denied_before(before, language))
        };
        for (language, before) in [
            ("en", "more than "),
            ("en", "does not have "),
            ("en", "is not equal to "),
            ("en", "differs from "),
            ("en", "$x \\gg "),
            ("en", "Nearly "),
            ("en", "There are not "),
            ("en", "It isn’t "),
            ("en", "often not "),
            ("en", "≠ "),
            ("en", "$\\neq "),
            ("en", "<"),
            ("de", "mehr als "),
            ("de", "Es sind nicht "),
            ("de", "Fast "),
            ("fr", "presque "),
            ("fr", "ce ne sont pas "),
            ("es", "casi "),
            ("es", "no son "),
            ("nl", "≠ "),
        ] {
            assert!(found(language, before).is_some(), "{before}");
        }
        for (language, before) in [
            ("en", "no more than "),
            ("en", "not fewer than "),
            ("en", "a knot "),
            ("en", "at least "),
            ("en", "whether or not "),
            ("en", "does not differ from "),
            ("en", "evaluated under "),
            ("fr", "avec un pas de "),
            ("nl", "more than "),
            ("pt", "no "),
            ("en", ""),
            ("de", "nicht mehr als "),
            ("de", "rast "),
            ("fr", "pas plus de "),
            ("fr", "au moins "),
            ("es", "no más de "),
            ("es", "al menos "),
        ] {
            assert_eq!(found(language, before), None, "{before}");
        }
    }

    #[test]
    fn words_that_oppose_a_bound_are_found_in_the_link_and_before_it() {
        let found = |language, rule, before, text: &str| {
            let rule = Rule::parse(rule).expect("it is a rule");
            let front = text.split(|c: char| c.is_ascii_digit()).next().unwrap_or_default();
            opposed_by(&rule, before, front, text, Words::known(language))
        };
        assert_eq!(found("en", ">= 5", "", "at most 5"), Some("at most"));
        assert_eq!(found("en", ">= 5", "it is at most ", "5"), Some("at most"));
        assert_eq!(found("en", "<= 5", "", "more than 5"), Some("more than"));
        assert_eq!(found("en", "<= 5", "", "well over 5"), Some("over"));
        assert_eq!(found("de", ">= 5", "es sind höchstens ", "5"), Some("höchstens"));
        assert_eq!(found("fr", "<= 5", "", "au moins 5"), Some("au moins"));
        assert_eq!(found("es", "> 5", "", "menos de 5"), Some("menos de"));
        for (language, rule, before, text) in [
            ("en", "<= 5", "", "not more than 5"),
            ("en", "<= 5", "averaged over ", "at most 5"),
            ("en", "<= 5", "", "below 5 over all seeds"),
            ("en", "<= 5", "no more than ", "5"),
            ("en", "<= 5", "more than that, ", "5"),
            ("de", "<= 5", "nicht mehr als ", "5"),
            ("de", ">= 5", "", "at most 5"),
        ] {
            assert_eq!(found(language, rule, before, text), None, "{before}{text}");
        }
    }

    #[test]
    fn a_text_that_denies_is_told_from_one_that_says_not() {
        let known = Words::known;
        for (language, text) in [
            ("en", "false"),
            ("en", "Not true."),
            ("en", "it does not hold"),
            ("en", "is untrue"),
            ("en", "No"),
            ("de", "Das ist falsch."),
            ("fr", "C’est faux"),
            ("es", "es falso"),
        ] {
            assert!(says_false(text, known(language)), "{text}");
        }
        for (language, text) in [
            ("en", "it is not true, that it helps"),
            ("en", "The bound does not hold here"),
            ("en", "that is wrong"),
            ("de", "Die Schranke gilt nicht"),
            ("fr", "la borne est fausse"),
            ("es", "la cota es falsa"),
        ] {
            let language = known(language);
            assert!(!says_false(text, language) && denied_by(text, language).is_some(), "{text}");
        }
        for text in
            ["pooling is not ahead", "false positives are rare", "true", "no worse", "nothing"]
        {
            assert!(!says_false(text, None) && denied_by(text, None).is_none(), "{text}");
        }
    }
}
