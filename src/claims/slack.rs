//! How much a relation lets pass, so that a change of it can be told to be looser or tighter.
//!
//! In: the relations of two versions of a claim, in the words of a ledger, with the printed texts.
//! Out: a [`Shift`]. Left out: the values, since a looser relation is looser whether or not it
//! matters, and what a check is worth, which is [`super::strength`]'s.

use num_bigint::BigInt;
use num_rational::BigRational;
use num_traits::{Signed, Zero};

use super::exact;
use super::measure::{Measure, Part};
use super::number::{self, Printed};
use super::relation::Relation;
use super::rule::{Rule, Side, Tolerance};
use crate::words::{LANGUAGES, Words};

/// How a relation has changed.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub enum Shift {
    /// It lets pass the same.
    Same,
    /// It lets pass more.
    Looser,
    /// It lets pass less.
    Tighter,
    /// It is of another kind, so that neither can be said.
    Other,
}

/// A relation in the words of a ledger, such as `= (4 decimals)` or `± 2 %; on octmnist`, with the
/// text of its claim and the language of the report.
#[derive(Clone, Copy, Debug)]
pub struct Stated<'a> {
    /// The relation.
    pub relation: &'a str,
    /// What is printed.
    pub text: &'a str,
    /// In which language, if that is known.
    pub language: Option<&'a str>,
}

/// How the relation of a claim has changed.
pub fn shift(old: Stated<'_>, new: Stated<'_>) -> Shift {
    if (old.relation, old.text) == (new.relation, new.text) {
        return Shift::Same;
    }
    let (before, after) = (old.parts(), new.parts());
    let rule = match (Slack::of(before.rule, old), Slack::of(after.rule, new)) {
        (Some(before), Some(after)) => before.to(&after),
        // What words say of a check only they say.
        _ if before.rule == "holds" && old.text != new.text => Shift::Other,
        _ if before.rule == after.rule => Shift::Same,
        _ => Shift::Other,
    };
    let rule = weakest([rule, certainty(&before.measure, &after.measure)].into_iter());
    // Real data or devices that need no longer be used are a looser claim, however the number is
    // compared. A number that need no longer be what it quotes may be any that the rule lets pass.
    let asked = before.asked.into_iter().zip(after.asked).map(|pair| match pair {
        (before, after) if before == after => Shift::Same,
        (_, None) => Shift::Looser,
        (None, Some(_)) => Shift::Tighter,
        (Some(_), Some(_)) => Shift::Other,
    });
    match (weakest(asked), rule) {
        (Shift::Same, rule) => rule,
        (Shift::Tighter, rule) if rule != Shift::Same => rule,
        (Shift::Other, Shift::Looser) => Shift::Looser,
        (asked, _) => asked,
    }
}

/// Whether a value may be `after` where it was `before`, going by the tolerance of a claim on it or
/// by the precision to which it is printed, and whatever is printed.
pub fn covers(stated: Stated<'_>, before: &str, after: &str) -> bool {
    let parts = stated.parts();
    let (Some(before), Some(after)) = (exact::decimal(before), exact::decimal(after)) else {
        return false;
    };
    // What is made of several values has another size than they have.
    parts.measure == Measure::default()
        && match Slack::of(parts.rule, stated) {
            Some(
                Slack::Absolute(size) | Slack::Relative(_, size) | Slack::Point(_, size, false),
            ) => (after - before).abs() <= size,
            // What a formula gives, of which a part is meant, is not known here.
            Some(Slack::Point(..) | Slack::Bound(..) | Slack::Devices(_)) | None => false,
        }
}

/// Whether a claim may hold of both of two values, as far as that can be told: of an exact one only if they are equal.
pub fn allows(stated: Stated<'_>, before: &str, after: &str) -> bool {
    let parts = stated.parts();
    let is_exact = parts.rule.starts_with("= (exact")
        || matches!(Slack::of(parts.rule, stated), Some(Slack::Point(_, size, _)) if size.is_zero());
    let (before, after) = (exact::decimal(before), exact::decimal(after));
    // What is made of several values may stay where they move together.
    parts.measure != Measure::default() || !is_exact || before.is_some() && before == after
}

