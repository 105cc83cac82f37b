//! A piece of a page, written so that nothing from outside reaches it unescaped.
//!
//! In: markup that stands in our own source, text from anywhere, and formulas by number. Out:
//! HTML. All formulas of a report are set in one go, hence a piece first leaves room for them.

use crate::math::{Math, MathError, MathmlRenderer};

/// HTML with places for formulas.
#[derive(Debug, Default)]
pub(super) struct Fragment {
    html: String,
    /// Where formulas go: byte offset and index of the formula, in order.
    formulas: Vec<(usize, usize)>,
}

impl Fragment {
    /// Adds markup. The lifetime keeps everything out that was not written here.
    pub(super) fn raw(&mut self, markup: &'static str) -> &mut Self {
        self.html.push_str(markup);
        self
    }

    /// Adds text, escaped for element content and for quoted attributes alike.
    pub(super) fn text(&mut self, text: &str) -> &mut Self {
        escape(text, &mut self.html);
        self
    }

    /// Leaves room for a formula.
    pub(super) fn formula(&mut self, index: usize) {
        self.formulas.push((self.html.len(), index));
    }

    /// The same where so many formulas come before its own.
    pub(super) fn shifted(mut self, by: usize) -> Self {
        self.formulas.iter_mut().for_each(|(_, index)| *index += by);
        self
    }

    /// The HTML with its formulas in place.
    pub(super) fn finish(&self, formulas: &[String]) -> String {
        let of_formulas = self.formulas.iter().map(|&(_, index)| formulas[index].len());
        let mut html = String::with_capacity(self.html.len() + of_formulas.sum::<usize>());
        let mut done = 0;
        for &(at, index) in &self.formulas {
            html.push_str(&self.html[done..at]);
            html.push_str(&formulas[index]);
            done = at;
        }
        html.push_str(&self.html[done..]);
        html
    }
}

/// Appends text, escaped for element content and for quoted attributes alike.
pub(super) fn escape(text: &str, html: &mut String) {
    let mut done = 0;
    for (at, byte) in text.bytes().enumerate() {
        let replacement = match byte {
            b'&' => "&amp;",
            b'<' => "&lt;",
            b'>' => "&gt;",
            b'"' => "&quot;",
            b'\'' => "&#39;",
            b'\n' | b'\t' => continue,
            0..=31 | 127 => "\u{fffd}",
            _ => continue,
        };
        html.push_str(&text[done..at]);
        html.push_str(replacement);
        done = at + 1;
    }
    html.push_str(&text[done..]);
}

/// Each formula as a `<math>` element, or its LaTeX with a notice where it cannot be set.
pub(super) fn mathml(formulas: &[&Math], renderer: &mut MathmlRenderer) -> Vec<String> {
    let results = renderer.render(formulas);
    renderer.forget_but(formulas);
    let settle = |(result, math): (Result<String, MathError>, &&Math)| {
        result.unwrap_or_else(|error| {
            let mut notice = Fragment::default();
            notice.raw("<span class=\"problem\" role=\"note\">").text(&error.message);
            notice.raw(": <code>").text(math.latex()).raw("</code></span>");
            notice.finish(&[])
        })
    };
    results.into_iter().zip(formulas).map(settle).collect()
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn text_cannot_leave_an_element_or_an_attribute() {
        let mut fragment = Fragment::default();
        fragment.text("a<b>&\"'\u{1b}\u{0}é\n");
        assert_eq!(fragment.finish(&[]), "a&lt;b&gt;&amp;&quot;&#39;\u{fffd}\u{fffd}é\n");
    }

    #[test]
    fn formulas_go_where_room_was_left() {
        let mut fragment = Fragment::default();
        fragment.formula(1);
        fragment.text("<").formula(0);
        assert_eq!(fragment.finish(&["A".to_owned(), "B".to_owned()]), "B&lt;A");
    }
}
