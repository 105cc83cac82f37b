//! Downloads from a server on this machine that does everything that servers do.

use std::io::{BufRead, BufReader};
use std::net::TcpListener;
use std::sync::{Arc, Mutex};

use super::*;
use crate::config;
use crate::data::DataSet;
use crate::span::Source;

const WHOLE: &[u8] = b"0123456789";
const MD5_OF_WHOLE: &str = "md5:781e5e245d69b566979b86e28d23f2c7";

/// What the server does with one connection.
enum Reply {
    /// Sends bytes and hangs up.
    Send(Vec<u8>),
    /// Sends bytes and then nothing, for as long as the client waits.
    Stall(Vec<u8>),
}

/// A server that gives one reply to each connection and then is gone.
struct Server {
    address: String,
    requests: Arc<Mutex<Vec<String>>>,
}

impl Server {
    fn new(replies: impl FnOnce(&str) -> Vec<Reply>) -> Self {
        let listener = TcpListener::bind("127.0.0.1:0").expect("a free port");
        let port = listener.local_addr().expect("it is bound").port();
        let address = format!("http://127.0.0.1:{port}/set.bin");
        let requests = Arc::new(Mutex::new(Vec::new()));
        let (replies, seen) = (replies(&address), Arc::clone(&requests));
        thread::spawn(move || {
            for reply in replies {
                let (mut stream, _) = listener.accept().expect("a client");
                let mut lines = BufReader::new(stream.try_clone().expect("a socket")).lines();
                let head: Vec<String> = lines
                    .by_ref()
                    .map_while(Result::ok)
                    .take_while(|line| !line.is_empty())
                    .collect();
                seen.lock().expect("no test panicked").push(head.join("\n").to_lowercase());
                // A client may have hung up.
                match reply {
                    Reply::Send(bytes) => drop(stream.write_all(&bytes)),
                    Reply::Stall(bytes) => {
                        let _ = stream.write_all(&bytes);
                        // Ends when the client hangs up.
                        let _ = lines.count();
                    }
                }
            }
        });
        Self { address, requests }
    }

    fn requests(&self) -> Vec<String> {
        self.requests.lock().expect("no test panicked").clone()
    }

    /// From where each request asked.
    fn ranges(&self) -> Vec<Option<String>> {
        let range = |head: &String| {
            let line = head.lines().find_map(|line| line.strip_prefix("range: "))?;
            Some(line.to_owned())
        };
        self.requests().iter().map(range).collect()
    }
}

fn reply(status: &str, headers: &[&str], body: &[u8]) -> Vec<u8> {
    let mut head = format!("HTTP/1.1 {status}\r\nConnection: close\r\n");
    for header in headers {
        head.push_str(header);
        head.push_str("\r\n");
    }
    head.push_str("\r\n");
    [head.as_bytes(), body].concat()
}

fn whole(body: &[u8]) -> Reply {
    let length = format!("Content-Length: {}", body.len());
    Reply::Send(reply("200 OK", &[&length], body))
}

fn rest(from: usize) -> Reply {
    let range = format!("Content-Range: bytes {from}-9/10");
    let length = format!("Content-Length: {}", 10 - from);
    Reply::Send(reply("206 Partial Content", &[&range, &length], &WHOLE[from..]))
}

/// A folder of data into which one file is fetched.
struct Case {
    data: tempfile::TempDir,
    server: Server,
    entry: Entry,
    said: Vec<String>,
}

impl Case {
    fn new(replies: impl IntoIterator<Item = Reply>) -> Self {
        Self::of(Server::new(|_| replies.into_iter().collect()), "")
    }

    fn of(server: Server, more: &str) -> Self {
        let text = format!(
            "datasets: {{set: {{title: S, licence: L, citation: C, files: \
             [{{address: '{}', checksum: '{MD5_OF_WHOLE}'{more}}}]}}}}",
            server.address
        );
        let (mut manifest, found) = config::manifest(&Source::new("manifest.yaml", text));
        assert!(found.is_empty(), "{found:?}");
        let entry = manifest.datasets.remove("set").expect("it is there");
        let data = tempfile::tempdir().expect("a temporary folder");
        Self { data, server, entry, said: Vec::new() }
    }

