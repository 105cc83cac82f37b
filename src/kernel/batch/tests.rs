//! The tests in a chapter's modules: the library's own test program, built and run.
//!
//! In: a chapter with tests. Out: what is wrong, each at its place in the chapter, and what was not run.
//! Left out: tests in documentation, and what tests print while they pass.
//!
//! What a test prints or how it ends the program must not look like success. So one more test, which
//! fails with a word that is new each time, belongs to the program: only a program that has run all
//! its tests tells of that failure, and of no other, as its last words. This guards against accidents: an
//! author who wants a test to look like success can read the word, or write no test.

use std::collections::{BTreeMap, BTreeSet};
use std::fs;
use std::io::{self, Read};
use std::path::Path;
use std::process::{Command, ExitStatus, Stdio};
use std::thread;
use std::time::Instant;

use super::BatchKernel;
use super::sandbox::Watch;
use crate::diag::Diagnostic;
use crate::kernel::compile::{Maps, UNABLE};
use crate::kernel::confine::Confinement;
use crate::kernel::outbox::{self, POLL};
use crate::kernel::process::{self, Group};
use crate::kernel::{Event, Tested, workspace};
use crate::plan::tangle::{MUST_FAIL, WORD};
use crate::plan::{ChapterPlan, Test, Tests};
use crate::span::Span;

/// Most failures that are told.
const MOST_FAILURES: usize = 50;

/// How a test program ended.
struct Ended {
    status: ExitStatus,
    said: String,
    /// What the test that must fail says.
    word: String,
    problem: Option<Diagnostic>,
}

impl BatchKernel {
    /// Runs the tests of a chapter's library.
    pub(super) fn test_library(
        &self,
        chapter: &ChapterPlan,
        tests: &Tests,
        sink: &(dyn Fn(Event) + Sync),
    ) -> Tested {
        let since = self.interrupts();
        let only = |problem| Tested { wrong: vec![problem], idle: Vec::new() };
        let sources = super::sources(chapter, &[]);
        let package = workspace::library_package(&chapter.slug);
        let built = {
            let mut last = self.building.lock().unwrap_or_else(std::sync::PoisonError::into_inner);
            // Its program is not the one of these sources any more.
            *last = None;
            let words = |error: io::Error| format!("cannot write the chapter's library: {error}");
            if let Err(error) = self.write(&sources) {
                let problem = Diagnostic::error("build-folder", words(error), tests.span.clone());
                return only(problem.hint(UNABLE));
            }
            let arguments = ["test", "--no-run", "--lib", "--package", &package];
            // Warnings were told when the library itself was compiled.
            let quiet = |event| match event {
                Event::Warning(_) => {}
                event => sink(event),
            };
            self.build(&arguments, chapter, &sources.maps, since, &quiet)
        };
        let executable = match built {
            Ok((executable, _)) => executable,
            // As it is told of cells, so that a library that does not compile is told of once.
            Err(errors) => return only(super::merge(&errors)),
        };
        sink(Event::Building("running the tests of modules".to_owned()));
        match self.run_tests(&executable, chapter, tests, since) {
            Ok(ended) => judge(ended, tests, &sources.maps),
            Err(error) => {
                let words = format!("the tests cannot be run: {error}");
                only(Diagnostic::error("kernel", words, tests.span.clone()).hint(UNABLE))
            }
        }
    }

