//! What a link's title says of a claim.
//!
//! In: the title. Out: how the words and a number must be related, of what the number is made, and on
//! which data and devices. Left out: where the number comes from, which is [`mod@super::judge`]'s.

use num_rational::BigRational;

use super::devices;
use super::measure::{Estimate, Measure, Part};
use super::number::{self, Printed};
use super::rule::{Rule, Side};
use super::{Expected, Reason, Verdict};
use crate::words::Words;

/// A parsed relation.
#[derive(Clone, Debug, PartialEq)]
pub(crate) struct Relation {
    /// What the author expects to be found.
    pub expected: Expected,
    /// How text and value must be related.
    pub rule: Rule,
    /// Data set on whose whole, real data the value must have been computed.
    pub on: Option<String>,
    /// What is made of the value, and of further ones.
    pub measure: Measure,
    /// Names of the claims from which this one follows.
    pub because: Vec<String>,
    /// Devices on each of which it must hold; none if the one at hand is enough.
    pub devices: Vec<String>,
    /// Name of the published figure that the text quotes.
    pub quotes: Option<String>,
}

impl Relation {
    /// Parses a link's title.
    ///
    /// # Errors
    /// What is wrong with it, and what is known.
    pub fn parse(title: &str) -> Result<Self, String> {
        let mut expected = Expected::Verified;
        let mut rule = None;
        let mut on: Option<String> = None;
        let mut measure = Measure::default();
        let mut because = Vec::new();
        let mut on_devices = Vec::new();
        let mut quotes: Option<String> = None;
        for part in title.split(';').map(str::trim).filter(|part| !part.is_empty()) {
            let repeated = if part == "refuted" {
                std::mem::replace(&mut expected, Expected::Refuted) == Expected::Refuted
            } else if let Some(name) = named(part, "on", "data set")? {
                on.replace(name).is_some()
            } else if let Some(name) = named(part, "quotes", "published figure")? {
                quotes.replace(name).is_some()
            } else if let Some(names) = part.strip_prefix("because:") {
                !std::mem::replace(&mut because, premises(names)?).is_empty()
            } else if let Some(names) = part.strip_prefix("devices:") {
                !std::mem::replace(&mut on_devices, devices::all(names)?).is_empty()
            } else {
                match measure.read(part)? {
                    Part::New => false,
                    Part::Repeated => true,
                    Part::Other => rule.replace(Rule::parse(part)?).is_some(),
                }
            };
            if repeated {
                return Err(format!(
                    "the relation `{title}` says two things; one of them is enough"
                ));
            }
        }
        measure.check()?;
        Ok(Self {
            expected,
            rule: rule.unwrap_or(Rule::Printed),
            on,
            measure,
            because,
            devices: on_devices,
            quotes,
        })
    }

    /// Adds to a rule in words what is made of the value, what is quoted, and on which devices and data
    /// it must hold.
    pub fn words(&self, rule: &str) -> String {
        let mut words = self.measure.words();
        if !words.is_empty() {
            words.push_str("; ");
        }
        words.push_str(rule);
        if let Some(name) = &self.quotes {
            words.push_str("; quotes ");
            words.push_str(name);
        }
        if !self.devices.is_empty() {
            words.push_str("; devices: ");
            words.push_str(&self.devices.join(", "));
        }
        if let Some(name) = &self.on {
            words.push_str("; on ");
            words.push_str(name);
        }
        words
    }

