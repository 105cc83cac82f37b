//! Inline values: `{{ accuracy | fixed(4) }}`.
//!
//! In: a tera expression, and the values that its names stand for. Out: text. Left out: what
//! a name stands for.
//!
//! Tera's own identifiers have no `-`, `.` or `/` in the sense of our names, and its filters
//! have no positional arguments, so both are translated before tera sees the expression. A
//! difference therefore needs spaces: `a - b`.
//!
//! Numbers keep their exact value up to the filters `fixed(n)`, `percent(n)`, `sci(n)` and
//! `thousands`; what tera cannot hold, such as a fraction, it sees as text. Numbers are written with the marks of
//! the report's language.

use std::collections::BTreeMap;

use num_bigint::BigInt;
use num_rational::BigRational;
use tera::{Context, Kwargs, State, Tera, TeraResult};
use veracity_protocol::Value;

use crate::claims::exact;
use crate::words::Words;

/// Evaluates inline values.
pub(crate) struct Evaluator {
    tera: Tera,
    marks: Marks,
}

/// What stands between the digits of a number.
#[derive(Clone, Copy)]
struct Marks {
    decimal: char,
    thousands: char,
}

impl Marks {
    fn of(language: Words) -> Self {
        match language.has_decimal_comma() {
            true => Self { decimal: ',', thousands: '\u{202f}' },
            false => Self { decimal: '.', thousands: ',' },
        }
    }

    /// Writes the point of decimals as the language does.
    fn write(self, digits: &str) -> String {
        digits.replace('.', &self.decimal.to_string())
    }

    /// The same of numbers in brackets, which are not parted by the mark of decimals.
    fn write_list(self, numbers: &str) -> String {
        self.write(&if self.decimal == ',' { numbers.replace(',', ";") } else { numbers.into() })
    }

    /// The same of all numbers in a text.
    fn write_in(self, text: &str) -> String {
        let mut parts = text.split('.');
        let mut written = parts.next().unwrap_or_default().to_owned();
        for part in parts {
            let is_inside = written.ends_with(|c: char| c.is_ascii_digit())
                && part.starts_with(|c: char| c.is_ascii_digit());
            written.push(if is_inside { self.decimal } else { '.' });
            written.push_str(part);
        }
        written
    }

    /// Reads what [`Self::write`] wrote.
    fn read(self, digits: &str) -> String {
        digits.replace(self.decimal, ".")
    }
}

/// An expression in which tera can read the names.
#[derive(Debug, Default, PartialEq, Eq)]
struct Translated {
    /// The expression.
    text: String,
    /// The author's names by tera's.
    names: BTreeMap<String, String>,
}

impl Evaluator {
    /// Writes numbers as a language does.
    pub fn new(language: Words) -> Self {
        let marks = Marks::of(language);
        let mut tera = Tera::new();
        tera.register_filter("fixed", move |value: &tera::Value, arguments: Kwargs, _: &State| {
            with_digits(value, &arguments, marks, exact::fixed)
        });
        tera.register_filter(
            "percent",
            move |value: &tera::Value, arguments: Kwargs, _: &State| {
                with_digits(value, &arguments, marks, |number, digits| {
                    let hundred = BigRational::from(BigInt::from(100));
                    format!("{}\u{a0}%", exact::fixed(&(number * hundred), digits))
                })
            },
        );
        tera.register_filter("sci", move |value: &tera::Value, arguments: Kwargs, _: &State| {
            with_digits(value, &arguments, marks, |number, digits| {
                let (mantissa, exponent) = exact::scientific(number, digits);
                let exponent: String = exponent.to_string().chars().map(superscript).collect();
                format!("{mantissa}\u{a0}×\u{a0}10{exponent}")
            })
        });
        tera.register_filter("thousands", move |value: &tera::Value, _: Kwargs, _: &State| {
            let text = match value.as_str() {
                Some(text) => text.to_owned(),
                None => marks.write(&value.to_string()),
            };
            number(value, marks).map(|_| thousands(&text, marks))
        });
        Self { tera, marks }
    }

    /// Evaluates an expression; `lookup` gives the value of a name or why there is none.
    /// Returns the text and the first name in the expression.
    pub fn evaluate<'a, E>(
        &self,
        expression: &str,
        mut lookup: impl FnMut(&str) -> Result<&'a Value, E>,
    ) -> Result<(String, String), Result<E, String>> {
        let translated = translate(expression);
        let first = translated.names.values().next().cloned().unwrap_or_default();
        let mut context = Context::new();
        let mut has_text = false;
        for (placeholder, name) in &translated.names {
            let value = lookup(name).map_err(Ok)?;
            if name == expression.trim() {
                let text = exact::full(value);
                let text = match value {
                    Value::Float { .. } => self.marks.write(&text),
                    Value::Series { .. } | Value::Sample { .. } => self.marks.write_list(&text),
                    _ => text,
                };
                return Ok((text, first));
            }
            has_text |= matches!(value, Value::Text { .. });
            context.insert_value(placeholder.clone(), for_tera(value));
        }
        // Numbers that no filter wrote; a version is none.
        let has_version =
            || expression.split(['"', '\'', '`']).skip(1).step_by(2).any(|it| it.contains('.'));
        let written = |text: String| match has_text || has_version() {
            true => text,
            false => self.marks.write_in(&text),
        };
        self.tera
            .render_str(&format!("{{{{ {} }}}}", translated.text), &context, false)
            .map(|text| (written(text), first))
            .map_err(|error| Err(reason(&error)))
    }
}

