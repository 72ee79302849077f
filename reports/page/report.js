"use strict";
(async () => {
  const all = (selector, root = document) => [...root.querySelectorAll(selector)];
  const data = document.getElementById("data");
  if (!data) return;

  // Checks that did not fail, and evidence beyond the first, are in the page as compressed HTML, made by the same templates:
  // they become part of the document when somebody opens them or filters for them.
  const bytes = Uint8Array.from(atob(JSON.parse(data.textContent)), (c) => c.charCodeAt(0));
  const stream = new Blob([bytes]).stream().pipeThrough(new DecompressionStream("gzip"));
  const checks = JSON.parse(await new Response(stream).text());
  const requirements = all(".req");
  const byReq = Map.groupBy
    ? Map.groupBy(checks, (c) => c.req)
    : checks.reduce((m, c) => m.set(c.req, [...(m.get(c.req) || []), c]), new Map());
  const parse = (html) => {
    const box = document.createElement("template");
    box.innerHTML = html;
    return box.content;
  };
  const element = (check) => {
    if (check.el) return check.el;
    check.el = document.getElementById(check.id);
    if (!check.el) {
      check.el = parse(check.head).firstElementChild;
      const req = document.getElementById(check.req);
      const later = byReq.get(check.req).slice(byReq.get(check.req).indexOf(check) + 1).find((c) => c.el || document.getElementById(c.id));
      req.insertBefore(check.el, later ? later.el || document.getElementById(later.id) : null);
    }
    return check.el;
  };
  const unfold = (check) => {
    const evidence = element(check).querySelector(":scope > .evidence");
    if (evidence.hasAttribute("data-later")) {
      evidence.removeAttribute("data-later");
      evidence.append(parse(check.evidence));
    }
  };
  const fill = (req) => (byReq.get(req.id) || []).forEach(element);
  const opened = (event) => {
    const el = event.target;
    if (!el.open) return;
    if (el.classList.contains("req")) fill(el), show();
    if (el.classList.contains("check")) {
      const check = checks.find((c) => c.id === el.id);
      if (check) unfold(check);
    }
  };
  const facets = all("[data-facet]").map((el) => ({ name: el.dataset.facet, buttons: all("button", el) }));
  const search = document.getElementById("q");
  document.documentElement.classList.add("js");
  for (const note of all(".noscript")) note.remove();

  // What is filtered by stands in the fragment, "#?outcome=fail,warn&role=ras&q=aud", so that a link shows the same.
  const state = {};
  const reset = () => {
    for (const f of facets) state[f.name] = new Set();
    state.q = "";
  };
  const read = () => {
    reset();
    if (!location.hash.startsWith("#?")) return;
    for (const [name, value] of new URLSearchParams(location.hash.slice(2))) {
      if (name === "q") state.q = value;
      else if (name in state) state[name] = new Set(value.split(","));
    }
  };
  const write = () => {
    const words = new URLSearchParams();
    for (const f of facets) if (state[f.name].size) words.set(f.name, [...state[f.name]].join(","));
    if (state.q) words.set("q", state.q);
    const hash = words.size ? "#?" + words.toString().replaceAll("%2C", ",") : "#";
    history.replaceState(null, "", hash);
  };

  const fits = (check, but) =>
    facets.every((f) => f.name === but || !state[f.name].size || state[f.name].has(check[f.name])) &&
    state.q.toLowerCase().split(/\s+/).every((word) => check.text.includes(word));

  const show = () => {
    const filtered = state.q || facets.some((f) => state[f.name].size);
    const seen = new Set();
    let n = 0;
    for (const c of checks) {
      const fit = fits(c);
      if (fit) {
        seen.add(c.req);
        n++;
      }
      if (fit && filtered) element(c);
      const el = c.el || (c.el = document.getElementById(c.id));
      if (el) el.hidden = !fit;
    }
    for (const r of requirements) {
      r.hidden = Boolean(filtered) && !seen.has(r.id);
      if (filtered && seen.has(r.id)) r.open = true;
    }
    for (const g of all(".group")) g.hidden = filtered && !all(".req", g).some((r) => !r.hidden);
    for (const u of all(".untestable")) u.hidden = filtered;
    for (const f of facets) {
      for (const b of f.buttons) {
        const count = checks.filter((c) => c[f.name] === b.dataset.value && fits(c, f.name)).length;
        b.lastElementChild.textContent = count;
        b.classList.toggle("none", count === 0);
        b.setAttribute("aria-pressed", state[f.name].has(b.dataset.value));
      }
    }
    if (search.value !== state.q) search.value = state.q;
    document.querySelector(".shown").textContent =
      filtered ? `${n} of ${checks.length} checks` : `${checks.length} checks`;
    document.querySelector(".nothing").hidden = n > 0;
    document.getElementById("clear").disabled = !filtered;
  };

  // A fragment that names a requirement or a check opens it, and whatever hides it.
  const reveal = () => {
    const id = decodeURIComponent(location.hash.slice(1));
    const check = checks.find((c) => c.id === id);
    if (check) unfold(check);
    const target = document.getElementById(id);
    if (!target) return;
    if (target.classList.contains("req")) fill(target);
    for (let el = target; el; el = el.parentElement) if (el.tagName === "DETAILS") el.open = true;
    target.scrollIntoView();
    target.querySelector("summary")?.focus({ preventScroll: true });
  };

  const copy = async (button) => {
    const text = button.parentElement.querySelector("pre").textContent;
    try {
      await navigator.clipboard.writeText(text);
    } catch {
      const area = document.body.appendChild(document.createElement("textarea"));
      area.value = text;
      area.select();
      document.execCommand("copy");
      area.remove();
    }
    button.textContent = "Copied";
    setTimeout(() => (button.textContent = "Copy"), 1500);
  };

  const setAll = (open) => {
    for (const r of requirements) {
      if (r.hidden) continue;
      if (open) fill(r);
      r.open = open;
    }
    for (const c of checks) {
      if (!c.el || c.el.hidden) continue;
      if (open) unfold(c);
      c.el.open = open;
    }
  };

  document.addEventListener("toggle", opened, true);

  document.addEventListener("click", (event) => {
    const button = event.target.closest("button");
    if (!button) return;
    const facet = button.closest("[data-facet]")?.dataset.facet;
    if (facet) {
      const chosen = state[facet];
      if (!chosen.delete(button.dataset.value)) chosen.add(button.dataset.value);
    }
    if (button.id === "clear") reset();
    if (button.id === "open" || button.id === "close") setAll(button.id === "open");
    if (button.className === "copy") copy(button);
    if (facet || button.id === "clear") {
      write();
      show();
    }
  });
  search?.addEventListener("input", () => {
    state.q = search.value.trim();
    write();
    show();
  });
  document.addEventListener("keydown", (event) => {
    if (event.key === "/" && event.target !== search && search) {
      event.preventDefault();
      search.focus();
    }
    if (event.key === "Escape" && event.target === search) {
      search.value = state.q = "";
      write();
      show();
    }
  });
  const follow = () => {
    read();
    show();
    if (location.hash.startsWith("#?")) document.getElementById("results").scrollIntoView();
    else reveal();
  };
  addEventListener("hashchange", follow);
  for (const r of requirements) if (r.open) fill(r);
  follow();
})();
