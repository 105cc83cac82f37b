//! The tests in a chapter's modules: the library's own test program, built and run.
//!
//! In: a chapter with tests. Out: what is wrong, each at its place in the chapter. Left out: tests in
//! documentation, and what tests print while they pass.

use std::fs;
use std::io::{self, Read};
use std::path::Path;
use std::process::{Command, ExitStatus, Stdio};
use std::thread;
use std::time::Instant;

use super::BatchKernel;

use super::sandbox::Watch;
use crate::diag::Diagnostic;
use crate::kernel::Event;
use crate::kernel::compile::{Maps, UNABLE};
use crate::kernel::confine::Confinement;
use crate::kernel::outbox::{self, POLL};
use crate::kernel::process::{self, Group};
use crate::kernel::workspace;
use crate::plan::{ChapterPlan, Tests};
use crate::span::Span;

/// Most failures that are told.
const MOST_FAILURES: usize = 50;

/// How a test program ended.
struct Ended {
    status: ExitStatus,
    said: String,
    problem: Option<Diagnostic>,
}

impl BatchKernel {
    /// Runs the tests of a chapter's library; gives what is wrong.
    pub(super) fn test_library(
        &self,
        chapter: &ChapterPlan,
        tests: &Tests,
        sink: &(dyn Fn(Event) + Sync),
    ) -> Vec<Diagnostic> {
        let since = self.interrupts();
        let sources = super::sources(chapter, &[]);
        let package = workspace::library_package(&chapter.slug);
        let built = {
            let mut last = self.building.lock().unwrap_or_else(std::sync::PoisonError::into_inner);
            // Its program is not the one of these sources any more.
            *last = None;
            let words = |error: io::Error| format!("cannot write the chapter's library: {error}");
            if let Err(error) = self.write(&sources) {
                let problem = Diagnostic::error("build-folder", words(error), tests.span.clone());
                return vec![problem.hint(UNABLE)];
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
            Err(errors) => return vec![super::merge(&errors)],
        };
        sink(Event::Building("running the tests of modules".to_owned()));
        match self.run_tests(&executable, chapter, tests, since) {
            Ok(ended) => judge(ended, tests, &sources.maps),
            Err(error) => {
                let words = format!("the tests cannot be run: {error}");
                vec![Diagnostic::error("kernel", words, tests.span.clone()).hint(UNABLE)]
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
        command.env_remove("RUST_BACKTRACE").env_remove("RUST_TEST_THREADS");
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
        let reader = thread::spawn(move || {
            let mut said = Vec::new();
            // What was read before the stream broke is kept.
            let _ = stdout.map(|stdout| stdout.take(LONGEST).read_to_end(&mut said));
            String::from_utf8_lossy(&said).into_owned()
        });
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
        Ok(Ended { status, said: reader.join().unwrap_or_default(), problem })
    }
}

/// Most bytes of a test program's words that are read.
const LONGEST: u64 = 1 << 20;

fn judge(ended: Ended, tests: &Tests, maps: &Maps) -> Vec<Diagnostic> {
    let Ended { status, said, problem } = ended;
    if let Some(problem) = problem {
        return vec![problem];
    }
    let mut failures: Vec<Diagnostic> = Vec::new();
    for (name, words) in sections(&said).take(MOST_FAILURES) {
        failures.push(failure(name, words, &tests.span, maps));
    }
    let passed = status.success() && said.lines().any(|line| line.starts_with("test result: ok."));
    if failures.is_empty() && !passed {
        let how = match status.success() {
            true => "said nothing of its tests".to_owned(),
            false => format!("ended with {}", outbox::describe(status)),
        };
        let words = format!("the program with the tests of this chapter's modules {how}");
        failures.push(
            Diagnostic::error("test-failed", words, tests.span.clone()).hint(
                "an abort, a stack overflow or `std::process::exit` in a test ends all of them",
            ),
        );
    }
    failures
}

/// The tests that failed with what was said of each.
fn sections(said: &str) -> impl Iterator<Item = (&str, &str)> {
    said.split("\n---- ").skip(1).filter_map(|section| {
        let (name, words) = section.split_once(" stdout ----\n")?;
        let end = words.find("\n\nfailures:\n").unwrap_or(words.len());
        Some((name, &words[..end]))
    })
}

/// What is told of a test that failed, at the place of its panic or else at the first test.
fn failure(name: &str, words: &str, first: &Span, maps: &Maps) -> Diagnostic {
    let panicked = words.split(" panicked at ").nth(1);
    let (place, message) = panicked.and_then(|it| it.split_once(":\n")).unwrap_or(("", words));
    let message = message.split("\nnote: run with `RUST_BACKTRACE").next().unwrap_or_default();
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
        Diagnostic::error("test-failed", text, span.unwrap_or_else(|| first.clone()));
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

    #[test]
    fn each_test_that_failed_is_found_with_its_own_words() {
        let said = "\nrunning 2 tests\ntest a ... FAILED\ntest tests::b ... FAILED\n\nfailures:\n\n\
                    ---- a stdout ----\nprinted\n\nthread 'a' (12) panicked at src/lib.rs:7:13:\n\
                    assertion `left == right` failed\n  left: 1\n right: 2\nnote: run with \
                    `RUST_BACKTRACE=1` environment variable to display a backtrace\n\n\
                    ---- tests::b stdout ----\nError: \"no\"\n\n\nfailures:\n    a\n    tests::b\n\n\
                    test result: FAILED. 0 passed; 2 failed\n";
        let found: Vec<(&str, &str)> = sections(said).collect();
        assert_eq!(found.len(), 2);
        assert_eq!(found[1], ("tests::b", "Error: \"no\"\n"));
        let source = crate::span::Source::new("a.md", "# A\n");
        let first = source.span(0..1);
        let told = failure(found[0].0, found[0].1, &first, &Maps::new());
        assert_eq!(told.message, "the test `a` failed: assertion `left == right` failed");
        assert_eq!(told.notes, ["left: 1", "right: 2", "at src/lib.rs:7:13"]);
        let told = failure(found[1].0, found[1].1, &first, &Maps::new());
        assert_eq!(told.message, "the test `tests::b` failed: Error: \"no\"");
    }
}
