//! Where keys come from, how their servers are reached, and how long keys are kept.

use std::path::PathBuf;

use super::*;

/// Nobody has its private key.
const AUTHORITY: &str = include_str!("../../../tests/support/package/internal-ca.pem");
/// RFC 8037, appendix A.2.
const KEYS: &str =
    r#"{"keys":[{"kty":"OKP","crv":"Ed25519","x":"11qYAYKxCrfVS_7TyWQHOg7hcvPapiMlrwIaaPcHURo"}]}"#;
const SECRET: &str = "correct-horse-battery-staple";

/// A directory with files, which goes with it.
struct Package(PathBuf);

impl Package {
    /// `name` tells it from those of other tests.
    fn with(name: &str, files: &[(&str, &str)]) -> Self {
        let directory = std::env::temp_dir().join(format!("lambda-authorizer-{name}-{}", std::process::id()));
        std::fs::create_dir_all(&directory).unwrap();
        for (name, text) in files {
            std::fs::write(directory.join(name), text).unwrap();
        }
        Self(directory)
    }

    fn parse(&self, settings: &str) -> Result<Config, ConfigError> {
        Config::parse(&format!("{ISSUER}{settings}"), Some(&self.0))
    }

    /// The only problem with these settings.
    fn problem(&self, settings: &str) -> Problem {
        let error = self.parse(settings).err().unwrap_or_else(|| panic!("it is refused: {settings}"));
        assert_eq!(error.problems().len(), 1, "{error}");
        error.problems()[0].clone()
    }
}

impl Drop for Package {
    fn drop(&mut self) {
        let _gone = std::fs::remove_dir_all(&self.0);
    }
}

fn nothing() -> Package {
    Package(PathBuf::from("/nowhere"))
}

fn dated(issuer: &str) -> String {
    KeySetFile::text(issuer, 1_800_000_000, KEYS.as_bytes()).unwrap()
}

/// What looks like another name, or means it only after Unicode has mapped it, is never asked for keys.
#[test]
fn a_host_name_is_ascii_and_an_international_one_in_punycode() {
    let from = |host: &str| nothing().parse(&format!("jwks_uri = 'https://{host}/keys'"));
    for ascii in ["login.example.com", "LOGIN.example.com", "xn--mnchen-3ya.example", "%6cogin.example.com"] {
        let config = from(ascii).unwrap();
        let KeySetSource::Url(url) = &config.issuers[0].source else { panic!("{ascii}") };
        assert!(url.host_str().unwrap().is_ascii(), "{url}");
    }
    for other in [
        "m\u{fc}nchen.example",
        "l\u{43e}gin.example.com",
        "\u{ff4c}ogin.example.com",
        "login.example\u{3002}com",
        "lo\u{ad}gin.example.com",
        "%c3%bc.example",
    ] {
        let error = from(other).err().unwrap_or_else(|| panic!("it is refused: {other}"));
        assert_eq!(paths(&error), ["issuer[0].jwks_uri"], "{other}");
    }
    let hint = nothing().problem("jwks_uri = 'https://m\u{fc}nchen.example/keys'").hint.unwrap();
    assert!(hint.contains("xn--"), "{hint}");
    assert_eq!(nothing().problem("jwks_uri = 'https://'").hint, None);
}

/// Rule K1.
#[test]
fn keys_come_over_https_or_in_development_from_loopback() {
    let with = |development: bool, uri: &str| {
        Config::parse(&format!("development = {development}\n{ISSUER}jwks_uri = '{uri}'"), None).is_ok()
    };
    assert!(with(false, "https://keys.example.com/"));
    assert!(!with(true, "http://keys.example.com/"));
    assert!(!with(true, "file:///etc/keys.json"));
    for loopback in ["http://127.0.0.1:9/", "http://[::1]/", "http://localhost:8080/keys"] {
        assert!(with(true, loopback) && !with(false, loopback), "{loopback}");
    }
    assert!(!with(true, "http://127.0.0.1.example.com/"));
}

