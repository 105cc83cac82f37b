// The reviewer's view: from claim to claim by keyboard, what each rests on, comments of one's own.
// All text reaches the page as text. What it shows comes from assets/claims.js, which is loaded
// when the view is first opened.
"use strict";

(() => {
  const CALLED = "veracity-review";
  const KEYS = [
    ["j or n", "next claim"], ["k or p", "previous claim"], ["c", "write a comment"],
    ["e", "move to the evidence"], ["r", "open or close this view"], ["?", "show these keys"],
    ["Escape", "back to the claim, then close"],
  ];

  const file = decodeURIComponent(location.pathname.split("/").pop()) || "index.html";
  const isLedger = () => document.body.classList.contains("page-ledger");

  // ---- What is kept -----------------------------------------------------------------------

  const keep = (area, key) => ({
    read() { try { return JSON.parse(window[area].getItem(key)); } catch { return null; } },
    write(value) {
      try { window[area].setItem(key, JSON.stringify(value)); return true; } catch { return false; }
    },
  });

  let data = null;
  let byId = new Map();
  // How the view stands; kept from page to page, not from day to day.
  const viewKept = keep("sessionStorage", `${CALLED}-view`);
  const view = { open: false, current: null, chapter: "", without: [], ...viewKept.read() };
  const saveView = () => viewKept.write(view);

  const comments = new Map();
  let commentsKept = null;
  let lasting = true;
  function readComments() {
    commentsKept = keep("localStorage", `${CALLED}:${data.report}`);
    const kept = commentsKept.read();
    comments.clear();
    for (const comment of Array.isArray(kept) ? kept.map(valid).filter(Boolean) : []) comments.set(comment.claim, comment);
  }
  function saveComments() {
    lasting = commentsKept.write([...comments.values()]);
  }

  // A comment as it is kept and exported, or null if that is none.
  function valid(comment) {
    const fields = ["claim", "text", "value", "verdict", "state", "comment"];
    if (typeof comment !== "object" || comment === null) return null;
    const clean = {};
    for (const field of fields) {
      if (typeof comment[field] !== "string" || comment[field].length > 100000) return null;
      clean[field] = comment[field];
    }
    return clean.claim && clean.comment.trim() ? clean : null;
  }

  const shownValue = (claim) => [claim.value, claim.unit].filter(Boolean).join(" ");
  const isOutdated = (comment) => byId.get(comment.claim)?.state !== comment.state;

  function comment(claim, words) {
    if (words.trim()) {
      comments.set(claim.id, {
        claim: claim.id, text: claim.text, value: shownValue(claim), verdict: claim.verdict,
        state: claim.state, comment: words,
      });
    } else {
      comments.delete(claim.id);
    }
    saveComments();
  }

  // ---- Elements ---------------------------------------------------------------------------

  function make(name, attributes = {}, ...content) {
    const element = document.createElement(name);
    for (const [key, value] of Object.entries(attributes)) {
      if (key === "on") for (const [event, action] of Object.entries(value)) element.addEventListener(event, action);
      else if (value === true) element.setAttribute(key, "");
      else if (value !== false && value !== null) element.setAttribute(key, value);
    }
    element.append(...content.filter((part) => part !== null));
    return element;
  }
  const button = (words, action, attributes = {}) =>
    make("button", { type: "button", on: { click: action }, ...attributes }, words);

  const opener = () => document.querySelector("button.review-opener");
  const said = make("p", { class: "hidden", role: "status", "aria-live": "polite" });
  const place = make("span", { class: "place" });
  const choice = make("div", { class: "choice" });
  const evidence = make("div", { class: "evidence", tabindex: "-1", role: "group", "aria-label": "Evidence" });
  const remark = make("div", { class: "remark" });
  const box = make("textarea", { id: "review-comment", rows: "3" });
  const about = make("p", { class: "outdated", hidden: true });
  const written = make("div", { class: "written" });
  const told = make("p", { class: "told", role: "status" });
  const chooser = make("input", { type: "file", accept: ".json,application/json", class: "hidden", tabindex: "-1", "aria-label": "Review file", on: { change: take } });
  const keys = make("dialog", { class: "review-keys", "aria-label": "Keys" },
    make("h2", {}, "Keys"),
    make("dl", {}, ...KEYS.map(([key, words]) => make("div", {},
      make("dt", {}, ...key.split(/( or )/).map((part) => part === " or " ? part : make("kbd", {}, part))), make("dd", {}, words)))),
    button("Close", () => keys.close()));
  const panel = make("aside", { class: "review", "aria-label": "Reviewer’s view", hidden: true },
    make("div", { class: "head" }, make("h2", {}, "Review"), place,
      button("‹", () => step(-1), { "aria-label": "Previous claim", title: "Previous claim (k)" }),
      button("›", () => step(1), { "aria-label": "Next claim", title: "Next claim (j)" }),
      button("?", () => keys.showModal(), { "aria-label": "Keys", title: "Keys (?)" }),
      button("×", () => toggle(false), { "aria-label": "Close", title: "Close (r)" })),
    make("details", { class: "narrow" }, make("summary", {}, "Filter"), choice),
    evidence, remark,
    make("section", { class: "all", "aria-label": "Comments" }, written,
      make("p", { class: "files" },
        button("Export JSON", () => save("json", "application/json", asJson())),
        button("Export Markdown", () => save("md", "text/markdown", asMarkdown())),
        button("Import", () => chooser.click()), chooser),
      told),
    said);
  remark.append(make("label", { for: "review-comment" }, "Your comment"), about, box);
  box.addEventListener("input", () => {
    const claim = byId.get(view.current);
    if (!claim) return;
    comment(claim, box.value);
    about.hidden = true;
    showWritten();
  });

  // ---- Which claims -----------------------------------------------------------------------

  const element = (claim) => document.getElementById(claim.anchor);

  function visible() {
    return data.claims.filter((claim) => !view.without.includes(claim.look)
      && (!view.chapter || claim.chapter === view.chapter)
      && !(isLedger() && element(claim)?.hidden));
  }

  function showChoice() {
    const looks = new Map(data.claims.map((claim) => [claim.look, claim.verdict]));
    const boxes = [...looks].map(([look, verdict]) => make("label", {},
      make("input", { type: "checkbox", value: look, checked: !view.without.includes(look), on: { change: narrow } }), ` ${verdict}`));
    const select = make("select", { on: { change: narrow } }, make("option", { value: "" }, "all"),
      ...data.chapters.map(({ slug, title }) => make("option", { value: slug, selected: slug === view.chapter }, title)));
    choice.replaceChildren(make("fieldset", {}, make("legend", {}, "Verdict"), ...boxes), make("label", {}, "Chapter ", select));
  }

  function narrow() {
    view.without = [...choice.querySelectorAll("input:not(:checked)")].map((input) => input.value);
    view.chapter = choice.querySelector("select").value;
    saveView();
    const count = visible().length;
    say(`${count} of ${data.claims.length} claims`);
    showPlace();
  }

  function showPlace() {
    const claims = visible();
    const at = claims.findIndex((claim) => claim.id === view.current);
    place.textContent = at < 0 ? `${claims.length} of ${data.claims.length}` : `${at + 1} of ${claims.length}`;
  }

  function step(by) {
    const claims = visible();
    if (!claims.length) return say("No claim passes the filter.");
    let at = claims.findIndex((claim) => claim.id === view.current);
    if (at >= 0) {
      at += by;
      if (at < 0 || at >= claims.length) return say(by > 0 ? "This was the last claim." : "This was the first claim.");
    } else {
      // From where the reader is: the first claim of this page that is not above the window.
      const here = claims.findIndex((claim) => (isLedger() || claim.page === file) && element(claim)?.getBoundingClientRect().top >= 0);
      at = here < 0 ? 0 : Math.max(0, by > 0 ? here : here - 1);
    }
    go(claims[at]);
  }

  function go(claim) {
    view.current = claim.id;
    saveView();
    if (isLedger() || claim.page === file) arrive(claim);
    else location.href = `${encodeURI(claim.page)}#${encodeURIComponent(claim.anchor)}`;
  }

  function arrive(claim) {
    show(claim);
    const target = element(claim);
    for (const other of document.querySelectorAll(".reviewing")) other.classList.remove("reviewing");
    if (target) {
      target.classList.add("reviewing");
      target.closest("details")?.setAttribute("open", "");
      target.scrollIntoView({ block: "center" });
      target.querySelector("button.badge, a")?.focus({ preventScroll: true });
    }
    const claims = visible();
    const at = claims.indexOf(claim);
    say(`Claim ${at + 1} of ${claims.length}: ${claim.text}, ${claim.verdict}.${comments.has(claim.id) ? " Has a comment." : ""}`);
  }

  function say(words) {
    said.textContent = words;
    told.textContent = "";
  }

  // ---- What a claim rests on --------------------------------------------------------------

  const row = (name, ...content) => make("div", {}, make("dt", {}, name), make("dd", {}, ...content));
  const rowOf = (name, words) => words ? row(name, words) : null;
  const link = (page, anchor, words) => make("a", { href: `${encodeURI(page)}#${encodeURIComponent(anchor)}` }, words);
  // A premise may be a claim of another page.
  const premise = (id) => byId.has(id) ? button(id, () => go(byId.get(id)), { class: "go" }) : make("span", {}, id);
  const passage = (index) => {
    const { place: from, code } = data.passages[index];
    return make("figure", {}, make("figcaption", {}, from), make("pre", { tabindex: "0" }, make("code", {}, code)));
  };
  const unfolds = (words, indices, open) => indices.length
    ? make("details", { open }, make("summary", {}, words), ...indices.map(passage)) : null;
  const count = (number, one, many) => `${number} ${number === 1 ? one : many}`;

  function duration(claim) {
    const known = window.veracityDurations || {};
    const ms = Object.hasOwn(known, claim.id) ? known[claim.id] : null;
    return typeof ms === "number" ? (ms < 1000 ? `${ms} ms` : `${(ms / 1000).toFixed(1)} s`) : null;
  }

  function show(claim) {
    showPlace();
    const from = claim.from;
    const chain = from && Object.hasOwn(data.chains, from.anchor) ? data.chains[from.anchor] : null;
    evidence.replaceChildren(...[
      make("p", { class: `verdict ${claim.standing}` }, claim.verdict),
      make("p", { class: "text" }, claim.text),
      claim.detail ? make("p", { class: "detail" }, claim.detail) : null,
      make("dl", {}, ...[
        rowOf("Relation", claim.relation),
        claim.value === null ? null : row("Value", make("code", {}, claim.value), claim.unit ? ` ${claim.unit}` : ""),
        rowOf("Expected", claim.expected),
        claim.because.length ? row("Because", ...claim.because.flatMap((id) => [premise(id), " "])) : null,
        ...claim.formulas.map((latex) => row("Formula", make("code", {}, latex))),
        from ? row("Cell", link(from.page, from.anchor, from.cell)) : null,
        from?.data ? row("Data", `${from.data[0]} (${from.data[1]}) `, make("code", {}, from.data[2])) : null,
        from ? row("Run", [from.device, `profile ${from.profile}`, from.seed === null ? null : `seed ${from.seed}`, duration(claim)].filter(Boolean).join(", ")) : null,
        from ? row("Key", make("code", {}, from.key)) : null,
        row("Place", claim.place),
        row("Again", make("code", { class: "command" }, claim.again)),
      ].filter(Boolean)),
      ...(chain ? [
        unfolds("Code of the cell", [chain.cell], true),
        unfolds(`Builds on ${count(chain.builds_on.length, "cell", "cells")}`, chain.builds_on, false),
        unfolds(`Uses ${count(chain.uses.length, "item", "items")} of modules`, chain.uses, false),
      ] : []),
      make("p", { class: "links" }, link(claim.page, claim.anchor, "In the text"), " ", link("ledger.html", claim.anchor, "In the ledger")),
    ].filter(Boolean));
    evidence.scrollTop = 0;
    remark.hidden = false;
    const mine = comments.get(claim.id);
    box.value = mine ? mine.comment : "";
    about.hidden = !mine || !isOutdated(mine);
    about.textContent = about.hidden ? "" : outdatedWords(mine);
    showWritten();
  }

  const outdatedWords = (mine) =>
    `Outdated: written about “${mine.text}”${mine.value ? `, value ${mine.value}` : ""} (${mine.verdict}); the claim has changed since.`;

  // ---- Comments as files ------------------------------------------------------------------

  function inOrder() {
    const at = new Map(data.claims.map((claim, index) => [claim.id, index]));
    const order = (mine) => at.has(mine.claim) ? at.get(mine.claim) : Infinity;
    return [...comments.values()].sort((a, b) => order(a) - order(b) || (a.claim < b.claim ? -1 : 1));
  }

  function showWritten() {
    const open = written.querySelector("details")?.open || false;
    const list = inOrder().map((mine) => {
      const claim = byId.get(mine.claim);
      const name = claim ? button(mine.claim, () => go(claim), { class: "go" }) : make("span", {}, mine.claim);
      const mark = isOutdated(mine) ? make("span", { class: "outdated" }, claim ? " outdated" : " outdated: no such claim any more") : null;
      const drop = claim ? null : button("Remove", () => { comments.delete(mine.claim); saveComments(); showWritten(); });
      return make("li", {}, name, mark, make("span", { class: "words" }, mine.comment), drop);
    });
    const total = count(list.length, "comment", "comments");
    written.replaceChildren(...[
      list.length ? make("details", { open }, make("summary", {}, total), make("ul", {}, ...list)) : make("p", {}, "No comments yet."),
      lasting ? null : make("p", { class: "outdated" }, "This browser keeps no comments: export them before you leave the page."),
    ].filter(Boolean));
  }

  function asJson() {
    const list = inOrder().map((mine) => ({ ...mine, outdated: isOutdated(mine) }));
    return `${JSON.stringify({ review: 1, report: data.report, comments: list }, null, 2)}\n`;
  }

  // Text as code of Markdown, which shows every sign as it is.
  function codeSpan(text) {
    const longest = Math.max(0, ...(text.match(/`+/g) || []).map((run) => run.length));
    const fence = "`".repeat(longest + 1);
    const pad = /^[` ]|[` ]$/.test(text) ? " " : "";
    return fence + pad + text.replace(/\s+/g, " ") + pad + fence;
  }

  function asMarkdown() {
    const parts = [`# Review of ${codeSpan(data.report)}`];
    for (const mine of inOrder()) {
      const where = byId.get(mine.claim)?.place;
      parts.push(`## ${codeSpan(mine.claim)}`);
      parts.push([
        where ? `- at ${codeSpan(where)}` : null, `- says ${codeSpan(mine.text)}`,
        mine.value ? `- value ${codeSpan(mine.value)}` : null, `- verdict: ${codeSpan(mine.verdict)}`,
        isOutdated(mine) ? "- **outdated**: the claim has changed since" : null,
      ].filter(Boolean).join("\n"));
      // A quotation keeps headings apart; no HTML comes of a comment.
      const words = mine.comment.replace(/&/g, "&amp;").replace(/</g, "&lt;");
      parts.push(words.split("\n").map((line) => `> ${line}`).join("\n"));
    }
    return `${parts.join("\n\n")}\n`;
  }

  function save(ending, type, text) {
    const url = URL.createObjectURL(new Blob([text], { type }));
    make("a", { href: url, download: `review.${ending}` }).click();
    setTimeout(() => URL.revokeObjectURL(url), 60000);
    tell(`${count(comments.size, "comment", "comments")} exported to review.${ending}.`);
  }

  function tell(words) { told.textContent = words; }

  async function take() {
    const [chosen] = chooser.files;
    chooser.value = "";
    if (!chosen) return;
    let review = null;
    try { review = JSON.parse(await chosen.text()); } catch { /* told below */ }
    if (review?.review !== 1 || !Array.isArray(review.comments)) return tell("This is no review file; nothing was imported.");
    const list = review.comments.map(valid);
    let added = 0;
    for (const theirs of list.filter(Boolean)) {
      const mine = comments.get(theirs.claim);
      if (mine?.comment.includes(theirs.comment)) continue;
      comments.set(theirs.claim, mine ? { ...theirs, comment: `${mine.comment}\n\n${theirs.comment}` } : theirs);
      added += 1;
    }
    saveComments();
    const bad = list.filter((one) => !one).length;
    const current = byId.get(view.current);
    if (current) show(current); else showWritten();
    tell(`${count(added, "comment", "comments")} imported`
      + (bad ? `, ${bad} left out because they are not whole` : "")
      + (review.report === data.report ? "." : "; they were written on another report."));
  }

  // ---- Opening ----------------------------------------------------------------------------

  function load(version) {
    return new Promise((resolve, reject) => {
      const script = make("script", { src: `assets/claims.js${version ? `?${version}` : ""}`, on: {
        load() {
          script.remove();
          data = window.veracityClaims;
          byId = new Map(data.claims.map((claim) => [claim.id, claim]));
          resolve();
        },
        error() { script.remove(); reject(new Error("assets/claims.js cannot be loaded")); },
      } });
      document.head.append(script);
    });
  }

  async function begin() {
    if (!panel.isConnected) document.body.append(panel, keys);
    try { if (!data) await load(); } catch (error) { return say(error.message); }
    readComments();
    showChoice();
    showWritten();
    const claim = byId.get(view.current);
    if (claim) show(claim);
    else {
      remark.hidden = true;
      evidence.replaceChildren(make("p", {}, "Press j for the first claim, or a mark in the text. ? shows all keys."));
      showPlace();
    }
  }

  async function toggle(open) {
    view.open = open;
    saveView();
    if (open) await begin();
    panel.hidden = !open;
    document.body.classList.toggle("reviewed", open);
    opener()?.setAttribute("aria-expanded", String(open));
    if (open) return say("Reviewer’s view is open. Press j for the next claim, question mark for all keys.");
    const inside = panel.contains(document.activeElement);
    for (const other of document.querySelectorAll(".reviewing")) other.classList.remove("reviewing");
    if (inside) opener()?.focus();
  }

  function escape() {
    const claim = byId.get(view.current);
    const target = claim && element(claim)?.querySelector("button.badge, a");
    if (panel.contains(document.activeElement) && target) target.focus();
    else toggle(false);
  }

  const actions = {
    j: () => step(1), n: () => step(1), k: () => step(-1), p: () => step(-1),
    c: () => { if (!remark.hidden) box.focus(); }, e: () => evidence.focus(),
    "?": () => keys.showModal(), Escape: escape,
  };

  function key(event) {
    if (event.ctrlKey || event.metaKey || event.altKey || event.isComposing || keys.open) return;
    const typing = event.target.closest?.("input, textarea, select, [contenteditable]");
    if (typing && event.key !== "Escape") return;
    if (event.key === "r") { event.preventDefault(); toggle(!view.open); return; }
    if (!view.open || !data || !Object.hasOwn(actions, event.key)) return;
    // An open popover closes first.
    if (event.key === "Escape" && document.querySelector(":popover-open")) return;
    event.preventDefault();
    actions[event.key]();
  }

  // With the view open, a mark in the text shows its claim there instead of over the page.
  function press(event) {
    const badge = event.target.closest?.("main button.badge[popovertarget]");
    if (!view.open || !data || !badge) return;
    const anchor = badge.getAttribute("popovertarget").replace(/^about-/, "");
    const claim = data.claims.find((one) => one.anchor === anchor);
    if (!claim) return;
    event.preventDefault();
    go(claim);
  }

  addEventListener("DOMContentLoaded", async () => {
    const control = opener();
    if (!control) return;
    control.hidden = false;
    control.addEventListener("click", () => toggle(!view.open));
    document.addEventListener("keydown", key);
    document.addEventListener("click", press);
    addEventListener("storage", (event) => {
      if (!data || event.key !== `${CALLED}:${data.report}`) return;
      readComments();
      const claim = byId.get(view.current);
      if (claim && document.activeElement !== box) show(claim); else showWritten();
    });
    if (!view.open) return;
    await toggle(true);
    const claim = data && byId.get(view.current);
    if (claim && claim.page === file && decodeURIComponent(location.hash.slice(1)) === claim.anchor) arrive(claim);
  });

  // A served page has changed in its place, and with it perhaps what claims rest on.
  document.addEventListener("veracity:changed", async () => {
    if (!data) return;
    try { await load(Date.now()); } catch { return; }
    showChoice();
    const claim = byId.get(view.current);
    // What is being written is left alone.
    if (claim && !panel.contains(document.activeElement)) show(claim); else showWritten();
  });
})();