/// The parts of a relation.
struct Parts<'a> {
    /// How the number is compared.
    rule: &'a str,
    /// What is made of samples and of several values.
    measure: Measure,
    /// The data set and the devices that it asks for, and what it quotes.
    asked: [Option<Vec<&'a str>>; 3],
}

impl<'a> Stated<'a> {
    fn parts(self) -> Parts<'a> {
        let mut parts = Parts { rule: "", measure: Measure::default(), asked: [None, None, None] };
        for part in self.relation.split("; ") {
            if let Some(name) = part.strip_prefix("on ") {
                parts.asked[0] = Some(vec![name]);
            } else if let Some(names) = part.strip_prefix("devices: ") {
                // In whatever order.
                let mut names: Vec<&str> = names.split(',').map(str::trim).collect();
                names.sort_unstable();
                parts.asked[1] = Some(names);
            } else if let Some(name) = part.strip_prefix("quotes ") {
                parts.asked[2] = Some(vec![name]);
            } else if !matches!(parts.measure.read(part), Ok(Part::New)) {
                // There is one rule; of what is not known, all must be the same.
                parts.rule = if parts.rule.is_empty() { part } else { self.relation };
            }
        }
        parts
    }
}

/// How much surer or less sure one must be that a statistic is no accident.
fn certainty(old: &Measure, new: &Measure) -> Shift {
    let seeds = growth(&new.seeds.unwrap_or(0), &old.seeds.unwrap_or(0));
    let interval = match (&old.interval, &new.interval) {
        (None, None) => Shift::Same,
        (Some(_), None) => Shift::Looser,
        (None, Some(_)) => Shift::Tighter,
        (Some(old), Some(new)) if old.method != new.method => Shift::Other,
        (Some(old), Some(new)) => growth(&new.level, &old.level),
    };
    let rest = |it: &Measure| Measure { seeds: None, interval: None, ..it.clone() };
    let rest = if rest(old) == rest(new) { Shift::Same } else { Shift::Other };
    weakest([seeds, interval, rest].into_iter())
}

/// What a rule lets pass.
#[derive(Clone, Debug, PartialEq)]
enum Slack {
    /// Everything that far from what is printed.
    Absolute(BigRational),
    /// Everything that far, as a part of what is printed; `.1` is the same in numbers.
    Relative(BigRational, BigRational),
    /// Everything on one side.
    Bound(Side, BigRational),
    /// Everything that far from what a formula gives at a point, both in words; as a part of it if `.2`.
    Point(String, BigRational, bool),
    /// By the device of the value.
    Devices(Vec<(String, Slack)>),
}

impl Slack {
    fn of(rule: &str, Stated { text, language, .. }: Stated<'_>) -> Option<Self> {
        let read = |language| number::stated(text, Words::known(language)).ok().flatten();
        let printed = match language {
            Some(language) => read(language),
            // Of an older version; only one language reads the whole of a number in words.
            None => {
                let read = LANGUAGES.into_iter().filter_map(read);
                read.max_by_key(|printed| printed.text.len())
            }
        };
        if rule.starts_with("= (") {
            return printed.map(|printed| Self::Absolute(rounding(&printed)));
        }
        let within = |size: &Tolerance| match size {
            Tolerance::Absolute(size) => Self::Absolute(size.plain()),
            Tolerance::Relative(size) => {
                let stated = printed.as_ref().map_or_else(BigRational::zero, Printed::plain);
                Self::Relative(size.plain(), size.plain() * stated.abs())
            }
        };
        match Relation::parse(rule).ok()?.rule {
            Rule::Printed => None,
            Rule::At(point) => {
                let (size, is_part) = match point.within() {
                    None => (BigRational::zero(), false),
                    Some(Tolerance::Absolute(size)) => (size.plain(), false),
                    Some(Tolerance::Relative(size)) => (size.plain(), true),
                };
                Some(Self::Point(format!("{text} at {}", point.variables()), size, is_part))
            }
            Rule::Within(size) => Some(within(&size)),
            Rule::WithinOn(sizes) => {
                let of = |(device, size): &(String, Tolerance)| (device.clone(), within(size));
                Some(Self::Devices(sizes.iter().map(of).collect()))
            }
            Rule::Bound(side, bound) => Some(Self::Bound(side, bound.plain())),
        }
    }

