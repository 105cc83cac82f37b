//! A served report over the loopback interface.

use std::io::{BufRead, BufReader, Read, Write};
use std::net::TcpStream;
use std::path::Path;
use std::process::{Command, Stdio};
use std::sync::Arc;

use veracity::kernel::scripted::ScriptedKernel;
use veracity::kernel::workspace::Network;
use veracity::pipeline::{self, BuildRequest, Formats, Ground};
use veracity::serve::{Access, Board, Options, Server};
use veracity::session::{Session, Stepper, Update};

pub fn request(root: &Path) -> BuildRequest {
    BuildRequest {
        formats: Formats { html: true, pdf: false },
        jobs: 1,
        network: Network::Forbidden,
        ..BuildRequest::of(root)
    }
}

fn report() -> tempfile::TempDir {
    let folder = tempfile::tempdir().expect("a temporary folder");
    let write = |name: &str, text: &str| {
        std::fs::write(folder.path().join(name), text).expect("it can be written");
    };
    write("report.yaml", "title: Served\nchapters: [a.md]\n");
    write("a.md", "# A <b>\n\nWords </head> and @nothing.\n");
    folder
}

fn options(port: u16, access: Access) -> Options {
    Options { host: "127.0.0.1".to_owned(), port, access }
}

/// Authority and token of an address.
pub fn parts(server: &Server) -> (String, String) {
    let rest = server.address().strip_prefix("http://").expect("it is plain HTTP");
    let (authority, query) = rest.split_once('/').expect("there is a path");
    (authority.to_owned(), query.to_owned())
}

/// The answer to a request with these further lines.
fn ask(authority: &str, path: &str, lines: &str) -> String {
    send("GET", authority, path, lines, "")
}

/// The same for any method, with a body.
pub fn send(method: &str, authority: &str, path: &str, lines: &str, body: &str) -> String {
    let mut stream = TcpStream::connect(authority).expect("it listens");
    let head = format!("{method} {path} HTTP/1.1\r\n{lines}Connection: close\r\n\r\n{body}");
    stream.write_all(head.as_bytes()).expect("it reads");
    let mut answer = Vec::new();
    stream.read_to_end(&mut answer).expect("it answers");
    String::from_utf8_lossy(&answer).into_owned()
}

/// A server of the report in a folder, with where it listens.
fn served(folder: &tempfile::TempDir) -> (Arc<Board>, Server, String) {
    let board = Arc::new(Board::default());
    let options = options(0, Access::Local);
    let server = Server::start(&options, Arc::clone(&board), folder.path().join("build"), None)
        .expect("a free port");
    let (authority, _) = parts(&server);
    (board, server, authority)
}

