//! Who the function is to AWS: its region, its credentials, and the signature of a request (Signature Version 4).

use std::fmt;
use std::net::Ipv4Addr;
use std::path::PathBuf;
use std::sync::{Mutex as StdMutex, PoisonError};
use std::time::{Duration, UNIX_EPOCH};

use aws_credential_types::Credentials;
use aws_sigv4::http_request::{SignableBody, SignableRequest, SigningSettings, sign};
use aws_sigv4::sign::v4::SigningParams;
use serde::Deserialize;
use tokio::sync::Mutex;
use url::{Host, Url};

use super::clock::parse_rfc3339;
use super::{Connector, Edges, Effort, Message, UnixTime, read_file};

/// What the environment of a function says of AWS.
#[derive(Clone, Debug)]
pub struct AwsEnvironment {
    pub(super) region: Option<String>,
    source: Source,
}

/// Where the credentials are.
#[derive(Clone, Debug)]
enum Source {
    /// In the environment: Lambda ends the process before they do.
    Fixed(Credentials),
    /// At an endpoint, which has new ones before the old ones end: Lambda with SnapStart, and Managed Instances.
    Endpoint(Url, Token),
    /// Nowhere, and why.
    Missing(&'static str),
}

/// By what the endpoint knows the function.
#[derive(Clone)]
enum Token {
    Fixed(Option<String>),
    /// Read for each question: who writes it may replace it.
    File(PathBuf),
}

impl fmt::Debug for Token {
    fn fmt(&self, formatter: &mut fmt::Formatter<'_>) -> fmt::Result {
        formatter.write_str("Token(…)")
    }
}

impl AwsEnvironment {
    /// That of this very process.
    #[must_use]
    #[expect(clippy::disallowed_methods, reason = "this is the environment's edge")]
    pub fn of_this_process() -> Self {
        Self::of(|name| std::env::var(name).ok())
    }

    /// That of these variables. Keys come before an endpoint, as in AWS's own clients.
    #[must_use]
    pub fn of(variable: impl Fn(&str) -> Option<String>) -> Self {
        let given = |name| variable(name).filter(|value: &String| !value.is_empty());
        let keys = given("AWS_ACCESS_KEY_ID").zip(given("AWS_SECRET_ACCESS_KEY"));
        let source = match (keys, given("AWS_CONTAINER_CREDENTIALS_FULL_URI")) {
            (Some((id, secret)), _) => {
                Source::Fixed(Credentials::new(id, secret, given("AWS_SESSION_TOKEN"), None, "environment"))
            }
            (None, Some(url)) => match Url::parse(&url).ok().filter(may_be_told) {
                None => Source::Missing("`AWS_CONTAINER_CREDENTIALS_FULL_URI` is no URL that may be asked"),
                Some(url) => Source::Endpoint(
                    url,
                    match given("AWS_CONTAINER_AUTHORIZATION_TOKEN_FILE") {
                        Some(file) => Token::File(file.into()),
                        None => Token::Fixed(given("AWS_CONTAINER_AUTHORIZATION_TOKEN")),
                    },
                ),
            },
            (None, None) => {
                Source::Missing("neither `AWS_ACCESS_KEY_ID` nor `AWS_CONTAINER_CREDENTIALS_FULL_URI` is set")
            }
        };
        Self { region: given("AWS_REGION").or_else(|| given("AWS_DEFAULT_REGION")), source }
    }
}

/// Whether credentials may come from there, as AWS's own clients see it: over TLS, or from this very machine.
fn may_be_told(url: &Url) -> bool {
    const CONTAINERS: [Ipv4Addr; 2] = [Ipv4Addr::new(169, 254, 170, 2), Ipv4Addr::new(169, 254, 170, 23)];
    let is_near = match url.host() {
        Some(Host::Ipv4(address)) => address.is_loopback() || CONTAINERS.contains(&address),
        Some(Host::Ipv6(address)) => address.is_loopback(),
        Some(Host::Domain(name)) => name == "localhost",
        None => false,
    };
    url.scheme() == "https" || (url.scheme() == "http" && is_near)
}

/// The credentials that are good now.
pub(super) struct Credentialed {
    source: Source,
    held: StdMutex<Option<Held>>,
    /// One question at a time.
    flight: Mutex<()>,
    edges: Edges,
}

#[derive(Clone)]
struct Held {
    credentials: Credentials,
    ends_at: UnixTime,
    /// When new ones are asked for.
    renewed_at: UnixTime,
}

/// In seconds. Lambda has new ones by then.
const RENEWED_BEFORE: f64 = 300.0;

/// In seconds: how long after a failure those that are still good are used without asking again.
const PAUSE: f64 = 10.0;

const PATIENCE: Duration = Duration::from_secs(1);

impl Credentialed {
    pub(super) fn new(environment: &AwsEnvironment, edges: Edges) -> Self {
        Self {
            source: environment.source.clone(),
            held: StdMutex::default(),
            flight: Mutex::default(),
            edges,
        }
    }

