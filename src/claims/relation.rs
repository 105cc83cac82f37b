//! How a claim's words and a number must be related.
//!
//! In: a link's title, its text, and the number that a cell published. Out: whether they
//! agree, exactly. Left out: where the number comes from, which is [`mod@super::judge`]'s.

use num_bigint::BigInt;
use num_rational::BigRational;
use num_traits::{Signed, Zero};

use super::measure::{Estimate, Measure, Part};
use super::number::{self, Printed};
use super::{Expected, Reason, Verdict, exact};
use crate::diag::closest;

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

/// How text and value must be related.
#[derive(Clone, Debug, PartialEq, Eq)]
pub(crate) enum Rule {
    /// The value rounds to what is printed; an integer or fraction is exact.
    Printed,
    /// The value is that close to what is printed.
    Within(Tolerance),
    /// The same, by the device on which the value was computed.
    WithinOn(Vec<(String, Tolerance)>),
    /// The value lies on one side of a bound.
    Bound(Side, Printed),
}

/// Largest distance.
#[derive(Clone, Debug, PartialEq, Eq)]
pub(crate) enum Tolerance {
    /// In the unit of the value.
    Absolute(Printed),
    /// As a part of the printed number.
    Relative(Printed),
}

/// Side of a bound.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub(crate) enum Side {
    AtLeast,
    Above,
    AtMost,
    Below,
    Not,
}

/// Words that say that something is no larger.
const LIMITS_ABOVE: &[&str] = &["at most", "up to", "less than", "fewer than", "below", "under"];
/// Words that say that something is no smaller.
const LIMITS_BELOW: &[&str] =
    &["at least", "more than", "greater than", "above", "over", "exceeds"];

/// Texts that say nothing but that something is false.
const FALSE: [&str; 6] = ["false", "not true", "untrue", "wrong", "no", "does not hold"];
/// Words with which a longer text denies what it speaks of.
const DENIALS: [&str; 7] =
    ["is false", "are false", "not true", "untrue", "does not hold", "do not hold", "is wrong"];

const SIDES: [(&str, Side); 8] = [
    (">=", Side::AtLeast),
    ("≥", Side::AtLeast),
    ("<=", Side::AtMost),
    ("≤", Side::AtMost),
    ("!=", Side::Not),
    ("≠", Side::Not),
    (">", Side::Above),
    ("<", Side::Below),
];

const KNOWN: &str = "`± 0.015`, `± 2 %`, `>= 0.75`, `> 0.75`, `<= 0.75`, `< 0.75`, `!= 3`, \
                     `± 0.01 on cpu, ± 0.02 on cuda`, `refuted`, `on DATASET`, `mean`, `median`, \
                     `minus NAME`, `over NAME`, `plus NAME`, `paired`, `points`, `t 95 %`, \
                     `bootstrap 95 %`, `n >= 5`, `quotes NAME`, `devices: cpu, cuda` and `because: CLAIM, CLAIM`, \
                     or several of them with `;` between";

/// Words with which a part of a title may begin.
const WORDS: [&str; 14] = [
    "refuted",
    "on",
    "mean",
    "median",
    "minus",
    "over",
    "plus",
    "paired",
    "points",
    "t",
    "bootstrap",
    "quotes",
    "because:",
    "devices:",
];