/// Why tera failed, without its picture of the template.
fn reason(error: &tera::Error) -> String {
    match error.kind() {
        tera::ErrorKind::SyntaxError(report) | tera::ErrorKind::RenderingError(report) => {
            report.message().to_owned()
        }
        // Some errors hold a picture of the template behind their first line.
        _ => {
            let words = error.to_string();
            let first = words.lines().next().unwrap_or_default();
            first.trim_start_matches("error: ").to_owned()
        }
    }
}

fn for_tera(value: &Value) -> tera::Value {
    match value {
        Value::Integer { value: digits } => match digits.parse::<i128>() {
            Ok(small) => small.into(),
            Err(_) => digits.as_str().into(),
        },
        Value::Float { value } => value.0.into(),
        Value::Bool { value } => (*value).into(),
        Value::Series { values } | Value::Sample { values, .. } => {
            let numbers: Vec<tera::Value> = values.iter().map(|value| value.0.into()).collect();
            numbers.as_slice().into()
        }
        Value::Rational { .. } | Value::Text { .. } => exact::full(value).into(),
    }
}

fn with_digits(
    value: &tera::Value,
    arguments: &Kwargs,
    marks: Marks,
    format: impl FnOnce(&BigRational, usize) -> String,
) -> TeraResult<String> {
    let digits: u8 = arguments.get("digits")?.unwrap_or(0);
    Ok(marks.write(&format(&number(value, marks)?, digits.into())))
}

fn number(value: &tera::Value, marks: Marks) -> TeraResult<BigRational> {
    let exact = match (value.as_i128(), value.as_f64(), value.as_str()) {
        (Some(integer), ..) => Some(BigRational::from(BigInt::from(integer))),
        (None, Some(float), _) => exact::float(float),
        (None, None, Some(text)) => match text.split_once('/') {
            Some((numerator, denominator)) => exact::decimal(numerator)
                .zip(exact::decimal(denominator).filter(|d| *d.numer() != BigInt::ZERO))
                .map(|(numerator, denominator)| numerator / denominator),
            None => exact::decimal(&marks.read(text)),
        },
        _ => None,
    };
    exact.ok_or_else(|| tera::Error::message(format!("`{value}` is not a number")))
}

fn superscript(c: char) -> char {
    match c {
        '-' => '⁻',
        '1' => '¹',
        '2' => '²',
        '3' => '³',
        '0' => '⁰',
        '4'..='9' => char::from_u32(u32::from('⁴') + u32::from(c) - u32::from('4')).unwrap_or(c),
        _ => c,
    }
}

/// Marks between groups of three digits before the decimals.
fn thousands(text: &str, marks: Marks) -> String {
    let start = text.find(|c: char| c.is_ascii_digit()).unwrap_or(text.len());
    let length = text[start..].find(|c: char| !c.is_ascii_digit()).unwrap_or(text.len() - start);
    let (digits, rest) = text[start..].split_at(length);
    let mut grouped = text[..start].to_owned();
    for (index, digit) in digits.chars().enumerate() {
        if index > 0 && (digits.len() - index).is_multiple_of(3) {
            grouped.push(marks.thousands);
        }
        grouped.push(digit);
    }
    grouped + rest
}

const WORDS: [&str; 12] =
    ["and", "or", "not", "in", "is", "if", "else", "elif", "true", "false", "none", "loop"];

/// Filters whose first argument may stand without a name.
const WITH_DIGITS: [&str; 3] = ["fixed", "percent", "sci"];

