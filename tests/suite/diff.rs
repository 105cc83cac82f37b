//! What a reviewer is told of a change, in which order, and with which exit status.

use std::fs;
use std::path::Path;
use std::process::Command;

use veracity::diff::{Change, Kind, Side, compare, words};
use veracity::git;
use veracity::record::{Cell, DataUse, Entry, Exemption, Passage};

/// A side of a few claims in two chapters.
fn side() -> Side {
    let claim = |id: &str, text: &str, relation: &str, value: &str| Entry {
        id: id.into(),
        path: "a.md".into(),
        text: text.into(),
        relation: relation.into(),
        expected: "verified".into(),
        verdict: "verified".into(),
        value: Some(value.into()),
        ..Entry::default()
    };
    Side {
        environment: vec![("Compiler".into(), "rustc 1".into())],
        claims: vec![
            claim("a/acc", "0.8204", "= (4 decimals)", "0.82041"),
            claim("a/acc#2", "82 %", "± 2 %", "0.82041"),
            claim("a/acc#3", "0.8", "≥ 0.8", "0.82041"),
            Entry {
                dataset: Some(DataUse {
                    name: "octmnist".into(),
                    kind: "real".into(),
                    digest: "1".into(),
                }),
                ..claim("b/count", "9", "= (exact)", "9")
            },
        ],
        ..Side::default()
    }
}

/// Kinds of what `edit` changes, with what.
fn told(edit: impl FnOnce(&mut Side)) -> Vec<(Kind, String)> {
    told_of(|_| (), edit)
}

/// The same of what `before` has made of both sides.
fn told_of(before: impl Fn(&mut Side), edit: impl FnOnce(&mut Side)) -> Vec<(Kind, String)> {
    let mut old = side();
    before(&mut old);
    let mut new = old.clone();
    edit(&mut new);
    let changes = compare(&old, &new);
    changes.into_iter().map(|Change { kind, what, .. }| (kind, what)).collect()
}

/// Makes the first claim one on a check that passed.
fn set_check(side: &mut Side, strength: &str) {
    side.claims[0].text = "they agree".into();
    side.claims[0].relation = "holds".into();
    side.claims[0].value = Some(format!("passed, {strength}"));
}

#[test]
fn a_value_that_moves_within_its_claims_is_told_apart() {
    let moved = |edit: &dyn Fn(&mut Side)| told(edit);
    // Four digits do not change, two per cent are far, and a bound is kept.
    let all = moved(&|it| {
        it.claims.iter_mut().take(3).for_each(|claim| claim.value = Some("0.82042".into()));
    });
    assert!(all.len() == 3 && all.iter().all(|(kind, _)| *kind == Kind::Moved), "{all:?}");
    assert!(Kind::Moved.is_lesser() && !Kind::Value.is_lesser());
    // A claim that is not as expected any more tells it as before.
    let fails = moved(&|it| {
        it.claims[0].value = Some("0.83".into());
        it.claims[0].verdict = "refuted".into();
    });
    assert_eq!(fails.iter().map(|it| it.0).collect::<Vec<_>>(), [Kind::Fails, Kind::Value]);
    // What is not checked on the data at hand may move as far as it is claimed, and no further.
    let open = |side: &mut Side| side.claims[0].verdict = "unverified".into();
    let to = |value: &'static str| told_of(open, move |it| it.claims[0].value = Some(value.into()));
    assert_eq!(to("0.82044"), [(Kind::Moved, "a/acc".to_owned())]);
    assert_eq!(to("0.8206"), [(Kind::Value, "a/acc".to_owned())]);
    // What is at fault allows nothing.
    for verdict in ["vacuous", "error"] {
        let fault = |side: &mut Side| side.claims[0].verdict = verdict.into();
        let told = told_of(fault, |it| it.claims[0].value = Some("0.82044".into()));
        assert_eq!(told, [(Kind::Value, "a/acc".to_owned())], "{verdict}");
    }
}

