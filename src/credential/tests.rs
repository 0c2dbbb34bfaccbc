use super::*;
use crate::request::{Parameters, RequestUrl, StageVariables};

const TOKEN: &str = "aaa.bbb.ccc";

fn request(kind: EventKind) -> Request {
    let tail = if kind == EventKind::WebSocket { "$connect" } else { "GET/" };
    Request {
        kind,
        arn: format!("arn:aws:execute-api:r:1:api/stage/{tail}").parse().unwrap(),
        route: None,
        request_id: None,
        source_ip: None,
        client_certificate: None,
        stage_variables: StageVariables::default(),
        url: RequestUrl::default(),
        authorization_token: None,
        headers: Parameters::default(),
        query: Parameters::default(),
        cookies: Parameters::default(),
    }
}

fn parameters(pairs: &[(&str, &str)]) -> Parameters {
    Parameters::new(pairs.iter().map(|(name, value)| ((*name).to_owned(), (*value).to_owned())).collect())
}

fn with_header(kind: EventKind, name: &str, value: &str) -> Request {
    Request { headers: parameters(&[(name, value)]), ..request(kind) }
}

fn source(location: Location, scheme: Scheme) -> IdentitySource {
    IdentitySource { location, scheme }
}

#[test]
fn the_defaults_find_the_token_of_every_kind() {
    let token =
        Request { authorization_token: Some(format!("Bearer {TOKEN}")), ..request(EventKind::RestToken) };
    let mut requests = vec![token];
    for kind in [EventKind::RestRequest, EventKind::Http1, EventKind::Http2, EventKind::WebSocket] {
        requests.push(with_header(kind, "authorization", &format!("Bearer {TOKEN}")));
    }
    let browser =
        with_header(EventKind::WebSocket, "Sec-WebSocket-Protocol", &format!("access_token, {TOKEN}"));
    requests.push(browser);
    for request in requests {
        assert_eq!(IdentitySources::default().extract(&request).unwrap().expose(), TOKEN);
    }
}

/// RFC 9110, section 5.6.3: space and tab may stand around a value. Whoever strips more has many
/// spellings of one credential, and API Gateway's cache one entry for each.
#[test]
fn only_space_and_tab_may_stand_around_a_credential() {
    for kind in [EventKind::RestToken, EventKind::RestRequest] {
        let extract = |value: String| {
            let with_value = if kind == EventKind::RestToken {
                Request { authorization_token: Some(value), ..request(kind) }
            } else {
                with_header(kind, "Authorization", &value)
            };
            IdentitySources::default().extract(&with_value)
        };
        assert_eq!(extract(format!(" \t Bearer {TOKEN}\t ")).unwrap().expose(), TOKEN);
        for odd in ['\n', '\r', '\u{b}', '\u{c}', '\u{85}', '\u{a0}', '\u{2003}', '\u{2028}', '\u{3000}'] {
            for value in [format!("Bearer {TOKEN}{odd}"), format!("{odd}Bearer {TOKEN}")] {
                assert_eq!(extract(value.clone()).err(), Some(Reason::CredentialMalformed), "{value:?}");
            }
        }
    }
}

/// Rule Z2: the scheme's case does not matter, its presence does.
#[test]
fn only_the_bearer_scheme_is_a_bearer_token() {
    let extract = |value: &str| {
        IdentitySources::default().extract(&with_header(EventKind::RestRequest, "Authorization", value))
    };
    for value in ["Bearer a.b.c", "bearer a.b.c", "BEARER  a.b.c", "  bEaReR a.b.c  "] {
        assert_eq!(extract(value).unwrap().expose(), "a.b.c", "{value}");
    }
    for value in [
        "a.b.c",
        "Basic YTpi",
        "Bearer",
        "Bearer ",
        "Bearera.b.c",
        "Bearer a b",
        "Bearer\ta.b.c",
        "Digest a=\"b\", c=\"d\"",
        "é",
    ] {
        assert_eq!(extract(value), Err(Reason::CredentialMalformed), "{value}");
    }
    for value in ["", "   "] {
        assert_eq!(extract(value), Err(Reason::CredentialMissing), "{value}");
    }
}

#[test]
fn the_first_source_that_holds_a_credential_wins() {
    let sources = IdentitySources::new(vec![
        source(Location::Header("Authorization".into()), Scheme::Bearer),
        source(Location::Query("token".into()), Scheme::None),
        source(Location::Cookie("session".into()), Scheme::None),
    ]);
    let mut request = request(EventKind::Http2);
    request.cookies = parameters(&[("session", "c")]);
    assert_eq!(sources.extract(&request).unwrap().expose(), "c");
    request.query = parameters(&[("token", "q")]);
    assert_eq!(sources.extract(&request).unwrap().expose(), "q");
    request.headers = parameters(&[("authorization", "Bearer h")]);
    assert_eq!(sources.extract(&request).unwrap().expose(), "h");
}