    fn to(&self, after: &Self) -> Shift {
        match (self, after) {
            (Self::Absolute(old), Self::Absolute(new) | Self::Relative(_, new))
            | (Self::Relative(_, old), Self::Absolute(new))
            | (Self::Relative(old, _), Self::Relative(new, _)) => growth(old, new),
            (Self::Bound(old_side, old), Self::Bound(new_side, new)) => {
                match (old_side.direction(), new_side.direction()) {
                    (Some(before), Some(after)) if before == after => {
                        let (old, new) = (old * &before, new * &before);
                        match growth(&new, &old) {
                            Shift::Same => strictness(*old_side, *new_side),
                            shift => shift,
                        }
                    }
                    (None, None) if old == new => Shift::Same,
                    _ => Shift::Other,
                }
            }
            (Self::Point(old_point, old, old_part), Self::Point(new_point, new, new_part))
                if old_point == new_point
                    && (old_part == new_part || old.is_zero() || new.is_zero()) =>
            {
                growth(old, new)
            }
            (Self::Point(..), Self::Bound(..)) => Shift::Looser,
            (Self::Point(..), _) | (_, Self::Point(..)) => Shift::Other,
            (Self::Devices(old), Self::Devices(new)) => {
                let same = |device: &str| new.iter().find(|(name, _)| name == device);
                let shift = |(device, old): &(String, Self)| match same(device) {
                    Some((_, new)) => old.to(new),
                    None => Shift::Other,
                };
                let added = if new.len() > old.len() { Shift::Looser } else { Shift::Same };
                weakest(old.iter().map(shift).chain([added]))
            }
            (Self::Devices(old), _) => weakest(old.iter().map(|(_, old)| old.to(after))),
            (_, Self::Devices(new)) => weakest(new.iter().map(|(_, new)| self.to(new))),
            (_, Self::Bound(..)) => Shift::Looser,
            (Self::Bound(..), _) => Shift::Tighter,
        }
    }
}

/// What several shifts are together: looser if any of them is.
pub(super) fn weakest(shifts: impl Iterator<Item = Shift>) -> Shift {
    let shifts: Vec<Shift> = shifts.collect();
    let order = [Shift::Looser, Shift::Other, Shift::Tighter];
    order.into_iter().find(|shift| shifts.contains(shift)).unwrap_or(Shift::Same)
}

/// How far a value may be from a number to be rounded to it.
fn rounding(printed: &Printed) -> BigRational {
    let (_, place) = printed.in_unit(None);
    place.map_or_else(BigRational::zero, |place| place / BigRational::from(BigInt::from(2)))
}

pub(super) fn growth<T: Ord>(old: &T, new: &T) -> Shift {
    match new.cmp(old) {
        std::cmp::Ordering::Less => Shift::Tighter,
        std::cmp::Ordering::Equal => Shift::Same,
        std::cmp::Ordering::Greater => Shift::Looser,
    }
}

fn strictness(old: Side, new: Side) -> Shift {
    let is_strict = |side| matches!(side, Side::Above | Side::Below);
    match (is_strict(old), is_strict(new)) {
        (true, false) => Shift::Looser,
        (false, true) => Shift::Tighter,
        _ => Shift::Same,
    }
}

