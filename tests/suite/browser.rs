//! A served page in a real browser, where Chromium is installed.
//!
//! The browser is driven over its own protocol: JSON in the frames of a WebSocket.

use std::io::{BufRead, BufReader, Lines, Read, Write};
use std::net::TcpStream;
use std::path::Path;
use std::process::{Child, ChildStderr, Command, Stdio};
use std::sync::Arc;
use std::time::{Duration, Instant};

use serde_json::{Value, json};
use veracity::pipeline;
use veracity::serve::{Access, Board, Options, Server};
use veracity::session::Session;

const PATIENCE: Duration = Duration::from_secs(30);

struct Browser {
    process: Child,
    stream: TcpStream,
    calls: u64,
    // What the browser goes on saying needs a reader.
    _words: Lines<BufReader<ChildStderr>>,
    _profile: tempfile::TempDir,
}

impl Browser {
    /// Starts Chromium with an empty page; none if it is not installed.
    fn start() -> Option<Self> {
        let profile = tempfile::tempdir().expect("a temporary folder");
        let mut process = Command::new("chromium")
            .args(["--headless=new", "--no-sandbox", "--disable-gpu", "--remote-debugging-port=0"])
            .arg(format!("--user-data-dir={}", profile.path().display()))
            .arg("about:blank")
            .stdout(Stdio::null())
            .stderr(Stdio::piped())
            .spawn()
            .ok()?;
        let mut lines = BufReader::new(process.stderr.take().expect("it is piped")).lines();
        let endpoint = lines
            .by_ref()
            .map_while(Result::ok)
            .find_map(|line| line.strip_prefix("DevTools listening on ws://").map(str::to_owned))
            .expect("the browser says where it listens");
        let (authority, _) = endpoint.split_once('/').expect("there is a path");
        let mut list = TcpStream::connect(authority).expect("it listens");
        write!(list, "GET /json HTTP/1.1\r\nHost: {authority}\r\nConnection: close\r\n\r\n")
            .expect("it reads");
        list.set_read_timeout(Some(PATIENCE)).expect("it can be set");
        // The connection stays open behind the list.
        let mut answer = String::new();
        let pages: Value = loop {
            let mut part = [0; 4096];
            let read = list.read(&mut part).expect("it answers");
            assert!(read > 0, "no list: {answer}");
            answer.push_str(&String::from_utf8_lossy(&part[..read]));
            let body = answer.split_once("\r\n\r\n").map_or("", |(_, body)| body);
            if let Ok(pages) = serde_json::from_str(body) {
                break pages;
            }
        };
        let page = pages
            .as_array()
            .and_then(|pages| pages.iter().find(|page| page["type"] == "page"))
            .and_then(|page| page["webSocketDebuggerUrl"].as_str())
            .expect("there is a page");
        let path = &page[page.find("/devtools").expect("a path")..];
        let mut stream = TcpStream::connect(authority).expect("it listens");
        stream.set_read_timeout(Some(PATIENCE)).expect("it can be set");
        write!(
            stream,
            "GET {path} HTTP/1.1\r\nHost: {authority}\r\nUpgrade: websocket\r\n\
             Connection: Upgrade\r\nSec-WebSocket-Key: AAAAAAAAAAAAAAAAAAAAAA==\r\n\
             Sec-WebSocket-Version: 13\r\n\r\n"
        )
        .expect("it reads");
        let mut head = Vec::new();
        while !head.ends_with(b"\r\n\r\n") {
            let mut byte = [0];
            stream.read_exact(&mut byte).expect("it answers");
            head.push(byte[0]);
        }
        Some(Self { process, stream, calls: 0, _words: lines, _profile: profile })
    }

    /// Presses a key that writes a letter.
    fn press(&mut self, key: &str) {
        for kind in ["keyDown", "keyUp"] {
            let text = if kind == "keyDown" { key } else { "" };
            self.call("Input.dispatchKeyEvent", &json!({ "type": kind, "key": key, "text": text }));
        }
    }

    fn call(&mut self, method: &str, parameters: &Value) -> Value {
        self.calls += 1;
        let call = json!({ "id": self.calls, "method": method, "params": parameters }).to_string();
        let length = u16::try_from(call.len()).expect("calls are short");
        // A mask of zeros leaves the text as it is.
        let mut frame = vec![0x81, 0x80 | 126];
        frame.extend(length.to_be_bytes());
        frame.extend([0; 4]);
        frame.extend(call.as_bytes());
        self.stream.write_all(&frame).expect("it reads");
        loop {
            let answer: Value = serde_json::from_str(&self.frame()).expect("it is JSON");
            if answer["id"] == self.calls {
                return answer["result"].clone();
            }
        }
    }

    fn frame(&mut self) -> String {
        let mut text = Vec::new();
        loop {
            let mut head = [0; 2];
            self.stream.read_exact(&mut head).expect("it answers");
            let length = match head[1] & 127 {
                126 => u64::from(u16::from_be_bytes(self.bytes())),
                127 => u64::from_be_bytes(self.bytes()),
                short => u64::from(short),
            };
            let mut part = vec![0; usize::try_from(length).expect("it fits")];
            self.stream.read_exact(&mut part).expect("it answers");
            text.extend(part);
            if head[0] & 0x80 != 0 {
                return String::from_utf8(text).expect("it is text");
            }
        }
    }

