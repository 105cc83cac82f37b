//! `veracity console CHAPTER`: a prompt behind the chapter's cells.
//!
//! In: lines from a terminal or a pipe. Out: what they give, on standard output; problems on standard
//! error. Left out: what an input means, which is [`crate::console`]'s.

use std::borrow::Cow;
use std::cell::RefCell;
use std::io::IsTerminal;
use std::path::PathBuf;
use std::rc::Rc;
use std::sync::Arc;

use rustyline::completion::Completer;
use rustyline::error::ReadlineError;
use rustyline::highlight::{CmdKind, Highlighter, MatchingBracketHighlighter};
use rustyline::hint::Hinter;
use rustyline::history::FileHistory;
use rustyline::validate::{ValidationContext, ValidationResult, Validator};
use rustyline::{CompletionType, Config, Context, Editor, Helper};

use super::{Session, explain};
use crate::console::{self, Console, Need};
use crate::diag::{Diagnostic, printable};
use crate::exec::CellStatus;
use crate::kernel::live::{Pool, cache_folder};
use crate::kernel::process;
use crate::pipeline::{self, BuildEvent, BuildRequest, KernelChoice};
use crate::terminal;

const HELP: &str = "\
Type Rust: an expression, statements, or items. It sees what a cell at the chapter's end would see.
Nothing typed here changes the report.

  :values     what the chapter's cells have published
  :cells      its cells and what became of them
  :claim ID   how a claim was judged
  :help       this
  :quit       leaves, as Ctrl-D does

Ctrl-C ends what is running. An input that is not whole goes on in the next line; an empty line ends
it anyway.
";

const COMMANDS: [&str; 5] = [":cells", ":claim ", ":help", ":quit", ":values"];

/// Asks and answers until the input ends.
pub(super) fn console(
    session: &Session,
    request: BuildRequest,
    chapter: &str,
) -> Result<u8, Vec<Diagnostic>> {
    let request = BuildRequest { kernel: KernelChoice::Console(Arc::<Pool>::default()), ..request };
    let show = |event: BuildEvent<'_>| session.progress.show(event);
    let hidden = terminal::hide_keys();
    let console = Console::open(&request, chapter, Arc::new(pipeline::prepare), &show)?;
    session.progress.finish();
    drop(hidden);
    if process::interrupted() {
        return Ok(0);
    }
    session.problems(&console.evaluated().diagnostics);
    if std::io::stdin().is_terminal() {
        session.say(&format!("{}; :help tells more\n", console.chapter().source.path()));
    }
    let history = cache_folder().map(|folder| folder.join("console-history"));
    // Without a folder for it, the history ends with the console.
    let _ = history.as_ref().and_then(|history| history.parent()).map(std::fs::create_dir_all);
    // The line editor asks it while a person types, and a run needs it alone; never both.
    let console = Rc::new(RefCell::new(console));
    let mut editor =
        editor(history.as_ref(), Rc::clone(&console)).map_err(|error| vec![no_terminal(&error)])?;
    let mut wrong = false;
    loop {
        let line = match prompt(&mut editor) {
            Some(Ok(line)) => line,
            // As in a shell, this gives up the line.
            Some(Err(ReadlineError::Interrupted)) => continue,
            Some(Err(ReadlineError::Eof)) | None => break,
            Some(Err(error)) => return Err(vec![no_terminal(&error)]),
        };
        if line.trim().is_empty() {
            continue;
        }
        // What cannot be remembered can still be asked.
        let _ = editor.add_history_entry(line.as_str());
        if let Some(history) = &history {
            let _ = editor.append_history(history);
        }
        match line.trim().strip_prefix(':') {
            Some("quit" | "q") => break,
            Some(command) => wrong |= !obey(session, &console.borrow(), command),
            None => wrong |= !ask(session, &mut console.borrow_mut(), &line)?,
        }
        if process::interrupted() {
            break;
        }
    }
    // A person has seen what was wrong; a script needs to be told.
    Ok(if wrong && !std::io::stdin().is_terminal() { super::WRONG } else { 0 })
}

/// The next line that is typed; none if the console is to end. Nothing but the end of the process ends the
/// line editor, so a signal does that.
fn prompt(editor: &mut Editor<Prompt, FileHistory>) -> Option<rustyline::Result<String>> {
    let _lent = terminal::lend();
    let _redirected = process::redirect_interrupt(|| {
        process::end_children();
        terminal::show_keys();
        std::process::exit(130);
    });
    // One that came before is not redirected.
    (!process::interrupted()).then(|| editor.readline("> "))
}

fn no_terminal(error: &ReadlineError) -> Diagnostic {
    Diagnostic::global("terminal", error.to_string())
        .hint("the console needs a terminal; `veracity serve --console` needs none")
}

