//! Questions to a chapter: through the live kernel, and from a served page.

use std::collections::BTreeMap;
use std::fs;
use std::io::{BufRead, BufReader, Write};
use std::path::{Path, PathBuf};
use std::process::{Command, Stdio};
use std::sync::{Arc, Mutex};

use veracity::console::{self, Answer, Console};
use veracity::diag::Diagnostic;
use veracity::exec::ExecEvent;
use veracity::kernel::Event;
use veracity::kernel::live::Pool;
use veracity::kernel::scripted::ScriptedKernel;
use veracity::kernel::{Ending, Outcome};
use veracity::pipeline::{self, BuildEvent, BuildRequest, Ground, KernelChoice, Prepare};
use veracity::serve::{Access, Board, Consoles, Options, Server};
use veracity::session::{Stepper, Update};
use veracity_protocol::{Artifact, CellOutput};

const CHAPTER: &str = r#"# Asked

$$ T(n) = \frac{n(n+1)}{2} $$ {#eq-t}

```rust,module
pub fn double(x: u64) -> u64 { 2 * x }
```

```rust,cell
let n: u64 = 21;
let mut all = vec![1_u64, 2];
lab::value("n", n);
```

```rust,cell
all.push(3);
lab::value("sum", all.iter().sum::<u64>());
```

The sum is [6](claim:sum).
"#;

/// Every file below a folder with its content.
fn files(folder: &Path) -> BTreeMap<PathBuf, Vec<u8>> {
    let mut all = BTreeMap::new();
    for entry in fs::read_dir(folder).into_iter().flatten().flatten() {
        match entry.path() {
            path if path.is_dir() => all.extend(files(&path)),
            path => drop(all.insert(path.clone(), fs::read(path).expect("it can be read"))),
        }
    }
    all
}

#[test]
fn answers_come_from_the_chapters_state_and_change_nothing() {
    let test = "answers_come_from_the_chapters_state_and_change_nothing";
    let Some(executable) = super::live::companion(test) else { return };
    let root = Path::new(env!("CARGO_TARGET_TMPDIR")).join("live");
    let report = tempfile::tempdir().expect("a temporary folder");
    let chapter = report.path().join("asked.md");
    fs::write(report.path().join("report.yaml"), "title: T\nchapters: [asked.md]\n")
        .expect("it can be written");
    fs::write(&chapter, CHAPTER).expect("it can be written");
    let request = BuildRequest {
        // What is compiled there stays for the next run of the test.
        out: root.join("build"),
        kernel: KernelChoice::Console(Arc::new(Pool::of(executable))),
        ..super::serve::request(report.path())
    };
    let opened = Console::open(&request, "asked", Arc::new(pipeline::prepare), &|_| ());
    let mut console = opened.unwrap_or_else(|problems| panic!("{problems:?}"));
    assert_eq!(console.cells().count(), 2);
    let values: Vec<String> = console.values().map(console::published).collect();
    assert_eq!(values, ["n = 21", "sum = 6"]);
    let stored = files(&request.out.join("cache/cells"));
    // The names at once; what types tell as soon as evcxr has read the crates, each call waiting a while.
    assert_eq!(console.complete("1 + dou").words, ["double"]);
    let known = (0..500).map(|_| console.complete("Check::ho")).find(|it| !it.words.is_empty());
    let known = known.expect("evcxr answers");
    assert_eq!((known.typed, known.words), (2, vec!["holds(".to_owned()]));
    let mut ask = |input: &str| console.ask(input, &|_| ()).expect("the report is there");
    let mut told = |input: &str| {
        let answer = ask(input);
        match &answer.problem {
            Some(problem) => {
                format!("{}{}: {}", console::words(&answer), place(problem), problem.message)
            }
            None => console::words(&answer),
        }
    };
    assert_eq!(told("double(n) + all.len() as u64"), "45\n");
    assert_eq!(told("equation!(\"eq-t\").call([3])"), "6\n");
    assert_eq!(told("let twice: Vec<u64> =\n    all.iter().map(|x| double(*x)).collect();"), "");
    assert_eq!(told("all.push(100);\nprintln!(\"{}\", all.len())"), "4\n");
    assert_eq!(told("twice"), "[2, 4, 6]\n");
    assert_eq!(told("lab::value(\"sum\", 7);"), "sum = 7\n");
    let wrong = told("let y = 1;\nlet z: u8 = nothing;");
    assert!(wrong.starts_with("input 7:2:13: cannot find value `nothing`"), "{wrong}");
    let wrong = told("let é = \"x\";\n  panic!(\"{} {é}\", all.len());");
    assert_eq!(wrong, "input 8:2:3: this cell panicked: 4 x");
    let wrong = told("eprintln!(\"before\");\npanic!(\"once\\ntold\");");
    assert_eq!(wrong, "before\ninput 9:2:1: this cell panicked: once\ntold");
    // What the panic took along is made again, an input before it included.
    assert_eq!(told("all.len() + twice.len()"), "7\n");
    assert!(told("let s = \"").contains("cannot be read"));

    let interrupter = console.interrupter();
    let answer = console.ask("all.push(0);\nloop {}", &|event| {
        if let BuildEvent::Exec(ExecEvent::Kernel { event: Event::Started { cell: 6.. }, .. }) =
            event
        {
            interrupter.interrupt();
        }
    });
    let problem = answer.expect("the report is there").problem.expect("it was interrupted");
    assert_eq!(problem.code, "interrupted");
    fs::write(&chapter, CHAPTER.replace("push(3)", "push(30)")).expect("it can be written");
    let words = |answer: Answer| console::words(&answer);
    let answer = console.ask("all.iter().sum::<u64>()", &|_| ());
    assert_eq!(words(answer.expect("the report is there")), "133\n", "of the chapter as it is now");
    assert_eq!(files(&request.out.join("cache/cells")), stored);
    assert!(!request.out.join("report").exists() && !request.out.join("claims.json").exists());
}

#[test]
#[cfg(unix)]
fn a_signal_ends_a_console_that_waits_for_input() {
    let test = "a_signal_ends_a_console_that_waits_for_input";
    let Some(executable) = super::live::companion(test) else { return };
    let report = tempfile::tempdir().expect("a temporary folder");
    fs::write(report.path().join("report.yaml"), "title: T\nchapters: [asked.md]\n")
        .expect("it can be written");
    fs::write(report.path().join("asked.md"), CHAPTER).expect("it can be written");
    let mut console = Command::new(env!("CARGO_BIN_EXE_veracity"))
        .args(["console", "asked", "--offline", "--root"])
        .arg(report.path())
        .arg("--out")
        .arg(Path::new(env!("CARGO_TARGET_TMPDIR")).join("live/build"))
        .env("VERACITY_LIVE", executable)
        .stdin(Stdio::piped())
        .stdout(Stdio::piped())
        .stderr(Stdio::null())
        .spawn()
        .expect("the executable starts");
    // It stays open, so that nothing but the signal ends the console.
    let mut input = console.stdin.take().expect("it is piped");
    input.write_all(b"double(n)\n").expect("it reads");
    let mut answer = String::new();
    let mut output = BufReader::new(console.stdout.take().expect("it is piped"));
    output.read_line(&mut answer).expect("it answers");
    assert_eq!(answer, "42\n");
    let kill = Command::new("kill").args(["-TERM", &console.id().to_string()]).status();
    assert!(kill.is_ok_and(|status| status.success()));
    console.wait().expect("it ends");
}

fn place(problem: &Diagnostic) -> String {
    problem.span.as_ref().map(ToString::to_string).unwrap_or_default()
}

/// A ground whose kernel has an answer to the first input.
fn scripted() -> Arc<Prepare> {
    Arc::new(|_: &BuildRequest, _: &_, _: &[&str]| {
        let text = "scripted <answer>".to_owned();
        let output = CellOutput { artifacts: vec![Artifact::Text { text }], ..Default::default() };
        let outcome = Outcome::silent(Ending::Done(output));
        let kernel = ScriptedKernel::default().with("asked/input 1", outcome);
        Ok(Ground { digest: String::new(), toolchain: String::new(), kernel: Box::new(kernel) })
    })
}

/// A served report with a panel.
pub fn served(report: &Path) -> (Server, Arc<Mutex<usize>>) {
    fs::write(report.join("report.yaml"), "title: T\nchapters: [asked.md]\n")
        .expect("it can be written");
    fs::write(report.join("asked.md"), CHAPTER).expect("it can be written");
    let request = super::serve::request(report);
    let board = Arc::new(Board::default());
    let (noted, pages) = (Arc::clone(&board), Arc::new(Mutex::new(0)));
    let count = Arc::clone(&pages);
    let subscriber = Arc::new(move |update: Update<'_>| {
        if matches!(update, Update::Page(_)) {
            *count.lock().expect("nobody panics here") += 1;
        }
        noted.note(update);
    });
    Stepper::new(request.clone(), scripted(), subscriber).settle();
    let consoles = Arc::new(Consoles::new(request, scripted()));
    let options = Options { host: "127.0.0.1".to_owned(), port: 0, access: Access::Token };
    let server = Server::start(&options, board, report.join("build"), Some(consoles));
    (server.expect("a free port"), pages)
}

