//! What every figure must satisfy, and what the author is told when there is none.

use veracity_protocol::{Plot, Scale};

use super::gallery::{bars, errors, figure, gallery, heat, line, plot, scatter};
use super::{Theme, csv, describe, draw};

#[test]
fn every_figure_is_drawn_alike_each_time_within_bounds() {
    for (name, figure) in gallery() {
        for theme in [Theme::Light, Theme::Dark] {
            let svg = draw(&figure, theme).unwrap_or_else(|message| panic!("{name}: {message}"));
            assert_eq!(svg, draw(&figure, theme).unwrap(), "{name} differs between runs");
            assert!(!svg.contains("NaN") && !svg.contains("inf"), "{name} has impossible numbers");
            assert!(svg.len() < 150_000, "{name} has {} bytes", svg.len());
            let document = Ids::of(&svg);
            assert!(
                document.used.iter().all(|id| document.defined.contains(id)),
                "{name} lacks a glyph"
            );
            if let Some(dir) = std::env::var_os("VERACITY_GALLERY") {
                let file = std::path::Path::new(&dir).join(format!("{name}-{theme:?}.svg"));
                std::fs::write(file, &svg).unwrap();
            }
        }
        assert!(describe(&figure).len() > 20, "{name}");
        assert!(csv(&figure).lines().count() > 1, "{name}");
    }
}

struct Ids<'a> {
    defined: Vec<&'a str>,
    used: Vec<&'a str>,
}

impl<'a> Ids<'a> {
    fn of(svg: &'a str) -> Self {
        let after = |mark: &str| -> Vec<&'a str> {
            svg.split(mark).skip(1).filter_map(|rest| rest.split('"').next()).collect()
        };
        Ids { defined: after(" id=\""), used: after("href=\"#") }
    }
}

fn message(plots: Vec<Plot>) -> String {
    draw(&figure(plots), Theme::Light).unwrap_err()
}

#[test]
fn a_figure_without_anything_to_draw_says_why() {
    assert_eq!(message(vec![]), "the figure holds no data");
    assert_eq!(message(vec![plot("x", "y", vec![line("a", [])])]), "the figure holds no data");
    let unseen =
        message(vec![plot("x", "y", vec![line("a", [(f64::NAN, 1.0), (1.0, f64::INFINITY)])])]);
    assert!(unseen.contains("all 2 values"), "{unseen}");
    let mut log = plot("x", "y", vec![scatter("a", [(1.0, -1.0)])]);
    log.y.scale = Scale::Log;
    assert!(message(vec![log]).contains("logarithmic"));
    let mixed = message(vec![
        plot("x", "y", vec![line("a", [(0.0, 1.0)])]),
        plot("x", "y", vec![bars("a", &[("c", 1.0)]), line("b", [(0.0, 1.0)])]),
    ]);
    assert!(mixed.starts_with("panel 2: bars"), "{mixed}");
    assert!(
        message(vec![plot("x", "y", vec![heat(2, 2, "z", |_, _| f64::NAN)])])
            .contains("all 4 values")
    );
}

#[test]
fn one_empty_panel_leaves_the_others_drawn() {
    let plots =
        vec![plot("x", "y", vec![line("a", [(0.0, 1.0)])]), plot("x", "y", vec![bars("a", &[])])];
    assert!(draw(&figure(plots), Theme::Dark).is_ok());
    let plots = vec![
        plot("x", "y", vec![line("a", [(0.0, 1.0)])]),
        plot("x", "y", vec![heat(0, 0, "z", |_, _| 0.0)]),
    ];
    assert!(draw(&figure(plots), Theme::Dark).is_ok());
}

