// Keeps a served page up to date with its session. All text reaches the page as text.
"use strict";

(() => {
  const script = document.currentScript;
  const file = decodeURIComponent(location.pathname.split("/").pop()) || "index.html";
  let shown = script.dataset.page;
  let styles = null;
  let board = null;
  let base = null;
  let busy = false;
  let remark = "";
  let remarkUntil = 0;

  const make = (name, className, text) => {
    const element = document.createElement(name);
    element.classList.add("live-only", ...(className || "").split(" ").filter(Boolean));
    if (text !== undefined) element.textContent = text;
    return element;
  };

  // ---- Bringing the page up to date -------------------------------------------------------

  const parse = (html) => new DOMParser().parseFromString(html, "text/html");
  const own = (parent) => [...parent.childNodes].filter(
    (node) => !(node.nodeType === Node.ELEMENT_NODE && node.classList.contains("live-only")));
  const alike = (a, b) => a.nodeName === b.nodeName && (a.id || "") === (b.id || "");

  // Carries the differences between two documents from the server over to the page, whose own
  // state (open details, focus, scroll positions, what scripts set) is no difference.
  function carry(live, before, after) {
    if (live.nodeType !== Node.ELEMENT_NODE) {
      if (before.data !== after.data) live.data = after.data;
      return;
    }
    for (const { name, value } of after.attributes) {
      if (before.getAttribute(name) !== value) live.setAttribute(name, value);
    }
    for (const { name } of [...before.attributes]) {
      if (!after.hasAttribute(name)) live.removeAttribute(name);
    }
    const mine = own(live), old = [...before.childNodes], next = [...after.childNodes];
    if (mine.length !== old.length) {
      live.replaceChildren(...next.map((node) => document.importNode(node, true)));
      return;
    }
    let start = 0;
    while (start < old.length && start < next.length && old[start].isEqualNode(next[start])) start += 1;
    let end = 0;
    while (end < old.length - start && end < next.length - start
      && old[old.length - 1 - end].isEqualNode(next[next.length - 1 - end])) end += 1;
    const lefts = old.length - end, rights = next.length - end;
    let i = start, j = start;
    const anchor = (at) => mine[at] || null;
    while (i < lefts && j < rights) {
      if (old[i].isEqualNode(next[j])) { i += 1; j += 1; continue; }
      if (alike(old[i], next[j])) { carry(mine[i], old[i], next[j]); i += 1; j += 1; continue; }
      const ahead = next.slice(j, rights).findIndex((node) => alike(node, old[i]) && node.nodeType === Node.ELEMENT_NODE && node.id);
      if (ahead > 0) {
        live.insertBefore(document.importNode(next[j], true), anchor(i));
        j += 1;
      } else {
        mine[i].remove();
        i += 1;
      }
    }
    for (; i < lefts; i += 1) mine[i].remove();
    for (; j < rights; j += 1) live.insertBefore(document.importNode(next[j], true), anchor(lefts));
  }

  // A cell that is running keeps showing what it showed.
  function hold(before, after) {
    for (const [anchor, [, cell]] of Object.entries(board.cells)) {
      const old = before.getElementById(anchor), next = after.getElementById(anchor);
      if (old && next && (cell.state === "stale" || cell.state === "running")) {
        next.replaceWith(after.importNode(old, true));
      }
    }
  }

  async function bring() {
    const wanted = board.pages[file];
    if (busy || wanted === undefined || wanted === shown) return;
    busy = true;
    try {
      const response = await fetch(location.pathname, { cache: "no-store" });
      const html = await response.text();
      const after = parse(html);
      const served = after.querySelector("script[data-page]")?.dataset.page;
      // A page that stood in for this one has neither its styles nor its scripts.
      if (base && shown && after.querySelector("main") && document.querySelector("main")) {
        if (board.meanwhile) hold(base, after);
        decorations(false);
        for (const part of ["main", "nav.sidebar", "header.bar .home"]) {
          const live = document.querySelector(part);
          const [old, next] = [base.querySelector(part), after.querySelector(part)];
          if (live && old && next) carry(live, old, next);
        }
        document.title = after.title;
        base = after;
        shown = served;
        decorate();
        document.dispatchEvent(new CustomEvent("veracity:changed"));
        durations();
        // The pages may have changed again meanwhile.
        setTimeout(bring, 50);
      } else {
        location.reload();
      }
    } catch { /* the next state asks again */ } finally {
      busy = false;
    }
  }

  // How long cells ran is in a script of its own, which has changed with the page.
  function durations() {
    const again = document.createElement("script");
    again.src = `assets/provenance.js?${shown}`;
    again.addEventListener("load", () => {
      again.remove();
      document.dispatchEvent(new CustomEvent("veracity:changed"));
    });
    document.head.append(again);
  }

  function restyle() {
    if (styles !== null && styles !== board.styles) {
      for (const link of document.querySelectorAll('link[rel="stylesheet"][href^="assets/"]')) {
        const next = link.cloneNode();
        next.href = `${link.getAttribute("href").split("?")[0]}?${board.styles}`;
        next.addEventListener("load", () => link.remove());
        link.after(next);
      }
    }
    styles = board.styles;
  }

  // ---- What is going on -------------------------------------------------------------------

  const panel = make("aside", "live-panel");
  panel.setAttribute("aria-label", "Build");
  const status = make("p", "live-status");
  status.setAttribute("role", "status");
  const list = make("div", "live-problems");
  panel.append(status, list);

  const time = (ms) => {
    const seconds = Math.ceil(ms / 1000);
    if (seconds < 90) return `${seconds} s left`;
    const minutes = Math.round(seconds / 60);
    return minutes < 90 ? `${minutes} min left` : `${(minutes / 60).toFixed(1)} h left`;
  };

  function curve(name, points) {
    const figure = make("figure", "live-curve");
    const [width, height] = [260, 64];
    const xs = points.map((point) => point[0]), ys = points.map((point) => point[1]);
    const [left, right] = [Math.min(...xs), Math.max(...xs)];
    const [low, high] = [Math.min(...ys), Math.max(...ys)];
    const place = ([x, y]) => {
      const across = right > left ? (x - left) / (right - left) : 1;
      const up = high > low ? (y - low) / (high - low) : .5;
      return `${(across * (width - 8) + 4).toFixed(1)},${((1 - up) * (height - 8) + 4).toFixed(1)}`;
    };
    const svg = document.createElementNS("http://www.w3.org/2000/svg", "svg");
    svg.setAttribute("viewBox", `0 0 ${width} ${height}`);
    svg.setAttribute("role", "img");
    const last = ys[ys.length - 1];
    svg.setAttribute("aria-label", `${name}: from ${ys[0].toPrecision(4)} to ${last.toPrecision(4)}`);
    const line = document.createElementNS("http://www.w3.org/2000/svg", "polyline");
    line.setAttribute("points", points.map(place).join(" "));
    svg.append(line);
    figure.append(make("figcaption", "", `${name} ${last.toPrecision(4)}`), svg);
    return figure;
  }

  const words = { stale: "out of date", running: "running", done: "done", failed: "failed" };

  function cellView(cell) {
    const box = make("div", `live-cell ${cell.state}`);
    const line = make("p", "live-line");
    line.append(make("span", "live-state", words[cell.state]));
    if (cell.task) {
      const count = cell.total ? `${cell.done} of ${cell.total}` : `${cell.done}`;
      line.append(make("span", "", `${cell.task} ${count}`));
    }
    if (cell.note) line.append(make("span", "", cell.note));
    if (cell.left_ms !== null && cell.state === "running") line.append(make("span", "", time(cell.left_ms)));
    box.append(line);
    if (cell.total && cell.state === "running") {
      const bar = make("progress");
      bar.max = cell.total;
      bar.value = cell.done;
      bar.setAttribute("aria-label", cell.task);
      box.append(bar);
    }
    for (const [name, points] of Object.entries(cell.curves)) {
      if (points.length > 1) box.append(curve(name, points));
    }
    return box;
  }

  function problemView(problem) {
    const box = make("div", `live-problem ${problem.severity}`);
    const head = make("p");
    head.append(make("b", "", `${problem.severity}: `), make("span", "", problem.message));
    box.append(head);
    if (problem.place) {
      const where = make("p", "live-where");
      const link = make(problem.anchor ? "a" : "span", "", problem.place);
      if (problem.anchor) link.href = `${problem.page === file ? "" : problem.page}#${problem.anchor}`;
      where.append(link);
      box.append(where);
    }
    if (problem.excerpt && problem.excerpt.trim()) box.append(make("pre", "", problem.excerpt));
    for (const note of problem.notes) box.append(make("p", "live-note", note));
    if (problem.hint) box.append(make("p", "live-note", `help: ${problem.hint}`));
    return box;
  }

  function decorations(keep) {
    for (const element of document.querySelectorAll("main .live-only")) {
      if (element.isConnected && !keep) element.remove();
    }
    for (const cell of document.querySelectorAll("main [data-live]")) cell.removeAttribute("data-live");
  }

  function decorate() {
    decorations(false);
    for (const [anchor, [page, cell]] of Object.entries(board.cells)) {
      const place = page === file && document.getElementById(anchor);
      if (!place) continue;
      place.dataset.live = cell.state;
      place.append(cellView(cell));
    }
    for (const problem of board.problems) {
      const place = problem.page === file && problem.anchor && document.getElementById(problem.anchor);
      if (place?.classList.contains("cell")) place.append(problemView(problem));
      else if (place) {
        let last = place;
        while (last.nextElementSibling?.classList.contains("live-problem")) last = last.nextElementSibling;
        last.after(problemView(problem));
      }
    }
  }

  function showPanel() {
    const troubles = board.trouble;
    const errors = board.problems.filter((problem) => problem.severity === "error").length;
    const warnings = board.problems.length - errors;
    const parts = [];
    if (board.activity) parts.push(board.activity);
    if (troubles.length) parts.push("the page shows the last version that could be built");
    if (errors) parts.push(`${errors} error${errors === 1 ? "" : "s"}`);
    if (board.remark !== remark) {
      remark = board.remark;
      remarkUntil = Date.now() + 8000;
      setTimeout(showPanel, 8100);
    }
    if (remark && Date.now() < remarkUntil) parts.push(remark);
    if (warnings) parts.push(`${warnings} warning${warnings === 1 ? "" : "s"}`);
    status.textContent = parts.join(" · ");
    panel.classList.toggle("works", Boolean(board.activity));
    panel.classList.toggle("bad", Boolean(errors || troubles.length));
    const open = list.querySelector("details")?.open;
    list.replaceChildren(...troubles.map(problemView));
    if (board.problems.length) {
      const details = make("details");
      details.open = Boolean(open);
      details.append(make("summary", "", "Show"), ...board.problems.map(problemView));
      list.append(details);
    }
    panel.hidden = parts.length === 0;
  }

  function take(next) {
    const first = board === null;
    board = next;
    restyle();
    showPanel();
    if (Object.keys(board.pages).length && board.pages[file] === undefined && file !== "index.html") {
      status.textContent = "This page is no longer part of the report.";
      panel.hidden = false;
    }
    if (first || board.pages[file] === shown) decorate();
    bring();
  }

  function listen() {
    const events = new EventSource("/live/events");
    events.addEventListener("message", (event) => take(JSON.parse(event.data)));
    events.addEventListener("error", () => {
      // Where the token is another one now, the browser does not try again.
      status.textContent = events.readyState === EventSource.CLOSED
        ? "this page is no longer let in; open the address that veracity serve has printed last"
        : "the session has ended; waiting for it to come back";
      panel.classList.add("bad");
      panel.hidden = false;
    });
  }

  // ---- Asking the code --------------------------------------------------------------------

  // What is typed here is run behind the chapter's cells, in a process apart from the report's.
  function consolePanel() {
    const box = make("aside", "live-console");
    box.setAttribute("aria-label", "Console");
    const toggle = make("button", "live-toggle", "Ask the code");
    toggle.type = "button";
    toggle.setAttribute("aria-expanded", "false");
    const body = make("div", "live-body");
    body.hidden = true;
    const log = make("div", "live-log");
    log.setAttribute("role", "log");
    log.tabIndex = 0;
    const input = make("textarea", "live-input");
    input.rows = 1;
    input.spellcheck = false;
    input.setAttribute("aria-label", "Rust, run behind the chapter's cells");
    input.placeholder = "Rust, run behind the chapter's cells";
    const line = make("p", "live-note");
    const stop = make("button", "", "Stop");
    stop.type = "button";
    stop.hidden = true;
    const state = make("span", "", "Enter runs, Shift+Enter begins a new line. Nothing changes the report.");
    line.append(stop, state);
    const idle = state.textContent;
    body.append(log, input, line);
    box.append(toggle, body);
    const past = [];
    let at = 0;

    toggle.addEventListener("click", () => {
      body.hidden = !body.hidden;
      toggle.setAttribute("aria-expanded", String(!body.hidden));
      if (!body.hidden) input.focus();
    });
    const grow = () => { input.rows = Math.min(8, input.value.split("\n").length); };
    const add = (element) => { log.append(element); log.scrollTop = log.scrollHeight; };

    async function ask() {
      const text = input.value;
      if (!text.trim() || input.readOnly) return;
      input.readOnly = true;
      stop.hidden = false;
      state.textContent = "running";
      const watch = setInterval(async () => {
        const words = await fetch("/live/console").then((answer) => answer.text()).catch(() => "");
        if (input.readOnly && words) state.textContent = words;
      }, 500);
      try {
        const response = await fetch("/live/console", {
          method: "POST",
          headers: { "Content-Type": "application/json" },
          body: JSON.stringify({ page: file, input: text }),
        });
        if (!response.ok) throw new Error(await response.text());
        const answer = await response.json();
        if (answer.more) {
          input.setRangeText("\n", input.selectionEnd, input.selectionEnd, "end");
          return;
        }
        past.push(text);
        at = past.length;
        input.value = "";
        add(make("pre", "live-asked", text));
        if (answer.text) add(make("pre", "", answer.text.replace(/\n$/, "")));
        for (const [light, dark] of answer.figures) {
          const picture = make("picture");
          const source = make("source");
          [source.srcset, source.media] = [dark, "(prefers-color-scheme: dark)"];
          const image = make("img");
          // Only then is it known how high it is.
          image.addEventListener("load", () => { log.scrollTop = log.scrollHeight; });
          image.src = light;
          image.alt = "";
          picture.append(source, image);
          add(picture);
        }
        if (answer.problem) add(make("pre", "live-wrong", answer.problem));
      } catch (error) {
        add(make("pre", "live-wrong", error.message));
      } finally {
        clearInterval(watch);
        input.readOnly = false;
        stop.hidden = true;
        state.textContent = idle;
        grow();
        input.focus();
      }
    }

    input.addEventListener("input", grow);
    input.addEventListener("keydown", (event) => {
      if (event.key === "Enter" && !event.shiftKey && !event.isComposing) {
        event.preventDefault();
        ask();
      } else if ((event.key === "ArrowUp" || event.key === "ArrowDown") && !input.value.includes("\n") && past.length) {
        event.preventDefault();
        at = Math.max(0, Math.min(past.length, at + (event.key === "ArrowUp" ? -1 : 1)));
        input.value = past[at] || "";
      }
    });
    stop.addEventListener("click", () => fetch("/live/console/interrupt", { method: "POST" }));
    document.body.append(box);
  }

  // What is shown of the session stands on the page only once changes can be carried over to it.
  async function begin() {
    const html = await (await fetch(location.pathname, { cache: "no-store" })).text();
    base = parse(html);
    // The page has changed since it was loaded, and what it was is known to nobody.
    if (base.querySelector("script[data-page]")?.dataset.page !== shown) return location.reload();
    panel.hidden = true;
    document.body.append(panel);
    if (shown && "console" in script.dataset && !["index.html", "ledger.html", "references.html"].includes(file)) consolePanel();
    listen();
  }

  addEventListener("DOMContentLoaded", () => { begin().catch(() => location.reload()); });
})();
