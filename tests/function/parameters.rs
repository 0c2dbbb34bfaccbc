//! Rules that look at headers, query parameters, stage variables and clients' certificates, and certificates that are checked:
//! the built binary, in every kind of event.

use authorizer_cli::gateway::EventKind::{self, Http1, Http2, RestRequest, RestToken, WebSocket};
use authorizer_cli::issuer::unix_time;
use serde_json::{Value, json};

use crate::answers::is_denied_by_name;
use crate::process::{Function, Settings};
use crate::support::event;

/// The kinds that tell more than a token.
const KINDS: [EventKind; 4] = [RestRequest, Http1, Http2, WebSocket];

/// A rule for everything, with this requirement beside a scope that the caller has.
fn rule(requires: &str, effect: &str) -> String {
    format!(
        "[[rule]]\nname = 'r'\neffect = '{effect}'\nroutes = ['ANY /**', '$connect']\nrequires = {{ scope = 'orders:read', {requires} }}\n"
    )
}

fn sections(requires: &str) -> String {
    format!("[gateway]\ncache_seconds = 0\n{}", rule(requires, "allow"))
}

/// Puts members into the event's own.
fn with(mut event: Value, members: &Value) -> Value {
    merge(&mut event, members);
    event
}

fn merge(into: &mut Value, members: &Value) {
    for (name, member) in members.as_object().unwrap() {
        match (&mut into[name], member) {
            (own @ Value::Object(_), Value::Object(_)) => merge(own, member),
            (own, _) => *own = member.clone(),
        }
    }
}

/// The certificate, where this kind of event has it.
fn with_certificate(event: Value, kind: EventKind, certificate: &Value) -> Value {
    let client = if kind == Http2 { "authentication" } else { "identity" };
    with(event, &json!({"requestContext": {client: {"clientCert": certificate}}}))
}

/// Rules Z2 and Z4: a value that is there once, whatever the case of a header's name; several decide nothing.
#[tokio::test]
async fn a_header_counts_where_it_is_there_once() {
    let sections = sections("header = { name = 'X-Tier', one_of = ['gold', 'silver'] }");
    let function = Function::start(Settings { sections: &sections, ..Settings::default() }).await;
    let token = function.issuer.mint(&json!({})).unwrap();
    for kind in KINDS {
        for (headers, multiple, may) in [
            (json!({"X-Tier": "gold"}), json!({}), true),
            (json!({"x-tier": "silver"}), json!({"x-tier": ["silver"]}), true),
            (json!({"X-TIER": " gold "}), json!({}), true),
            (json!({"X-Tier": "Gold"}), json!({}), false),
            (json!({"X-Tier": "%67old"}), json!({}), false),
            (json!({"X-Tier": ""}), json!({}), false),
            (json!({"X-Tier": null}), json!({}), false),
            (json!({}), json!({}), false),
            (json!({"X-Tier": "gold", "x-tier": "gold"}), json!({}), false),
            (json!({"X-Tier": "bronze", "x-tier": "gold"}), json!({}), false),
            (json!({"X-Tier": "gold,silver"}), json!({}), false),
            (json!({"X-Tier": "gold, gold"}), json!({}), false),
            (json!({"X-Tier": "gold"}), json!({"X-Tier": ["bronze", "gold"]}), false),
            (json!({"X-Tier": "gold"}), json!({"X-Tier": ["bronze"]}), false),
            (json!({"X-Tier": "gold"}), json!({"x-tier": ["gold"]}), false),
            (json!({}), json!({"X-Tier": ["gold"], "x-tier": ["silver"]}), false),
            (json!({"X-Tier": "gold".repeat(5000)}), json!({}), false),
        ] {
            let asked = with(event(kind, &token), &json!({"headers": headers}));
            let asked = if kind == Http2 && multiple == json!({}) {
                asked
            } else {
                with(asked, &json!({"multiValueHeaders": multiple}))
            };
            let what = format!("{kind}: {headers:.100} {multiple}");
            let answer = function.ask(&asked).await;
            if may {
                answer.is_allowed(&what);
            } else {
                is_denied_by_name(&answer, "insufficient_scope", &what);
            }
        }
    }
    function.ends_without_a_trace_of_tokens().await;
}

