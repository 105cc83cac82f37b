//! Blocks of a chapter as HTML.

use super::Writer;
use crate::data;
use crate::document::{
    Attachment, Block, Cell, CellState, Chapter, CheckOutcome, CheckView, CodeView, Equation,
    Float, FloatBody, Image, Inline, ListItem, Output, Table,
};
use crate::parse::{CalloutKind, ColumnAlign};
use crate::words::Word;

impl<'a> Writer<'a> {
    /// The content of a chapter's page.
    pub(super) fn chapter(&mut self, chapter: &'a Chapter) {
        self.out.raw("<h1 id=\"").text(&chapter.anchor).raw("\">");
        self.numbered(&chapter.number, &chapter.title);
        self.out.raw("</h1>");
        let claims: Vec<_> =
            self.document.claims.iter().filter(|claim| claim.chapter == chapter.slug).collect();
        self.summary(&claims);
        if !chapter.problems.is_empty() {
            self.out.raw("<section class=\"problems\" aria-label=\"");
            self.out.raw(self.words.get(Word::Problems)).raw("\">").raw(WARNING).raw("<ul>");
            for problem in &chapter.problems {
                self.out.raw("<li>").text(problem).raw("</li>");
            }
            self.out.raw("</ul></section>");
        }
        self.blocks(&chapter.blocks);
        if !chapter.footnotes.is_empty() {
            self.out.raw("<section class=\"footnotes\" aria-label=\"");
            self.out.raw(self.words.get(Word::Footnotes)).raw("\"><ol>");
            for note in &chapter.footnotes {
                self.out.raw("<li id=\"").text(&note.anchor).raw("\" value=\"");
                self.out.text(&note.number.to_string()).raw("\">");
                self.blocks(&note.blocks);
                self.out
                    .raw("<a class=\"back\" href=\"#")
                    .text(&note.back)
                    .raw("\" aria-label=\"")
                    .raw(self.words.get(Word::BackToText))
                    .raw("\">↩</a></li>");
            }
            self.out.raw("</ol></section>");
        }
        self.claim_details();
    }

    fn numbered(&mut self, number: &str, content: &'a [Inline]) {
        if !number.is_empty() {
            self.out.raw("<span class=\"n\">").text(number).raw("</span> ");
        }
        self.inlines(content);
    }

    fn blocks(&mut self, blocks: &'a [Block]) {
        for block in blocks {
            self.block(block);
            self.out.raw("\n");
        }
    }

    fn block(&mut self, block: &'a Block) {
        match block {
            Block::Heading { level, number, anchor, content } => {
                let (open, close) = match level {
                    0..=2 => ("<h2 id=\"", "</h2>"),
                    3 => ("<h3 id=\"", "</h3>"),
                    4 => ("<h4 id=\"", "</h4>"),
                    5 => ("<h5 id=\"", "</h5>"),
                    _ => ("<h6 id=\"", "</h6>"),
                };
                self.out.raw(open).text(anchor).raw("\">");
                self.numbered(number, content);
                self.out
                    .raw("<a class=\"anchor\" href=\"#")
                    .text(anchor)
                    .raw("\" aria-label=\"")
                    .raw(self.words.get(Word::ToSection))
                    .raw("\">#</a>")
                    .raw(close);
            }
            Block::Paragraph(content) => {
                self.out.raw("<p>");
                self.inlines(content);
                self.out.raw("</p>");
            }
            Block::List { start, items } => self.list(*start, items),
            Block::Quote(blocks) => {
                self.out.raw("<blockquote>");
                self.blocks(blocks);
                self.out.raw("</blockquote>");
            }
            Block::Callout { kind, blocks } => self.callout(*kind, blocks),
            Block::Code { language, text } => {
                self.out.raw("<pre class=\"code\"><code>");
                self.highlighted(language, text);
                self.out.raw("</code></pre>");
            }
            Block::Module { anchor, code } => {
                self.out.raw("<div class=\"module\" id=\"").text(anchor).raw("\">");
                self.code_view(code, "Code that the cells use");
                self.out.raw("</div>");
            }
            Block::Cell(cell) => self.cell(cell),
            Block::Equation(equation) => self.equation(equation),
            Block::Float(float) => self.float(float),
            Block::Rule => {
                self.out.raw("<hr/>");
            }
            Block::Problem { message, source } => {
                self.out.raw("<div class=\"problem\" role=\"note\"><p>").raw(WARNING);
                self.out.raw(" ").text(message).raw("</p>");
                if !source.is_empty() {
                    self.out.raw("<pre>").text(source).raw("</pre>");
                }
                self.out.raw("</div>");
            }
        }
    }