    /// Credentials that have not ended, or why there are none.
    pub(super) async fn current(&self, patience: Duration) -> Result<Credentials, String> {
        let (url, token) = match &self.source {
            Source::Fixed(credentials) => return Ok(credentials.clone()),
            Source::Missing(why) => return Err((*why).to_owned()),
            Source::Endpoint(url, token) => (url, token),
        };
        let is_good = |held: &Held, now| now < held.renewed_at && now < held.ends_at;
        if let Some(held) = self.held().filter(|held| is_good(held, self.edges.clock.now())) {
            return Ok(held.credentials);
        }
        let _only_one = self.flight.lock().await;
        let now = self.edges.clock.now();
        if let Some(held) = self.held().filter(|held| is_good(held, now)) {
            return Ok(held.credentials);
        }
        match (self.ask(url, token, patience).await, self.held()) {
            (Ok(new), _) => {
                let credentials = new.credentials.clone();
                self.hold(Some(new));
                Ok(credentials)
            }
            // What is held is good until its end.
            (Err(_), Some(held)) if now < held.ends_at => {
                self.hold(Some(Held { renewed_at: now + PAUSE, ..held.clone() }));
                Ok(held.credentials)
            }
            (Err(cause), _) => Err(cause),
        }
    }

    /// Forgets credentials that AWS does not take: the next request asks for new ones.
    pub(super) fn are_refused(&self) {
        self.hold(None);
    }

    fn held(&self) -> Option<Held> {
        self.held.lock().unwrap_or_else(PoisonError::into_inner).clone()
    }

    fn hold(&self, held: Option<Held>) {
        *self.held.lock().unwrap_or_else(PoisonError::into_inner) = held;
    }

    async fn ask(&self, url: &Url, token: &Token, patience: Duration) -> Result<Held, String> {
        let headers = match token {
            Token::Fixed(token) => token.clone(),
            Token::File(path) => {
                let bytes = read_file(path)
                    .map_err(|error| format!("the token of the credentials' endpoint: {error}"))?;
                let text = String::from_utf8(bytes).map_err(|_| "the token is not UTF-8".to_owned())?;
                Some(text.trim_end().to_owned())
            }
        };
        let headers = headers.map(|token| ("authorization".to_owned(), token)).into_iter().collect();
        let effort = Effort { limit: PATIENCE.min(patience), tries_again: false };
        let session = self.edges.fetch.session(&Connector::default(), effort);
        let reply = session.exchange(Message { url: url.clone(), headers, body: None }).await;
        let reply = reply.map_err(|error| format!("credentials: {error}"))?;
        if reply.status != 200 {
            return Err(format!("credentials: their endpoint answered with status {}", reply.status));
        }
        // The error of the parser might quote what it read.
        let answer: Answer = serde_json::from_slice(&reply.body)
            .map_err(|_| "credentials: their endpoint's answer holds none".to_owned())?;
        let ends_at = parse_rfc3339(&answer.expiration)
            .ok_or_else(|| "credentials: it cannot be told when they end".to_owned())?;
        let Answer { access_key_id, secret_access_key, token, .. } = answer;
        let credentials = Credentials::new(access_key_id, secret_access_key, token, None, "endpoint");
        Ok(Held { credentials, ends_at, renewed_at: ends_at - RENEWED_BEFORE })
    }
}

#[derive(Deserialize)]
#[serde(rename_all = "PascalCase")]
struct Answer {
    access_key_id: String,
    secret_access_key: String,
    token: Option<String>,
    expiration: String,
}

/// The header fields that sign a `POST` of this body, these fields included.
///
/// `None` where it cannot be signed: a secret that is no secret, a region that is none.
pub(super) fn signed(
    url: &Url,
    mut headers: Vec<(String, String)>,
    body: &str,
    (region, service): (&str, &str),
    credentials: &Credentials,
    now: UnixTime,
) -> Option<Vec<(String, String)>> {
    let identity = credentials.clone().into();
    let params = SigningParams::builder()
        .identity(&identity)
        .region(region)
        .name(service)
        .time(UNIX_EPOCH + Duration::try_from_secs_f64(now).ok()?)
        .settings(SigningSettings::default())
        .build()
        .ok()?
        .into();
    let named = headers.iter().map(|(name, value)| (name.as_str(), value.as_str()));
    let request =
        SignableRequest::new("POST", url.as_str(), named, SignableBody::Bytes(body.as_bytes())).ok()?;
    let (instructions, _) = sign(request, &params).ok()?.into_parts();
    let added: Vec<_> =
        instructions.headers().map(|(name, value)| (name.to_owned(), value.to_owned())).collect();
    headers.extend(added);
    Some(headers)
}

#[cfg(test)]
mod tests {
    use std::sync::Arc;
    use std::sync::atomic::{AtomicUsize, Ordering};

