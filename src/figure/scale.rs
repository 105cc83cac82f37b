//! Axis extents and ticks.
//!
//! In: data and the range that the author asked for. Out: the extent of an axis and its ticks at
//! round numbers with their labels. Positions are *forward*: the number itself on a linear axis,
//! its decimal logarithm on a logarithmic one.

use veracity_protocol::{Axis, Scale};

/// Extent of an axis, in forward positions.
#[derive(Clone, Copy, Debug, PartialEq)]
pub(super) struct Extent {
    pub(super) low: f64,
    pub(super) high: f64,
    scale: Scale,
    /// Smallest sensible distance of ticks: 1 where all data are whole numbers.
    finest: f64,
}

/// Ticks of an axis, at forward positions.
#[derive(Clone, Debug, Default, PartialEq)]
pub(super) struct Ticks {
    pub(super) major: Vec<(f64, String)>,
    pub(super) minor: Vec<f64>,
}

/// Where the data must be visible beyond their own span.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub(super) enum Anchored {
    /// Nowhere.
    Free,
    /// At zero: bars.
    Zero,
}

/// Forward position of a number, if the scale has one.
pub(super) fn forward(scale: Scale, value: f64) -> Option<f64> {
    match scale {
        Scale::Linear => value.is_finite().then_some(value),
        Scale::Log => (value > 0.0 && value.is_finite()).then(|| value.log10()),
    }
}

impl Extent {
    /// Extent of an axis for data at forward positions.
    ///
    /// # Errors
    /// If the author's range cannot be an axis.
    pub(super) fn of(axis: &Axis, data: &[f64], anchored: Anchored) -> Result<Self, String> {
        let scale = axis.scale;
        let (low, high) = match axis.range {
            Some((low, high)) => {
                let ends = forward(scale, low.0).zip(forward(scale, high.0));
                let (low, high) = ends.filter(|(a, b)| a != b).ok_or_else(|| {
                    format!(
                        "the range from {} to {} of the axis “{}” is empty or not finite{}",
                        low,
                        high,
                        axis.label,
                        if scale == Scale::Log {
                            ", or not positive on a logarithmic axis"
                        } else {
                            ""
                        }
                    )
                })?;
                (low.min(high), low.max(high))
            }
            None => padded(scale, data, anchored),
        };
        let whole = !data.is_empty() && data.iter().all(|v| v.fract() == 0.0);
        let finest = if whole && scale == Scale::Linear && high - low >= 2.0 { 1.0 } else { 0.0 };
        let extent = Extent { low, high, scale, finest };
        Ok(match (anchored, scale) {
            (Anchored::Zero, Scale::Linear) => {
                Extent { low: low.min(0.0), high: high.max(0.0), ..extent }
            }
            _ => extent,
        })
    }

    /// Whether a forward position lies on the axis.
    pub(super) fn contains(&self, position: f64) -> bool {
        let slack = (self.high - self.low) * 1e-9;
        (self.low - slack..=self.high + slack).contains(&position)
    }

    /// Forward position of zero, or of the lower end where zero is out of sight.
    pub(super) fn base(&self) -> f64 {
        match self.scale {
            Scale::Linear => 0.0_f64.clamp(self.low, self.high),
            Scale::Log => self.low,
        }
    }

    /// Ticks, at most `most` of them labelled.
    pub(super) fn ticks(&self, most: usize) -> Ticks {
        match self.scale {
            Scale::Linear => self.linear_ticks(most),
            Scale::Log => self.log_ticks(most),
        }
    }

    fn linear_ticks(&self, most: usize) -> Ticks {
        let values = round_numbers(self.low, self.high, most, self.finest);
        let labels = labels(&values);
        Ticks { major: values.into_iter().zip(labels).collect(), minor: Vec::new() }
    }