    fn list(&mut self, start: Option<u64>, items: &'a [ListItem]) {
        match start {
            None => self.out.raw("<ul>"),
            Some(1) => self.out.raw("<ol>"),
            Some(start) => self.out.raw("<ol start=\"").text(&start.to_string()).raw("\">"),
        };
        for item in items {
            self.out.raw(match item.task {
                None => "<li>",
                Some(true) => "<li class=\"task\"><span role=\"img\" aria-label=\"done\">☑</span> ",
                Some(false) => {
                    "<li class=\"task\"><span role=\"img\" aria-label=\"to do\">☐</span> "
                }
            });
            match item.blocks.as_slice() {
                [Block::Paragraph(content), rest @ ..]
                    if rest.iter().all(|block| matches!(block, Block::List { .. })) =>
                {
                    self.inlines(content);
                    self.blocks(rest);
                }
                blocks => self.blocks(blocks),
            }
            self.out.raw("</li>");
        }
        self.out.raw(if start.is_some() { "</ol>" } else { "</ul>" });
    }

    fn callout(&mut self, kind: CalloutKind, blocks: &'a [Block]) {
        let (class, icon, word) = match kind {
            CalloutKind::Note => ("note", "note", Word::Note),
            CalloutKind::Tip => ("tip", "tip", Word::Tip),
            CalloutKind::Important => ("important", "important", Word::Important),
            CalloutKind::Warning => ("warning", "error", Word::Warning),
            CalloutKind::Caution => ("caution", "refuted", Word::Caution),
        };
        self.out.raw("<aside class=\"callout ").raw(class).raw("\"><p class=\"kind\">");
        self.out.raw("<svg class=\"icon\" aria-hidden=\"true\"><use href=\"#i-").raw(icon);
        self.out.raw("\"/></svg> ").raw(self.words.get(word)).raw("</p>");
        self.blocks(blocks);
        self.out.raw("</aside>");
    }

    fn code_view(&mut self, code: &'a CodeView, name: &str) {
        if code.folded {
            let lines = code.text.lines().count();
            self.out.raw("<details class=\"fold\"><summary>").text(name);
            self.out.raw(" <span class=\"quiet\">").text(&lines.to_string());
            self.out.raw(if lines == 1 { " line" } else { " lines" });
            self.out.raw("</span></summary>");
        }
        self.out.raw("<pre class=\"code\"><code>");
        self.highlighted("rust", &code.text);
        self.out.raw("</code></pre>");
        if code.folded {
            self.out.raw("</details>");
        }
    }

    fn cell(&mut self, cell: &'a Cell) {
        let shown = cell.code.is_some() || !cell.outputs.is_empty() || !cell.claims.is_empty();
        self.out.raw(if shown || cell.state != CellState::Done {
            "<div class=\"cell\" role=\"group\" id=\""
        } else {
            "<div class=\"cell bare\" role=\"group\" id=\""
        });
        self.out.text(&cell.anchor).raw("\" aria-label=\"").text(&cell.name).raw("\">");
        self.out.raw("<p class=\"name\"><a href=\"#").text(&cell.anchor);
        if let Some(label) = &cell.label {
            self.out.raw("\" title=\"").text(label);
        }
        self.out.raw("\">");
        self.out.text(&cell.name).raw("</a>");
        if cell.measured {
            self.out.raw(
                "<span class=\"tag\" title=\"Depends on the clock of the machine and differs \
                 between runs\">measured</span>",
            );
        }
        self.out.raw("</p>");
        if let Some(code) = &cell.code {
            self.code_view(code, "Code");
        }
        match &cell.state {
            CellState::Done => {}
            CellState::Failed(message) => {
                self.out.raw("<div class=\"problem\" role=\"note\"><p>").raw(REFUTED);
                self.out.raw(" <b>This cell failed.</b></p><pre>");
                self.out.text(&verbatim(message)).raw("</pre></div>");
            }
            CellState::NotRun(reason) => {
                self.out.raw("<div class=\"problem open\" role=\"note\"><p>").raw(UNVERIFIED);
                self.out.raw(" <b>This cell did not run.</b> ").text(&verbatim(reason));
                self.out.raw("</p></div>");
            }
        }
        let is_check = |output: &Output| matches!(output, Output::Check(_));
        for outputs in cell.outputs.chunk_by(|one, next| is_check(one) && is_check(next)) {
            if is_check(&outputs[0]) {
                self.out.raw("<ul class=\"checks\">");
            }
            for output in outputs {
                self.output(output);
            }
            if is_check(&outputs[0]) {
                self.out.raw("</ul>");
            }
        }
        if !cell.claims.is_empty() {
            self.out.raw("<p class=\"rests\"><span>").raw(self.words.get(Word::RestingClaims));
            self.out.raw("</span>");
            for &claim in &cell.claims {
                self.claim_link(claim);
            }
            self.out.raw("</p>");
        }
        self.out.raw("</div>");
    }