    use super::*;
    use crate::io::{Answer, Clock, ExchangeFuture, FetchError, Line, RawAnswer};

    /// An endpoint with credentials that end a quarter of an hour after they were asked for, and the clock.
    #[derive(Default)]
    struct Endpoint {
        now: StdMutex<f64>,
        asked: AtomicUsize,
        is_down: StdMutex<bool>,
        token: StdMutex<String>,
    }

    impl Clock for Line<Endpoint> {
        fn now(&self) -> UnixTime {
            1_800_000_000.0 + *self.0.now.lock().unwrap()
        }

        fn elapsed(&self) -> Duration {
            Duration::ZERO
        }
    }

    impl Answer for Endpoint {
        fn answer(&self, message: Message) -> ExchangeFuture<'_> {
            Box::pin(async move {
                assert_eq!(message.url.as_str(), "http://127.0.0.1:9001/credentials");
                let [(name, value)] = message.headers.as_slice() else { panic!("one header field") };
                assert_eq!(name, "authorization");
                *self.token.lock().unwrap() = value.clone();
                let number = self.asked.fetch_add(1, Ordering::Relaxed);
                if *self.is_down.lock().unwrap() {
                    return Err(FetchError::Transport("refused".to_owned()));
                }
                let expiration = crate::io::rfc3339(1_800_000_000.0 + *self.now.lock().unwrap() + 900.0);
                let body = format!(
                    r#"{{"AccessKeyId":"ID{number}","SecretAccessKey":"s","Token":"t","Expiration":"{expiration}"}}"#
                );
                Ok(RawAnswer { status: 200, body: body.into_bytes() })
            })
        }
    }

    fn environment(variables: &[(&str, &str)]) -> AwsEnvironment {
        AwsEnvironment::of(|name| {
            variables.iter().find(|(known, _)| *known == name).map(|(_, value)| (*value).to_owned())
        })
    }

    fn credentialed(variables: &[(&str, &str)]) -> (Arc<Endpoint>, Credentialed) {
        let endpoint = Arc::new(Endpoint::default());
        let line = || Arc::new(Line(Arc::clone(&endpoint)));
        let edges = Edges { fetch: line(), clock: line(), ..Edges::of_this_machine() };
        (endpoint, Credentialed::new(&environment(variables), edges))
    }

    const FULL_URI: (&str, &str) =
        ("AWS_CONTAINER_CREDENTIALS_FULL_URI", "http://127.0.0.1:9001/credentials");

    async fn id(credentialed: &Credentialed) -> Result<String, String> {
        credentialed.current(PATIENCE).await.map(|held| held.access_key_id().to_owned())
    }