    fn log_ticks(&self, most: usize) -> Ticks {
        let first = (self.low - 1e-9).ceil() as i32;
        let last = (self.high + 1e-9).floor() as i32;
        let decades = (last - first + 1).max(0) as usize;
        let mantissas = |list: &[i64]| -> Vec<f64> {
            (first - 1..=last)
                .flat_map(|e| list.iter().map(move |&m| decimal(m, e)))
                .filter(|v| self.contains(v.log10()))
                .collect()
        };
        let minor = |major: &[f64]| -> Vec<f64> {
            mantissas(&[1, 2, 3, 4, 5, 6, 7, 8, 9])
                .into_iter()
                .filter(|v| !major.contains(v))
                .map(f64::log10)
                .collect()
        };
        if decades >= 2 {
            let stride = decades.div_ceil(most.max(2)) as i32;
            let exponents: Vec<i32> =
                (first..=last).filter(|e| e.rem_euclid(stride) == 0).collect();
            let plain = exponents.iter().all(|e| (-3..=4).contains(e));
            let label = |&e: &i32| {
                if plain { plain_number(decimal(1, e)) } else { power_of_ten(e) }
            };
            return Ticks {
                major: exponents.iter().map(|e| (f64::from(*e), label(e))).collect(),
                minor: if stride > 1 {
                    (first..=last).filter(|e| e.rem_euclid(stride) != 0).map(f64::from).collect()
                } else if decades <= 8 {
                    minor(&exponents.iter().map(|&e| decimal(1, e)).collect::<Vec<_>>())
                } else {
                    Vec::new()
                },
            };
        }
        for list in [&[1, 2, 5][..], &[1, 2, 3, 4, 5, 6, 7, 8, 9]] {
            let major = mantissas(list);
            if (3..=most.max(3)).contains(&major.len()) {
                let minor = minor(&major);
                let labels = major.iter().map(|&v| label_of(v));
                return Ticks {
                    major: major.iter().map(|v| v.log10()).zip(labels).collect(),
                    minor,
                };
            }
        }
        let values: Vec<f64> =
            round_numbers(10f64.powf(self.low), 10f64.powf(self.high), most, 0.0)
                .into_iter()
                .filter(|&v| v > 0.0)
                .collect();
        let labels = labels(&values);
        Ticks { major: values.iter().map(|v| v.log10()).zip(labels).collect(), minor: Vec::new() }
    }
}

fn padded(scale: Scale, data: &[f64], anchored: Anchored) -> (f64, f64) {
    let (mut low, mut high) = data
        .iter()
        .fold((f64::INFINITY, f64::NEG_INFINITY), |(low, high), &v| (low.min(v), high.max(v)));
    if low > high {
        return (0.0, 1.0);
    }
    if scale == Scale::Linear && anchored == Anchored::Zero {
        let (below, above) = (low.min(0.0), high.max(0.0));
        let pad = 0.06 * (above - below);
        return match (below < 0.0, above > 0.0) {
            (false, false) => (0.0, 1.0),
            (negative, positive) => {
                (if negative { below - pad } else { 0.0 }, if positive { above + pad } else { 0.0 })
            }
        };
    }
    if high - low <= 1e-12 * low.abs().max(high.abs()) {
        let pad = match scale {
            Scale::Linear if low == 0.0 => 1.0,
            Scale::Linear => 0.1 * low.abs(),
            Scale::Log => 0.5,
        };
        return (low - pad, high + pad);
    }
    let pad = (0.04 * high - 0.04 * low).min(f64::MAX / 4.0);
    let positive = low >= 0.0 && scale == Scale::Linear;
    low = (low - pad).max(f64::MIN / 4.0);
    high = (high + pad).min(f64::MAX / 4.0);
    if positive {
        low = low.max(0.0);
    }
    if anchored == Anchored::Zero && scale == Scale::Log {
        low = (low - 0.2).floor();
    }
    (low, high)
}

/// Multiples of 1, 2 or 5 times a power of ten from `low` to `high`, at most `most`, at least
/// `finest` apart.
pub(super) fn round_numbers(low: f64, high: f64, most: usize, finest: f64) -> Vec<f64> {
    let span = high - low;
    if span <= 0.0 || !span.is_finite() {
        return vec![low];
    }
    let start = (span / most.max(1) as f64).log10().floor() as i32;
    for exponent in start..start + 4 {
        for mantissa in [1, 2, 5] {
            let at = |i: i64| decimal(i * mantissa, exponent);
            let step = at(1);
            let (first, last) = ((low / step - 1e-9).ceil(), (high / step + 1e-9).floor());
            if step >= finest && last - first < most.max(2) as f64 && first.abs() < 1e15 {
                return (first as i64..=last as i64).map(at).collect();
            }
        }
    }
    vec![low, high]
}

