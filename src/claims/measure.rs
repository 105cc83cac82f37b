//! What of its values a claim speaks: a statistic of a sample, a difference, a ratio, a sum.
//!
//! In: parts of a link's title and published values. Out: one number, with an interval if the
//! title asks for one. Left out: how it is compared with the text, which is
//! [`super::relation`]'s. Numbers are exact fractions; ends of intervals are doubles.

mod sample;

use num_bigint::BigInt;
use num_rational::BigRational;
use num_traits::{ToPrimitive, Zero};
use veracity_protocol::{Published, Value};

use super::{Reason, Verdict, exact, number};
use sample::{Sample, SplitMix, quantile, student};

/// How many times a sample is drawn anew from itself.
const RESAMPLES: usize = 10_000;

/// Largest sample that is drawn anew.
const LARGEST_RESAMPLED: usize = 10_000;

/// Every bootstrap begins here, so that the same values give the same interval.
const BOOTSTRAP_SEED: u64 = 0x5eed;

/// What is made of the values; all parts are optional.
#[derive(Clone, Debug, Default, PartialEq)]
pub(crate) struct Measure {
    /// What stands for a sample.
    pub statistic: Option<Statistic>,
    /// What further values are for.
    pub operation: Option<Operation>,
    /// Whether samples are taken together seed by seed.
    pub pairing: Option<Paired>,
    /// The interval around it.
    pub interval: Option<Interval>,
    /// Least number of seeds, declared beforehand.
    pub seeds: Option<usize>,
    /// Whether it is in percentage points.
    pub points: Option<Points>,
}

/// One number in the place of a sample.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub(crate) enum Statistic {
    Mean,
    Median,
}

/// What is done with further values, by their names.
#[derive(Clone, Debug, PartialEq, Eq)]
pub(crate) enum Operation {
    Minus(String),
    Over(String),
    Plus(Vec<String>),
}

/// Samples are taken together seed by seed.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub(crate) struct Paired;

/// The number is printed in percentage points.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub(crate) struct Points;

/// An interval that holds the true number with a given confidence.
#[derive(Clone, Debug, PartialEq)]
pub(crate) struct Interval {
    pub method: Method,
    /// Confidence between 0 and 1.
    pub level: BigRational,
}

/// How an interval is found.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub(crate) enum Method {
    /// By Student's distribution, with Welch's degrees of freedom for two samples.
    Student,
    /// By the percentiles of samples drawn anew, 10,000 times.
    Bootstrap,
}

/// What came of a measure.
#[derive(Clone, Debug, PartialEq)]
pub(crate) struct Estimate {
    pub value: BigRational,
    /// Both ends of the interval.
    pub interval: Option<(BigRational, BigRational)>,
    /// The number at full precision, with its interval.
    pub shown: String,
}

/// A part of a title as one says it.
pub(crate) enum Part {
    /// Nothing of a measure.
    Other,
    /// Said for the first time.
    New,
    /// Said before.
    Repeated,
}

