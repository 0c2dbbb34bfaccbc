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

// ------------------------------------------------------------------------------------------------------- the gateway

async function ask(path, question) {
  const options = question === undefined ? {} : {
    method: "POST", headers: { "content-type": "application/json" }, body: JSON.stringify(question),
  };
  const response = await fetch(path, { ...options, credentials: "omit", cache: "no-store" });
  const answer = await response.json();
  if (!response.ok) throw new Error(answer.message ?? `the gateway answers ${response.status}`);
  return answer;
}

/** Runs what may fail, and says how it did. */
async function attempt(action) {
  const trouble = find("trouble");
  try {
    const result = await action();
    trouble.hidden = true;
    return result;
  } catch (error) {
    trouble.textContent = error instanceof TypeError ? "The gateway cannot be reached." : error.message;
    trouble.hidden = false;
    return null;
  }
}

// ----------------------------------------------------------------------------------------------------------- callers

const NOBODY = { name: "nobody", scopes: "no credential", token: null, base: null };
const state = { apis: [], api: null, callers: [NOBODY], caller: NOBODY, turn: 0 };

function named(claims, position) {
  const first = (...names) => names.map((name) => claims?.[name]).find((value) => typeof value === "string" && value !== "");
  const scopes = claims?.scope ?? claims?.scp;
  return {
    name: first("sub", "client_id", "azp", "email") ?? `token ${position}`,
    scopes: Array.isArray(scopes) ? scopes.map(text).join(" ") : typeof scopes === "string" ? scopes : "",
  };
}

async function addCaller(token) {
  const known = state.callers.find((caller) => caller.token === token);
  if (known) return chooseCaller(known);
  const base = await ask("/_explain", { api: state.api.name, token });
  const claims = base.explanation?.token?.claims;
  const caller = { ...named(claims, state.callers.length), token, base };
  state.callers.push(caller);
  await chooseCaller(caller);
}

async function chooseCaller(caller) {
  state.caller = caller;
  showCallers();
  showMatrix();
  await explain();
}

function forget(caller) {
  state.callers = state.callers.filter((other) => other !== caller);
  const next = state.caller === caller ? NOBODY : state.caller;
  attempt(() => chooseCaller(next)).then(() => document.querySelector("#callers input:checked")?.focus());
}

/** The scopes of a caller, and why the credential is refused. */
function detail(caller) {
  const { explanation } = caller.base ?? {};
  const reason = explanation?.policy === null && caller.token !== null ? explanation.decision.reason : null;
  return [caller.scopes, reason && caller.scopes !== "" ? " · " : "", reason ? make("span", { className: "refused" }, reason.code) : ""];
}

function showCallers() {
  const had = document.activeElement?.name === "caller";
  fill(find("callers"), state.callers.map((caller) => make("div", { className: "caller" },
    make("label", null,
      make("input", {
        type: "radio", name: "caller", checked: caller === state.caller,
        onchange: () => attempt(() => chooseCaller(caller)),
      }),
      make("span", { className: "name" }, caller.name),
      make("span", { className: "scopes" }, ...detail(caller))),
    caller === NOBODY ? null : make("button", {
      type: "button", className: "forget", title: "Forget this token", "aria-label": `Forget ${caller.name}`,
      onclick: () => forget(caller),
    }, "×"))));
  if (had) document.querySelector("#callers input:checked").focus();
}

/** Asks for every caller's policy again. */
async function refresh() {
  await Promise.all(state.callers.map(async (caller) => {
    caller.base = await ask("/_explain", { api: state.api.name, token: caller.token });
  }));
  showMatrix();
}

// ----------------------------------------------------------------------------------------------------------- request

function chooseApi(api) {
  state.api = api;
  const options = api.routes.flatMap((route) => {
    const example = NOBODY.base.routes.filter((entry) => entry.route === route.route);
    return example.length > 1 ? [{ ...example[0], label: route.route }] : example.map((entry) => ({ ...entry, label: route.route }));
  });
  fill(find("routes"), options.map((entry) => make("button", {
    type: "button", "aria-pressed": "false",
    onclick: () => { setRequest(entry.method, entry.path); attempt(explain).then(bringIntoView); },
  }, entry.label)));
  for (const [position, button] of [...find("routes").children].entries()) button.entry = options[position];
  const first = options[0];
  if (first) setRequest(first.method, first.path);
}

