//! Inlines: what stands inside a paragraph.
//!
//! In: parsed inlines. Out: inlines without open questions; what has no answer becomes a
//! problem that is shown, with a diagnostic.

use std::io;
use std::ops::Range;

use super::anchor::{file_name, slug};
use super::image;
use super::link::{Address, address};
use super::number::Target;
use super::{Resolver, Site, Subject};
use crate::claims::Stated;
use crate::claims::number::{Beside, FACTOR, FACTORIAL, OVER, REFERENCE, STROKE};
use crate::claims::published::{Miss, Outcome};
use crate::data::shown;
use crate::diag::Diagnostic;
use crate::document::{self, Image, ImageData, Inline, plain_text};
use crate::exec::CellStatus;
use crate::math::{Display, Math};
use crate::parse::prose::{EXEMPT, multiplies};
use crate::parse::{self, CitationForm, CitationItem, ClaimSite, is_comment};
use crate::passages::Passage;
use crate::span::Span;
use crate::words::Words;

impl Resolver<'_> {
    /// Resolves all inlines of a paragraph, a cell or a caption, in order.
    pub(super) fn inlines(&mut self, inlines: &[parse::Inline]) -> Vec<Inline> {
        let out = self.within(inlines);
        let (text, claims) = around(&out);
        for (claim, range) in claims {
            self.sites[claim].beside = Beside::of(&text, range);
        }
        out
    }

    fn within(&mut self, inlines: &[parse::Inline]) -> Vec<Inline> {
        let mut out = Vec::with_capacity(inlines.len());
        for inline in inlines {
            self.inline(inline, &mut out);
        }
        out
    }

    fn inline(&mut self, inline: &parse::Inline, out: &mut Vec<Inline>) {
        out.push(match inline {
            parse::Inline::Text(text) => Inline::Text(text.clone()),
            parse::Inline::Emphasis(content) => Inline::Emphasis(self.within(content)),
            parse::Inline::Strong(content) => Inline::Strong(self.within(content)),
            parse::Inline::Strikethrough(content) => Inline::Strikethrough(self.within(content)),
            parse::Inline::Code(code) => Inline::Code(code.clone()),
            parse::Inline::Math { latex, span } => match self.math(latex, Display::Inline, span) {
                Ok(math) => Inline::Math(math),
                Err(message) => Inline::Problem(format!("{latex}: {message}")),
            },
            parse::Inline::Link { target, title, content, span } => {
                let content = self.within(content);
                return self.link(target, title, content, span, out);
            }
            parse::Inline::Claim { claim, content } => {
                let chapter = &self.chapters[self.chapter].slug;
                let anchor = format!("claim-{chapter}-{}", slug(&claim.name));
                let anchor = self.numbers.anchors.unique(&anchor);
                let subject = Subject::Prose(Stated::of(content));
                let content = self.within(content);
                let claim = ClaimSite { text: plain_text(&content), ..claim.clone() };
                Inline::Claim { claim: self.site(claim, anchor, subject), content }
            }
            parse::Inline::Image { target, alt, span } => match self.image(target, alt, span) {
                Ok(image) => Inline::Image(image),
                Err(message) => Inline::Problem(message),
            },
            parse::Inline::Footnote { name, span } => self.footnote_mark(name, span),
            parse::Inline::Reference { label, span } => match self.target(label, span) {
                Ok(target) => {
                    let content = vec![Inline::Text(target.words.clone())];
                    self.jump(&target, content)
                }
                Err(problem) => problem,
            },
            parse::Inline::Citation { items, form, .. } => {
                return self.citation(items, *form, out);
            }
            parse::Inline::Value { expression, span } => self.value(expression, span),
            parse::Inline::Html(html) if is_comment(html) => return,
            parse::Inline::Html(html) => Inline::Text(html.clone()),
            parse::Inline::SoftBreak => Inline::SoftBreak,
            parse::Inline::HardBreak => Inline::HardBreak,
        });
    }

    /// Parses a formula, with an error at its very place.
    pub(super) fn math(
        &mut self,
        latex: &str,
        display: Display,
        span: &Span,
    ) -> Result<Math, String> {
        let targets = &self.numbers.targets;
        let number =
            |label: &str| targets.get(label)?.number.as_ref().map(|number| format!("({number})"));
        let parsed = Math::parse(latex, display, &self.macros[self.chapter])
            .and_then(|math| math.resolve(&number));
        parsed.map_err(|error| {
            // The span may include the dollars.
            let place = match span.text().find(latex) {
                Some(start) => span.part(start + error.range.start..start + error.range.end),
                None => span.clone(),
            };
            let diagnostic = Diagnostic::error("math", error.message.clone(), place);
            self.diagnostics.push(match error.hint {
                Some(hint) => diagnostic.hint(hint),
                None => diagnostic,
            });
            error.message
        })
    }

    /// Enters a claim into the ledger.
    pub(super) fn site(&mut self, claim: ClaimSite, anchor: String, subject: Subject) -> usize {
        let macros = self.macros[self.chapter].clone();
        let language = Words::known(&self.config.language);
        let (chapter, beside) = (self.chapter, Beside::default());
        self.sites.push(Site { chapter, anchor, claim, subject, macros, language, beside });
        self.sites.len() - 1
    }

    fn link(
        &mut self,
        target: &str,
        title: &str,
        content: Vec<Inline>,
        span: &Span,
        out: &mut Vec<Inline>,
    ) {
        if target == EXEMPT {
            let reason = title.trim();
            if reason.is_empty() {
                self.diagnostics.push(
                    Diagnostic::error(
                        "exempt-without-reason",
                        "this number is exempt without a reason",
                        span.clone(),
                    )
                    .hint("say why nothing can be executed: `[28](exempt: \"reason\")`"),
                );
            }
            return out.push(Inline::Exempt { reason: reason.to_owned(), content });
        }
        let from = self.chapters[self.chapter].source.path();
        let link = |target: &str, content| Inline::Link {
            target: target.to_owned(),
            title: title.to_owned(),
            content,
        };
        match address(target, from) {
            Address::Web(target) => out.push(link(target, content)),
            Address::Label(label) => match self.target(label, span) {
                Ok(target) => out.push(self.jump(&target, content)),
                Err(problem) => {
                    out.extend(content);
                    out.push(problem);
                }
            },
            Address::File { path, label } => {
                let chapter =
                    self.chapters.iter().position(|chapter| chapter.source.path() == path);
                let Some(chapter) = chapter else {
                    let read = self.world.read(&path);
                    if read.is_err_and(|error| error.kind() == io::ErrorKind::NotFound) {
                        let paths = self.chapters.iter().map(|chapter| chapter.source.path());
                        self.diagnostics.push(
                            Diagnostic::error(
                                "broken-link",
                                format!("the report has no file `{path}`"),
                                span.clone(),
                            )
                            .did_you_mean(&path, paths),
                        );
                    }
                    return out.push(link(target, content));
                };
                let place = label.filter(|label| !label.is_empty());
                match place.map(|label| self.target(label, span)) {
                    Some(Ok(target)) => out.push(self.jump(&target, content)),
                    Some(Err(problem)) => {
                        out.extend(content);
                        out.push(problem);
                    }
                    None => out.push(Inline::Jump {
                        page: Some(self.chapters[chapter].slug.clone()),
                        anchor: self.numbers.chapters[chapter].anchor.clone(),
                        content,
                    }),
                }
            }
            Address::Outside => {
                self.diagnostics.push(
                    Diagnostic::error(
                        "unsafe-link",
                        "the link leads out of the report's folder",
                        span.clone(),
                    )
                    .hint("link to the web, to a file of the report, or to a label"),
                );
                out.extend(content);
            }
            Address::Unsafe(scheme) => {
                self.diagnostics.push(
                    Diagnostic::error(
                        "unsafe-link",
                        format!("a link with {scheme} is not followed"),
                        span.clone(),
                    )
                    .hint("`http:`, `https:`, `mailto:` and paths are safe to follow"),
                );
                out.extend(content);
            }
        }
    }

    fn jump(&self, target: &Target, content: Vec<Inline>) -> Inline {
        Inline::Jump {
            page: Some(self.chapters[target.chapter].slug.clone()),
            anchor: target.anchor.clone(),
            content,
        }
    }

    /// What a label stands for, or the problem to show.
    fn target(&mut self, label: &str, span: &Span) -> Result<Target, Inline> {
        if let Some(target) = self.numbers.targets.get(label) {
            return Ok(target.clone());
        }
        if let Some(cell) = self.absent(label) {
            return Err(Inline::Problem(format!("{label} (cell `{cell}` did not run)")));
        }
        self.diagnostics.push(
            Diagnostic::error(
                "unknown-reference",
                format!("nothing has the label `{label}`"),
                span.clone(),
            )
            .did_you_mean(label, self.numbers.targets.keys().map(String::as_str)),
        );
        Err(Inline::Problem(format!("?{label}")))
    }

    /// The cell that would give a label in its code, had it run.
    fn absent(&self, label: &str) -> Option<&str> {
        let literal = format!("\"{label}\"");
        self.chapters.iter().enumerate().find_map(|(chapter, parsed)| {
            let cells = parsed.cells.iter().enumerate();
            // Any cell may call what a module has.
            let in_module = parsed.modules.iter().any(|it| it.code.text.contains(&literal));
            cells
                .filter(|(_, cell)| in_module || cell.code.text.contains(&literal))
                .find(|(index, _)| {
                    let result = self.names.cell(chapter, *index);
                    !result.is_some_and(|result| matches!(result.status, CellStatus::Done))
                })
                .map(|(_, cell)| cell.id.as_str())
        })
    }

    fn citation(&mut self, items: &[CitationItem], form: CitationForm, out: &mut Vec<Inline>) {
        let narrative = form == CitationForm::Narrative;
        let wordy = items.iter().any(|item| !item.prefix.is_empty() || !item.locator.is_empty());
        if narrative && let [item] = items {
            out.push(Inline::Text(format!("{}\u{a0}", self.works.author(&item.key))));
        }
        out.push(Inline::Text("[".into()));
        for (index, item) in items.iter().enumerate() {
            if index > 0 {
                out.push(Inline::Text(if wordy { "; " } else { ", " }.into()));
            }
            if !item.prefix.trim().is_empty() {
                out.push(Inline::Text(format!("{} ", item.prefix.trim())));
            }
            match self.works.cite(&item.key, &mut self.numbers.anchors) {
                Some((number, anchor)) => out.push(Inline::Jump {
                    page: None,
                    anchor,
                    content: vec![Inline::Text(number.to_string())],
                }),
                None => {
                    self.unknown_work(item);
                    out.push(Inline::Problem(format!("?{}", item.key)));
                }
            }
            if !item.locator.trim().is_empty() {
                out.push(Inline::Text(format!(", {}", item.locator.trim())));
            }
        }
        out.push(Inline::Text("]".into()));
    }

    fn unknown_work(&mut self, item: &CitationItem) {
        if self.works.is_broken {
            return;
        }
        let key = &item.key;
        let mut diagnostic = Diagnostic::error(
            "unknown-citation",
            format!("the bibliography has no work with the key `{key}`"),
            item.span.clone(),
        )
        .did_you_mean(key, self.works.keys());
        if self.works.keys().next().is_none() {
            diagnostic = diagnostic.hint("name a BibTeX file as `bibliography` in report.yaml");
        }
        self.diagnostics.push(diagnostic);
    }

    fn value(&mut self, expression: &str, span: &Span) -> Inline {
        let chapter = self.chapter;
        let names = &self.names;
        let result = self.evaluator.evaluate(expression, |name| match names.find(name, chapter) {
            Ok(hit) => match hit.result {
                Outcome::Value(published) => Ok(&published.value),
                Outcome::Check(_) => Err(Unvalued::Check(name.to_owned())),
            },
            Err(miss) => Err(Unvalued::Miss(name.to_owned(), miss)),
        });
        let diagnostic = match result {
            Ok((text, name)) => return Inline::Value { text, name },
            Err(Err(message)) => Diagnostic::error(
                "inline-value",
                format!("`{}` cannot be evaluated: {message}", expression.trim()),
                span.clone(),
            )
            .hint(
                "an inline value is written like `{{ name | fixed(4) }}`; filters are \
                 `fixed(n)`, `percent(n)`, `sci(n)`, `thousands` and tera's own",
            ),
            Err(Ok(Unvalued::Check(name))) => Diagnostic::error(
                "inline-value",
                format!("`{name}` is a check and has no value to print"),
                span.clone(),
            )
            .hint("print a value, or claim the check: `[words](claim:name)`"),
            Err(Ok(Unvalued::Miss(name, Miss::Open { words, .. }))) => {
                return Inline::Problem(format!("{name} is not known: {words}"));
            }
            Err(Ok(Unvalued::Miss(name, Miss::Ambiguous(all)))) => Diagnostic::error(
                "inline-value",
                format!("`{name}` is published more than once: {}", all.join(", ")),
                span.clone(),
            )
            .hint("write the chapter before the name, as in `chapter/name`"),
            Err(Ok(Unvalued::Miss(name, Miss::Unknown))) => {
                let candidates = self.names.candidates(chapter);
                Diagnostic::error(
                    "unknown-value",
                    format!("no cell publishes `{name}`"),
                    span.clone(),
                )
                .did_you_mean(&name, candidates.iter().map(String::as_str))
            }
        };
        self.diagnostics.push(diagnostic);
        Inline::Problem(format!("?{}", expression.trim()))
    }

    /// Reads a picture of the author's.
    pub(super) fn image(&mut self, target: &str, alt: &str, span: &Span) -> Result<Image, String> {
        let from = self.chapters[self.chapter].source.path();
        let (path, data) = image::load(target, from, self.world).map_err(|(message, hint)| {
            self.diagnostics
                .push(Diagnostic::error("image", message.clone(), span.clone()).hint(hint));
            message
        })?;
        if let ImageData::File { bytes, .. } = &data {
            let digest = document::digest(bytes);
            let picture =
                Passage { span: span.clone(), text: format!("<{target}> {}", shown(&digest)) };
            let is_same = |it: &Passage| it.text == picture.text && it.span.source.path() == from;
            if !self.pictures.iter().any(is_same) {
                self.pictures.push(picture);
            }
            self.files.insert(path, digest);
        }
        let file = target.rsplit('/').next().unwrap_or_default();
        let stem = file.rsplit_once('.').map_or(file, |(stem, _)| stem);
        if alt.trim().is_empty() {
            self.diagnostics.push(
                Diagnostic::warning("missing-alt", "the picture has no description", span.clone())
                    .hint("describe it for people who cannot see it: `![description](file)`"),
            );
        }
        let alt = if alt.trim().is_empty() { stem } else { alt.trim() };
        let name = self.images.unique(&file_name(stem));
        Ok(Image { name, data, alt: alt.to_owned(), csv: None })
    }
}

