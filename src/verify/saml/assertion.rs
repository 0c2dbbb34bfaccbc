//! What a signed assertion says (SAML 2.0 core, section 2), as far as it is asked.

use super::ASSERTION;
use super::xml::{Element, Problem};
use crate::io::{UnixTime, parse_rfc3339};

/// An assertion, read.
pub(super) struct Assertion {
    pub(super) id: String,
    pub(super) issuer: String,
    pub(super) issued_at: UnixTime,
    pub(super) name: Option<Name>,
    pub(super) confirmations: Vec<Confirmation>,
    pub(super) conditions: Conditions,
    pub(super) authentication: Option<Authentication>,
    /// By name, each once.
    pub(super) attributes: Vec<(String, Values)>,
}

/// The values of an attribute, of one that is there several times all of them; `None` where one is no text.
pub(super) type Values = Option<Vec<String>>;

/// `NameID`.
pub(super) struct Name {
    pub(super) text: String,
    pub(super) format: Option<String>,
}

/// `SubjectConfirmation`, with its data.
pub(super) struct Confirmation {
    pub(super) method: String,
    pub(super) recipient: Option<String>,
    pub(super) address: Option<String>,
    pub(super) not_before: Option<UnixTime>,
    pub(super) not_on_or_after: Option<UnixTime>,
}

/// `Conditions`.
#[derive(Default)]
pub(super) struct Conditions {
    pub(super) not_before: Option<UnixTime>,
    pub(super) not_on_or_after: Option<UnixTime>,
    /// Each restriction, by its audiences: all of them hold, and of each one audience.
    pub(super) audiences: Vec<Vec<String>>,
    pub(super) one_time_use: bool,
    /// Whether there is one that nobody here knows.
    pub(super) has_unknown: bool,
}

/// `AuthnStatement`.
pub(super) struct Authentication {
    pub(super) at: UnixTime,
    pub(super) ends_at: Option<UnixTime>,
    pub(super) context: Option<String>,
}

impl Assertion {
    /// Reads the assertion that is the root of what was signed.
    pub(super) fn read(root: Element<'_>) -> Result<Self, Problem> {
        if !root.is(ASSERTION, "Assertion") || root.attribute("Version") != Some("2.0") {
            return Err("it is no assertion of SAML 2.0");
        }
        let issuer = issuer(root)?;
        let subject = root.only(ASSERTION, "Subject", "it has several subjects")?;
        let conditions = root.only(ASSERTION, "Conditions", "it has several `Conditions`")?;
        let mut statements = Vec::new();
        for statement in root.named(ASSERTION, "AuthnStatement") {
            statements.push(Authentication::read(statement)?);
        }
        // The one that was made last, and no session outlives its end.
        let ends_at = statements.iter().filter_map(|statement| statement.ends_at).reduce(f64::min);
        let authentication =
            statements.into_iter().reduce(|one, other| if other.at > one.at { other } else { one });
        let mut confirmations = Vec::new();
        for confirmation in subject.iter().flat_map(|subject| subject.named(ASSERTION, "SubjectConfirmation"))
        {
            confirmations.push(Confirmation::read(confirmation)?);
        }
        Ok(Self {
            id: root.needed("ID", "the assertion has no `ID`")?.to_owned(),
            issuer,
            issued_at: time(root, "IssueInstant")?.ok_or("it has no `IssueInstant`")?,
            name: subject.map(Name::read).transpose()?.flatten(),
            confirmations,
            conditions: conditions.map(Conditions::read).transpose()?.unwrap_or_default(),
            authentication: authentication.map(|statement| Authentication { ends_at, ..statement }),
            attributes: attributes(root)?,
        })
    }
}

/// `Issuer`, which is an entity's ID unless it says that it is something else (core, section 2.2.5).
pub(super) fn issuer(root: Element<'_>) -> Result<String, Problem> {
    let issuer = root.only(ASSERTION, "Issuer", "it has several issuers")?.ok_or("it has no issuer")?;
    match issuer.attribute("Format") {
        None | Some("urn:oasis:names:tc:SAML:2.0:nameid-format:entity") => issuer.text(),
        Some(_) => Err("its issuer is not named by an entity's ID"),
    }
}

