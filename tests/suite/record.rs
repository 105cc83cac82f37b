//! Records: what is written, what is rendered from it, and that nothing changed goes unnoticed.

use std::fs;
use std::path::Path;
use std::process::Command;

use base64::Engine as _;
use base64::engine::general_purpose::STANDARD;
use veracity::attest::{self, statement};
use veracity::cache::CellRecord;
use veracity::claims::{Judged, Reason, Verdict};
use veracity::diff::{self, Kind, Side};
use veracity::kernel::scripted::ScriptedKernel;
use veracity::kernel::workspace::{self, Network};
use veracity::kernel::{Ending, Outcome};
use veracity::pipeline::{self, BuildRequest, Evaluated, Formats, Ground};
use veracity::record::{self, FolderFiles, Lock};
use veracity::reports::{Findings, badge, github, junit, sarif};
use veracity::world::DiskWorld;
use veracity_protocol::{Align, Artifact, CellOutput, CheckStatus, Column, Table};

use crate::scripted::{artifacts, check, integer, values};

const CHAPTER: &str = r#"# A chapter

$$ m = n + 1 $$ {#eq-m claim="m"}

```rust,module
pub fn twice(n: i64) -> i64 { 2 * n }
```

```rust,cell
//| label: sums
//| caption: Sums.
let printed = equation!("eq-m");
lab::check(Check::polynomial("m").degree([("n", 1)]).equals(&printed, |p| p["n"] + 1));
```

```rust,cell
lab::value("nine", 9);
```

```rust,cell
//| needs: {profile: full}
lab::value("later", 1);
```

There are [9](claim:nine), not [8](claim:nine "refuted"), and later [1](claim:later).
"#;

/// A report on disk whose cells do what a script says.
struct Bench {
    folder: tempfile::TempDir,
    nine: i64,
    /// What the first cell offers for download.
    file: Vec<u8>,
    /// Rows of a table that it puts out.
    rows: Vec<u8>,
}

impl Bench {
    fn new() -> Self {
        let folder = tempfile::tempdir().expect("a temporary folder");
        let bench = Self { folder, nine: 9, file: Vec::new(), rows: Vec::new() };
        bench.write("report.yaml", "title: A report\nchapters: [a.md]\n");
        bench.write("a.md", CHAPTER);
        bench
    }

    fn root(&self) -> &Path {
        self.folder.path()
    }

    fn write(&self, path: &str, text: &str) {
        fs::write(self.root().join(path), text).expect("it can be written");
    }

    fn replace(&self, path: &str, old: &str, new: &str) {
        let text = fs::read_to_string(self.root().join(path)).expect("it is there");
        assert!(text.contains(old), "{old}");
        self.write(path, &text.replacen(old, new, 1));
    }

    fn request(&self) -> BuildRequest {
        BuildRequest {
            formats: Formats { html: true, pdf: false },
            jobs: 1,
            network: Network::Forbidden,
            from_scratch: true,
            ..BuildRequest::of(self.root())
        }
    }

    fn evaluate(&self) -> Evaluated {
        let (request, world) = (self.request(), DiskWorld::new(self.root()));
        let done = |output: CellOutput| Outcome {
            duration_ms: std::process::id().into(),
            ..Outcome::silent(Ending::Done(output))
        };
        let nine = self.nine;
        let file = (!self.file.is_empty()).then(|| Artifact::File {
            name: "weights.bin".into(),
            data: STANDARD.encode(&self.file),
        });
        let column = Column { heading: "n".into(), unit: Some("s".into()), align: Align::Right };
        let table = (!self.rows.is_empty()).then(|| {
            Artifact::Table(Table {
                columns: vec![column],
                rows: self.rows.iter().map(|row| vec![row.to_string()]).collect(),
                caption: None,
                label: None,
            })
        });
        let prepare = move |_: &_, _: &_, _: &[&str]| {
            let check = check("m", CheckStatus::Passed, &["eq-m"]);
            let sums = [Artifact::Check(check)].into_iter().chain(table.clone());
            let sums = artifacts(sums.chain(file.clone()));
            let kernel = ScriptedKernel::default()
                .with("a/sums", done(sums))
                .with("a/cell-2", done(values([("nine", integer(nine))])));
            Ok(Ground {
                digest: "foundation".into(),
                toolchain: "rustc 1\n".into(),
                kernel: Box::new(kernel),
            })
        };
        let written = pipeline::read(&world).expect("it can be read");
        let ground = pipeline::ground(&request, &written, &prepare, &|_| ()).expect("it is there");
        let planned = pipeline::plan(&request, written, &ground).expect("there is a plan");
        let results = pipeline::run(&request, &planned, &*ground.kernel, &|_| ());
        pipeline::judge(planned, results, &world)
    }

    fn lock(&self) -> (Lock, FolderFiles) {
        let evaluated = self.evaluate();
        let sources = workspace::sources(self.root(), &evaluated.config).expect("it can be read");
        record::of(&evaluated, sources)
    }

    fn record(&self) -> Lock {
        let (lock, files) = self.lock();
        record::write(self.root(), &lock, &files).expect("it can be written");
        lock
    }

    fn frozen(&self) -> Result<Evaluated, &'static str> {
        pipeline::evaluate_frozen(&self.request(), &DiskWorld::new(self.root()))
            .map_err(|problems| problems[0].code)
    }

    fn run(&self, arguments: &[&str]) -> (i32, String) {
        let output = Command::new(env!("CARGO_BIN_EXE_veracity"))
            .args(arguments)
            .current_dir(self.root())
            .env("PATH", "")
            .output()
            .expect("it starts");
        let words = [output.stdout, output.stderr].concat();
        (output.status.code().unwrap_or(-1), String::from_utf8_lossy(&words).into_owned())
    }
}

