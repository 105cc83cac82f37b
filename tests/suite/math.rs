//! Formulas: what is shown, what is computed and what is refused.

use std::fmt::Write as _;

use typst::diag::{FileError, FileResult};
use typst::foundations::{Bytes, Datetime, Duration};
use typst::syntax::{FileId, Source};
use typst::text::{Font, FontBook};
use typst::utils::LazyHash;
use typst::{Library, LibraryExt, World};
use typst_layout::PagedDocument;
use veracity::math::{Display, Macros, Math, MathError, MathmlRenderer, PRELUDE};
use veracity_protocol::{Equation, Expr, Function, Relation};

use crate::corpus;

/// One formula for each line; all of them are shown.
const SHOWN: &str = include_str!("../corpus/math/shown.txt");

fn block(latex: &str) -> Result<Math, MathError> {
    Math::parse(latex, Display::Block, &Macros::default())
}

fn shown() -> Vec<Math> {
    let parsed = SHOWN.lines().map(|latex| block(latex).map_err(|error| (latex, error)));
    parsed.collect::<Result<_, _>>().expect("every formula of the list can be shown")
}

#[test]
fn corpus() {
    corpus::run("corpus/math", |case| {
        let observe = match case.language {
            "tex" => computed,
            "latex" => words,
            other => panic!("a case cannot be in `{other}`"),
        };
        case.input.lines().fold(String::new(), |mut out, latex| {
            let found = block(latex).and_then(|math| observe(&math));
            let _ = writeln!(out, "{}", found.unwrap_or_else(|error| problem(latex, &error)));
            out
        })
    });
}

fn words(math: &Math) -> Result<String, MathError> {
    Ok(math.alt())
}

fn computed(math: &Math) -> Result<String, MathError> {
    let equation = math.equation("eq-x")?;
    assert_eq!(equation.label, "eq-x");
    assert_eq!(equation.latex, math.latex());
    assert_eq!(equation.relations.len() + 1, equation.sides.len());
    Ok(printed(&equation))
}

fn problem(latex: &str, error: &MathError) -> String {
    let hint = error.hint.as_ref().map(|hint| format!("; {hint}")).unwrap_or_default();
    format!("error [{}]: {}{hint}", &latex[error.range.clone()], error.message)
}

fn printed(equation: &Equation) -> String {
    let mut out = String::new();
    if let Some(name) = &equation.name {
        out.push_str(name);
        if !equation.parameters.is_empty() {
            let _ = write!(out, "({})", equation.parameters.join(", "));
        }
        out.push_str(" = ");
    }
    for (at, side) in equation.sides.iter().enumerate() {
        if at > 0 {
            out.push_str(match equation.relations[at - 1] {
                Relation::Equal => " = ",
                Relation::Approximate => " ~ ",
                Relation::Less => " < ",
                Relation::LessOrEqual => " <= ",
                Relation::Greater => " > ",
                Relation::GreaterOrEqual => " >= ",
            });
        }
        out.push_str(&expression(side));
    }
    out
}

fn expression(expr: &Expr) -> String {
    let list = |head: &str, parts: &[&Expr]| {
        let parts: Vec<_> = parts.iter().map(|part| expression(part)).collect();
        format!("({head} {})", parts.join(" "))
    };
    let many = |head: &str, parts: &[Expr]| list(head, &parts.iter().collect::<Vec<_>>());
    match expr {
        Expr::Number(text) | Expr::Variable(text) => text.clone(),
        Expr::Negate(value) => list("-", &[value]),
        Expr::Add(terms) => many("+", terms),
        Expr::Multiply(factors) => many("*", factors),
        Expr::Divide(above, below) => list("/", &[above, below]),
        Expr::Power(base, exponent) => list("^", &[base, exponent]),
        Expr::Binomial(n, k) => list("choose", &[n, k]),
        Expr::Factorial(value) => list("!", &[value]),
        Expr::Sum { index, from, to, body } => list(&format!("sum {index}"), &[from, to, body]),
        Expr::Product { index, from, to, body } => {
            list(&format!("product {index}"), &[from, to, body])
        }
        Expr::Root { degree, body } => list("root", &[degree, body]),
        Expr::Call(function, arguments) => many(
            match function {
                Function::Exp => "exp",
                Function::Ln => "ln",
                Function::Log => "log",
                Function::Sin => "sin",
                Function::Cos => "cos",
                Function::Tanh => "tanh",
                Function::Abs => "abs",
                Function::Floor => "floor",
                Function::Ceil => "ceil",
                Function::Min => "min",
                Function::Max => "max",
            },
            arguments,
        ),
    }
}

