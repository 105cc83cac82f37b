//! Below the ledger: which claims follow from which, drawn and in words.
//!
//! In: the premises of claims. Out: HTML with an SVG drawing whose boxes are links.

use super::Writer;
use super::claims::standing;
use crate::render::lattice::{Curve, Drawing, HEIGHT, INSET, Node, WIDTH};
use crate::render::look::Look;
use crate::words::Word;

impl Writer<'_> {
    /// Each claim that is said to follow from others; nothing if there is none.
    pub(super) fn lattice(&mut self) {
        let Some(drawing) = Drawing::of(&self.document.claims, self.index) else { return };
        self.out.raw("<section class=\"lattice\"><h2 id=\"lattice\">");
        self.out.raw(self.words.get(Word::Lattice)).raw("</h2><p>");
        self.out.raw(self.words.get(Word::StaleMeans)).raw("</p>");
        self.drawing(&drawing);
        self.premises();
        self.out.raw("</section>");
    }

    fn drawing(&mut self, drawing: &Drawing) {
        // Borders are drawn on the edges of boxes, and half of their width lies outside.
        let [width, height] = [drawing.width + 2.0, drawing.height + 2.0].map(|it| it.to_string());
        self.out.raw("<div class=\"scroll\"><svg class=\"graph\" role=\"group\" aria-label=\"");
        self.out.raw(self.words.get(Word::GraphLabel)).raw("\" viewBox=\"-1 -1 ");
        self.out.text(&width).raw(" ").text(&height).raw("\" width=\"").text(&width);
        self.out.raw("\" height=\"").text(&height).raw("\">");
        for curve in &drawing.curves {
            self.out.raw("<path class=\"");
            self.out.raw(standing(self.document.claims[curve.from].standing())).raw("\" d=\"");
            self.out.text(&path(curve)).raw("\"/>");
        }
        for node in &drawing.boxes {
            self.node(node);
        }
        self.out.raw("</svg></div>");
    }

    fn node(&mut self, node: &Node) {
        let claim = &self.document.claims[node.claim];
        let look = Look::of(claim);
        let (x, y) = node.at;
        self.out.raw("<a class=\"").raw(standing(claim.standing())).raw("\" href=\"");
        self.href(Some(&claim.chapter), &claim.anchor);
        self.out.raw("\" aria-label=\"").text(&claim.text).raw(", ").raw(look.word(self.words));
        self.out.raw("\"><title>").text(&claim.text).raw("</title><rect rx=\"5\"");
        for (name, length) in
            [(" x=\"", x), (" y=\"", y), (" width=\"", WIDTH), (" height=\"", HEIGHT)]
        {
            self.out.raw(name).text(&length.to_string()).raw("\"");
        }
        self.out.raw("/>");
        let verdict = format!("{} {}", look.sign(), look.word(self.words));
        for (class, down, words) in
            [("<text", 0.42, &node.words), ("<text class=\"verdict\"", 0.79, &verdict)]
        {
            self.out.raw(class).raw(" x=\"").text(&(x + INSET).to_string()).raw("\" y=\"");
            self.out
                .text(&format!("{:.1}", y + down * HEIGHT))
                .raw("\">")
                .text(words)
                .raw("</text>");
        }
        self.out.raw("</a>");
    }

    /// The same as a list.
    fn premises(&mut self) {
        let claims = &self.document.claims;
        self.out.raw("<ul>");
        // Premises of premises stand where these are conclusions themselves.
        for at in (0..claims.len()).filter(|&at| !claims[at].because.is_empty()) {
            self.out.raw("<li>");
            self.claim_link(at);
            self.out.raw(" <span class=\"quiet\">").raw(Look::of(&claims[at]).word(self.words));
            self.out.raw(", ").raw(self.words.get(Word::Because)).raw("</span><ul>");
            for premise in &claims[at].because {
                if let Some(premise) = claims.iter().position(|claim| claim.id == *premise) {
                    self.out.raw("<li>");
                    self.claim_link(premise);
                    self.out.raw(" <span class=\"quiet\">");
                    self.out.raw(Look::of(&claims[premise]).word(self.words)).raw("</span></li>");
                }
            }
            self.out.raw("</ul></li>");
        }
        self.out.raw("</ul>");
    }
}

/// A curve with an arrow at its end, as SVG path data.
fn path(curve: &Curve) -> String {
    let mut data = String::new();
    let mut last = (0.0, 0.0);
    for (at, &(x, y)) in curve.points.iter().enumerate() {
        let middle = (last.0 + x) / 2.0;
        data += &match at {
            0 => format!("M{x} {y}"),
            at if at % 2 == 1 => format!("C{middle} {} {middle} {y} {x} {y}", last.1),
            _ => format!("L{x} {y}"),
        };
        last = (x, y);
    }
    let (x, y) = last;
    data + &format!("M{} {}L{x} {y}L{} {}", x - 6.0, y - 3.5, x - 6.0, y + 3.5)
}
