//! What is to be accepted: the rules of `docs/configuration.md` and of the RFCs written down a second
//! time, from their description and not from the code.

use serde_json::Value;
use serde_json::value::RawValue;
use url::Url;

use crate::possession::LIFETIME;
use crate::{AUDIENCE, ISSUER, KEY_ID, LEEWAY, NOW, json};

/// How deep arrays and objects may stand in each other.
const DEEPEST: usize = 32;

/// Whether the token is of a size that is looked at.
pub fn size(token: &str) -> bool {
    token.len() <= 16 * 1024
}

/// Whether a token of the issuer's key may have this header.
pub fn header(bytes: &[u8]) -> bool {
    let Some(members) = json::object(bytes, DEEPEST) else { return false };
    let media_type = |name: &str| {
        let text = members.get(name).map(|value| value.as_str().map(str::to_ascii_lowercase));
        text.map(|text| text.map(|text| text.strip_prefix("application/").unwrap_or(&text).to_owned()))
    };
    let is_one_of = |found: Option<Option<String>>, names: &[&str]| {
        found.is_none_or(|found| found.is_some_and(|found| names.contains(&found.as_str())))
    };
    members.get("alg").is_some_and(|name| name == "EdDSA" || name == "Ed25519")
        && members.get("kid").is_none_or(|id| id == KEY_ID)
        && is_one_of(media_type("typ"), &["jwt", "at+jwt"])
        && media_type("cty").is_none_or(|found| found.is_some_and(|found| found != "jwt"))
        && ["crit", "b64", "zip", "enc"].iter().all(|name| !members.contains_key(*name))
}

/// Whether these claims say that they are an access token that is meant for us, now.
pub fn claims(bytes: &[u8]) -> bool {
    let Some(members) = json::object(bytes, DEEPEST) else { return false };
    // A claim that is `null` is not there.
    let kind = |name: &str| members.get(name).filter(|kind| !kind.is_null());
    let is_none_of = |name: &str, kinds: &[&str]| {
        kind(name).is_none_or(|kind| {
            kind.as_str().is_some_and(|kind| !kinds.contains(&&*kind.to_ascii_lowercase()))
        })
    };
    whoever_sends_them(bytes, "aud")
        && members.get("sub").is_some_and(|subject| subject != "")
        && ["nonce", "at_hash", "c_hash", "s_hash", "events"].iter().all(|name| kind(name).is_none())
        && kind("token_use").is_none_or(|kind| kind == "access")
        && is_none_of("typ", &["id", "refresh", "offline", "logout"])
        && is_none_of("tokenName", &["id_token", "refresh_token"])
        && is_none_of("token_type", &["id", "id_token", "refresh", "refresh_token"])
}

/// Whether these claims say what those of every profile have to say, and `audience` for whom.
pub fn whoever_sends_them(bytes: &[u8], audience: &str) -> bool {
    let Some(members) = json::object(bytes, DEEPEST) else { return false };
    let is_ours = match members.get(audience) {
        Some(Value::Array(audiences)) if audience == "aud" => {
            audiences.iter().all(Value::is_string) && audiences.iter().any(|one| one == AUDIENCE)
        }
        found => found.is_some_and(|one| one == AUDIENCE),
    };
    // A date before 1970 or from the year 10000 on is none.
    let date = |name: &str| {
        let date = members.get(name).map(Value::as_f64);
        date.map(|date| date.filter(|date| (0.0..253_402_300_800.0).contains(date)))
    };
    let is_text = |name: &&str| members.get(*name).is_none_or(|text| text.is_string() || text.is_null());
    is_ours
        && members.get("iss").is_some_and(|issuer| issuer == ISSUER)
        && date("exp").flatten().is_some_and(|expires| NOW < expires + LEEWAY)
        && date("nbf").is_none_or(|date| date.is_some_and(|from| from <= NOW + LEEWAY))
        && date("iat").is_none_or(|date| date.is_some())
        && ["jti", "client_id", "azp"].iter().all(is_text)
        && members.get("sub").is_none_or(Value::is_string)
        && !members.contains_key("cnf")
}