/// What is told of passages that become others: what, from and to.
fn around(old: &[&str], new: &[&str]) -> Vec<[String; 3]> {
    let with = |texts: &[&str]| {
        let passage = |(at, text): (usize, &&str)| Passage {
            path: "a.md".into(),
            line: Some(at + 1),
            column: Some(1),
            text: (*text).into(),
        };
        Some(texts.iter().enumerate().map(passage).collect())
    };
    let (mut before, mut after) = (side(), side());
    (before.passages, after.passages) = (with(old), with(new));
    // Claims are gone and new with their passages.
    let keep = |side: &mut Side, texts: &[&str]| {
        side.claims.retain(|it| it.id != "a/acc" || texts.iter().any(|it| it.contains("](acc)")));
    };
    keep(&mut before, old);
    keep(&mut after, new);
    // And so are exemptions.
    let exempt = |side: &mut Side, texts: &[&str]| {
        let exempt = texts.iter().flat_map(|it| {
            it.match_indices("](exempt:)").filter_map(|(end, _)| it[..end].rsplit('[').next())
        });
        let of = |text: &str| Exemption {
            path: "a.md".into(),
            text: text.into(),
            ..Exemption::default()
        };
        side.exemptions = exempt.map(of).collect();
    };
    exempt(&mut before, old);
    exempt(&mut after, new);
    let changes = compare(&before, &after).into_iter().filter(|it| it.kind == Kind::Said);
    changes
        .map(|it| {
            assert_eq!(it.place.is_some(), it.to.is_some());
            assert!(!it.kind.weakens() && !it.kind.is_lesser());
            [it.what, it.from.unwrap_or_default(), it.to.unwrap_or_default()]
        })
        .collect()
}

#[test]
fn words_around_claims_and_numbers_are_compared() {
    let claim = "It is right in [0.8204](acc) of all cases.";
    let none: Vec<[String; 3]> = Vec::new();
    assert_eq!(around(&[claim, "Of 3."], &["Of 3.", claim]), none);
    // With its claim, or with an exemption, which are told without their sentences.
    let with = |from: &str, to: &str| [["a/acc", from, to].map(String::from)];
    assert_eq!(around(&[claim, "Of 3."], &["Of 3."]), with(claim, ""));
    assert_eq!(around(&["Of 3."], &[claim, "Of 3."]), with("", claim));
    let exempt = "In [3](exempt:) parts.";
    assert_eq!(around(&[], &[exempt]), [["a.md", "", exempt].map(String::from)]);
    let third = "It has [3](exempt:) parts.";
    assert_eq!(around(&["In 3 parts."], &[exempt, third]).len(), 1);
    // What says nothing else.
    for alone in ["[0.8204](acc)", "| [0.8204](acc) | [3](exempt:) |", "[0.8204](acc)."] {
        assert_eq!(around(&[], &[alone]), none);
        assert_eq!(around(&[alone], &[]), none);
    }
    assert_eq!(around(&[], &["−[0.8204](acc)"]), with("", "−[0.8204](acc)"));
    assert_eq!(around(&[], &["`}`"]).len(), 1);
    // Other marks around the same words, and other words in the same marks.
    assert_eq!(around(&["In 3 parts."], &[exempt]), none);
    assert_eq!(around(&[exempt], &["In 3 parts."]), none);
    assert_eq!(around(&[exempt], &["In [4](exempt:) parts."]), none);
    let two = "In [3](exempt:) parts of 3, [0.8204](acc).";
    assert_eq!(around(&[two], &["In 3 parts of [3](exempt:), [0.8204](acc)."]).len(), 1);
    assert_eq!(around(&[two], &["In 3 parts of [3](exempt:), 0.8204."]).len(), 1);
    // Without.
    let new = [["a.md", "", "All 3 are."].map(String::from)];
    assert_eq!(around(&[], &["All 3 are."]), new);
    let gone = [["a.md", "All {{ n }} are.", ""].map(String::from)];
    assert_eq!(around(&["All {{ n }} are."], &[]), gone);
    let edited = claim.replace("right", "wrong");
    let words = |word: &str| format!("It is {word} in [0.8204](acc) of all cases.");
    let told = [["a/acc".to_owned(), words("right"), words("wrong")]];
    assert_eq!(around(&[claim], &[&edited]), told);
    let long =
        |word: &str| format!("one two three four five six seven {word} a b c d e f 9 {claim}");
    let told = [[
        "a/acc".to_owned(),
        "… two three four five six seven x a b c d e f …".to_owned(),
        "… two three four five six seven y z a b c d e f …".to_owned(),
    ]];
    assert_eq!(around(&[&long("x")], &[&long("y z")]), told);
    // Claims on the same value that change places.
    let pair = "at least [0.8](acc), at most [0.9](acc)";
    let swapped = "at least [0.9](acc), at most [0.8](acc)";
    assert_eq!(around(&[pair], &[swapped]).len(), 1);
    // What looks like claims in claims is read, whatever it is.
    for odd in ["[a [3](exempt:) b](acc)", "](", "[[](](a)[b](", "é](é)[é](é", "[](acc)"] {
        assert_eq!(around(&[odd], &[odd]), none);
        around(&[odd], &[claim]);
        around(&[claim, odd], &[&odd.replace('a', "b")]);
    }
}