impl Side {
    /// 1 where larger values pass, -1 where smaller ones do.
    fn direction(self) -> Option<BigRational> {
        let sign = match self {
            Self::AtLeast | Self::Above => 1,
            Self::AtMost | Self::Below => -1,
            Self::Not => return None,
        };
        Some(BigRational::from(BigInt::from(sign)))
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    fn of(old: (&str, &str), new: (&str, &str)) -> Shift {
        let stated = |(relation, text)| Stated { relation, text, language: None };
        shift(stated(old), stated(new))
    }

    #[test]
    fn a_value_may_move_as_far_as_its_claim_allows() {
        let covers = |relation, text, before, after| {
            super::covers(Stated { relation, text, language: Some("en") }, before, after)
        };
        assert!(covers("± 0.019; quotes y; on octmnist", "0.8755", "0.70", "0.71"));
        assert!(!covers("± 0.019; quotes y; on octmnist", "0.8755", "0.70", "0.72"));
        assert!(covers("= (2 decimals)", "0.82", "0.7001", "0.7002"));
        assert!(!covers("= (2 decimals)", "0.82", "0.70", "0.71"));
        assert!(!covers("= (exact)", "8", "9", "10"));
        assert!(!covers("holds", "it is", "true", "false"));
        assert!(!covers("minus b; points; ± 1", "3.1", "0.1", "0.2"));
        assert!(!covers("≥ 0.5", "half", "0.9", "0.6"));
    }

    #[test]
    fn a_number_in_words_is_read_in_the_language_of_its_report() {
        let shift = |language| {
            let stated = |relation| Stated { relation, text: "5 Tausend", language };
            super::shift(stated("± 1"), stated("± 2 %"))
        };
        assert_eq!(
            [Some("de"), Some("en"), None].map(shift),
            [Shift::Looser, Shift::Tighter, Shift::Looser]
        );
    }

    #[test]
    fn an_exact_claim_allows_one_value() {
        let allows = |relation, text, after| {
            super::allows(Stated { relation, text, language: Some("en") }, "9", after)
        };
        assert!(!allows("= (exact)", "9", "8") && !allows("at L = 2", "$L^2$", "8"));
        assert!(allows("= (exact)", "9", "9.0") && allows("± 1", "9", "8"));
        assert!(allows("minus b; = (exact)", "0", "8"));
    }

    #[test]
    fn tells_looser_from_tighter() {
        use Shift::{Looser, Other, Same, Tighter};
        for (old, new, expected) in [
            (("= (4 decimals)", "0.8204"), ("= (4 decimals)", "0.8311"), Same),
            (("= (4 decimals)", "0.8204"), ("= (2 decimals)", "0.82"), Looser),
            (("= (2 decimals)", "0.82"), ("= (4 decimals)", "0.8204"), Tighter),
            (("= (2 decimals)", "0.82"), ("± 0.005", "0.82"), Same),
            (("= (2 decimals)", "0.82"), ("± 0.01", "0.82"), Looser),
            (("= (exact)", "9"), ("± 1", "9"), Looser),
            (("± 1 %", "100"), ("± 2 %", "100"), Looser),
            (("± 2 %", "100"), ("± 2 %", "110"), Same),
            (("± 1", "100"), ("± 2 %", "100"), Looser),
            (("± 2 %", "100"), ("± 1", "100"), Tighter),
            (("± 1", "5 Tausend"), ("± 2 %", "5 Tausend"), Looser),
            (("± 0.01", "0.82"), ("≥ 0.8", "0.82"), Looser),
            (("± 0.1; quotes a", "0.82"), ("± 0.1", "0.82"), Looser),
            (("± 0.1", "0.82"), ("± 0.1; quotes a; on d", "0.82"), Tighter),
            (("± 0.1; quotes a; on d", "0.82"), ("± 0.2; quotes a; on d", "0.82"), Looser),
            (("± 0.1; quotes a", "0.82"), ("± 0.1; quotes b", "0.82"), Other),
            (("≥ 0.8", "0.82"), ("± 0.01", "0.82"), Tighter),
            (("≥ 0.8", "0.8"), ("≥ 0.7", "0.7"), Looser),
            (("≥ 0.8", "0.8"), ("≥ 0.9", "0.9"), Tighter),
            (("> 0.8", "0.8"), ("≥ 0.8", "0.8"), Looser),
            (("≤ 0.8", "0.8"), ("≤ 0.9", "0.9"), Looser),
            (("≤ 0.8", "0.8"), ("< 0.8", "0.8"), Tighter),
            (("≤ 0.8", "0.8"), ("≥ 0.8", "0.8"), Other),
            (("± 0.1 on cpu, ± 0.2 on cuda", "1"), ("± 0.1 on cpu, ± 0.3 on cuda", "1"), Looser),
            (("± 0.1 on cpu, ± 0.2 on cuda", "1"), ("± 0.1 on cpu, ± 0.1 on cuda", "1"), Tighter),
            (("± 0.1", "1"), ("± 0.1 on cpu, ± 0.2 on cuda", "1"), Looser),
            (("at L = 2, ± 0.1", "$L^2$"), ("at L = 2, ± 0.2", "$L^2$"), Looser),
            (("at L = 2", "$L^2$"), ("at L = 2, ± 0.2", "$L^2$"), Looser),
            (("at L = 2", "$L^2$"), ("at L = 3", "$L^2$"), Other),
            (("at L = 2", "$L^2$"), ("at L = 2", "$L$"), Other),
            (("at L = 2, ± 1 %", "$L^2$"), ("at L = 2, ± 2 %", "$L^2$"), Looser),
            (("at L = 2, ± 0.5", "$L^2$"), ("at L = 2, ± 2 %", "$L^2$"), Other),
            (("at L = 2, ± 2 %", "$L^2$"), ("at L = 2", "$L^2$"), Tighter),
            (("at L = 2", "$L^2$"), ("≥ 1", "$L^2$"), Looser),
            (("≠ 3", "3"), ("≠ 4", "4"), Other),
            (("holds", "it holds"), ("holds", "it does hold"), Other),
            (("holds", "it holds"), ("= (exact)", "9"), Other),
            (("± 0.1; on octmnist", "0.8"), ("± 0.1", "0.8"), Looser),
            (("± 0.1", "0.8"), ("± 0.1; on octmnist", "0.8"), Tighter),
            (("± 0.1; on a", "0.8"), ("± 0.1; on b", "0.8"), Other),
            (("± 0.1", "0.8"), ("± 0.2; on a", "0.8"), Looser),
            (("± 0.1; devices: cpu, cuda", "0.8"), ("± 0.1", "0.8"), Looser),
            (("± 0.1; on a", "0.8"), ("± 0.1; devices: cpu, cuda; on a", "0.8"), Tighter),
            (("± 0.1; devices: cpu, cuda", "0.8"), ("± 0.1; devices: cuda, cpu", "0.8"), Same),
            (("= (1 decimal); devices: cpu, cuda", "0.8"), ("= (1 decimal); on a", "0.8"), Looser),
            (("a relation of tomorrow", "0.8"), ("± 0.2", "0.8"), Other),
            (("mean; n ≥ 6; > 0", "more"), ("mean; n ≥ 3; > 0", "more"), Looser),
            (("mean; n ≥ 3; > 0", "more"), ("mean; n ≥ 6; > 0", "more"), Tighter),
            (("mean; n ≥ 6; > 0", "more"), ("median; n ≥ 6; > 0", "more"), Other),
            (("minus a; > 0", "more"), ("minus b; > 0", "more"), Other),
            (("mean; t 95 %; n ≥ 6; > 0", "more"), ("mean; t 90 %; n ≥ 6; > 0", "more"), Looser),
            (("mean; t 95 %; n ≥ 6; > 0", "more"), ("mean; n ≥ 6; > 0", "more"), Looser),
            (("mean; = (3 decimals)", "0.820"), ("mean; = (2 decimals)", "0.82"), Looser),
            (("mean; ± 0.1; on octmnist", "0.8"), ("mean; ± 0.1", "0.8"), Looser),
        ] {
            assert_eq!(of(old, new), expected, "{old:?} {new:?}");
        }
    }
}
