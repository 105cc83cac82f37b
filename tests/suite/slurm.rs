//! Sweeps on a cluster: a real Slurm of one node, started for the test.

use std::fs;
use std::io::Write;
use std::net::TcpListener;
use std::path::{Path, PathBuf};
use std::process::{Child, Command, Output, Stdio};

use super::disk::Folder;
use super::kill::wait_for;

const PROGRAMS: [&str; 7] =
    ["munged", "slurmctld", "slurmd", "sbatch", "squeue", "scancel", "setpriv"];

/// Each job says that it began, fails if there is a file `fail-N`, and does not end while there is one
/// `wait-N`.
const CHAPTER: &str = "# A

```rust,cell
//| label: rows
//| timeout: 1m
let rows = lab::sweep(\"rows\", &[1, 2, 3], |n: &i32| {
    let mut began = std::fs::OpenOptions::new().append(true).create(true).open(\"began\").unwrap();
    std::io::Write::write_all(&mut began, format!(\"{n}\\n\").as_bytes()).unwrap();
    eprintln!(\"row {n}\");
    while std::path::Path::new(&format!(\"wait-{n}\")).exists() {
        std::thread::yield_now();
    }
    assert!(!std::path::Path::new(&format!(\"fail-{n}\")).exists(), \"row {n} is not to be\");
    n * n
});
let doubled = lab::sweep(\"doubled\", &rows, |row| 2 * row);
lab::value(\"sum\", rows.iter().chain(&doubled).sum::<i32>());
```

It is [42](claim:sum).
";

/// A cluster of this machine; its daemons end with it, and with the test however that ends.
struct Cluster {
    folder: tempfile::TempDir,
    daemons: Vec<Child>,
}

impl Cluster {
    /// Starts one; where that cannot be, says so in words that no test runner holds back.
    fn start(test: &str) -> Option<Self> {
        let skip = |why: String| {
            let _ = writeln!(
                std::io::stderr(),
                "\n*** SKIPPED: {test} needs a Slurm that it can start: {why}.\n\
                 *** As root on Debian: apt-get install slurm-wlm munge\n"
            );
            None
        };
        let missing: Vec<&str> =
            PROGRAMS.into_iter().filter(|program| find(program).is_none()).collect();
        if !missing.is_empty() {
            return skip(format!("no {}", missing.join(", ")));
        }
        if !rustix::process::geteuid().is_root() {
            return skip("only root can start jobs for a node".to_owned());
        }
        let mut cluster =
            Self { folder: tempfile::tempdir().expect("a temporary folder"), daemons: Vec::new() };
        let host = Command::new("uname").arg("-n").output().expect("uname").stdout;
        cluster.configure(String::from_utf8_lossy(&host).trim());
        let at = |name: &str| cluster.folder.path().join(name).display().to_string();
        let munge = ["--foreground", "--force"].map(str::to_owned).into_iter().chain(
            ["socket", "key-file", "pid-file", "log-file", "seed-file"]
                .map(|name| format!("--{name}={}", at(&format!("munge/{name}")))),
        );
        let munge: Vec<String> = munge.collect();
        cluster.daemon("munged", &munge);
        let socket = cluster.folder.path().join("munge/socket");
        wait_for(|| socket.exists());
        cluster.daemon("slurmctld", &["-D".to_owned(), "-i".to_owned()]);
        cluster.daemon("slurmd", &["-D", "-N", "n1"].map(str::to_owned));
        wait_for(|| cluster.said("sinfo", &["--noheader", "--format=%T"]).trim() == "idle");
        Some(cluster)
    }