function setRequest(method, path) {
  const select = find("method");
  if (method !== "" && ![...select.options].some((option) => option.value === method)) select.append(make("option", null, method));
  select.value = method === "" ? "GET" : method;
  find("path").value = path === "$connect" ? "/" : path;
  showRoute();
}

function showRoute(route) {
  const { method, path } = request();
  for (const button of find("routes").children) {
    const { entry } = button;
    const is = route === undefined ? entry.path === path && (entry.method || "GET") === method : entry.route === route;
    button.setAttribute("aria-pressed", String(is));
  }
}

function request() {
  const headers = find("headers").value.split("\n").filter((line) => line.trim() !== "").map((line) => {
    const [name, ...rest] = line.split(":");
    return [name.trim(), rest.join(":").trim()];
  });
  return { api: state.api.name, method: find("method").value, path: find("path").value, headers };
}

async function explain() {
  const turn = ++state.turn;
  find("sent").textContent = "";
  const answer = await ask("/_explain", { ...request(), token: state.caller.token });
  // A later question may have been answered earlier.
  if (turn === state.turn) showDecision(answer);
}

/** On a phone the decision is below what asks for it. */
function bringIntoView() {
  const decision = find("decision");
  if (decision.getBoundingClientRect().top > window.innerHeight * 0.6) decision.scrollIntoView();
}

/** Sends the request itself: to this page's own origin, and only there. */
async function send() {
  const { method, path, headers } = request();
  const all = new Headers(headers);
  if (state.caller.token !== null) all.set("authorization", `Bearer ${state.caller.token}`);
  const url = new URL(path, location.origin);
  if (url.origin !== location.origin) throw new Error("a path begins with one slash");
  const response = await fetch(url, { method, headers: all, credentials: "omit", redirect: "manual", cache: "no-store" });
  find("sent").textContent = `${method} ${path}: the gateway answered ${response.status}.`;
}

// ---------------------------------------------------------------------------------------------------------- decision

function showDecision(answer) {
  const { request: asked, explanation, status } = answer;
  const allowed = asked.decision === "allow" || (asked.authorizer === null && asked.route !== null);
  const reason = explanation?.decision.reason;
  const line = `${asked.method} ${asked.path}`;
  const word = asked.authorizer === null && asked.route !== null ? "Open to everybody"
    : allowed ? "Allowed" : asked.decision === "error" || status >= 500 ? "Failed" : "Refused";
  const because = allowed
    ? (asked.rule ? ["by the rule ", make("b", null, asked.rule)] : [])
    : [code(reason?.code ?? asked.reason ?? "no reason"), " – ", ...prose(reason?.message ?? asked.detail ?? "")];
  fill(find("verdict"), make("div", { className: `verdict ${allowed ? "yes" : "no"}` },
    make("div", { className: "status" }, String(status)),
    make("div", { className: "what" },
      make("div", null, make("span", { className: "word" }, word), because.length > 0 ? ": " : "", ...because),
      make("div", { className: "asked hint" }, code(line), " for ", make("b", null, explanation?.decision.principal_id ?? state.caller.name)))));
  fill(find("stages"), explanation === null ? gatewayStages(asked, allowed, status) : stages(answer));
  showRoute(asked.route ?? "");
  find("source").textContent = answer.explained_by === "library"
    ? "A binary answers this gateway's requests. What is explained here comes from this tool's own library with the same configuration." : "";
}

const stage = (kind, title, note, ...children) => make("li", null, mark(kind),
  make("h3", null, title, note ? make("small", null, note) : null), ...children);

/** Where the authorizer is not asked. */
function gatewayStages(asked, allowed, status) {
  const route = asked.route === null
    ? stage("no", "Route", "none takes this request")
    : stage("yes", "Route", null, facts([["route", code(asked.route)], ["authorizer", asked.authorizer ?? "none"]]));
  const end = allowed
    ? stage("yes", "Answer", `the client gets ${status}`)
    : stage("no", "Answer", `the client gets ${status}`, make("div", { className: "why" },
      make("div", null, code(asked.reason ?? ""), " ", ...prose(asked.detail ?? "")),
      make("div", null, "API Gateway answers by itself: the authorizer is not asked.")));
  const known = state.caller.base?.explanation?.token;
  return [route, known ? tokenStage(known) : null, end].filter((part) => part !== null);
}