#[test]
fn what_stands_elsewhere_is_told_once() {
    let moved = |old: &[&str], new: &[&str]| {
        let passages = |texts: &[&str]| {
            let passage = |text: &&str| Passage {
                path: "report.yaml".into(),
                text: (*text).into(),
                ..Passage::default()
            };
            Some(texts.iter().map(passage).collect())
        };
        let of = |texts: &[&str]| Side { passages: passages(texts), ..Side::default() };
        let changes = compare(&of(old), &of(new));
        changes.into_iter().map(|it| (it.kind, it.from, it.to)).collect::<Vec<_>>()
    };
    let told = |from: &str, to: &str| (Kind::Order, Some(from.to_owned()), Some(to.to_owned()));
    let chapters = ["title: T", "chapter: a.md", "chapter: b.md", "chapter: c.md"];
    assert_eq!(moved(&chapters, &chapters), []);
    assert_eq!(
        moved(&chapters, &["title: T", "chapter: b.md", "chapter: c.md", "chapter: a.md"]),
        [told("“chapter: a.md” behind “title: T”", "“chapter: a.md” behind “chapter: c.md”")]
    );
    assert_eq!(
        moved(&chapters, &["chapter: b.md", "chapter: c.md", "title: T", "chapter: a.md"]),
        [told(
            "“chapter: b.md” and 1 more behind “chapter: a.md”",
            "“chapter: b.md” and 1 more at the beginning of report.yaml"
        )]
    );
}

#[test]
fn what_is_told_of_a_claim_is_not_told_of_one_in_another_chapter() {
    let passage =
        |text: &str| Passage { path: "b.md".into(), text: text.into(), ..Passage::default() };
    let around = |path: &str, old: &str, new: &str| {
        let (mut before, mut after) = (side(), side());
        before.claims[0].path = path.into();
        after.claims[0].path = path.into();
        after.claims[0].text = "0.8205".into();
        before.passages = Some(vec![passage(old)]);
        after.passages = Some(vec![passage(new)]);
        compare(&before, &after).iter().filter(|it| it.kind == Kind::Said).count()
    };
    let (old, new) = ("It is [0.8204](acc).", "It is [0.8205](acc).");
    assert_eq!(around("a.md", old, new), 1);
    assert_eq!(around("b.md", old, new), 0);
}

#[test]
fn an_exact_claim_allows_no_other_value() {
    let forged = told(|it| it.claims[3].value = Some("8".into()));
    assert_eq!(forged, [(Kind::Value, "b/count".to_owned())]);
}

