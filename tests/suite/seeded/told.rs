//! Copies of this report with changes in them: a comparison with the report as it is tells each.

use std::collections::{BTreeMap, BTreeSet};

use veracity::claims::Judged;
use veracity::diff::{self, Kind, Side};
use veracity::ledger;
use veracity::pipeline::Evaluated;

use super::{CHAPTERS, Copy, Report, bad, report};

/// What a comparison of the report with a copy tells.
fn compared(report: &Report, copy: &Copy) -> Vec<diff::Change> {
    let side = |report: &Evaluated| {
        Side::parse("claims.json", &ledger::json(&report.document, &BTreeMap::new()))
            .expect("we have written it")
    };
    diff::compare(&side(&report.clean), &side(&report.judge(copy)))
}

/// The same as kinds of changes with the claims.
fn told(report: &Report, copy: &Copy) -> BTreeSet<(Kind, String)> {
    compared(report, copy).into_iter().map(|change| (change.kind, change.what)).collect()
}

#[test]
fn wider_tolerances_are_told() {
    let report = report();
    let mut copy = Copy::new();
    for path in CHAPTERS {
        let text = copy
            .text(path)
            .replace("\"± 0.", "\"± 0.9")
            .replace("; ± 0.", "; ± 0.9")
            .replace(", ± 0.", ", ± 0.9");
        copy.chapters.insert(path, text);
    }
    let told = told(&report, &copy);
    let mut wide = 0;
    for claim in report.clean.document.claims.iter().filter(|it| it.relation.contains('±')) {
        wide += 1;
        let is_told = told.contains(&(Kind::Loosened, claim.id.clone()));
        assert!(is_told, "{}: {}", claim.id, claim.relation);
    }
    assert!(wide > 25, "only {wide}");

    // As large as its number, or beside digits that nothing holds.
    let mut copy = Copy::new();
    copy.replace(
        CHAPTERS[0],
        "claim:softmax-exponent-l \"± 0.01\"",
        "claim:softmax-exponent-l \"± 2\"",
    );
    copy.replace(CHAPTERS[0], "claim:error-1-3)", "claim:error-1-3 \"± 0.01\")");
    let seeded = report.judge(&copy);
    assert!(bad(&seeded).iter().any(|id| id.ends_with("/softmax-exponent-l")));
    assert!(seeded.diagnostics.iter().any(|it| it.code == "loose-tolerance"));
    assert!(report.clean.diagnostics.iter().all(|it| it.code != "loose-tolerance"));
}

#[test]
fn claims_that_go_or_are_excused_are_told() {
    let report = report();
    let (mut gone, mut excused) = (Copy::new(), Copy::new());
    let (mut deleted, mut refuted) = (BTreeSet::new(), BTreeSet::new());
    for path in CHAPTERS {
        let text = gone.text(path);
        let (mut without, mut with) = (text.clone(), text.clone());
        let mut claims: Vec<&Judged> = report.clean.document.claims.iter().collect();
        claims.retain(|it| it.span.source.path() == path && it.span.text().starts_with('['));
        claims.sort_by_key(|claim| std::cmp::Reverse(claim.span.range.start));
        for (at, claim) in claims.into_iter().enumerate() {
            let link = claim.span.text();
            let (words, target) = link.split_once("](claim:").expect("it is a link");
            let place = claim.span.range.clone();
            if at % 3 == 0 {
                without.replace_range(place.clone(), &words[1..]);
                deleted.insert(claim.id.clone());
            }
            if !target.contains("refuted") {
                let title = match target.split_once(" \"") {
                    Some((name, rest)) => format!("{name} \"refuted; {rest}"),
                    None => format!("{} \"refuted\")", target.trim_end_matches(')')),
                };
                with.replace_range(place, &format!("{words}](claim:{title}"));
                refuted.insert(claim.id.clone());
            }
        }
        gone.chapters.insert(path, without);
        excused.chapters.insert(path, with);
    }
    let told = |copy: &Copy, kind: Kind| -> usize {
        told(&report, copy).iter().filter(|(told, _)| *told == kind).count()
    };
    // Of several claims on one value any may be the one that is told.
    assert_eq!(told(&gone, Kind::Deleted), deleted.len());
    assert_eq!(told(&excused, Kind::ExpectedRefuted), refuted.len());
    assert!(deleted.len() > 50 && refuted.len() > 150, "{} {}", deleted.len(), refuted.len());
}

