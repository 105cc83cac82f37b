//! An evcxr context: what the statements stand on, and the process that runs them.
//!
//! In: dependencies, a lock file, statements. Out: how an evaluation ended, with the compiler's
//! own messages. evcxr's variables are not used: it would need rust-analyzer to name their types.
//! rust-analyzer, which takes seconds and memory to load, is asked only what may stand at a place.

use std::panic::{AssertUnwindSafe, catch_unwind};
use std::process::{Child, Command};
use std::sync::{Arc, Mutex, PoisonError};
use std::{fs, thread};

use evcxr::{CommandContext, Error, EvalContext, EvalContextOutputs};
use veracity_protocol::{LiveReply, Opening};

/// An open context.
pub struct Context {
    /// Statements never begin with a colon, so that none is taken for a command.
    evcxr: CommandContext,
}

impl Context {
    /// Opens a context in the folder that the environment names to evcxr.
    ///
    /// # Errors
    /// With the reply that says why.
    pub fn open(opening: &Opening, ender: &Ender) -> Result<Self, LiveReply> {
        let mut evcxr = start(opening, ender).map_err(unable)?;
        let mut state = evcxr.state();
        state.set_offline_mode(true);
        // Cells are thin and change often, as in the batch kernel.
        state.set_opt_level("0").map_err(unable)?;
        for (key, value) in &opening.build {
            state.set_build_env(key, value);
        }
        // All at once, as the lines of a manifest: resolved one by one, each would drop the versions
        // that the others have in the lock file.
        let lines: Vec<String> = opening
            .dependencies
            .iter()
            .enumerate()
            .map(|(at, (name, spec))| match at {
                0 => spec.clone(),
                _ => format!("{name} = {spec}"),
            })
            .collect();
        if let Some(first) = opening.dependencies.keys().next() {
            state.add_dep(first, &lines.join("\n")).map_err(unable)?;
        }
        let opened = evcxr.eval_with_state("", state);
        let context = Self { evcxr: CommandContext::with_eval_context(evcxr) };
        match opened {
            Ok(_) => Ok(context),
            Err(error) => Err(context.answer(error)),
        }
    }

    /// Compiles statements and runs them to their end.
    pub fn evaluate(&mut self, code: &str) -> LiveReply {
        match self.evcxr.execute(code) {
            Ok(_) => LiveReply::Done,
            Err(error) => self.answer(error),
        }
    }

    /// What may stand at a place in statements; nothing where evcxr does not know.
    pub fn complete(&mut self, code: &str, at: usize) -> LiveReply {
        // A place that it cannot analyse makes rust-analyzer panic now and then.
        let asked = catch_unwind(AssertUnwindSafe(|| self.evcxr.completions(code, at)));
        let Ok(Ok(found)) = asked else {
            return LiveReply::Completed { from: at, words: Vec::new() };
        };
        let words = found.completions.into_iter().filter(|word| word.kind != "keyword");
        LiveReply::Completed {
            from: found.start_offset,
            words: words.map(|word| word.code).collect(),
        }
    }

    fn answer(&self, error: Error) -> LiveReply {
        match error {
            Error::CompilationErrors(errors) => LiveReply::Rejected {
                messages: errors.iter().map(|error| error.json.to_string()).collect(),
                source: self.evcxr.last_source().unwrap_or_default(),
            },
            Error::SubprocessTerminated(status) => LiveReply::Died { status },
            error => unable(error),
        }
    }
}

fn unable(error: Error) -> LiveReply {
    LiveReply::Unable { words: error.to_string() }
}

fn start(opening: &Opening, ender: &Ender) -> Result<EvalContext, Error> {
    let mut command = Command::new(std::env::current_exe()?);
    command.current_dir(&opening.root).envs(&opening.run);
    // With a group of its own it can be ended together with what it starts.
    #[cfg(unix)]
    std::os::unix::process::CommandExt::process_group(&mut command, 0);
    let (evcxr, outputs) = EvalContext::with_subprocess_command(command)?;
    drain(outputs);
    ender.set(evcxr.process_handle());
    // evcxr has resolved an empty package meanwhile, which empties a lock file.
    fs::write(&opening.lock_file, &opening.lock)?;
    Ok(evcxr)
}

/// Reads what the process that runs statements prints, which would block otherwise. Cells print
/// into pipes of their own, so this is nobody's.
fn drain(outputs: EvalContextOutputs) {
    let EvalContextOutputs { stdout, stderr } = outputs;
    thread::spawn(move || stdout.iter().for_each(drop));
    thread::spawn(move || stderr.iter().for_each(|line| eprintln!("{line}")));
}

/// Ends the process that runs statements, from any thread.
#[derive(Clone, Default)]
pub struct Ender(Arc<Mutex<Option<Arc<Mutex<Child>>>>>);

impl Ender {
    fn set(&self, process: Arc<Mutex<Child>>) {
        *self.0.lock().unwrap_or_else(PoisonError::into_inner) = Some(process);
    }

    /// Ends it with all that it started.
    pub fn end(&self) {
        let process = self.0.lock().unwrap_or_else(PoisonError::into_inner).clone();
        let Some(process) = process else { return };
        let mut process = process.lock().unwrap_or_else(PoisonError::into_inner);
        #[cfg(unix)]
        if let Ok(None) = process.try_wait()
            && let Ok(pid) = i32::try_from(process.id())
            && let Some(pid) = rustix::process::Pid::from_raw(pid)
        {
            // The group may have ended meanwhile.
            let _ = rustix::process::kill_process_group(pid, rustix::process::Signal::KILL);
        }
        // A process that has ended already is what we want.
        let _ = process.kill();
    }
}
