//! DPoP proofs (RFC 9449, section 4): a JWT of the client, made for one request and one token, with the key that the token is
//! bound to.

use aws_lc_rs::digest::{SHA256, digest};
use base64::Engine as _;
use base64::engine::general_purpose::URL_SAFE_NO_PAD;
use serde_json::{Map, Value};
use url::Url;

use super::signature;
use super::token::Token;
use crate::claims::Claims;
use crate::error::Reason;
use crate::io::UnixTime;
use crate::jwks::{Algorithm, Key, thumbprint};
use crate::request::{EventKind, Request};

/// What the proofs for an issuer's tokens must be like.
#[derive(Clone, Debug, PartialEq)]
pub struct DpopProofs {
    /// The algorithms that clients may sign with.
    pub algorithms: Vec<Algorithm>,
    /// How long ago a proof may have been made, in seconds.
    pub lifetime: f64,
    /// The URL of the API as clients know it, up to where the paths of its routes begin; `None` where it is as the event
    /// tells.
    pub url: Option<Url>,
}

/// A proof that holds. Only [`verify`] makes one.
#[derive(Debug)]
pub(super) struct Proof {
    /// Of the key that made it (RFC 7638).
    pub(super) thumbprint: String,
    /// `jti`.
    pub(super) id: String,
    /// When it is too old.
    pub(super) ends_at: UnixTime,
}

/// The header of a proof.
const HEADER: &str = "DPoP";

/// A proof of the size of a token's key and of what is asked for.
const LONGEST_PROOF: usize = 8 * 1024;

/// Longer than any identifier that is drawn by lot.
const LONGEST_ID: usize = 256;

/// Checks the request's proof as RFC 9449, section 4.3, has it. A nonce is not asked for: an authorizer cannot send the header
/// that would give one to the client.
pub(super) fn verify(
    request: &Request,
    access_token: &str,
    expected: &DpopProofs,
    leeway: f64,
    now: UnixTime,
) -> Result<Proof, Reason> {
    let proof = request.headers.header(HEADER).map_err(|_| invalid("there are several"))?;
    let proof = proof.ok_or(Reason::DpopProofMissing)?;
    if proof.len() > LONGEST_PROOF {
        return Err(invalid("it is too long"));
    }
    let mut token = Token::parse(proof).map_err(|_| invalid("it is not a signed JWT"))?;
    if token.media_type() != Some("dpop+jwt") {
        return Err(invalid("its `typ` is not `dpop+jwt`"));
    }
    let algorithm = token.algorithm().filter(|algorithm| expected.algorithms.contains(algorithm));
    let algorithm = algorithm.ok_or(invalid("its algorithm is not allowed"))?;
    let (key, thumbprint) = key(token.take_own_key())?;
    let signed = signature::verify(token, &key, algorithm)
        .map_err(|_| invalid("its signature is not of the key in its header"))?;
    let claims = signed.claims();
    if text(claims, "htm") != request.arn.method().or(Some("GET")) {
        return Err(invalid("`htm` is not the method of this request"));
    }
    url(text(claims, "htu"), request, expected)?;
    let issued_at = claims.named("iat").and_then(Value::as_f64).ok_or(invalid("it has no `iat`"))?;
    let ends_at = issued_at + expected.lifetime + leeway;
    // NaN compares as false: a limit is stated as what must hold.
    if !(issued_at <= now + leeway && now < ends_at) {
        return Err(invalid("`iat` is too long ago, or in the future"));
    }
    if text(claims, "ath") != Some(&*URL_SAFE_NO_PAD.encode(digest(&SHA256, access_token.as_bytes()))) {
        return Err(invalid("`ath` is not the digest of this token"));
    }
    let id = text(claims, "jti").filter(|id| (1..=LONGEST_ID).contains(&id.len()));
    Ok(Proof { thumbprint, id: id.ok_or(invalid("it has no usable `jti`"))?.to_owned(), ends_at })
}