/// The text of a chapter with the lines of its paragraphs broken elsewhere.
fn reflowed(text: &str) -> String {
    let (mut is_prose, mut out) = (true, String::new());
    for line in text.lines() {
        is_prose ^= line.starts_with("```") || line.starts_with("$$");
        match is_prose && line.starts_with(|c: char| c.is_ascii_alphabetic()) {
            true => out.push_str(&line.replace(", and ", ",\n  and ").replace(" of ", "  of ")),
            false => out.push_str(line),
        }
        out.push('\n');
    }
    out
}

#[test]
fn words_around_claims_that_change_are_told() {
    let report = report();
    let around = |copy: &Copy| -> Vec<diff::Change> {
        let changes = compared(&report, copy).into_iter();
        changes.filter(|it| it.kind == Kind::Said).collect()
    };
    // The same words, and the same words on other lines.
    assert_eq!(around(&Copy::new()), []);
    let mut copy = Copy::new();
    for path in CHAPTERS {
        let text = reflowed(&copy.text(path));
        assert_ne!(text, copy.text(path));
        copy.chapters.insert(path, text);
    }
    assert_eq!(around(&copy), []);

    let [first, second, third] = CHAPTERS;
    for (path, edits, told) in [
        // Headers exchanged.
        (
            second,
            vec![(
                "| final validation | best validation |",
                "| best validation | final validation |",
            )],
            1,
        ),
        // Labels of rows exchanged, in a column without claims.
        (
            second,
            vec![
                ("| with max-pooling | **[0.87", "| without | **[0.87"),
                ("| without | [0.84", "| with max-pooling | [0.84"),
            ],
            2,
        ),
        // Inline values exchanged, in one sentence and between two.
        (
            second,
            vec![(
                "{{ lead_low | fixed(4) }} to {{ lead_high |",
                "{{ lead_high | fixed(4) }} to {{ lead_low |",
            )],
            1,
        ),
        (
            first,
            vec![
                ("factor of {{ speedup | fixed(0) }}", "factor of {{ crossing | fixed(0) }}"),
                ("length of {{ crossing | fixed(0) }}", "length of {{ speedup | fixed(0) }}"),
            ],
            2,
        ),
        // Another unit, and the caption of a table.
        (
            third,
            vec![(
                "{{ padded_seconds | fixed(1) }} seconds",
                "{{ padded_seconds | fixed(1) }} minutes",
            )],
            1,
        ),
        (second, vec![(": Accuracies of the network", ": Errors of the network")], 1),
        // Claims with the same words exchanged between two sentences.
        (
            third,
            vec![
                ("the unrestricted [2](claim:unrestricted)", "the unrestricted [2](claim:detour)"),
                ("the way is [2](claim:detour)", "the way is [2](claim:unrestricted)"),
            ],
            2,
        ),
        // Words around claims.
        (first, vec![("[64](claim:score-rows) rows", "[64](claim:score-rows) columns")], 1),
        (
            third,
            vec![(
                "to [784](claim:whole-length) characters, takes [at",
                "to [784](claim:whole-length) frames, takes [at",
            )],
            1,
        ),
        (
            second,
            vec![("differs from a given one by at most", "differs from a given one by at least")],
            1,
        ),
        // Claims on one value that say the same of two things.
        (
            first,
            vec![(
                "[64](claim:score-rows) rows and [64](claim:score-columns) columns",
                "[64](claim:score-columns) rows and [64](claim:score-rows) columns",
            )],
            1,
        ),
    ] {
        let mut copy = Copy::new();
        for (old, new) in &edits {
            copy.replace(path, old, new);
        }
        let changes = around(&copy);
        assert_eq!(changes.len(), told, "{edits:?}: {changes:#?}");
        for change in changes {
            assert!(change.from.is_some() && change.to.is_some(), "{change:?}");
            assert!(
                change.place.as_ref().is_some_and(|place| place.starts_with(path)),
                "{change:?}"
            );
        }
    }
    // What is told of a claim is not told of its sentence, too; nor is what only stands elsewhere.
    let mut copy = Copy::new();
    copy.replace(first, "[32768](claim:mix-products)", "[32786](claim:mix-products)");
    copy.replace(first, "[64](claim:score-rows) rows", "64 rows");
    let text = copy.text(third);
    let (before, after) = text.split_once("\n\nThe complete corpus has").expect("it is there");
    let (moved, after) = after.split_once("\n\n").expect("it is a paragraph");
    let text = format!("{before}\n\n{after}\n\nThe complete corpus has{moved}\n");
    copy.chapters.insert(third, text);
    assert_eq!(around(&copy), []);
}

