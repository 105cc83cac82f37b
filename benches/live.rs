//! What the live kernel costs: a context, an edit, memory. `cargo bench --bench live`; needs
//! `veracity-live` (`cargo build --manifest-path crates/live/Cargo.toml`, with `--example naive` too for what
//! evcxr takes alone, which is then told beside).
//!
//! An edit of a module is measured in a session, from the write to the page, for a small network on dfdx
//! and for the modules of chapter 2.

#[cfg(unix)]
fn main() {
    live::measure();
}

#[cfg(not(unix))]
fn main() {}

#[cfg(unix)]
mod live {
    use std::fs;
    use std::path::{Path, PathBuf};
    use std::process::Command;
    use std::sync::Arc;
    use std::sync::mpsc;
    use std::time::{Duration, Instant};

    use veracity::config::ReportConfig;
    use veracity::exec::CellStatus;
    use veracity::kernel::behind::Teller;
    use veracity::kernel::live::{Absence, Pool};
    use veracity::pipeline::{self, BuildRequest, Formats, KernelChoice};
    use veracity::session::{PageState, Session, Update};
    use veracity::world::DiskWorld;

    const EDITS: usize = 15;
    const CHAPTER: &str = "chapters/1-linear-attention.md";

    /// A network and its training; `EDIT` stands where it is edited.
    const MODULE: &str = "\
pub use dfdx::optim::Sgd;
pub use dfdx::prelude::*;

pub type Net = ((Linear<8, 32>, ReLU), (Linear<32, 32>, Tanh), Linear<32, 2>);

pub fn trained(steps: usize) -> f32 {
    let device = Cpu::seed_from_u64(EDIT);
    let mut net = device.build_module::<Net, f32>();
    let mut gradients = net.alloc_grads();
    let mut sgd = Sgd::new(&net, SgdConfig { lr: 0.05, ..Default::default() });
    let x = device.sample_normal::<Rank2<64, 8>>();
    let y = device.sample_normal::<Rank2<64, 2>>();
    let mut last = 0.0;
    for _ in 0..steps {
        let loss = mse_loss(net.forward_mut(x.trace(gradients)), y.clone());
        last = loss.array();
        gradients = loss.backward();
        sgd.update(&mut net, &gradients).expect(\"all are used\");
        net.zero_grads(&mut gradients);
    }
    last
}
";

    /// Measures on copies of this report.
    pub(super) fn measure() {
        let own = Path::new(env!("CARGO_MANIFEST_DIR"));
        let built = own.join("crates/live/target");
        let named = std::env::var_os("VERACITY_LIVE").map(PathBuf::from).into_iter();
        let executable = named
            .chain(["release", "debug"].map(|kind| built.join(kind).join("veracity-live")))
            .find(|path| path.is_file())
            .expect("veracity-live is built");
        // One part alone if it is named: `contexts`, `modules` or `evcxr`.
        let named = std::env::args().skip(1).find(|word| !word.starts_with('-'));
        let is_wanted = |part: &str| named.as_ref().is_none_or(|named| named == part);
        if is_wanted("contexts") {
            contexts(own, executable.clone());
        }
        if is_wanted("modules") {
            networks(own);
        }
        if is_wanted("evcxr") {
            alone(own, &executable);
        }
    }

    fn networks(own: &Path) {
        let cell = "lab::value(\"loss\", f64::from(trained(50)));";
        let small =
            format!("# Network\n\n```rust,module\n{MODULE}```\n\n```rust,cell\n{cell}\n```\n");
        modules(own, "small network", |n| small.replace("EDIT", &n.to_string()));
        let text = fs::read_to_string(own.join("chapters/2-convolutional-networks.md"));
        let chapter = without_trainings(&text.expect("this report is whole"));
        modules(own, "chapter 2 without trainings", |n| {
            chapter.replace("DROPOUT: f64 = 0.7", &format!("DROPOUT: f64 = 0.{}", 100 + n))
        });
    }

    /// A chapter's modules and its first two cells, which build its networks.
    fn without_trainings(chapter: &str) -> String {
        let mut text = "# Network\n".to_owned();
        let mut cells = 0;
        for block in chapter.split("\n```rust,").skip(1) {
            let (code, _) = block.split_once("\n```\n").expect("a block ends");
            cells += usize::from(code.starts_with("cell"));
            if code.starts_with("module") || cells <= 2 && code.starts_with("cell") {
                text.push_str(&format!("\n```rust,{code}\n```\n"));
            }
        }
        text
    }

    /// Edits of a module in a session as `watch` has it, which opens no context for cells as quick as these.
    fn modules(own: &Path, name: &str, text: impl Fn(usize) -> String) {
        let root = Path::new(env!("CARGO_TARGET_TMPDIR")).join("network-bench");
        fs::create_dir_all(&root).expect("the target folder can be written");
        let _ = fs::remove_dir_all(root.join("build/cache"));
        let settings = fs::read_to_string(own.join("report.yaml")).expect("this report is whole");
        let nets = own.join("crates/nets").display().to_string();
        let (_, dependencies) = settings.split_once("dependencies:").expect("there are some");
        let dependencies = dependencies.replace("crates/nets", &nets);
        let settings =
            format!("title: Network\nchapters: [network.md]\ndependencies:{dependencies}");
        fs::write(root.join("report.yaml"), settings).expect("the target folder can be written");
        fs::copy(own.join("Cargo.lock"), root.join("Cargo.lock")).expect("this report is whole");
        let write = |n| {
            fs::write(root.join("network.part"), text(n)).expect("the folder can be written");
            fs::rename(root.join("network.part"), root.join("network.md")).expect("renamed");
        };
        write(0);
        let pool = Arc::new(Pool::looking(Absence::GiveUp));
        let request = BuildRequest {
            formats: Formats { html: true, pdf: false },
            jobs: 2,
            kernel: KernelChoice::Live(Arc::clone(&pool)),
            ..BuildRequest::of(&root)
        };
        let (sender, told) = mpsc::channel();
        let ready = sender.clone();
        let tell: Teller = Arc::new(move |_| {
            // A bench that has ended does not listen.
            let _ = ready.send(false);
        });
        let prepare = move |request: &BuildRequest, config: &ReportConfig, slugs: &[&str]| {
            pipeline::prepare_warm(&pool, &tell, request, config, slugs)
        };
        let subscriber = move |update: Update<'_>| match update {
            Update::Page(page) if page.state == PageState::Final => {
                let mut cells = page.evaluated.executed.chapters[0].cells.iter();
                let failed = cells.find(|cell| matches!(cell.status, CellStatus::Failed(_)));
                assert!(failed.is_none(), "{failed:?}");
                // After the last edit nobody listens.
                let _ = sender.send(true);
            }
            Update::Trouble(problems) => panic!("{problems:?}"),
            _ => {}
        };
        let session = Session::start(request, Arc::new(prepare), Arc::new(subscriber));
        let page = || while !told.recv_timeout(Duration::from_secs(900)).expect("a page") {};
        page();
        let times = (1..=7).map(|n| {
            // Nothing of the edit before goes on.
            while told.recv_timeout(Duration::from_secs(1)).is_ok() {}
            let began = Instant::now();
            write(n);
            page();
            began.elapsed()
        });
        let times: Vec<Duration> = times.collect();
        session.stop();
        summary(&format!("module edited, {name}"), times);
    }