#[tokio::test]
async fn a_query_parameter_counts_where_it_is_there_once() {
    let sections = sections("query = { name = 'version', prefix = '2' }");
    let function = Function::start(Settings { sections: &sections, ..Settings::default() }).await;
    let token = function.issuer.mint(&json!({})).unwrap();
    for kind in KINDS {
        for (single, multiple, may) in [
            (json!({"version": "2.1"}), json!({}), true),
            (json!({"version": "2"}), json!({"version": ["2"]}), true),
            (json!({"Version": "2"}), json!({}), false),
            (json!({"version": "%32"}), json!({}), false),
            (json!({"version": "12"}), json!({}), false),
            (json!({"version": "2,1"}), json!({}), false),
            (json!({"version": "2"}), json!({"version": ["1", "2"]}), false),
            (json!({"version": "2"}), json!({"version": ["2", "2"]}), false),
            (json!({"version[]": "2"}), json!({"version[]": ["2"]}), false),
            (json!({}), json!({"version": []}), false),
        ] {
            let members =
                json!({"queryStringParameters": single, "multiValueQueryStringParameters": multiple});
            let answer = function.ask(&with(event(kind, &token), &members)).await;
            let what = format!("{kind}: {members}");
            if may {
                answer.is_allowed(&what);
            } else {
                is_denied_by_name(&answer, "insufficient_scope", &what);
            }
        }
    }
    function.ends_without_a_trace_of_tokens().await;
}

/// What the event does not tell opens nothing, and a rule that denies takes it for the worst.
#[tokio::test]
async fn what_cannot_be_told_does_not_allow_and_denies() {
    let allow = "[[rule]]\nname = 'all'\nroutes = ['ANY /**', '$connect']\nrequires = 'authenticated'\n";
    let deny = rule("header = { name = 'X-Tier', equals = 'blocked' }", "deny");
    let sections = format!("[gateway]\ncache_seconds = 0\n{allow}{deny}");
    let function = Function::start(Settings { sections: &sections, ..Settings::default() }).await;
    let token = function.issuer.mint(&json!({})).unwrap();
    for kind in KINDS {
        for (headers, may) in [
            (json!({}), true),
            (json!({"X-Tier": "gold"}), true),
            (json!({"X-Tier": "blocked"}), false),
            (json!({"X-Tier": "gold,gold"}), false),
            (json!({"X-Tier": "gold", "x-tier": "gold"}), false),
        ] {
            let what = format!("{kind}: {headers}");
            let answer = function.ask(&with(event(kind, &token), &json!({"headers": headers}))).await;
            if may {
                answer.is_allowed(&what);
            } else {
                is_denied_by_name(&answer, "route_denied", &what);
            }
        }
    }
    let token_event = event(RestToken, &token);
    is_denied_by_name(&function.ask(&token_event).await, "route_denied", "a TOKEN event has no headers");
    function.ends_without_a_trace_of_tokens().await;
}

#[tokio::test]
async fn a_stage_variable_is_read_where_the_event_has_it() {
    let sections = sections("stage_variable = { name = 'tier', equals = 'internal' }");
    let function = Function::start(Settings { sections: &sections, ..Settings::default() }).await;
    let token = function.issuer.mint(&json!({})).unwrap();
    for kind in KINDS {
        for (variables, may) in [
            (json!({"tier": "internal", "other": "x"}), true),
            (json!({"tier": "public"}), false),
            (json!({"Tier": "internal"}), false),
            (json!({"tier": ["internal"]}), false),
            (json!(["tier", "internal"]), false),
            (json!("internal"), false),
            (json!({}), false),
            (json!(null), false),
        ] {
            let mut asked = with(event(kind, &token), &json!({"headers": {"tier": "internal"}}));
            asked["stageVariables"] = variables;
            let what = format!("{kind}: {}", asked["stageVariables"]);
            let answer = function.ask(&asked).await;
            if may {
                answer.is_allowed(&what);
            } else {
                is_denied_by_name(&answer, "insufficient_scope", &what);
            }
        }
    }
    is_denied_by_name(&function.ask(&event(RestToken, &token)).await, "insufficient_scope", "a TOKEN event");
    function.ends_without_a_trace_of_tokens().await;
}

const ISSUER: &str = "C=DE,O=Trust Centre,CN=QWAC CA 1";

