// The reviewer's view: from claim to claim by keyboard, the evidence beside the text, comments.
// Comments stay in this browser until they are exported. All text reaches the page as text.
"use strict";

(() => {
  const KEYS = [
    ["n, j", "next claim"], ["p, k", "previous claim"], ["c", "comment on this claim"],
    ["r", "show or hide this panel"], ["?", "show or hide the keys"], ["Esc", "close the panel"],
  ];
  const LONGEST = 20000;
  const place = `veracity-review:${document.documentElement.dataset.report || document.title}`;

  const make = (name, className, text) => {
    const element = document.createElement(name);
    if (className) element.className = className;
    if (text !== undefined) element.textContent = text;
    return element;
  };
  const words = (element) => element ? element.textContent.replace(/\s+/g, " ").trim() : "";

  // ---- Comments --------------------------------------------------------------------------

  let comments = new Map();
  let isKept = true;

  const isText = (text) => typeof text === "string" && text.length <= LONGEST;
  // Whatever a file or the browser's store holds, only comments of the known form get through.
  function accepted(data) {
    const found = new Map();
    if (data?.veracityReview !== 1 || !Array.isArray(data.comments)) return found;
    for (const { claim, comment, seen } of data.comments.filter((entry) => entry && typeof entry === "object")) {
      if (isText(claim) && isText(comment) && isText(seen) && comment.trim()) found.set(claim, { comment, seen });
    }
    return found;
  }

  const written = () => ({
    veracityReview: 1,
    report: document.documentElement.dataset.report || document.title,
    comments: [...comments].sort(([a], [b]) => a < b ? -1 : 1)
      .map(([claim, { comment, seen }]) => ({ claim, comment, seen })),
  });

  function load() {
    try {
      comments = accepted(JSON.parse(localStorage.getItem(place) || "null"));
    } catch { isKept = false; }
  }

  function keep() {
    try { localStorage.setItem(place, JSON.stringify(written())); isKept = true; } catch { isKept = false; }
  }

  function offer(name, type, text) {
    const link = make("a");
    link.href = URL.createObjectURL(new Blob([text], { type }));
    link.download = name;
    link.click();
    setTimeout(() => URL.revokeObjectURL(link.href), 10000);
  }

  // A comment cannot end its quotation or start markup of its own.
  const quoted = (text) => text.replace(/[\\`*_[\]<>#|~]/g, "\\$&").split("\n").map((line) => `> ${line}`).join("\n");

  function markdown() {
    const { report, comments: all } = written();
    const entries = all.map(({ claim, comment, seen }) => `## \`${claim.replace(/`/g, "'")}\`\n\nSeen: ${quoted(seen).slice(2)}\n\n${quoted(comment)}\n`);
    return `# Review of ${quoted(report).slice(2)}\n\n${entries.join("\n")}`;
  }

  // ---- Claims of this page ---------------------------------------------------------------

  let claims = [];
  let current = -1;

  function collect() {
    const before = claims[current]?.id;
    const rows = [...document.querySelectorAll("table.ledger tr[data-claim]")].map((row) => ({
      id: row.dataset.claim, mark: row, about: null, verdict: words(row.querySelector(".badge")),
      standing: row.querySelector(".badge"), seen: `${words(row.querySelector("th a"))} | ${words(row.querySelector(".full"))}`,
      link: row.querySelector("th a"),
    }));
    const known = new Set();
    const badges = [...document.querySelectorAll("main button.badge[popovertarget]")].flatMap((badge) => {
      const about = document.getElementById(badge.getAttribute("popovertarget"));
      if (!about?.dataset.claim || known.has(about)) return [];
      known.add(about);
      const value = [...about.querySelectorAll("dl > div")].map(words).filter((line) => /^(Claim|Relation|Value)/.test(line));
      return [{
        id: about.dataset.claim, mark: badge, about, verdict: words(about.querySelector(".verdict")),
        standing: about, seen: value.join(" | "), link: null,
      }];
    });
    claims = rows.length ? rows : badges;
    current = claims.findIndex(({ id }) => id === before);
    for (const { id, mark } of claims) mark.classList.toggle("commented", comments.has(id));
  }

  const passes = (claim) => {
    if (claim.mark.closest("[hidden]")) return false;
    switch (filter.value) {
      case "attention": return !claim.standing.classList.contains("good");
      case "commented": return comments.has(claim.id);
      default: return true;
    }
  };

  // ---- The panel -------------------------------------------------------------------------

  const panel = make("aside", "review");
  panel.id = "review";
  panel.hidden = true;
  panel.setAttribute("aria-label", "Review");
  const head = make("div", "review-head");
  const title = make("h2", "", "Review");
  const filter = make("select");
  filter.setAttribute("aria-label", "Which claims");
  for (const [value, text] of [["all", "all claims"], ["attention", "not verified"], ["commented", "commented"]]) {
    const option = make("option", "", text);
    option.value = value;
    filter.append(option);
  }
  const button = (text, label, action) => {
    const element = make("button", "", text);
    element.type = "button";
    if (label) element.setAttribute("aria-label", label);
    element.addEventListener("click", action);
    return element;
  };
  const evidence = make("div", "review-evidence");
  const keys = make("dl", "review-keys");
  keys.hidden = true;
  for (const [key, meaning] of KEYS) {
    const row = make("div");
    row.append(make("dt", "", key), make("dd", "", meaning));
    keys.append(row);
  }
  const spoken = make("p", "hidden");
  spoken.setAttribute("role", "status");
  const box = make("textarea");
  box.id = "review-comment";
  box.maxLength = LONGEST;
  box.rows = 4;
  const label = make("label", "", "Comment");
  label.htmlFor = box.id;
  const state = make("p", "review-state");
  const file = make("input");
  file.type = "file";
  file.accept = "application/json,.json";
  file.hidden = true;
  const files = make("div", "review-files");
  files.append(
    button("Export as JSON", "", () => offer("review.json", "application/json", `${JSON.stringify(written(), null, 2)}\n`)),
    button("as Markdown", "Export as Markdown", () => offer("review.md", "text/markdown", markdown())),
    button("Import", "Import a review from JSON", () => file.click()),
    file,
  );
  head.append(
    title, filter, button("‹", "Previous claim", () => step(-1)), button("›", "Next claim", () => step(1)),
    button("?", "Keys", () => { keys.hidden = !keys.hidden; }), button("×", "Close", () => show(false)),
  );
  panel.append(head, keys, evidence, label, box, state, files, spoken);

  function told() {
    const claim = claims[current];
    const comment = claim && comments.get(claim.id);
    const notes = [`${comments.size} ${comments.size === 1 ? "comment" : "comments"} in this report.`];
    if (comment && comment.seen !== claim.seen) notes.unshift("The claim has changed since this comment.");
    if (!isKept) notes.push("This browser keeps nothing: export before you leave the page.");
    state.textContent = notes.join(" ");
    state.classList.toggle("outdated", Boolean(comment && comment.seen !== claim.seen));
  }

  // The code of a cell of this page, and of the cells and blocks that it builds on.
  function code(about) {
    const link = about.querySelector("[data-cell]");
    const [page, anchor] = link ? link.getAttribute("href").split("#") : [];
    const here = decodeURIComponent(location.pathname.split("/").pop());
    const cell = anchor && (!page || decodeURIComponent(page) === here) && document.getElementById(decodeURIComponent(anchor));
    const source = cell && cell.querySelector("pre");
    if (!source) return [];
    const fold = make("details");
    fold.open = true;
    const copy = source.cloneNode(true);
    fold.append(make("summary", "", "Code of the cell"), copy);
    return [fold];
  }

  function fill() {
    const claim = claims[current];
    evidence.replaceChildren();
    box.disabled = !claim;
    box.value = claim ? comments.get(claim.id)?.comment || "" : "";
    const position = claim ? `Claim ${current + 1} of ${claims.length}` : `${claims.length} claims on this page`;
    evidence.append(make("p", "review-position", position));
    if (claim) {
      if (claim.about) {
        const copy = claim.about.cloneNode(true);
        for (const element of [copy, ...copy.querySelectorAll("[id]")]) element.removeAttribute("id");
        for (const name of ["popover", "role", "aria-label"]) copy.removeAttribute(name);
        copy.className = `review-about ${copy.className.replace(/\babout\b/, "")}`;
        evidence.append(copy, ...code(claim.about));
      } else {
        evidence.append(make("p", "", claim.verdict), make("p", "", claim.seen));
        const link = make("a", "", "Read it in its chapter");
        link.href = claim.link.getAttribute("href");
        evidence.append(link);
      }
      evidence.append(make("p", "review-run", "Check it again:"), make("code", "", `veracity check --claim ${claim.id}`));
    }
    told();
  }

  function go(index) {
    claims[current]?.mark.classList.remove("reviewed");
    current = index;
    const { mark, verdict, about, seen } = claims[index];
    mark.classList.add("reviewed");
    mark.closest("details")?.setAttribute("open", "");
    mark.scrollIntoView({ block: "center" });
    const target = mark.matches("button") ? mark : mark.querySelector("th a");
    target?.focus({ preventScroll: true });
    spoken.textContent = `Claim ${index + 1} of ${claims.length}: ${about ? words(about.querySelector("dd")) : seen}: ${verdict}`;
    fill();
  }

  // At either end the walk goes on in the next or previous chapter.
  function step(by) {
    show(true);
    let next = current;
    if (next < 0) {
      const below = claims.findIndex(({ mark }) => mark.getBoundingClientRect().bottom > 0);
      next = by > 0 ? (below < 0 ? claims.length : below) - 1 : (below < 0 ? claims.length : below);
    }
    do next += by; while (claims[next] && !passes(claims[next]));
    if (claims[next]) {
      go(next);
      return;
    }
    const link = document.querySelector(by > 0 ? ".pager [rel=next]" : ".pager [rel=prev]");
    if (link) {
      try { sessionStorage.setItem(`${place}:walk`, by > 0 ? "first" : "last"); } catch { /* the walk begins where the reader looks */ }
      location.href = link.href;
    } else {
      spoken.textContent = state.textContent = by > 0 ? "This was the last claim." : "This was the first claim.";
    }
  }

  const toggle = () => document.querySelector("button.review-toggle");
  function show(isShown) {
    panel.hidden = !isShown;
    document.body.classList.toggle("with-review", isShown);
    toggle()?.setAttribute("aria-expanded", String(isShown));
    try { sessionStorage.setItem(`${place}:shown`, isShown ? "1" : ""); } catch { /* it opens closed */ }
    if (isShown) fill();
    else claims[current]?.mark.classList.remove("reviewed");
  }

  addEventListener("DOMContentLoaded", () => {
    const control = toggle();
    if (!control) return;
    load();
    document.body.append(panel);
    collect();
    control.hidden = false;
    control.addEventListener("click", () => show(panel.hidden));
    filter.addEventListener("change", fill);
    box.addEventListener("input", () => {
      const claim = claims[current];
      if (!claim) return;
      if (box.value.trim()) comments.set(claim.id, { comment: box.value, seen: claim.seen });
      else comments.delete(claim.id);
      claim.mark.classList.toggle("commented", comments.has(claim.id));
      keep();
      told();
    });
    file.addEventListener("change", async () => {
      const chosen = file.files[0];
      file.value = "";
      if (!chosen) return;
      let read = new Map();
      try { read = accepted(JSON.parse(await chosen.text())); } catch { /* told below */ }
      for (const [claim, comment] of read) comments.set(claim, comment);
      keep();
      collect();
      fill();
      state.textContent = read.size ? `${read.size} comments were imported.` : "This file holds no review.";
    });
    addEventListener("keydown", (event) => {
      const isTyping = event.target.closest?.("input, textarea, select, [contenteditable]");
      if (event.key === "Escape" && !panel.hidden && panel.contains(event.target)) {
        show(false);
        control.focus();
      }
      if (isTyping || event.ctrlKey || event.metaKey || event.altKey || event.defaultPrevented) return;
      const action = {
        n: () => step(1), j: () => step(1), p: () => step(-1), k: () => step(-1),
        r: () => show(panel.hidden), "?": () => { show(true); keys.hidden = !keys.hidden; },
        c: () => { show(true); if (current < 0) step(1); box.focus(); },
      }[event.key];
      if (!action) return;
      event.preventDefault();
      action();
    });
    document.addEventListener("click", (event) => {
      const badge = event.target.closest?.("main button.badge");
      const index = claims.findIndex(({ mark }) => mark === badge);
      if (badge && index >= 0 && !panel.hidden) { current = index; fill(); }
    });
    let walk = null;
    try {
      if (sessionStorage.getItem(`${place}:shown`)) show(true);
      walk = sessionStorage.getItem(`${place}:walk`);
      sessionStorage.removeItem(`${place}:walk`);
    } catch { /* nothing was kept */ }
    if (walk && claims.length) {
      current = walk === "first" ? -1 : claims.length;
      const by = walk === "first" ? 1 : -1;
      let next = walk === "first" ? 0 : claims.length - 1;
      while (claims[next] && !passes(claims[next])) next += by;
      current = -1;
      if (claims[next]) go(next);
    }
  });

  document.addEventListener("veracity:changed", () => {
    collect();
    if (!panel.hidden && document.activeElement !== box) fill();
  });
})();