/// Runs an input; says whether it came to its end.
fn ask(session: &Session, console: &mut Console, line: &str) -> Result<bool, Vec<Diagnostic>> {
    let _hidden = terminal::hide_keys();
    let interrupter = console.interrupter();
    let redirected = process::redirect_interrupt(move || interrupter.interrupt());
    // In a log, what an input needs is of no interest.
    let shows = std::io::stderr().is_terminal();
    let show = |event: BuildEvent<'_>| {
        if shows {
            session.progress.show(event);
        }
    };
    let answer = console.ask(line, &show);
    drop(redirected);
    session.progress.finish();
    let answer = match answer {
        Ok(answer) => answer,
        // The chapter may be half-typed in an editor; the next input finds it mended.
        Err(problems) => {
            session.problems(&problems);
            return Ok(false);
        }
    };
    session.print(&printable(&console::words(&answer)));
    match &answer.problem {
        Some(problem) => session.problem(problem),
        None => return Ok(true),
    }
    Ok(false)
}

/// Does what a command says; says whether it could.
fn obey(session: &Session, console: &Console, command: &str) -> bool {
    let (word, rest) = command.split_once(char::is_whitespace).unwrap_or((command, ""));
    match (word, rest.trim()) {
        ("help" | "h", _) => session.print(HELP),
        ("values", _) => {
            let lines = console.values().map(|value| console::published(value) + "\n");
            session.print(&printable(&lines.collect::<String>()));
        }
        ("cells", _) => {
            let lines = console.cells().map(|(id, status)| format!("{id}: {}\n", told(status)));
            session.print(&printable(&lines.collect::<String>()));
        }
        ("claim", wanted) => match explain::told(console.evaluated(), wanted) {
            Ok(words) => session.print(&words),
            Err(problem) => {
                session.problem(&problem);
                return false;
            }
        },
        _ => {
            let known = COMMANDS.iter().map(|known| known.trim());
            session.problem(
                &Diagnostic::global("unknown-command", format!("there is no command `:{word}`"))
                    .did_you_mean(&format!(":{word}"), known),
            );
            return false;
        }
    }
    true
}

fn told(status: &CellStatus) -> String {
    match status {
        CellStatus::Done => "done".to_owned(),
        CellStatus::Failed(problem) => format!("failed: {}", problem.message),
        CellStatus::NotRun(_, words) => format!("not run: {words}"),
    }
}

fn editor(
    history: Option<&PathBuf>,
    console: Rc<RefCell<Console>>,
) -> rustyline::Result<Editor<Prompt, FileHistory>> {
    let config = Config::builder()
        .auto_add_history(false)
        .max_history_size(1000)?
        .completion_type(CompletionType::List)
        .build();
    let mut editor = Editor::with_config(config)?;
    editor.set_helper(Some(Prompt { console, brackets: MatchingBracketHighlighter::new() }));
    if let Some(history) = history {
        // The first time there is none.
        let _ = editor.load_history(history);
    }
    Ok(editor)
}

/// What the line editor asks while a person types.
struct Prompt {
    console: Rc<RefCell<Console>>,
    brackets: MatchingBracketHighlighter,
}

impl Helper for Prompt {}

impl Validator for Prompt {
    fn validate(&self, context: &mut ValidationContext<'_>) -> rustyline::Result<ValidationResult> {
        let text = context.input();
        // An empty line is the way out for what never becomes whole.
        let is_over = text.trim_start().starts_with(':') || text.ends_with('\n');
        Ok(match !is_over && console::need(text) == Need::More {
            true => ValidationResult::Incomplete,
            false => ValidationResult::Valid(None),
        })
    }
}

impl Completer for Prompt {
    type Candidate = String;

    fn complete(
        &self,
        line: &str,
        at: usize,
        _: &Context<'_>,
    ) -> rustyline::Result<(usize, Vec<String>)> {
        let typed = &line[..at];
        let console = self.console.borrow();
        if let Some(claim) = typed.strip_prefix(":claim ") {
            let claims = console.evaluated().document.claims.iter().map(|claim| &claim.id);
            let fits = claims.filter(|known| known.starts_with(claim));
            return Ok((at - claim.len(), fits.cloned().collect()));
        }
        if typed.starts_with(':') {
            let fits = COMMANDS.iter().filter(|known| known.starts_with(typed));
            return Ok((0, fits.map(|known| (*known).to_owned()).collect()));
        }
        let found = console.complete(typed);
        Ok((at - found.typed, found.words))
    }
}

impl Hinter for Prompt {
    type Hint = String;
}

impl Highlighter for Prompt {
    fn highlight<'l>(&self, line: &'l str, at: usize) -> Cow<'l, str> {
        self.brackets.highlight(line, at)
    }

    fn highlight_char(&self, line: &str, at: usize, kind: CmdKind) -> bool {
        self.brackets.highlight_char(line, at, kind)
    }
}
