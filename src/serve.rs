//! A report on a local page that follows its session.
//!
//! In: a [`Board`] that a session's updates are noted on. Out: the pages over HTTP, out of memory,
//! each with a script that hears of changes and brings the page up to date in its place. Nothing that
//! is served changes the report; code runs on request only if the person who serves it wants that.
//!
//! The script is only in served pages. They may connect to where they came from and to nothing
//! else, and run no other script than Veracity's own.

mod board;
mod console;
mod guard;

pub use board::Board;
pub use console::Consoles;

use std::convert::Infallible;
use std::net::{IpAddr, Ipv4Addr, Ipv6Addr, SocketAddr, TcpListener, UdpSocket};
use std::path::PathBuf;
use std::sync::Arc;
use std::time::Duration;

use axum::Router;
use axum::body::Body;
use axum::extract::{Path, Request, State};
use axum::http::{HeaderMap, HeaderValue, StatusCode, header};
use axum::middleware::{self, Next};
use axum::response::sse::{Event, KeepAlive, Sse};
use axum::response::{IntoResponse, Redirect, Response};
use axum::routing::{get, post};
use futures_util::Stream;
use tokio::runtime::{Builder, Runtime};

use self::guard::{Entry, Guard};
use crate::diag::Diagnostic;
use crate::publish;
use crate::render::html;

const SCRIPT: &str = include_str!("serve/live.js");
const STYLE: &str = include_str!("serve/live.css");

/// What served pages may do.
const POLICY: &str = "default-src 'none'; style-src 'self'; style-src-attr 'unsafe-inline'; \
                      script-src 'self'; img-src 'self' data:; font-src 'self'; \
                      connect-src 'self'; base-uri 'none'; form-action 'none'; \
                      frame-ancestors 'none'";

/// Where and to whom a report is served.
#[derive(Clone, Debug)]
pub struct Options {
    /// Name or address of an interface.
    pub host: String,
    /// Port; 0 takes any that is free.
    pub port: u16,
    /// Who may read it.
    pub access: Access,
}

/// Who may read a served report.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub enum Access {
    /// Everyone on this machine.
    Local,
    /// Everyone who has the token.
    Token,
}

/// A running server.
pub struct Server {
    runtime: Runtime,
    address: String,
    bound: IpAddr,
}

#[derive(Clone)]
struct Served {
    board: Arc<Board>,
    guard: Arc<Guard>,
    out: PathBuf,
    /// Whom pages may ask, if they may.
    consoles: Option<Arc<Consoles>>,
}

impl Server {
    /// Serves what is on the board, and the PDF in `out`; with consoles, readers may run code.
    ///
    /// # Errors
    /// If the port is taken, or no token is wanted although the host is not this machine's alone or
    /// readers may run code.
    pub fn start(
        options: &Options,
        board: Arc<Board>,
        out: PathBuf,
        consoles: Option<Arc<Consoles>>,
    ) -> Result<Self, Diagnostic> {
        let token = match options.access {
            Access::Token => Some(guard::new_token()?),
            Access::Local if consoles.is_some() => {
                return Err(Diagnostic::global(
                    "open-console",
                    "whoever may ask the code can run anything with your rights",
                )
                .hint("add `--token`"));
            }
            Access::Local if is_loopback(&options.host) => None,
            Access::Local => {
                return Err(Diagnostic::global(
                    "open-host",
                    format!("`{}` can be reached from other machines", options.host),
                )
                .hint("add `--token`, and give the address that it prints only to readers"));
            }
        };
        let listener = listen(options)?;
        let failed = |error: std::io::Error| {
            Diagnostic::global("server", format!("the report cannot be served: {error}"))
                .hint("try another port with `--port`")
        };
        let bound = listener.local_addr().map_err(failed)?;
        listener.set_nonblocking(true).map_err(failed)?;
        let runtime = Builder::new_multi_thread()
            .worker_threads(1)
            .thread_name("serve")
            .enable_all()
            .build()
            .map_err(failed)?;
        let guard = Arc::new(Guard::new(&options.host, bound.port(), token.as_deref()));
        let served = Served { board, guard, out, consoles };
        let router = Router::new()
            .route("/", get(index))
            .route("/live/events", get(events))
            .route("/live/console", get(console::activity).post(console::ask))
            .route("/live/console/interrupt", post(console::interrupt))
            .route("/live/live.js", get(|| async { text("text/javascript", SCRIPT) }))
            .route("/live/live.css", get(|| async { text("text/css", STYLE) }))
            .route("/report.pdf", get(pdf))
            .route("/{*path}", get(file))
            .layer(middleware::from_fn_with_state(served.clone(), admit))
            .with_state(served);
        runtime.spawn(async move {
            if let Ok(listener) = tokio::net::TcpListener::from_std(listener) {
                // It ends when the runtime does.
                let _ = axum::serve(listener, router).await;
            }
        });
        let token = token.map_or_else(String::new, |token| format!("?token={token}"));
        let shown = SocketAddr::new(reachable(bound.ip()), bound.port());
        Ok(Self { runtime, address: format!("http://{shown}/{token}"), bound: bound.ip() })
    }

