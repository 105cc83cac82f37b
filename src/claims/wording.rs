//! Words of a claim that say the opposite of what is checked.
//!
//! In: the text of a claim. Out: the words in it that deny, or that set a bound the other way.
//! Left out: every other way of contradicting oneself, which is the reader's to see.

use super::rule::{Rule, Side};
use crate::words::Words;
use crate::words::wording::{Turn, Wording, last_phrase};

/// Signs before a number that say that the value is smaller, or no larger.
const DOWN: [&str; 12] =
    ["<", "≤", "≪", "⩽", "≦", "<=", "\\le", "\\leq", "\\leqslant", "\\lt", "\\ll", "\\lesssim"];

/// Signs before a number that say that the value is larger, or no smaller.
const UP: [&str; 12] =
    [">", "≥", "≫", "⩾", "≧", ">=", "\\ge", "\\geq", "\\geqslant", "\\gt", "\\gg", "\\gtrsim"];

/// Those of them that say that the value is another.
const STRICT: [&str; 8] = ["<", ">", "≪", "≫", "\\ll", "\\gg", "\\lt", "\\gt"];

/// Signs before a number that deny it.
const UNEQUAL: [&str; 6] = ["≠", "!=", "﹗=", "\\neq", "\\ne", "\\not="];

/// What stands in front of a number and behind it, within its link and beside it.
#[derive(Default)]
pub(super) struct Said {
    /// In front of the link.
    pub before: String,
    /// In front of the number, in the link.
    pub front: String,
    /// Behind the number, in the link and behind it.
    pub behind: String,
}

impl Said {
    fn in_front(&self) -> String {
        plain(&format!("{}{}", self.before, self.front))
    }
}

/// The sign at the end of a plain text; an arrow is none.
fn sign_of(before: &str, signs: impl IntoIterator<Item = &'static str>) -> Option<&'static str> {
    let before = before.trim_end_matches(['{', ' ']);
    let is_arrow = before.ends_with("->") || before.ends_with("=>");
    signs.into_iter().find(|sign| !is_arrow && before.ends_with(sign))
}

/// What stands in front of words at the end of a text.
fn without<'a>(text: &'a str, words: &str) -> Option<&'a str> {
    text.strip_suffix(words).filter(|rest| !rest.ends_with(char::is_alphanumeric))
}

/// What stands in front of words that bound what follows, at the end of a text.
fn bounded<'a>(text: &'a str, words: &str, wording: &Wording) -> Option<&'a str> {
    without(text, words).filter(|rest| !wording.is_place(rest, words))
}

/// The words or the sign, in the text of a claim or right beside its number, that say the opposite of a bound, such
/// as "at most" beside `>= 1`. A denial in front of them turns them round.
pub(super) fn opposed_by(
    rule: &Rule,
    said: &Said,
    text: &str,
    language: Option<Words>,
) -> Option<String> {
    let Rule::Bound(side, _) = rule else { return None };
    let is_up = match side {
        Side::AtLeast | Side::Above => true,
        Side::AtMost | Side::Below => false,
        Side::Not => return None,
    };
    let all = said.in_front();
    let (against, along) = if is_up { (DOWN, UP) } else { (UP, DOWN) };
    let against = sign_of(&all, UNEQUAL).or_else(|| sign_of(&all, against));
    let along = sign_of(&all, along);
    if let Some(sign) = against.or(along) {
        let rest = all.trim_end_matches(['{', ' ']).strip_suffix(sign)?;
        return match language.and_then(|it| Wording::of(it).denial(rest.trim_end())) {
            Some((denial, _)) => along.map(|sign| format!("{denial} {sign}")),
            None => against.map(str::to_owned),
        };
    }
    let wording = Wording::of(language?);
    let (front, before, text) = (plain(&said.front), plain(&said.before), plain(text));
    let is_denied = text.match_indices(' ').any(|(at, _)| wording.denial(&text[..at]).is_some());
    let (up, down): (Vec<_>, Vec<_>) =
        (wording.limits_below().collect(), wording.limits_above().collect());
    let opposes = |is_above: bool, rest: &str, words: &str| match wording.turn(rest) {
        Turn::Round(denied) => (is_above == is_up).then(|| format!("{denied} {words}")),
        Turn::Open => None,
        Turn::None => (is_above != is_up).then(|| words.to_owned()),
    };
    let ways = || [(true, &up), (false, &down)];
    let inside = ways().into_iter().find_map(|(is_above, words)| {
        words.iter().find_map(|words| {
            let at = last_phrase(&text, words)?;
            let found = opposes(is_above, &format!("{before} {}", &text[..at]), words)?;
            (!is_denied || is_above == is_up).then_some(found)
        })
    });
    let of_place = || {
        let places = wording.over().map(|it| (true, it));
        let mut places = places.chain(wording.under().map(|it| (false, it)));
        places.find_map(|(is_above, words)| {
            let rest = without(&front, words)?;
            opposes(is_above, &format!("{before} {rest}"), words)
        })
    };
    let outside = || {
        let found = ways().into_iter().find_map(|(is_above, words)| {
            words.iter().find_map(|words| opposes(is_above, bounded(&all, words, wording)?, words))
        });
        found.filter(|_| !wording.is_denied_behind(&plain(&said.behind)))
    };
    let behind = || {
        let words = wording.bound_behind(&plain(&said.behind))?;
        opposes(up.contains(&words), &all, words)
    };
    inside.or_else(of_place).or_else(outside).or_else(behind)
}

