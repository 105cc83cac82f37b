//! Numbers as authors print them.
//!
//! In: words with a number among them. Out: the number, exactly, with the precision to which
//! it was printed. Left out: what it is compared with, which is [`super::relation`]'s.
//!
//! In what an author says in a language, numbers are written as words, too, and words such as "million" scale
//! the digits in front of them; those that make another number of it in ways that are not read are refused.
//!
//! Understood are `224892`, `224,892` and `224 892` with a narrow or no-break space, `−0.5`,
//! `1.2e-3`, `1.2 × 10^{-3}`, `10⁻³`, `2^10`, `3/4` and `82.04 %`, also in LaTeX. Digits that
//! belong to a word, as in `ResNet-18`, `M2` or `L^2`, are none. `0,82` is two numbers in English; where decimals
//! stand behind a comma, `5.050` and `5 050` are five thousand and fifty, and only a point that parts no three digits
//! is one of decimals. Digits of other
//! scripts, fractions in one character, roots, `‰` and letters such as in `225k` are refused, so that no part of
//! what a reader sees is left out.

mod beside;
mod place;
mod plain;
mod scanner;

use num_bigint::BigInt;
use num_rational::BigRational;
use num_traits::Zero;

use crate::words::Words;

pub(crate) use beside::Beside;
pub(crate) use place::{Around, Trouble};
pub(crate) use plain::{FACTOR, FACTORIAL, OVER, REFERENCE, STROKE};
use scanner::Scanner;
pub(crate) use scanner::{is_apart, is_grouped};

/// A number as it stands in the prose.
#[derive(Clone, Debug, PartialEq, Eq)]
pub(crate) struct Printed {
    /// The characters.
    pub text: String,
    /// The number; not yet divided by 100 where a percent sign follows.
    value: BigRational,
    /// One unit in the last printed place; none if the number is meant exactly.
    last_place: Option<BigRational>,
    /// How many digits were printed, in words; empty for an exact number.
    pub precision: String,
    /// Whether a percent sign follows.
    pub percent: bool,
}

impl Printed {
    /// The number and one unit in its last place, in the unit of the value: `82 %` is 0.82
    /// unless the value itself is in `%`.
    pub fn in_unit(&self, unit: Option<&str>) -> (BigRational, Option<BigRational>) {
        if !self.percent || unit.is_some_and(|unit| unit.trim() == "%") {
            return (self.value.clone(), self.last_place.clone());
        }
        let hundred = BigRational::from(BigInt::from(100));
        (&self.value / &hundred, self.last_place.as_ref().map(|place| place / &hundred))
    }

    /// One unit in the last printed place, the zeros at the end of an integer left out; as a fraction
    /// of one if it is a percentage.
    pub fn smallest_place(&self) -> BigRational {
        if let (_, Some(place)) = self.in_unit(None) {
            return place;
        }
        let ten = BigRational::from(BigInt::from(10));
        let mut place = BigRational::from(BigInt::from(1));
        while !self.value.is_zero() && (&self.value / (&place * &ten)).is_integer() {
            place *= &ten;
        }
        if self.percent { place / (&ten * &ten) } else { place }
    }

    /// The number in digits, if it is meant exactly.
    pub fn in_digits(&self) -> Option<String> {
        let sign = if self.percent { " %" } else { "" };
        self.last_place.is_none().then(|| format!("{}{sign}", self.value))
    }

    /// The number as a fraction of one if it is a percentage, else as it is.
    pub fn plain(&self) -> BigRational {
        self.in_unit(None).0
    }
}

/// Every number in what is said in a language.
///
/// # Errors
/// With digits that make no number.
pub(crate) fn all(text: &str, language: Option<Words>) -> Result<Vec<Printed>, String> {
    Ok(Scanner::said(text, language).all()?.into_iter().map(|(printed, _)| printed).collect())
}