    /// Whether it listens on every interface, of which the address names but one.
    pub fn is_everywhere(&self) -> bool {
        self.bound.is_unspecified()
    }

    /// Where a browser finds it, token included.
    pub fn address(&self) -> &str {
        &self.address
    }

    /// Ends it, open connections included.
    pub fn stop(self) {
        self.runtime.shutdown_timeout(Duration::from_millis(500));
    }
}

/// An address at which a browser finds what listens on `bound`: for every interface, the one through which
/// other networks are reached, or this machine's own if there is none.
fn reachable(bound: IpAddr) -> IpAddr {
    if !bound.is_unspecified() {
        return bound;
    }
    // Addresses for documentation: no packet leaves for them, only a route is looked up.
    let (own, beyond) = match bound {
        IpAddr::V4(_) => (IpAddr::from(Ipv4Addr::LOCALHOST), "192.0.2.1:9"),
        IpAddr::V6(_) => (IpAddr::from(Ipv6Addr::LOCALHOST), "[2001:db8::1]:9"),
    };
    let routed = UdpSocket::bind(SocketAddr::new(bound, 0)).and_then(|socket| {
        socket.connect(beyond)?;
        socket.local_addr()
    });
    routed.map_or(own, |address| address.ip())
}

fn is_loopback(host: &str) -> bool {
    let address = host.trim_start_matches('[').trim_end_matches(']').parse::<IpAddr>();
    host.eq_ignore_ascii_case("localhost") || address.is_ok_and(|address| address.is_loopback())
}

fn listen(options: &Options) -> Result<TcpListener, Diagnostic> {
    let host = options.host.trim_start_matches('[').trim_end_matches(']');
    let bound = match host.parse::<IpAddr>() {
        Ok(address) => TcpListener::bind(SocketAddr::new(address, options.port)),
        Err(_) => TcpListener::bind((host, options.port)),
    };
    bound.map_err(|error| match error.kind() {
        std::io::ErrorKind::AddrInUse => Diagnostic::global(
            "port-taken",
            format!("something else listens on port {}", options.port),
        )
        .hint("`--port 0` takes any free port, `--port N` the one that you name"),
        _ => Diagnostic::global(
            "server",
            format!("cannot listen on {}:{}: {error}", options.host, options.port),
        )
        .hint("`--host` is a name or address of this machine; ports below 1024 need rights"),
    })
}

/// Lets in who may read, and tells the browser what it may do with what it gets.
async fn admit(State(served): State<Served>, request: Request, next: Next) -> Response {
    let headers = request.headers();
    let value = |name| headers.get(name).and_then(|value: &HeaderValue| value.to_str().ok());
    let given = request.uri().query().and_then(|query| {
        query.split('&').find_map(|pair| pair.strip_prefix("token=").map(str::to_owned))
    });
    let cookies = value(header::COOKIE).unwrap_or_default();
    let mut response = match served.guard.entry(value(header::HOST), cookies, given.as_deref()) {
        Entry::Open => next.run(request).await,
        Entry::Welcome => {
            let cookie = served.guard.cookie(&given.unwrap_or_default());
            let path = request.uri().path().trim_start_matches('/');
            let mut response = Redirect::to(&format!("/{path}")).into_response();
            if let Ok(cookie) = HeaderValue::try_from(cookie) {
                response.headers_mut().insert(header::SET_COOKIE, cookie);
            }
            response
        }
        Entry::WrongHost => refused(StatusCode::MISDIRECTED_REQUEST, "This is not that host.\n"),
        Entry::NoToken => refused(
            StatusCode::FORBIDDEN,
            "This report is served to readers who have its token: open the address that \
             `veracity serve` printed.\n",
        ),
    };
    let headers = response.headers_mut();
    for (name, value) in [
        (header::CONTENT_SECURITY_POLICY, POLICY),
        (header::X_CONTENT_TYPE_OPTIONS, "nosniff"),
        (header::REFERRER_POLICY, "no-referrer"),
        (header::CACHE_CONTROL, "no-store"),
        (header::HeaderName::from_static("cross-origin-resource-policy"), "same-origin"),
    ] {
        headers.insert(name, HeaderValue::from_static(value));
    }
    response
}

