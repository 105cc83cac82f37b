//! What a confined program cannot do, tried by a shell with its own means.

use std::fs;
use std::path::Path;
use std::process::{Command, Output};

use veracity::kernel::confine::{self, Policy, Processes};

/// Runs a script under a policy that grants a folder to read and one to write; none where this
/// machine cannot confine, which is said.
fn confined(place: &Path, processes: Processes, script: &str) -> Option<Output> {
    if let Err(problem) = confine::supported() {
        assert_eq!(problem.code, "no-sandbox");
        eprintln!("NOT TESTED: {}", problem.message);
        return None;
    }
    let (report, outbox) = (place.join("report"), place.join("outbox"));
    fs::create_dir_all(&report).expect("it can be made");
    fs::create_dir_all(&outbox).expect("it can be made");
    fs::write(report.join("a.md"), "# A").expect("it can be written");
    fs::write(place.join("secret"), "secret\n").expect("it can be written");
    let policy = Policy {
        read: vec![report],
        execute: ["/bin", "/usr", "/lib", "/lib64"].map(Into::into).into(),
        write: vec![outbox, "/dev/null".into()],
        processes,
        memory: 1 << 30,
        file: 1 << 20,
        seconds: 20,
    };
    let mut command = Command::new("bash");
    command.args(["-c", script]).current_dir(place);
    let mut command = wrapped(&command, &policy);
    Some(command.output().expect("it starts"))
}

/// What the same script says if nothing holds it, without which its silence would say nothing.
fn free(place: &Path, script: &str) -> String {
    let command = Command::new("bash").args(["-c", script]).current_dir(place).output();
    says(&command.expect("it starts"))
}

/// As the product wraps it, but this is not the product's executable.
fn wrapped(command: &Command, policy: &Policy) -> Command {
    let ours = confine::wrap(command, policy).expect("there is an executable");
    let mut theirs = Command::new(env!("CARGO_BIN_EXE_veracity"));
    theirs.args(ours.get_args()).env_clear();
    theirs.envs(ours.get_envs().filter_map(|(name, value)| Some((name, value?))));
    theirs.current_dir(ours.get_current_dir().expect("it was given"));
    theirs
}

fn says(output: &Output) -> String {
    String::from_utf8_lossy(&output.stdout).into_owned()
}

#[test]
fn a_confined_program_reads_the_report_and_writes_its_outbox() {
    let place = tempfile::tempdir().expect("a temporary folder");
    let script = "echo $(<report/a.md); echo x > outbox/x && echo written";
    let Some(output) = confined(place.path(), Processes::Some, script) else { return };
    assert_eq!(says(&output), "# A\nwritten\n", "{output:?}");
}

#[test]
fn files_of_the_person_and_the_report_are_safe() {
    let place = tempfile::tempdir().expect("a temporary folder");
    let home = std::env::var("HOME").unwrap_or_default();
    let script = format!(
        "read x < secret && echo read $x; echo x > report/a.md && echo wrote;
         read x < /etc/passwd && echo passwd; for f in {home}/.*; do read x < $f && echo home; done;
         cd {home} 2>/dev/null; for f in *; do [ \"$f\" = '*' ] || echo listed; done; true"
    );
    let Some(output) = confined(place.path(), Processes::None, &script) else { return };
    assert_eq!(says(&output), "", "{output:?}");
    assert!(free(place.path(), &script).contains("wrote\npasswd\n"));
}

#[test]
fn nothing_leaves_by_a_network() {
    let listener = std::net::TcpListener::bind("127.0.0.1:0").expect("a port is free");
    let port = listener.local_addr().expect("it is bound").port();
    let place = tempfile::tempdir().expect("a temporary folder");
    let script = format!(
        "exec 3<>/dev/tcp/127.0.0.1/{port} && echo tcp; exec 3<>/dev/udp/127.0.0.1/{port} && echo udp; true"
    );
    for processes in [Processes::None, Processes::Some] {
        let Some(output) = confined(place.path(), processes, &script) else { return };
        assert_eq!(says(&output), "", "{output:?}");
    }
    assert_eq!(free(place.path(), &script), "tcp\nudp\n");
}

#[test]
fn no_process_is_started_and_none_is_signalled() {
    let place = tempfile::tempdir().expect("a temporary folder");
    // The shell gives up a failed fork only after some tries, each of them refused.
    let script = format!("kill -0 {} && echo signalled; true & echo forked", std::process::id());
    let Some(output) = confined(place.path(), Processes::None, &script) else { return };
    assert_eq!(says(&output), "", "{output:?}");
    assert_eq!(free(place.path(), &script), "signalled\nforked\n");
    let script = format!("kill -0 {} && echo signalled; true", std::process::id());
    let Some(output) = confined(place.path(), Processes::Some, &script) else { return };
    assert_eq!(says(&output), "", "{output:?}");
}

#[test]
fn a_file_cannot_fill_the_disk_and_memory_has_an_end() {
    let place = tempfile::tempdir().expect("a temporary folder");
    let script = "printf '%08000000d' 1 > outbox/big";
    let Some(output) = confined(place.path(), Processes::Some, script) else { return };
    assert!(!output.status.success(), "{output:?}");
    let size = fs::metadata(place.path().join("outbox/big")).map_or(0, |file| file.len());
    assert!((1..=1 << 20).contains(&size), "{size} bytes");
    let script = "ulimit -v unlimited 2>/dev/null; ulimit -v";
    let Some(output) = confined(place.path(), Processes::None, script) else { return };
    assert_eq!(says(&output).trim(), ((1 << 30) / 1024).to_string(), "root cannot raise it");
}

#[test]
fn secrets_in_the_environment_do_not_get_in() {
    let policy = Policy {
        read: Vec::new(),
        execute: Vec::new(),
        write: Vec::new(),
        processes: Processes::None,
        memory: 0,
        file: 0,
        seconds: 0,
    };
    let command = confine::wrap(&Command::new("true"), &policy).expect("there is an executable");
    let names: Vec<_> = command.get_envs().map(|(name, _)| name.to_string_lossy()).collect();
    assert!(names.iter().all(|name| !name.contains("TOKEN") && !name.starts_with("CARGO_BIN")));
}