#[test]
fn everything_shown_compiles_for_the_pdf() {
    let mut text = String::from(PRELUDE);
    for math in shown() {
        let _ = writeln!(text, "$ {} $\n", math.typst());
        let inline = Math::parse(math.latex(), Display::Inline, &Macros::default());
        if let Ok(inline) = inline {
            let _ = writeln!(text, "${}$\n", inline.typst());
        }
    }
    let compiled = typst::compile::<PagedDocument>(&Page::new(text));
    assert!(compiled.warnings.is_empty(), "{:?}", compiled.warnings);
    assert!(compiled.output.is_ok(), "{:?}", compiled.output.err());
}

#[test]
fn everything_shown_is_well_formed_mathml() {
    let shown = shown();
    let formulas: Vec<&Math> = shown.iter().collect();
    let mut renderer = MathmlRenderer::new();
    let first = renderer.render(&formulas);
    for (math, element) in formulas.iter().zip(&first) {
        let element =
            element.as_ref().unwrap_or_else(|error| panic!("{}: {error:?}", math.latex()));
        let xml = element.replace("&nbsp;", "\u{a0}");
        let tree = roxmltree::Document::parse(&xml)
            .unwrap_or_else(|error| panic!("{}: {error}\n{element}", math.latex()));
        let root = tree.root_element();
        assert_eq!(root.tag_name().name(), "math");
        assert_eq!(root.attribute("display"), Some("block"));
        assert_eq!(root.attribute("aria-label"), Some(math.alt().as_str()));
        for node in root.descendants().filter(roxmltree::Node::is_element) {
            let children = node.children().filter(roxmltree::Node::is_element).count();
            let expected = match node.tag_name().name() {
                "mfrac" | "mroot" | "msub" | "msup" | "munder" | "mover" => 2,
                "msubsup" | "munderover" => 3,
                "mi" | "mo" | "mn" | "mtext" => 0,
                _ => continue,
            };
            assert_eq!(children, expected, "{}\n{element}", math.latex());
        }
    }
    assert_eq!(first, renderer.render(&formulas), "remembered results are the same");
}

fn mathml(latex: &str) -> String {
    let math = block(latex).expect("the formula can be shown");
    let mut elements = MathmlRenderer::new().render(&[&math]);
    elements.remove(0).expect("the formula can be exported")
}

#[test]
fn letters_are_mathematical_alphanumerics() {
    for (latex, letter) in [
        ("x", "𝑥"),
        (r"\mathbf{Q}", "𝐐"),
        (r"\boldsymbol{x}", "𝒙"),
        (r"\bm{\mu}", "𝝁"),
        (r"\mathbb{R}", "ℝ"),
        (r"\mathbb{1}", "𝟙"),
        (r"\mathcal{L}", "ℒ"),
        (r"\mathfrak{g}", "𝔤"),
        (r"\mathsf{T}", "𝖳"),
        (r"\mathtt{ab}", "𝚊𝚋"),
    ] {
        let element = mathml(latex);
        assert!(element.contains(letter), "{latex}: {element}");
    }
}

#[test]
fn what_typst_leaves_out_of_mathml_is_drawn_by_classes() {
    for (latex, part) in [
        (r"\overline{z}", "class=\"veracity-overline\""),
        (r"\underline{z}", "class=\"veracity-underline\""),
        (r"\boxed{z}", "class=\"veracity-boxed\""),
        (r"\cancel{z}", "class=\"veracity-rising\""),
        (r"\bcancel{z}", "class=\"veracity-falling\""),
        (r"\phantom{z}", "<mphantom>"),
        (r"\textcolor{#0a0}{z}", "style=\"color:#00aa00\""),
        (
            r"\begin{array}{c|c} 1 & 2 \\ \hline 3 & 4 \end{array}",
            "veracity-rule-left veracity-rule-above",
        ),
        (r"\begin{array}{rl} 1 & 2 \end{array}", "class=\"veracity-right\""),
    ] {
        let element = mathml(latex);
        assert!(element.contains(part), "{latex}: {element}");
        for class in element.split("veracity-").skip(1) {
            let name: String =
                class.chars().take_while(|c| c.is_ascii_alphabetic() || *c == '-').collect();
            assert!(veracity::math::CSS.contains(&format!(".veracity-{name}")), "{name}");
        }
    }
}

#[test]
fn words_beside_letters_add_no_space() {
    for latex in [r"n\mathrm{abc}", r"2\text{ab}", r"n\textbf{ab}x", r"a\mathtt{ab}(x)"] {
        let element = mathml(latex);
        assert!(!element.contains("mspace"), "{latex}: {element}");
    }
}