    fn output(&mut self, output: &'a Output) {
        let (name, text) = match output {
            Output::Float(float) => return self.float(float),
            Output::Check(check) => return self.check(check),
            Output::File(file) => return self.attachment(file),
            Output::Text(text) => ("Result", text),
            Output::Stdout(text) => ("Standard output", text),
            Output::Stderr(text) => ("Standard error", text),
        };
        self.out.raw("<figure class=\"stream\"><figcaption>").text(name);
        self.out.raw("</figcaption><pre>").text(&verbatim(text)).raw("</pre></figure>");
    }

    fn attachment(&mut self, file: &'a Attachment) {
        self.out.raw("<p class=\"attachment\">");
        match &file.bytes {
            Some(bytes) => {
                let path = format!("assets/files/{}", file.name);
                self.out.raw("<a href=\"").text(&path);
                self.out.raw("\" download=\"\">").text(&file.name).raw("</a>");
                self.needs.files.insert(path, bytes.clone());
            }
            None => {
                self.out.text(&file.name).raw(" (not in the record: a build makes it)");
            }
        }
        self.out.raw(" <span>").text(&data::bytes(file.size));
        self.out.raw(", BLAKE3 <code>").text(&file.digest).raw("</code></span></p>");
    }

    fn check(&mut self, check: &'a CheckView) {
        let (open, icon, word) = match check.outcome {
            CheckOutcome::Passed => ("<li class=\"check good\" id=\"", VERIFIED, Word::Passed),
            CheckOutcome::Failed => ("<li class=\"check bad\" id=\"", REFUTED, Word::Failed),
            CheckOutcome::FailedAsExpected => {
                ("<li class=\"check good\" id=\"", EXPECTED, Word::FailedAsExpected)
            }
            CheckOutcome::Vacuous => ("<li class=\"check vacuous\" id=\"", VACUOUS, Word::Vacuous),
        };
        self.out.raw(open).text(&check.anchor).raw("\"><p class=\"verdict\">").raw(icon);
        self.out
            .raw(" <span>")
            .raw(self.words.get(word))
            .raw("</span></p><div><p class=\"statement\">");
        self.out.text(&check.statement);
        if !check.evidence.is_empty() {
            self.out.raw(" <span class=\"evidence\">").text(&check.evidence).raw("</span>");
        }
        self.out.raw("</p>");
        if let Some(counterexample) = &check.counterexample {
            self.out.raw("<p class=\"counter\">").raw(self.words.get(Word::Counterexample));
            self.out.raw(" ").text(counterexample).raw("</p>");
        }
        self.out.raw("</div></li>");
    }

    fn equation(&mut self, equation: &'a Equation) {
        self.out.raw("<div class=\"equation\" id=\"").text(&equation.anchor);
        self.out.raw("\"><div class=\"scroll\">");
        self.formula(&equation.math);
        self.out.raw("</div>");
        if equation.number.is_some() || equation.claim.is_some() {
            self.out.raw("<div class=\"side\">");
            if let Some(claim) = equation.claim {
                self.claim(claim, &[], &equation.anchor);
            }
            if let Some(number) = &equation.number {
                self.out.raw("<a class=\"no\" href=\"#").text(&equation.anchor);
                self.out.raw("\">(").text(number).raw(")</a>");
            }
            self.out.raw("</div>");
        }
        self.out.raw("</div>");
    }

