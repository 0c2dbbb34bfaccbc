"use strict";
// Shows what the gateway says, and decides nothing. All text is set as text: tokens and paths are a stranger's.
// Tokens are in this page's memory only.

const find = (id) => document.getElementById(id);

/** An element with properties, attributes (`aria-…`, `role`, `for`) and children; a string becomes text, null is left out. */
function make(name, properties, ...children) {
  const element = document.createElement(name);
  for (const [key, value] of Object.entries(properties ?? {})) {
    if (value === null || value === undefined) continue;
    if (key.includes("-") || key === "role") element.setAttribute(key, value);
    else element[key] = value;
  }
  element.append(...children.flat().filter((child) => child !== null && child !== undefined));
  return element;
}
const fill = (element, ...children) => element.replaceChildren(...children.flat().filter((child) => child !== null));
const text = (value) => (typeof value === "string" ? value : JSON.stringify(value));
const code = (value) => make("code", null, text(value));
/** A sentence of the library's: what is in backticks becomes code. */
const prose = (sentence) => sentence.split("`").map((part, position) => (position % 2 === 1 ? code(part) : part)).filter((part) => part !== "");
const unseen = (words) => make("span", { className: "unseen" }, words);

const SIGNS = { yes: ["✓", "passed: "], no: ["✕", "failed: "], open: ["–", "left out: "] };
function mark(kind, words) {
  const [sign, meaning] = SIGNS[kind];
  return make("span", { className: `mark ${kind}` }, make("span", { "aria-hidden": "true" }, sign), unseen(words ?? meaning));
}
const kindOf = (verdict) => (verdict === true ? "yes" : verdict === false ? "no" : "open");
const row = (kind, ...children) => make("div", { className: "row" }, mark(kind), make("div", null, ...children));
const facts = (pairs) =>
  make("dl", { className: "facts" }, pairs.filter(([, value]) => value !== null && value !== undefined)
    .flatMap(([name, value]) => [make("dt", null, name), make("dd", null, value)]));
const json = (value) => make("pre", { tabIndex: 0 }, JSON.stringify(value, null, 2));
const why = (reason) => make("div", { className: "why" },
  make("div", null, code(reason.code), " ", ...prose(reason.message)),
  make("div", null, "Cause: ", ...prose(reason.cause)),
  make("div", null, "What to do: ", ...prose(reason.action)));
