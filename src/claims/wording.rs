//! Words of a claim that say the opposite of what is checked.
//!
//! In: the text of a claim. Out: the words in it that deny, or that set a bound the other way.
//! Left out: every other way of contradicting oneself, which is the reader's to see.

use super::number::Printed;
use super::rule::{Rule, Side};

/// Words that say that something is no larger.
const LIMITS_ABOVE: &[&str] = &["at most", "up to", "less than", "fewer than", "below", "under"];
/// Words that say that something is no smaller.
const LIMITS_BELOW: &[&str] =
    &["at least", "more than", "greater than", "above", "over", "exceeds"];

/// Words before a number that say that the value is another.
const UNEQUAL: &[&str] = &[
    "more than",
    "greater than",
    "larger than",
    "less than",
    "fewer than",
    "smaller than",
    "unequal to",
    "under",
    "below",
    "above",
    "nearly",
    "almost",
    "not",
    "minus",
    "≠",
    "<",
    ">",
    "\\neq",
    "\\ne",
];

/// Texts that say nothing but that something is false.
const FALSE: [&str; 6] = ["false", "not true", "untrue", "wrong", "no", "does not hold"];
/// Words with which a longer text denies what it speaks of.
const DENIALS: [&str; 7] =
    ["is false", "are false", "not true", "untrue", "does not hold", "do not hold", "is wrong"];

/// The words of a text that say the opposite of a bound, such as "at most" beside `>= 1`.
pub(super) fn opposed_by(rule: &Rule, text: &str) -> Option<&'static str> {
    let Rule::Bound(side, _) = rule else { return None };
    let opposite = match side {
        Side::AtLeast | Side::Above => LIMITS_ABOVE,
        Side::AtMost | Side::Below => LIMITS_BELOW,
        Side::Not => return None,
    };
    let text = format!(" {} ", text.to_lowercase());
    let says = |words: &&str| text.contains(&format!(" {words} "));
    let denies = [" not ", " no ", " never ", " nor "].iter().any(|word| text.contains(word));
    opposite.iter().copied().find(says).filter(|_| !denies)
}

/// The words before an exact number that say that the value is another, such as "more than 5".
pub(super) fn unequal_by(rule: &Rule, printed: &Printed, text: &str) -> Option<&'static str> {
    if !matches!(rule, Rule::Printed) || !printed.precision.is_empty() {
        return None;
    }
    let text = text.to_lowercase();
    let before = text[..text.find(&printed.text.to_lowercase())?].trim_end_matches('$').trim_end();
    let is_sign = |words: &&str| !words.contains(char::is_alphabetic) || words.starts_with('\\');
    UNEQUAL.iter().copied().find(|words| {
        before.strip_suffix(words).is_some_and(|rest| {
            let rest = rest.trim_end_matches('$');
            let stands_free = !rest.ends_with(char::is_alphanumeric);
            let rest = rest.trim_end();
            let denies = ["no", "not", "never"].iter().any(|word| {
                rest.strip_suffix(word).is_some_and(|rest| !rest.ends_with(char::is_alphanumeric))
            });
            is_sign(words) || stands_free && !denies
        })
    })
}

/// Whether a text says nothing but that something is false.
pub(super) fn says_false(text: &str) -> bool {
    let text = text.trim().trim_end_matches(['.', '!']).to_lowercase();
    let text =
        ["it is ", "is ", "it "].iter().find_map(|it| text.strip_prefix(it)).unwrap_or(&text);
    FALSE.contains(&text)
}

/// The words with which a text denies what it speaks of.
pub(super) fn denied_by(text: &str) -> Option<&'static str> {
    let text = text.to_lowercase();
    let words: Vec<&str> =
        text.split(|c: char| !c.is_alphanumeric()).filter(|it| !it.is_empty()).collect();
    let text = format!(" {} ", words.join(" "));
    DENIALS.into_iter().find(|denial| text.contains(&format!(" {denial} ")))
}

#[cfg(test)]
mod tests {
    use super::*;
    use crate::claims::number;

    #[test]
    fn words_before_an_exact_number_that_say_another_are_found() {
        let found = |text: &str| {
            let printed = number::find(text).expect("one number").expect("a number");
            unequal_by(&Rule::Printed, &printed, text)
        };
        for text in [
            "more than 5",
            "under 5",
            "Nearly 5",
            "Not 5 times",
            "it is minus 5",
            "≠ 5",
            "$\\neq 5$",
            "<5",
            "$> 5$",
        ] {
            assert!(found(text).is_some(), "{text}");
        }
        for text in
            ["5", "no more than 5", "not fewer than 5", "more than 0.5", "a knot 5", "at least 5"]
        {
            assert!(found(text).is_none(), "{text}");
        }
    }

    #[test]
    fn a_text_that_denies_is_told_from_one_that_says_not() {
        for text in ["false", "Not true.", "it does not hold", "is untrue", "No"] {
            assert!(says_false(text), "{text}");
        }
        for text in
            ["it is not true, that it helps", "The bound does not hold here", "that is wrong"]
        {
            assert!(!says_false(text) && denied_by(text).is_some(), "{text}");
        }
        for text in
            ["pooling is not ahead", "false positives are rare", "true", "no worse", "nothing"]
        {
            assert!(!says_false(text) && denied_by(text).is_none(), "{text}");
        }
    }
}
