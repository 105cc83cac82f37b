//! From LaTeX to the formula tree.
//!
//! Takes the author's LaTeX and macros, yields the tree with labels and tag, or the first mistake
//! with its place. The grammar is katex-rs's; what the tree means is left to the emitters.

use std::ops::Range;
use std::panic::{AssertUnwindSafe, catch_unwind};
use std::sync::{Arc, LazyLock, Mutex};

use katex::macros::{MacroContextInterface, MacroDefinition, MacroExpansionResult};
use katex::parser::parse_node::AnyParseNode;
use katex::types::{ParseError, ParseErrorKind, TrustSetting};
use katex::{KatexContext, Settings};

use super::lower::{Lowering, REFERENCE};
use super::tree::{Row, Style};
use super::{Display, Macros, MathError, did_you_mean};

static CONTEXT: LazyLock<KatexContext> = LazyLock::new(KatexContext::default);

/// Longest formula in bytes.
const MAX_LENGTH: usize = 8 * 1024;
/// Braces nested deeper than this are refused before the grammar sees them.
const MAX_BRACES: usize = 64;
/// Macro expansions in one formula.
const MAX_EXPANSIONS: usize = 2000;
/// Macro expansions in a formula that is parsed on the caller's stack.
const SHALLOW_EXPANSIONS: usize = 64;
/// Levels of nesting that [`STACK`] is enough for, without optimisation.
const MAX_LEVELS: usize = 30_000;
/// The grammar recurses on commands that need no brace (`\bf\bf…`), so it gets a stack for the
/// longest formula. The memory is only reserved, not used.
const STACK: usize = 256 << 20;

const ONE_TAG: &str = "a formula can have one \\tag only";

/// What a formula's LaTeX holds.
pub(super) struct Parsed {
    pub body: Row,
    pub labels: Vec<String>,
    pub tag: Option<Row>,
}

/// Parses one formula; `resolve` gives the text of a reference to an equation's label.
pub(super) fn parse(
    latex: &str,
    display: Display,
    macros: &Macros,
    resolve: &(dyn Fn(&str) -> Option<String> + Sync),
) -> Result<Parsed, MathError> {
    check_shape(latex)?;
    let failed = || MathError {
        message: "the formula cannot be parsed".to_owned(),
        range: 0..latex.len(),
        hint: None,
    };
    let run = |expansions| {
        let parse = || parse_here(latex, display, macros, resolve, expansions);
        catch_unwind(AssertUnwindSafe(parse)).unwrap_or_else(|_| Err(Failure::Other(failed())))
    };
    if is_shallow(latex, macros) {
        match run(SHALLOW_EXPANSIONS) {
            Err(Failure::Expansions(_)) => {}
            Err(Failure::Other(error)) => return Err(error),
            Ok(parsed) => return Ok(parsed),
        }
    }
    std::thread::scope(|scope| {
        std::thread::Builder::new()
            .stack_size(STACK)
            .spawn_scoped(scope, || run(expansions(latex, macros)))
            .map_err(|_| failed())?
            .join()
            .map_err(|_| failed())?
            .map_err(|failure| match failure {
                Failure::Expansions(error) | Failure::Other(error) => error,
            })
    })
}

/// Why a formula was not parsed.
enum Failure {
    /// There were not enough macro expansions.
    Expansions(MathError),
    Other(MathError),
}

impl From<MathError> for Failure {
    fn from(error: MathError) -> Self {
        Self::Other(error)
    }
}

/// Counts what can nest the formula by one more level.
fn weight(latex: &str) -> usize {
    latex.matches(['\\', '{', '$']).count()
}

fn defines_macros(latex: &str) -> bool {
    let definitions = ["\\def", "\\gdef", "\\edef", "\\xdef", "\\let", "command"];
    definitions.iter().any(|definition| latex.contains(definition))
}

/// Whether any stack is enough, which saves most formulas a thread of their own.
fn is_shallow(latex: &str, macros: &Macros) -> bool {
    weight(latex) <= 64 && macros.0.values().all(|body| weight(body) <= 4) && !defines_macros(latex)
}

/// Returns how many macro expansions the large stack is enough for: each can nest the formula as
/// deep as the macro's body goes, and as the whole formula where an argument is used twice.
fn expansions(latex: &str, macros: &Macros) -> usize {
    let repeats = |body: &str| ('1'..='9').any(|n| body.matches(&format!("#{n}")).count() > 1);
    let bodies = macros.0.values();
    let per_body = bodies.map(|body| weight(body) + if repeats(body) { weight(latex) } else { 0 });
    let within = if defines_macros(latex) { weight(latex) } else { 0 };
    let deepest = per_body.chain([within, 1]).max().unwrap_or(1);
    (MAX_LEVELS / deepest).min(MAX_EXPANSIONS)
}

