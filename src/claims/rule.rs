//! How a printed number and a value must be related: rounded, close, or on one side of a bound.
//!
//! In: a part of a link's title, the number in its text, and the exact value. Out: whether they
//! agree, exactly. Left out: what is made of several values, which is [`super::measure`]'s.

use num_bigint::BigInt;
use num_rational::BigRational;
use num_traits::{Signed, Zero};

use super::devices;
use super::formula::Point;
use super::number::{self, Printed};
use super::{Verdict, exact};
use crate::diag::closest;

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
    /// The formula in the text gives the value.
    At(Point),
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
                     `± 0.01 on cpu, ± 0.02 on cuda`, `at L = 64, D = 8`, `refuted`, `on DATASET`, `mean`, `median`, \
                     `minus NAME`, `over NAME`, `plus NAME`, `paired`, `points`, `t 95 %`, \
                     `bootstrap 95 %`, `n >= 5`, `quotes NAME`, `devices: cpu, cuda` and `because: CLAIM, CLAIM`, \
                     or several of them with `;` between";

/// Words with which a part of a title may begin.
const WORDS: [&str; 15] = [
    "at",
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

impl Rule {
    /// Parses a part of a title.
    ///
    /// # Errors
    /// What is wrong with it, and what is known.
    pub fn parse(text: &str) -> Result<Self, String> {
        let unknown = || {
            if WORDS.contains(&text) {
                return format!("`{text}` says nothing alone; known are {KNOWN}");
            }
            let word = text.split_whitespace().next().unwrap_or_default();
            match closest(word, WORDS) {
                Some(best) => format!("`{text}` is no relation; did you mean `{best}`?"),
                None => format!("`{text}` is no relation; known are {KNOWN}"),
            }
        };
        if let Some(point) = text.strip_prefix("at ") {
            return Point::parse(point).map(Self::At);
        }
        if text.contains(" on ") {
            return text
                .split(", ")
                .map(|part| {
                    let (rule, device) = part.split_once(" on ").ok_or_else(|| {
                        format!("`{part}` names no device; write it as `± 0.01 on cpu`")
                    })?;
                    let device = devices::known(device)?;
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
        if let Some(size) = Tolerance::parse(close.unwrap_or(text)) {
            return size.map(Self::Within);
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
            Self::At(point) => point.words(),
        }
    }

    /// How a tolerance lets pass every last digit of a printed number, in words.
    pub fn leaves_open(&self, printed: &Printed) -> Option<String> {
        let sizes: Vec<&Tolerance> = match self {
            Self::Within(size) => vec![size],
            Self::WithinOn(sizes) => sizes.iter().map(|(_, size)| size).collect(),
            Self::Printed | Self::Bound(..) | Self::At(_) => return None,
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

    /// Compares what the text prints with the number that a cell published.
    pub fn compare(
        &self,
        printed: Result<Option<Printed>, String>,
        value: &BigRational,
        unit: Option<&str>,
    ) -> Verdict {
        if let Self::At(_) = self {
            return Verdict::Error(
                "a formula is compared with one value, and not with what is made of several".into(),
            );
        }
        let printed = match printed {
            Ok(printed) => printed,
            Err(message) => return Verdict::Error(message),
        };
        if let Self::Bound(side, bound) = self {
            return side.compare(bound, printed.as_ref(), value, unit);
        }
        let Some(printed) = printed else {
            return Verdict::Error(
                "the text has no number to compare with the value; print it, or give \
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
                    let hint = if printed.percent {
                        "; a percentage without decimals is compared exactly, so print decimals, as in `82.0 %`, or \
                         give a tolerance such as `± 0.005`"
                    } else if value.is_integer() || !stated.is_integer() {
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

impl Tolerance {
    /// Parses `± 0.015` or `± 2 %`; none if no sign of a tolerance stands in front.
    ///
    /// # Errors
    /// In words, if no size follows that can be.
    pub fn parse(text: &str) -> Option<Result<Self, String>> {
        let size = ["±", "+-", "+/-"].iter().find_map(|sign| text.strip_prefix(sign))?;
        Some(match number::only(size) {
            None => Err(format!("`{text}` is no tolerance; write `± 0.015` or `± 2 %`")),
            Some(size) if size.plain().is_negative() => {
                Err(format!("the tolerance `{text}` is negative"))
            }
            Some(size) if size.percent => Ok(Self::Relative(size)),
            Some(size) => Ok(Self::Absolute(size)),
        })
    }

    /// The size as printed.
    pub fn size(&self) -> &Printed {
        let (Self::Absolute(size) | Self::Relative(size)) = self;
        size
    }

    /// The largest distance from a number.
    pub fn around(&self, number: &BigRational) -> BigRational {
        match self {
            Self::Absolute(size) => size.plain(),
            Self::Relative(size) => size.plain() * number.abs(),
        }
    }
}

impl Side {
    /// The sign that shows it.
    pub fn sign(self) -> &'static str {
        match self {
            Self::AtLeast => "≥",
            Self::Above => ">",
            Self::AtMost => "≤",
            Self::Below => "<",
            Self::Not => "≠",
        }
    }

    /// Compares a value with a bound; the printed number, if there is one, must be the bound.
    pub fn compare(
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
