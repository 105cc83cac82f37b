//! Claims that must hold on two devices.

use std::collections::BTreeMap;
use std::fs;
use std::path::Path;
use std::process::Command;

use veracity::bundle;
use veracity::claims::{Judged, Standing, Verdict};
use veracity::diag::Severity;
use veracity::kernel::scripted::ScriptedKernel;
use veracity::kernel::workspace;
use veracity::kernel::{Ending, Outcome};
use veracity::ledger;
use veracity::pipeline::{self, BuildRequest, Evaluated, Ground};
use veracity::record;
use veracity::world::DiskWorld;
use veracity_protocol::{
    BUNDLE_VERSION, Bundle, BundledChapter, CellOutput, EVENTS_FILE, Event, PlannedCell,
    RESULTS_FILE, RESULTS_HEADER, RanChapter, Results, RunPlan, SEAL_PURPOSE, STDERR_FILE,
    STDOUT_FILE, VERSION, Value, boundary, output_file,
};

use crate::disk::Folder;
use crate::scripted::{Report, float, integer, values};

const CELL: &str = "\n```rust,cell\nlab::value(\"x\", 1);\n```\n";

/// Judges one line of prose whose cell published `x` here, and perhaps on a GPU.
fn claim(line: &str, here: Value, there: Option<Value>) -> Judged {
    let text = format!("# A\n{CELL}\n{line}\n");
    let report = Report::of(&text).cell("1/cell-1", values([("x", here)]));
    let report = match there {
        Some(there) => report.elsewhere("cuda", "1/cell-1", values([("x", there)])),
        None => report,
    };
    let (mut document, _) = report.build();
    document.claims.remove(0)
}

#[test]
fn a_claim_on_both_devices_holds_if_it_holds_on_each() {
    let close = "[0.8204](claim:x \"± 1e-4; devices: cpu, cuda\")";
    let by_device = "[0.82](claim:x \"± 0.001 on cpu, ± 0.01 on cuda; devices: cpu, cuda\")";
    let wrong = "[0.9](claim:x \"refuted; devices: cpu, cuda\")";
    let (good, off) = (|| float(0.8204), || float(0.8230));
    for (line, here, there, verdict, standing) in [
        (close, good(), Some(float(0.82045)), "verified", Standing::Good),
        (close, good(), Some(off()), "refuted", Standing::Bad),
        (close, off(), Some(good()), "refuted", Standing::Bad),
        (close, good(), None, "unverified", Standing::Open),
        // What is wrong here stays wrong whatever a GPU would give.
        (close, off(), None, "refuted", Standing::Bad),
        (close, good(), Some(float(f64::NAN)), "error", Standing::Bad),
        (by_device, good(), Some(off()), "verified", Standing::Good),
        (by_device, off(), Some(good()), "refuted", Standing::Bad),
        (wrong, good(), Some(off()), "refuted", Standing::Good),
        (wrong, good(), Some(float(0.9)), "verified", Standing::Bad),
        (wrong, good(), None, "unverified", Standing::Open),
    ] {
        let judged = claim(line, here, there.clone());
        let found = (judged.verdict.word(), judged.standing());
        assert_eq!(found, (verdict, standing), "{line} with {there:?}: {judged:?}");
    }
    for line in [
        "[1](claim:x \"devices: cpu, gpu\")",
        "[1](claim:x \"devices: cuda\")",
        "[1](claim:x \"devices: cpu, cpu\")",
        "[1](claim:x \"devices: cpu, cuda; devices: cpu, cuda\")",
    ] {
        assert_eq!(claim(line, integer(1), Some(integer(1))).verdict.word(), "error", "{line}");
    }
}