#[test]
fn what_is_no_longer_compared_is_told() {
    let old = |side: &mut Side| {
        side.claims[3].cell = Some("b/x".into());
        side.cells.insert("b/x".into(), Cell::default());
    };
    let measured = |side: &mut Side| {
        side.cells.get_mut("b/x").expect("it is there").measured = true;
        side.claims[3].value = Some("10".into());
    };
    let weakened = told_of(old, measured);
    assert!(weakened.contains(&(Kind::Measured, "b/x".to_owned())), "{weakened:?}");
    assert!(Kind::Measured.weakens() && Kind::Measured.promises_less());
    let both = |side: &mut Side| {
        old(side);
        side.cells.get_mut("b/x").expect("it is there").measured = true;
    };
    assert_eq!(told_of(both, |it| it.claims[3].value = Some("10".into())), []);
}

#[test]
fn one_argument_is_compared_with_the_last_build() {
    let folder = tempfile::tempdir().expect("a temporary folder");
    let root = folder.path();
    let write =
        |name: &str, text: &str| fs::write(root.join(name), text).expect("it can be written");
    write("report.yaml", "title: T\nchapters: [a.md]\n");
    write("a.md", "# A\n\nAll of it is so.\n\n![A plot](p.svg)\n");
    let picture = "<svg xmlns=\"http://www.w3.org/2000/svg\" width=\"9\" height=\"9\"/>\n";
    write("p.svg", picture);
    let run_in = |folder: &Path, arguments: &[&str]| {
        let output = Command::new(env!("CARGO_BIN_EXE_veracity"))
            .args(arguments)
            .current_dir(folder)
            .output()
            .expect("it starts");
        let words = [output.stdout, output.stderr].concat();
        (output.status.code(), String::from_utf8_lossy(&words).into_owned())
    };
    let run = |arguments: &[&str]| run_in(root, arguments);
    assert_eq!(run(&["record"]).0, Some(0));
    assert_eq!(run(&["diff", "report.lock"]), (Some(0), "no changes\n".into()));
    write("a.md", "# A\n\nNone of it is so.\n\n![A plot](p.svg)\n");
    let (status, words) = run(&["diff", "report.lock"]);
    assert!(status == Some(2) && words.contains("changed since it was made: a.md"), "{words}");
    assert!(words.contains("veracity check"), "{words}");
    assert_eq!(run(&["check"]).0, Some(0));
    let (status, words) = run(&["diff", "report.lock"]);
    assert!(status == Some(0) && words.contains("+ None of it is so."), "{words}");
    assert_eq!(run(&["diff", "report.lock", "report.lock"]), (Some(0), "no changes\n".into()));
    // A picture is something that is said, too.
    write("p.svg", &picture.replace('9', "8"));
    let (status, told) = run(&["diff", "report.lock"]);
    assert!(status == Some(2) && told.contains("changed since it was made: p.svg"), "{told}");
    write("p.svg", picture);
    // From elsewhere, names are looked up here first and then in the report.
    let elsewhere = tempfile::tempdir().expect("a temporary folder");
    let root = root.to_str().expect("it is text");
    let (_, there) = run_in(elsewhere.path(), &["--root", root, "diff", "report.lock"]);
    assert_eq!(there, words);
    assert_eq!(run(&["check", "--locked"]).0, Some(1));
}

#[test]
fn what_no_reader_sees_is_no_drift() {
    let cell = |output: &str, shown: &str| Cell {
        output: Some(output.into()),
        shown: Some(shown.into()),
        ..Cell::default()
    };
    let old = |side: &mut Side| {
        side.cells.insert("a/x".into(), cell("1", "1"));
    };
    let to = |cell: Cell| told_of(old, move |side| drop(side.cells.insert("a/x".into(), cell)));
    assert_eq!(to(cell("2", "1")), [(Kind::Unshown, "a/x".to_owned())]);
    assert_eq!(to(cell("2", "2")), [(Kind::Output, "a/x".to_owned())]);
    let without = Cell { output: Some("2".into()), ..Cell::default() };
    assert_eq!(to(without), [(Kind::Output, "a/x".to_owned())]);
}

