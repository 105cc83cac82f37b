//! Runs the program of a small chapter and reads what it reports.

use std::collections::BTreeMap;
use std::fs::File;
use std::io::{BufRead, BufReader};
use std::path::{Path, PathBuf};
use std::process::{Command, Output, Stdio};

use veracity_protocol::{
    ALIVE_FILE, Artifact, CELL_FAILED, CellOutput, EVENTS_FILE, Equation, Event, Expr, Failure,
    FailureKind, PLAN_VARIABLE, PlannedCell, RunPlan, VERSION, Value, boundary, output_file,
};

const SOURCE: &str = include_str!("program/scenarios.rs");

struct Run {
    folder: tempfile::TempDir,
    output: Output,
}

fn program() -> PathBuf {
    let test = std::env::current_exe().expect("a running test has a path");
    let target = test.ancestors().nth(2).expect("tests lie in target/PROFILE/deps");
    target.join("examples").join("scenarios")
}

/// `1 / x`, which has no value at 0.
fn inverse() -> Equation {
    let one = Expr::Number("1".into());
    Equation {
        label: "eq-inverse".into(),
        latex: r"\frac{1}{x}".into(),
        name: None,
        parameters: vec![],
        sides: vec![Expr::Divide(one.into(), Expr::Variable("x".into()).into())],
        relations: vec![],
    }
}

fn run(scenario: &str) -> Run {
    let folder = tempfile::tempdir().expect("a temporary folder can be made");
    let output = command(scenario, folder.path()).output();
    Run { folder, output: output.expect("cargo builds the example with the tests") }
}

/// The program with a plan whose outbox is `folder`.
fn command(scenario: &str, folder: &Path) -> Command {
    let cell = |id: &str| PlannedCell { id: id.into(), key: id.into(), data: vec![] };
    let plan = RunPlan {
        version: VERSION,
        chapter: "test".into(),
        profile: "quick".into(),
        device: "cpu".into(),
        seed: 1,
        nonce: "n0nce".into(),
        outbox: folder.into(),
        memo: folder.into(),
        data: folder.into(),
        datasets: BTreeMap::new(),
        cells: vec![cell("first"), cell("second")],
        equations: BTreeMap::from([("eq-inverse".to_owned(), inverse())]),
        jobs: 2,
        job: None,
        cluster: None,
        worker: None,
    };
    let path = folder.join("plan.json");
    std::fs::write(&path, serde_json::to_string(&plan).unwrap()).unwrap();
    let mut command = Command::new(program());
    command.env(PLAN_VARIABLE, path).env("SCENARIO", scenario);
    command
}

impl Run {
    fn events(&self) -> Vec<Event> {
        let text = std::fs::read_to_string(self.folder.path().join(EVENTS_FILE)).unwrap();
        text.lines().map(|line| serde_json::from_str(line).unwrap()).collect()
    }

    fn cell(&self, index: usize) -> Option<CellOutput> {
        let text = std::fs::read_to_string(self.folder.path().join(output_file(index))).ok()?;
        Some(serde_json::from_str(&text).unwrap())
    }

    #[track_caller]
    fn failure(&self) -> Failure {
        assert_eq!(self.output.status.code(), Some(CELL_FAILED));
        assert!(self.cell(0).is_some() && self.cell(1).is_none());
        match self.events().pop() {
            Some(Event::Failed { cell: 1, failure }) => failure,
            other => panic!("{other:?}"),
        }
    }
}

#[track_caller]
fn assert_at(failure: &Failure, marker: &str) {
    let line = SOURCE.lines().position(|line| line.ends_with(marker)).unwrap() + 1;
    let location = failure.location.as_ref().expect("a location");
    assert!(location.file.ends_with("scenarios.rs"), "{location:?}");
    assert_eq!(location.line as usize, line);
}