#[test]
fn the_ledger_tells_what_each_device_gave_and_how_far_that_is_apart() {
    let text = format!("# A\n{CELL}\n[5](claim:x \"± 2; devices: cpu, cuda\")\n");
    let report = Report::of(&text).cell("1/cell-1", values([("x", integer(5))]));
    let report = report.elsewhere("cuda", "1/cell-1", values([("x", integer(8))]));
    let (document, _) = report.build();
    let [judged] = document.claims.as_slice() else { panic!("one claim") };
    assert_eq!(judged.relation, "± 2; devices: cpu, cuda");
    assert_eq!(
        judged.verdict,
        Verdict::Refuted("on cuda: the value is 8, off by 3 where 2 is allowed".into())
    );
    let words: Vec<String> = judged.devices.iter().map(|found| found.words()).collect();
    assert_eq!(words, ["cpu: 5", "cuda: 8, which differs by 3"]);
    let json = ledger::json(&document, &BTreeMap::new());
    for words in ["\"device\": \"cuda\"", "\"difference\": \"3\"", "\"value\": \"8\""] {
        assert!(json.contains(words), "{json}");
    }
    let alone = claim("[5](claim:x)", integer(5), Some(integer(8)));
    assert_eq!((alone.verdict, alone.devices), (Verdict::Verified, Vec::new()));
}

/// Two reports' worth of results: what the two cells of a chapter have under their keys for a device.
fn results(request: &BuildRequest, device: &str, numbers: &[(&str, f64)], folder: &Path) {
    let request = BuildRequest { device: device.into(), ..request.clone() };
    let written = pipeline::read(&DiskWorld::new(&request.root)).expect("the report is there");
    let ground = pipeline::ground(&request, &written, &pipeline::prepare, &|_| ());
    let planned = pipeline::plan(&request, written, &ground.expect("a toolchain"));
    let plan = planned.expect("the report is sound").plan;
    let [chapter] = plan.chapters.as_slice() else { panic!("one chapter") };
    let outbox = folder.join(&chapter.slug);
    fs::create_dir_all(&outbox).expect("a folder");
    let (nonce, count) = ("n0nce", chapter.cells.len());
    let streams: String = (0..=count).map(|cell| boundary(nonce, cell) + "\n").collect();
    let mut files: BTreeMap<String, String> =
        [STDOUT_FILE, STDERR_FILE].map(|name| (name.to_owned(), streams.clone())).into();
    let mut events = String::new();
    for (at, (name, number)) in numbers.iter().enumerate() {
        let name: &'static str = name.to_owned().to_owned().leak();
        let output: CellOutput = values([(name, float(*number))]);
        files.insert(output_file(at), serde_json::to_string(&output).expect("JSON"));
        let event = Event::Finished { cell: at, duration_ms: 1 };
        events.push_str(&(serde_json::to_string(&event).expect("JSON") + "\n"));
    }
    files.insert(EVENTS_FILE.to_owned(), events);
    let mut digests = BTreeMap::new();
    for (name, text) in files {
        fs::write(outbox.join(&name), &text).expect("a file");
        let digest = blake3::hash(text.as_bytes()).to_hex().to_string();
        digests.insert(format!("{}/{name}", chapter.slug), digest);
    }
    let cell = |cell: &veracity::plan::CellPlan| PlannedCell {
        id: cell.id.clone(),
        key: cell.key.to_string(),
        data: Vec::new(),
    };
    let plan = RunPlan {
        version: VERSION,
        chapter: chapter.slug.clone(),
        profile: "quick".into(),
        device: device.into(),
        seed: 42,
        nonce: nonce.into(),
        outbox: Path::new("").into(),
        memo: Path::new("").into(),
        data: Path::new("").into(),
        datasets: BTreeMap::new(),
        cells: chapter.cells.iter().map(cell).collect(),
        equations: BTreeMap::new(),
        jobs: 1,
        job: None,
        cluster: None,
        worker: None,
    };
    let bundle = Bundle {
        version: BUNDLE_VERSION,
        report: "T".into(),
        foundation: String::new(),
        compiler: String::new(),
        cuda: None,
        datasets: BTreeMap::new(),
        with_data: false,
        self_test: None,
        chapters: vec![BundledChapter { program: "programs/a".into(), plan }],
        files: BTreeMap::new(),
    };
    let ran = RanChapter { nonce: nonce.into(), failure: None };
    let all = Results {
        version: BUNDLE_VERSION,
        bundle,
        identity: "an identity".into(),
        machine: format!("a machine with {device}"),
        chapters: [(chapter.slug.clone(), ran)].into(),
        files: digests,
    };
    let json = serde_json::to_string(&all).expect("JSON");
    let mut seal = blake3::Hasher::new_derive_key(SEAL_PURPOSE);
    seal.update(all.identity.as_bytes()).update(json.as_bytes());
    let text = format!("{RESULTS_HEADER} {}\n{json}", seal.finalize().to_hex());
    fs::write(folder.join(RESULTS_FILE), text).expect("a file");
}