/// The float nearest to a decimal, without the error of multiplying by a power of ten.
fn decimal(mantissa: i64, exponent: i32) -> f64 {
    format!("{mantissa}e{exponent}").parse().unwrap_or(f64::NAN)
}

/// Labels of ticks, alike in decimals and notation.
pub(super) fn labels(values: &[f64]) -> Vec<String> {
    let largest = values.iter().fold(0.0_f64, |a, v| a.max(v.abs()));
    if largest == 0.0 || (1e-3..1e6).contains(&largest) {
        let decimals = decimals(values);
        return values.iter().map(|&v| fixed(v, decimals, largest)).collect();
    }
    let exponent = largest.log10().floor() as i32;
    let scaled: Vec<f64> = values.iter().map(|v| v / 10f64.powi(exponent)).collect();
    let decimals = decimals(&scaled);
    let label = |&v: &f64| match v {
        0.0 => "0".into(),
        v if decimals == 0 && v.abs() == 1.0 => {
            format!("{}{}", if v < 0.0 { "−" } else { "" }, power_of_ten(exponent))
        }
        v => format!("{}×{}", fixed(v, decimals, 1.0), power_of_ten(exponent)),
    };
    scaled.iter().map(label).collect()
}

fn label_of(value: f64) -> String {
    labels(&[value]).concat()
}

/// Fewest decimals that tell the values from their neighbours and show each exactly.
fn decimals(values: &[f64]) -> usize {
    let exact = |decimals: usize| {
        values.iter().all(|&v| {
            let shown: f64 = format!("{v:.decimals$}").parse().unwrap_or(f64::NAN);
            (shown - v).abs() <= 1e-9 * v.abs().max(f64::MIN_POSITIVE)
        })
    };
    (0..12).find(|&decimals| exact(decimals)).unwrap_or(12)
}

/// A number with a true minus sign, and thin spaces between groups of three digits if the largest
/// of its kind has five or more.
pub(super) fn fixed(value: f64, decimals: usize, largest: f64) -> String {
    let text = format!("{:.decimals$}", value.abs());
    let (whole, rest) = match text.find('.') {
        Some(point) => text.split_at(point),
        None => (text.as_str(), ""),
    };
    let mut grouped = String::new();
    for (i, digit) in whole.chars().enumerate() {
        if largest >= 1e4 && i > 0 && (whole.len() - i).is_multiple_of(3) {
            grouped.push('\u{2009}');
        }
        grouped.push(digit);
    }
    let zero = text.chars().all(|c| matches!(c, '0' | '.'));
    let sign = if value < 0.0 && !zero { "−" } else { "" };
    format!("{sign}{grouped}{rest}")
}

fn plain_number(value: f64) -> String {
    fixed(value, decimals(&[value]), value)
}

fn power_of_ten(exponent: i32) -> String {
    let superscript = |c| match c {
        '-' => '⁻',
        '0' => '⁰',
        '1' => '¹',
        '2' => '²',
        '3' => '³',
        '4' => '⁴',
        '5' => '⁵',
        '6' => '⁶',
        '7' => '⁷',
        '8' => '⁸',
        _ => '⁹',
    };
    let exponent: String = exponent.to_string().chars().map(superscript).collect();
    format!("10{exponent}")
}

#[cfg(test)]
mod tests {
    use veracity_protocol::Float;

    use super::*;

    fn axis(scale: Scale, range: Option<(f64, f64)>) -> Axis {
        Axis { label: "x".into(), scale, range: range.map(|(a, b)| (Float(a), Float(b))) }
    }

    fn shown(scale: Scale, low: f64, high: f64, most: usize) -> Vec<String> {
        let extent = Extent::of(&axis(scale, Some((low, high))), &[], Anchored::Free).unwrap();
        extent.ticks(most).major.into_iter().map(|(_, label)| label).collect()
    }