    fn bytes<const N: usize>(&mut self) -> [u8; N] {
        let mut bytes = [0; N];
        self.stream.read_exact(&mut bytes).expect("it answers");
        bytes
    }

    fn evaluate(&mut self, expression: &str) -> Value {
        let parameters = json!({ "expression": expression, "returnByValue": true });
        self.call("Runtime.evaluate", &parameters)["result"]["value"].clone()
    }

    #[track_caller]
    fn wait(&mut self, expression: &str) {
        let start = Instant::now();
        while self.evaluate(expression) != true {
            assert!(start.elapsed() < PATIENCE, "never: {expression}");
        }
    }
}

impl Drop for Browser {
    fn drop(&mut self) {
        // It may have ended by itself.
        let _ = self.process.kill();
        let _ = self.process.wait();
    }
}

#[test]
fn a_page_changes_where_it_is_read() {
    let Some(mut browser) = Browser::start() else {
        eprintln!(
            "SKIPPED: chromium is not installed, so served pages were not tried in a browser"
        );
        return;
    };
    let folder = tempfile::tempdir().expect("a temporary folder");
    let write = |name: &str, text: &str| {
        std::fs::write(folder.path().join(name), text).expect("it can be written");
    };
    let chapter = |words: &str| {
        let sections: String = (1..40).map(|n| format!("## Section {n}\n\nFiller.\n\n")).collect();
        format!("# A\n\n{words}\n\n{sections}")
    };
    write("report.yaml", "title: T\nchapters: [a.md]\n");
    write("a.md", &chapter("First."));
    let (server, session) = serve(folder.path());
    let url = format!("{}a.html", server.address());
    browser.call("Page.navigate", &json!({ "url": url }));
    browser.wait("document.querySelector('main')?.innerText.includes('First.') === true");
    browser.wait("Boolean(document.querySelector('.live-panel'))");
    browser.evaluate(
        "window.mark = 1; scrollTo({ top: 900, behavior: 'instant' }); \
         document.querySelector('a.anchor').focus({ preventScroll: true }); \
         window.at = () => Math.round(read.getBoundingClientRect().top); \
         window.read = [...document.querySelectorAll('h2')].find((it) => it.getBoundingClientRect().top > 0); \
         window.before = at()",
    );
    write("a.md", &chapter("Second <script>alert(1)</script> and [@nothing], [@none]."));
    browser.wait("document.querySelector('main').innerText.includes('Second')");
    assert_eq!(browser.evaluate("window.mark"), 1, "the page was loaded anew");
    // The problem above moves the page, not what is read.
    browser.wait(
        "Boolean(document.querySelector('h1 + .live-problem')) && Math.abs(at() - before) < 2",
    );
    assert_eq!(browser.evaluate("scrollY > 300"), true);
    let first = "document.querySelector('h1 + .live-problem').innerText.includes('nothing')";
    assert_eq!(browser.evaluate(first), true, "in the order of the text");
    assert_eq!(browser.evaluate("document.activeElement.className"), "anchor");
    assert_eq!(browser.evaluate("document.querySelectorAll('main script').length"), 0);
    browser.wait("document.querySelector('.live-status').textContent.includes('2 errors')");
    write("report.yaml", "title: [\n");
    browser.wait("document.querySelector('.live-panel').innerText.includes('report.yaml:2:1')");
    write("report.yaml", "title: T\nchapters: [a.md]\n");
    write("a.md", &chapter("Third."));
    browser.wait("document.querySelector('.live-panel').hidden");
    browser.wait("document.querySelector('main').innerText.includes('Third.')");
    assert_eq!(browser.evaluate("window.mark"), 1, "the page was loaded anew");
    session.stop();
    server.stop();
}

#[test]
#[cfg(unix)]
fn the_code_is_asked_in_a_panel() {
    let Some(mut browser) = Browser::start() else { return };
    let folder = tempfile::tempdir().expect("a temporary folder");
    let (server, pages) = super::console::served(folder.path());
    let (authority, query) = super::serve::parts(&server);
    // A link from elsewhere that brings the token must lead to the report.
    browser.call("Page.navigate", &json!({ "url": format!("http://{authority}/{query}") }));
    browser.wait("document.querySelector('main')?.innerText.includes('Asked') === true");
    browser.call("Page.navigate", &json!({ "url": format!("http://{authority}/asked.html") }));
    browser.wait("Boolean(document.querySelector('.live-toggle'))");
    browser.evaluate("document.querySelector('.live-toggle').click()");
    browser.evaluate(
        "window.enter = (text) => { const input = document.querySelector('.live-input'); \
         input.value = text; input.dispatchEvent(new KeyboardEvent('keydown', { key: 'Enter' })) }",
    );
    browser.evaluate("enter('f(')");
    browser.wait("document.querySelector('.live-input').value === 'f(\\n'");
    browser.wait("!document.querySelector('.live-input').readOnly");
    browser.evaluate("enter('n')");
    browser.wait("document.querySelector('.live-log').innerText.includes('scripted <answer>')");
    if let Ok(path) = std::env::var("VERACITY_SCREENSHOT") {
        let shot = browser.call("Page.captureScreenshot", &json!({}));
        std::fs::write(path, shot["data"].as_str().unwrap_or_default()).expect("it can be written");
    }
    assert_eq!(*pages.lock().expect("nobody panics here"), 1, "a question is no change");
    server.stop();
}

