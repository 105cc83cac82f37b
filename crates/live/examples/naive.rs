//! What evcxr takes alone, as a notebook uses it: `naive DEPENDENCIES MODULE CELL`, three files.
//!
//! In: lines `:dep …`, items, and an expression that uses them. Out: how long evcxr takes until the
//! expression has run after an edit of one and of the other, with medians. `benches/live.rs` of the report
//! builder runs it beside its own figures.

use std::time::{Duration, Instant};

use evcxr::CommandContext;

/// Times each edit is made.
const EDITS: usize = 7;

fn main() {
    evcxr::runtime_hook();
    let mut texts = std::env::args().skip(1).map(|path| {
        std::fs::read_to_string(&path).unwrap_or_else(|error| panic!("{path}: {error}"))
    });
    let mut next = || texts.next().expect("three files are named");
    let (dependencies, module, cell) = (next(), next(), next());
    let (mut evcxr, outputs) = CommandContext::new().expect("evcxr starts");
    std::thread::spawn(move || outputs.stderr.iter().for_each(drop));
    std::thread::spawn(move || outputs.stdout.iter().for_each(drop));
    let mut evaluate = |text: &str| {
        if let Err(error) = evcxr.execute(text) {
            panic!("evcxr refuses `{text}`: {error}");
        }
    };
    let began = Instant::now();
    dependencies.lines().for_each(&mut evaluate);
    evaluate(&module.replace("EDIT", "0"));
    evaluate(&cell);
    println!("evcxr alone: dependencies, module and cell: {:?}", began.elapsed());
    let mut edits = |what: &str, edit: &mut dyn FnMut(usize, &mut dyn FnMut(&str))| {
        let mut times: Vec<Duration> = (0..EDITS)
            .map(|n| {
                let began = Instant::now();
                edit(n, &mut evaluate);
                began.elapsed()
            })
            .collect();
        times.sort();
        let (first, last) = (times[0], times[EDITS - 1]);
        println!("evcxr alone: {what}: median {:?}, {first:?} to {last:?}", times[EDITS / 2]);
    };
    edits("thin cell edited", &mut |n, evaluate| {
        evaluate(&format!("println!(\"{{}}\", 1 + {n});"))
    });
    edits("module edited, its cell run again", &mut |n, evaluate| {
        evaluate(&module.replace("EDIT", &(n + 1).to_string()));
        evaluate(&cell);
    });
}