#[test]
fn one_issuer_has_one_key_set() {
    let both = format!("{ISSUER}jwks_uri = 'https://a.example/'\njwks_file = 'keys.json'");
    assert_eq!(paths(&problems(&both)), ["issuer[0].jwks_file"]);
    assert_eq!(paths(&problems(&format!("{ISSUER}{ISSUER}"))), ["issuer[1].url"]);
    assert_eq!(paths(&problems(&format!("{ISSUER}jwks_file = 'missing.json'"))), ["issuer[0].jwks_file"]);
}

#[test]
fn authorities_are_certificates_of_a_file() {
    let key = "-----BEGIN PRIVATE KEY-----\nY29ycmVjdCBob3JzZQ==\n-----END PRIVATE KEY-----\n";
    let files = [
        ("ca.pem", AUTHORITY),
        ("empty.pem", ""),
        ("text.pem", "correct horse"),
        ("key.pem", key),
        ("both.pem", &format!("{AUTHORITY}{key}")),
    ];
    let package = Package::with("authorities", &files);
    assert!(package.parse("ca_file = 'ca.pem'").is_ok());
    assert!(package.parse("ca_file = './ca.pem'\njwks_uri = 'https://keys.example.com/'").is_ok());
    for (file, message) in [
        ("empty.pem", "it holds no certificates in PEM form"),
        ("text.pem", "it holds no certificates in PEM form"),
        ("key.pem", "it holds a private key"),
        ("both.pem", "it holds a private key"),
        ("missing.pem", "cannot be read"),
        ("", "cannot be read"),
    ] {
        let problem = package.problem(&format!("ca_file = '{file}'"));
        assert_eq!(problem.path, "issuer[0].ca_file");
        assert!(problem.message.contains(message) && problem.message.contains(file), "{problem}");
        assert!(problem.hint.is_some() && !problem.to_string().contains("Y29ycmVjdCBob3JzZQ"), "{problem}");
    }
}

#[test]
fn a_proxy_is_not_quoted_when_it_is_none() {
    assert!(nothing().parse(&format!("proxy = 'http://user:{SECRET}@proxy.example:3128'")).is_ok());
    for proxy in [
        format!("user:{SECRET}@proxy.example:3128"),
        format!("socks5://user:{SECRET}@proxy.example:1080"),
        format!("http://user:{SECRET}@"),
        String::new(),
    ] {
        let problem = nothing().problem(&format!("proxy = '{proxy}'"));
        assert_eq!(problem.path, "issuer[0].proxy");
        assert!(problem.hint.is_some() && !problem.to_string().contains("horse"), "{problem}");
    }
}

#[test]
fn header_fields_are_not_quoted_when_they_cannot_be_sent() {
    for headers in ["{}", &format!("{{ x-api-key = '{SECRET}', Authorization = 'Bearer {SECRET}' }}")] {
        assert!(nothing().parse(&format!("headers = {headers}")).is_ok(), "{headers}");
    }
    for (headers, named) in [
        (format!("{{ host = '{SECRET}' }}"), "host"),
        (format!("{{ Accept-Encoding = '{SECRET}' }}"), "Accept-Encoding"),
        (format!("{{ proxy-authorization = 'Basic {SECRET}' }}"), "proxy-authorization"),
        (format!("{{ 'x api key' = '{SECRET}' }}"), "x api key"),
        (format!("{{ '' = '{SECRET}' }}"), "``"),
        (format!("{{ x-api-key = '{SECRET}', X-Api-Key = 'other' }}"), "twice"),
        (format!("{{ x-api-key = \"{SECRET}\\r\\nhost: a\" }}"), "x-api-key"),
        (format!("{{ x-api-key = \"{SECRET}\\u0000\" }}"), "x-api-key"),
    ] {
        let problem = nothing().problem(&format!("headers = {headers}"));
        assert_eq!(problem.path, "issuer[0].headers");
        assert!(problem.message.contains(named) && problem.hint.is_some(), "{problem}");
        assert!(!problem.to_string().contains("horse"), "{problem}");
    }
}