/// Replaces published names by identifiers.
fn translate(expression: &str) -> Translated {
    let mut out = Translated::default();
    let mut rest = expression;
    let mut before = ' ';
    while let Some(c) = rest.chars().next() {
        let length = if matches!(c, '"' | '\'' | '`') {
            rest[1..].find(c).map_or(rest.len(), |end| end + 2)
        } else if c.is_alphabetic() || c == '_' {
            let end = rest.find(|c: char| !(c.is_alphanumeric() || "_-./".contains(c)));
            rest[..end.unwrap_or(rest.len())].trim_end_matches(['-', '.', '/']).len()
        } else if c.is_ascii_digit() {
            rest.find(|c: char| !(c.is_alphanumeric() || c == '.')).unwrap_or(rest.len())
        } else {
            c.len_utf8()
        };
        let (token, after) = rest.split_at(length);
        let follows = after.trim_start();
        let is_argument = follows.starts_with('=') && !follows.starts_with("==");
        if before == '|' && WITH_DIGITS.contains(&token) {
            out.text.push_str(token);
            if let Some(arguments) = follows.strip_prefix('(')
                && arguments.trim_start().starts_with(|c: char| c.is_ascii_digit())
            {
                out.text.push_str("(digits=");
                rest = arguments;
                before = '=';
                continue;
            }
        } else if !(c.is_alphabetic() || c == '_')
            || before == '|'
            || is_argument
            || follows.starts_with('(')
            || WORDS.contains(&token)
            || out.text.trim_end().ends_with(" is")
        {
            out.text.push_str(token);
        } else {
            let placeholder = format!("value_{:04}", out.names.len());
            out.text.push_str(&placeholder);
            out.names.insert(placeholder, token.to_owned());
        }
        if !token.trim().is_empty() {
            before = c;
        }
        rest = after;
    }
    out
}

#[cfg(test)]
mod tests {
    use super::*;
    use veracity_protocol::Float;

    fn evaluate(expression: &str) -> String {
        evaluate_in("en", expression)
    }

    fn evaluate_in(language: &str, expression: &str) -> String {
        let values = BTreeMap::from([
            ("m-count", Value::Integer { value: "-1234567".into() }),
            ("big", Value::Integer { value: "9".repeat(50) }),
            ("cnn.test_acc", Value::Float { value: Float(0.82045) }),
            ("other/x", Value::Float { value: Float(2.0) }),
            ("ratio", Value::Rational { numerator: "7".into(), denominator: "3".into() }),
            ("word", Value::Text { value: "<b>".into() }),
            ("version", Value::Text { value: "1.91".into() }),
            ("yes", Value::Bool { value: true }),
            ("loss", Value::Series { values: vec![Float(3.0), Float(0.5)] }),
        ]);
        let evaluator = Evaluator::new(Words::of(language));
        match evaluator.evaluate(expression, |name| values.get(name).ok_or(name.to_owned())) {
            Ok((text, _)) => text,
            Err(Ok(name)) => format!("unknown {name}"),
            Err(Err(message)) => format!("error {message}"),
        }
    }

    #[test]
    fn values_are_formatted_exactly() {
        for (expression, expected) in [
            ("m-count", "-1234567"),
            ("m-count | thousands", "-1,234,567"),
            ("cnn.test_acc | fixed(4)", "0.8204"),
            ("cnn.test_acc|fixed( 2 )", "0.82"),
            ("cnn.test_acc | fixed(digits=1)", "0.8"),
            ("cnn.test_acc | percent(1)", "82.0\u{a0}%"),
            ("cnn.test_acc | sci(2)", "8.20\u{a0}×\u{a0}10⁻¹"),
            ("ratio", "7/3"),
            ("ratio | fixed(3)", "2.333"),
            ("m-count | fixed(1) | thousands", "-1,234,567.0"),
            ("other/x", "2.0"),
            ("other/x * 2 + 1", "5.0"),
            ("other/x - 1", "1.0"),
            ("word", "<b>"),
            ("word ~ \" m-count\"", "<b> m-count"),
            ("loss | last", "0.5"),
            ("loss[0] | fixed(2)", "3.00"),
            ("\"a\" if yes else \"b\"", "a"),
            ("mcount | fixed(2)", "unknown mcount"),
        ] {
            assert_eq!(evaluate(expression), expected, "{expression}");
        }
        assert_eq!(evaluate("big | fixed(1)"), format!("{}.0", "9".repeat(50)));
    }

    #[test]
    fn numbers_are_written_as_a_language_does() {
        for (expression, expected) in [
            ("cnn.test_acc", "0,82045"),
            ("cnn.test_acc | percent(1)", "82,0\u{a0}%"),
            ("cnn.test_acc | sci(2)", "8,20\u{a0}×\u{a0}10⁻¹"),
            ("m-count | thousands", "-1\u{202f}234\u{202f}567"),
            ("m-count | fixed(1) | thousands", "-1\u{202f}234\u{202f}567,0"),
            ("cnn.test_acc | fixed(3) | fixed(1)", "0,8"),
            ("other/x * 2 + 1", "5,0"),
            ("loss", "[3,0; 0,5]"),
            ("cnn.test_acc ~ \" s, \" ~ other/x", "0,82045 s, 2,0"),
            ("cnn.test_acc ~ \" by 1.91\"", "0.82045 by 1.91"),
            ("version", "1.91"),
            ("version ~ \"\"", "1.91"),
        ] {
            assert_eq!(evaluate_in("de", expression), expected, "{expression}");
        }
    }

    #[test]
    fn mistakes_are_told() {
        for expression in ["m-count |", "m-count | nofilter", "word | fixed(2)", "", "ratio + 1"] {
            assert!(evaluate(expression).starts_with("error "), "{}", evaluate(expression));
        }
    }
}