impl Measure {
    /// Reads a part of a title.
    ///
    /// # Errors
    /// What is wrong with it.
    pub fn read(&mut self, part: &str) -> Result<Part, String> {
        let (word, rest) = part.split_once(char::is_whitespace).unwrap_or((part, ""));
        let rest = rest.trim();
        let alone = |is_alone: bool| match is_alone {
            true => Ok(()),
            false => Err(format!("`{word}` is said alone, not as `{part}`")),
        };
        let is_repeated = match word {
            "mean" | "median" => {
                alone(rest.is_empty())?;
                let statistic = if word == "mean" { Statistic::Mean } else { Statistic::Median };
                self.statistic.replace(statistic).is_some()
            }
            "paired" => {
                alone(rest.is_empty())?;
                self.pairing.replace(Paired).is_some()
            }
            "points" => {
                alone(rest.is_empty())?;
                self.points.replace(Points).is_some()
            }
            "minus" => self.operation.replace(Operation::Minus(name(rest)?)).is_some(),
            "over" => self.operation.replace(Operation::Over(name(rest)?)).is_some(),
            "plus" => {
                let names =
                    rest.split(',').map(|rest| name(rest.trim())).collect::<Result<_, _>>()?;
                self.operation.replace(Operation::Plus(names)).is_some()
            }
            "t" | "bootstrap" => {
                let method = if word == "t" { Method::Student } else { Method::Bootstrap };
                let level = number::only(rest)
                    .map(|level| level.plain())
                    .filter(|level| {
                        *level >= BigRational::new(1.into(), 2.into())
                            && *level < BigRational::from(BigInt::from(1))
                    })
                    .ok_or_else(|| {
                        format!("`{part}` gives no confidence; write it as `{word} 95 %`")
                    })?;
                self.interval.replace(Interval { method, level }).is_some()
            }
            _ if part.starts_with("n ") || part.starts_with("n>") || part.starts_with("n≥") => {
                let least = part[1..].trim_start();
                let least = [">=", "≥"].iter().find_map(|sign| least.strip_prefix(sign));
                let least = least.and_then(|least| least.trim().parse().ok()).filter(|n| *n > 0);
                let least = least.ok_or_else(|| {
                    format!("`{part}` gives no number of seeds; write it as `n >= 5`")
                })?;
                self.seeds.replace(least).is_some()
            }
            _ => return Ok(Part::Other),
        };
        Ok(if is_repeated { Part::Repeated } else { Part::New })
    }

    /// Whether the parts fit together.
    ///
    /// # Errors
    /// What is missing or too much.
    pub fn check(&self) -> Result<(), String> {
        let two = matches!(self.operation, Some(Operation::Minus(_) | Operation::Over(_)));
        if self.pairing.is_some() && !two {
            return Err("`paired` needs a second sample; add `minus NAME` or `over NAME`".into());
        }
        if let Some(interval) = &self.interval {
            if self.statistic.is_none() {
                return Err("an interval is that of a `mean` or `median`; say which".into());
            }
            if self.seeds.is_none_or(|least| least < 2) {
                return Err("an interval needs a number of seeds that is declared beforehand and \
                            at least two; add `n >= 5`"
                    .into());
            }
            let is_sum = self.statistic == Some(Statistic::Mean)
                && (!matches!(self.operation, Some(Operation::Over(_))) || self.pairing.is_some());
            if interval.method == Method::Student && !is_sum {
                return Err("`t` is for means and their differences; use `bootstrap`".into());
            }
        } else if self.seeds.is_some() && self.statistic.is_none() {
            return Err("`n >= …` is for samples; add `mean` or `median`".into());
        }
        if matches!(self.operation, Some(Operation::Plus(_))) && self.statistic.is_some() {
            return Err("`plus` is for single numbers, not for samples".into());
        }
        Ok(())
    }

    /// Names of the further values.
    pub fn others(&self) -> &[String] {
        match &self.operation {
            Some(Operation::Minus(name) | Operation::Over(name)) => std::slice::from_ref(name),
            Some(Operation::Plus(names)) => names,
            None => &[],
        }
    }

    /// The measure in words, empty for a value as it is.
    pub fn words(&self) -> String {
        let mut words = Vec::new();
        words.extend(self.statistic.map(|statistic| match statistic {
            Statistic::Mean => "mean".to_owned(),
            Statistic::Median => "median".to_owned(),
        }));
        words.extend(self.operation.as_ref().map(|operation| match operation {
            Operation::Minus(name) => format!("minus {name}"),
            Operation::Over(name) => format!("over {name}"),
            Operation::Plus(names) => format!("plus {}", names.join(", ")),
        }));
        words.extend(self.pairing.map(|Paired| "paired".to_owned()));
        words.extend(self.interval.as_ref().map(|interval| {
            let method = match interval.method {
                Method::Student => "t",
                Method::Bootstrap => "bootstrap",
            };
            format!("{method} {} %", exact::shown(&(&interval.level * hundred())))
        }));
        words.extend(self.seeds.map(|least| format!("n ≥ {least}")));
        words.extend(self.points.map(|Points| "points".to_owned()));
        words.join("; ")
    }