#[test]
fn a_chapter_that_ends_well_reports_every_cell() {
    let run = run("");
    assert!(run.output.status.success());
    let names: Vec<_> = run
        .events()
        .iter()
        .map(|event| match event {
            Event::Started { cell } => format!("started {cell}"),
            Event::Finished { cell, .. } => format!("finished {cell}"),
            other => format!("{other:?}"),
        })
        .collect();
    assert_eq!(names, ["started 0", "finished 0", "started 1", "finished 1"]);
    let first = run.cell(0).unwrap();
    assert_eq!(first.values[0].value, Value::Integer { value: "42".into() });
    assert_eq!(first.values[0].unit.as_deref(), Some("units"));
    assert!(first.artifacts.is_empty());
    let second = run.cell(1).unwrap();
    assert!(matches!(&second.artifacts[0], Artifact::Check(check) if check.name == "shape"));
    assert_eq!(second.artifacts[1], Artifact::Text { text: "text".into() });
}

#[test]
fn both_streams_are_cut_by_boundaries() {
    let run = run("");
    let cells = |stream: &[u8]| -> Vec<String> {
        let mut rest = String::from_utf8(stream.to_vec()).unwrap();
        (0..3)
            .map(|cell| {
                let line = boundary("n0nce", cell) + "\n";
                let (before, after) = rest.split_once(&line).unwrap();
                let before = before.to_owned();
                rest = after.to_owned();
                before
            })
            .collect()
    };
    assert_eq!(
        cells(&run.output.stdout),
        ["", "of the first cell, without a line feed", "of the second cell\n"]
    );
    assert_eq!(cells(&run.output.stderr), ["", "error stream of the first cell\n", ""]);
}

#[test]
fn an_error_is_located_where_it_left_the_cell() {
    let failure = run("error").failure();
    assert_eq!(failure.kind, FailureKind::Error);
    assert_eq!(failure.message, "invalid digit found in string");
    assert_at(&failure, "// error here");
    assert_eq!(run("chain").failure().message, "the outer reason\ncaused by: the inner reason");
}

#[test]
fn a_panic_in_the_library_is_located_in_the_cell() {
    let failure = run("panic").failure();
    assert_eq!(failure.kind, FailureKind::Panic);
    assert!(failure.message.contains("`None` value"), "{}", failure.message);
    assert_at(&failure, "// panic here");
    let failure = run("twice").failure();
    assert_eq!(failure.message, "\"question\" was published before, by this cell");
    assert_at(&failure, "// twice here");
}

#[test]
fn only_a_panic_that_leaves_the_cell_fails_it() {
    assert!(run("caught").output.status.success());
    assert!(run("unjoined").output.status.success());
    let failure = run("caught-then-panic").failure();
    assert_eq!(failure.message, "not caught");
    assert_at(&failure, "// second panic here");
}

#[test]
fn a_panic_of_another_thread_is_told_through_the_join() {
    let failure = run("joined").failure();
    assert_at(&failure, "// join here");
    assert!(failure.message.ends_with("panicked: in a thread"), "{}", failure.message);
    let failure = run("resumed").failure();
    assert_eq!(failure.message, "carried over");
    assert_at(&failure, "// origin here");
}

#[test]
fn misuse_of_the_library_is_located_in_the_cell() {
    for scenario in ["ragged", "logarithmic", "unknown", "undefined", "unproved"] {
        let failure = run(scenario).failure();
        assert_at(&failure, &format!("// {scenario} here"));
    }
    assert_eq!(run("unproved").failure().message, "division by zero (x = 0)");
}

#[test]
fn cells_have_a_large_stack() {
    assert!(run("deep").output.status.success());
}

#[test]
fn a_program_ends_with_its_host() {
    let folder = tempfile::tempdir().expect("a temporary folder can be made");
    let alive = File::create(folder.path().join(ALIVE_FILE)).unwrap();
    alive.lock().unwrap();
    let mut program = command("endless", folder.path()).stdout(Stdio::piped()).spawn().unwrap();
    let mut lines = BufReader::new(program.stdout.take().unwrap()).lines();
    assert!(lines.any(|line| line.unwrap() == "of the second cell"));
    assert!(program.try_wait().unwrap().is_none());
    drop(alive);
    assert!(!program.wait().unwrap().success());
}