#[test]
fn imported_results_of_both_devices_are_compared_by_a_build_for_either() {
    const CHAPTER: &str = "# A\n\n```rust,cell\nlab::value(\"x\", 0.5);\n```\n\n\
        It is [0.5](claim:x \"± 0.01; devices: cpu, cuda\").\n\n\
        ```rust,cell\nlab::value(\"y\", 0.5);\n```\n\n\
        It is [0.50](claim:y \"devices: cpu, cuda\").\n";
    // Features that make what cells stand on another thing on a GPU; nothing is compiled.
    let settings = "title: T\nchapters: [a.md]\ndependencies:\n  extra: { path: extra, \
                    cuda-features: [fast] }\n";
    let manifest = "[package]\nname = \"extra\"\nversion = \"0.1.0\"\nedition = \"2024\"\n\
                    [features]\nfast = []\n";
    let report = Folder::new(
        "r",
        &[
            ("report.yaml", settings),
            ("a.md", CHAPTER),
            ("extra/Cargo.toml", manifest),
            ("extra/src/lib.rs", ""),
        ],
    );
    let request = super::serve::request(&report.root);
    let place = tempfile::tempdir().expect("a temporary folder");
    let import = |device: &str, y: f64| {
        let folder = place.path().join(format!("{device}-{y}"));
        results(&request, device, &[("x", 0.5), ("y", y)], &folder);
        let imported = bundle::import(&request, &folder).expect("the results are whole");
        assert_eq!((imported.device.as_str(), imported.taken), (device, 2));
        assert!(imported.refused.is_empty(), "{:?}", imported.refused);
    };
    let told = |device: &str| {
        let request = BuildRequest { device: device.into(), ..request.clone() };
        let world = DiskWorld::new(&request.root);
        let evaluated = pipeline::evaluate(&request, &world, &|_| ()).expect("a report");
        let claims = evaluated.document.claims.into_iter();
        claims.map(|claim| (claim.verdict.word(), claim.verdict.detail().to_owned())).collect()
    };
    import("cpu", 0.5);
    let without: Vec<(&str, String)> = told("cpu");
    for (verdict, words) in without {
        assert_eq!(verdict, "unverified");
        assert!(words.contains("on cuda: nothing was computed on `cuda`"), "{words}");
    }
    import("cuda", 0.497);
    assert_eq!(told("cpu"), [("verified", String::new()), ("verified", String::new())]);
    assert_eq!(told("cuda"), [("verified", String::new()), ("verified", String::new())]);

    // A record holds what was found on both, and needs neither store nor toolchain.
    let frozen = || {
        let request = BuildRequest { out: place.path().join("frozen"), ..request.clone() };
        let evaluated = pipeline::evaluate_frozen(&request, &DiskWorld::new(&request.root));
        evaluated.expect("there is a record")
    };
    let verdicts = |evaluated: &Evaluated| -> Vec<&'static str> {
        evaluated.document.claims.iter().map(|claim| claim.verdict.word()).collect()
    };
    let world = DiskWorld::new(&request.root);
    let evaluated = pipeline::evaluate(&request, &world, &|_| ()).expect("a report");
    let sources = workspace::sources(&request.root, &evaluated.config).expect("a crate");
    let (lock, outputs) = record::of(&evaluated, sources);
    record::write(&request.root, &lock, &outputs).expect("a record");
    assert_eq!(record::read(&world).expect("it is whole"), lock);
    assert_eq!(lock.elsewhere["cuda"].len(), 2);
    assert_ne!(lock.elsewhere["cuda"]["a/cell-1"].key, lock.cells["a/cell-1"].key);
    // An output tells whose it is and where it was computed.
    assert_ne!(lock.elsewhere["cuda"]["a/cell-1"].output, lock.cells["a/cell-1"].output);
    let replayed = frozen();
    assert_eq!(verdicts(&replayed), ["verified", "verified"]);
    let there = |evaluated: &Evaluated| {
        let claims = evaluated.document.claims.iter();
        claims.map(|claim| claim.devices[1].clone()).collect::<Vec<_>>()
    };
    assert_eq!(there(&replayed), there(&evaluated));
    // What has changed since, for one device alone, is not what was recorded.
    let text = CHAPTER.replace("\"y\", 0.5", "\"y\", 0.50");
    report.write("a.md", &text);
    let changed = frozen();
    assert_eq!(verdicts(&changed), ["verified", "unverified"]);
    report.write("a.md", CHAPTER);
    report.write("report.yaml", &settings.replace("cuda-features: [fast]", "cuda-features: []"));
    assert_eq!(verdicts(&frozen()), ["unverified", "unverified"]);
    report.write("report.yaml", settings);

    import("cuda", 0.51);
    let off = || ("refuted", "on cuda: the value is 0.51".to_owned());
    assert_eq!(told("cpu"), [("verified", String::new()), off()]);
    assert_eq!(told("cuda"), [("verified", String::new()), off()]);

    let mut explain = Command::new(env!("CARGO_BIN_EXE_veracity"));
    let output = explain.args(["explain", "y", "--device", "cpu", "--root"]).arg(&report.root);
    let output = output.output().expect("the executable starts");
    let said = String::from_utf8_lossy(&output.stdout);
    assert!(said.contains("cuda: 0.51, which differs by 0.01"), "{said}");
}

