"use strict";
// The page works without this: folds are opened by hand then.
(() => {
  const folds = document.querySelectorAll("details");

  // A link into a fold opens it, and every fold around it.
  const follow = () => {
    const target = document.getElementById(decodeURIComponent(location.hash.slice(1)));
    if (!target) return;
    const inner = target.matches("details") ? target : target.querySelector(":scope > details");
    for (let at = inner || target; at; at = at.parentElement) {
      if (at.matches("details")) at.open = true;
    }
    target.scrollIntoView();
  };
  addEventListener("hashchange", follow);
  document.addEventListener("click", (event) => {
    const link = event.target.closest('a[href^="#"]');
    if (link && link.hash === location.hash) follow();
  });
  follow();

  // Print shows everything.
  let closed = [];
  addEventListener("beforeprint", () => {
    closed = [...folds].filter((fold) => !fold.open);
    closed.forEach((fold) => { fold.open = true; });
  });
  addEventListener("afterprint", () => closed.forEach((fold) => { fold.open = false; }));

  const all = document.getElementById("unfold");
  all.hidden = false;
  all.addEventListener("click", () => {
    const open = all.getAttribute("aria-pressed") !== "true";
    folds.forEach((fold) => { fold.open = open; });
    all.setAttribute("aria-pressed", String(open));
    all.textContent = open ? "Close everything" : "Open everything";
  });
})();