fn serve(root: &Path) -> (Server, Session) {
    let board = Arc::new(Board::default());
    let options = Options { host: "127.0.0.1".to_owned(), port: 0, access: Access::Local };
    let server =
        Server::start(&options, Arc::clone(&board), root.join("build"), None).expect("a free port");
    let session = Session::start(
        super::serve::request(root),
        Arc::new(pipeline::prepare),
        Arc::new(move |update| board.note(update)),
    );
    (server, session)
}

/// A folder with pages in which claims, values and code try to become markup.
fn hostile_folder() -> tempfile::TempDir {
    let folder = tempfile::tempdir().expect("a temporary folder");
    for file in super::html::hostile_pages() {
        let path = folder.path().join(&file.path);
        std::fs::create_dir_all(path.parent().expect("files lie in a folder")).expect("it is made");
        std::fs::write(path, file.bytes).expect("it can be written");
    }
    folder
}

#[test]
fn a_reviewer_goes_from_claim_to_claim_and_comments() {
    let Some(mut browser) = Browser::start() else {
        eprintln!("SKIPPED: chromium is not installed, so the reviewer's view was not tried");
        return;
    };
    let folder = hostile_folder();
    let url = |page: &str| format!("file://{}/{page}", folder.path().display());
    browser.call("Page.navigate", &json!({ "url": url("attention.html") }));
    browser.wait("document.querySelector('.review-opener')?.hidden === false");
    browser.press("r");
    browser.wait("document.querySelector('.review')?.hidden === false");
    browser.press("j");
    browser.wait("document.activeElement.matches('#claim-params .badge')");
    browser
        .wait("document.querySelector('.review .evidence').innerText.includes('monomials(3, 2)')");
    browser.wait("document.querySelector('.review [role=status].hidden').textContent.startsWith('Claim 1 of 9')");
    // What is typed into a comment is no command.
    browser.press("c");
    browser.wait("document.activeElement.id === 'review-comment'");
    for key in ["j", "r", "<"] {
        browser.press(key);
    }
    browser.wait("document.querySelector('#review-comment').value === 'jr<'");
    // Only the last claim passes the filter, which is on another page.
    browser.evaluate(
        "{ const select = document.querySelector('.review select'); select.value = 'hostile'; \
         select.dispatchEvent(new Event('change')); document.activeElement.blur(); }",
    );
    browser.press("n");
    browser.wait("location.pathname.endsWith('/hostile.html')");
    browser.wait("document.querySelector('.review .place')?.textContent === '1 of 1'");
    browser.wait("document.querySelector('.review .evidence').innerText.includes('<script>alert(1)</script>')");
    assert_eq!(browser.evaluate("document.querySelectorAll('.review :is(img, script)').length"), 0);
    // A comment is kept, exported and imported, and is outdated once its claim has changed.
    browser.evaluate(
        "{ const blobs = []; URL.createObjectURL = (blob) => { blobs.push(blob); return '#'; }; \
         for (const button of document.querySelectorAll('.review .files button')) \
           if (button.textContent.startsWith('Export')) button.click(); \
         Promise.all(blobs.map((blob) => blob.text())).then((texts) => { window.saved = texts; }); }",
    );
    browser.wait("window.saved?.length === 2");
    assert_eq!(browser.evaluate("JSON.parse(saved[0]).comments[0].comment"), "jr<");
    assert_eq!(browser.evaluate("JSON.parse(saved[0]).comments[0].outdated"), false);
    browser.wait("saved[1].includes('## `attention/params`') && saved[1].includes('> jr&lt;')");
    browser.evaluate(
        "{ const review = JSON.parse(saved[0]); const [one] = review.comments; \
         review.comments = [{ ...one, claim: 'attention/wrong', state: 'old', \
           comment: '<img src=x onerror=alert(1)>' }, { claim: 7 }]; \
         const files = new DataTransfer(); files.items.add(new File([JSON.stringify(review)], 'r.json')); \
         const input = document.querySelector('.review input[type=file]'); \
         input.files = files.files; input.dispatchEvent(new Event('change')); }",
    );
    browser.wait("document.querySelector('.review .told').textContent.startsWith('1 comment imported, 1 left out')");
    browser.wait("document.querySelectorAll('.review li').length === 2");
    browser.wait("document.querySelectorAll('.review li')[1].textContent.includes('outdated')");
    assert_eq!(browser.evaluate("document.querySelectorAll('.review :is(img, script)').length"), 0);
}