    fn configure(&self, host: &str) {
        let folder = self.folder.path();
        for name in ["munge", "state", "spool"] {
            fs::create_dir(folder.join(name)).expect("a folder");
        }
        let mode = |mode| std::os::unix::fs::PermissionsExt::from_mode(mode);
        fs::set_permissions(folder.join("munge"), mode(0o700)).expect("our own folder");
        let key = folder.join("munge/key-file");
        fs::write(&key, blake3::hash(b"a key for a test").to_hex().repeat(16)).expect("a key");
        fs::set_permissions(&key, mode(0o600)).expect("our own file");
        // Held together until both are known, so that they differ.
        let free = [(); 2].map(|()| TcpListener::bind("127.0.0.1:0").expect("a free port"));
        let [control, node] = free.map(|it| it.local_addr().expect("it is bound").port());
        let at = |name: &str| folder.join(name).display().to_string();
        let settings = format!(
            "ClusterName=test\nSlurmctldHost={host}(127.0.0.1)\nSlurmctldPort={control}\n\
             SlurmUser=root\nAuthType=auth/munge\nAuthInfo=socket={}\nCredType=cred/munge\n\
             StateSaveLocation={}\nSlurmdSpoolDir={}\nSlurmctldPidFile={}\nSlurmdPidFile={}\n\
             SlurmctldLogFile={}\nSlurmdLogFile={}\nProctrackType=proctrack/linuxproc\n\
             TaskPlugin=task/none\nSwitchType=switch/none\nMpiDefault=none\n\
             SelectType=select/cons_tres\nSelectTypeParameters=CR_Core\n\
             AccountingStorageType=accounting_storage/none\nJobAcctGatherType=jobacct_gather/none\n\
             JobCompType=jobcomp/none\nReturnToService=2\nKillWait=1\n\
             SlurmdParameters=config_overrides\n\
             SchedulerParameters=batch_sched_delay=0,sched_interval=1,sched_min_interval=0\n\
             NodeName=n1 NodeHostname={host} NodeAddr=127.0.0.1 Port={node} CPUs=4 State=UNKNOWN\n\
             PartitionName=debug Nodes=n1 Default=YES State=UP\n",
            at("munge/socket"),
            at("state"),
            at("spool"),
            at("control.pid"),
            at("node.pid"),
            at("control.log"),
            at("node.log"),
        );
        fs::write(folder.join("slurm.conf"), settings).expect("the folder is ours");
    }

    fn daemon(&mut self, program: &str, arguments: &[String]) {
        let log = fs::File::create(self.folder.path().join(format!("{program}.out")));
        let daemon = Command::new("setpriv")
            .args(["--pdeathsig", "KILL"])
            .arg(find(program).expect("it was looked for"))
            .args(arguments)
            .env("SLURM_CONF", self.conf())
            .stdin(Stdio::null())
            .stdout(Stdio::null())
            .stderr(log.expect("the folder is ours"))
            .spawn();
        self.daemons.push(daemon.expect("the daemon starts"));
    }

    fn conf(&self) -> PathBuf {
        self.folder.path().join("slurm.conf")
    }

    /// What one of Slurm's commands prints.
    fn said(&self, program: &str, arguments: &[&str]) -> String {
        let mut command = Command::new(program);
        let output = command.args(arguments).env("SLURM_CONF", self.conf()).output();
        String::from_utf8_lossy(&output.expect("the command starts").stdout).into_owned()
    }

    fn build(&self, report: &Folder, arguments: &[&str]) -> Command {
        let mut command = report.command();
        command.args(["--on", "slurm"]).args(arguments).env("SLURM_CONF", self.conf());
        command
    }

    /// Names of the jobs that run or wait, by Slurm.
    fn jobs(&self) -> Vec<String> {
        let said = self.said("squeue", &["--array", "--noheader", "--format=%i"]);
        said.lines().map(|line| line.trim().to_owned()).collect()
    }
}

impl Drop for Cluster {
    fn drop(&mut self) {
        for daemon in self.daemons.iter_mut().rev() {
            // One that has ended already is what we want.
            let _ = daemon.kill();
            let _ = daemon.wait();
        }
    }
}

fn find(program: &str) -> Option<PathBuf> {
    let path = std::env::var_os("PATH").unwrap_or_default();
    let folders = std::env::split_paths(&path).chain(["/usr/sbin", "/sbin"].map(PathBuf::from));
    folders.map(|folder| folder.join(program)).find(|path| path.is_file())
}

fn began(report: &Folder) -> Vec<String> {
    let text = fs::read_to_string(report.root.join("began")).unwrap_or_default();
    let mut rows: Vec<String> = text.lines().map(str::to_owned).collect();
    rows.sort();
    rows
}

#[track_caller]
fn expect(output: &Output, status: i32, words: &[&str]) {
    let said = String::from_utf8_lossy(&output.stderr);
    assert_eq!(output.status.code(), Some(status), "{said}");
    for words in words {
        assert!(said.contains(words), "no {words:?} in {said}");
    }
}