    /// The number that a claim speaks of; `others` are the further values in order.
    ///
    /// # Errors
    /// A verdict if there is none.
    pub fn of(&self, first: &Published, others: &[&Published]) -> Result<Estimate, Verdict> {
        if let Some(Operation::Minus(_) | Operation::Over(_)) = self.operation
            && others.iter().any(|other| other.name == first.name)
        {
            let words = format!("`{}` is compared with itself", first.name);
            return Err(Verdict::Vacuous(words));
        }
        for other in others {
            if other.unit != first.unit && !matches!(self.operation, Some(Operation::Over(_))) {
                return Err(Verdict::Error(format!(
                    "`{}` and `{}` have different units",
                    first.name, other.name
                )));
            }
        }
        let mut estimate = match self.statistic {
            None => self.single(first, others)?,
            Some(statistic) => self.sampled(statistic, first, others)?,
        };
        if self.points.is_some() {
            if self.unit(first) == Some("%") {
                return Err(Verdict::Error(format!(
                    "`{}` is in per cent, so its differences are points already",
                    first.name
                )));
            }
            estimate.value *= hundred();
            estimate.interval =
                estimate.interval.map(|(low, high)| (low * hundred(), high * hundred()));
        }
        estimate.shown = exact::shown(&estimate.value);
        if let (Some((low, high)), Some(interval)) = (&estimate.interval, &self.interval) {
            estimate.shown = format!(
                "{}, {} % interval {} to {}",
                estimate.shown,
                exact::shown(&(&interval.level * hundred())),
                exact::shown(low),
                exact::shown(high)
            );
        }
        Ok(estimate)
    }

