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
        make("span", { className: "by" }, note ?? "", note && rules.length > 0 ? ", " : "",
          rules.length > 0 ? ["by ", make("b", null, rules.join(", "))] : ""))))),
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