#[test]
fn alignment_is_native() {
    let math = block(r"\begin{aligned} a &= b \\ &= c \end{aligned}").expect("it can be shown");
    assert_eq!(math.typst(), "a&\\=b\\\n&\\=c");
}

#[test]
fn no_text_leaves_the_formula() {
    for latex in [
        r#"\text{"); \#panic() \$ \#let x = 1 }"#,
        r"\text{$x$ \# \$ \_ \textbackslash}",
        r#"" \# \$ \_ / // /* */ ; , : `x` @a <b> ~ ' -- ->"#,
        r"\operatorname{panic}(\text{)})",
        r"\mathrm{panic}\mathit{eval}",
        r"\color{red} \text{rgb(} )",
    ] {
        let math = match block(latex) {
            Ok(math) => math,
            Err(error) => panic!("{latex}: {error:?}"),
        };
        let text = format!("{PRELUDE}$ {} $ after", math.typst());
        let compiled = typst::compile::<PagedDocument>(&Page::new(text));
        assert!(compiled.output.is_ok(), "{latex}: {}", math.typst());
    }
}

#[test]
fn macros_of_the_document_and_of_the_formula() {
    let macros = [("\\Rd", "\\mathbb{R}^D"), ("\\norm", "\\lVert #1 \\rVert")];
    let macros = macros.map(|(name, body)| (name.to_owned(), body.to_owned()));
    let (macros, wrong) = Macros::new(macros);
    assert!(wrong.is_empty());
    let typst = |latex| Math::parse(latex, Display::Inline, &macros).map(|math| math.typst());
    assert_eq!(typst(r"\norm{x} \in \Rd"), typst(r"\lVert x \rVert \in \mathbb{R}^D"));
    assert_eq!(typst(r"\newcommand{\Q}{\mathbf{Q}} \Q\Q"), typst(r"\mathbf{Q}\mathbf{Q}"));
    assert!(typst(r"\Q").is_err(), "a formula's own macro ends with it");
    let error = typst(r"a + \norn{x}").expect_err("the name is wrong");
    assert_eq!(error.range, 4..9);
    assert_eq!(error.hint.as_deref(), Some("did you mean \\norm?"));
    let (_, wrong) = Macros::new([("Rd".to_owned(), String::new())]);
    assert_eq!(wrong, ["Rd"]);
}

#[test]
fn labels_tags_and_references() {
    let math = block(r"a = b \label{eq:one_a} \tag{1.1}").expect("it can be shown");
    assert_eq!(math.labels(), ["eq:one_a"]);
    assert_eq!(math.tag().as_deref(), Some("(1.1)"));
    assert_eq!(math.typst(), "a\\=b");
    let starred = block(r"\begin{align} a &= b \tag*{A} \\ c &= d \end{align}").expect("one tag");
    assert_eq!(starred.tag().as_deref(), Some("A"));
    assert!(block(r"\begin{align} a &= b \tag{1} \\ c &= d \tag{2} \end{align}").is_err());

    let math = block(r"\text{see } \eqref{eq:one_a} x").expect("it can be shown");
    assert_eq!(math.references(), ["eq:one_a"]);
    let resolved = math.resolve(&|label| (label == "eq:one_a").then(|| "(7)".to_owned()));
    assert_eq!(resolved.expect("the label is known").alt(), "see (7) x");
    let error = math.resolve(&|_| None).expect_err("the label is unknown");
    assert_eq!(&math.latex()[error.range], "eq:one_a");
}

#[test]
fn nothing_nested_overflows_the_stack() {
    for (part, end) in [
        ("{", "}"),
        (r"\sqrt{", "}"),
        ("x^{", "}"),
        (r"\left(", r"\right)"),
        (r"\bf ", ""),
        (r"\color{red}", ""),
        (r"\displaystyle ", ""),
        (r"\begin{matrix}", r"\end{matrix}"),
        (r"\text{$", "$}"),
    ] {
        let deep = part.repeat(10_000) + "x" + &end.repeat(10_000);
        assert!(block(&deep).is_err(), "{part}");
        let longest = 8000 / (part.len() + end.len());
        let shorter = part.repeat(longest) + "x" + &end.repeat(longest);
        assert!(block(&shorter).is_err(), "{part}");
        let fine = part.repeat(20) + "x" + &end.repeat(20);
        let math = block(&fine).unwrap_or_else(|error| panic!("{fine}: {error:?}"));
        assert!(MathmlRenderer::new().render(&[&math])[0].is_ok(), "{part}");
    }
}

