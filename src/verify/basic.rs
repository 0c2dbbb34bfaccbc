//! A name and a password (RFC 7617), checked against PBKDF2 of the password.
//!
//! A password can be guessed. So each check is made to cost, failures are counted, and what is known costs nothing.

use std::num::NonZeroU32;
use std::ops::RangeInclusive;
use std::sync::Arc;
use std::time::Duration;

use aws_lc_rs::constant_time::verify_slices_are_equal;
use aws_lc_rs::digest::SHA256_OUTPUT_LEN;
use aws_lc_rs::pbkdf2::{PBKDF2_HMAC_SHA256, derive};
use tokio::sync::Mutex;

use super::Presented;
use super::credential_verifier::{Asked, CredentialVerifier, Identity, Verification};
use super::database::Table;
use super::explain::{Explain, Explanation};
use super::failures::Failures;
use super::findings::{self, Finding, Findings, Words};
use super::flights::{Failure, Flights};
use super::records::{Fields, Record};
use super::verified_tokens::TokenDigest;
use crate::credential::UserPass;
use crate::error::{Error, Fault, Reason, Rejection};
use crate::io::{Item, UnixTime};

/// How names and passwords are checked.
pub struct BasicSettings {
    /// What rules and logs call who vouches for the users.
    pub issuer: Arc<str>,
    /// How often the hash of a password is hashed again, for a name that nobody has.
    pub iterations: u32,
    /// How long a name and its password are used without checking them again, in seconds. Never beyond the user's expiry.
    pub lifetime: f64,
    /// How long it is known of those that are wrong, in seconds.
    pub negative_lifetime: f64,
    /// After so many failures in a row, a name is not checked for a while.
    pub failures: u32,
    /// How long, in seconds, from the latest failure on.
    pub pause: f64,
    /// How many of each are known, and of how many names failures are counted.
    pub entries: usize,
}

/// How often a hash may be hashed again: less can be guessed, more would take longer than API Gateway waits.
pub const ITERATIONS: RangeInclusive<u32> = 100_000..=2_000_000;

/// Checks names and passwords, and knows them for a while.
pub(super) struct Basic {
    settings: BasicSettings,
    table: Arc<Table>,
    findings: Findings,
    failures: Failures,
    flights: Flights,
    /// One password at a time: several would each take a core for as long.
    work: Mutex<()>,
}

/// A name and a password as they were sent. Secret, so that nothing shows them.
struct Pair {
    name: String,
    password: String,
}

/// What came of looking.
enum Looked {
    /// So much is known now.
    Found(Finding),
    /// Nobody has looked. That is no refusal: API Gateway would keep it, for a password that may be right.
    Throttled { until: UnixTime },
}

/// What is stored of a password.
struct StoredPassword {
    salt: Vec<u8>,
    iterations: u32,
    hash: [u8; SHA256_OUTPUT_LEN],
}

const WORDS: Words = Words {
    unknown: |has_item| Reason::UserUnknown { has_item },
    disabled: Reason::UserDisabled,
    expired: |expired_at, now| Reason::UserExpired { expired_at, now },
    name: "user",
    wanted: "a user of that name and that password",
    another_secret: "another password",
};

impl Basic {
    pub(super) fn new(settings: BasicSettings, table: Arc<Table>) -> Self {
        let findings = Findings::new(settings.entries, settings.lifetime, settings.negative_lifetime);
        let failures = Failures::new(settings.failures, settings.pause, settings.entries);
        let (flights, work) = (Flights::default(), Mutex::default());
        Self { settings, table, findings, failures, flights, work }
    }

    async fn identity(
        &self,
        presented: Presented<'_>,
        now: UnixTime,
        patience: Duration,
    ) -> Result<Identity, Error> {
        let pair = Pair::parse(presented.token())?;
        let digest = TokenDigest::of(presented.token());
        let known = || self.findings.find(digest, now).map(Looked::Found);
        let ask = self.look_up(pair, digest, now, patience);
        let looked = self.flights.answer(digest, (now, patience), known, ask).await;
        let finding = match looked.map_err(|cause| self.table.fault(cause))? {
            Looked::Found(finding) => finding,
            Looked::Throttled { until } => return Err(Fault::BasicThrottled { until, now }.into()),
        };
        match finding.refusal(now, &WORDS) {
            Some(reason) => {
                let issuer = Some(Arc::clone(&self.settings.issuer));
                Err(Rejection { reason, issuer, key_id: None }.into())
            }
            None => Ok(Identity { key_id: None, claims: finding.claims() }),
        }
    }