    /// What evcxr takes without all this, if its example is built.
    fn alone(own: &Path, executable: &Path) {
        let example = executable.with_file_name("examples").join("naive");
        if !example.is_file() {
            println!("evcxr alone: not measured; build it with `--example naive`");
            return;
        }
        let folder = Path::new(env!("CARGO_TARGET_TMPDIR")).join("naive-bench");
        fs::create_dir_all(&folder).expect("the target folder can be written");
        let settings = fs::read_to_string(own.join("report.yaml")).expect("this report is whole");
        let version =
            settings.split_once("dfdx: { version: \"").and_then(|(_, rest)| rest.split_once('"'));
        let (version, _) = version.expect("the report uses dfdx");
        let dependency = format!(
            ":dep dfdx = {{ version = \"{version}\", default-features = false, features = [\"std\", \"cpu\"] }}\n"
        );
        let mut command = Command::new(example);
        let texts = [
            ("deps", dependency.as_str()),
            ("module", MODULE),
            ("cell", "println!(\"{}\", trained(50));"),
        ];
        for (name, text) in texts {
            fs::write(folder.join(name), text).expect("the target folder can be written");
            command.arg(folder.join(name));
        }
        let status = command.status().expect("it starts");
        assert!(status.success(), "{status}");
    }

    fn contexts(own: &Path, executable: PathBuf) {
        let root = Path::new(env!("CARGO_TARGET_TMPDIR")).join("live-bench");
        let _ = fs::remove_dir_all(root.join("build/cache"));
        fs::create_dir_all(root.join("chapters")).expect("the target folder can be written");
        for file in ["report.yaml", "Cargo.lock", "chapters/references.bib"] {
            fs::copy(own.join(file), root.join(file)).expect("this report is whole");
        }
        let settings = fs::read_to_string(own.join("report.yaml")).expect("this report is whole");
        let nets = own.join("crates/nets").display().to_string();
        let alone = settings
            .lines()
            .filter(|line| !line.trim_start().starts_with("- chapters/") || line.contains(CHAPTER));
        let settings = alone.collect::<Vec<_>>().join("\n").replace("crates/nets", &nets);
        fs::write(root.join("report.yaml"), settings).expect("the target folder can be written");
        let text = fs::read_to_string(own.join(CHAPTER)).expect("this report is whole");
        let pool = Arc::new(Pool::of(executable));
        let request = BuildRequest {
            formats: Formats { html: false, pdf: false },
            jobs: 1,
            kernel: KernelChoice::Live(Arc::clone(&pool)),
            ..BuildRequest::of(&root)
        };
        let evaluate = |probe: &str| {
            let text = format!("{text}\n```rust,cell\n{probe}\n```\n");
            fs::write(root.join(CHAPTER), text).expect("the target folder can be written");
            let began = Instant::now();
            let evaluated = pipeline::evaluate(&request, &DiskWorld::new(&root), &|_| ());
            let took = began.elapsed();
            let evaluated = evaluated.unwrap_or_else(|problems| panic!("{problems:?}"));
            // What needs data or another profile does not run here.
            let mut cells = evaluated.executed.chapters[0].cells.iter();
            let failed = cells.find(|cell| matches!(cell.status, CellStatus::Failed(_)));
            assert!(failed.is_none(), "{failed:?}");
            took
        };
        // What stands under the cells is compiled once; that is not what an edit costs.
        println!("whole chapter, what it stands on perhaps not compiled: {:?}", evaluate("0;"));
        pool.keep_only(&[]);
        println!("context and one cell: {:?}", evaluate("1;"));
        let edits = (0..EDITS).map(|n| evaluate(&format!("lab::value(\"probe\", {n});")));
        summary("thin cell edited", edits.collect());
        for (chapter, process) in pool.processes() {
            println!("memory of {chapter}: {} MB in veracity-live", resident(process) >> 20);
        }
    }

    fn summary(what: &str, mut times: Vec<Duration>) {
        times.sort();
        let (first, last) = (times[0], times[times.len() - 1]);
        println!("{what}: median {:?}, {first:?} to {last:?}", times[times.len() / 2]);
    }

    /// Bytes of memory that a process holds; 0 where nobody tells.
    fn resident(process: u32) -> u64 {
        let status = fs::read_to_string(format!("/proc/{process}/status")).unwrap_or_default();
        let line = status.lines().find_map(|line| line.strip_prefix("VmRSS:"));
        let kilobytes = line.and_then(|line| line.split_whitespace().next()?.parse::<u64>().ok());
        kilobytes.unwrap_or(0) << 10
    }
}