/// The verdicts of all claims in words.
fn verdicts(evaluated: &Evaluated) -> Vec<&'static str> {
    evaluated.document.claims.iter().map(|claim| claim.verdict.word()).collect()
}

fn codes(evaluated: &Evaluated) -> Vec<&'static str> {
    evaluated.diagnostics.iter().map(|problem| problem.code).collect()
}

#[test]
fn a_record_is_stable_and_is_read_as_it_was_written() {
    let bench = Bench::new();
    let lock = bench.record();
    let text = fs::read_to_string(bench.root().join("report.lock")).expect("it is there");
    assert_eq!(record::parse("report.lock", &text).expect("it is whole"), lock);
    assert_eq!(record::text(&bench.lock().0), text);
    assert_eq!(record::parse("x", &text.replace('\n', "\r\n")).expect("it is whole"), lock);
    let mut odd = lock.clone();
    odd.claims[1].text = "a \"b\" \\ \n\t\u{7f}\u{1}é = [x]".into();
    odd.cells.insert("a/é \"x\"".into(), record::Cell::default());
    let exempt = "path = \"a.md\"\ntext = \"1\"\nreason = \"a year\"\n";
    odd.exemptions.push(toml_of(exempt));
    let passages = ["$\\R$ \"x\"", "it's \\ \"x\"", "\u{1}\\", "plain"].map(str::to_owned);
    odd.passages = Some([("é.md".to_owned(), passages.to_vec())].into());
    let text = record::text(&odd);
    assert!(text.contains(exempt), "{text}");
    assert!(text.contains("\n  '$\\R$ \"x\"',\n"), "{text}");
    assert_eq!(record::parse("x", &text).expect("it is whole"), odd);
    // A record of a version that did not know passages is read, and says that they were not compared.
    odd.passages = None;
    let old = record::parse("x", &record::text(&odd)).expect("it is whole");
    assert_eq!(old, odd);
    let (old, new) = (old.into(), lock.into());
    assert!(diff::compare(&old, &new).iter().all(|change| change.kind != Kind::Said));
    assert!(diff::uncompared(&old, &new)[0].contains("sentences"));
    assert!(diff::uncompared(&new, &new).is_empty());
    // Nor are those that another version has made.
    let text = fs::read_to_string(bench.root().join("report.lock")).expect("it is there");
    let other = text.replace("\npassages_version = ", "\npassages_version = 1");
    let (_, body) =
        other.split_once("digest = ").and_then(|it| it.1.split_once('\n')).expect("a head");
    let digest = blake3::hash(body.as_bytes()).to_hex();
    let other = format!("version = 1\ndigest = \"{digest}\"\n{body}");
    let other = Side::parse("x", &other).expect("it is read otherwise");
    assert!(other.passages.is_none() && other.claims == new.claims && new.passages.is_some());
    assert_eq!(new.language.as_deref(), Some("en"));
}

fn toml_of(text: &str) -> record::Exemption {
    let words = |line: &str| line.split('"').nth(1).unwrap_or_default().to_owned();
    let mut lines = text.lines().map(words);
    let mut next = || lines.next().unwrap_or_default();
    record::Exemption { path: next(), text: next(), reason: next(), line: None, column: None }
}