    fn run_tests(
        &self,
        executable: &Path,
        chapter: &ChapterPlan,
        tests: &Tests,
        since: u64,
    ) -> io::Result<Ended> {
        let runs = self.build.join("run");
        fs::create_dir_all(&runs)?;
        let outbox = tempfile::Builder::new().prefix(&chapter.slug).tempdir_in(&runs)?;
        let mut command = Command::new(executable);
        command.args(["--color", "never"]).current_dir(&self.root);
        for name in ["RUST_BACKTRACE", "RUST_TEST_NOCAPTURE", "RUST_TEST_THREADS"] {
            command.env_remove(name);
        }
        let word = outbox.path().file_name().unwrap_or_default().to_string_lossy().into_owned();
        command.env(WORD, &word);
        let layout = self.workspace.layout.iter();
        command.envs(layout.flat_map(|layout| layout.running.iter().cloned()));
        let mut watch = None;
        if self.confinement == Confinement::Confined {
            let written = vec![outbox.path().to_owned()];
            command = self.confined_program(command, chapter, &written)?;
            watch = Some(Watch::over(written));
        }
        command.stdin(Stdio::null()).stdout(Stdio::piped()).stderr(Stdio::null());
        let mut group = Group::spawn(&mut command)?;
        let stdout = group.child.stdout.take();
        let reader = thread::spawn(move || stdout.map(words).unwrap_or_default());
        let started = Instant::now();
        let mut problem = None;
        let status = loop {
            if let Some(status) = group.child.try_wait()? {
                break status;
            }
            let seconds = tests.timeout.as_secs_f64();
            let ended = if self.interrupts() != since || process::interrupted() {
                Some(Diagnostic::error(
                    "interrupted",
                    "the build was interrupted",
                    tests.span.clone(),
                ))
            } else if started.elapsed() > tests.timeout {
                let words =
                    format!("the tests ran longer than their limit of {seconds} s and were ended");
                Some(Diagnostic::error("test-timeout", words, tests.span.clone())
                    .hint("raise the limit with `timeout` under `cells` in the chapter's head, or test less"))
            } else if watch.as_mut().is_some_and(|watch| watch.is_full(group.child.id())) {
                let words = "the tests wrote more than a confined program may and were ended";
                Some(
                    Diagnostic::error("cell-disk", words, tests.span.clone())
                        .hint("without `--sandbox` they may write as much as there is room"),
                )
            } else {
                None
            };
            if ended.is_some() {
                problem = problem.or(ended);
                group.kill();
            }
            thread::sleep(POLL);
        };
        // What it started and left behind would keep its stream open.
        group.kill();
        Ok(Ended { status, said: reader.join().unwrap_or_default(), word, problem })
    }
}

/// Most bytes of a test program's words that are kept from their beginning, and from their end.
const LONGEST: usize = 1 << 20;

/// What a test program says: which tests there are at the beginning, and how they went at the end.
fn words(mut stream: impl Read) -> String {
    let mut said = Vec::new();
    let mut part = [0; 1 << 13];
    // What was read before the stream broke is kept.
    while let Ok(length @ 1..) = stream.read(&mut part) {
        said.extend_from_slice(&part[..length]);
        if said.len() > 3 * LONGEST {
            said.drain(LONGEST..said.len() - LONGEST);
        }
    }
    String::from_utf8_lossy(&said).into_owned()
}

fn judge(ended: Ended, tests: &Tests, maps: &Maps) -> Tested {
    let Ended { status, said, word, problem } = ended;
    if let Some(problem) = problem {
        return Tested { wrong: vec![problem], idle: Vec::new() };
    }
    let Some(failed) = failed(&said, &word).filter(|_| status.code() == Some(FAILED)) else {
        let how = match status.success() {
            true => "ended before all of them had run".to_owned(),
            false => format!("ended with {}", outbox::describe(status)),
        };
        let words = format!("the program with the tests of this chapter's modules {how}");
        let open = open(&said, &tests.written);
        // Several run at a time; which of them has ended the others nobody tells.
        let place = match open.as_slice() {
            [only] => tests.place(only),
            _ => &tests.span,
        };
        let mut problem = Diagnostic::error("test-failed", words, place.clone())
            .hint("an abort, a stack overflow or `std::process::exit` in a test ends all of them");
        if !open.is_empty() {
            problem = problem.note(format!("without a result: {}", open.join(", ")));
        }
        return Tested { wrong: vec![problem], idle: Vec::new() };
    };
    let told = failed.into_iter().take(MOST_FAILURES);
    let wrong = told.map(|(name, words)| failure(name, words, tests.place(name), maps)).collect();
    Tested { wrong, idle: idle(&said, &tests.written) }
}

/// Exit status of a test program in which a test has failed.
const FAILED: i32 = 101;