    /// Compares what the text prints with what was made of a sample or of several values.
    pub fn compare(
        &self,
        text: &str,
        language: Option<Words>,
        estimate: &Estimate,
        unit: Option<&str>,
    ) -> Verdict {
        let (Some((low, high)), Some(interval)) = (&estimate.interval, &self.measure.interval)
        else {
            return self.rule.compare(number::stated(text, language), &estimate.value, unit);
        };
        if let Rule::Bound(side, bound) = &self.rule {
            let printed = number::stated(text, language).ok().flatten();
            let [at_low, at_high] =
                [low, high].map(|end| side.compare(bound, printed.as_ref(), end, unit));
            return match (at_low, at_high) {
                (Verdict::Error(message), _) => Verdict::Error(message),
                // Between its ends an interval has the very number that must not be.
                (Verdict::Verified, Verdict::Verified)
                    if *side == Side::Not && (low < &bound.plain()) != (high < &bound.plain()) =>
                {
                    inconclusive(&estimate.shown)
                }
                (Verdict::Verified, Verdict::Verified) => Verdict::Verified,
                (Verdict::Refuted(_), Verdict::Refuted(_)) => {
                    Verdict::Refuted(format!("the value is {}", estimate.shown))
                }
                _ => inconclusive(&estimate.shown),
            };
        }
        // The confidence may stand among the words; it is no end of the interval.
        let printed = match number::all(text, language) {
            Ok(printed) => printed,
            Err(message) => return Verdict::Error(message),
        };
        let is_level = |number: &Printed| number.percent && number.plain() == interval.level;
        let printed: Vec<Printed> =
            printed.into_iter().filter(|number| !is_level(number)).collect();
        let against: Vec<&BigRational> = match printed.len() {
            1 => vec![&estimate.value],
            2 => vec![low, high],
            3 => vec![&estimate.value, low, high],
            count => {
                return Verdict::Error(format!(
                    "the text has {count} numbers; print the value, both ends of its interval, or \
                     all three"
                ));
            }
        };
        let verdicts = printed.into_iter().zip(against);
        verdicts
            .map(|(printed, value)| self.rule.compare(Ok(Some(printed)), value, unit))
            .find(|verdict| *verdict != Verdict::Verified)
            .map_or(Verdict::Verified, |verdict| match verdict {
                Verdict::Refuted(_) => Verdict::Refuted(format!("the value is {}", estimate.shown)),
                verdict => verdict,
            })
    }
}

fn inconclusive(shown: &str) -> Verdict {
    Verdict::Unverified(Reason::Inconclusive, format!("the value is {shown}"))
}

/// The name behind a word, if a part of a title begins with that word.
fn named(part: &str, word: &str, kind: &str) -> Result<Option<String>, String> {
    let Some(name) = part.strip_prefix(word) else { return Ok(None) };
    if !name.is_empty() && !name.starts_with(char::is_whitespace) {
        return Ok(None);
    }
    match name.trim() {
        "" => Err(format!("`{word}` needs the name of a {kind} behind it")),
        name if name.contains(char::is_whitespace) => {
            Err(format!("`{name}` is no name of a {kind}"))
        }
        name => Ok(Some(name.to_owned())),
    }
}

/// Names of claims after `because:`.
fn premises(names: &str) -> Result<Vec<String>, String> {
    let names: Vec<String> = names.split(',').map(|name| name.trim().to_owned()).collect();
    match names.iter().find(|name| name.is_empty() || name.contains(char::is_whitespace)) {
        Some(name) if name.is_empty() => {
            Err("`because:` needs names of claims behind it, with commas between them".to_owned())
        }
        Some(name) => Err(format!("`{name}` is no name of a claim")),
        None => Ok(names),
    }
}

#[cfg(test)]
mod tests {
    use super::super::exact;
    use super::*;