#[test]
fn a_frozen_report_is_the_recorded_one_and_says_so() {
    let bench = Bench::new();
    let before = bench.evaluate();
    bench.record();
    let after = bench.frozen().expect("there is a record");
    assert_eq!(verdicts(&after), ["verified", "verified", "refuted", "unverified"]);
    let seen = |claim: &Judged| (claim.id.clone(), claim.verdict.clone(), claim.value.clone());
    let of =
        |evaluated: &Evaluated| -> Vec<_> { evaluated.document.claims.iter().map(seen).collect() };
    assert_eq!(of(&before), of(&after));
    assert_eq!(codes(&after), codes(&before));
    let (status, words) = bench.run(&["build-report", "--frozen"]);
    assert_eq!(status, 0, "{words}");
    let page = fs::read_to_string(bench.root().join("build/report/a.html")).expect("a page");
    assert!(page.contains("Rendered from report.lock. No code was run"), "{page}");
    assert!(fs::read(bench.root().join("build/report.pdf")).is_ok());
    let ledger = fs::read_to_string(bench.root().join("build/claims.json")).expect("a ledger");
    assert!(ledger.contains("\"Rendered from\": \"report.lock"), "{ledger}");
}

#[test]
fn what_has_changed_since_is_never_green() {
    let stale = |path: &str, old: &str, new: &str| {
        let bench = Bench::new();
        bench.record();
        bench.replace(path, old, new);
        let evaluated = bench.frozen().expect("there is a record");
        let stale =
            |claim: &Judged| matches!(&claim.verdict, Verdict::Unverified(Reason::NotRecorded, _));
        let claims = &evaluated.document.claims;
        let stale: Vec<String> =
            claims.iter().filter(|it| stale(it)).map(|it| it.id.clone()).collect();
        let places = evaluated.diagnostics.iter().filter(|it| it.code == "stale-record");
        assert!(places.clone().all(|it| it.span.is_some() && it.hint.is_some()));
        (stale, places.count(), codes(&evaluated))
    };
    let (claims, cells, _) = stale("a.md", "\"nine\", 9", "\"nine\", 9 + 0");
    assert_eq!((claims, cells), (vec!["a/nine".to_owned(), "a/nine#2".to_owned()], 1));
    let (claims, cells, _) = stale("a.md", "m = n + 1", "m = n + 2");
    assert_eq!((claims, cells), (vec!["a/m".to_owned()], 1));
    assert_eq!(stale("a.md", "2 * n", "3 * n").1, 2);
    let (claims, cells, codes) =
        stale("report.yaml", "title", "dependencies: { serde: \"1\" }\ntitle");
    assert_eq!((claims.len(), cells), (3, 2));
    assert!(codes.contains(&"stale-crates"));
    let (claims, cells, _) = stale("report.yaml", "title", "seed: 7\ntitle");
    assert_eq!((claims.len(), cells), (3, 2));
    // Presentation changes nothing, and other words nothing that is checked.
    for (new, is_told) in [("echo: fold\n//| caption: Sums", false), ("caption: All sums", true)] {
        let (claims, cells, codes) = stale("a.md", "caption: Sums", new);
        assert_eq!((claims.len(), cells), (0, 0));
        assert_eq!(codes.contains(&"record-differs"), is_told, "{codes:?}");
    }
}

#[test]
fn a_formula_that_a_stale_cell_may_evaluate_is_no_new_exemption() {
    let words = "[1](exempt: \"one\")";
    let notice = |old: &str, new: &str| {
        let bench = Bench::new();
        bench.replace("a.md", " claim=\"m\"", "");
        bench.record();
        bench.replace("a.md", old, new);
        let (_, told) = bench.run(&["build-report", "--frozen", "--format", "html"]);
        let page = fs::read_to_string(bench.root().join("build/report/a.html")).expect("a page");
        let at = page.find("Rendered from").expect("it has a notice");
        (page[at..].lines().next().expect("it is a line").to_owned(), told)
    };
    // The code, what it builds on, or code that is no Rust.
    for (old, new) in
        [("p[\"n\"] + 1", "p[\"n\"] + 2"), ("2 * n", "3 * n"), ("p[\"n\"] + 1", "p[\"n\" + 1")]
    {
        let (page, told) = notice(old, new);
        assert!(told.contains("error"), "{told}");
        assert!(!page.contains("exemption") && !told.contains("exemption"), "{page} {told}");
    }
    // Code that names it no more does not evaluate it.
    let (page, told) = notice("equation!(\"eq-m\")", "0");
    assert!(page.contains("a.md (exemption added)"), "{page}");
    assert!(told.contains("a.md: exemption added: nothing → “m = n + 1”"), "{told}");
    let (page, _) = notice("There are", &format!("{words}, {words} and {words}: there are"));
    assert!(page.contains("a.md (exemption added, 3 times)."), "{page}");
}

#[test]
fn prose_is_judged_anew_against_what_was_recorded() {
    let bench = Bench::new();
    bench.record();
    bench.replace("a.md", "[9](claim:nine)", "[7](claim:nine)");
    let evaluated = bench.frozen().expect("there is a record");
    assert_eq!(verdicts(&evaluated)[1], "refuted");
    assert!(codes(&evaluated).contains(&"record-differs"));
    assert_eq!(bench.run(&["build-report", "--frozen", "--format", "html"]).0, 1);
}