/// The only number in what is said in a language, if there is one.
///
/// # Errors
/// With more than one number, digits that make no number, or words that make another number of it.
pub(crate) fn stated(text: &str, language: Option<Words>) -> Result<Option<Printed>, String> {
    single(Scanner::said(text, language), text, language)
}

fn single(
    scanner: Scanner,
    text: &str,
    language: Option<Words>,
) -> Result<Option<Printed>, String> {
    let single = scanner
        .single()
        .map_err(|message| format!("{message}; link only the words around the one that is meant"));
    let Some((printed, own)) = single? else { return Ok(None) };
    if printed.text == text {
        return Ok(Some(printed));
    }
    match Around::alone(text, scanner, own, &printed, language).trouble(None) {
        Some(trouble) => Err(format!("{}; {}", trouble.message, trouble.hint)),
        None => Ok(Some(printed)),
    }
}

/// The number in front of a tolerance that stands with it, as in "0.82 ± 0.005".
pub(crate) fn with_tolerance(
    text: &str,
    language: Option<Words>,
    tolerance: &Printed,
) -> Option<Printed> {
    let scanner = Scanner::said(text, language);
    let found = scanner.all().ok()?;
    let [(printed, first), (size, second)] = found.as_slice() else { return None };
    let between = scanner.text(first.end..second.start);
    let is_same = size.value == tolerance.value && size.percent == tolerance.percent;
    (is_same && matches!(between.trim(), "±" | "\\pm")).then(|| printed.clone())
}

/// The only number in digits in a text of a language, if there is one.
///
/// # Errors
/// With more than one number, or digits that make no number.
pub(crate) fn find(text: &str, language: Option<Words>) -> Result<Option<Printed>, String> {
    single(Scanner::digits(text, language), text, None)
}

/// A text as it would be written in a language in which a comma and a point are exchanged, if decimals stand behind
/// a comma in its own.
pub(crate) fn exchanged(text: &str, language: Option<Words>) -> Option<String> {
    let exchange = |c| match c {
        '.' => ',',
        ',' => '.',
        c => c,
    };
    language
        .filter(|it| it.has_decimal_comma() && text.contains(['.', ',']))
        .map(|_| text.chars().map(exchange).collect())
}

/// A text that is a number and nothing else.
pub(crate) fn only(text: &str) -> Option<Printed> {
    let scanner = Scanner::digits(text, None);
    let found = scanner.all().ok()?;
    let [(printed, range)] = found.as_slice() else { return None };
    let blank = |chars: &[char]| chars.iter().all(|c| c.is_whitespace() || *c == '+');
    (blank(&scanner.chars[..range.start]) && blank(&scanner.chars[range.end..]))
        .then(|| printed.clone())
}

#[cfg(test)]
mod tests {
    use super::*;

    fn said(language: &str, text: &str) -> String {
        match stated(text, Words::known(language)) {
            Ok(Some(printed)) => printed.plain().to_string(),
            Ok(None) => "none".into(),
            Err(error) => error,
        }
    }

    #[test]
    fn words_are_read_as_numbers_where_an_author_says_something() {
        for (language, text, expected) in [
            ("en", "four", "4"),
            ("en", "about twenty-one heads", "21"),
            ("en", "zero", "0"),
            ("en", "−three", "-3"),
            ("en", "minus two", "-2"),
            ("en", "minus twenty-one percent", "-21/100"),
            ("de", "minus sechs", "-6"),
            ("fr", "moins six", "-6"),
            ("fr", "au moins six", "6"),
            ("es", "menos seis", "-6"),
            ("es", "al menos seis", "6"),
            ("en", "four percent", "1/25"),
            ("en", "5050 million", "5050000000"),
            ("en", "1.2 million", "1200000"),
            ("en", "5-thousand", "5000"),
            ("en", "one of the heads", "none"),
            ("en", "several million", "none"),
            ("en", "three times", "3"),
            ("en", "three quarters", "3/4"),
            ("en", "the two differ by 5", "5"),
            ("en", "a trillion", "1000000000000"),
            ("en", "twenty‑one", "21"),
            ("en", "three point one", "31/10"),
            ("de", "einundzwanzig Prozent", "21/100"),
            ("de", "5 Milliarden", "5000000000"),
            ("fr", "neuf", "9"),
            ("fr", "cinq pour cent", "1/20"),
            ("fr", "5 cents", "500"),
            ("es", "cinco por ciento", "1/20"),
            ("es", "5 mil millones", "5000000000"),
            ("en", "once, sechs, huit", "none"),
            ("nl", "ten", "none"),
        ] {
            assert_eq!(said(language, text), expected, "{text}");
        }
        let printed = stated("1.2 million", Words::known("en")).ok().flatten().expect("a number");
        assert_eq!(
            (printed.text.as_str(), printed.precision.as_str()),
            ("1.2 million", "1 decimal")
        );
        assert_eq!(printed.last_place, Some(BigRational::from(BigInt::from(100_000))));
    }