    fn path(&self, name: &str) -> PathBuf {
        self.data.path().join("set").join(name)
    }

    /// As if so much had been downloaded before.
    fn with_part(self, bytes: &[u8]) -> Self {
        fs::create_dir_all(self.path("")).expect("it can be made");
        fs::write(self.path("set.bin.part"), bytes).expect("it can be written");
        self
    }

    fn fetch(&mut self) -> Result<(), Diagnostic> {
        self.fetch_with(Network::Allowed)
    }

    fn fetch_with(&mut self, network: Network) -> Result<(), Diagnostic> {
        let terms = Terms {
            network,
            silence: Duration::from_millis(300),
            tries: 3,
            pause: Duration::from_millis(1),
        };
        let mut digests = Digests::none();
        let said = &mut self.said;
        fetch("set", &self.entry, self.data.path(), terms, &mut digests, &mut |step| {
            if let Step::Said(words) = step {
                said.push(words);
            }
        })
    }

    fn found(&self) -> Option<DataSet> {
        let found = find(self.data.path(), "set", Some(&self.entry), &mut Digests::none());
        found.expect("it can be read").map(|found| found.set)
    }

    #[track_caller]
    fn succeeds(&mut self) {
        if let Err(problem) = self.fetch() {
            panic!("{problem:?}\n{:?}", self.said);
        }
        assert_eq!(fs::read(self.path("set.bin")).expect("it is there"), WHOLE);
        assert!(!self.path("set.bin.part").exists());
        assert_eq!(self.found().map(|set| set.kind), Some(DataKind::Real));
    }

    #[track_caller]
    fn fails(&mut self, code: &str, words: &str) -> Diagnostic {
        let problem = self.fetch().expect_err("it cannot be fetched");
        assert_eq!(problem.code, code, "{problem:?}");
        assert!(problem.message.contains(words), "{problem:?}");
        assert!(problem.hint.is_some(), "{problem:?}");
        assert!(!self.path("set.bin").exists());
        assert_ne!(self.found().map(|set| set.kind), Some(DataKind::Real));
        problem
    }

    fn part(&self) -> Vec<u8> {
        fs::read(self.path("set.bin.part")).unwrap_or_default()
    }

    /// Contents of what was set aside.
    fn aside(&self) -> Vec<Vec<u8>> {
        fs::read_dir(self.path(""))
            .expect("it can be read")
            .map(|entry| entry.expect("it can be read").path())
            .filter(|path| path.to_string_lossy().contains("set-aside"))
            .map(|path| fs::read(path).expect("it can be read"))
            .collect()
    }
}

#[test]
fn a_file_is_downloaded_once() {
    let mut case = Case::new([whole(WHOLE)]);
    case.succeeds();
    case.succeeds();
    assert_eq!(case.server.ranges(), [None]);
    assert!(case.said.last().expect("something").contains("there already"));
}

#[test]
fn a_file_without_a_stated_length_is_taken_to_its_end() {
    let chunked = b"5\r\n01234\r\n5\r\n56789\r\n0\r\n\r\n";
    let headers = ["Transfer-Encoding: chunked"];
    Case::new([Reply::Send(reply("200 OK", &headers, chunked))]).succeeds();
    Case::new([Reply::Send(reply("200 OK", &[], WHOLE))]).succeeds();
}