    #[test]
    fn linear_ticks_are_round() {
        assert_eq!(shown(Scale::Linear, 0.0, 1.0, 6), ["0.0", "0.2", "0.4", "0.6", "0.8", "1.0"]);
        assert_eq!(shown(Scale::Linear, -3.0, 7.2, 6), ["−2", "0", "2", "4", "6"]);
        assert_eq!(shown(Scale::Linear, 0.0, 52_000.0, 4), ["0", "20\u{2009}000", "40\u{2009}000"]);
        assert_eq!(shown(Scale::Linear, 0.0, 3.1e-7, 4), ["0", "10⁻⁷", "2×10⁻⁷", "3×10⁻⁷"]);
    }

    /// The number that a label shows.
    fn read(label: &str) -> f64 {
        let plain = label.replace('−', "-").replace('\u{2009}', "");
        let digit = |c: char| "⁰¹²³⁴⁵⁶⁷⁸⁹".chars().position(|it| it == c);
        let (mantissa, power) = match plain.split_once("×10") {
            Some(parts) => parts,
            None if plain.contains(|c| c == '⁻' || digit(c).is_some()) => {
                match plain.strip_prefix("-10") {
                    Some(power) => ("-1", power),
                    None => ("1", &plain[2..]),
                }
            }
            None => (plain.as_str(), ""),
        };
        let exponent: String = power
            .chars()
            .map(|c| digit(c).map_or("-".to_owned(), |digit| digit.to_string()))
            .collect();
        format!("{mantissa}e{}", if exponent.is_empty() { "0" } else { &exponent }).parse().unwrap()
    }

    #[test]
    fn steps_are_round_and_labels_say_exactly_where_a_tick_is() {
        let mut state = 7_u64;
        let mut random = move || {
            state = state.wrapping_mul(6_364_136_223_846_793_005).wrapping_add(1);
            (state >> 11) as f64 / (1_u64 << 53) as f64
        };
        for _ in 0..20_000 {
            let size = 10f64.powf(40.0 * random() - 20.0);
            let low = size * (2.0 * random() - 1.0);
            let high = low + size * 10f64.powf(-4.0 * random());
            let most = 2 + (8.0 * random()) as usize;
            let values = round_numbers(low, high, most, 0.0);
            let labels = labels(&values);
            let shown: Vec<f64> = labels.iter().map(|label| read(label)).collect();
            assert_eq!(shown, values, "{low} to {high}: {labels:?}");
            for pair in values.windows(2) {
                let step = pair[1] - pair[0];
                let mantissa = step / 10f64.powf((step * 1.0001).log10().floor());
                let is = |round: f64| (mantissa / round - 1.0).abs() < 1e-6;
                assert!(is(1.0) || is(2.0) || is(2.5) || is(5.0), "{low} to {high}: {labels:?}");
            }
        }
    }

    #[test]
    fn logarithmic_ticks_are_powers_of_ten() {
        assert_eq!(shown(Scale::Log, 0.001, 10.0, 8), ["0.001", "0.01", "0.1", "1", "10"]);
        assert_eq!(shown(Scale::Log, 1e-8, 1e-2, 4), ["10⁻⁸", "10⁻⁶", "10⁻⁴", "10⁻²"]);
        assert_eq!(shown(Scale::Log, 15.0, 700.0, 5), ["20", "50", "100", "200", "500"]);
        assert_eq!(shown(Scale::Log, 41.0, 47.0, 4), ["42", "44", "46"]);
    }

    #[test]
    fn extents_hold_the_data() {
        let extent = |data: &[f64], anchored| {
            Extent::of(&axis(Scale::Linear, None), data, anchored).unwrap()
        };
        assert_eq!(
            (extent(&[5.0], Anchored::Free).low, extent(&[5.0], Anchored::Free).high),
            (4.5, 5.5)
        );
        assert_eq!(extent(&[3.0, 10.0], Anchored::Zero).low, 0.0);
        assert_eq!(extent(&[-3.0, -1.0], Anchored::Zero).high, 0.0);
        let huge = extent(&[-f64::MAX, f64::MAX], Anchored::Free);
        assert!((huge.high - huge.low).is_finite());
    }

    #[test]
    fn a_range_that_is_no_range_is_the_authors_mistake() {
        let message =
            Extent::of(&axis(Scale::Log, Some((0.0, 1.0))), &[], Anchored::Free).unwrap_err();
        assert!(message.contains("logarithmic"), "{message}");
        assert!(Extent::of(&axis(Scale::Linear, Some((2.0, 2.0))), &[], Anchored::Free).is_err());
    }
}