/// The public key in the header, and its thumbprint.
fn key(jwk: Option<Value>) -> Result<(Key, String), Reason> {
    const NO_KEY: Reason = invalid("its header holds no public key that can be used");
    /// RFC 9449, section 4.3: whoever shows the private key has none.
    const PRIVATE: [&str; 7] = ["d", "p", "q", "dp", "dq", "qi", "k"];
    let Some(Value::Object(jwk)) = jwk else { return Err(NO_KEY) };
    if PRIVATE.iter().any(|member| jwk.contains_key(*member)) {
        return Err(invalid("its header holds a private key"));
    }
    let thumbprint = thumbprint(&jwk).ok_or(NO_KEY)?;
    Ok((public_key(&jwk).ok_or(NO_KEY)?, thumbprint))
}

fn public_key(jwk: &Map<String, Value>) -> Option<Key> {
    Key::parse(&serde_json::to_string(jwk).ok()?).ok()
}

/// Whether the proof is for the URL that was asked for, its query aside (RFC 9449, section 4.3, point 9).
fn url(htu: Option<&str>, request: &Request, expected: &DpopProofs) -> Result<(), Reason> {
    let asked = match &expected.url {
        Some(base) => Some(of_base(base, request)),
        None => of_event(request),
    };
    let asked = asked.ok_or(invalid("the event does not tell the URL, and `dpop.url` is not set"))?;
    let own = htu.and_then(|htu| Url::parse(htu).ok());
    match own.is_some_and(|own| Target::of(&own, request.kind) == Target::of(&asked, request.kind)) {
        true => Ok(()),
        false => Err(invalid("`htu` is not the URL of this request")),
    }
}

fn of_event(request: &Request) -> Option<Url> {
    let (host, path) = (request.url.host.as_deref()?, request.url.path.as_deref()?);
    // What would end the host is in no host: API Gateway has found the API by it.
    if host.contains(['/', '?', '#', '@', '\\']) || !path.starts_with('/') {
        return None;
    }
    let mut url = Url::parse(&format!("https://{host}/")).ok()?;
    url.set_path(path);
    Some(url)
}

/// The route of the request behind the URL of the API. That of a WebSocket API is its URL itself.
fn of_base(base: &Url, request: &Request) -> Url {
    let mut url = base.clone();
    if request.kind != EventKind::WebSocket {
        let path = [base.path().trim_end_matches('/'), request.arn.path()].concat();
        url.set_path(&path);
    }
    url
}

/// What of a URL is compared, written in one way (RFC 3986, section 6.2).
#[derive(PartialEq)]
struct Target {
    origin: (String, String, Option<u16>),
    path: String,
}

impl Target {
    fn of(url: &Url, kind: EventKind) -> Self {
        // A WebSocket is opened by a request of HTTP, and clients say the one or the other.
        let scheme = match url.scheme() {
            "wss" if kind == EventKind::WebSocket => "https",
            "ws" if kind == EventKind::WebSocket => "http",
            scheme => scheme,
        };
        // A URL with a user in it is none that API Gateway is asked for.
        let user = if url.username().is_empty() && url.password().is_none() { "" } else { "@" };
        let host = [user, url.host_str().unwrap_or_default()].concat();
        let origin = (scheme.to_owned(), host, url.port_or_known_default());
        Self { origin, path: in_one_way(url.path()) }
    }
}

/// The path without needless escapes, and the others in capitals.
fn in_one_way(path: &str) -> String {
    let mut written = String::with_capacity(path.len());
    let mut rest = path;
    while let Some((before, after)) = rest.split_once('%') {
        written.push_str(before);
        let escaped = after.get(..2).and_then(|digits| u8::from_str_radix(digits, 16).ok());
        match escaped {
            Some(byte) if byte.is_ascii_alphanumeric() || b"-._~".contains(&byte) => {
                written.push(byte.into())
            }
            Some(byte) => written.push_str(&format!("%{byte:02X}")),
            None => written.push('%'),
        }
        rest = if escaped.is_some() { after.get(2..).unwrap_or_default() } else { after };
    }
    written.push_str(rest);
    written
}

fn text<'a>(claims: &'a Claims, name: &str) -> Option<&'a str> {
    claims.named(name).and_then(Value::as_str)
}

const fn invalid(problem: &'static str) -> Reason {
    Reason::DpopProofInvalid { problem }
}