/// What a comparison of the report with a copy tells, beside what rests on other code.
fn changes(report: &Report, copy: &Copy) -> Vec<diff::Change> {
    compared(report, copy).into_iter().filter(|it| it.kind != Kind::Code).collect()
}

#[test]
fn whatever_is_read_and_changes_is_told() {
    let report = report();
    let [first, second, third] = CHAPTERS;
    let (settings, works) = ("report.yaml", "chapters/references.bib");
    let said = |times: usize| vec![Kind::Said; times];
    for (path, edits, told) in [
        // Sentences without any mark, headings, titles, names.
        (first, vec![("That is its strength and its price", "That is its weakness")], said(1)),
        (first, vec![("is at least one half: all", "is at most one half: all")], said(1)),
        (
            first,
            vec![("## What softmax attention costs", "## What softmax attention saves")],
            said(1),
        ),
        (first, vec![("title: Linear attention", "title: Quadratic attention")], said(1)),
        (first, vec![("mathbb{R}", "mathbb{C}")], said(1)),
        (settings, vec![("convolutions and speech, checked", "convolutions and speech")], said(1)),
        (settings, vec![("  - The Veracity authors", "  - The Veracity readers")], said(1)),
        // A work that is cited.
        (works, vec![("Multinomial theorem", "Binomial theorem")], said(1)),
        // What a figure is for those who do not see it, and what kind of a note one is.
        (
            first,
            vec![("The error grows with the norm", "The error shrinks with the norm")],
            said(1),
        ),
        (first, vec![("> [!NOTE]\n> The homework", "> [!TIP]\n> The homework")], said(1)),
        // Exchanged labels of sections and of formulas that nothing evaluates.
        (
            first,
            vec![
                ("costs {#sec-softmax-cost}", "costs {#sec-feature-map}"),
                ("exponential {#sec-feature-map}", "exponential {#sec-softmax-cost}"),
            ],
            said(2),
        ),
        (
            first,
            vec![
                ("$$ {#eq-linear}", "$$ {#eq-x}"),
                ("$$ {#eq-scores}", "$$ {#eq-linear}"),
                ("$$ {#eq-x}", "$$ {#eq-scores}"),
            ],
            said(2),
        ),
        // What is compared with nothing any more.
        (
            second,
            vec![("//| label: sizes\n", "//| label: sizes\n//| measured: true\n")],
            vec![Kind::Measured],
        ),
        // Raw HTML and code that is only shown.
        (
            third,
            vec![(
                "\n\nThe complete corpus has",
                "\n\n<p>No words.</p>\n\nThe complete corpus has",
            )],
            said(1),
        ),
        (
            third,
            vec![("\n\nThe complete corpus has", "\n\n```\nrm x\n```\n\nThe complete corpus has")],
            said(1),
        ),
    ] {
        let mut copy = Copy::new();
        for (old, new) in &edits {
            copy.replace(path, old, new);
        }
        let changes = changes(&report, &copy);
        let kinds: Vec<Kind> = changes.iter().map(|it| it.kind).collect();
        assert_eq!(kinds, told, "{edits:?}: {changes:#?}");
    }
}

