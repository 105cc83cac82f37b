//! Builds that are killed, interrupted or started twice: the report before stays whole, the
//! next build succeeds, and nothing goes on running.

use std::fs;
use std::io::{BufRead, BufReader};
use std::net::TcpStream;
use std::path::Path;
use std::process::{Child, Command, ExitStatus, Stdio};
use std::thread;
use std::time::{Duration, Instant};

use rustix::process::{Pid, Signal, kill_process, test_kill_process};

use crate::disk::{Folder, Outputs};

/// Moments, spread over a build, at which it is killed.
const MOMENTS: u32 = 30;

/// Moments at which it is killed while it puts the new report in the place of the old one.
const CLOSE_MOMENTS: u32 = 12;

/// After this time what should have ended by itself counts as hung.
const PATIENCE: Duration = Duration::from_secs(60);

fn settings(chapter: &str) -> String {
    format!("title: Kill\nchapters: [{chapter}.md, prose.md]\n")
}

fn prose(words: &str) -> String {
    format!("# Prose\n\nThese words are {words}.\n\n$$ a^2 + b^2 = c^2 $$\n").repeat(3)
}

/// Two outputs of one build may come from two builds after a kill; none of them is half.
fn assert_whole(found: &Outputs, before: &Outputs, after: &Outputs) {
    for part in ["report/", "report.pdf", "claims.json"] {
        let of = |outputs: &Outputs| -> Outputs {
            outputs
                .iter()
                .filter(|(name, _)| name.starts_with(part))
                .map(|(name, bytes)| (name.clone(), bytes.clone()))
                .collect()
        };
        let found = of(found);
        assert!(!found.is_empty(), "{part} is gone");
        assert!(found == of(before) || found == of(after), "{part} is neither old nor new");
    }
}

#[test]
fn a_build_that_is_killed_while_it_renders_leaves_a_whole_report() {
    let cell = "# Stored\n\n```rust,cell\nlab::value(\"one\", 1);\n```\n\n[1](claim:one)\n";
    let report = Folder::new(
        "report",
        &[
            ("report.yaml", &settings("kill-stored")),
            ("kill-stored.md", cell),
            ("prose.md", &prose("old")),
        ],
    )
    .with_compiled_lab();
    report.build();
    let old = report.outputs();
    report.write("prose.md", &prose("new"));
    let start = Instant::now();
    report.build();
    let duration = start.elapsed();
    let new = report.outputs();
    assert!(old != new);

    let versions = [("old", &old, &new), ("new", &new, &old)];
    for (moment, (words, after, before)) in
        (0..MOMENTS + CLOSE_MOMENTS).zip(versions.into_iter().cycle())
    {
        report.write("prose.md", &prose(words));
        let mut build = report.spawn();
        if moment < MOMENTS {
            thread::sleep(duration * moment / MOMENTS);
        } else {
            let staged = report.root.join("build/.report.new");
            wait_for(|| staged.exists() || build.try_wait().is_ok_and(|ended| ended.is_some()));
            thread::sleep(Duration::from_micros(300) * (moment - MOMENTS));
        }
        build.kill().expect("a child can be killed");
        build.wait().expect("a child can be waited for");
        assert_whole(&report.outputs(), before, after);
        report.build();
        assert!(report.outputs() == *after, "the build after a kill at moment {moment} differs");
        let left: Vec<_> = fs::read_dir(report.root.join("build"))
            .expect("there is an output folder")
            .flatten()
            .map(|entry| entry.file_name().to_string_lossy().into_owned())
            .filter(|name| name.starts_with('.') && name != ".lock")
            .collect();
        assert!(left.is_empty(), "{left:?}");
    }
}