#[test]
fn every_kind_of_change_is_told() {
    let one = |kind, what: &str| vec![(kind, what.to_owned())];
    assert_eq!(told(|_| ()), []);
    assert_eq!(told(|it| it.claims[0].verdict = "refuted".into()), one(Kind::Fails, "a/acc"));
    assert_eq!(told(|it| it.claims[0].verdict = "vacuous".into()), one(Kind::Fails, "a/acc"));
    let open = told(|it| it.claims[0].verdict = "unverified".into());
    assert_eq!(open, one(Kind::Unchecked, "a/acc"));
    // What a later version may say is not taken for green.
    assert_eq!(told(|it| it.claims[0].verdict = "?".into()), one(Kind::Unchecked, "a/acc"));
    let quoted = told(|it| {
        it.claims[0].expected = "refuted".into();
        it.claims[0].verdict = "refuted".into();
    });
    assert_eq!(quoted, one(Kind::ExpectedRefuted, "a/acc"));
    let looser = told(|it| it.claims[1].relation = "± 3 %".into());
    assert_eq!(looser, one(Kind::Loosened, "a/acc#2"));
    let tighter = told(|it| it.claims[1].relation = "± 1 %".into());
    assert_eq!(tighter, one(Kind::Tightened, "a/acc#2"));
    let other = told(|it| it.claims[2].relation = "≤ 0.8".into());
    assert_eq!(other, one(Kind::Reread, "a/acc#3"));
    assert_eq!(told(|it| it.claims[3].text = "nine".into()), one(Kind::Text, "b/count"));
    assert_eq!(told(|it| it.claims[0].text = "0.8205".into()), one(Kind::Text, "a/acc"));
    let moved = told(|it| it.claims[0].value = Some("0.83".into()));
    assert_eq!(moved, one(Kind::Moved, "a/acc"));
    let weaker =
        told_of(|it| set_check(it, "tested on 49 cases"), |it| set_check(it, "tested on 48 cases"));
    assert_eq!(weaker, one(Kind::Weaker, "a/acc"));
    assert!(Kind::Weaker.promises_less());
    let stronger = told_of(
        |it| set_check(it, "tested on 49 cases"),
        |it| set_check(it, "proved on 3 cases: so"),
    );
    assert_eq!(stronger, one(Kind::Stronger, "a/acc"));
    // A table is judged without a value.
    let table = |columns: &str| {
        let relation = columns.to_owned();
        move |it: &mut Side| {
            it.claims[0].value = None;
            it.claims[0].relation = relation.clone();
        }
    };
    let fewer = told_of(table("x: max; s: max"), |it| table("s: max")(it));
    assert_eq!(fewer, one(Kind::Reread, "a/acc"));
    let compiler = told(|it| it.environment[0].1 = "rustc 2".into());
    assert_eq!(compiler, one(Kind::Environment, "Compiler"));
    let subset = told(|it| {
        it.claims[3].dataset.iter_mut().for_each(|data| data.kind = "subset".into());
    });
    assert_eq!(subset, one(Kind::DataLost, "b/count"));
    let exempt = Exemption { path: "a.md".into(), text: "7".into(), ..Exemption::default() };
    assert_eq!(told(|it| it.exemptions.push(exempt.clone())), one(Kind::Exempted, "a.md"));
    let premise = told(|it| it.claims[0].because.push("b/count".into()));
    assert_eq!(premise, one(Kind::Reread, "a/acc"));
    let new = Entry { id: "c/x".into(), verdict: "verified".into(), ..side().claims[0].clone() };
    let added = told(|it| it.claims.push(Entry { text: "1".into(), ..new.clone() }));
    assert_eq!(added, one(Kind::Added, "c/x"));
    let failing = Entry { verdict: "error".into(), text: "1".into(), ..new };
    assert_eq!(told(|it| it.claims.push(failing)), one(Kind::Fails, "c/x"));
}