function stages({ explanation, request: asked, routes, status }) {
  return [eventStage(explanation.event, asked), credentialStage(explanation.credential),
    explanation.token ? tokenStage(explanation.token) : stage("open", "Token", "none"),
    rulesStage(explanation), policyStage(explanation, asked), cachedStage(routes, explanation), answerStage(explanation, status)]
    .filter((part) => part !== null);
}

function eventStage(event, asked) {
  return stage("yes", "Event", event.kind, facts([
    ["route", asked.route === null ? null : code(asked.route)], ["authorizer", asked.authorizer],
    ["ARN", code(event.arn)], ["from", event.source_ip === null ? null : code(event.source_ip)],
  ]), make("details", null, make("summary", null, "The event, without its credentials"), json(asked.event)));
}

const PLACES = { found: ["yes", "found"], empty: ["open", "nothing there"], refused: ["no", "no credential"], not_looked: ["open", "not looked at"] };
function credentialStage(places) {
  const found = places.some((place) => place.outcome === "found");
  const refused = places.some((place) => place.outcome === "refused");
  return stage(found ? "yes" : refused ? "no" : "open", "Credential", found ? null : refused ? "cannot be used" : "none was sent",
    make("ul", { className: "marked" }, places.map((place) => {
      const [kind, words] = PLACES[place.outcome];
      const scheme = place.scheme === null ? "" : `, ${place.scheme}`;
      return make("li", null, row(kind, `${place.place}${scheme}: ${words}`, place.reason ? why(place.reason) : null));
    })));
}

const isTrivial = (check) => check.passed === true && check.found === null;
const checkItem = (check) => make("li", null, row(kindOf(check.passed),
  make("div", { className: "check" }, make("span", { className: "name" }, check.name),
    make("span", { className: "found" }, check.passed === null ? "not looked at" : check.found === null ? "nothing there" : make("span", { className: "code" }, ...prose(check.found))),
    make("span", { className: "wanted" }, "wanted: ", ...prose(check.expected))),
  check.reason ? why(check.reason) : null));

function tokenStage(token) {
  const trivial = token.checks.filter(isTrivial);
  const failed = token.checks.filter((check) => check.passed === false).length;
  const open = token.checks.filter((check) => check.passed === null).length;
  const note = failed > 0 ? `${failed} of ${token.checks.length} checks failed` : open > 0 ? "not every check could be made" : `${token.checks.length} checks passed`;
  return stage(failed > 0 ? "no" : open > 0 ? "open" : "yes", "Token", note,
    make("ul", { className: "marked checks", id: "checks" }, token.checks.filter((check) => !isTrivial(check)).map(checkItem)),
    trivial.length === 0 ? null : make("details", null,
      make("summary", null, `${trivial.length} more passed: there is nothing of the kind in the token`),
      make("ul", { className: "marked checks" }, trivial.map(checkItem))),
    make("div", { className: "columns" },
      make("div", null, make("h4", null, "Header"), token.header === null ? make("p", { className: "hint" }, "cannot be read") : json(token.header)),
      make("div", null, make("h4", null, failed > 0 ? "Claims, which nobody vouches for" : "Claims"),
        token.claims === null ? make("p", { className: "hint" }, "cannot be read") : json(token.claims))));
}

function rulesStage(explanation) {
  const { rules, policy, decision } = explanation;
  if (rules.length === 0) return stage("open", "Rules", "none: a verified caller may call everything");
  const kind = policy === null ? "open" : decision.verdict === "allow" ? "yes" : "no";
  return stage(kind, "Rules", policy === null ? "not asked, for want of a verified caller" : null,
    make("ul", { className: "marked" }, rules.map((rule) => make("li", null, ...ruleParts(rule)))));
}