#[test]
fn a_build_that_is_killed_while_it_compiles_and_runs_leaves_a_whole_report() {
    let chapter = |number: u32| {
        format!(
            "# Cell\n\n```rust,cell\nlet number = lab::memo(\"n\", &(), || {{\n    \
             std::thread::sleep(std::time::Duration::from_millis(200));\n    {number}\n}});\n\
             lab::value(\"number\", number);\n```\n\n[{number}](claim:number)\n"
        )
    };
    let report = Folder::new(
        "report",
        &[
            ("report.yaml", &settings("kill-running")),
            ("kill-running.md", &chapter(0)),
            ("prose.md", "# Prose\n"),
        ],
    )
    .with_compiled_lab();
    report.build();
    let mut before = report.outputs();
    report.write("kill-running.md", &chapter(1));
    let start = Instant::now();
    report.build();
    let duration = start.elapsed();
    let moments = 8;
    for moment in 0..moments {
        report.write("kill-running.md", &chapter(2 + moment));
        if moment == 0 {
            before = report.outputs();
        }
        let mut build = report.spawn();
        thread::sleep(duration * moment / moments);
        build.kill().expect("a child can be killed");
        build.wait().expect("a child can be waited for");
        let found = report.outputs();
        report.build();
        let after = report.outputs();
        assert!(before != after);
        assert_whole(&found, &before, &after);
        before = after;
    }
}

/// A cell that tells who it is, starts a program, and does not end.
const ENDLESS: &str = r#"# Endless

```rust,cell
let child = std::process::Command::new("sleep").arg("600").spawn()?;
std::fs::write("pids.part", format!("{} {}", std::process::id(), child.id()))?;
std::fs::rename("pids.part", "pids")?;
while !std::path::Path::new("go").exists() {
    std::thread::sleep(std::time::Duration::from_millis(20));
}
```
"#;

/// Reading standard input finds its end.
const SOUND: &str = r#"# Sound

```rust,cell
lab::value("read", std::io::read_to_string(std::io::stdin())?.len());
```

[0](claim:read)
"#;

#[test]
fn nothing_goes_on_when_a_build_is_interrupted_or_killed() {
    let report = Folder::new(
        "report",
        &[
            ("report.yaml", &settings("kill-endless")),
            ("kill-endless.md", SOUND),
            ("prose.md", "# Prose\n"),
        ],
    )
    .with_compiled_lab();
    report.build();
    let before = report.outputs();
    for signal in [Signal::INT, Signal::TERM, Signal::KILL] {
        report.write("kill-endless.md", ENDLESS);
        let mut build = report.spawn();
        let pids = pids(&report.root);
        send(&build, signal);
        let status = ended(&mut build);
        if signal != Signal::KILL {
            assert_eq!(status.code(), Some(130), "{signal:?}");
        }
        for pid in pids {
            wait_for(|| !is_running(pid));
        }
        assert!(report.outputs() == before);
        report.write("kill-endless.md", SOUND);
        report.build();
        assert!(report.outputs() == before);
    }
}

#[test]
fn nothing_is_left_when_a_served_session_ends() {
    let report = Folder::new(
        "report",
        &[
            ("report.yaml", &settings("kill-served")),
            ("kill-served.md", SOUND),
            ("prose.md", "# Prose\n"),
        ],
    )
    .with_compiled_lab();
    for signal in [Signal::INT, Signal::TERM, Signal::KILL] {
        report.write("kill-served.md", ENDLESS);
        let temporary = tempfile::tempdir().expect("a temporary folder");
        let mut serve = Command::new(env!("CARGO_BIN_EXE_veracity"));
        serve.args(["serve", "--port", "0", "--offline", "--root"]).arg(&report.root);
        serve.env("TMPDIR", temporary.path()).stdin(Stdio::null());
        let mut serve =
            serve.stdout(Stdio::piped()).stderr(Stdio::null()).spawn().expect("it starts");
        let mut stdout = BufReader::new(serve.stdout.take().expect("it is piped"));
        let mut address = String::new();
        stdout.read_line(&mut address).expect("it says where it listens");
        let words = thread::spawn(move || std::io::copy(&mut stdout, &mut std::io::sink()));
        let authority = address.trim().trim_start_matches("http://").trim_end_matches('/');
        TcpStream::connect(authority).expect("it listens");
        let pids = pids(&report.root);
        // An edit finds the session at work.
        report.write("prose.md", &prose("new"));
        send(&serve, signal);
        let status = ended(&mut serve);
        if signal != Signal::KILL {
            assert_eq!(status.code(), Some(130), "{signal:?}");
        }
        for pid in pids {
            wait_for(|| !is_running(pid));
        }
        // Whoever still held the other end of its output would keep this from ending.
        words.join().expect("it only reads").expect("it can be read");
        assert!(TcpStream::connect(authority).is_err(), "{signal:?}: the port is still taken");
        let left = fs::read_dir(temporary.path()).expect("it is there").count();
        assert_eq!(left, 0, "{signal:?}: files for a while stay for ever");
        report.write("kill-served.md", SOUND);
        report.build();
        let runs = fs::read_dir(report.root.join("build/run")).map_or(0, Iterator::count);
        assert_eq!(runs, 0, "{signal:?}: folders of runs stay");
    }
}