    #[test]
    fn words_that_make_another_number_of_one_are_refused() {
        for (language, text, words) in [
            ("en", "several times 5050", "“times” makes another number of `5050`"),
            ("en", "a half of 5050", "“half of” makes another number of `5050`"),
            ("en", "twice 5050", "“twice” makes"),
            ("en", "5050 and a half", "“and a half” makes"),
            ("en", "3 quarters", "“quarters” makes another number of `3`"),
            ("en", "5 (hundred)", "sees `5 (hundred)`, but only `5` is claimed"),
            ("en", "5!", "sees `5!`, but only `5` is claimed"),
            ("en", "twenty - one", "sees `twenty - one`, but only `twenty` is claimed"),
            ("en", "five times 5050", "more than one number: `five`, `5050`"),
            ("en", "5 million two hundred", "more than one number"),
            ("en", "5 times two", "more than one number"),
            ("en", "224 892", "a narrow no-break space"),
            ("de", "fünfmal 5050", "“fünfmal” makes"),
            ("de", "minus 4", "“minus” makes another number of `4`"),
            ("fr", "la moitié de 5050", "“moitié de” makes"),
            ("es", "el doble de 5050", "“doble de” makes"),
        ] {
            let told = said(language, text);
            assert!(told.contains(words), "{text}: {told}");
        }
    }

    #[test]
    fn a_comma_stands_before_decimals_where_the_language_says_so() {
        for (text, expected) in [
            ("0,82", "41/50"),
            ("5,050", "101/20"),
            ("5.050", "5050"),
            ("5 050", "5050"),
            ("5\u{202f}050", "5050"),
            ("5’050'000", "none"),
            ("5'050'000", "5050000"),
            ("5.050.000,25", "20200001/4"),
            ("224.892", "224892"),
            ("-5.050", "-5050"),
            ("0.82", "41/50"),
            ("0.820", "41/50"),
            ("12.5", "25/2"),
            (".5", "1/2"),
            ("1234.567", "1234567/1000"),
            ("82,04 %", "2051/2500"),
            ("1,2e-3", "3/2500"),
            ("$1{,}2 \\times 10^{-3}$", "3/2500"),
            ("1,2 Millionen", "1200000"),
        ] {
            let told = said("de", text);
            let found = if told.contains("number") { "none" } else { &told };
            assert_eq!(found, expected, "{text}: {told}");
        }
        for text in ["5,050.25", "5,050,000", "5.050.25", "3,4,5", "1.2.3", "3, 4", "5,05 050"] {
            let told = said("fr", text);
            assert!(told.contains("number"), "{text}: {told}");
        }
        assert_eq!((said("en", "5,050"), said("nl", "5,050")), ("5050".into(), "5050".into()));
        let exchanged = |language| exchanged("5,050.25", Words::known(language));
        assert_eq!((exchanged("es").as_deref(), exchanged("en")), (Some("5.050,25"), None));
    }