fn parse_here(
    latex: &str,
    display: Display,
    macros: &Macros,
    resolve: &(dyn Fn(&str) -> Option<String> + Sync),
    expansions: usize,
) -> Result<Parsed, Failure> {
    let labels = Arc::new(Mutex::new(Vec::new()));
    let settings = settings(display, macros, Arc::clone(&labels), expansions);
    let nodes = katex::parse(&CONTEXT, latex, &settings).map_err(|error| {
        let explained = explain(&error, latex, macros);
        match *error.kind {
            ParseErrorKind::MacroTooManyExpansions => Failure::Expansions(explained),
            _ => Failure::Other(explained),
        }
    })?;

    let mut lowering = Lowering {
        context: &CONTEXT,
        latex,
        style: match display {
            Display::Inline => Style::Text,
            Display::Block => Style::Display,
        },
        resolve,
        depth: 0,
        range: 0..latex.len(),
        located: false,
    };
    let body = lowering.row(&nodes)?;
    let mut tags = Vec::new();
    if let [AnyParseNode::Tag(tag)] = &nodes[..] {
        lowering.style = Style::Text;
        tags.push(lowering.row(&tag.tag)?);
    }
    collect_row_tags(&mut lowering, &nodes, &mut tags)?;
    if tags.len() > 1 {
        return Err(Failure::Other(MathError {
            message: ONE_TAG.to_owned(),
            range: last_command(latex, "\\tag"),
            hint: None,
        }));
    }
    let labels = labels.lock().map(|labels| labels.clone()).unwrap_or_default();
    Ok(Parsed { body, labels, tag: tags.pop() })
}

/// Collects the tags that the rows of an `align` carry.
fn collect_row_tags(
    lowering: &mut Lowering,
    nodes: &[AnyParseNode],
    tags: &mut Vec<Row>,
) -> Result<(), MathError> {
    for node in nodes {
        if let AnyParseNode::Array(array) = node {
            for tag in array.tags.iter().flatten() {
                if let katex::parser::parse_node::ParseNodeArrayTag::Nodes(nodes) = tag {
                    tags.push(lowering.row(nodes)?);
                }
            }
        }
    }
    Ok(())
}

fn settings(
    display: Display,
    macros: &Macros,
    labels: Arc<Mutex<Vec<String>>>,
    expansions: usize,
) -> Settings {
    let label =
        MacroDefinition::Function(Arc::new(move |context: &mut dyn MacroContextInterface| {
            let name = argument(context)?;
            if let Ok(mut labels) = labels.lock() {
                labels.push(name);
            }
            Ok(MacroExpansionResult::Empty)
        }));
    let reference =
        MacroDefinition::Function(Arc::new(|context: &mut dyn MacroContextInterface| {
            let name = argument(context)?;
            Ok(MacroExpansionResult::String(format!("\\href{{{REFERENCE}{name}}}{{}}")))
        }));
    let own = [
        ("\\label".to_owned(), label),
        ("\\eqref".to_owned(), reference.clone()),
        ("\\ref".to_owned(), reference),
    ];
    let authors =
        macros.0.iter().map(|(name, body)| (name.clone(), MacroDefinition::String(body.clone())));
    Settings::builder()
        .display_mode(matches!(display, Display::Block))
        .macros(own.into_iter().chain(authors).collect())
        .max_expand(expansions)
        .trust(TrustSetting::Bool(true))
        .build()
}

/// Reads one braced argument as plain text.
fn argument(context: &mut dyn MacroContextInterface) -> Result<String, ParseError> {
    let arguments = context.consume_args(1)?;
    // The expander hands tokens over in stack order, last first.
    let tokens = arguments.iter().flatten().rev();
    Ok(tokens.map(|token| token.text.to_string()).collect())
}

/// Finds the mistakes that are best told by looking at the text alone: braces and sheer size.
fn check_shape(latex: &str) -> Result<(), MathError> {
    let error = |message: &str, range: Range<usize>| {
        Err(MathError { message: message.to_owned(), range, hint: None })
    };
    if latex.len() > MAX_LENGTH {
        return error("the formula is longer than 8 KiB", 0..latex.len());
    }
    if latex.contains("\\verb") {
        return Ok(());
    }
    let mut open = Vec::new();
    let mut chars = latex.char_indices();
    while let Some((at, char)) = chars.next() {
        match char {
            '\\' => {
                chars.next();
            }
            '%' => {
                chars.by_ref().find(|(_, char)| *char == '\n');
            }
            '{' => {
                open.push(at);
                if open.len() > MAX_BRACES {
                    return error("the formula is nested too deeply", at..at + 1);
                }
            }
            '}' if open.pop().is_none() => {
                return error("this brace closes nothing", at..at + 1);
            }
            _ => {}
        }
    }
    match open.pop() {
        Some(at) => error("this brace is not closed", at..at + 1),
        None => Ok(()),
    }
}