#[test]
fn a_second_build_waits_for_the_first() {
    let waits = ENDLESS.replace("Endless", "Waits")
        + "\n```rust,cell\nlab::value(\"one\", 1);\n```\n\n[1](claim:one)\n";
    let report = Folder::new(
        "report",
        &[
            ("report.yaml", &settings("kill-waits")),
            ("kill-waits.md", &waits),
            ("prose.md", "# Prose\n"),
        ],
    )
    .with_compiled_lab();
    let mut first = report.spawn();
    pids(&report.root);
    let mut impatient = waiting(&report);
    send(&impatient, Signal::INT);
    assert_eq!(ended(&mut impatient).code(), Some(130));
    let mut second = waiting(&report);
    report.write("go", "");
    assert_eq!(ended(&mut first).code(), Some(0));
    let outputs = report.outputs();
    assert_eq!(ended(&mut second).code(), Some(0));
    assert!(report.outputs() == outputs);
}

/// Starts a build that finds another one at work.
fn waiting(report: &Folder) -> Child {
    let mut build = report.spawn();
    let mut lines = BufReader::new(build.stderr.as_mut().expect("it is piped")).lines();
    let first = lines.next().expect("it says something").expect("in UTF-8");
    assert!(first.contains("another build is running here"), "{first}");
    build
}

/// The processes of an endless cell, when they run.
fn pids(root: &Path) -> Vec<Pid> {
    let path = root.join("pids");
    wait_for(|| path.exists());
    let text = fs::read_to_string(&path).expect("the cell wrote it");
    fs::remove_file(path).expect("it can be removed");
    text.split(' ')
        .map(|pid| Pid::from_raw(pid.parse().expect("a number")).expect("not zero"))
        .collect()
}

fn send(child: &Child, signal: Signal) {
    let pid = i32::try_from(child.id()).ok().and_then(Pid::from_raw).expect("an identifier");
    kill_process(pid, signal).expect("a child can be sent a signal");
}

/// Waits for the end of a build, whose streams are read so that it cannot stall.
fn ended(build: &mut Child) -> ExitStatus {
    let streams: Vec<_> = [
        build.stdout.take().map(|stream| Box::new(stream) as Box<dyn std::io::Read + Send>),
        build.stderr.take().map(|stream| Box::new(stream) as Box<dyn std::io::Read + Send>),
    ]
    .into_iter()
    .flatten()
    .map(|mut stream| thread::spawn(move || std::io::copy(&mut stream, &mut std::io::sink())))
    .collect();
    let mut status = None;
    wait_for(|| {
        status = build.try_wait().expect("a child can be asked");
        status.is_some()
    });
    drop(streams);
    status.expect("it has ended")
}

/// Whether a process runs; one that has ended and that nobody has asked about does not.
fn is_running(pid: Pid) -> bool {
    let state = fs::read_to_string(format!("/proc/{}/stat", pid.as_raw_nonzero()));
    test_kill_process(pid).is_ok()
        && !state.is_ok_and(|state| state.rsplit(')').next().is_some_and(|s| s.starts_with(" Z")))
}

#[track_caller]
pub fn wait_for(mut happened: impl FnMut() -> bool) {
    let start = Instant::now();
    while !happened() {
        assert!(start.elapsed() < PATIENCE, "it does not happen");
        thread::sleep(Duration::from_micros(200));
    }
}