/// The words around an exact number that say that the value is another, such as "more than".
pub(super) fn unequal_by(said: &Said, language: Option<Words>) -> Option<&'static str> {
    let before = said.in_front();
    if let Some(sign) = sign_of(&before, UNEQUAL.into_iter().chain(STRICT)) {
        return Some(sign);
    }
    // "0.8 ± [0.1]" is exact.
    let is_number = said.before.trim_end().ends_with(|c: char| c.is_numeric() || c == '%');
    if plain(&said.front) == "±" && !is_number {
        return Some("±");
    }
    let wording = Wording::of(language?);
    let is_near = |words: &&str| {
        without(&before, words).is_some_and(|rest| wording.denial(rest.trim_end()).is_none())
    };
    let is_beyond = |words: &&str| {
        bounded(&before, words, wording)
            .is_some_and(|rest| matches!(wording.turn(rest), Turn::None))
    };
    wording
        .beyond()
        .find(is_beyond)
        .filter(|_| !wording.is_denied_behind(&plain(&said.behind)))
        .or_else(|| wording.near().find(is_near))
}

/// The words or the sign around a number that say on which side of it the value is.
pub(super) fn one_sided_by(said: &Said, language: Option<Words>) -> Option<&'static str> {
    let before = said.in_front();
    if let Some(sign) = sign_of(&before, DOWN.into_iter().chain(UP)) {
        return Some(sign);
    }
    let wording = Wording::of(language?);
    let mut words = wording.one_sided();
    words
        .find(|words| bounded(&before, words, wording).is_some())
        .or_else(|| wording.bound_behind(&plain(&said.behind)))
}

/// The words or the sign at the end of what stands before a number that deny it.
pub(super) fn denied_before(said: &Said, language: Option<Words>) -> Option<String> {
    let before = said.in_front();
    if let Some(sign) = sign_of(&before, UNEQUAL) {
        return Some(sign.to_owned());
    }
    let wording = Wording::of(language?);
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
        let found = |language, before: &str| {
            let language = Words::known(language);
            let said = Said { before: before.to_owned(), ..Said::default() };
            unequal_by(&said, language)
                .map(str::to_owned)
                .or_else(|| denied_before(&said, language))
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
        let found = |language, rule, before: &str, text: &str| {
            let rule = Rule::parse(rule).expect("it is a rule");
            let (front, behind) = text.split_once('5').unwrap_or_default();
            let (before, front) = (before.to_owned(), front.to_owned());
            let said = Said { before, front, behind: behind.to_owned() };
            opposed_by(&rule, &said, text, Words::known(language))
        };
        let some = |words: &str| Some(words.to_owned());
        assert_eq!(found("en", ">= 5", "", "at most 5"), some("at most"));
        assert_eq!(found("en", ">= 5", "it is at most ", "5"), some("at most"));
        assert_eq!(found("en", "<= 5", "", "more than 5"), some("more than"));
        assert_eq!(found("en", "<= 5", "", "well over 5"), some("well over"));
        assert_eq!(found("de", ">= 5", "es sind höchstens ", "5"), some("höchstens"));
        assert_eq!(found("fr", "<= 5", "", "au moins 5"), some("au moins"));
        assert_eq!(found("es", "> 5", "", "menos de 5"), some("menos de"));
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