#[test]
fn only_a_page_with_the_token_may_ask() {
    let folder = tempfile::tempdir().expect("a temporary folder");
    let (server, _) = served(folder.path());
    let (authority, query) = super::serve::parts(&server);
    let token = query.strip_prefix("?token=").expect("there is a token");
    let body = r#"{"page":"asked.html","input":"n"}"#;
    let ask = |path: &str, lines: &str| {
        let length = body.len();
        let lines = format!(
            "Host: {authority}\r\nContent-Type: application/json\r\nContent-Length: {length}\r\n{lines}"
        );
        super::serve::send("POST", &authority, path, &lines, body)
    };
    let (_, port) = authority.rsplit_once(':').expect("there is a port");
    let cookie = format!("Cookie: veracity-token-{port}={token}\r\n");
    let own = format!("Origin: http://{authority}\r\n");
    for path in ["/live/console", "/live/console/interrupt"] {
        for refused in
            [own.clone(), cookie.clone(), format!("{cookie}Origin: http://evil.example\r\n")]
        {
            assert!(ask(path, &refused).starts_with("HTTP/1.1 403"), "{path} {refused}");
        }
    }
    let answer = ask("/live/console", &format!("{cookie}{own}"));
    assert!(answer.starts_with("HTTP/1.1 200"), "{answer}");
    assert!(answer.contains(r#""text":"scripted <answer>\n""#), "{answer}");
    server.stop();

    let options = Options { host: "127.0.0.1".to_owned(), port: 0, access: Access::Local };
    let consoles = Arc::new(Consoles::new(super::serve::request(folder.path()), scripted()));
    let start =
        |consoles| Server::start(&options, Arc::default(), folder.path().join("build"), consoles);
    assert_eq!(start(Some(consoles)).err().map(|problem| problem.code), Some("open-console"));
    let server = start(None).expect("a free port");
    let (authority, _) = super::serve::parts(&server);
    let lines = format!(
        "Host: {authority}\r\nOrigin: http://{authority}\r\nContent-Type: application/json\r\nContent-Length: {}\r\n",
        body.len()
    );
    let answer = super::serve::send("POST", &authority, "/live/console", &lines, body);
    assert!(answer.starts_with("HTTP/1.1 404"), "{answer}");
    server.stop();
}