    fn word(text: &str, title: &str, value: &str, unit: Option<&str>) -> &'static str {
        let value = exact::decimal(value).expect("a decimal");
        match Relation::parse(title) {
            Ok(relation) => {
                relation.rule.compare(number::stated(text, Words::known("en")), &value, unit).word()
            }
            Err(_) => "bad title",
        }
    }

    #[test]
    fn a_decimal_is_what_the_value_rounds_to() {
        for (text, value, expected) in [
            ("0.8204", "0.82044", "verified"),
            ("0.8204", "0.82045", "verified"),
            ("0.8205", "0.82045", "verified"),
            ("0.8204", "0.820451", "refuted"),
            ("0.8204", "0.820349", "refuted"),
            ("0.8205", "0.82044", "refuted"),
            ("-0.8204", "0.8204", "refuted"),
            ("1.0", "1", "verified"),
            ("12", "12.0", "verified"),
            ("12", "12.01", "refuted"),
            ("82 %", "0.82", "verified"),
            ("82 %", "0.8204", "refuted"),
            ("82.0 %", "0.8204", "verified"),
            ("1.2e-3", "0.00124", "verified"),
            ("1.2e-3", "0.00126", "refuted"),
            ("10^-3", "0.001", "verified"),
            ("10^-3", "0.00101", "refuted"),
        ] {
            assert_eq!(word(text, "", value, None), expected, "{text} {value}");
        }
        assert_eq!(word("82 %", "", "82", Some("%")), "verified");
        assert_eq!(word("82 %", "", "0.82", Some("%")), "refuted");
        assert_eq!(word("many", "", "82", None), "error");
        assert_eq!(word("1 of 2", "", "1", None), "error");
    }

    #[test]
    fn a_word_without_its_name_is_told_what_it_needs() {
        for (title, expected) in [
            ("quotes", "`quotes` needs the name of a published figure behind it"),
            ("± 1; on ", "`on` needs the name of a data set behind it"),
            ("because:", "`because:` needs names of claims behind it, with commas between them"),
            ("because: a,", "`because:` needs names of claims behind it, with commas between them"),
            ("quotes a b", "`a b` is no name of a published figure"),
        ] {
            assert_eq!(Relation::parse(title), Err(expected.to_owned()), "{title}");
        }
    }

    #[test]
    fn titles_state_other_relations() {
        for (text, title, value, expected) in [
            ("0.82", "± 0.015", "0.835", "verified"),
            ("0.82", "± 0.015", "0.8351", "refuted"),
            ("0.82", "+- 0.015", "0.805", "verified"),
            ("100", "± 2 %", "102", "verified"),
            ("100", "± 2 %", "102.1", "refuted"),
            ("-100", "+/- 2 %", "-102", "verified"),
            ("0.82", "≈ ± 0.015", "0.83", "verified"),
            ("0.82", "≈", "0.82", "bad title"),
            ("0.82", "± -1", "0.82", "bad title"),
            ("0.82", "± NaN", "0.82", "bad title"),
            ("0.82", "± inf", "0.82", "bad title"),
            ("0.82", "± 0.1 or so", "0.82", "bad title"),
            ("0.82", "± 100 %", "0.82", "vacuous"),
            ("good", ">= 0.75", "0.75", "verified"),
            ("good", "> 0.75", "0.75", "refuted"),
            ("good", "<= 0.75", "0.75", "verified"),
            ("good", "< 0.75", "0.75", "refuted"),
            ("good", "!= 3", "3", "refuted"),
            ("good", "!= 3", "4", "verified"),
            ("at least 0.75", ">= 0.75", "0.8", "verified"),
            ("at least 75 %", ">= 0.75", "0.8", "verified"),
            ("at least 0.74", ">= 0.75", "0.8", "error"),
            ("0.7", "roughly", "0.7", "bad title"),
            ("0.7", "± 0.1; ± 0.2", "0.7", "bad title"),
            ("0.7", "refuted; ± 0.1", "0.9", "refuted"),
            ("0.7", "± 0.1; on octmnist; refuted", "0.9", "refuted"),
            ("0.7", "on octmnist", "0.7", "verified"),
            ("0.7", "on octmnist; on esc50", "0.7", "bad title"),
            ("0.7", "on all data", "0.7", "bad title"),
            ("0.7", "on", "0.7", "bad title"),
        ] {
            assert_eq!(word(text, title, value, None), expected, "{text} {title} {value}");
        }
        let relation = Relation::parse("± 0.01 ; refuted");
        assert_eq!(relation.map(|relation| relation.expected), Ok(Expected::Refuted));
    }
}