#[test]
fn a_claim_among_its_likes_and_a_chapter_under_a_new_name_are_found() {
    let gone = told(|it| {
        it.claims.remove(0);
        it.claims[0].id = "a/acc".into();
        it.claims[1].id = "a/acc#2".into();
    });
    assert_eq!(gone, [(Kind::Deleted, "a/acc".to_owned())]);
    let renamed = told(|it| {
        for claim in &mut it.claims[..3] {
            claim.id = claim.id.replace("a/", "chapter/");
        }
    });
    assert_eq!(renamed, []);
}

#[test]
fn what_weakens_a_report_comes_first() {
    let mut new = side();
    new.environment[0].1 = "rustc 2".into();
    new.claims[0].value = Some("0.83".into());
    new.claims[1].relation = "± 3 %".into();
    new.claims[2].verdict = "refuted".into();
    let hostile = "x | `y` \u{1b}[2J\n<b>";
    new.claims[3].text = hostile.into();
    new.claims.remove(3);
    let changes = compare(&side(), &new);
    let kinds: Vec<Kind> = changes.iter().map(|change| change.kind).collect();
    let expected = [Kind::Fails, Kind::Deleted, Kind::Loosened, Kind::Environment, Kind::Moved];
    assert_eq!(kinds, expected);
    assert_eq!(words::summary(&changes), "3 changes weaken the report, 2 others");
    assert!(words::text(&changes).ends_with("3 changes weaken the report, 2 others\n"));
    let json: serde_json::Value = serde_json::from_str(&words::json(&changes)).expect("JSON");
    assert_eq!(json["weakened"], true);
    assert_eq!(json["changes"][2]["kind"], "tolerance-loosened");
    let change = Change {
        kind: Kind::Text,
        what: "a/x".into(),
        place: None,
        from: Some(hostile.into()),
        to: None,
    };
    let markdown = words::markdown(std::slice::from_ref(&change));
    assert!(markdown.contains("`` x \\| `y` \u{1b}[2J <b> ``"), "{markdown}");
    assert_eq!(markdown.lines().count(), 5);
    assert!(!words::text(&[change]).contains("\u{1b}[2J"));
}

#[test]
fn ledgers_are_read_with_what_later_versions_add() {
    let ledger = r#"{"version": 1, "report": {}, "environment": {"Device": "cpu"}, "claims": [
        {"id": "a/x", "text": "1", "relation": "=", "verdict": "verified", "because": ["b"],
         "seed": 18446744073709551615, "dataset": {"name": "d", "kind": "real", "digest": "7"}}],
        "coverage": [{"chapter": "a", "exempt": [
            {"text": "7", "path": "a.md", "line": 3, "column": 4, "reason": "luck", "by": "author"},
            {"text": "2020", "path": "a.md", "line": 3, "column": 9, "by": "form"}]}]}"#;
    let side = Side::parse("x", ledger).expect("it is a ledger");
    assert_eq!(side.data["d"].kind, "real");
    assert_eq!(side.exemptions.len(), 1);
    let changes = compare(&Side { exemptions: Vec::new(), ..side.clone() }, &side);
    assert_eq!(changes[0].kind, Kind::Exempted);
    assert_eq!(changes[0].place.as_deref(), Some("a.md:3:4"));
    assert_eq!(changes[0].to.as_deref(), Some("“7”: luck"));
    let with = |output: &str| {
        let cells = format!(
            "\"cells\": {{\"a/c\": {{\"key\": \"k\", \"output\": \"{output}\"}}}}, \"claims\""
        );
        Side::parse("x", &ledger.replacen("\"claims\"", &cells, 1)).expect("it is a ledger")
    };
    let changes = compare(&with("1"), &with("2"));
    assert_eq!((changes.len(), changes[0].kind), (1, Kind::Output));
    assert!(compare(&with("1"), &with("1")).is_empty() && compare(&side, &with("1")).is_empty());
    let code = |text: &str| Side::parse("x", text).expect_err("it is none").code;
    assert_eq!(code("{}"), "no-ledger");
    assert_eq!(code("{\"claims\": []}"), "record-version");
    assert_eq!(code("# nothing"), "record-damaged");
    let told = |name: &str, text: &str| Side::parse(name, text).expect_err("it is none").message;
    assert_eq!(told("claims.json", "\n"), "`claims.json` is empty");
    let cut = told("claims.json", &ledger[..ledger.len() / 2]);
    assert!(cut.starts_with("`claims.json` is cut short: "), "{cut}");
    assert!(told("claims.json", "[]").contains("is no ledger of claims"));
    let unknown = told("x", &ledger.replace("\"verified\"", "\"proven\""));
    assert!(unknown.contains("`proven` is no verdict; known are verified, "), "{unknown}");
    assert!(unknown.contains("line 2 column "), "{unknown}");
}