#[test]
fn a_sweep_runs_in_processes_of_its_own_and_what_is_kept_is_not_run_again() {
    let folder = tempfile::tempdir().expect("a temporary folder can be made");
    let shown = |folder: &Path| -> Vec<String> {
        let output = command("sweep", folder).output().expect("the program can be run");
        assert!(output.status.success(), "{output:?}");
        let text = String::from_utf8(output.stdout).expect("UTF-8");
        text.lines().filter(|line| line.starts_with('[')).map(str::to_owned).collect()
    };
    let first = shown(folder.path());
    assert_eq!(first[0], "[1, 2, 3]");
    let processes: std::collections::BTreeSet<&str> =
        first[1].trim_matches(['[', ']']).split(", ").collect();
    assert_eq!(processes.len(), 3);
    let text = std::fs::read_to_string(folder.path().join(EVENTS_FILE)).unwrap();
    let tasks: Vec<String> = text
        .lines()
        .filter_map(|line| match serde_json::from_str(line).unwrap() {
            Event::Progress { cell: 1, task, .. } => Some(task),
            _ => None,
        })
        .collect();
    for task in ["halving [1/3]", "halving [2/3]", "halving [3/3]"] {
        assert!(tasks.iter().any(|other| other == task), "{tasks:?}");
    }
    assert_eq!(shown(folder.path()), first);
    std::fs::remove_dir_all(folder.path().join("jobs")).expect("jobs were run");
    assert_eq!(shown(folder.path()), first);
    assert!(!folder.path().join("jobs").exists());
}

#[test]
fn a_sweep_gives_the_same_in_one_process() {
    let folder = tempfile::tempdir().expect("a temporary folder can be made");
    let mut sequential = command("sweep", folder.path());
    let file = folder.path().join("plan.json");
    let plan = std::fs::read_to_string(&file).unwrap().replace("\"jobs\":2", "\"jobs\":1");
    std::fs::write(&file, plan).unwrap();
    let text = String::from_utf8(sequential.output().unwrap().stdout).unwrap();
    assert!(text.contains("[1, 2, 3]"), "{text}");
    assert!(!folder.path().join("jobs").exists());
}

#[test]
fn a_job_that_fails_fails_its_cell() {
    let failure = run("sweep-panic").failure();
    assert!(failure.message.contains("the job 4 of \"half\" failed"), "{}", failure.message);
    assert!(failure.message.contains("no half of four"), "{}", failure.message);
    assert_at(&failure, "// job here");
    let failure = run("sweep-exit").failure();
    assert!(failure.message.contains("the job 4 of \"half\" ended with"), "{}", failure.message);
    assert!(failure.message.contains('9'), "{}", failure.message);
}

#[test]
#[cfg(target_os = "linux")]
fn jobs_end_with_the_program_and_with_its_host() {
    let folder = tempfile::tempdir().expect("a temporary folder can be made");
    for end_host in [false, true] {
        let alive = File::create(folder.path().join(ALIVE_FILE)).unwrap();
        alive.lock().unwrap();
        let mut program = command("sweep-endless", folder.path()).spawn().unwrap();
        let jobs: Vec<PathBuf> = [2, 4]
            .map(|number| {
                loop {
                    let file = folder.path().join(format!("job-{number}.pid"));
                    match std::fs::read_to_string(&file) {
                        Ok(process) if !process.is_empty() => {
                            std::fs::remove_file(file).unwrap();
                            break Path::new("/proc").join(process);
                        }
                        _ => std::thread::yield_now(),
                    }
                }
            })
            .into();
        assert!(jobs.iter().all(|job| job.exists()));
        if end_host {
            drop(alive);
        } else {
            program.kill().unwrap();
        }
        assert!(!program.wait().unwrap().success());
        while jobs.iter().any(|job| is_running(job)) {
            std::thread::yield_now();
        }
    }
}

/// Whether a process runs; one that nobody has asked about its end is over all the same.
#[cfg(target_os = "linux")]
fn is_running(process: &Path) -> bool {
    std::fs::read_to_string(process.join("stat"))
        .is_ok_and(|stat| !stat.rsplit(')').next().is_some_and(|rest| rest.starts_with(" Z")))
}

#[test]
fn without_a_plan_the_program_says_who_runs_it() {
    let output = Command::new(program()).env_remove(PLAN_VARIABLE).output().unwrap();
    assert_eq!(output.status.code(), Some(2));
    let text = String::from_utf8(output.stderr).unwrap();
    assert!(text.contains("is run by veracity"), "{text}");
}