#[test]
fn why_nothing_is_known_of_another_device_is_told() {
    let line = "It is [1](claim:x \"devices: cpu, cuda\").\n";
    let text = format!("# A\n{CELL}\n{line}");
    let settings = "title: T\nchapters: [a.md]\n";
    let report = Folder::new("r", &[("report.yaml", settings), ("a.md", &text)]);
    let request = super::serve::request(&report.root);
    let evaluate = || {
        let done = Outcome::silent(Ending::Done(values([("x", integer(1))])));
        let kernel = ScriptedKernel::default().with("a/cell-1", done);
        let ground = Ground {
            digest: "foundation".into(),
            toolchain: "rustc 1\n".into(),
            kernel: Box::new(kernel),
        };
        let world = DiskWorld::new(&request.root);
        let written = pipeline::read(&world).expect("it can be read");
        let planned = pipeline::plan(&request, written, &ground).expect("there is a plan");
        let results = pipeline::run(&request, &planned, &*ground.kernel, &|_| ());
        pipeline::judge(planned, results, &world)
    };
    // A file where the workspace for the other device belongs.
    let devices = request.out.join("devices");
    fs::create_dir_all(&request.out).expect("a folder");
    fs::write(&devices, "").expect("a file");
    let evaluated = evaluate();
    assert_eq!(evaluated.document.claims[0].verdict.word(), "unverified");
    let [problem] = evaluated.diagnostics.as_slice() else { panic!("{:?}", evaluated.diagnostics) };
    assert_eq!((problem.code, problem.severity), ("build-folder", Severity::Warning));
    let note = "so it is not known what is stored of the device `cuda`";
    assert_eq!(problem.notes, [note]);
    // It is looked at again, and then told no more.
    fs::remove_file(&devices).expect("it is there");
    assert_eq!(evaluate().diagnostics, []);
    assert!(devices.is_dir());
    // What is known of it is not made ready again.
    fs::remove_dir_all(&devices).expect("it is there");
    assert_eq!(evaluate().diagnostics, []);
    assert!(!devices.exists());
    // The versions of crates that only it needs may be others now.
    report.write("Cargo.lock", include_str!("../../Cargo.lock"));
    assert_eq!(evaluate().diagnostics, []);
    assert!(devices.is_dir());
    fs::remove_dir_all(&devices).expect("it is there");
    // Where no claim asks for another device, nothing is looked for.
    report.write("a.md", &text.replace(" \"devices: cpu, cuda\"", ""));
    assert_eq!(evaluate().document.claims[0].verdict.word(), "verified");
    assert!(!devices.exists());
}