impl Name {
    fn read(subject: Element<'_>) -> Result<Option<Self>, Problem> {
        const ENCRYPTED: Problem = "its subject is encrypted, or named otherwise than by a `NameID`";
        if ["EncryptedID", "BaseID"].iter().any(|name| subject.named(ASSERTION, name).next().is_some()) {
            return Err(ENCRYPTED);
        }
        let Some(name) = subject.only(ASSERTION, "NameID", "its subject has several names")? else {
            return Ok(None);
        };
        let format = name.attribute("Format").map(str::to_owned);
        Ok(Some(Self { text: name.text()?, format }))
    }
}

impl Confirmation {
    fn read(element: Element<'_>) -> Result<Self, Problem> {
        let method = element.attribute("Method").unwrap_or_default().to_owned();
        let data =
            element.only(ASSERTION, "SubjectConfirmationData", "it is confirmed in several ways at once")?;
        let text = |name| data.and_then(|data| data.attribute(name)).map(str::to_owned);
        let time = |name| data.map(|data| time(data, name)).transpose().map(Option::flatten);
        Ok(Self {
            method,
            recipient: text("Recipient"),
            address: text("Address"),
            not_before: time("NotBefore")?,
            not_on_or_after: time("NotOnOrAfter")?,
        })
    }
}

impl Conditions {
    /// A condition that is not understood leaves it open whether the assertion is valid (core, section 2.5.1.1), and it must not be
    /// relied upon then.
    fn read(element: Element<'_>) -> Result<Self, Problem> {
        let mut conditions = Self {
            not_before: time(element, "NotBefore")?,
            not_on_or_after: time(element, "NotOnOrAfter")?,
            ..Self::default()
        };
        for condition in element.children() {
            if condition.is(ASSERTION, "AudienceRestriction") {
                let audiences: Result<Vec<_>, _> =
                    condition.named(ASSERTION, "Audience").map(|audience| audience.text()).collect();
                conditions.audiences.push(audiences?);
            } else if condition.is(ASSERTION, "OneTimeUse") {
                conditions.one_time_use = true;
            } else if !condition.is(ASSERTION, "ProxyRestriction") {
                // A restriction of proxies is about assertions that are made because of this one.
                conditions.has_unknown = true;
            }
        }
        Ok(conditions)
    }
}

impl Authentication {
    fn read(statement: Element<'_>) -> Result<Self, Problem> {
        let at = time(statement, "AuthnInstant")?.ok_or("an `AuthnStatement` has no `AuthnInstant`")?;
        let ends_at = time(statement, "SessionNotOnOrAfter")?;
        let context = statement.only(ASSERTION, "AuthnContext", "it has several authentication contexts")?;
        const SEVERAL: Problem = "it has several classes of authentication";
        let class =
            context.map(|context| context.only(ASSERTION, "AuthnContextClassRef", SEVERAL)).transpose()?;
        Ok(Self { at, ends_at, context: class.flatten().map(|class| class.text()).transpose()? })
    }
}

fn attributes(root: Element<'_>) -> Result<Vec<(String, Values)>, Problem> {
    let mut found: Vec<(String, Values)> = Vec::new();
    let statements = root.named(ASSERTION, "AttributeStatement");
    for attribute in statements.flat_map(|statement| statement.named(ASSERTION, "Attribute")) {
        let name = attribute.needed("Name", "an attribute has no `Name`")?;
        // One that holds elements is no text, and its text alone would say something else.
        let values = attribute.named(ASSERTION, "AttributeValue").map(|value| value.text().ok());
        let values: Values = values.collect();
        match found.iter_mut().find(|(known, _)| known == name) {
            Some((_, known)) => {
                *known = known.take().zip(values).map(|(known, values)| [known, values].concat());
            }
            None => found.push((name.to_owned(), values)),
        }
    }
    Ok(found)
}

/// `xs:dateTime`, which SAML writes in UTC (core, section 1.3.3).
pub(super) fn time(element: Element<'_>, name: &str) -> Result<Option<UnixTime>, Problem> {
    let parsed = |text: &str| {
        parse_rfc3339(text).ok_or("it has a time that is none in UTC, such as `2026-11-30T08:00:00Z`")
    };
    element.attribute(name).map(parsed).transpose()
}