#[test]
fn a_download_goes_on_where_it_was() {
    let mut case = Case::new([rest(4)]).with_part(&WHOLE[..4]);
    case.succeeds();
    assert_eq!(case.server.ranges(), [Some("bytes=4-".to_owned())]);
    // A server that cannot sends everything, and nothing of what is here is lost.
    Case::new([whole(WHOLE)]).with_part(&WHOLE[..4]).succeeds();
    // One that answers something else would spoil the file.
    let mut case = Case::new([rest(3)]).with_part(&WHOLE[..4]);
    case.fails("fetch-failed", "answers something else");
    assert_eq!(case.part(), &WHOLE[..4]);
}

#[test]
fn a_transfer_that_breaks_off_is_taken_up_again() {
    let cut = |from: usize, to: usize| {
        let range = format!("Content-Range: bytes {from}-9/10");
        let length = format!("Content-Length: {}", 10 - from);
        let status = if from == 0 { "200 OK" } else { "206 Partial Content" };
        reply(status, &[&range, &length], &WHOLE[from..to])
    };
    let mut case = Case::new([Reply::Send(cut(0, 4)), Reply::Stall(cut(4, 7)), rest(7)]);
    case.succeeds();
    let ranges = case.server.ranges();
    let from = |at: usize| ranges[at].as_deref();
    assert_eq!((from(0), from(1), from(2)), (None, Some("bytes=4-"), Some("bytes=7-")));
    assert!(case.said.iter().any(|words| words.contains("after 4 of 10 bytes")), "{:?}", case.said);
    assert!(case.said.iter().any(|words| words.contains("nothing came")), "{:?}", case.said);

    let mut case = Case::new([0, 4, 4].map(|from| Reply::Send(cut(from, 4))));
    let problem = case.fails("fetch-failed", "after 4 of 10 bytes");
    assert!(problem.notes.iter().any(|note| note.contains("kept in")), "{problem:?}");
    assert_eq!(case.part(), &WHOLE[..4]);
}

#[test]
fn a_server_that_says_nothing_is_given_up() {
    let mut case = Case::new([0; 3].map(|_| Reply::Stall(Vec::new())));
    case.fails("fetch-failed", "nothing came for 0.3 s");
    assert_eq!(case.server.requests().len(), 3);
}

#[test]
fn a_wrong_file_is_set_aside() {
    let mut case = Case::new([whole(b"0123456x89"), whole(WHOLE)]);
    let problem = case.fails("fetch-corrupt", "its checksum is");
    assert!(problem.notes.iter().any(|note| note.contains(MD5_OF_WHOLE)), "{problem:?}");
    assert_eq!(case.aside(), [b"0123456x89"]);
    case.succeeds();
    assert_eq!(case.server.ranges(), [None, None]);
    // So is one that somebody else put there.
    let mut case = Case::new([whole(WHOLE)]);
    fs::create_dir_all(case.path("")).expect("it can be made");
    fs::write(case.path("set.bin"), "a subset").expect("it can be written");
    case.succeeds();
    assert_eq!(case.aside(), [b"a subset"]);
}

#[test]
fn what_a_server_refuses_is_told_with_what_to_do() {
    for (status, hint) in [("404 Not Found", "manifest"), ("403 Forbidden", "browser")] {
        let mut case = Case::new([Reply::Send(reply(status, &["Content-Length: 0"], b""))]);
        let problem = case.fails("fetch-failed", status);
        assert!(problem.hint.expect("there is one").contains(hint));
        assert_eq!(case.server.requests().len(), 1);
    }
}

#[test]
fn a_server_in_trouble_is_asked_again() {
    let trouble = || Reply::Send(reply("500 Internal Server Error", &["Content-Length: 0"], b""));
    let busy = || Reply::Send(reply("503 Service Unavailable", &["Content-Length: 0"], b""));
    Case::new([trouble(), busy(), whole(WHOLE)]).succeeds();
    let mut case = Case::new([trouble(), trouble(), trouble()]);
    case.fails("fetch-failed", "500");
    assert_eq!(case.server.requests().len(), 3);
}