    /// Unit of the number, given the first value.
    pub fn unit<'a>(&self, first: &'a Published) -> Option<&'a str> {
        match self.operation {
            Some(Operation::Over(_)) => None,
            _ => first.unit.as_deref().map(str::trim),
        }
    }

    fn single(&self, first: &Published, others: &[&Published]) -> Result<Estimate, Verdict> {
        let number = |published: &Published| match &published.value {
            Value::Sample { .. } => Err(Verdict::Error(format!(
                "`{}` is a sample; say `mean` or `median`",
                published.name
            ))),
            value => exact::number(value)
                .map_err(|message| Verdict::Error(format!("`{}`: {message}", published.name))),
        };
        let mut value = number(first)?;
        for other in others {
            let other = number(other)?;
            value = match self.operation {
                Some(Operation::Minus(_)) => value - other,
                Some(Operation::Over(_)) => ratio(&value, &other)?,
                _ => value + other,
            };
        }
        Ok(Estimate { value, interval: None, shown: String::new() })
    }

    fn sampled(
        &self,
        statistic: Statistic,
        first: &Published,
        others: &[&Published],
    ) -> Result<Estimate, Verdict> {
        let first = Sample::of(first)?;
        let second = others.first().map(|other| Sample::of(other)).transpose()?;
        let samples = match (second, self.pairing) {
            (Some(second), Some(Paired)) => vec![self.pairs(&first, &second)?],
            (Some(second), None) => vec![first, second],
            (None, _) => vec![first],
        };
        let fewest = samples.iter().map(|sample| sample.values.len()).min().unwrap_or_default();
        if let Some(least) = self.seeds.filter(|least| fewest < *least) {
            return Err(Verdict::Unverified(
                Reason::TooFewSeeds,
                format!("{fewest} of at least {least} seeds"),
            ));
        }
        let exactly = |sample: &Sample| statistic.of(&sample.values);
        let value = match samples.as_slice() {
            [a, b] => match self.operation {
                Some(Operation::Over(_)) => ratio(&exactly(a), &exactly(b))?,
                _ => exactly(a) - exactly(b),
            },
            samples => exactly(&samples[0]),
        };
        let interval = match &self.interval {
            None => None,
            Some(interval) => {
                let samples: Vec<Vec<f64>> = samples.iter().map(Sample::floats).collect();
                let level = interval.level.to_f64().unwrap_or(0.95);
                let (low, high) = match interval.method {
                    Method::Student => student(&samples, level),
                    Method::Bootstrap => self.bootstrap(statistic, &samples, level)?,
                };
                Some(exact::float(low).zip(exact::float(high)).ok_or_else(|| {
                    Verdict::Error("the interval has no ends that are numbers".into())
                })?)
            }
        };
        Ok(Estimate { value, interval, shown: String::new() })
    }

    /// Differences or ratios of the numbers with the same seed.
    fn pairs(&self, first: &Sample, second: &Sample) -> Result<Sample, Verdict> {
        let values = first.seeds.iter().zip(&first.values).map(|(seed, a)| {
            let at = second.seeds.iter().position(|other| other == seed).ok_or_else(|| {
                Verdict::Error(format!(
                    "`{}` has no number for seed {seed}, so `{}` cannot be paired with it",
                    second.name, first.name
                ))
            })?;
            match self.operation {
                Some(Operation::Over(_)) => ratio(a, &second.values[at]),
                _ => Ok(a - &second.values[at]),
            }
        });
        let values = values.collect::<Result<Vec<_>, _>>()?;
        if let Some(seed) = second.seeds.iter().find(|seed| !first.seeds.contains(seed)) {
            return Err(Verdict::Error(format!(
                "`{}` has no number for seed {seed}, so `{}` cannot be paired with it",
                first.name, second.name
            )));
        }
        Ok(Sample { name: first.name.clone(), seeds: first.seeds.clone(), values })
    }

    fn bootstrap(
        &self,
        statistic: Statistic,
        samples: &[Vec<f64>],
        level: f64,
    ) -> Result<(f64, f64), Verdict> {
        if samples.iter().any(|sample| sample.len() > LARGEST_RESAMPLED) {
            return Err(Verdict::Error(format!(
                "a sample of more than {LARGEST_RESAMPLED} numbers is not drawn anew; use `t`"
            )));
        }
        let mut random = SplitMix(BOOTSTRAP_SEED);
        let mut drawn = Vec::new();
        let mut found: Vec<f64> = (0..RESAMPLES)
            .map(|_| {
                let mut of = |sample: &Vec<f64>| {
                    drawn.clear();
                    drawn.extend((0..sample.len()).map(|_| sample[random.below(sample.len())]));
                    statistic.of_floats(&mut drawn)
                };
                match samples {
                    [a, b] => {
                        let (a, b) = (of(a), of(b));
                        if matches!(self.operation, Some(Operation::Over(_))) {
                            a / b
                        } else {
                            a - b
                        }
                    }
                    samples => of(&samples[0]),
                }
            })
            .collect();
        found.sort_by(f64::total_cmp);
        let tail = (1.0 - level) / 2.0;
        Ok((quantile(&found, tail), quantile(&found, 1.0 - tail)))
    }
}

fn ratio(a: &BigRational, b: &BigRational) -> Result<BigRational, Verdict> {
    if b.is_zero() { Err(Verdict::Error("a ratio to 0 is no number".into())) } else { Ok(a / b) }
}

fn name(text: &str) -> Result<String, String> {
    let is_name = !text.is_empty() && !text.contains(char::is_whitespace);
    if is_name { Ok(text.to_owned()) } else { Err(format!("`{text}` is no name of a value")) }
}

fn hundred() -> BigRational {
    BigRational::from(BigInt::from(100))
}