#[test]
fn a_frozen_report_says_what_it_claims_beyond_its_record() {
    let bench = Bench::new();
    bench.record();
    bench.replace("a.md", "[9](claim:nine)", "[9](claim:nine \"± 2\"), or [8](claim:nine \"± 3\")");
    let build = ["build-report", "--frozen", "--format", "html"];
    let (status, words) = bench.run(&build);
    assert_eq!(status, 0, "{words}");
    assert!(words.contains("a/nine: tolerance loosened"), "{words}");
    assert!(words.contains("a/nine#2: claim added"), "{words}");
    let page = std::fs::read_to_string(bench.root().join("build/report/a.html"));
    let page = page.expect("it was written");
    let told = "recorded: a/nine (tolerance loosened), a/nine#2 (not in the record).";
    assert!(page.contains(told), "{page}");
    let (status, words) = bench.run(&[&build[..], &["--strict"]].concat());
    assert_eq!(status, 1, "{words}");
    assert!(words.contains("not checked, which --strict asks for: a/later"), "{words}");
}

#[test]
fn a_report_that_promises_less_than_its_record_is_warned_of() {
    let bench = Bench::new();
    bench.write("a.md", "# A\n\n[1](exempt: \"one\") of: x\n\n| n |\n|---|\n| **2** |\n| 1 |\n\n: T {#tbl-t best=\"max\"}\n");
    let (status, words) = bench.run(&["record"]);
    assert_eq!(status, 0, "{words}");
    let check = || bench.run(&["check", "--strict"]);
    let (status, words) = check();
    assert!(status == 0 && !words.contains("promises less"), "{words}");
    for (old, new, told) in [
        ("of: x", "of [12](exempt: \"months\")", "exemption added: a.md"),
        ("#tbl-t best=\"max\"", "#tbl-t", "claim deleted: a/tbl-t"),
    ] {
        bench.replace("a.md", old, new);
        let (status, words) = check();
        assert!(status == 1 && words.contains("promises less than `report.lock`"), "{words}");
        assert!(words.contains(told), "{told}: {words}");
        assert_eq!(bench.run(&["check"]).0, 0);
        bench.replace("a.md", new, old);
    }
    // More is no less.
    bench.replace("a.md", "{#tbl-t", "{#tbl-t total=\"row\"");
    assert!(!check().1.contains("promises less"));
}

#[test]
fn an_edit_of_the_record_by_hand_is_refused() {
    let bench = Bench::new();
    bench.record();
    let path = bench.root().join("report.lock");
    let whole = fs::read(&path).expect("it is there");
    let body = whole.windows(11).position(|it| it == b"environment").expect("it has one");
    for at in (body..whole.len()).step_by(5) {
        let mut changed = whole.clone();
        changed[at] ^= 1;
        let text = String::from_utf8_lossy(&changed);
        let refused = record::parse("report.lock", &text).expect_err("it was changed");
        assert_eq!(refused.code, "record-damaged");
        assert!(refused.hint.is_some());
    }
    for (old, new, code) in [
        ("version = 1", "version = 2", "record-version"),
        ("version = 1\n", "", "record-damaged"),
        ("digest = \"", "digest = \"0", "record-damaged"),
    ] {
        bench.write("report.lock", &String::from_utf8_lossy(&whole).replacen(old, new, 1));
        assert_eq!(bench.frozen().expect_err("it was changed"), code);
    }
    fs::write(&path, &whole).expect("it can be written");
    for output in fs::read_dir(bench.root().join("report.lock.d")).expect("it is there") {
        let output = output.expect("it is there").path();
        let whole = fs::read(&output).expect("it is there");
        fs::write(&output, [&whole[..], b" "].concat()).expect("it can be written");
        assert_eq!(bench.frozen().expect_err("it was changed"), "record-damaged");
        fs::remove_file(&output).expect("it can be removed");
        assert_eq!(bench.frozen().expect_err("it is gone"), "record-damaged");
        fs::write(&output, whole).expect("it can be written");
    }
    assert!(bench.frozen().is_ok());
    fs::remove_file(path).expect("it can be removed");
    assert_eq!(bench.frozen().expect_err("it is gone"), "no-record");
    let (status, words) = bench.run(&["build-report", "--frozen"]);
    assert!(status == 3 && words.contains("veracity record"), "{status} {words}");
}