/// The parser would quote what it found instead of a string.
#[test]
fn header_fields_of_another_type_are_not_quoted_either() {
    for headers in ["{ x-api-key = 7142536475 }", "'x-api-key: 7142536475'", "['7142536475']", "7142536475"] {
        let problem = nothing().problem(&format!("headers = {headers}"));
        assert_eq!(problem.path, "issuer[0].headers");
        assert!(!problem.to_string().contains("7142536475"), "{problem}");
    }
    // A syntax error names its line, and no more of it.
    let problem = nothing().problem("headers = { x-api-key = '7142536475 }");
    assert!(problem.path.starts_with("line ") && !problem.to_string().contains("7142536475"), "{problem}");
}

#[test]
fn keys_of_a_file_that_is_never_fetched_need_no_way_to_a_server() {
    let package = Package::with("fixed", &[("keys.json", KEYS), ("ca.pem", AUTHORITY)]);
    assert!(package.parse("jwks_file = 'keys.json'").is_ok());
    for setting in [
        "ca_file = 'ca.pem'",
        "proxy = 'http://proxy.example:3128'",
        "headers = { x-api-key = 'correct-horse-battery-staple' }",
    ] {
        let problem = package.problem(&format!("jwks_file = 'keys.json'\n{setting}"));
        assert_eq!(problem.path, format!("issuer[0].{}", setting.split_once(' ').unwrap().0));
        assert!(problem.hint.is_some() && !problem.to_string().contains("horse"), "{problem}");
        assert!(package.parse(setting).is_ok(), "{setting}");
    }
    assert!(package.parse("jwks_file = 'keys.json'\nheaders = {}").is_ok());
}

#[test]
fn keys_for_the_start_are_dated_and_of_this_issuer() {
    let ours = dated("https://login.example.com/");
    let others = dated("https://login.example.net/");
    let files =
        [("ours.json", &*ours), ("others.json", &*others), ("undated.json", KEYS), ("text.json", "keys")];
    let package = Package::with("initial", &files);
    for beside in ["", "jwks_uri = 'https://keys.example.com/'"] {
        let config = package.parse(&format!("initial_jwks_file = 'ours.json'\n{beside}")).unwrap();
        let initial = config.issuers[0].initial.as_ref().expect("its keys are read");
        assert!((initial.fetched_at - 1_800_000_000.0).abs() < f64::EPSILON);
    }
    for (file, message) in [
        ("others.json", "https://login.example.net/"),
        ("undated.json", "fetched_at"),
        ("text.json", "text.json"),
        ("missing.json", "cannot be read"),
    ] {
        let problem = package.problem(&format!("initial_jwks_file = '{file}'"));
        assert_eq!(problem.path, "issuer[0].initial_jwks_file");
        assert!(problem.message.contains(message) && problem.hint.is_some(), "{problem}");
    }
    let both = package.problem("jwks_file = 'ours.json'\ninitial_jwks_file = 'ours.json'");
    assert_eq!(both.path, "issuer[0].initial_jwks_file");
}

#[test]
fn times_have_their_ranges() {
    for (setting, allowed, refused) in [
        ("timeout_milliseconds", [100, 8000], [99, 8001]),
        ("init_milliseconds", [0, 8000], [-1, 8001]),
        ("lifetime_seconds", [60, 86_400], [59, 86_401]),
        ("shortest_lifetime_seconds", [60, 600], [59, 601]),
        ("stale_if_error_seconds", [0, 604_800], [-1, 604_801]),
        ("cooldown_seconds", [1, 300], [0, 301]),
        ("initial_max_age_seconds", [3600, 7_776_000], [3599, 7_776_001]),
    ] {
        for value in allowed {
            // A shorter lifetime takes a shorter cool-down with it.
            let parsed = nothing().parse(&format!("[key_set]\n{setting} = {value}"));
            assert!(parsed.is_ok(), "{setting} = {value}: {}", parsed.err().unwrap());
        }
        for value in refused {
            let problem = nothing().problem(&format!("[key_set]\n{setting} = {value}"));
            assert_eq!(problem.path, format!("key_set.{setting}"), "{value}");
        }
    }
}

