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
  const first = options.find((entry) => entry.opens !== "everybody") ?? options[0];
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
