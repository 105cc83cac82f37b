//! What the outcome of a check is worth, in words and back.
//!
//! In: a check, or what a ledger says of one. Out: words such as `tested on 12 cases`, and whether
//! another version of the check is worth less. Left out: whether it passed.

use std::collections::BTreeMap;
use std::fmt;

use num_rational::BigRational;
use veracity_protocol::{Check, CheckStatus, Evidence};

use super::exact;
use super::slack::{Shift, growth, weakest};

/// What the outcome of a check is worth.
#[derive(Clone, Debug, PartialEq)]
pub(crate) struct Strength<'a> {
    ground: Ground,
    cases: u64,
    /// Why the cases suffice, the tolerance or the interval.
    detail: &'a str,
}

/// On what an outcome rests, the weakest first.
#[derive(Clone, Copy, Debug, PartialEq, Eq, PartialOrd, Ord)]
enum Ground {
    Estimated,
    Compared,
    Tested,
    Proved,
}

/// The grounds with the words before the number of cases and those behind it.
const WORDS: [(Ground, &str, &str); 4] = [
    (Ground::Estimated, "estimated on ", ": "),
    (Ground::Compared, "compared on ", " within "),
    (Ground::Tested, "tested on ", ""),
    (Ground::Proved, "proved on ", ": "),
];

/// The outcome of a check in words.
pub(super) fn outcome(check: &Check) -> String {
    let status = match check.status {
        CheckStatus::Passed => "passed",
        CheckStatus::Failed => "failed",
    };
    format!("{status}, {}", Strength::of(check))
}

impl<'a> Strength<'a> {
    pub(crate) fn of(check: &'a Check) -> Self {
        let (ground, detail) = match &check.evidence {
            Evidence::Proved { because } => (Ground::Proved, because.as_str()),
            Evidence::Tested => (Ground::Tested, ""),
            Evidence::Close { tolerance } => (Ground::Compared, tolerance.as_str()),
            Evidence::Estimated { interval } => (Ground::Estimated, interval.as_str()),
        };
        Self { ground, cases: check.cases, detail }
    }

    /// Reads the [`outcome`] of a check; none if it is the outcome of something else.
    pub(crate) fn read(outcome: &'a str) -> Option<Self> {
        let words = outcome.strip_prefix("passed, ").or(outcome.strip_prefix("failed, "))?;
        WORDS.iter().find_map(|&(ground, before, between)| {
            let rest = words.strip_prefix(before)?;
            let (cases, rest) = rest.split_once(" case")?;
            let rest = rest.strip_prefix('s').unwrap_or(rest);
            Some(Self { ground, cases: cases.parse().ok()?, detail: rest.strip_prefix(between)? })
        })
    }

    /// How much a check has to say after a change: less is looser.
    pub(crate) fn to(&self, after: &Strength<'_>) -> Shift {
        if self.ground != after.ground {
            return growth(&after.ground, &self.ground);
        }
        let cases = growth(&after.cases, &self.cases);
        match self.ground {
            Ground::Tested => cases,
            // However many cases a proof needs, it is one.
            Ground::Proved => match (asserts(self.detail), asserts(after.detail)) {
                (false, true) => Shift::Looser,
                (true, false) => Shift::Tighter,
                _ => Shift::Same,
            },
            Ground::Compared => weakest([cases, widened(self.detail, after.detail)].into_iter()),
            Ground::Estimated => weakest([cases, margin(self.detail, after.detail)].into_iter()),
        }
    }
}

impl fmt::Display for Strength<'_> {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        let Self { ground, cases, detail } = self;
        let words = WORDS.into_iter().find(|(it, ..)| it == ground);
        let (_, before, between) = words.expect("every ground has words");
        let ending = if *cases == 1 { "" } else { "s" };
        write!(f, "{before}{cases} case{ending}{between}{detail}")
    }
}

/// Whether a proof rests on what its author asserts.
fn asserts(because: &str) -> bool {
    because.contains("which the author asserts")
}

/// How a tolerance such as `1e-6 absolute or 2 units in the last place` has changed. Each part lets
/// pass something of its own.
fn widened(old: &str, new: &str) -> Shift {
    let (Some(old), Some(new)) = (&tolerances(old), &tolerances(new)) else {
        return if old == new { Shift::Same } else { Shift::Other };
    };
    let added = new.keys().any(|kind| !old.contains_key(kind));
    let removed = old.keys().any(|kind| !new.contains_key(kind));
    let both = old.iter().filter_map(|(kind, size)| Some(growth(size, new.get(kind)?)));
    let kinds = [added.then_some(Shift::Looser), removed.then_some(Shift::Tighter)];
    weakest(both.chain(kinds.into_iter().flatten()))
}