    #[test]
    fn an_exact_number_can_be_written_in_digits() {
        let digits = |text| stated(text, Words::known("en")).ok().flatten()?.in_digits();
        assert_eq!(digits("5 million").as_deref(), Some("5000000"));
        assert_eq!(digits("−twenty-one percent").as_deref(), Some("-21 %"));
        assert_eq!(digits("1.2 million"), None);
    }

    fn value(text: &str) -> String {
        match find(text, None) {
            Ok(Some(printed)) => printed.plain().to_string(),
            Ok(None) => "none".into(),
            Err(error) => error,
        }
    }

    #[test]
    fn finds_the_number_among_words() {
        for (text, expected) in [
            ("224892", "224892"),
            ("about 2 times", "2"),
            ("224,892 parameters", "224892"),
            ("224\u{202f}892 parameters", "224892"),
            ("$224\\,892$", "224892"),
            ("$1{,}234$", "1234"),
            ("−0.5", "-1/2"),
            ("-0.5", "-1/2"),
            ("(−3)", "-3"),
            ("\u{2011}3", "-3"),
            ("－3", "-3"),
            ("CO₂ is 3", "3"),
            ("it is − 3", "-3"),
            ("1.2e-3", "3/2500"),
            ("1.2 × 10^-3", "3/2500"),
            ("$1.2 \\times 10^{-3}$", "3/2500"),
            ("1.2·10⁻³", "3/2500"),
            ("10^{-3}", "1/1000"),
            ("10⁶", "1000000"),
            ("2^10", "1024"),
            ("3/4", "3/4"),
            ("$\\frac{3}{4}$", "3/4"),
            ("82.04 %", "2051/2500"),
            ("$82.04\\%$", "2051/2500"),
            ("50 percent", "1/2"),
            ("ResNet-18 has 11,689,512 parameters", "11689512"),
            ("O(L^2) needs 5.", "5"),
            (".5", "1/2"),
            ("2.1x faster", "21/10"),
            ("no digits", "none"),
            ("", "none"),
        ] {
            assert_eq!(value(text), expected, "{text}");
        }
    }

    #[test]
    fn doubtful_numbers_are_refused() {
        for text in [
            "0,82",
            "2–5",
            "2-5",
            "1.2.3",
            "1 000",
            "3 of 4",
            "1 1/2",
            "1234,567",
            "1,23",
            "0.82 ± 0.01",
            "3/0",
            "1e99999999999",
            "10^99999",
            "1.5^2",
            "1/2/3",
            "12,345,67",
            "5½",
            "½ 5",
            "5５",
            "1٢",
            "٢",
            "5‰",
            "5 ‰",
            "225k",
            "1.2M",
            "√5",
            "$\\sqrt{5}$",
        ] {
            assert!(find(text, None).is_err(), "{text}: {:?}", find(text, None));
        }
    }

    #[test]
    fn a_decimal_comma_is_told() {
        let told = |text: &str| find(text, None).is_err_and(|error| error.contains("with a point"));
        assert!(told("0,82") && told("about 1234,567"));
        assert!(!told("3, 4") && !told("3 of 4"));
    }

    #[test]
    fn the_printed_precision_is_kept() {
        let of = |text: &str| find(text, None).ok().flatten().map(|p| (p.last_place, p.precision));
        let place = |n: i64, d: i64| Some(BigRational::new(n.into(), d.into()));
        assert_eq!(of("0.8204"), Some((place(1, 10_000), "4 decimals".into())));
        assert_eq!(of("0.8"), Some((place(1, 10), "1 decimal".into())));
        assert_eq!(of("1.20e-3"), Some((place(1, 100_000), "3 significant digits".into())));
        assert_eq!(of("12"), Some((None, String::new())));
        assert_eq!(of("10^3"), Some((None, String::new())));
    }

    #[test]
    fn only_takes_a_number_alone() {
        assert!(only(" 0.015 ").is_some());
        assert!(only("2 %").is_some());
        assert!(only("2 metres").is_none());
        assert!(only("").is_none());
    }
}