#[test]
fn remembered_tokens_are_limited() {
    let limits = |toml: &str| nothing().parse(toml).unwrap().token_cache;
    assert_eq!(limits(""), TokenCacheLimits { entries: 256, bytes: 1_000_000, lifetime: 300.0 });
    let all = "[token_cache]\nentries = 5\nkilobytes = 20\nlifetime_seconds = 60";
    assert_eq!(limits(all), TokenCacheLimits { entries: 5, bytes: 20_000, lifetime: 60.0 });
    assert_eq!(limits("[token_cache]\nentries = 0").entries, 0);
    for (setting, allowed, refused) in [
        ("entries", [0, 100_000], [-1, 100_001]),
        ("kilobytes", [1, 1_000_000], [0, 1_000_001]),
        ("lifetime_seconds", [1, 86_400], [0, 86_401]),
    ] {
        let toml = |value: i64| format!("[token_cache]\n{setting} = {value}");
        for value in allowed {
            assert!(nothing().parse(&toml(value)).is_ok(), "{setting} = {value}");
        }
        for value in refused {
            let problem = nothing().problem(&toml(value));
            assert_eq!(problem.path, format!("token_cache.{setting}"), "{value}");
        }
    }
}

#[test]
fn times_are_what_they_are_set_to() {
    let config = nothing().parse("").unwrap();
    assert_eq!((config.waits.init, config.timing.timeout), (Duration::from_secs(1), Duration::from_secs(3)));
    let seconds = |timing: &Timing| {
        [timing.lifetime, timing.shortest_lifetime, timing.stale, timing.initial_age].map(whole)
    };
    assert_eq!(seconds(&config.timing), [600, 300, 86_400, 604_800]);
    let config = nothing()
        .parse(
            "[key_set]
            init_milliseconds = 0
            lifetime_seconds = 120
            stale_if_error_seconds = 0
            initial_max_age_seconds = 3600",
        )
        .unwrap();
    assert_eq!(config.waits.init, Duration::ZERO);
    // The shortest lifetime is no longer than the longest.
    assert_eq!(seconds(&config.timing), [120, 120, 0, 3600]);
    let config = nothing().parse("[key_set]\nshortest_lifetime_seconds = 60").unwrap();
    assert_eq!(seconds(&config.timing), [600, 60, 86_400, 604_800]);
}

fn whole(seconds: f64) -> u64 {
    Duration::from_secs_f64(seconds).as_secs()
}

/// It counts towards the shortest lifetime, which nothing else extends.
#[test]
fn a_cool_down_does_not_extend_the_shortest_lifetime() {
    let with = |cooldown: u64| {
        let times = format!("shortest_lifetime_seconds = 60\ncooldown_seconds = {cooldown}");
        nothing().parse(&format!("[key_set]\n{times}"))
    };
    assert!(with(60).is_ok());
    assert_eq!(paths(&with(61).err().unwrap()), ["key_set.cooldown_seconds"]);
}

/// What is fetched from is shown in logs.
#[test]
fn a_password_is_no_part_of_a_url() {
    for (setting, path) in [
        ("url = 'https://user:s3cret@login.example.com/'", "issuer[0].url"),
        (
            "url = 'https://login.example.com/'\njwks_uri = 'https://s3cret@keys.example.com/'",
            "issuer[0].jwks_uri",
        ),
    ] {
        let error = problems(&format!("[[issuer]]\naudience = 'a'\n{setting}"));
        assert_eq!(paths(&error), [path]);
        assert!(!error.to_string().contains("s3cret"), "{error}");
    }
}