    async fn look_up(
        &self,
        pair: Pair,
        digest: TokenDigest,
        now: UnixTime,
        patience: Duration,
    ) -> Result<Looked, Failure> {
        let _only_one = self.work.lock().await;
        let user = TokenDigest::of(&pair.name);
        if let Some(until) = self.failures.pause(user, now) {
            return Ok(Looked::Throttled { until });
        }
        let item = self.table.item(&user_key(&pair.name), patience).await?;
        // Whoever has such a name does not keep others from theirs.
        let found = item.map(|item| stored(&item, &pair.name)).transpose();
        let found = found.map_err(|cause| Failure::unusable(&cause))?;
        // Before it is known: an attempt that nobody waits for to its end is one, too.
        self.failures.count(user, now);
        let finding = self.compare(pair, found).await?;
        if let Finding::Known(_) = &finding {
            self.failures.forget(user);
        }
        self.findings.keep(digest, &finding, now, &WORDS);
        Ok(Looked::Found(finding))
    }

    /// It takes the same time where nobody has the name, as far as the user has as many iterations as the configuration says.
    async fn compare(&self, pair: Pair, found: Option<(StoredPassword, Record)>) -> Result<Finding, String> {
        let (stored, record) = found.unzip();
        let stored = stored.unwrap_or_else(|| StoredPassword {
            salt: DECOY.to_vec(),
            iterations: self.settings.iterations,
            hash: DECOY,
        });
        let StoredPassword { salt, iterations, hash: expected } = stored;
        // On a thread of its own: this one has a deadline to keep.
        let hashing = tokio::task::spawn_blocking(move || password_hash(&pair.password, &salt, iterations));
        let hash = hashing.await.map_err(|_| "the password could not be hashed".to_owned())?;
        let is_right = verify_slices_are_equal(&hash, &expected).is_ok();
        Ok(Finding::new(record, is_right))
    }
}

impl CredentialVerifier for Basic {
    fn is_meant(&self, presented: &Presented<'_>) -> bool {
        presented.is_basic()
    }

    /// The user whose name it is, if the password is his.
    fn verify<'a>(&'a self, asked: Asked<'a>) -> Verification<'a> {
        Box::pin(self.identity(asked.presented, asked.now, asked.patience))
    }
}

impl Explain for Basic {
    fn explain(&self, asked: &Asked<'_>) -> Explanation {
        let (text, now) = (asked.presented.token(), asked.now);
        let finding = self.findings.find(TokenDigest::of(text), now);
        let wanted = "a name, a colon and a password, in base64".to_owned();
        let form = Pair::parse(text).map(drop);
        findings::explain((wanted, text.len(), form), finding.as_ref(), now, &WORDS)
    }
}

/// What a password is compared with where nobody has the name.
const DECOY: [u8; SHA256_OUTPUT_LEN] = [0; SHA256_OUTPUT_LEN];

/// The key of a user's item.
#[must_use]
pub fn user_key(name: &str) -> String {
    format!("user#{name}")
}

/// What is stored in place of a password: PBKDF2-HMAC-SHA-256 of it (RFC 8018, section 5.2).
#[must_use]
pub fn password_hash(password: &str, salt: &[u8], iterations: u32) -> [u8; SHA256_OUTPUT_LEN] {
    let mut hash = [0; SHA256_OUTPUT_LEN];
    let iterations = NonZeroU32::new(iterations).unwrap_or(NonZeroU32::MAX);
    derive(PBKDF2_HMAC_SHA256, iterations, salt, password.as_bytes(), &mut hash);
    hash
}

/// The longest that anybody types, in base64.
const LONGEST: usize = 2048;

/// In bytes: a key of DynamoDB's has at most 2048.
const LONGEST_NAME: usize = 256;

impl Pair {
    fn parse(text: &str) -> Result<Self, Reason> {
        if text.len() > LONGEST {
            return Err(Reason::CredentialMalformed);
        }
        let UserPass { user: name, password } = UserPass::decode(text)?;
        let is_named = (1..=LONGEST_NAME).contains(&name.len());
        is_named.then_some(Self { name, password }).ok_or(Reason::CredentialMalformed)
    }
}

/// What the item of a user holds.
fn stored(item: &Item, name: &str) -> Result<(StoredPassword, Record), String> {
    let fields = Fields { item, what: format!("user `{name}`") };
    let password = StoredPassword {
        salt: fields.bytes("salt")?,
        iterations: fields.number("iterations", *ITERATIONS.start(), *ITERATIONS.end())?,
        hash: fields.hash("hash")?,
    };
    let subject = fields.text("owner")?.unwrap_or(name);
    Ok((password, Record::of(&fields, subject, None)?))
}
