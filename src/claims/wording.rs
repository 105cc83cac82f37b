//! Words of a claim that say the opposite of what is checked.
//!
//! In: the text of a claim. Out: the words in it that deny, or that set a bound the other way.
//! Left out: every other way of contradicting oneself, which is the reader's to see.

use super::rule::{Rule, Side};
use crate::words::Words;
use crate::words::wording::Wording;

/// Signs before a number that say that the value is another.
const UNEQUAL: [&str; 14] = [
    "≠", "<", ">", "≪", "≫", "!=", "﹗=", "\\neq", "\\ne", "\\not=", "\\ll", "\\gg", "\\lt", "\\gt",
];

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
    let (before, front, text) = (plain(before), plain(front), format!(" {} ", plain(text)));
    let denies = |text: &str| wording.denial(text.trim_end()).is_some();
    let ends = |text: &str, words: &str| {
        let rest = text.strip_suffix(words);
        rest.is_some_and(|rest| !rest.ends_with(char::is_alphanumeric) && !denies(rest))
    };
    let limits = || -> Vec<&'static str> {
        match side {
            Side::AtLeast | Side::Above => wording.limits_above().collect(),
            Side::AtMost | Side::Below => wording.limits_below().collect(),
            Side::Not => Vec::new(),
        }
    };
    let of_place = || match side {
        Side::AtLeast | Side::Above => wording.under().find(|it| ends(&front, it)),
        Side::AtMost | Side::Below => wording.over().find(|it| ends(&front, it)),
        Side::Not => None,
    };
    let is_denied = || text.match_indices(' ').any(|(at, _)| denies(&text[..at]));
    let said = limits().into_iter().find(|it| text.contains(&format!(" {it} ")));
    said.filter(|_| !is_denied())
        .or_else(of_place)
        .or_else(|| limits().into_iter().find(|it| ends(&before, it)))
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
    wording.unequal().find(|words| {
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
        && wording.is_between(last)
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
    let text = plain(text.trim().trim_end_matches(['.', '!']));
    Wording::of(language.unwrap_or_default()).says_false(&text)
}

/// The words with which a text denies what it speaks of.
pub(super) fn denied_by(text: &str, language: Option<Words>) -> Option<&'static str> {
    let mut denied = Wording::of(language?).denied();
    let text = text.to_lowercase();
    let words: Vec<&str> =
        text.split(|c: char| !c.is_alphanumeric()).filter(|it| !it.is_empty()).collect();
    let text = format!(" {} ", words.join(" "));
    denied.find(|denial| text.contains(&format!(" {denial} ")))
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