function ruleParts(rule) {
  const matching = rule.routes.find((route) => route.matches_request);
  const naming = rule.routes.find((route) => route.names_request);
  const denies = rule.effect === "deny";
  const said = !rule.is_on_stage ? ["open", "for another stage or API"]
    : rule.applies && matching ? [denies ? "no" : "yes", denies ? "denies this request" : "allows this request"]
    : rule.applies && naming ? ["open", "for this caller, and another caller's path"]
    : rule.applies ? ["open", "for this caller, and other routes"]
    : rule.applies === null ? ["open", naming ? "names this request" : "for other routes"]
    : ["open", naming ? "names this request, and is not for this caller" : "not for this caller, and for other routes"];
  return [row(said[0], make("b", null, rule.name), ` ${said[1]}`,
    make("div", { className: "values hint" }, rule.routes.map((route, position) => [position > 0 ? ", " : "", code(route.route)]).flat())),
  make("ul", { className: "marked" }, requirement(rule.requirement))];
}

function requirement(part) {
  const kind = part.verdict === "met" ? "yes" : part.verdict === "unmet" ? "no" : "open";
  return make("li", null, row(kind, ...prose(part.text), part.verdict === "unknown" ? ": cannot be told" : ""),
    part.parts.length > 0 ? make("ul", { className: "marked" }, part.parts.map(requirement)) : null);
}

/** Neighbours that are there for the same reason. */
function grouped(resources) {
  const groups = [];
  for (const { resource, rules, note } of resources) {
    const last = groups.at(-1);
    if (last && last.note === note && last.rules.join("\n") === rules.join("\n")) last.resources.push(resource);
    else groups.push({ resources: [resource], rules, note });
  }
  return groups;
}

const isSimple = ({ answer }) => typeof answer.response?.isAuthorized === "boolean";

function policyStage(explanation, asked) {
  const { policy, event } = explanation;
  if (policy === null) return stage("open", "Policy", "none");
  const prefix = event.arn.split("/").slice(0, 2).join("/");
  const short = (resource) => (resource.startsWith(`${prefix}/`) ? `…${resource.slice(prefix.length)}` : resource);
  return stage(isSimple(explanation) ? "open" : "yes", "Policy", isSimple(explanation) ? "not sent: this API takes yes or no" : "of this caller, for every route", make("p", { className: "hint" }, "resources of ", code(`${prefix}/…`)),
    policy.statements.map((statement) => make("div", { className: "statement" },
      make("h4", null, mark(statement.effect === "Allow" ? "yes" : "no", ""), statement.effect),
      grouped(statement.resources).map(({ resources, note, rules }) => make("div", { className: "resource" },
        make("div", { className: "these" }, resources.map((resource) => code(short(resource)))),
        make("span", { className: "by" }, note ?? ["by ", make("b", null, rules.join(", "))].flat()))))),
    policy.differences.length > 0 ? make("ul", { className: "marked" }, policy.differences.map((words) => make("li", null, row("open", ...prose(words))))) : null,
    asked.policy === null ? null : make("details", null, make("summary", null, "The document"), json(asked.policy)));
}

function cachedStage(routes, explanation) {
  if (explanation.policy === null || isSimple(explanation)) return null;
  return stage("open", "While it is cached", "it decides these, too",
    make("ul", { className: "marked" }, routes.filter((entry) => entry.opens !== "everybody" && entry.opens !== "foreign").map((entry) => {
      const opens = entry.opens === "all" || entry.opens === "own";
      return make("li", null, row(opens ? "yes" : "no", code(`${entry.method} ${entry.path}`.trim()),
        make("span", { className: "quieter" }, entry.opens === "own" ? ` the caller's own alone, by ${entry.rule ?? "no rule"}`
          : entry.rule ? ` by ${entry.rule}` : opens ? " by no rule" : " refused")));
    })));
}

function answerStage(explanation, status) {
  const { decision, answer } = explanation;
  const allowed = decision.verdict === "allow";
  return stage(allowed ? "yes" : "no", "Answer", `the client gets ${status}`,
    facts([["verdict", decision.verdict], ["principal", decision.principal_id === null ? null : code(decision.principal_id)],
      ["issuer", decision.issuer === null ? null : code(decision.issuer)], ["rule", decision.rule],
      ["API Gateway", answer.failure ? ["is told ", code(answer.failure.error_message)] : "is told the answer below"]].map(([name, value]) => [name, Array.isArray(value) ? make("span", null, ...value) : value])),
    decision.reason ? why(decision.reason) : null,
    make("details", null, make("summary", null, "The answer"), json(answer.response ?? answer.failure)));
}