#[test]
fn no_macro_overflows_the_stack() {
    let nested = r"\d{".repeat(12) + &r"\bf ".repeat(1500) + "x" + &"}".repeat(12);
    assert!(block(&(r"\newcommand{\d}[1]{#1#1}".to_owned() + &nested)).is_err());
    assert!(block(r"\def\a{\bf\a}\a").is_err());
    let (macros, _) = Macros::new([("\\d".to_owned(), "#1#1".to_owned())]);
    assert!(Math::parse(&nested, Display::Block, &macros).is_err());
    let body = r"\bf ".repeat(1500);
    let (macros, _) = Macros::new([("\\d".to_owned(), body)]);
    assert!(Math::parse(&r"\d".repeat(2000), Display::Block, &macros).is_err());
}

/// Lines drawn from the parts of formulas by a small generator with a fixed seed.
#[test]
fn garbage_never_panics_and_errors_point_inside() {
    let parts: Vec<&str> = [
        "{",
        "}",
        "^",
        "_",
        "&",
        "\\\\",
        "$",
        "%",
        "#1",
        "~",
        "'",
        "\"",
        " ",
        "x",
        "12",
        ".",
        ",",
        "(",
        ")",
        "[",
        "]",
        "|",
        "!",
        "=",
        "<",
        "+",
        "-",
        "/",
        "é",
        "漢",
        "\u{1f600}",
        "\u{338}",
        "\\left",
        "\\right",
        "\\middle",
        "\\big",
        "\\begin{",
        "\\end{",
        "aligned}",
        "cases}",
        "\\frac",
        "\\sqrt",
        "\\sum",
        "\\binom",
        "\\text",
        "\\mathbf",
        "\\color",
        "\\hat",
        "\\limits",
        "\\not",
        "\\label",
        "\\tag",
        "\\eqref",
        "\\newcommand",
        "\\def",
        "\\over",
        "\\hline",
        "\\operatorname",
        "\\xrightarrow",
        "\\underbrace",
        "\\",
        "\\min",
        "\\log",
        "e^",
    ]
    .into();
    let mut state = 0x2545_f491_4f6c_dd1d_u64;
    let mut next = |below: usize| {
        state ^= state << 13;
        state ^= state >> 7;
        state ^= state << 17;
        usize::try_from(state % below as u64).expect("it is below a usize")
    };
    let mut formulas = Vec::new();
    for _ in 0..3000 {
        let latex: String = (0..next(14)).map(|_| parts[next(parts.len())]).collect();
        match block(&latex) {
            Ok(math) => {
                if let Err(error) = math.equation("eq-x") {
                    assert!(latex.get(error.range.clone()).is_some(), "{latex}: {error:?}");
                }
                let _ = math.alt();
                formulas.push(math);
            }
            Err(error) => assert!(latex.get(error.range.clone()).is_some(), "{latex}: {error:?}"),
        }
    }
    assert!(formulas.len() > 100, "{} formulas were right", formulas.len());
    let formulas: Vec<&Math> = formulas.iter().collect();
    for (math, element) in formulas.iter().zip(MathmlRenderer::new().render(&formulas)) {
        assert!(element.is_ok(), "{}: {element:?}", math.latex());
    }
}

/// Typst document without other files.
struct Page {
    library: LazyHash<Library>,
    book: LazyHash<FontBook>,
    fonts: Vec<Font>,
    source: Source,
}

impl Page {
    fn new(text: String) -> Self {
        let fonts: Vec<Font> =
            typst_assets::fonts().flat_map(|data| Font::iter(Bytes::new(data))).collect();
        Self {
            library: LazyHash::new(Library::builder().build()),
            book: LazyHash::new(FontBook::from_fonts(&fonts)),
            fonts,
            source: Source::detached(text),
        }
    }
}

impl World for Page {
    fn library(&self) -> &LazyHash<Library> {
        &self.library
    }

    fn book(&self) -> &LazyHash<FontBook> {
        &self.book
    }

    fn main(&self) -> FileId {
        self.source.id()
    }

    fn source(&self, id: FileId) -> FileResult<Source> {
        if id == self.source.id() { Ok(self.source.clone()) } else { Err(FileError::AccessDenied) }
    }

    fn file(&self, _: FileId) -> FileResult<Bytes> {
        Err(FileError::AccessDenied)
    }

    fn font(&self, index: usize) -> Option<Font> {
        self.fonts.get(index).cloned()
    }

    fn today(&self, _: Option<Duration>) -> Option<Datetime> {
        None
    }
}
