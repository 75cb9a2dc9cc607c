"use strict";
// All of this is for convenience: without it the pages read as well.

const root = document.currentScript.src.replace(/site\.js$/, "");

// What is wider than the page scrolls, with the keyboard, too.
for (const box of document.querySelectorAll("pre, .table, .picture")) {
  if (box.scrollWidth > box.clientWidth) {
    box.tabIndex = 0;
    box.setAttribute("role", "region");
    box.setAttribute("aria-label", "More to the right");
  }
}

for (const box of document.querySelectorAll(".code")) {
  const text = box.querySelector("code").textContent;
  const typed = [...box.querySelectorAll("b")].map((line) => line.textContent).join("\n");
  const button = document.createElement("button");
  button.className = "copy";
  button.textContent = "Copy";
  button.addEventListener("click", async () => {
    await navigator.clipboard.writeText(typed || text);
    button.textContent = "Copied";
    setTimeout(() => (button.textContent = "Copy"), 1500);
  });
  box.append(button);
}

const search = document.querySelector("search");
const query = document.getElementById("query");
const found = document.getElementById("found");
search.hidden = false;

// The sections are fetched by the first who searches.
let loading;
const load = () =>
  (loading ??= new Promise((resolve, reject) => {
    const script = document.createElement("script");
    script.src = root + "sections.js";
    script.onload = () => resolve(sections.map((s) => ({ ...s, words: (s.heading + " " + s.page + " " + s.text).toLowerCase() })));
    script.onerror = reject;
    document.head.append(script);
  }));

// rank is how well a section has all of the words; 0 is not at all.
function rank(section, words) {
  let sum = 0;
  for (const word of words) {
    if (!section.words.includes(word)) return 0;
    const heading = section.heading.toLowerCase();
    sum += 1 + Math.min(3, section.words.split(word).length - 2) / 10;
    if (heading.includes(word)) sum += heading.split(/[^\p{L}\p{N}]+/u).includes(word) ? 6 : 3;
    if (section.page.toLowerCase().includes(word)) sum += 2;
  }
  return sum;
}

// around is the part of a text where a word is.
function around(text, word) {
  const at = Math.max(0, text.toLowerCase().indexOf(word) - 40);
  const part = text.slice(at ? text.indexOf(" ", at) + 1 : 0, at + 140);
  return (at ? "… " : "") + part + (at + 140 < text.length ? " …" : "");
}

async function show() {
  const words = query.value.toLowerCase().split(/\s+/).filter(Boolean);
  found.hidden = words.length === 0;
  if (found.hidden) return;
  const all = (await load())
    .map((section) => ({ section, rank: rank(section, words) }))
    .filter((one) => one.rank > 0)
    .sort((a, b) => b.rank - a.rank);
  const list = found.querySelector("ol");
  list.replaceChildren(
    ...all.slice(0, 20).map(({ section }) => {
      const link = document.createElement("a");
      link.href = root + section.url;
      const heading = document.createElement("strong");
      heading.textContent = section.heading === section.page ? section.page : section.page + " › " + section.heading;
      const text = document.createElement("small");
      text.textContent = around(section.text, words[0]);
      link.append(heading, text);
      const item = document.createElement("li");
      item.append(link);
      return item;
    }),
  );
  found.querySelector("p").textContent = all.length === 0 ? "Nothing has all of these words." : all.length === 1 ? "1 section" : all.length + " sections";
}

query.addEventListener("focus", load);
query.addEventListener("input", show);
search.addEventListener("keydown", (event) => {
  const links = [query, ...found.querySelectorAll("a")];
  const at = links.indexOf(document.activeElement);
  if (event.key === "Escape") {
    query.value = "";
    found.hidden = true;
    query.focus();
  } else if (event.key === "ArrowDown" || event.key === "ArrowUp") {
    links[Math.min(links.length - 1, Math.max(0, at + (event.key === "ArrowDown" ? 1 : -1)))].focus();
  } else if (event.key === "Enter" && at === 0 && links.length > 1) {
    links[1].click();
  } else {
    return;
  }
  event.preventDefault();
});
search.addEventListener("focusout", (event) => {
  if (!search.contains(event.relatedTarget)) found.hidden = true;
});
document.addEventListener("keydown", (event) => {
  if (event.key === "/" && !event.target.matches("input, textarea")) {
    event.preventDefault();
    query.focus();
  }
});
found.addEventListener("click", () => (found.hidden = true));