#[test]
fn pages_come_with_a_script_and_a_strict_policy_and_only_to_this_machine() {
    let folder = report();
    let (board, server, authority) = served(&folder);
    let host = format!("Host: {authority}\r\n");
    assert!(ask(&authority, "/", &host).contains("is being built"));

    let noted = Arc::clone(&board);
    let subscriber = Arc::new(move |update: Update<'_>| noted.note(update));
    Stepper::new(request(folder.path()), Arc::new(pipeline::prepare), subscriber).settle();
    let page = ask(&authority, "/a.html", &host);
    assert!(page.starts_with("HTTP/1.1 200"), "{page}");
    assert!(page.contains("connect-src 'self'; base-uri 'none'"));
    assert!(!page.contains("unsafe-eval") && !page.contains("script-src 'self' "));
    let (head, body) = page.split_once("</head>").expect("there is a head");
    assert!(head.contains("<script src=\"/live/live.js\""));
    assert!(body.contains("Words &lt;/head&gt; and") && body.contains("A &lt;b&gt;"));
    let on_disk = std::fs::read_to_string(folder.path().join("build/report/a.html"));
    let on_disk = on_disk.expect("it was written");
    assert!(!on_disk.contains("live.js") && !on_disk.contains("connect-src"));

    let none = ask(&authority, "/%3Cb%3E%22.html", &host);
    assert!(none.starts_with("HTTP/1.1 404") && none.contains("<code>&lt;b&gt;&quot;.html</code>"));
    assert!(none.contains("<a href=\"/\">") && !none.contains("<b>"), "{none}");
    assert!(ask(&authority, "/assets/none.css", &host).starts_with("HTTP/1.1 404"));
    assert!(ask(&authority, "/..%2f..%2fa.md", &host).starts_with("HTTP/1.1 404"));
    assert!(ask(&authority, "/", "Host: rebound.example\r\n").starts_with("HTTP/1.1 421"));
    server.stop();
    assert!(TcpStream::connect(&authority).is_err());
}

#[test]
fn a_page_hears_of_an_edit_and_of_what_is_wrong_with_it() {
    let folder = report();
    let (board, server, authority) = served(&folder);
    let mut stream = TcpStream::connect(&authority).expect("it listens");
    write!(stream, "GET /live/events HTTP/1.1\r\nHost: {authority}\r\n\r\n").expect("it reads");
    let mut lines = BufReader::new(stream).lines();
    let session = Session::start(
        request(folder.path()),
        Arc::new(pipeline::prepare),
        Arc::new(move |update| board.note(update)),
    );
    let first = hear(&mut lines, |state| state["pages"]["a.html"].is_string());
    let problem = &first["problems"][0];
    assert_eq!(problem["code"], "unknown-citation");
    assert_eq!(problem["place"], "a.md:3:20");
    assert_eq!(problem["page"], "a.html");
    // Above the first section is the head of the chapter.
    let anchor = problem["anchor"].as_str().expect("it has a place");
    let heading = format!("<h1 id=\"{anchor}\">");
    assert!(ask(&authority, "/a.html", &format!("Host: {authority}\r\n")).contains(&heading));
    let page = first["pages"]["a.html"].clone();
    std::fs::write(folder.path().join("a.md"), "# A\n\nEdited.\n").expect("it can be written");
    hear(&mut lines, |state| state["pages"]["a.html"] != page && state["problems"][0].is_null());
    std::fs::write(folder.path().join("report.yaml"), "title: [").expect("it can be written");
    let state = hear(&mut lines, |state| state["trouble"][0].is_object());
    assert!(state["pages"]["a.html"].is_string(), "the last good page stays");
    std::fs::write(folder.path().join("report.yaml"), "title: T\nchapters: [a.md]\n")
        .expect("it can be written");
    hear(&mut lines, |state| state["trouble"][0].is_null() && state["activity"].is_null());
    session.stop();
    server.stop();
}

/// Waits until what a page is told is as wanted, and gives it.
fn hear(
    lines: &mut impl Iterator<Item = std::io::Result<String>>,
    wanted: impl Fn(&serde_json::Value) -> bool,
) -> serde_json::Value {
    loop {
        let line = lines.next().expect("the stream goes on").expect("it can be read");
        let Some(data) = line.strip_prefix("data: ") else { continue };
        let state = serde_json::from_str(data).expect("it is JSON");
        if wanted(&state) {
            return state;
        }
    }
}

#[test]
fn bad_input_is_told_in_the_page_that_stays_until_it_is_mended() {
    const SETTINGS: &str = "title: Served\nchapters: [a.md, b.md]\n";
    let folder = report();
    let path = |name: &str| folder.path().join(name);
    let write = |name: &str, text: &[u8]| std::fs::write(path(name), text).expect("written");
    let is_first = |state: &serde_json::Value| {
        let is_whole = state["trouble"][0].is_null() && state["problems"][0].is_null();
        is_whole && state["activity"].is_null() && state["pages"]["a.html"].is_string()
    };
    write("report.yaml", SETTINGS.as_bytes());
    write("a.md", b"# A\n\nGood.\n");
    write("b.md", b"# B\n");
    let board = Arc::new(Board::default());
    let server = Server::start(&options(0, Access::Local), Arc::clone(&board), path("build"), None)
        .expect("a free port");
    let (authority, _) = parts(&server);
    let host = format!("Host: {authority}\r\n");
    let mut stream = TcpStream::connect(&authority).expect("it listens");
    write!(stream, "GET /live/events HTTP/1.1\r\n{host}\r\n").expect("it reads");
    let mut lines = BufReader::new(stream).lines();
    let prepare = |_: &_, _: &_, _: &[&str]| {
        let (digest, toolchain) = Default::default();
        Ok(Ground { digest, toolchain, kernel: Box::new(ScriptedKernel::default()) })
    };
    let noted = Arc::clone(&board);
    let session = Session::start(
        request(folder.path()),
        Arc::new(prepare),
        Arc::new(move |update| noted.note(update)),
    );
    let pages = hear(&mut lines, is_first)["pages"].clone();

    let bad: [(&str, &str, &[u8]); 6] = [
        ("cell-syntax", "a.md", b"# A\n\nGood.\n\n```rust,cell\nlet x = (1,\n```\n"),
        ("unclosed-fence", "a.md", b"# A\n\nGood.\n\n```rust,cell\nlet x = "),
        ("not-utf-8", "a.md", b"# A\n\nG\xc3"),
        ("yaml-syntax", "report.yaml", b"title: ["),
        ("not-utf-8", "report.yaml", b"title: \xff"),
        ("missing-key", "report.yaml", b""),
    ];
    for (code, name, text) in bad {
        let good = std::fs::read(path(name)).expect("it is there");
        write(name, text);
        let state = hear(&mut lines, |state| {
            ["trouble", "problems"].iter().any(|list| state[list][0]["code"] == code)
        });
        assert!(state["pages"]["a.html"].is_string(), "{code}");
        assert!(ask(&authority, "/a.html", &host).contains("Good."), "{code}");
        write(name, &good);
        assert_eq!(hear(&mut lines, is_first)["pages"], pages, "{code}");
    }
    let gone = |state: &serde_json::Value| state["trouble"][0]["code"] == "unreadable-file";
    std::fs::remove_file(path("a.md")).expect("it can be removed");
    hear(&mut lines, gone);
    assert!(ask(&authority, "/a.html", &host).contains("Good."));
    write("a.md", b"# A\n\nGood.\n");
    assert_eq!(hear(&mut lines, is_first)["pages"], pages);
    std::fs::rename(path("a.md"), path("c.md")).expect("it can be renamed");
    hear(&mut lines, gone);
    assert!(ask(&authority, "/a.html", &host).contains("Good."));
    write("report.yaml", SETTINGS.replace("a.md", "c.md").as_bytes());
    hear(&mut lines, |state| state["pages"]["c.html"].is_string());
    assert!(ask(&authority, "/c.html", &host).contains("Good."));
    session.stop();
    server.stop();
}

#[test]
fn a_taken_port_that_nobody_asked_for_is_replaced_by_another() {
    let folder = report();
    // If this fails, somebody else has it, which is as well.
    let _held = std::net::TcpListener::bind("127.0.0.1:4040");
    let mut serve = Command::new(env!("CARGO_BIN_EXE_veracity"))
        .args(["serve", "--offline", "--root"])
        .arg(folder.path())
        .stdin(Stdio::null())
        .stdout(Stdio::piped())
        .stderr(Stdio::piped())
        .spawn()
        .expect("the executable starts");
    let mut address = String::new();
    let mut stdout = BufReader::new(serve.stdout.take().expect("it is piped"));
    stdout.read_line(&mut address).expect("it says where it listens");
    let authority = address.trim().trim_start_matches("http://").trim_end_matches('/');
    let page = ask(authority, "/", &format!("Host: {authority}\r\n"));
    serve.kill().expect("it can be ended");
    serve.wait().expect("it has ended");
    assert!(page.starts_with("HTTP/1.1 200") && !authority.ends_with(":4040"), "{authority}");
    let mut stderr = String::new();
    serve.stderr.take().expect("it is piped").read_to_string(&mut stderr).expect("it is text");
    assert!(stderr.contains("something else listens on port 4040"), "{stderr}");
}

#[test]
fn other_machines_need_a_token_and_a_taken_port_is_said_to_be_taken() {
    let folder = report();
    let start = |options: &Options| {
        Server::start(options, Arc::new(Board::default()), folder.path().join("build"), None)
    };
    let open = Options { host: "0.0.0.0".to_owned(), port: 0, access: Access::Local };
    assert_eq!(start(&open).err().map(|problem| problem.code), Some("open-host"));
    let server = start(&Options { access: Access::Token, ..open }).expect("a free port");
    let (authority, query) = parts(&server);
    assert!(server.is_everywhere() && !authority.starts_with("0.0.0.0"), "{authority}");
    let host = format!("Host: {authority}\r\n");
    assert!(ask(&authority, &format!("/{query}"), &host).starts_with("HTTP/1.1 303"));
    server.stop();
    let server = start(&options(0, Access::Token)).expect("a free port");
    let (authority, query) = parts(&server);
    let host = format!("Host: {authority}\r\n");
    assert!(ask(&authority, "/", &host).starts_with("HTTP/1.1 403"));
    assert!(ask(&authority, "/?token=wrong", &host).starts_with("HTTP/1.1 403"));
    let welcome = ask(&authority, &format!("/{query}"), &host);
    assert!(welcome.starts_with("HTTP/1.1 303"), "{welcome}");
    let cookie = welcome
        .lines()
        .find_map(|line| line.strip_prefix("set-cookie: "))
        .and_then(|cookie| cookie.split(';').next())
        .expect("the token goes into a cookie");
    let known = format!("{host}Cookie: {cookie}\r\n");
    assert!(ask(&authority, "/", &known).starts_with("HTTP/1.1 200"));
    let port = authority.rsplit(':').next().and_then(|port| port.parse().ok()).expect("a port");
    let taken = start(&options(port, Access::Local)).err().expect("one port, one server");
    assert_eq!(taken.code, "port-taken");
    server.stop();
}