#[test]
fn sweeps_run_as_arrays_and_only_what_is_missing_runs_again() {
    let test = "sweeps_run_as_arrays_and_only_what_is_missing_runs_again";
    let Some(cluster) = Cluster::start(test) else { return };
    let settings = "title: T\nchapters: [a.md]\ncluster: {time: 10m, partition: debug}\n";
    let report =
        Folder::new("r", &[("report.yaml", settings), ("a.md", CHAPTER)]).with_compiled_lab();
    let build = |arguments: &[&str]| {
        cluster.build(&report, arguments).output().expect("the executable starts")
    };

    let refused = build(&["--sbatch=--partition=nowhere"]);
    let told = ["error[cell-sweep]: a sweep of this cell failed", "cannot be given to Slurm"];
    expect(&refused, 1, &told);
    expect(&refused, 1, &["invalid partition", "--> a.md:6:"]);
    assert_eq!(began(&report), [""; 0]);

    // A job that fails leaves the others alone, and is told with its place and its log.
    report.write("fail-2", "");
    let told = [
        "the job 2 of \"rows\" failed: row 2 is not to be",
        "--> a.md:13:",
        "the end of its log:",
        "| row 2",
    ];
    expect(&build(&[]), 1, &told);
    assert_eq!(began(&report), ["1", "2", "3"]);
    fs::remove_file(report.root.join("fail-2")).expect("it is there");

    // One that is cancelled is named; again only what is missing runs.
    report.write("wait-2", "");
    let mut waiting = cluster.build(&report, &[]).spawn().expect("the executable starts");
    wait_for(|| began(&report).len() == 4);
    let [job] = cluster.jobs().try_into().expect("one job is open");
    cluster.said("scancel", &[&job]);
    wait_for(|| waiting.try_wait().is_ok_and(|ended| ended.is_some()));
    let cancelled = waiting.wait_with_output().expect("it has ended");
    expect(&cancelled, 1, &["the job 2 of \"rows\" was cancelled", &job]);

    // Who interrupts a build leaves no job behind.
    let mut waiting = cluster.build(&report, &[]).spawn().expect("the executable starts");
    wait_for(|| began(&report).len() == 5);
    interrupt(&waiting);
    wait_for(|| waiting.try_wait().is_ok_and(|ended| ended.is_some()));
    wait_for(|| cluster.jobs().is_empty());

    // Neither does one that is killed.
    let mut waiting = cluster.build(&report, &[]).spawn().expect("the executable starts");
    wait_for(|| began(&report).len() == 6);
    waiting.kill().expect("a child can be killed");
    waiting.wait().expect("a child can be waited for");
    wait_for(|| cluster.jobs().is_empty());

    fs::remove_file(report.root.join("wait-2")).expect("it is there");
    expect(&build(&[]), 0, &[]);
    assert_eq!(began(&report), ["1", "2", "2", "2", "2", "2", "3"]);
    let ledger = fs::read_to_string(report.root.join("build/claims.json")).expect("it is there");
    assert!(ledger.contains("\"value\": \"42\""), "{ledger}");
}

fn interrupt(build: &Child) {
    let pid = i32::try_from(build.id()).ok().and_then(rustix::process::Pid::from_raw);
    let pid = pid.expect("a process has a number");
    rustix::process::kill_process(pid, rustix::process::Signal::INT).expect("it runs");
}

#[test]
fn without_slurm_the_message_says_what_is_missing() {
    let report = Folder::new("r", &[("report.yaml", "title: T\nchapters: [a.md]\n")]);
    report.write("a.md", "# A\n");
    let with = |arguments: &[&str], path: &Path| {
        let mut command = report.command();
        command.args(["--on", "slurm"]).args(arguments).env("PATH", path);
        command.output().expect("the executable starts")
    };
    let nowhere = report.root.join("nowhere");
    expect(&with(&[], &nowhere), 3, &["error[no-slurm]", "`sbatch`, `squeue`, `scancel`"]);
    expect(&with(&["--kernel", "live"], &nowhere), 3, &["the live kernel computes"]);
    expect(&with(&["--sandbox"], &nowhere), 3, &["cannot be confined"]);
    expect(&with(&["--sbatch=us"], &nowhere), 3, &["`--sbatch`: \"us\" is no option"]);
    expect(&with(&["--sbatch=--array=1"], &nowhere), 3, &["is what a sweep itself says"]);

    // Its commands alone are no cluster.
    let commands = report.root.join("commands");
    fs::create_dir(&commands).expect("a folder");
    for name in ["sbatch", "squeue", "scancel"] {
        let path = commands.join(name);
        fs::write(
            &path,
            format!("#!/bin/sh\necho '{name}: fatal: no configuration' >&2\nexit 1\n"),
        )
        .expect("a file");
        let mode = std::os::unix::fs::PermissionsExt::from_mode(0o755);
        fs::set_permissions(&path, mode).expect("our own file");
    }
    let silent = [
        "error[no-slurm]: Slurm does not answer",
        "`squeue` says \"squeue: fatal: no configuration\"",
        "slurm.conf",
    ];
    expect(&with(&[], &commands), 3, &silent);
}
