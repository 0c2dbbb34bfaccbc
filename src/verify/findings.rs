//! [`Findings`]: what was found in the table of credentials that hold a secret, whole ones, and each for its time.

use super::answers::Answers;
use super::explain::Explanation;
use super::records::Record;
use super::verified_tokens::TokenDigest;
use crate::claims::Claims;
use crate::error::Reason;
use crate::io::{UnixTime, rfc3339};

/// What is known of a whole credential, its secret included.
#[derive(Clone, Debug, PartialEq)]
pub(super) enum Finding {
    /// Its secret is the one that is stored.
    Known(Record),
    /// It is not, whether or not something is stored under its name.
    Unknown { has_item: bool },
}

/// How one kind of credential calls what is wrong with it.
pub(super) struct Words {
    pub(super) unknown: fn(bool) -> Reason,
    pub(super) disabled: Reason,
    pub(super) expired: fn(UnixTime, UnixTime) -> Reason,
    /// What the first check is called, what it wants, and what is there where only the name is right.
    pub(super) name: &'static str,
    pub(super) wanted: &'static str,
    pub(super) another_secret: &'static str,
}

/// A bounded number of them.
pub(super) struct Findings {
    good: Answers<Finding>,
    /// Apart: whoever guesses without end must not push the good ones out.
    others: Answers<Finding>,
    lifetime: f64,
    negative_lifetime: f64,
}

impl Findings {
    /// Room for so many good ones and as many others, which are known for so many seconds.
    pub(super) fn new(entries: usize, lifetime: f64, negative_lifetime: f64) -> Self {
        let [good, others] = [(); 2].map(|()| Answers::new(entries));
        Self { good, others, lifetime, negative_lifetime }
    }

    pub(super) fn find(&self, digest: TokenDigest, now: UnixTime) -> Option<Finding> {
        self.good.find(digest, now).or_else(|| self.others.find(digest, now))
    }

    /// A good one never beyond its expiry.
    pub(super) fn keep(&self, digest: TokenDigest, finding: &Finding, now: UnixTime, words: &Words) {
        match finding {
            Finding::Known(record) if finding.refusal(now, words).is_none() => {
                let end = record.expires_at.unwrap_or(f64::INFINITY).min(now + self.lifetime);
                self.good.keep(digest, finding.clone(), end, now);
            }
            Finding::Known(_) | Finding::Unknown { .. } => {
                self.others.keep(digest, finding.clone(), now + self.negative_lifetime, now);
            }
        }
    }
}

impl Finding {
    /// Of what is stored under the credential's name, and whether the secret is that one.
    pub(super) fn new(record: Option<Record>, is_right: bool) -> Self {
        match record {
            Some(record) if is_right => Self::Known(record),
            record => Self::Unknown { has_item: record.is_some() },
        }
    }

    /// Why it lets nobody in; `None` where it does.
    pub(super) fn refusal(&self, now: UnixTime, words: &Words) -> Option<Reason> {
        self.checks(now, words).into_iter().find_map(Result::err)
    }

    /// What is asked, in this order: nobody learns anything of a credential whose secret he does not have.
    fn checks(&self, now: UnixTime, words: &Words) -> [Result<(), Reason>; 3] {
        let record = match self {
            Self::Known(record) => record,
            Self::Unknown { has_item } => return [Err((words.unknown)(*has_item)), Ok(()), Ok(())],
        };
        let disabled = if record.is_disabled { Err(words.disabled.clone()) } else { Ok(()) };
        let expired = match record.ended_at(now) {
            Some(expired_at) => Err((words.expired)(expired_at, now)),
            None => Ok(()),
        };
        [Ok(()), disabled, expired]
    }

    pub(super) fn claims(&self) -> Claims {
        match self {
            Self::Known(record) => record.claims.clone(),
            Self::Unknown { .. } => Claims::default(),
        }
    }

    /// What is there for each of the checks.
    fn shown(&self, words: &Words) -> [Option<String>; 3] {
        match self {
            Self::Known(record) => [
                Some("there".to_owned()),
                Some(record.is_disabled.to_string()),
                record.expires_at.map(rfc3339),
            ],
            Self::Unknown { has_item } => [has_item.then(|| words.another_secret.to_owned()), None, None],
        }
    }
}

/// Every check of a credential of this size, as far as anything is known of it.
pub(super) fn explain(
    (wanted, size, form): (String, usize, Result<(), Reason>),
    finding: Option<&Finding>,
    now: UnixTime,
    words: &Words,
) -> Explanation {
    let claims = finding.map(Finding::claims).filter(|claims| *claims != Claims::default());
    let mut explanation = Explanation::of_claims(claims.as_ref());
    explanation.add("form", wanted, Some(format!("{size} bytes")), form);
    let checks = [
        (words.name, words.wanted),
        ("disabled", "not disabled"),
        ("expires_at", "later than now, or no end"),
    ];
    match finding {
        None => checks.into_iter().for_each(|(name, wanted)| explanation.add_open(name, wanted)),
        Some(finding) => {
            let said = finding.shown(words).into_iter().zip(finding.checks(now, words));
            for ((name, wanted), (found, verdict)) in checks.into_iter().zip(said) {
                explanation.add(name, wanted, found, verdict);
            }
        }
    }
    explanation
}
