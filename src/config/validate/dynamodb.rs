//! The settings of what is looked up in a DynamoDB table.

use std::collections::BTreeMap;
use std::time::Duration;

use super::Check;
use crate::config::raw::{ApiKeysTable, BasicTable, DynamoDbTable, OutageName, RevocationTable};
use crate::io::{DynamoDbSettings, is_region};
use crate::verify::{ApiKeySettings, BasicSettings, DatabaseSettings, ITERATIONS, RevocationSettings};

/// The fewest characters of a pepper: of letters and digits alone, so many have more than 128 bits.
const SHORTEST_PEPPER: usize = 32;

impl Check<'_> {
    pub(super) fn database(
        &mut self,
        table: Option<DynamoDbTable>,
        api_keys: Option<ApiKeysTable>,
        basic: Option<BasicTable>,
        revocation: Option<RevocationTable>,
        has_proofs: bool,
        issuers: &[String],
    ) -> Option<DatabaseSettings> {
        let sections = [
            ("api_keys", api_keys.is_some()),
            ("basic", basic.is_some()),
            ("revocation", revocation.is_some()),
            ("dpop.replays", has_proofs),
        ];
        for (section, _) in sections.iter().filter(|(_, is_there)| *is_there && table.is_none()) {
            let hint = "add a `[dynamodb]` with the name of the `table`";
            self.problem_with_hint(*section, "there is no table in which anything could be looked up", hint);
        }
        if table.is_some() && !sections.iter().any(|(_, is_there)| *is_there) {
            let hint =
                "add `[api_keys]`, `[basic]`, `[revocation]` or `dpop.replays`, or leave `[dynamodb]` out";
            self.problem_with_hint("dynamodb", "nothing is looked up in it", hint);
        }
        let api_keys = api_keys.and_then(|settings| self.api_keys(settings, issuers));
        let of_keys = api_keys.iter().map(|settings| settings.issuer.to_string());
        let others: Vec<String> = issuers.iter().cloned().chain(of_keys).collect();
        let basic = basic.map(|settings| self.basic(settings, &others));
        let revocation = revocation.map(|settings| self.revocation(&settings));
        let (table, is_consistent, dynamodb) = self.dynamodb(table?)?;
        Some(DatabaseSettings { table, is_consistent, dynamodb, api_keys, basic, revocation, has_proofs })
    }

    fn dynamodb(&mut self, settings: DynamoDbTable) -> Option<(String, bool, DynamoDbSettings)> {
        let timeout = settings.timeout_milliseconds;
        let timeout = self.number("dynamodb.timeout_milliseconds", timeout, 2000, 100, 8000);
        let endpoint = settings.endpoint.map(|url| self.key_server("dynamodb.endpoint".to_owned(), &url));
        let is_wrong = endpoint == Some(None);
        let endpoint = endpoint.flatten();
        let connector =
            self.connector("dynamodb", settings.ca_file, settings.proxy, &BTreeMap::new(), endpoint.as_ref());
        let region = settings.region;
        if region.as_deref().is_some_and(|region| !is_region(region)) {
            self.problem_with_hint("dynamodb.region", "it is no region", "such as `eu-central-1`");
        }
        let table = settings.table.filter(|table| !table.is_empty());
        let Some(table) = table else {
            self.problem("dynamodb.table", "it is missing");
            return None;
        };
        if !is_table(&table) {
            let hint = "3 to 255 letters, digits, `-`, `_` and `.`, or the ARN of a table";
            self.problem_with_hint("dynamodb.table", format!("`{table}` is not the name of a table"), hint);
        }
        let timeout = Duration::from_millis(timeout.into());
        let dynamodb = DynamoDbSettings { region, endpoint, connector, timeout };
        (!is_wrong).then_some((table, settings.consistent_read, dynamodb))
    }

    fn api_keys(&mut self, settings: ApiKeysTable, issuers: &[String]) -> Option<ApiKeySettings> {
        let path = |name: &str| format!("api_keys.{name}");
        let lifetime = self.number(&path("lifetime_seconds"), settings.lifetime_seconds, 60, 0, 3600);
        let negative = settings.negative_lifetime_seconds;
        let negative = self.number(&path("negative_lifetime_seconds"), negative, 10, 0, 300);
        let entries = self.number(&path("entries"), settings.entries, 256, 0, 100_000);
        let issuer = self.own_issuer(path("issuer"), settings.issuer, "api-keys", issuers);
        if settings.pepper.as_ref().is_some_and(|pepper| pepper.chars().count() < SHORTEST_PEPPER) {
            let hint = "32 random characters or more, such as those of `openssl rand -base64 32`";
            self.problem_with_hint(path("pepper"), "it is too short to be a secret", hint);
        }
        let Some(prefix) = settings.prefix.filter(|prefix| !prefix.is_empty()) else {
            self.problem(path("prefix"), "it is missing");
            return None;
        };
        if !is_prefix(&prefix) {
            let hint = "2 to 32 lower-case letters, digits and `_`, a letter first";
            let message = format!("`{prefix}` is nothing that keys may begin with");
            self.problem_with_hint(path("prefix"), message, hint);
        }
        Some(ApiKeySettings {
            issuer: issuer.into(),
            prefix,
            pepper: settings.pepper.map(String::into_bytes),
            lifetime: lifetime.into(),
            negative_lifetime: negative.into(),
            entries: entries as usize,
        })
    }

    fn basic(&mut self, settings: BasicTable, issuers: &[String]) -> BasicSettings {
        let path = |name: &str| format!("basic.{name}");
        let [fewest, most] = [*ITERATIONS.start(), *ITERATIONS.end()];
        let iterations = self.number(&path("iterations"), settings.iterations, 600_000, fewest, most);
        let lifetime = self.number(&path("lifetime_seconds"), settings.lifetime_seconds, 300, 0, 3600);
        let negative = settings.negative_lifetime_seconds;
        let negative = self.number(&path("negative_lifetime_seconds"), negative, 10, 0, 300);
        let failures = self.number(&path("failures"), settings.failures, 5, 1, 100);
        let pause = self.number(&path("pause_seconds"), settings.pause_seconds, 30, 1, 3600);
        let entries = self.number(&path("entries"), settings.entries, 256, 0, 100_000);
        BasicSettings {
            issuer: self.own_issuer(path("issuer"), settings.issuer, "basic", issuers).into(),
            iterations,
            lifetime: lifetime.into(),
            negative_lifetime: negative.into(),
            failures,
            pause: pause.into(),
            entries: entries as usize,
        }
    }

    fn revocation(&mut self, settings: &RevocationTable) -> RevocationSettings {
        let lifetime = self.number("revocation.lifetime_seconds", settings.lifetime_seconds, 60, 0, 3600);
        let entries = self.number("revocation.entries", settings.entries, 1024, 0, 100_000);
        RevocationSettings {
            lifetime: lifetime.into(),
            entries: entries as usize,
            allows_on_outage: settings.on_outage == Some(OutageName::Allow),
        }
    }

    /// A name that no other issuer has: rules would take the callers of one for those of the other.
    fn own_issuer(&mut self, path: String, name: Option<String>, default: &str, others: &[String]) -> String {
        let name = name.unwrap_or_else(|| default.to_owned());
        self.exact(&path, &name);
        if others.contains(&name) {
            let hint = "rules would take the callers of one for those of the other";
            self.problem_with_hint(path, format!("`{name}` is the name of another issuer"), hint);
        }
        name
    }
}

/// No JWT begins so, and no authentication scheme is part of it.
fn is_prefix(text: &str) -> bool {
    (2..=32).contains(&text.len())
        && text.starts_with(|first: char| first.is_ascii_lowercase())
        && text.bytes().all(|byte| byte.is_ascii_lowercase() || byte.is_ascii_digit() || byte == b'_')
}

fn is_table(text: &str) -> bool {
    let is_name = |text: &str| {
        (3..=255).contains(&text.len())
            && text.bytes().all(|byte| byte.is_ascii_alphanumeric() || matches!(byte, b'-' | b'_' | b'.'))
    };
    match text.strip_prefix("arn:") {
        Some(rest) => {
            let parts: Vec<&str> = rest.splitn(5, ':').collect();
            matches!(parts.as_slice(), [_, "dynamodb", _, _, table] if table.strip_prefix("table/").is_some_and(is_name))
        }
        None => is_name(text),
    }
}