/// Writes a lock that somebody has edited, with all its digests computed anew.
fn forge(root: &Path, edit: impl FnOnce(&mut Lock)) {
    let path = root.join("report.lock");
    let text = fs::read_to_string(&path).expect("it is there");
    let mut lock = record::parse("report.lock", &text).expect("it is whole");
    edit(&mut lock);
    fs::write(&path, record::text(&lock)).expect("it can be written");
}

#[test]
fn outputs_that_change_places_are_refused() {
    let bench = Bench::new();
    // Not in the order of their names.
    bench.write("report.yaml", "title: A report\nchapters: [b.md, a.md]\n");
    bench.write("b.md", "# B\n\nThere are {{ nine + 2 }} elsewhere.\n");
    bench.replace("a.md", "There are", "{{ nine }} are");
    bench.record();
    let whole = fs::read(bench.root().join("report.lock")).expect("it is there");
    let swap = |lock: &mut Lock, shown: bool| {
        let [a, b] = ["a/sums", "a/cell-2"].map(|name| lock.cells[name].clone());
        for (name, other) in [("a/sums", b), ("a/cell-2", a)] {
            let cell = lock.cells.get_mut(name).expect("it is there");
            cell.output = other.output;
            cell.shown = if shown { other.shown } else { cell.shown.take() };
        }
    };
    for shown in [false, true] {
        forge(bench.root(), |lock| swap(lock, shown));
        assert_eq!(bench.frozen().expect_err("they are others'"), "record-damaged");
        fs::write(bench.root().join("report.lock"), &whole).expect("it can be written");
    }
    // A digest that follows from the output is computed anew.
    forge(bench.root(), |lock| {
        lock.cells.get_mut("a/sums").expect("it is there").shown = Some("0".repeat(64));
    });
    assert_eq!(bench.frozen().expect_err("it is another"), "record-damaged");
    // Other words of the prose do not make it another.
    fs::write(bench.root().join("report.lock"), &whole).expect("it can be written");
    bench.replace("a.md", "{{ nine }} are", "There are {{ nine + 1 }}");
    assert!(bench.frozen().is_ok());
}

#[test]
fn a_forged_digest_is_found_though_another_cell_is_stale() {
    let bench = Bench::new();
    bench.replace("a.md", "There are", "{{ nine }} are");
    bench.record();
    let forge = |name: &str| {
        forge(bench.root(), |lock| {
            lock.cells.get_mut(name).expect("it is there").shown = Some("0".repeat(64));
        });
    };
    bench.replace("a.md", "\"nine\", 9", "\"nine\", 9 + 0");
    assert!(bench.frozen().is_ok());
    forge("a/sums");
    assert_eq!(bench.frozen().expect_err("it is another"), "record-damaged");
    bench.record();
    // What an inline value of a stale cell prints is not known.
    forge("a/cell-2");
    bench.replace("a.md", "\"nine\", 9 + 0", "\"nine\", 9");
    assert!(bench.frozen().is_ok());
}