#[test]
fn what_changes_places_is_told_and_what_is_wrapped_anew_is_not() {
    let report = report();
    let mut copy = Copy::new();
    for path in CHAPTERS {
        copy.chapters.insert(path, reflowed(&copy.text(path)));
    }
    // A symbol under another of its names looks the same.
    copy.replace(
        CHAPTERS[0],
        "So as long as $\\varepsilon \\le 1$",
        "So as long as $\\varepsilon \\leq 1$",
    );
    assert_eq!(changes(&report, &copy), []);
    // Rows of a table, and paragraphs.
    let rows = |text: &str| -> String {
        let at = text.find("| with max-pooling |").expect("it is a row");
        let mut lines: Vec<&str> = text[at..].splitn(3, '\n').collect();
        lines.swap(0, 1);
        text[..at].to_owned() + &lines.join("\n")
    };
    let paragraphs = |text: &str| {
        let (before, after) = text.split_once("\n\nThe complete corpus has").expect("it is there");
        let (moved, after) = after.split_once("\n\n").expect("it is a paragraph");
        let (next, after) = after.split_once("\n\n").expect("it is a block");
        format!("{before}\n\n{next}\n\nThe complete corpus has{moved}\n\n{after}")
    };
    for (path, text) in [
        (CHAPTERS[1], rows(&Copy::new().text(CHAPTERS[1]))),
        (CHAPTERS[2], paragraphs(&Copy::new().text(CHAPTERS[2]))),
    ] {
        let mut copy = Copy::new();
        copy.chapters.insert(path, text);
        let changes = changes(&report, &copy);
        assert!(changes.iter().any(|it| it.kind == Kind::Order), "{changes:#?}");
        assert!(changes.iter().all(|it| it.kind != Kind::Said), "{changes:#?}");
    }
}

#[test]
fn another_word_is_told_wherever_it_stands() {
    let report = report();
    let mut edits = 0;
    for path in CHAPTERS {
        let text = Copy::new().text(path);
        let (mut is_prose, mut at, mut words) = (true, 0, Vec::new());
        for line in text.split_inclusive('\n') {
            is_prose ^= line.starts_with("```") || line.starts_with("$$");
            let is_plain = |word: &str| word.len() > 2 && word.chars().all(char::is_alphabetic);
            if is_prose
                && line.starts_with(|c: char| c.is_ascii_alphabetic() || "|>-:#!".contains(c))
            {
                let starts = line.match_indices(' ').map(|(space, _)| at + space + 1);
                words.extend(starts.filter_map(|start| {
                    let word = text[start..].split([' ', '\n']).next()?;
                    is_plain(word).then_some(start..start + word.len())
                }));
            }
            at += line.len();
        }
        // Words in the midst of formulas, values and titles of links are part of something else.
        words.retain(|word| {
            let line = &text[..word.start];
            let line = &line[line.rfind('\n').map_or(0, |at| at + 1)..];
            let open =
                |mark: &str, end: &str| line.matches(mark).count() > line.matches(end).count();
            line.matches('$').count().is_multiple_of(2)
                && !open("{{", "}}")
                && !open("](", ")")
                && !open("[", "]")
        });
        let words: Vec<_> = words.into_iter().step_by(9).collect();
        // Each by another one, at once.
        let other = |at: usize| format!("otherwise{}", "x".repeat(at % 17) + &"y".repeat(at / 17));
        let mut text = text;
        for (at, word) in words.iter().enumerate().rev() {
            text.replace_range(word.clone(), &other(at));
        }
        edits += words.len();
        let mut copy = Copy::new();
        copy.chapters.insert(path, text);
        let changes = changes(&report, &copy);
        let told: BTreeSet<&str> = changes
            .iter()
            .filter_map(|it| it.to.as_deref())
            .flat_map(|it| it.split(|c: char| !c.is_alphabetic()))
            .collect();
        for (at, word) in words.iter().enumerate() {
            assert!(told.contains(other(at).as_str()), "{path}: {word:?}: {changes:#?}");
        }
    }
    assert!(edits > 100, "only {edits}");
}