/// Sizes by what they are parts of; none if they are put in other words.
fn tolerances(words: &str) -> Option<BTreeMap<&str, BigRational>> {
    // The largest difference that was found stands behind.
    let (words, _) = words.split_once("; ").unwrap_or((words, ""));
    let parts = words.split(" or ").map(|part| {
        let (size, kind) = part.split_once(' ')?;
        // `1 unit`, `2 units`
        Some((
            kind.strip_prefix("units").or(kind.strip_prefix("unit")).unwrap_or(kind),
            exact::decimal(size)?,
        ))
    });
    parts.collect()
}

/// How the margin of an interval has changed: what is said behind `±`.
fn margin(old: &str, new: &str) -> Shift {
    let of = |words: &str| exact::decimal(words.rsplit_once(" ± ")?.1.trim());
    match (of(old), of(new)) {
        (Some(old), Some(new)) => growth(&old, &new),
        (None, None) => Shift::Same,
        _ => Shift::Other,
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    fn check(cases: u64, evidence: Evidence) -> Check {
        Check {
            name: "c".into(),
            statement: String::new(),
            status: CheckStatus::Passed,
            evidence,
            cases,
            counterexample: None,
            equations: Vec::new(),
        }
    }

    #[test]
    fn what_is_said_of_a_check_can_be_read_back() {
        for evidence in [
            Evidence::Tested,
            Evidence::Proved { because: "3 points suffice: case by case".into() },
            Evidence::Close { tolerance: "1e-6 relative; the largest difference is 0e0".into() },
            Evidence::Estimated { interval: "2.00 from 10 points".into() },
        ] {
            for cases in [0, 1, 12] {
                let check = check(cases, evidence.clone());
                let words = outcome(&check);
                assert_eq!(Strength::read(&words), Some(Strength::of(&check)), "{words}");
            }
        }
        for other in ["0.82", "passed", "passed, tested on some cases", "tested on 3 cases"] {
            assert_eq!(Strength::read(other), None, "{other}");
        }
    }

    #[test]
    fn tells_a_weaker_check_from_a_stronger_one() {
        let proof = "proved on 3 cases: by their printed form";
        let given = "proved on 3 cases: given that it is one, which the author asserts, so";
        for (strong, weak) in [
            (proof, "tested on 3 cases"),
            (proof, "tested on 1000 cases"),
            (proof, given),
            (given, "tested on 3 cases"),
            ("tested on 49 cases", "tested on 48 cases"),
            ("tested on 2 cases", "tested on 1 case"),
            ("tested on 2 cases", "compared on 2 cases within 1e-9 absolute"),
            (
                "compared on 2 cases within 1e-6 relative",
                "compared on 2 cases within 2e-6 relative",
            ),
            ("compared on 2 cases within 1e-6 relative", "compared on 1 case within 1e-6 relative"),
            (
                "compared on 2 cases within 1e-6 relative",
                "compared on 2 cases within 1e-6 relative or 1e-9 absolute",
            ),
            (
                "compared on 1 case within 1 unit in the last place",
                "compared on 1 case within 2 units in the last place",
            ),
            ("compared on 2 cases within 1 unit in the last place", "estimated on 2 cases: 2"),
            (
                "estimated on 9 cases: 2.01; allowed is 2 ± 0.1",
                "estimated on 9 cases: 2.00; allowed is 2 ± 0.25",
            ),
            ("estimated on 9 cases: 2.01", "estimated on 8 cases: 2.01"),
        ] {
            let shift = |old: &str, new: &str| {
                let [old, new] = [old, new].map(|it| format!("passed, {it}"));
                let read = |words| Strength::read(words).expect("it is of a check");
                read(&old).to(&read(&new))
            };
            assert_eq!(shift(strong, weak), Shift::Looser, "{strong} → {weak}");
            assert_eq!(shift(weak, strong), Shift::Tighter, "{weak} → {strong}");
            assert_eq!(shift(weak, weak), Shift::Same, "{weak}");
        }
        let found = |largest: &str| {
            format!(
                "passed, compared on 2 cases within 1e-6 relative; the largest difference is {largest}"
            )
        };
        let (old, new) = (found("1.000e-9"), found("3.000e-7"));
        let [old, new] = [&old, &new].map(|it| Strength::read(it).expect("it is of a check"));
        assert_eq!(old.to(&new), Shift::Same);
    }
}