#[test]
fn a_server_that_has_nothing_more_is_understood() {
    let nothing = |total: u64| {
        let range = format!("Content-Range: bytes */{total}");
        Reply::Send(reply("416 Range Not Satisfiable", &[&range, "Content-Length: 0"], b""))
    };
    Case::new([nothing(10)]).with_part(WHOLE).succeeds();
    // What is longer than the file is not its beginning.
    let mut case = Case::new([nothing(10), whole(WHOLE)]).with_part(b"something longer");
    case.succeeds();
    assert_eq!(case.aside(), [b"something longer"]);
    assert_eq!(case.server.ranges().len(), 2);
}

#[test]
fn a_lie_about_the_length_is_noticed() {
    let lie = |length: &str, body: &[u8]| Reply::Send(reply("200 OK", &[length], body));
    let sized = |replies: Vec<Reply>| Case::of(Server::new(|_| replies), ", size: 10");
    sized(vec![lie("Content-Length: 99", WHOLE)]).fails("fetch-failed", "offers 99 bytes");
    sized(vec![lie("X: y", b"0123456789abc")]).fails("fetch-failed", "more than 10 bytes");
    let mut case = Case::new([0; 3].map(|_| lie("Content-Length: 99", WHOLE)));
    case.fails("fetch-failed", "10 of 99 bytes");
    Case::new([lie("Content-Length: 9", WHOLE)]).fails("fetch-corrupt", "its checksum is");
    // What is longer here than the manifest says is set aside before anything is asked.
    let mut case = sized(vec![whole(WHOLE)]).with_part(b"something longer");
    case.succeeds();
    assert_eq!(case.aside(), [b"something longer"]);
}

#[test]
fn redirects_are_followed_but_not_for_ever() {
    let moved = |to: &str| {
        let location = format!("Location: {to}");
        Reply::Send(reply("302 Found", &[&location, "Content-Length: 0"], b""))
    };
    let server = Server::new(|own| vec![moved(own), moved("/elsewhere"), rest(4)]);
    let mut case = Case::of(server, "").with_part(&WHOLE[..4]);
    case.succeeds();
    assert_eq!(case.server.ranges()[2].as_deref(), Some("bytes=4-"));
    let server = Server::new(|own| (0..20).map(|_| moved(own)).collect());
    Case::of(server, "").fails("fetch-failed", "redirects more than 10 times");
}

#[test]
fn without_a_network_the_download_can_go_on_later() {
    let mut case = Case::new([]).with_part(&WHOLE[..4]);
    let problem = case.fails("fetch-failed", "connection");
    assert!(problem.hint.expect("there is one").contains("goes on where it was"));
    assert_eq!(case.part(), &WHOLE[..4]);
}

#[test]
#[cfg(unix)]
fn a_disk_without_room_is_noticed_before_anything_is_asked() {
    let server = Server::new(|_| vec![whole(WHOLE)]);
    let mut case = Case::of(server, ", size: 1000000000000000000");
    case.fails("no-room", "1000000 TB more are needed");
    assert_eq!(case.server.requests().len(), 0);
}

#[test]
fn without_leave_nothing_is_asked_and_nothing_moved() {
    let mut case = Case::new([whole(WHOLE)]).with_part(&WHOLE[..4]);
    let offline = |case: &mut Case| case.fetch_with(Network::Forbidden).map_err(|it| it.code);
    assert_eq!(offline(&mut case), Err("offline"));
    fs::write(case.path("set.bin"), "a subset").expect("it can be written");
    assert_eq!(offline(&mut case), Err("offline"));
    assert_eq!((case.part(), case.aside().len()), (WHOLE[..4].to_vec(), 0));
    fs::write(case.path("set.bin"), WHOLE).expect("it can be written");
    assert_eq!(offline(&mut case), Ok(()));
    assert_eq!(case.server.requests().len(), 0);
}