/// The tests that failed with what was said of each, without the one that must fail; none if what a
/// program says are not the words of one in which all tests have run.
fn failed<'a>(said: &'a str, word: &str) -> Option<Vec<(&'a str, &'a str)>> {
    let (told, result) = said.trim_end().rsplit_once("\n\n")?;
    let counted = result.strip_prefix("test result: FAILED. ")?.split_once(" passed; ")?.1;
    let counted: usize = counted.split_once(" failed; ")?.0.parse().ok()?;
    let (told, names) = told.rsplit_once("\nfailures:\n")?;
    let names: Vec<&str> = names.lines().map(str::trim).collect();
    let sections: BTreeMap<&str, &str> = sections(told).collect();
    let is_ours = sections.get(MUST_FAIL)?.contains(&format!("{word:?}"));
    (is_ours && names.len() == counted && names.contains(&MUST_FAIL)).then(|| {
        let words = |name: &'a str| (name, sections.get(name).copied().unwrap_or_default());
        names.into_iter().filter(|name| *name != MUST_FAIL).map(words).collect()
    })
}

/// What was said of each test that said anything.
fn sections(told: &str) -> impl Iterator<Item = (&str, &str)> {
    told.split("\n---- ").skip(1).filter_map(|section| section.split_once(" stdout ----\n"))
}

/// Names of the tests that were not run: those that are marked to be ignored, and those that are written but
/// of which the program does not tell.
fn idle(said: &str, written: &[Test]) -> Vec<String> {
    let told = results(said);
    let ignored = told.iter().filter(|(_, result)| result.starts_with("ignored"));
    let names = ignored.map(|(name, _)| (*name).to_owned());
    names.chain(absent(&told, written)).collect()
}

/// Names of the tests that had no result when their program ended, one of which has ended it.
fn open(said: &str, written: &[Test]) -> Vec<String> {
    let mut told = results(said);
    told.retain(|(_, it)| ["ok", "FAILED", "ignored"].iter().any(|end| it.starts_with(end)));
    absent(&told, written)
}

/// The tests of which a program tells, each with what it says of it.
fn results(said: &str) -> Vec<(&str, &str)> {
    let told = said.split("\nfailures:\n").next().unwrap_or_default();
    // What a test prints in other ways than `println!` may stand before on the line.
    let told = told.lines().filter_map(|line| {
        let (name, result) = line.split_once(" ... ")?;
        let name = name.rsplit_once("test ").map(|(_, name)| name)?;
        Some((name.trim_end_matches(" - should panic"), result))
    });
    told.collect()
}

/// Names of the tests that are written but are not among those of which is told.
fn absent(told: &[(&str, &str)], written: &[Test]) -> Vec<String> {
    let written: BTreeSet<&str> = written.iter().map(|test| test.name.as_str()).collect();
    let told: BTreeSet<&str> = told.iter().map(|(name, _)| *name).collect();
    // A macro may have put a test into another module than the one in which it is written.
    let moved: BTreeSet<&str> = told.difference(&written).map(|name| in_module(name)).collect();
    let is_absent = |name: &&str| !name.is_empty() && !moved.contains(in_module(name));
    written.difference(&told).copied().filter(is_absent).map(str::to_owned).collect()
}

/// The name of a test without the modules in which it is.
fn in_module(path: &str) -> &str {
    path.rsplit("::").next().unwrap_or(path)
}

/// What is told of a test that failed, at the place of its panic or else at its own.
fn failure(name: &str, words: &str, own: &Span, maps: &Maps) -> Diagnostic {
    let panicked = words.split(" panicked at ").nth(1);
    let (place, message) = panicked.and_then(|it| it.split_once(":\n")).unwrap_or(("", words));
    let is_own = |line: &&str| !line.starts_with("note: run with `RUST_BACKTRACE");
    let message = message.lines().filter(is_own).collect::<Vec<_>>().join("\n");
    // Its place is told in the chapter.
    let message = match message.starts_with("note: test did not panic as expected") {
        true => "it did not panic, as `#[should_panic]` says that it does",
        false => &message,
    };
    let mut parts = place.rsplitn(3, ':');
    let (column, line, file) = (parts.next(), parts.next(), parts.next());
    let at = |number: Option<&str>| number?.parse::<usize>().ok();
    let span = file.and_then(|file| {
        let at = (at(line)?, at(column)?);
        maps.get(file)?.span(at, at)
    });
    let text = match message.trim().lines().next() {
        None => format!("the test `{name}` failed"),
        Some(line) => format!("the test `{name}` failed: {line}"),
    };
    let outside = span.is_none() && !place.is_empty();
    let mut diagnostic =
        Diagnostic::error("test-failed", text, span.unwrap_or_else(|| own.clone()));
    for line in message.trim().lines().skip(1) {
        diagnostic = diagnostic.note(line.trim().to_owned());
    }
    if outside {
        diagnostic = diagnostic.note(format!("at {place}"));
    }
    diagnostic
}