#[test]
fn extreme_numbers_and_names_are_drawn() {
    let values =
        [0.0, -0.0, 1e-300, -1e-9, 1e9, 1e9 + 1.0, 1e300, f64::MAX, f64::MIN, f64::MIN_POSITIVE];
    let names = [
        "",
        " ",
        "\u{7}",
        "<b>&\"",
        "漢字",
        "שלום",
        "≤ 10⁻³",
        &"long ".repeat(60),
        &"w".repeat(300),
    ];
    for a in values {
        for b in values {
            for scale in [Scale::Linear, Scale::Log] {
                let mut curve = plot(
                    names[3],
                    names[6],
                    vec![
                        line(names[8], [(a, b), (b, a), (1.0, 2.0)]),
                        errors("", &[(1.0, a, 1.0, b)]),
                    ],
                );
                (curve.x.scale, curve.y.scale) = (scale, scale);
                draw(&figure(vec![curve]), Theme::Light).unwrap();
            }
            draw(
                &figure(vec![plot(
                    "",
                    "",
                    vec![heat(3, 2, "z", |r, c| if r == c { a } else { b })],
                )]),
                Theme::Light,
            )
            .unwrap();
            draw(&figure(vec![plot("", "", vec![bars("", &[("p", a), ("q", b)])])]), Theme::Light)
                .unwrap();
        }
    }
    let named: Vec<(&str, f64)> = names.iter().map(|name| (*name, 1.0)).collect();
    let svg = draw(
        &figure(vec![plot("", "", vec![bars(names[7], &named), bars(names[8], &named)])]),
        Theme::Dark,
    )
    .unwrap();
    assert!(!svg.contains('\u{7}') && !svg.contains("<b>"));
}

#[test]
fn text_is_outlined_and_described() {
    let mut picture =
        figure(vec![plot("x < 1", "y", vec![line("a & b", [(0.0, 1.0), (1.0, 3.0)])])]);
    picture.caption = Some("Growth <fast>".into());
    let svg = draw(&picture, Theme::Light).unwrap();
    assert!(svg.starts_with("<svg ") && svg.contains("width=\"720\" height=\"420\""));
    assert!(!svg.contains("<text") && !svg.contains("font-family"));
    assert!(svg.contains("<title>Growth &lt;fast&gt;</title>"));
    assert!(svg.contains("<desc>line chart of y against x &lt; 1; a &amp; b: 2 points, from 1 to 3, values between 1 and 3.</desc>"));
}

#[test]
fn csv_holds_every_number_at_full_precision() {
    let picture = figure(vec![
        plot(
            "x",
            "y",
            vec![line("a, \"b\"", [(0.1, 1.0 / 3.0)]), errors("e", &[(1.0, 0.5, f64::NAN, 1e-9)])],
        ),
        plot("x", "y", vec![bars("c", &[("one\ntwo", -2.0)])]),
        plot("x", "y", vec![heat(2, 1, "z", |_, c| c as f64)]),
    ]);
    let expected = [
        "panel,series,kind,x,y,low,high,value",
        "1,\"a, \"\"b\"\"\",line,0.1,0.3333333333333333,,,",
        "1,e,error-bars,1.0,NaN,0.5,1e-9,",
        "2,c,bars,\"one\ntwo\",-2.0,,,",
        "3,,heat-map,0,0,,,0.0",
        "3,,heat-map,1,0,,,1.0",
        "",
    ];
    assert_eq!(csv(&picture), expected.join("\r\n"));
}

#[test]
fn descriptions_name_kind_axes_and_values() {
    let bar = plot("", "Accuracy", vec![bars("full", &[("CNN", 0.812_34), ("LSTM", 0.75)])]);
    assert_eq!(
        describe(&figure(vec![bar.clone()])),
        "bar chart of Accuracy against x; full: CNN 0.812, LSTM 0.75."
    );
    let map = plot("", "", vec![heat(3, 2, "Weight", |r, c| (r * c) as f64)]);
    assert_eq!(
        describe(&figure(vec![bar, map])),
        "Figure of 2 panels. Panel 1: bar chart of Accuracy against x; full: CNN 0.812, LSTM 0.75. \
         Panel 2: heat map of Weight, 2 rows by 3 columns, values between 0 and 2."
    );
}