    fn float(&mut self, float: &'a Float) {
        match &float.body {
            FloatBody::Table(table) => {
                self.out.raw("<figure class=\"table\" id=\"").text(&float.anchor).raw("\">");
                let named = self.caption(Word::Table, float, None);
                self.out.raw("<div class=\"scroll\"><table");
                if named {
                    self.out.raw(" aria-labelledby=\"caption-").text(&float.anchor).raw("\"");
                }
                self.out.raw(">");
                self.table(table);
                self.out.raw("</table></div></figure>");
            }
            FloatBody::Figure(image) => {
                self.out.raw("<figure class=\"figure\" id=\"").text(&float.anchor).raw("\">");
                self.out.raw("<div class=\"scroll\">");
                self.image(image);
                self.out.raw("</div>");
                self.caption(Word::Figure, float, image.csv.as_ref().map(|_| image));
                self.out.raw("</figure>");
            }
        }
    }

    /// Writes the caption, if there is anything to say, and tells whether there was.
    fn caption(&mut self, word: Word, float: &'a Float, data: Option<&'a Image>) -> bool {
        if float.number.is_none() && float.caption.is_empty() && data.is_none() {
            return false;
        }
        self.out.raw("<figcaption id=\"caption-").text(&float.anchor).raw("\">");
        if let Some(number) = &float.number {
            self.out.raw("<b>").raw(self.words.get(word)).raw(" ").text(number);
            self.out.raw(if float.caption.is_empty() { "</b>" } else { ".</b> " });
        }
        self.inlines(&float.caption);
        if let Some(image) = data {
            self.out.raw(" <a class=\"data\" href=\"assets/figures/");
            self.out.text(&super::file_stem(&image.name));
            self.out.raw(
                ".csv\" download=\"\">Data<span class=\"hidden\"> of this figure</span> (CSV)</a>",
            );
        }
        self.out.raw("</figcaption>");
        true
    }

    fn table(&mut self, table: &'a Table) {
        if !table.header.is_empty() {
            self.out.raw("<thead><tr>");
            for (column, cell) in table.header.iter().enumerate() {
                self.out.raw("<th scope=\"col\"").raw(alignment(table, column)).raw(">");
                self.inlines(cell);
                self.out.raw("</th>");
            }
            self.out.raw("</tr></thead>");
        }
        self.out.raw("<tbody>");
        for row in &table.rows {
            self.out.raw("<tr>");
            for (column, cell) in row.iter().enumerate() {
                self.out.raw("<td").raw(alignment(table, column)).raw(">");
                self.inlines(cell);
                self.out.raw("</td>");
            }
            self.out.raw("</tr>");
        }
        self.out.raw("</tbody>");
    }
}

pub(super) const VERIFIED: &str =
    "<svg class=\"icon\" aria-hidden=\"true\"><use href=\"#i-verified\"/></svg>";
pub(super) const EXPECTED: &str =
    "<svg class=\"icon\" aria-hidden=\"true\"><use href=\"#i-expected\"/></svg>";
pub(super) const REFUTED: &str =
    "<svg class=\"icon\" aria-hidden=\"true\"><use href=\"#i-refuted\"/></svg>";
pub(super) const UNVERIFIED: &str =
    "<svg class=\"icon\" aria-hidden=\"true\"><use href=\"#i-unverified\"/></svg>";
pub(super) const VACUOUS: &str =
    "<svg class=\"icon\" aria-hidden=\"true\"><use href=\"#i-vacuous\"/></svg>";
pub(super) const WARNING: &str =
    "<svg class=\"icon\" aria-hidden=\"true\"><use href=\"#i-error\"/></svg>";

fn alignment(table: &Table, column: usize) -> &'static str {
    match table.align.get(column) {
        None | Some(ColumnAlign::Default) => "",
        Some(ColumnAlign::Left) => " class=\"left\"",
        Some(ColumnAlign::Center) => " class=\"center\"",
        Some(ColumnAlign::Right) => " class=\"right\"",
    }
}

/// Text as a terminal would leave it: escape sequences gone, overwritten lines overwritten.
fn verbatim(text: &str) -> String {
    let plain = anstream::adapter::strip_str(text).to_string();
    let lines: Vec<&str> = plain
        .split('\n')
        .map(|line| {
            let line = line.trim_end_matches('\r');
            line.rsplit_once('\r').map_or(line, |(_, last)| last)
        })
        .collect();
    lines.join("\n")
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn terminal_output_reads_as_on_a_terminal() {
        assert_eq!(verbatim("\u{1b}[31mred\u{1b}[0m\r\n10 %\r20 %\nx"), "red\n20 %\nx");
    }
}
