// Keeps the parts marked data-live as they are on the server. Pages work without it: there they are reloaded.
(() => {
  "use strict";
  if (!document.querySelector("[data-live]")) return;
  const every = 2000;
  let on = true, tag = "";

  const button = document.querySelector("[data-live-switch]");
  button.hidden = false;
  button.addEventListener("click", () => {
    on = !on;
    button.setAttribute("aria-pressed", String(on));
    if (on) look();
  });

  // selecting tells whether the reader is marking text that a change would take away.
  const selecting = (part) => {
    const s = getSelection();
    return !s.isCollapsed && part.contains(s.anchorNode);
  };

  // put exchanges a part; what was open stays open, and the focus stays where it was.
  const put = (part, next) => {
    if (selecting(part) || part.innerHTML === next.innerHTML) return;
    for (const d of part.querySelectorAll("details[open][id]")) {
      const same = next.querySelector("#" + CSS.escape(d.id));
      if (same) same.open = true;
    }
    const focused = part.contains(document.activeElement) && document.activeElement.closest("[id]");
    part.replaceChildren(...next.childNodes);
    const again = focused && part.querySelector("#" + CSS.escape(focused.id));
    if (again) (again.querySelector("summary") || again).focus();
  };

  const look = async () => {
    if (!on || document.hidden) return;
    try {
      const answer = await fetch(location.href, { headers: { "If-None-Match": tag }, cache: "no-store" });
      button.dataset.lost = String(answer.status >= 400);
      if (answer.status !== 200) return;
      tag = answer.headers.get("ETag") || "";
      const page = new DOMParser().parseFromString(await answer.text(), "text/html");
      for (const part of document.querySelectorAll("[data-live]")) {
        const next = page.getElementById(part.id);
        if (next) put(part, next);
      }
    } catch {
      button.dataset.lost = "true";
    }
  };

  setInterval(look, every);
  document.addEventListener("visibilitychange", look);
})();