// ------------------------------------------------------------------------------------------------------------ matrix

const CELLS = {
  all: ["✓", "allowed"], own: ["◐", "own only"], none: ["✕", "refused"], everybody: ["○", "open"], foreign: ["–", "not this function's"],
};

function showMatrix() {
  const callers = state.callers.filter((caller) => caller.base !== null);
  const lines = NOBODY.base.routes;
  const head = make("tr", null, make("th", { scope: "col" }, "Route"), callers.map((caller) => make("th", { scope: "col" },
    caller.name, make("small", null, ...detail(caller)))));
  const body = lines.map((line, position) => {
    const label = line.method !== "" && !line.route.startsWith(`${line.method} `) ? `${line.method} · ${line.route}` : line.route;
    return make("tr", null, make("th", { scope: "row" }, label), callers.map((caller) => make("td", null, cell(caller, caller.base.routes[position], label))));
  });
  fill(find("matrix-table"), make("table", null, make("thead", null, head), make("tbody", null, body)));
}

function cell(caller, entry, label) {
  const [sign, words] = CELLS[entry.opens];
  const refused = entry.opens === "none" && caller.base.explanation?.policy == null ? `refused, ${caller.base.status}` : words;
  const shown = entry.opens === "own" ? entry.path : refused;
  return make("button", {
    type: "button", className: `cell ${entry.opens}`, title: entry.rule ? `by the rule ${entry.rule}` : entry.path,
    "aria-label": `${label} for ${caller.name}: ${entry.opens === "own" ? `own only, as in ${entry.path}` : refused}. Show why`,
    onclick: () => {
      setRequest(entry.method, entry.path);
      attempt(() => chooseCaller(caller)).then(() => find("decision").focus());
    },
  }, make("span", { "aria-hidden": "true" }, sign), make("span", null, shown));
}

// ---------------------------------------------------------------------------------------------------------- requests

const MOST_SHOWN = 200;
const seen = new Set();
const stack = { paused: false, waiting: [] };

function follow() {
  const source = new EventSource("/_requests/stream");
  const live = find("live");
  source.onopen = () => { live.textContent = "live"; live.classList.add("on"); };
  source.onerror = () => { live.textContent = "not connected"; live.classList.remove("on"); };
  source.onmessage = ({ data }) => {
    const record = JSON.parse(data);
    if (stack.paused) stack.waiting.push(record); else showRequest(record);
  };
}

function showRequest(record) {
  // Once connected again, the stream begins with what is already here.
  const key = `${record.id} ${record.time}`;
  if (seen.has(key)) return;
  seen.add(key);
  const list = find("requests-list");
  find("no-requests").hidden = true;
  list.prepend(requestItem(record));
  while (list.children.length > MOST_SHOWN) list.lastChild.remove();
  find("newest").textContent = `${record.method} ${record.path}: ${record.status}`;
}

function requestItem(record) {
  const passed = record.decision === "allow" || (record.decision === null && record.status < 400);
  const decision = record.decision ?? (record.route === null ? "no route" : "open");
  const cost = `${(record.duration_us / 1000).toFixed(1)} ms`;
  const because = [decision, record.reason ? [" ", code(record.reason)] : null, record.rule ? ` by ${record.rule}` : null].flat().filter((part) => part !== null);
  const cache = record.cache === null ? "" : make("span", { className: `tag ${record.cache}` }, `cache ${record.cache}`);
  const item = make("li");
  const button = make("button", { type: "button", "aria-expanded": "false", onclick: () => toggle(item, button, record) },
    make("span", { className: `status ${passed ? "yes" : "no"}` }, String(record.status)),
    make("span", { className: "target" }, `${record.method} ${record.path}`),
    make("time", { className: "when", dateTime: record.time }, new Date(record.time).toLocaleTimeString([], { hour12: false })),
    make("span", { className: "because" }, ...because, " ", make("span", { className: "small" }, cache ? cache.cloneNode(true) : "", ` ${cost}`)),
    make("span", { className: "cost" }, cache),
    make("span", { className: "cost" }, cost));
  item.append(button);
  return item;
}

