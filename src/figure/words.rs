//! What a figure says without a picture: its data as CSV and a description in words.

use veracity_protocol::{Axis, Figure, Float, Plot, Scale, Series, SeriesKind};

use super::scale::forward;

/// All data of a figure as CSV (RFC 4180), one row a point, at full precision.
///
/// `x` and `y` are numbers or categories; `low` and `high` are the ends of error bars, `value` is
/// that of a heat map's cell.
pub fn csv(figure: &Figure) -> String {
    let mut out = String::new();
    row(&mut out, ["panel", "series", "kind", "x", "y", "low", "high", "value"].map(String::from));
    for (i, plot) in figure.plots.iter().enumerate() {
        let panel = plot.title.clone().unwrap_or_else(|| (i + 1).to_string());
        for series in &plot.series {
            let mut record = |kind: &str, cells: [String; 5]| {
                let [x, y, low, high, value] = cells;
                row(
                    &mut out,
                    [panel.clone(), series.name.clone(), kind.into(), x, y, low, high, value],
                );
            };
            let none = String::new;
            match &series.kind {
                SeriesKind::Line { points } => {
                    points.iter().for_each(|(x, y)| {
                        record("line", [x.to_string(), y.to_string(), none(), none(), none()])
                    });
                }
                SeriesKind::Scatter { points } => {
                    points.iter().for_each(|(x, y)| {
                        record("scatter", [x.to_string(), y.to_string(), none(), none(), none()])
                    });
                }
                SeriesKind::ErrorBars { points } => points.iter().for_each(|(x, low, y, high)| {
                    record(
                        "error-bars",
                        [x.to_string(), y.to_string(), low.to_string(), high.to_string(), none()],
                    );
                }),
                SeriesKind::Bars { bars } => {
                    bars.iter().for_each(|(x, y)| {
                        record("bars", [x.clone(), y.to_string(), none(), none(), none()])
                    });
                }
                SeriesKind::HeatMap { columns, rows, values, .. } => {
                    for (r, line) in values.iter().enumerate() {
                        for (c, value) in line.iter().enumerate() {
                            let name = |names: &[String], i: usize| {
                                names.get(i).cloned().unwrap_or_else(|| (i + 1).to_string())
                            };
                            record(
                                "heat-map",
                                [
                                    name(columns, c),
                                    name(rows, r),
                                    none(),
                                    none(),
                                    value.to_string(),
                                ],
                            );
                        }
                    }
                }
            }
        }
    }
    out
}

fn row(out: &mut String, fields: [String; 8]) {
    let quoted = fields.map(|field| {
        if field.contains(['"', ',', '\r', '\n']) {
            format!("\"{}\"", field.replace('"', "\"\""))
        } else {
            field
        }
    });
    out.push_str(&quoted.join(","));
    out.push_str("\r\n");
}

/// Describes a figure in words, for people who cannot see it and whose author wrote no `alt`.
pub fn describe(figure: &Figure) -> String {
    let panels: Vec<String> = figure.plots.iter().map(describe_plot).collect();
    match panels.as_slice() {
        [only] => format!("{only}."),
        panels => {
            let listed: Vec<String> = panels
                .iter()
                .enumerate()
                .map(|(i, text)| format!("Panel {}: {text}.", i + 1))
                .collect();
            format!("Figure of {} panels. {}", panels.len(), listed.join(" "))
        }
    }
}

fn describe_plot(plot: &Plot) -> String {
    let title = plot.title.as_ref().map(|title| format!("{title}: ")).unwrap_or_default();
    let axes = format!("{} against {}", axis(&plot.y, "y"), axis(&plot.x, "x"));
    let [first, ..] = plot.series.as_slice() else {
        return format!("{title}empty plot of {axes}");
    };
    if let SeriesKind::HeatMap { columns, rows, values, label } = &first.kind {
        let cells = values.iter().flatten().map(|value| value.0);
        return format!(
            "{title}heat map of {}, {} rows by {} columns{}",
            or(label, "values"),
            rows.len().max(values.len()),
            columns.len().max(values.iter().map(Vec::len).max().unwrap_or(0)),
            span(cells).map(|span| format!(", {span}")).unwrap_or_default(),
        );
    }
    let kind = match &first.kind {
        SeriesKind::Bars { .. } => "bar chart",
        SeriesKind::Scatter { .. } => "scatter plot",
        SeriesKind::ErrorBars { .. } => "plot with error bars",
        _ => "line chart",
    };
    let series: Vec<String> =
        plot.series.iter().map(|series| describe_series(series, plot.y.scale)).collect();
    format!("{title}{kind} of {axes}; {}", series.join("; "))
}

fn describe_series(series: &Series, scale: Scale) -> String {
    let name = or(&series.name, "data");
    let seen = |y: &f64| forward(scale, *y).is_some();
    let points = |points: &[(Float, Float)], noun: &str| {
        let ys: Vec<f64> = points.iter().map(|(_, y)| y.0).filter(seen).collect();
        let ends = match (points.first(), points.last()) {
            (Some(first), Some(last)) if noun == "points" && points.len() > 1 => {
                format!(", from {} to {}", short(first.1.0), short(last.1.0))
            }
            _ => String::new(),
        };
        (points.len(), noun.to_owned(), ys, ends)
    };
    let (count, noun, ys, ends) = match &series.kind {
        SeriesKind::Line { points: list } => points(list, "points"),
        SeriesKind::Scatter { points: list } => points(list, "markers"),
        SeriesKind::ErrorBars { points: list } => {
            let middles: Vec<(Float, Float)> = list.iter().map(|&(x, _, y, _)| (x, y)).collect();
            points(&middles, "markers with error bars")
        }
        SeriesKind::Bars { bars } => {
            if bars.len() <= 8 {
                let listed: Vec<String> =
                    bars.iter().map(|(category, y)| format!("{category} {}", short(y.0))).collect();
                return format!("{name}: {}", or(&listed.join(", "), "no bars"));
            }
            (
                bars.len(),
                "bars".to_owned(),
                bars.iter().map(|(_, y)| y.0).filter(seen).collect(),
                String::new(),
            )
        }
        SeriesKind::HeatMap { .. } => return name.to_owned(),
    };
    let span = span(ys.into_iter()).map(|span| format!(", {span}")).unwrap_or_default();
    format!("{name}: {count} {noun}{ends}{span}")
}

fn span(values: impl Iterator<Item = f64>) -> Option<String> {
    let (low, high) = values
        .filter(|v| v.is_finite())
        .fold((f64::INFINITY, f64::NEG_INFINITY), |(low, high), v| (low.min(v), high.max(v)));
    (low <= high).then(|| format!("values between {} and {}", short(low), short(high)))
}

fn axis(axis: &Axis, fallback: &str) -> String {
    let scale = match axis.scale {
        Scale::Linear => "",
        Scale::Log => " (logarithmic)",
    };
    format!("{}{scale}", or(&axis.label, fallback))
}

fn or<'a>(text: &'a str, fallback: &'a str) -> &'a str {
    if text.is_empty() { fallback } else { text }
}

/// A number at three significant digits.
fn short(value: f64) -> String {
    let rounded: f64 = format!("{value:.2e}").parse().unwrap_or(value);
    if rounded == 0.0 || (1e-3..1e6).contains(&rounded.abs()) {
        rounded.to_string()
    } else {
        format!("{rounded:e}")
    }
}