/// What a page shows of inlines, with the places of claims in it.
fn around(inlines: &[Inline]) -> (String, Vec<(usize, Range<usize>)>) {
    let mut shown = Shown::default();
    shown.add(inlines, false);
    (shown.text, shown.claims)
}

#[derive(Default)]
struct Shown {
    text: String,
    claims: Vec<(usize, Range<usize>)>,
    /// Where the last formula ends that multiplies what follows.
    factor: Option<usize>,
}

impl Shown {
    fn add(&mut self, inlines: &[Inline], is_struck: bool) {
        for inline in inlines {
            let factor = self.factor.filter(|&end| self.text[end..].trim().is_empty());
            if matches!(inline, Inline::Claim { .. }) {
                if factor.is_some() {
                    self.text.push(FACTOR);
                }
                // Both numbers of "5/3" are claimed.
                let claimed = self.claims.last().map(|(_, range)| range.end);
                if claimed.is_some_and(|end| &self.text[end..] == "/") {
                    self.text.pop();
                    self.text.push(OVER);
                }
            }
            let start = self.text.len();
            match inline {
                Inline::Text(words) | Inline::Code(words) | Inline::Value { text: words, .. } => {
                    self.text.push_str(words);
                }
                Inline::Math(math) => {
                    self.text.extend(math.latex().chars().map(|c| match c {
                        '-' => '−',
                        '!' => FACTORIAL,
                        c => c,
                    }));
                    self.factor = multiplies(math.latex()).then_some(self.text.len());
                }
                Inline::SoftBreak
                | Inline::HardBreak
                | Inline::Image(_)
                | Inline::FootnoteMark { .. }
                | Inline::Problem(_) => self.text.push(' '),
                Inline::Strikethrough(content) => {
                    self.add(content, true);
                    self.text.push(STROKE);
                }
                form => self.add(form.content(), is_struck),
            }
            if matches!(inline, Inline::Jump { .. })
                && self.text[start..].starts_with(char::is_alphabetic)
            {
                self.text.push(REFERENCE);
            }
            if let Inline::Claim { claim, .. } = inline {
                self.claims.push((*claim, start..self.text.len()));
                if is_struck {
                    self.text.push(STROKE);
                }
            }
        }
    }
}

/// Why a name has no value to print.
enum Unvalued {
    Check(String),
    Miss(String, Miss),
}