/// A certificate that holds for an hour more, with other members.
fn certificate(changes: &Value) -> Value {
    let certificate = json!({
        "clientCertPem": "-----BEGIN CERTIFICATE-----\nMIIEZTCCAk0CAQEwDQYJ\n-----END CERTIFICATE-----\n",
        "subjectDN": "C=DE,O=Bank,2.5.4.97=PSDDE-BAFIN-123456,CN=tpp.example.com", "issuerDN": ISSUER, "serialNumber": "1",
        "validity": {"notBefore": "May 28 12:30:02 2019 GMT", "notAfter": "Aug  5 09:36:04 2121 GMT"},
    });
    with(certificate, changes)
}

/// An attribute is one that the certificate has, and not one that the text of another looks like.
#[tokio::test]
async fn an_attribute_of_a_certificate_is_what_its_authority_wrote() {
    let sections = sections("client_certificate = { field = 'subject.O', equals = 'Bank' }");
    let function = Function::start(Settings { sections: &sections, ..Settings::default() }).await;
    let token = function.issuer.mint(&json!({})).unwrap();
    for kind in KINDS {
        for (subject, may) in [
            (json!("C=DE,O=Bank,CN=a"), true),
            (json!("CN=a+O=Bank"), true),
            (json!("2.5.4.10=#0c0442616e6b,CN=a"), true),
            (json!(r"CN=a\,O=Bank"), false),
            (json!(r"CN=a\2CO=Bank"), false),
            (json!(r"O=Thief,CN=a\,O=Bank"), false),
            (json!("O=Thief,CN=a,O=Bank"), false),
            (json!("O=Bank,O=Bank"), false),
            (json!("O=bank,CN=a"), false),
            (json!("O=Bank Inc.,CN=a"), false),
            (json!("OU=Bank,CN=a"), false),
            (json!("CN=\"a,O=Bank\""), false),
            (json!("/O=Bank/CN=a"), false),
            (json!("O=Bank,Unheard=a"), false),
            (json!("Bank"), false),
            (json!(""), false),
            (json!(null), false),
        ] {
            let what = format!("{kind}: {subject}");
            let shown = certificate(&json!({ "subjectDN": subject }));
            let answer = function.ask(&with_certificate(event(kind, &token), kind, &shown)).await;
            if may {
                answer.is_allowed(&what);
            } else {
                is_denied_by_name(&answer, "insufficient_scope", &what);
            }
        }
        // Whoever sends a header has not shown a certificate.
        let headers = json!({"headers": {"X-Client-Cert": "O=Bank", "X-SSL-Client-S-DN": "O=Bank", "X-Amzn-Mtls-Clientcert-Subject": "O=Bank"}});
        let answer = function.ask(&with(event(kind, &token), &headers)).await;
        is_denied_by_name(&answer, "insufficient_scope", "headers");
    }
    function.ends_without_a_trace_of_tokens().await;
}

const CHECKED: &str = "
    [gateway]
    cache_seconds = 0
    [client_certificate]
    issuers = ['C=DE,O=Trust Centre,CN=QWAC CA 1']
    context = { tpp = 'subject.organizationIdentifier', bank = 'subject.O', serial = 'serial', town = 'subject.L' }
";