fn refused(status: StatusCode, words: &'static str) -> Response {
    (status, words).into_response()
}

fn text(kind: &'static str, body: &'static str) -> Response {
    ([(header::CONTENT_TYPE, kind)], body).into_response()
}

async fn index(State(served): State<Served>) -> Response {
    page(&served, "index.html")
}

async fn file(State(served): State<Served>, Path(path): Path<String>) -> Response {
    page(&served, &path)
}

fn page(served: &Served, path: &str) -> Response {
    let Some((page, digest)) = served.board.page(path) else {
        let waiting = html::with_script(html::WAITING, &head("", served));
        return (StatusCode::OK, kind(path), Body::from(waiting)).into_response();
    };
    match page.files.get(path) {
        Some(bytes) if path.ends_with(".html") => {
            let text = String::from_utf8_lossy(bytes);
            (kind(path), Body::from(html::with_script(&text, &head(&digest, served))))
                .into_response()
        }
        Some(bytes) => (kind(path), Body::from(bytes.clone())).into_response(),
        None if path.starts_with("assets/") => {
            refused(StatusCode::NOT_FOUND, "The report has no such file.\n")
        }
        None => {
            let absent = html::absent(&page.evaluated.document, path);
            let absent = html::with_script(&absent, &head("", served));
            (StatusCode::NOT_FOUND, kind(".html"), Body::from(absent)).into_response()
        }
    }
}

/// What a served page has in its head besides.
fn head(digest: &str, served: &Served) -> String {
    let console = if served.consoles.is_some() { " data-console=\"\"" } else { "" };
    format!(
        "<link rel=\"stylesheet\" href=\"/live/live.css\"/>\
         <script src=\"/live/live.js\" data-page=\"{digest}\"{console} defer=\"\"></script>"
    )
}

fn kind(path: &str) -> HeaderMap {
    let kind = match path.rsplit_once('.').map(|(_, ending)| ending) {
        Some("html") => "text/html; charset=utf-8",
        Some("css") => "text/css; charset=utf-8",
        Some("js") => "text/javascript; charset=utf-8",
        Some("svg") => "image/svg+xml",
        Some("png") => "image/png",
        Some("jpg") => "image/jpeg",
        Some("gif") => "image/gif",
        Some("webp") => "image/webp",
        Some("csv") => "text/csv; charset=utf-8",
        Some("otf") => "font/otf",
        _ => "application/octet-stream",
    };
    HeaderMap::from_iter([(header::CONTENT_TYPE, HeaderValue::from_static(kind))])
}

async fn pdf(State(served): State<Served>) -> Response {
    match std::fs::read(served.out.join(publish::PDF_FILE)) {
        Ok(bytes) => ([(header::CONTENT_TYPE, "application/pdf")], bytes).into_response(),
        Err(_) => refused(StatusCode::NOT_FOUND, "There is no PDF yet.\n"),
    }
}

/// The state of the session, now and whenever it changes.
async fn events(
    State(served): State<Served>,
) -> Sse<impl Stream<Item = Result<Event, Infallible>>> {
    let mut changes = served.board.listen();
    changes.mark_changed();
    let board = served.board;
    let stream = futures_util::stream::unfold((changes, board), |(mut changes, board)| async {
        changes.changed().await.ok()?;
        changes.mark_unchanged();
        let event = Event::default().data(board.json());
        Some((Ok(event), (changes, board)))
    });
    Sse::new(stream).keep_alive(KeepAlive::new().interval(Duration::from_secs(15)))
}