#[test]
fn two_processes_do_not_write_one_file() {
    let mut case = Case::new([whole(WHOLE)]).with_part(b"");
    let other = File::open(case.path("set.bin.part")).expect("it is there");
    other.lock().expect("it can be locked");
    assert_eq!(case.fetch().expect_err("it is locked").code, "fetch-busy");
    drop(other);
    case.succeeds();
}

/// A `tar.bz2` of files.
fn archive(files: &[(&str, &str)]) -> Vec<u8> {
    let compress = bzip2::write::BzEncoder::new(Vec::new(), bzip2::Compression::fast());
    let mut tar = tar::Builder::new(compress);
    for (path, text) in files {
        let mut header = tar::Header::new_gnu();
        // Written as it is: the library refuses to make an archive that leads out of its folder.
        header.as_gnu_mut().expect("it is one").name[..path.len()].copy_from_slice(path.as_bytes());
        header.set_size(text.len() as u64);
        header.set_mode(0o644);
        header.set_cksum();
        tar.append(&header, text.as_bytes()).expect("memory can be written");
    }
    tar.into_inner().and_then(|stream| stream.finish()).expect("memory can be written")
}

fn archived(body: &[u8]) -> Case {
    let mut sum = Sum::new(config::Algorithm::Sha256);
    sum.update(body);
    let mut case = Case::of(Server::new(|_| vec![whole(body)]), ", unpack: tar.bz2");
    case.entry.folder = "set-1.0".to_owned();
    case.entry.files[0].checksum =
        Some(Checksum { algorithm: config::Algorithm::Sha256, hex: sum.finish() });
    case
}

#[test]
fn an_archive_becomes_the_real_data_until_it_is_changed() {
    let body = archive(&[("set-1.0/a.csv", "1"), ("set-1.0/wavs/b.wav", "2")]);
    let mut case = archived(&body);
    let folder = case.data.path().join("set-1.0");
    fs::create_dir(&folder).expect("it can be made");
    fs::write(folder.join("a.csv"), "a part").expect("it can be written");
    assert_eq!(case.found().map(|set| set.kind), Some(DataKind::Subset));
    case.fetch().expect("it can be fetched");
    assert_eq!(fs::read(folder.join("wavs/b.wav")).expect("it is there"), b"2");
    assert_eq!(case.found().map(|set| set.kind), Some(DataKind::Real));
    let before = case.data.path().join(".set-1.0.set-aside-1");
    assert_eq!(fs::read(before.join("a.csv")).expect("it is kept"), b"a part");
    assert!(case.data.path().join("set.bin").is_file());
    fs::remove_file(folder.join("wavs/b.wav")).expect("it can be removed");
    assert_eq!(case.found().map(|set| set.kind), Some(DataKind::Subset));
    // The archive is still here and serves again.
    case.fetch().expect("it can be unpacked");
    assert_eq!(case.found().map(|set| set.kind), Some(DataKind::Real));
    assert_eq!(case.server.requests().len(), 1);
}

#[test]
fn an_archive_without_its_own_folder_or_that_leads_out_of_it() {
    let mut case = archived(&archive(&[("a.csv", "1")]));
    case.fetch().expect("it can be fetched");
    assert_eq!(case.found().map(|set| set.kind), Some(DataKind::Real));

    let mut case = archived(&archive(&[("set-1.0/a.csv", "1"), ("../outside", "2")]));
    let problem = case.fetch().expect_err("it leads out");
    assert_eq!(problem.code, "unpack-failed");
    assert!(problem.message.contains("`../outside`"), "{problem:?}");
    assert!(!case.data.path().with_file_name("outside").exists());
    assert!(case.found().is_none());

    let mut broken = archive(&[("set-1.0/a.csv", "1")]);
    broken.truncate(broken.len() - 4);
    let mut case = archived(&broken);
    assert_eq!(case.fetch().expect_err("it is damaged").code, "unpack-failed");
    let left: Vec<_> = fs::read_dir(case.data.path()).expect("it can be read").collect();
    assert_eq!(left.len(), 1, "{left:?}");
}