#[cfg(test)]
mod cases {
    use super::*;
    use crate::span::Source;

    const SAID: &str = "\nrunning 4 tests\ntest a ... FAILED\ntest c - should panic ... ignored, slow\n\
        test tests::b ... FAILED\ntest veracity_must_fail ... FAILED\n\nfailures:\n\n\
        ---- a stdout ----\nprinted\n\nthread 'a' (12) panicked at src/lib.rs:7:13:\n\
        assertion `left == right` failed\n  left: 1\n right: 2\nnote: run with \
        `RUST_BACKTRACE=1` environment variable to display a backtrace\n\n\
        ---- tests::b stdout ----\nnote: test did not panic as expected at /w/src/lib.rs:9:4\n\
        ---- veracity_must_fail stdout ----\nError: \"w\"\n\n\nfailures:\n    a\n    \
        tests::b\n    veracity_must_fail\n\n\
        test result: FAILED. 0 passed; 3 failed; 1 ignored; 0 measured; 0 filtered out; finished\n\n";

    #[test]
    fn each_test_that_failed_is_found_with_its_own_words() {
        let found = failed(SAID, "w").expect("all tests have run");
        assert_eq!(found.iter().map(|(name, _)| *name).collect::<Vec<_>>(), ["a", "tests::b"]);
        let own = Source::new("a.md", "# A\n#[test]\n").span(4..11);
        let told = failure(found[0].0, found[0].1, &own, &Maps::new());
        assert_eq!(told.message, "the test `a` failed: assertion `left == right` failed");
        assert_eq!(told.notes, ["left: 1", "right: 2", "at src/lib.rs:7:13"]);
        let told = failure(found[1].0, found[1].1, &own, &Maps::new());
        let words = "it did not panic, as `#[should_panic]` says that it does";
        assert_eq!(told.message, format!("the test `tests::b` failed: {words}"));
        assert_eq!(told.span.expect("it has a place").to_string(), "a.md:2:1");
    }

    #[test]
    fn a_test_that_is_not_in_the_program_was_not_run() {
        let source = Source::new("a.md", "# A\n");
        let idle = |said: &str, names: &[&str]| {
            let test = |name: &&str| Test { name: (*name).to_owned(), span: source.span(0..1) };
            super::idle(said, &names.iter().map(test).collect::<Vec<_>>())
        };
        assert_eq!(idle(SAID, &["a", "c", "tests::b"]), ["c"]);
        assert_eq!(idle(SAID, &["a", "c", "gone::a", "tests::b"]), ["c", "gone::a"]);
        // One that a macro has put elsewhere, and one whose name nobody could read.
        assert_eq!(idle(SAID, &["a", "b", "c", ""]), ["c"]);
        let printed = "\nrunning 2 tests\nprintedtest a ... ok\ntest MUST ... FAILED\n\nfailures:\n\n\
            ---- MUST stdout ----\ntest b ... ok\n";
        assert_eq!(idle(printed, &["a", "b"]), ["b"]);
    }

    #[test]
    fn a_test_that_ended_the_program_is_among_those_without_a_result() {
        let source = Source::new("a.md", "# A\n");
        let test = |name: &str| Test { name: name.to_owned(), span: source.span(0..1) };
        let written = ["a", "b", "c", "d"].map(test);
        let said = "\nrunning 4 tests\ntest a ... ok\ntest b ... ignored\ntest d ... printed";
        assert_eq!(open(said, &written), ["c", "d"]);
    }

    #[test]
    fn only_a_program_that_knows_the_word_has_run_its_tests() {
        assert_eq!(failed(SAID, "another"), None);
        assert_eq!(failed(&SAID.replace("3 failed", "4 failed"), "w"), None);
        assert_eq!(failed(&format!("{SAID}and more\n"), "w"), None);
        assert_eq!(failed("test result: ok. 1 passed; 0 failed\n\n", "w"), None);
    }
}