function toggle(item, button, record) {
  const open = button.getAttribute("aria-expanded") !== "true";
  button.setAttribute("aria-expanded", String(open));
  if (!open) { item.lastChild.remove(); return; }
  const hit = record.cached_from === null ? null : `the policy of request ${record.cached_from}`;
  item.append(make("div", { className: "details" }, facts([
    ["request", `${record.id}, ${record.time}`], ["API", record.api], ["route", record.route === null ? null : code(record.route)],
    ["authorizer", record.authorizer], ["kind", record.kind], ["principal", record.principal === null ? null : code(record.principal)],
    ["reason", record.detail === null ? null : make("span", null, ...prose(record.detail))], ["cached from", hit], ["ARN", record.arn === null ? null : code(record.arn)],
  ]),
  make("div", { className: "buttons" }, make("button", {
    type: "button", onclick: () => { setRequest(record.method, record.path); attempt(explain).then(() => find("decision").focus()); },
  }, "Explain it for the chosen caller")),
  record.policy === null ? null : [make("h4", null, "Policy"), json(record.policy)],
  record.context === null ? null : [make("h4", null, "What the backend is told"), json(record.context)],
  record.event === null ? null : make("details", null, make("summary", null, "The event, without its credentials"), json(record.event))));
}

// ------------------------------------------------------------------------------------------------------------- start

const ALGORITHMS = ["ES256", "ES384", "ES512", "RS256", "RS384", "RS512", "PS256", "PS384", "PS512", "EdDSA", "Ed25519"];

function listen() {
  find("request-form").onsubmit = (event) => { event.preventDefault(); attempt(explain).then(bringIntoView); };
  find("send").onclick = () => attempt(send);
  find("again").onclick = () => attempt(async () => { await refresh(); await explain(); });
  find("path").oninput = () => showRoute();
  find("method").onchange = () => showRoute();
  find("paste-form").onsubmit = (event) => {
    event.preventDefault();
    const token = find("paste-token").value.trim().replace(/^bearer\s+/i, "");
    if (token === "") return;
    attempt(async () => { await addCaller(token); find("paste-token").value = ""; find("paste").open = false; document.querySelector("#callers input:checked").focus({ preventScroll: true }); });
  };
  find("mint-form").onsubmit = (event) => {
    event.preventDefault();
    attempt(mint);
  };
  find("pause").onclick = () => {
    stack.paused = !stack.paused;
    find("pause").setAttribute("aria-pressed", String(stack.paused));
    if (!stack.paused) stack.waiting.splice(0).forEach(showRequest);
  };
  find("api").onchange = () => attempt(() => startApi(state.apis.find((api) => api.name === find("api").value)));
}

async function mint() {
  const written = find("mint-claims").value.trim();
  let others = {};
  try {
    if (written !== "") others = JSON.parse(written);
  } catch {
    throw new Error("The other claims are not JSON.");
  }
  const given = (id) => (find(id).value === "" ? null : find(id).value);
  const claims = { sub: given("mint-subject"), scope: given("mint-scopes"), ...others };
  const { token } = await ask("/_mint", { claims, algorithm: given("mint-algorithm"), broken: given("mint-broken") });
  await addCaller(token);
  find("mint").open = false;
  document.querySelector("#callers input:checked").focus({ preventScroll: true });
}

async function startApi(api) {
  state.api = api;
  await Promise.all(state.callers.map(async (caller) => {
    caller.base = await ask("/_explain", { api: api.name, token: caller.token });
  }));
  const here = new URL(api.url).port === location.port;
  find("send").disabled = !here || api.protocol === "websocket";
  find("send").title = here ? "" : "This page is served by another API";
  chooseApi(api);
  showCallers();
  showMatrix();
  await explain();
}

async function start() {
  const { apis, issuer } = await ask("/_api");
  state.apis = apis;
  fill(find("mint-algorithm"), ALGORITHMS.map((name) => make("option", null, name)));
  find("mint").hidden = issuer === null;
  find("mint").open = issuer !== null;
  find("paste").open = issuer === null;
  fill(find("api"), apis.map((api) => make("option", { value: api.name }, `${api.name} (${api.protocol})`)));
  find("api-label").hidden = apis.length < 2;
  const here = apis.find((api) => new URL(api.url).port === location.port) ?? apis[0];
  find("api").value = here.name;
  await startApi(here);
}

listen();
follow();
attempt(start);