/// Devices that a tolerance may name.
const DEVICES: [&str; 2] = ["cpu", "cuda"];

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
        let mut devices = Vec::new();
        let mut quotes: Option<String> = None;
        for part in title.split(';').map(str::trim).filter(|part| !part.is_empty()) {
            let repeated = if part == "refuted" {
                std::mem::replace(&mut expected, Expected::Refuted) == Expected::Refuted
            } else if let Some(name) = part.strip_prefix("on ").map(str::trim) {
                if name.contains(char::is_whitespace) {
                    return Err(format!("`{name}` is no name of a data set"));
                }
                on.replace(name.to_owned()).is_some()
            } else if let Some(name) = part.strip_prefix("quotes ").map(str::trim) {
                if name.contains(char::is_whitespace) {
                    return Err(format!("`{name}` is no name of a value"));
                }
                quotes.replace(name.to_owned()).is_some()
            } else if let Some(names) = part.strip_prefix("because:") {
                !std::mem::replace(&mut because, premises(names)?).is_empty()
            } else if let Some(names) = part.strip_prefix("devices:") {
                !std::mem::replace(&mut devices, all_devices(names)?).is_empty()
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
            devices,
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
    pub fn compare(&self, text: &str, estimate: &Estimate, unit: Option<&str>) -> Verdict {
        let (Some((low, high)), Some(interval)) = (&estimate.interval, &self.measure.interval)
        else {
            return self.rule.compare(number::find(text), &estimate.value, unit);
        };
        if let Rule::Bound(side, bound) = &self.rule {
            let [at_low, at_high] = [low, high].map(|end| {
                side.compare(bound, number::find(text).ok().flatten().as_ref(), end, unit)
            });
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
        let printed = match number::all(text) {
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

/// Names of claims after `because:`.
fn premises(names: &str) -> Result<Vec<String>, String> {
    let names: Vec<String> = names.split(',').map(|name| name.trim().to_owned()).collect();
    match names.iter().find(|name| name.is_empty() || name.contains(char::is_whitespace)) {
        Some(name) => Err(format!("`{name}` is no name of a claim")),
        None => Ok(names),
    }
}

/// The devices that some text may name, which begins behind `devices:`.
pub(crate) fn devices_in(text: &str) -> Vec<String> {
    let end = text.find(['"', '\'', ')', ';', '\n']).unwrap_or(text.len());
    let names = text[..end].split(',').map(str::trim);
    names.filter(|name| DEVICES.contains(name)).map(str::to_owned).collect()
}

/// Names of devices after `devices:`, each once.
fn all_devices(names: &str) -> Result<Vec<String>, String> {
    let mut devices: Vec<String> = Vec::new();
    for name in names.split(',') {
        let name = known_device(name)?;
        if devices.iter().any(|known| known == name) {
            return Err(format!("the device `{name}` is named twice"));
        }
        devices.push(name.to_owned());
    }
    match devices.len() {
        1 => Err("one device is not to be compared with another; name both, as in `devices: cpu, \
                  cuda`, or let the cell need it: `//| needs: {device: cuda}`"
            .to_owned()),
        _ => Ok(devices),
    }
}

fn known_device(name: &str) -> Result<&str, String> {
    let name = name.trim();
    match DEVICES.contains(&name) {
        true => Ok(name),
        false => Err(match closest(name, DEVICES) {
            Some(best) => format!("`{name}` is no device; did you mean `{best}`?"),
            None => format!("`{name}` is no device; a data set stands apart, behind `;`"),
        }),
    }
}

impl Rule {
    fn parse(text: &str) -> Result<Self, String> {
        let unknown = || {
            let word = text.split_whitespace().next().unwrap_or_default();
            match closest(word, WORDS) {
                Some(best) => format!("`{text}` is no relation; did you mean `{best}`?"),
                None => format!("`{text}` is no relation; known are {KNOWN}"),
            }
        };
        if text.contains(" on ") {
            return text
                .split(", ")
                .map(|part| {
                    let (rule, device) = part.split_once(" on ").ok_or_else(|| {
                        format!("`{part}` names no device; write it as `± 0.01 on cpu`")
                    })?;
                    let device = known_device(device)?;
                    match Self::parse(rule.trim())? {
                        Self::Within(tolerance) => Ok((device.to_owned(), tolerance)),
                        _ => Err(format!("`{part}` is no tolerance")),
                    }
                })
                .collect::<Result<Vec<_>, _>>()
                .map(Self::WithinOn);
        }
        // `≈ ± 0.1` and `~ ± 2 %` say no more than `± 0.1`; alone they do not say how close.
        let close = text.strip_prefix(['≈', '~']).map(str::trim_start);
        let tolerance = close.unwrap_or(text);
        if let Some(size) = ["±", "+-", "+/-"].iter().find_map(|sign| tolerance.strip_prefix(sign))
        {
            let size = number::only(size).ok_or_else(unknown)?;
            if size.plain().is_negative() {
                return Err(format!("the tolerance `{text}` is negative"));
            }
            return Ok(Self::Within(if size.percent {
                Tolerance::Relative(size)
            } else {
                Tolerance::Absolute(size)
            }));
        }
        if close.is_some() {
            return Err(format!("`{text}` does not say how close; write `± 0.01` or `± 2 %`"));
        }
        let (side, bound) = SIDES
            .iter()
            .find_map(|(sign, side)| Some((*side, text.strip_prefix(sign)?)))
            .ok_or_else(unknown)?;
        Ok(Self::Bound(side, number::only(bound).ok_or_else(unknown)?))
    }

    /// The rule on a device; none if it gives no tolerance for it.
    pub fn on(&self, device: &str) -> Option<Self> {
        match self {
            Self::WithinOn(tolerances) => tolerances
                .iter()
                .find(|(name, _)| name == device)
                .map(|(_, tolerance)| Self::Within(tolerance.clone())),
            rule => Some(rule.clone()),
        }
    }

    /// The rule in words; what was printed decides about the default one.
    pub fn words(&self, printed: Option<&Printed>) -> String {
        match self {
            Self::Printed => match printed.map(|printed| printed.precision.as_str()) {
                None | Some("") => "= (exact)".into(),
                Some(precision) => format!("= ({precision})"),
            },
            Self::Within(Tolerance::Absolute(size) | Tolerance::Relative(size)) => {
                format!("± {}", size.text)
            }
            Self::WithinOn(tolerances) => {
                let of = |(device, tolerance): &(String, Tolerance)| match tolerance {
                    Tolerance::Absolute(size) | Tolerance::Relative(size) => {
                        format!("± {} on {device}", size.text)
                    }
                };
                tolerances.iter().map(of).collect::<Vec<_>>().join(", ")
            }
            Self::Bound(side, bound) => format!("{} {}", side.sign(), bound.text),
        }
    }

    /// How a tolerance lets pass every last digit of a printed number, in words.
    pub fn leaves_open(&self, printed: &Printed) -> Option<String> {
        let sizes: Vec<&Tolerance> = match self {
            Self::Within(size) => vec![size],
            Self::WithinOn(sizes) => sizes.iter().map(|(_, size)| size).collect(),
            Self::Printed | Self::Bound(..) => return None,
        };
        let place = printed.smallest_place() * whole(10);
        let wide = sizes.into_iter().find(|size| match size {
            Tolerance::Absolute(size) => size.plain() >= place,
            Tolerance::Relative(size) => size.plain() * printed.plain().abs() >= place,
        })?;
        let (Tolerance::Absolute(size) | Tolerance::Relative(size)) = wide;
        Some(format!(
            "a tolerance of {} lets pass `{}` with any other last digit",
            size.text, printed.text
        ))
    }

    /// The words of a text that say the opposite of this bound, such as "at most" beside `>= 1`.
    pub fn opposed_by(&self, text: &str) -> Option<&'static str> {
        let Self::Bound(side, _) = self else { return None };
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

    /// Compares what the text prints with the number that a cell published.
    pub fn compare(
        &self,
        printed: Result<Option<Printed>, String>,
        value: &BigRational,
        unit: Option<&str>,
    ) -> Verdict {
        let printed = match printed {
            Ok(printed) => printed,
            Err(message) => {
                return Verdict::Error(format!(
                    "{message}; link only the words around the one that is meant"
                ));
            }
        };
        if let Self::Bound(side, bound) = self {
            return side.compare(bound, printed.as_ref(), value, unit);
        }
        let Some(printed) = printed else {
            return Verdict::Error(
                "the text has no number to compare with the value; print it in digits, or give \
                 a bound such as \">= 0.75\" as the link's title"
                    .into(),
            );
        };
        let (stated, last_place) = printed.in_unit(unit);
        let off = (value - &stated).abs();
        match self {
            Self::Within(tolerance) => {
                let largest = match tolerance {
                    Tolerance::Absolute(size)
                        if !stated.is_zero() && size.plain() >= stated.abs() =>
                    {
                        return Verdict::Vacuous(format!(
                            "a tolerance of {} accepts 0 as well as {}",
                            size.text,
                            exact::shown(&stated)
                        ));
                    }
                    Tolerance::Absolute(size) => size.plain(),
                    Tolerance::Relative(size) if size.plain() >= whole(1) => {
                        return Verdict::Vacuous(format!(
                            "a tolerance of {} accepts 0 as well",
                            size.text
                        ));
                    }
                    Tolerance::Relative(size) => size.plain() * stated.abs(),
                };
                verdict(off <= largest, || {
                    format!(
                        "the value is {}, off by {} where {} is allowed",
                        exact::shown(value),
                        exact::shown(&off),
                        exact::shown(&largest)
                    )
                })
            }
            // Exactly between two printable numbers either is right, as conventions differ.
            _ => match last_place {
                Some(place) => verdict(off * whole(2) <= place, || {
                    format!("the value is {}", exact::shown(value))
                }),
                None => verdict(off.is_zero(), || {
                    let hint = if value.is_integer() || !stated.is_integer() {
                        ""
                    } else {
                        "; an integer is compared exactly, so print decimals or give a tolerance"
                    };
                    format!("the value is {}{hint}", exact::shown(value))
                }),
            },
        }
    }
}

impl Side {
    fn sign(self) -> &'static str {
        match self {
            Self::AtLeast => "≥",
            Self::Above => ">",
            Self::AtMost => "≤",
            Self::Below => "<",
            Self::Not => "≠",
        }
    }

    fn compare(
        self,
        bound: &Printed,
        printed: Option<&Printed>,
        value: &BigRational,
        unit: Option<&str>,
    ) -> Verdict {
        let (limit, _) = bound.in_unit(unit);
        if let Some(printed) = printed
            && printed.in_unit(unit).0 != limit
        {
            return Verdict::Error(format!(
                "the text says `{}` and the relation says `{} {}`",
                printed.text,
                self.sign(),
                bound.text
            ));
        }
        let holds = match self {
            Self::AtLeast => *value >= limit,
            Self::Above => *value > limit,
            Self::AtMost => *value <= limit,
            Self::Below => *value < limit,
            Self::Not => *value != limit,
        };
        verdict(holds, || format!("the value is {}", exact::shown(value)))
    }
}

fn verdict(holds: bool, how: impl FnOnce() -> String) -> Verdict {
    if holds { Verdict::Verified } else { Verdict::Refuted(how()) }
}

fn whole(number: u8) -> BigRational {
    BigRational::from(BigInt::from(number))
}

/// Whether a text says nothing but that something is false.
pub(crate) fn says_false(text: &str) -> bool {
    let text = text.trim().trim_end_matches(['.', '!']).to_lowercase();
    let text =
        ["it is ", "is ", "it "].iter().find_map(|it| text.strip_prefix(it)).unwrap_or(&text);
    FALSE.contains(&text)
}

/// The words with which a text denies what it speaks of.
pub(crate) fn denied_by(text: &str) -> Option<&'static str> {
    let text = text.to_lowercase();
    let words: Vec<&str> =
        text.split(|c: char| !c.is_alphanumeric()).filter(|it| !it.is_empty()).collect();
    let text = format!(" {} ", words.join(" "));
    DENIALS.into_iter().find(|denial| text.contains(&format!(" {denial} ")))
}

#[cfg(test)]
mod tests {
    use super::*;

    fn word(text: &str, title: &str, value: &str, unit: Option<&str>) -> &'static str {
        let value = exact::decimal(value).expect("a decimal");
        match Relation::parse(title) {
            Ok(relation) => relation.rule.compare(number::find(text), &value, unit).word(),
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