#[test]
fn what_a_cell_puts_out_is_told_in_words() {
    let mut bench = Bench::new();
    let mut given = |rows: std::ops::Range<u8>, nine: i64| {
        (bench.rows, bench.nine) = (rows.collect(), nine);
        let (lock, files) = bench.lock();
        (Side::from(lock), files)
    };
    // What is told of the first cell, from and to.
    let told = |(old, files): &(Side, FolderFiles), (new, others): &(Side, FolderFiles)| {
        let mut changes = diff::compare(old, new);
        let folders: [diff::outputs::Folder<'_>; 2] =
            [&|name| files.get(name).cloned(), &|name| others.get(name).cloned()];
        diff::outputs::spell(old, new, folders, &mut changes);
        let changes: Vec<_> = changes.into_iter().filter(|it| it.kind == Kind::Output).collect();
        let [change] = changes.as_slice() else { panic!("{changes:?}") };
        assert_eq!(change.what, "a/sums");
        [change.from.clone(), change.to.clone()].map(Option::unwrap_or_default)
    };
    let (ten, eleven) = (given(1..11, 9), given(1..12, 9));
    assert_eq!(told(&ten, &eleven), ["", "| 11 |"]);
    let with_table = "| n (s) |\n| 1 |\n| 2 |\n| 3 |\n| 4 |\n| 5 |\n… and 5 more lines";
    let without = given(0..0, 9);
    assert_eq!(told(&ten, &without), [with_table, ""]);
    // A value that is another is told of its claim.
    let more = given(1..12, 10);
    assert_eq!(told(&ten, &more), ["", "| 11 |"]);
    // Where a folder is missing, digests are all there is.
    let digest = |side: &Side| {
        let output = side.cells["a/sums"].output.clone().expect("it ran");
        veracity::data::shown(&output).to_owned()
    };
    let digests = [digest(&ten.0), digest(&eleven.0)];
    assert_eq!(told(&(ten.0.clone(), FolderFiles::new()), &eleven), digests);
    assert_eq!(told(&ten, &(eleven.0.clone(), FolderFiles::new())), digests);
}

#[test]
fn a_record_without_its_folder_is_none() {
    let bench = Bench::new();
    let lock = bench.record();
    let check = || record::check(&lock, &DiskWorld::new(bench.root()));
    assert!(check().is_ok());
    let digest = lock.cells["a/sums"].output.as_ref().expect("it ran");
    let path = bench.root().join(format!("report.lock.d/{digest}.json"));
    let whole = fs::read(&path).expect("it is there");
    fs::write(&path, "{}").expect("it can be written");
    assert_eq!(check().expect_err("it was changed").code, "record-damaged");
    fs::write(&path, whole).expect("it can be written");
    fs::remove_dir_all(bench.root().join("report.lock.d")).expect("it can be removed");
    assert_eq!(check().expect_err("it is gone").code, "record-damaged");
    let (status, words) = bench.run(&["check", "--locked"]);
    assert!(status == 3 && words.contains("record-damaged"), "{words}");
}

#[test]
fn a_record_that_is_forged_throughout_is_found_by_executing() {
    let folder = tempfile::tempdir().expect("a temporary folder");
    let root = folder.path();
    let chapter =
        "# A\n\n```rust,cell\nlab::value(\"nine\", 9);\n```\n\nThere are [9](claim:nine).\n";
    for (name, text) in [("report.yaml", "title: A\nchapters: [a.md]\n"), ("a.md", chapter)] {
        fs::write(root.join(name), text).expect("it can be written");
    }
    // What cells stand on is built once.
    let out = Path::new(env!("CARGO_TARGET_TMPDIR")).join("forged");
    let run = |arguments: &[&str]| {
        let mut command = Command::new(env!("CARGO_BIN_EXE_veracity"));
        let output = command.args(arguments).arg("--out").arg(&out).current_dir(root).output();
        let output = output.expect("it starts");
        let words = [output.stdout, output.stderr].concat();
        (output.status.code(), String::from_utf8_lossy(&words).into_owned())
    };
    let (status, words) = run(&["record"]);
    assert_eq!(status, Some(0), "{words}");
    assert_eq!(run(&["check", "--locked"]).0, Some(0));
    // As if the code had given eight, in the chapter, the output and the record.
    fs::write(root.join("a.md"), chapter.replace("[9]", "[8]")).expect("it can be written");
    let kept = root.join("report.lock.d");
    let mut files = fs::read_dir(&kept).expect("it is there").map(|it| it.expect("a file").path());
    let (file, None) = (files.next().expect("it has one"), files.next()) else {
        panic!("it has one");
    };
    let output = fs::read_to_string(&file).expect("it is there").replace("\"9\"", "\"8\"");
    let digest = blake3::hash(output.as_bytes()).to_hex().to_string();
    fs::write(kept.join(format!("{digest}.json")), output).expect("it can be written");
    forge(root, |lock| {
        lock.cells.get_mut("a/cell-1").expect("it is there").output = Some(digest);
        (lock.claims[0].text, lock.claims[0].value) = ("8".into(), Some("8".into()));
        let passages = lock.passages.as_mut().and_then(|all| all.get_mut("a.md"));
        passages.expect("it has them")[1] = "There are [8](nine).".into();
    });
    // Without executing nobody can know, and the page says that.
    let (status, words) = run(&["build-report", "--frozen", "--format", "html"]);
    assert!(status == Some(0) && !words.contains("warning"), "{words}");
    let page = fs::read_to_string(out.join("report/a.html")).expect("a page");
    assert!(page.contains("that the code gives it is not checked here"), "{page}");
    let (status, words) = run(&["check", "--locked"]);
    assert_eq!(status, Some(1), "{words}");
    assert!(words.contains("now fails") && words.contains("value moved"), "{words}");
}

#[test]
fn drift_says_which_value_moved_from_what_to_what() {
    let mut bench = Bench::new();
    let before = bench.record();
    bench.nine = 10;
    let changes = diff::compare(&before.into(), &bench.lock().0.into());
    let moved: Vec<_> = changes.iter().filter(|change| change.kind == Kind::Value).collect();
    assert_eq!(moved.len(), 2);
    assert_eq!(moved[0].from.as_deref(), Some("9"));
    assert_eq!(moved[0].to.as_deref(), Some("10 (+11.11 %)"));
    assert_eq!(changes[0].kind, Kind::Fails);
    // The claims tell it; nothing else of the cell has changed.
    assert!(changes.iter().all(|change| !matches!(change.kind, Kind::Output | Kind::Unshown)));
    // What a record no longer needs is removed.
    bench.record();
    let outputs = fs::read_dir(bench.root().join("report.lock.d")).expect("it is there");
    assert_eq!(outputs.count(), 2);
}

#[test]
fn a_large_file_is_recorded_by_its_digest_unless_it_is_wanted() {
    let mut bench = Bench::new();
    bench.file = vec![7; 100_000];
    let (lock, mut folder) = bench.lock();
    let file = &lock.cells["a/sums"].files[0];
    let digest = blake3::hash(&bench.file).to_hex().to_string();
    assert_eq!((file.name.as_str(), file.bytes, &file.digest), ("weights.bin", 100_000, &digest));
    let page = |folder: &FolderFiles| {
        record::write(bench.root(), &lock, folder).expect("it can be written");
        let evaluated = bench.frozen().expect("there is a record");
        assert!(!codes(&evaluated).contains(&"record-differs"));
        assert_eq!(bench.run(&["build-report", "--frozen", "--format", "html"]).0, 0);
        fs::read_to_string(bench.root().join("build/report/a.html")).expect("a page")
    };
    let whole = page(&folder);
    assert!(
        whole.contains("href=\"assets/files/weights.bin\"") && whole.contains(&digest),
        "{whole}"
    );
    let kept = fs::read(bench.root().join("build/report/assets/files/weights.bin"));
    assert_eq!(kept.expect("it is there"), bench.file);
    record::drop_large(&mut folder);
    let without = page(&folder);
    assert!(without.contains("not in the record") && without.contains(&digest), "{without}");
    assert!(!without.contains("href=\"assets/files/"), "{without}");
    let named = |name: &str| bench.root().join("report.lock.d").join(name).exists();
    assert!(!named(&format!("{digest}.bin")));
    // Other weights are told, and are no drift.
    bench.file[0] = 8;
    let changes = diff::compare(&lock.into(), &bench.lock().0.into());
    assert_eq!(changes.len(), 1, "{changes:?}");
    assert!(changes[0].kind == Kind::File && changes[0].kind.is_lesser());
    assert_eq!(changes[0].what, "a/sums/weights.bin");
    // A small one is always kept, and one that is damaged is not shown.
    bench.file = vec![9; 100];
    let (lock, mut folder) = bench.lock();
    record::drop_large(&mut folder);
    record::write(bench.root(), &lock, &folder).expect("it can be written");
    let name = format!("report.lock.d/{}.bin", lock.cells["a/sums"].files[0].digest);
    assert_eq!(fs::read(bench.root().join(&name)).expect("it is there"), bench.file);
    bench.write(&name, "damaged");
    assert_eq!(bench.run(&["build-report", "--frozen", "--format", "html"]).0, 0);
    let page = fs::read_to_string(bench.root().join("build/report/a.html")).expect("a page");
    assert!(page.contains("not in the record"), "{page}");
}

#[test]
fn what_the_page_prints_is_told_though_its_claim_allows_it() {
    let told = |prose: &str, to: i64| {
        let mut bench = Bench::new();
        bench.replace("a.md", "There are [9](claim:nine), not [8](claim:nine \"refuted\")", prose);
        let before = bench.record();
        bench.nine = to;
        let changes = diff::compare(&before.into(), &bench.lock().0.into());
        changes.iter().map(|change| change.kind).collect::<Vec<_>>()
    };
    let bound = "There are [many](claim:nine \">= 5\")";
    assert_eq!(told(bound, 8), [Kind::Moved]);
    assert_eq!(told(&format!("{bound}, that is {{{{ nine }}}}"), 8), [Kind::Output, Kind::Moved]);
    // What is printed is the same.
    let tens = format!("{bound}, that is {{{{ nine > 5 }}}}");
    assert_eq!(told(&tens, 8), [Kind::Moved]);
}

#[test]
fn what_another_device_gave_is_told_though_a_claim_is_on_it() {
    let bench = Bench::new();
    bench.replace("a.md", "[9](claim:nine)", "[many](claim:nine \">= 5; devices: cpu, cuda\")");
    let shown = |there: i64| {
        let mut evaluated = bench.evaluate();
        let mut executed = evaluated.executed.clone();
        let output = values([("nine", integer(there))]);
        executed.chapters[0].cells[1].record = CellRecord { output, ..CellRecord::empty() }.into();
        evaluated.executed.elsewhere.insert("cuda".into(), executed);
        let (lock, _) = record::of(&evaluated, String::new());
        lock.elsewhere["cuda"]["a/cell-2"].shown.clone()
    };
    assert_eq!(shown(9), shown(9));
    assert_ne!(shown(9), shown(8));
}

#[test]
fn the_committed_record_is_that_of_these_chapters() {
    let root = Path::new(env!("CARGO_MANIFEST_DIR"));
    let folder = tempfile::tempdir().expect("a temporary folder");
    // Data that happen to lie here are not those of the record.
    let mut request = BuildRequest::of(root);
    (request.out, request.data) = (folder.path().join("out"), folder.path().join("data"));
    let evaluated = pipeline::evaluate_frozen(&request, &DiskWorld::new(root));
    let evaluated = evaluated.expect("`cargo run -- record` makes report.lock; commit it");
    let told = ["stale-record", "stale-crates", "record-differs"];
    let found: Vec<_> =
        evaluated.diagnostics.iter().filter(|problem| told.contains(&problem.code)).collect();
    assert!(found.is_empty(), "`cargo run -- record` records these chapters anew: {found:?}");
}

#[test]
fn other_machines_are_told_the_same() {
    let mut bench = Bench::new();
    bench.nine = 8;
    bench.write("b,c 1.md", "# B\n\n[7](claim:nine) and [1](claim:none) [::x](claim:m \"± 1\")\n");
    bench.write("report.yaml", "title: \"A <b>\\u0001\"\nchapters: [a.md, \"b,c 1.md\"]\n");
    let evaluated = bench.evaluate();
    let findings = Findings {
        title: &evaluated.document.title,
        prefix: "x/",
        problems: &evaluated.diagnostics,
        claims: &evaluated.document.claims,
    };
    let xml = junit::text(findings);
    let document = roxmltree::Document::parse(&xml).expect("it is XML");
    let count = |name: &str| document.descendants().filter(|it| it.has_tag_name(name)).count();
    assert_eq!(
        (count("testcase"), count("failure"), count("skipped"), count("error")),
        (7, 5, 1, 0)
    );
    let log: serde_json::Value = serde_json::from_str(&sarif::text(findings)).expect("it is JSON");
    let results = log["runs"][0]["results"].as_array().expect("it has results");
    let open = results.iter().find(|it| it["level"] == "note").expect("one claim is open");
    let place = &open["locations"][0]["physicalLocation"];
    assert_eq!(place["artifactLocation"]["uri"], "x/a.md");
    assert_eq!(place["region"]["startLine"], 25);
    assert!(results.iter().any(|it| it["ruleId"] == "unknown-claim"
        && it["locations"][0]["physicalLocation"]["artifactLocation"]["uri"] == "x/b%2Cc%201.md"));
    let lines = github::text(findings);
    assert_eq!(lines.lines().count(), results.len());
    assert!(lines.lines().all(|line| line.starts_with("::")), "{lines}");
    assert!(lines.contains("::error file=x/b%2Cc 1.md,line=3,endLine=3,col=21"), "{lines}");
    let svg = badge::text(findings);
    let svg = roxmltree::Document::parse(&svg).expect("it is XML");
    assert_eq!(svg.root_element().attribute("aria-label"), Some("claims: 5 of 7 wrong"));
}

#[test]
fn a_statement_is_about_these_sources_and_no_others() {
    let bench = Bench::new();
    let evaluated = bench.evaluate();
    let (lock, _) = bench.lock();
    let paths = ["report.yaml".to_owned(), "a.md".to_owned(), "gone.md".to_owned()];
    let sources = || attest::sources(bench.root(), &evaluated.config, &paths);
    let text = statement::text(&evaluated, &lock, &sources());
    let read = statement::parse(&text).expect("it is one");
    assert_eq!(read.result(), "WARNED");
    assert!(read.is_about(&sources()).is_ok());
    let value: serde_json::Value = serde_json::from_str(&text).expect("it is JSON");
    let claim = &value["predicate"]["configuration"][2];
    assert_eq!(claim["name"], "claim/a/nine");
    assert_eq!(claim["annotations"]["device"], "cpu");
    assert_eq!(claim["digest"]["blake3"].as_str(), Some(lock.cells["a/cell-2"].key.as_str()));
    bench.write("gone.md", "# New\n");
    let refused = read.is_about(&sources()).expect_err("a file is new");
    assert_eq!(refused.notes, ["`gone.md` is new"]);
    bench.replace("a.md", "There", "Here");
    let refused = read.is_about(&sources()).expect_err("a file has changed");
    assert!(refused.notes.contains(&"`a.md` has changed".to_owned()), "{:?}", refused.notes);
    fs::remove_file(bench.root().join("a.md")).expect("it can be removed");
    let refused = read.is_about(&sources()).expect_err("a file is gone");
    assert!(refused.notes.contains(&"`a.md` is not there".to_owned()), "{:?}", refused.notes);
    assert!(statement::parse(&text.replace("test-result/v0.1", "link/v0.3")).is_err());
}
