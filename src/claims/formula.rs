//! Formulas in the text of a claim, compared with a number at a point: `[$L^2 D$](claim:x "at L = 64, D = 8")`.
//!
//! In: the formula, what its variables are, and the number that a cell published. Out: whether the
//! formula gives that number, exactly. Left out: roots and other functions, which a check evaluates by `equation!`.

mod eval;
mod identity;

use std::collections::{BTreeMap, BTreeSet};

use num_bigint::BigInt;
use num_rational::BigRational;
use num_traits::{Signed, Zero};
use veracity_protocol::Relation;

use self::eval::eval;
pub(crate) use self::identity::weak;
use super::number::{self, Printed};
use super::rule::Tolerance;
use super::{Verdict, exact};
use crate::math::{Display, Macros, Math};

/// What the variables of a formula are, and how far the number may be from it.
#[derive(Clone, Debug, PartialEq, Eq)]
pub(crate) struct Point {
    /// Variables by their names in LaTeX, as written.
    at: Vec<(String, Printed)>,
    /// Largest distance; none for the very number.
    within: Option<Tolerance>,
}

impl Point {
    /// Parses what stands behind `at`: `L = 64, D = 8`, `K = 2, ± 0.1` or `K = 2, ± 2 %`.
    ///
    /// # Errors
    /// The part that is neither, or that says again what another one has said.
    pub(super) fn parse(text: &str) -> Result<Self, String> {
        let mut point = Self { at: Vec::new(), within: None };
        for part in text.split(',').map(str::trim) {
            let unknown = || {
                format!(
                    "`{part}` gives no variable a number; write `at L = 64, D = 8` or add `± 0.1`"
                )
            };
            let is_repeated = if let Some(size) = Tolerance::parse(part) {
                point.within.replace(size?).is_some()
            } else {
                let (name, value) = part.split_once('=').ok_or_else(unknown)?;
                let (name, value) = (name.trim(), number::only(value).ok_or_else(unknown)?);
                let is_known = point.at.iter().any(|(known, _)| known == name);
                point.at.push((name.to_owned(), value));
                is_known
            };
            if is_repeated {
                return Err(format!("`at {text}` says one thing twice, again in `{part}`"));
            }
        }
        match point.at.is_empty() {
            true => Err(format!("`at {text}` gives no variable a number")),
            false => Ok(point),
        }
    }

    /// The point in words.
    pub(super) fn words(&self) -> String {
        let within = self.within.iter().map(|within| format!(", ± {}", within.size().text));
        format!("at {}{}", self.variables(), within.collect::<String>())
    }

    /// What the variables are, in words.
    pub(super) fn variables(&self) -> String {
        let at = self.at.iter().map(|(name, value)| format!("{name} = {}", value.text));
        at.collect::<Vec<_>>().join(", ")
    }

    /// How far the number may be from what the formula gives; none for the very number.
    pub(super) fn within(&self) -> Option<&Tolerance> {
        self.within.as_ref()
    }

    /// How a tolerance lets pass much of what a formula gives, in words.
    pub(super) fn leaves_open(&self, latex: &str, macros: &Macros) -> Option<String> {
        let within = self.within.as_ref()?;
        let two = BigRational::from(BigInt::from(2));
        let is_wide = |side: &BigRational| within.around(side) * &two >= side.abs();
        let sides = self.sides(latex, macros).ok()?;
        sides.iter().any(|side| !side.is_zero() && is_wide(side)).then(|| {
            let size = &within.size().text;
            format!("a tolerance of {size} lets pass half of what the formula gives")
        })
    }