#[test]
fn commits_are_compared_and_bad_names_are_told() {
    let folder = tempfile::tempdir().expect("a temporary folder");
    let root = folder.path().join("below");
    fs::create_dir(&root).expect("it can be made");
    let code = |revision: &str| git::show(&root, revision, "report.lock").expect_err("none").code;
    assert_eq!(code("HEAD"), "no-repository");
    let run = |arguments: &[&str]| {
        let done = Command::new("git").arg("-C").arg(&root).args(arguments).output();
        assert!(done.expect("git is here").status.success(), "{arguments:?}");
    };
    run(&["init", "--quiet", ".."]);
    let commit = ["-c", "user.name=a", "-c", "user.email=a@b", "commit", "--quiet", "-m", "x"];
    fs::write(root.join("a.md"), "# A\n").expect("it can be written");
    run(&["add", "."]);
    run(&commit);
    assert_eq!(code("HEAD"), "no-record");
    assert_eq!(code("nothing"), "unknown-revision");
    assert_eq!(code("--output=x"), "unknown-revision");
    assert!(!Path::new("x").exists());
    fs::write(root.join("report.lock"), "old").expect("it can be written");
    run(&["add", "."]);
    run(&commit);
    fs::write(root.join("report.lock"), "new").expect("it can be written");
    assert_eq!(git::show(&root, "HEAD", "report.lock").expect("it is there"), "old");
}

#[test]
fn the_exit_status_tells_whether_anything_weakened() {
    let folder = tempfile::tempdir().expect("a temporary folder");
    let ledger = |name: &str, relation: &str, value: &str| {
        let claim = format!(
            "{{\"id\": \"a/x\", \"text\": \"1\", \"relation\": \"{relation}\", \"verdict\": \
             \"verified\", \"value\": \"{value}\"}}"
        );
        let text = format!("{{\"version\": 1, \"claims\": [{claim}]}}");
        fs::write(folder.path().join(name), text).expect("it can be written");
    };
    ledger("a.json", "± 0.1", "1");
    ledger("b.json", "± 0.2", "1");
    ledger("c.json", "± 0.1", "2");
    let run = |arguments: &[&str]| {
        let output = Command::new(env!("CARGO_BIN_EXE_veracity"))
            .arg("diff")
            .args(arguments)
            .current_dir(folder.path())
            .output()
            .expect("it starts");
        (output.status.code(), String::from_utf8_lossy(&output.stdout).into_owned())
    };
    assert_eq!(run(&["a.json", "a.json"]), (Some(0), "no changes\n".into()));
    assert_eq!(run(&["a.json", "b.json"]).0, Some(1));
    assert_eq!(run(&["a.json", "b.json", "--fail-on", "nothing"]).0, Some(0));
    assert_eq!(run(&["b.json", "a.json"]).0, Some(0));
    let (status, words) = run(&["a.json", "c.json"]);
    assert!(status == Some(0) && words.contains("- 1\n    + 2 (+100.00 %)"), "{words}");
    assert_eq!(run(&["a.json", "c.json", "--fail-on", "any"]).0, Some(1));
    assert_eq!(run(&["a.json", "none.json"]).0, Some(2));
}
