// Comfort only: every page reads, navigates and shows its details without this script.
"use strict";

(() => {
  const root = document.documentElement;
  const store = {
    get: (key) => { try { return localStorage.getItem(key); } catch { return null; } },
    set: (key, value) => { try { localStorage.setItem(key, value); } catch { /* private window */ } },
  };

  // Before the first paint, hence outside of `ready`.
  const chosen = store.get("veracity-theme");
  if (chosen === "dark" || chosen === "light") root.dataset.theme = chosen;

  function theme() {
    const button = document.querySelector("button.theme");
    const system = matchMedia("(prefers-color-scheme: dark)");
    const isDark = () => root.dataset.theme ? root.dataset.theme === "dark" : system.matches;
    const show = () => button.setAttribute("aria-pressed", String(isDark()));
    button.hidden = false;
    button.addEventListener("click", () => {
      root.dataset.theme = isDark() ? "light" : "dark";
      store.set("veracity-theme", root.dataset.theme);
      show();
    });
    system.addEventListener("change", show);
    show();
  }

  // A badge opens its details on click by itself; here also while the pointer rests on it.
  const known = new WeakSet();
  function details() {
    if (!HTMLElement.prototype.showPopover || !matchMedia("(hover: hover)").matches) return;
    for (const badge of document.querySelectorAll("button.badge[popovertarget]")) {
      const about = document.getElementById(badge.getAttribute("popovertarget"));
      if (!about || known.has(badge) && known.has(about)) continue;
      known.add(badge).add(about);
      let timer = 0, byHover = false;
      const later = (action, delay) => { clearTimeout(timer); timer = setTimeout(action, delay); };
      const open = () => {
        if (about.matches(":popover-open") || document.querySelector(".about:popover-open:focus-within")) return;
        byHover = true;
        about.showPopover({ source: badge });
      };
      const close = () => { if (byHover && !about.matches(":focus-within")) about.hidePopover(); };
      badge.addEventListener("pointerenter", () => later(open, 150));
      badge.addEventListener("pointerleave", () => later(close, 250));
      about.addEventListener("pointerenter", () => clearTimeout(timer));
      about.addEventListener("pointerleave", () => later(close, 250));
      badge.addEventListener("click", (event) => {
        clearTimeout(timer);
        if (!byHover) return;
        // What the pointer opened, a click keeps open.
        byHover = false;
        event.preventDefault();
      });
      about.addEventListener("toggle", (event) => { if (event.newState === "closed") byHover = false; });
    }
  }

  function durations() {
    const known = window.veracityDurations || {};
    for (const place of document.querySelectorAll("[data-duration]")) {
      const ms = Object.hasOwn(known, place.dataset.duration) ? known[place.dataset.duration] : null;
      if (typeof ms !== "number") continue;
      place.textContent = ms < 1000 ? `${ms} ms` : `${(ms / 1000).toFixed(ms < 10000 ? 1 : 0)} s`;
      place.parentElement.hidden = false;
    }
  }

  let sections = null;
  function currentSection() {
    sections?.abort();
    sections = new AbortController();
    const links = new Map();
    for (const link of document.querySelectorAll(".sidebar .sections a")) {
      const heading = document.getElementById(decodeURIComponent(link.hash.slice(1)));
      if (heading) links.set(heading, link);
    }
    if (!links.size) return;
    const headings = [...links.keys()];
    const mark = () => {
      const current = headings.findLast((heading) => heading.getBoundingClientRect().top < 120);
      for (const [heading, link] of links) {
        if (heading === current) link.setAttribute("aria-current", "location");
        else link.removeAttribute("aria-current");
      }
    };
    let waiting = false;
    addEventListener("scroll", () => {
      if (waiting) return;
      waiting = true;
      requestAnimationFrame(() => { waiting = false; mark(); });
    }, { passive: true, signal: sections.signal });
    mark();
  }

  // What scrolls sideways can be reached and scrolled by keyboard.
  function scrollers() {
    for (const box of document.querySelectorAll(".scroll, main pre")) {
      if (box.scrollWidth > box.clientWidth || box.scrollHeight > box.clientHeight) box.tabIndex = 0;
    }
  }

  function filters() {
    const form = document.querySelector("form.filters");
    if (!form) return;
    const apply = () => {
      const rows = [...document.querySelectorAll("table.ledger tr[data-verdict]")];
      const data = new FormData(form);
      const verdicts = new Set(data.getAll("verdict"));
      const chapter = data.get("chapter");
      let shown = 0;
      for (const row of rows) {
        row.hidden = !verdicts.has(row.dataset.verdict) || (chapter && row.dataset.chapter !== chapter);
        if (!row.hidden) shown += 1;
      }
      for (const group of document.querySelectorAll("table.ledger tbody")) {
        group.hidden = !group.querySelector("tr[data-verdict]:not([hidden])");
      }
      form.querySelector(".shown").textContent =
        form.querySelector(".shown").dataset.words.replace("{}", shown).replace("{}", rows.length);
    };
    if (!known.has(form)) {
      known.add(form);
      form.addEventListener("change", apply);
      form.addEventListener("submit", (event) => event.preventDefault());
    }
    form.hidden = false;
    apply();
  }

  // A link that leads into folded code unfolds it, and closes what lay over the page.
  function folds() {
    const reveal = () => {
      const target = document.getElementById(decodeURIComponent(location.hash.slice(1)));
      target?.closest("details")?.setAttribute("open", "");
      for (const open of document.querySelectorAll(":popover-open")) open.hidePopover();
    };
    addEventListener("hashchange", reveal);
    reveal();
  }

  addEventListener("DOMContentLoaded", () => {
    theme();
    details();
    durations();
    currentSection();
    scrollers();
    filters();
    folds();
  });

  // A served page is brought up to date in its place.
  document.addEventListener("veracity:changed", () => {
    details();
    durations();
    currentSection();
    scrollers();
    filters();
  });
})();
