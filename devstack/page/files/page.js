// The page works without this script. With it, changed parts are replaced every two
// seconds while the page is visible, and a switch does not reload the page.
"use strict";

const interval = 2000;
const shown = new Map(); // the parts' HTML as it was sent, by id

// replace takes the parts of another copy of this page, unless they are the same.
function replace(html) {
  const fresh = new DOMParser().parseFromString(html, "text/html");
  for (const old of document.querySelectorAll("section, #state, #facts")) {
    const now = fresh.getElementById(old.id);
    if (!now || shown.get(old.id) === now.innerHTML) continue;
    shown.set(old.id, now.innerHTML);
    const focus = old.contains(document.activeElement) ? document.activeElement.id : "";
    const open = new Set([...old.querySelectorAll("details[open]")].map((d) => d.dataset.key));
    const scroll = [...old.querySelectorAll(".scroll")].map((s) => s.scrollTop);
    old.replaceChildren(...now.childNodes);
    for (const d of old.querySelectorAll("details")) d.open = open.has(d.dataset.key);
    old.querySelectorAll(".scroll").forEach((s, i) => { s.scrollTop = scroll[i] || 0; });
    if (focus) document.getElementById(focus)?.focus();
  }
}

async function load(url, options) {
  const response = await fetch(url, options);
  if (!response.ok) throw new Error(await response.text());
  replace(await response.text());
  document.body.classList.remove("away");
}

async function follow() {
  // Not while text is selected for copying.
  if (!document.hidden && String(getSelection()) === "") {
    await load("/").catch(() => document.body.classList.add("away"));
  }
  setTimeout(follow, interval);
}

document.addEventListener("submit", (event) => {
  event.preventDefault();
  const body = new URLSearchParams(new FormData(event.target, event.submitter));
  load(event.target.action, { method: "POST", body }).catch(() => location.reload());
});

for (const part of document.querySelectorAll("section, #state, #facts")) shown.set(part.id, part.innerHTML);
setTimeout(follow, interval);