/// Whether these claims are of a proof for the request of [`possession`](crate::possession), and the token with this `ath`.
pub fn proof(bytes: &[u8], ath: &str) -> bool {
    let Some(members) = json::object(bytes, DEEPEST) else { return false };
    let text = |name: &str| members.get(name).and_then(Value::as_str).unwrap_or_default();
    let issued_at = members.get("iat").and_then(Value::as_f64);
    text("htm") == "GET"
        && is_asked_for(text("htu"))
        && text("ath") == ath
        && (1..=256).contains(&text("jti").len())
        && issued_at.is_some_and(|at| at <= NOW + LEEWAY && NOW < at + LIFETIME + LEEWAY)
}

/// Whether it is the URL of the request, in whatever spelling (RFC 9449, section 4.3; RFC 3986, section 6.2).
fn is_asked_for(url: &str) -> bool {
    let Ok(url) = Url::parse(url) else { return false };
    let has_nobody = url.username().is_empty() && url.password().is_none();
    let is_there =
        url.scheme() == "https" && url.port().is_none() && url.host_str() == Some("api.example.com");
    has_nobody && is_there && plain(url.path().as_bytes()) == b"/v1/orders/7"
}

/// Without the escapes of letters, digits and four others, which need none.
fn plain(path: &[u8]) -> Vec<u8> {
    let mut plain = Vec::new();
    let mut place = 0;
    while let Some(byte) = path.get(place) {
        let digits = path.get(place + 1..place + 3).filter(|_| *byte == b'%');
        let digits = digits.filter(|digits| digits.iter().all(u8::is_ascii_hexdigit));
        let escaped =
            digits.and_then(|digits| u8::from_str_radix(std::str::from_utf8(digits).ok()?, 16).ok());
        match escaped.filter(|byte| byte.is_ascii_alphanumeric() || b"-._~".contains(byte)) {
            Some(byte) => {
                plain.push(byte);
                place += 3;
            }
            None => {
                plain.push(*byte);
                place += 1;
            }
        }
    }
    plain
}

/// The members of `keys`, if the bytes are a JSON object that has one such array.
pub fn members(bytes: &[u8]) -> Option<Vec<String>> {
    let named = json::named(bytes)?;
    let mut arrays = named.iter().filter(|(name, _)| name == "keys");
    let (Some((_, array)), None) = (arrays.next(), arrays.next()) else { return None };
    items(array.get().strip_prefix('[')?.strip_suffix(']')?.as_bytes())
}

/// The items of an array that the bytes are the inside of.
pub fn items(bytes: &[u8]) -> Option<Vec<String>> {
    let array = [b"[", bytes, b"]"].concat();
    let items: Vec<&RawValue> = serde_json::from_slice(&array).ok()?;
    Some(items.into_iter().map(|item| item.get().to_owned()).collect())
}

/// Whether the rules of [`RULES`] open this route to a caller with the scope `orders:read`.
pub fn is_open(arn: &str) -> bool {
    let mut parts = arn.splitn(4, '/').skip(2);
    match (parts.next(), parts.next()) {
        (Some("$connect"), None) | (Some("GET"), Some("orders" | "orders/")) => true,
        (Some("GET"), Some(path)) => path.strip_prefix("orders/").is_some_and(|below| {
            let is_plain = |one: &str| !["", ".", ".."].contains(&one) && !is_encoded(one);
            below.strip_suffix('/').unwrap_or(below).split('/').all(is_plain)
        }),
        _ => false,
    }
}

/// Whether somebody may read a slash or a dot where there is none.
fn is_encoded(segment: &str) -> bool {
    let segment = segment.to_ascii_lowercase();
    segment.contains("%2f") || segment.contains("%2e")
}

/// The rules of [`is_open`].
pub const RULES: &str = "
[[rule]]
name = 'read orders'
routes = ['GET /orders', 'GET /orders/**', '$connect']
requires = { scope = 'orders:read' }

[[rule]]
name = 'write orders'
routes = ['POST /orders']
requires = { scope = 'orders:write' }
";