/// Turns the grammar's error into ours, with its place in the author's LaTeX.
fn explain(error: &ParseError, latex: &str, macros: &Macros) -> MathError {
    let located = error.position().map(|start| {
        let start = start.min(latex.len());
        start..(start + error.length().unwrap_or(0)).min(latex.len())
    });
    let range =
        located.filter(|range| latex.get(range.clone()).is_some()).unwrap_or(0..latex.len());
    let at = |part: &str| {
        if latex.get(range.clone()) == Some(part) {
            return range.clone();
        }
        latex.find(part).map_or(0..latex.len(), |start| start..start + part.len())
    };
    let (message, range, hint) = match &*error.kind {
        ParseErrorKind::UndefinedControlSequence { name } if name.starts_with("\\tag@") => {
            (ONE_TAG.to_owned(), last_command(latex, "\\tag"), None)
        }
        ParseErrorKind::MultipleTag => (ONE_TAG.to_owned(), last_command(latex, "\\tag"), None),
        ParseErrorKind::UnexpectedEndOfMacroArgument { .. } => {
            ("an argument is missing".to_owned(), last_token(latex), None)
        }
        ParseErrorKind::ExpectedGroupAfterSymbol { symbol } => {
            (format!("nothing follows {symbol}"), at(symbol), None)
        }
        ParseErrorKind::MiddleWithoutPrecedingLeft => {
            ("\\middle stands outside \\left and \\right".to_owned(), at("\\middle"), None)
        }
        ParseErrorKind::DisplayModeOnly { env } => {
            (format!("{env} needs a formula of its own"), at(&format!("{{{env}}}")), None)
        }
        ParseErrorKind::MismatchedEnvironmentEnd { begin, end } => (
            format!("\\begin{{{begin}}} ends with \\end{{{end}}}"),
            at(&format!("\\end{{{end}}}")),
            None,
        ),
        ParseErrorKind::UndefinedControlSequence { name } => (
            format!("unknown command {name}"),
            at(name),
            did_you_mean(name, commands(macros)).or_else(|| {
                Some("commands of your own go under `macros` in the front matter".to_owned())
            }),
        ),
        ParseErrorKind::NoSuchEnvironment { name } => (
            format!("unknown environment {name}"),
            at(&format!("{{{name}}}")),
            did_you_mean(name, CONTEXT.environments.keys().map(String::as_str)),
        ),
        ParseErrorKind::ExpectedToken { expected, found } if expected == "EOF" => {
            (format!("unexpected {found}"), range, None)
        }
        ParseErrorKind::ExpectedToken { expected, found } if found == "EOF" => {
            (format!("{expected} is missing"), opener(latex, expected, range), None)
        }
        ParseErrorKind::ExpectedArrayDelimiter { found } if found == "EOF" => {
            ("\\end is missing".to_owned(), last_command(latex, "\\begin"), None)
        }
        ParseErrorKind::MacroTooManyExpansions => {
            ("a macro expands without end".to_owned(), range, None)
        }
        other => {
            let message = other.to_string();
            let mut chars = message.chars();
            let message = match chars.next() {
                Some(first) => first.to_lowercase().chain(chars).collect(),
                None => "the formula cannot be parsed".to_owned(),
            };
            (message, range, None)
        }
    };
    MathError { message, range, hint }
}

/// Returns where something was opened that lacks its end.
fn opener(latex: &str, expected: &str, range: Range<usize>) -> Range<usize> {
    match expected {
        "\\right" => last_command(latex, "\\left"),
        "\\end" => last_command(latex, "\\begin"),
        _ => range,
    }
}

/// Returns the last command or character.
fn last_token(latex: &str) -> Range<usize> {
    let end = latex.trim_end().len();
    let text = &latex[..end];
    let word = text.trim_end_matches(|char: char| char.is_ascii_alphabetic());
    let start = if word.ends_with('\\') {
        word.len() - 1
    } else {
        text.char_indices().next_back().map_or(0, |(start, _)| start)
    };
    start..end
}

fn last_command(latex: &str, command: &str) -> Range<usize> {
    latex.rfind(command).map_or(0..latex.len(), |start| start..start + command.len())
}

/// Names of commands to suggest.
fn commands(macros: &Macros) -> impl Iterator<Item = &str> {
    CONTEXT
        .functions
        .keys()
        .map(String::as_str)
        .chain(katex::macros::builtins::BUILTIN_MACROS.keys().copied())
        .chain(macros.0.keys().map(String::as_str))
        .chain(super::symbols::COMMON)
        .filter(|name| name.starts_with('\\') && !name.contains('@'))
}