    #[tokio::test]
    async fn credentials_of_an_endpoint_are_renewed_before_they_end() {
        let (endpoint, held) = credentialed(&[FULL_URI, ("AWS_CONTAINER_AUTHORIZATION_TOKEN", "tok")]);
        for (now, expected) in [(0.0, "ID0"), (599.0, "ID0"), (600.0, "ID1"), (1199.0, "ID1")] {
            *endpoint.now.lock().unwrap() = now;
            assert_eq!(id(&held).await.as_deref(), Ok(expected), "{now}");
        }
        assert_eq!(*endpoint.token.lock().unwrap(), "tok");
        // While the endpoint is down, they serve to their end, and are not asked for at each request.
        *endpoint.is_down.lock().unwrap() = true;
        for (now, asked) in [(1200.0, 3), (1205.0, 3), (1210.0, 4), (1499.0, 5)] {
            *endpoint.now.lock().unwrap() = now;
            assert_eq!(id(&held).await.as_deref(), Ok("ID1"), "{now}");
            assert_eq!(endpoint.asked.load(Ordering::Relaxed), asked, "{now}");
        }
        *endpoint.now.lock().unwrap() = 1500.0;
        assert_eq!(id(&held).await, Err("credentials: the request failed: refused".to_owned()));
        *endpoint.is_down.lock().unwrap() = false;
        assert!(id(&held).await.is_ok());
    }

    #[tokio::test]
    async fn credentials_that_are_refused_are_asked_for_again() {
        let (_, held) = credentialed(&[FULL_URI, ("AWS_CONTAINER_AUTHORIZATION_TOKEN", "tok")]);
        assert_eq!(id(&held).await.as_deref(), Ok("ID0"));
        held.are_refused();
        assert_eq!(id(&held).await.as_deref(), Ok("ID1"));
    }

    #[tokio::test]
    async fn keys_of_the_environment_come_first_and_cost_no_question() {
        let keys = [("AWS_ACCESS_KEY_ID", "AKID"), ("AWS_SECRET_ACCESS_KEY", "correct horse")];
        let (endpoint, held) = credentialed(&[keys[0], keys[1], FULL_URI]);
        assert_eq!(id(&held).await.as_deref(), Ok("AKID"));
        assert_eq!(endpoint.asked.load(Ordering::Relaxed), 0);
        let shown = format!("{:?}", environment(&[keys[0], keys[1], ("AWS_SESSION_TOKEN", "battery")]));
        assert!(!shown.contains("horse") && !shown.contains("battery"), "{shown}");
        let (_, none) = credentialed(&[keys[0]]);
        assert!(id(&none).await.unwrap_err().starts_with("neither "));
    }

    /// Whoever can set a variable must not send the token, or take the credentials, elsewhere in the clear.
    #[tokio::test]
    async fn credentials_come_from_this_machine_or_over_tls() {
        for (url, is_asked) in [
            ("http://127.0.0.1:9001/credentials", true),
            ("http://[::1]:9001/", true),
            ("http://localhost/", true),
            ("http://169.254.170.2/v2/credentials", true),
            ("https://credentials.example.com/", true),
            ("http://169.254.169.254/", false),
            ("http://credentials.example.com/", false),
            ("http://localhost.example.com/", false),
            ("ftp://127.0.0.1/", false),
            ("credentials", false),
        ] {
            let found = environment(&[("AWS_CONTAINER_CREDENTIALS_FULL_URI", url)]);
            assert_eq!(matches!(found.source, Source::Endpoint(..)), is_asked, "{url}");
        }
    }

    /// `get-vanilla` of AWS's test suite has no body; this is the same by hand: the parts of the header are what AWS looks at.
    #[test]
    fn a_request_is_signed_for_its_region_and_its_service() {
        let credentials = Credentials::new("AKID", "secret", Some("token".to_owned()), None, "test");
        let url = "https://dynamodb.eu-central-1.amazonaws.com/".parse().unwrap();
        let headers = vec![("x-amz-target".to_owned(), "DynamoDB_20120810.GetItem".to_owned())];
        let place = ("eu-central-1", "dynamodb");
        let signed = |body| super::signed(&url, headers.clone(), body, place, &credentials, 1_800_000_000.0);
        let found = signed("{}").unwrap();
        let value =
            |name: &str| found.iter().find(|(known, _)| known == name).map(|(_, value)| value.as_str());
        assert_eq!(value("x-amz-date"), Some("20270115T080000Z"));
        assert_eq!(value("x-amz-security-token"), Some("token"));
        let authorization = value("authorization").unwrap();
        let start = "AWS4-HMAC-SHA256 Credential=AKID/20270115/eu-central-1/dynamodb/aws4_request, \
                     SignedHeaders=host;x-amz-date;x-amz-security-token;x-amz-target, Signature=";
        assert!(authorization.starts_with(start), "{authorization}");
        assert_ne!(signed("{ }").unwrap(), found, "the body is signed, too");
    }
}