/// FAPI and PSD2: who issued it, until when, and for whom.
#[tokio::test]
async fn a_certificate_is_checked_and_told_to_backends() {
    let function = Function::start(Settings { sections: CHECKED, ..Settings::default() }).await;
    let token = function.issuer.mint(&json!({})).unwrap();
    for kind in KINDS {
        let ask = |shown: Value| with_certificate(event(kind, &token), kind, &shown);
        let good = function.ask(&ask(certificate(&json!({})))).await;
        good.is_allowed(&kind.to_string());
        let context = &good.json()["context"];
        for (key, value) in [("tpp", "PSDDE-BAFIN-123456"), ("bank", "Bank"), ("serial", "1")] {
            assert_eq!(context[key], value, "{kind}");
        }
        assert_eq!(context.get("town"), None, "{kind}: what is not there has no key");
        for (changes, reason) in [
            (json!({"issuerDN": "C=DE,O=Trust Centre,CN=QWAC CA 2"}), "client_certificate_untrusted"),
            (json!({"issuerDN": format!("{ISSUER},CN=x")}), "client_certificate_untrusted"),
            (json!({"issuerDN": format!("C=DE\\,{ISSUER}")}), "client_certificate_untrusted"),
            (json!({"issuerDN": null}), "client_certificate_untrusted"),
            (json!({"validity": {"notAfter": "Aug  5 09:36:04 2021 GMT"}}), "client_certificate_expired"),
            (
                json!({"validity": {"notBefore": "Aug  5 09:36:04 2120 GMT"}}),
                "client_certificate_not_yet_valid",
            ),
            (json!({"validity": {"notAfter": "2121-08-05T09:36:04Z"}}), "client_certificate_unreadable"),
            (json!({"validity": {"notAfter": "Aug  5 09:36:04 2121 PST"}}), "client_certificate_unreadable"),
            (json!({"validity": null}), "client_certificate_unreadable"),
            (json!({"subjectDN": "O=Bank,O=Thief"}), "client_certificate_unreadable"),
            (json!({"subjectDN": "O=Bank\\0aX-Role: admin"}), "client_certificate_unreadable"),
            (json!({"subjectDN": "Bank"}), "client_certificate_unreadable"),
        ] {
            let what = format!("{kind}: {changes}");
            let answer = function.ask(&ask(certificate(&changes))).await;
            assert_eq!((answer.status(), &answer.record["reason"]), (403, &json!(reason)), "{what}");
            assert_eq!(answer.record["key_id"], "first", "{what}: the token held");
        }
        let answer = function.ask(&event(kind, &token)).await;
        answer.is_refused("client_certificate_missing", &kind.to_string());
        let expired = function.issuer.mint(&json!({"exp": unix_time() - 60})).unwrap();
        let both = with_certificate(event(kind, &expired), kind, &json!({"issuerDN": "CN=x"}));
        function.ask(&both).await.is_refused("token_expired", "what the token is comes first");
    }
    let answer = function.ask(&event(RestToken, &token)).await;
    answer.is_refused("client_certificate_missing", "a TOKEN event has none");
    function.ends_without_a_trace_of_tokens().await;
}

/// A certificate that is not needed must hold where it comes, and its public routes are open to whoever asks.
#[tokio::test]
async fn a_certificate_that_need_not_be_there_must_hold() {
    let public = "[[rule]]\nname = 'public'\nroutes = ['ANY /**', '$connect']\nrequires = 'anyone'\n";
    let sections = format!("[gateway]\ncache_seconds = 0\n[client_certificate]\nrequired = false\n{public}");
    let function = Function::start(Settings { sections: &sections, ..Settings::default() }).await;
    let token = function.issuer.mint(&json!({})).unwrap();
    for kind in KINDS {
        let past = json!({"validity": {"notAfter": "Aug  5 09:36:04 2021 GMT"}});
        for asked in [event(kind, &token), crate::rules::without_credential(event(kind, ""))] {
            function.ask(&asked).await.is_allowed("without");
            let good = with_certificate(asked.clone(), kind, &certificate(&json!({})));
            function.ask(&good).await.is_allowed("with one that holds");
            let expired = with_certificate(asked, kind, &certificate(&past));
            let answer = function.ask(&expired).await;
            assert_eq!(
                (answer.status(), &answer.record["reason"]),
                (403, &json!("client_certificate_expired")),
                "{kind}"
            );
        }
    }
    function.ends_without_a_trace_of_tokens().await;
}

/// What tells cached answers apart is what the rule looks at: each of two requests has its own answer.
#[tokio::test]
async fn an_answer_is_for_the_identity_sources_that_it_depends_on() {
    let kept = "[gateway]\nidentity_sources = ['$request.header.Authorization', '$request.header.X-Tier']\n";
    let sections = format!("{kept}{}", rule("header = { name = 'X-Tier', equals = 'gold' }", "allow"));
    let function = Function::start(Settings { sections: &sections, ..Settings::default() }).await;
    let token = function.issuer.mint(&json!({})).unwrap();
    for kind in [RestRequest, Http1, Http2] {
        let of = |tier: &str| with(event(kind, &token), &json!({"headers": {"X-Tier": tier}}));
        let gold = function.ask(&of("gold")).await;
        gold.is_allowed("gold");
        assert_eq!(gold.status_from_cache(&of("gold")), 200, "{kind}");
        let bronze = function.ask(&of("bronze")).await;
        is_denied_by_name(&bronze, "insufficient_scope", "bronze");
        assert_eq!(bronze.status_from_cache(&of("bronze")), 403, "{kind}");
    }
    function.ends_without_a_trace_of_tokens().await;
}