/// Where API Gateway's identity source is the header, an answer to `Basic YTpi` and somebody's cookie
/// would be cached for everyone who sends `Basic YTpi`.
#[test]
fn no_source_stands_in_for_one_that_holds_something_else() {
    let sources = IdentitySources::new(vec![
        source(Location::Header("Authorization".into()), Scheme::Bearer),
        source(Location::Cookie("session".into()), Scheme::None),
    ]);
    let mut request = with_header(EventKind::RestRequest, "Authorization", "Basic YTpi");
    request.cookies = parameters(&[("session", TOKEN)]);
    assert_eq!(sources.extract(&request), Err(Reason::CredentialMalformed));
    request.headers = parameters(&[("Authorization", " ")]);
    assert_eq!(sources.extract(&request).unwrap().expose(), TOKEN);
}

/// Rule Z2: never query, cookie or another header unless configured.
#[test]
fn a_place_that_is_not_configured_is_not_looked_at() {
    let mut request = request(EventKind::RestRequest);
    request.query = parameters(&[("access_token", TOKEN)]);
    request.cookies = parameters(&[("access_token", TOKEN)]);
    request.headers = parameters(&[
        ("X-Authorization", &format!("Bearer {TOKEN}")),
        ("Sec-WebSocket-Protocol", &format!("access_token, {TOKEN}")),
    ]);
    assert_eq!(IdentitySources::default().extract(&request), Err(Reason::CredentialMissing));
}

/// Rule Z2: one value, in one spelling.
#[test]
fn several_values_are_refused_where_one_is_allowed() {
    let sources = IdentitySources::new(vec![
        source(Location::Header("Authorization".into()), Scheme::Bearer),
        source(Location::Query("token".into()), Scheme::None),
        source(Location::Cookie("session".into()), Scheme::None),
        source(Location::WebSocketProtocol { marker: "access_token".into() }, Scheme::None),
    ]);
    let header = |pairs| Request { headers: parameters(pairs), ..request(EventKind::WebSocket) };
    let query = |pairs| Request { query: parameters(pairs), ..request(EventKind::Http2) };
    let cookie = |pairs| Request { cookies: parameters(pairs), ..request(EventKind::Http2) };
    for ambiguous in [
        header(&[("Authorization", "Bearer a"), ("authorization", "Bearer a")]),
        header(&[("authorization", "Bearer a,Bearer b")]),
        header(&[("authorization", "Bearer a,b")]),
        header(&[("Sec-WebSocket-Protocol", "access_token, a, access_token, b")]),
        query(&[("token", "a,b")]),
        query(&[("token", "a"), ("token", "b")]),
        cookie(&[("session", "a"), ("session", "b")]),
    ] {
        assert_eq!(sources.extract(&ambiguous), Err(Reason::CredentialAmbiguous));
    }
    for allowed in [
        header(&[("authorization", "Bearer a")]),
        header(&[("Sec-WebSocket-Protocol", "chat, access_token, a, superchat")]),
        query(&[("token", "a"), ("other", "b,c")]),
        cookie(&[("session", "a"), ("Session", "b")]),
    ] {
        assert_eq!(sources.extract(&allowed).unwrap().expose(), "a");
    }
}

#[test]
fn a_credential_does_not_show() {
    let request = with_header(EventKind::Http2, "authorization", &format!("Bearer {TOKEN}"));
    let credential = IdentitySources::default().extract(&request).unwrap();
    for shown in [format!("{credential:?}"), format!("{request:?}")] {
        assert!(!shown.contains("aaa") && !shown.contains("ccc"), "{shown}");
    }
}

/// `Basic` is refused unless it is asked for, and `Bearer` where it alone is.
#[test]
fn basic_is_taken_only_where_it_is_asked_for() {
    let extract = |scheme, value: &str| {
        let sources = IdentitySources::new(vec![source(Location::Header("Authorization".into()), scheme)]);
        let credential = sources.extract(&with_header(EventKind::RestRequest, "Authorization", value))?;
        Ok((credential.expose().to_owned(), credential.presentation()))
    };
    let malformed = Err(Reason::CredentialMalformed);
    let basic = Ok(("YTpi".to_owned(), Presentation::Basic));
    let bearer = Ok((TOKEN.to_owned(), Presentation::Bearer));
    let token = format!("Bearer {TOKEN}");
    for value in ["Basic YTpi", "basic  YTpi", "BASIC YTpi"] {
        assert_eq!(extract(Scheme::Basic, value), basic, "{value}");
        assert_eq!(extract(Scheme::BearerOrBasic, value), basic, "{value}");
        assert_eq!(extract(Scheme::Bearer, value), malformed, "{value}");
    }
    assert_eq!(extract(Scheme::Bearer, &token), bearer);
    assert_eq!(extract(Scheme::BearerOrBasic, &token), bearer);
    assert_eq!(extract(Scheme::Basic, &token), malformed);
    assert_eq!(extract(Scheme::BearerOrBasic, "Digest YTpi"), malformed);
    assert_eq!(extract(Scheme::BearerOrBasic, "Basic YTpi, Basic YTpj"), Err(Reason::CredentialAmbiguous));
}