    /// Compares a formula, as readers see it with these macros, at this point with a number.
    pub(super) fn compare(&self, latex: &str, macros: &Macros, value: &BigRational) -> Verdict {
        let sides = match self.sides(latex, macros) {
            Ok(sides) => sides,
            Err(message) => {
                return Verdict::Error(format!("the formula cannot be computed: {message}"));
            }
        };
        let size = |side: &BigRational| {
            self.within.as_ref().map_or_else(BigRational::zero, |within| within.around(side))
        };
        if sides.iter().any(|side| !side.is_zero() && size(side) >= side.abs()) {
            return Verdict::Vacuous("the tolerance accepts 0 as well".into());
        }
        match sides.into_iter().find(|side| (side - value).abs() > size(side)) {
            None => Verdict::Verified,
            Some(side) => Verdict::Refuted(format!(
                "the formula gives {} and the value is {}",
                exact::shown(&side),
                exact::shown(value)
            )),
        }
    }

    fn sides(&self, latex: &str, macros: &Macros) -> Result<Vec<BigRational>, String> {
        let said = |error: crate::math::MathError| error.message;
        let math = Math::parse(latex, Display::Inline, macros).map_err(said)?;
        if math.has_unseen() {
            return Err("readers do not see all of it alike".into());
        }
        let formula = math.equation("").map_err(said)?;
        let is_compared = |relation: &Relation| match relation {
            Relation::Equal => true,
            Relation::Approximate => self.within.is_some(),
            _ => false,
        };
        if !formula.relations.iter().all(is_compared) {
            return Err(
                "only `=` is compared at a point, and `≈` with a tolerance such as `± 0.1`".into(),
            );
        }
        let at: BTreeMap<&str, BigRational> =
            self.at.iter().map(|(name, value)| (name.as_str(), value.plain())).collect();
        let mut used = BTreeSet::new();
        let mut given = |name: &str| {
            used.insert(name.to_owned());
            at.get(name).cloned()
        };
        let sides = formula.sides.iter().map(|side| eval(side, &mut given));
        let mut sides = sides.collect::<Result<Vec<_>, _>>()?;
        if let Some(name) = &formula.name {
            if used.contains(name) {
                return Err(format!("`{name}` stands on both sides"));
            }
            if let Some(given) = at.get(name.as_str()) {
                used.insert(name.clone());
                sides.push(given.clone());
            }
        }
        match self.at.iter().find(|(name, _)| !used.contains(name)) {
            Some((name, _)) => Err(format!("`{name}` does not stand in it")),
            None => Ok(sides),
        }
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    fn of(point: &str, latex: &str, value: &str) -> Verdict {
        with(&Macros::default(), point, latex, value)
    }

    fn with(macros: &Macros, point: &str, latex: &str, value: &str) -> Verdict {
        let value = exact::decimal(value).expect("a number");
        Point::parse(point).expect("a point").compare(latex, macros, &value)
    }

    #[test]
    fn only_an_equation_is_compared() {
        for latex in ["400 < 2W", "400 \\le 2W", "400 = 2W < 3W", "400 > 2W", "400 \\approx 2W"] {
            let verdict = of("W = 200", latex, "400");
            assert!(matches!(&verdict, Verdict::Error(it) if it.contains("only `=`")), "{latex}");
        }
        assert_eq!(of("W = 200, ± 1", "400 \\approx 2W", "400"), Verdict::Verified);
        assert!(matches!(of("W = 200, ± 1", "400 < 2W", "400"), Verdict::Error(_)));
    }

    #[test]
    fn a_name_on_the_left_is_no_way_around() {
        assert!(matches!(of("W = 200", "W = 2 W", "400"), Verdict::Error(_)));
        assert!(matches!(of("W = 200, n = 300", "n = 2 W", "400"), Verdict::Refuted(_)));
        assert_eq!(of("W = 200, n = 400", "n = 2 W", "400"), Verdict::Verified);
    }

    #[test]
    fn what_readers_do_not_see_or_nobody_can_read_is_not_computed() {
        for latex in ["W \\phantom{+ 1}", "W \\textcolor{white}{+ 1}", "((W^{99})^{99})^{99}"] {
            assert!(matches!(of("W = 200", latex, "201"), Verdict::Error(_)), "{latex}");
        }
        let Verdict::Refuted(words) = of("W = 200", "W^{99}", "1") else { panic!("it is not 1") };
        assert!(words.contains("≈ 6.338253e227"), "{words}");
    }

    #[test]
    fn half_of_the_number_is_a_wide_tolerance() {
        let open = |point: &str| {
            Point::parse(point).expect("a point").leaves_open("W", &Macros::default()).is_some()
        };
        assert!(open("W = 2, ± 1") && open("W = 2, ± 50 %"));
        assert!(!open("W = 2, ± 0.9") && !open("W = 2, ± 49 %") && !open("W = 2"));
    }

    #[test]
    fn a_tolerance_is_read_as_it_is_elsewhere() {
        assert!(matches!(of("K = 0.05, ± 2 %", "K", "0.06"), Verdict::Refuted(_)));
        assert_eq!(of("K = 0.05, ± 2 %", "K", "0.051"), Verdict::Verified);
        assert_eq!(of("W = 200, +- 2 %", "2W", "404"), Verdict::Verified);
        assert_eq!(of("W = 200, +/- 4", "2W", "404"), Verdict::Verified);
        assert!(matches!(of("W = 200, ± 2 %", "2W", "408.1"), Verdict::Refuted(_)));
        assert!(matches!(of("W = 200, ± 100 %", "2W", "404"), Verdict::Vacuous(_)));
        for point in ["L = 1, ± -1", "L = 1, ± -1 %", "L = 1, ± 1, ± 2", "L = 1, L = 2", "L = 1, ±"]
        {
            assert!(Point::parse(point).is_err(), "{point}");
        }
        assert_eq!(Point::parse("L=6,+-2%").expect("a point").words(), "at L = 6, ± 2%");
    }

    #[test]
    fn a_formula_is_judged_as_readers_see_it() {
        let (macros, _) = Macros::new([
            ("\\len".to_owned(), "L".to_owned()),
            ("\\cdot".to_owned(), "+".to_owned()),
        ]);
        assert_eq!(with(&macros, "L = 3", "\\len^2", "9"), Verdict::Verified);
        assert_eq!(with(&macros, "L = 3", "L \\cdot L", "6"), Verdict::Verified);
        assert!(matches!(with(&macros, "L = 3", "L \\cdot L", "9"), Verdict::Refuted(_)));
    }

    #[test]
    fn a_formula_gives_the_number_or_not() {
        let verified = |point, latex, value| of(point, latex, value) == Verdict::Verified;
        assert!(verified("L = 64, D = 8", "L^2 D", "32768"));
        assert!(verified("W = 200", "n = 2 W", "400"));
        assert!(verified("W = 200", "2W = W + W", "400"));
        assert!(verified("K = 2, ± 0.1", "2(K+1)", "5.97"));
        assert!(verified("x = 4", "\\frac{x^{-1} + 4}{-2}", "-2.125"));
        for (point, latex, value) in [
            ("L = 64, D = 8", "L^3 D", "32768"),
            ("L = 64, D = 8", "L^2 + D", "32768"),
            ("W = 200", "n = 3 W", "400"),
            ("W = 200", "2W = W + 2W", "400"),
            ("K = 2, ± 0.1", "2(K-1)", "5.97"),
        ] {
            let verdict = of(point, latex, value);
            assert!(matches!(verdict, Verdict::Refuted(_)), "{latex}: {verdict:?}");
        }
        for (point, latex) in [
            ("L = 64", "L^2 D"),
            ("L = 64, D = 8", "L^2"),
            ("L = 64", "L^{1/2}"),
            ("L = 0", "1/L"),
            ("L = 0", "L^{-1}"),
            ("L = 9", "L^{L^L}"),
            ("L = 4", "\\sqrt{L}"),
            ("L = 4", "L^"),
        ] {
            let verdict = of(point, latex, "2");
            assert!(matches!(verdict, Verdict::Error(_)), "{latex}: {verdict:?}");
        }
        assert!(Point::parse("L").is_err() && Point::parse("± 1").is_err());
        assert_eq!(Point::parse("L=64 , ± 1").expect("a point").words(), "at L = 64, ± 1");
    }
}
