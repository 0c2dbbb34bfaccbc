//! The members that are used, as they stand in the JSON.

use std::borrow::Cow;
use std::fmt;
use std::marker::PhantomData;
use std::net::IpAddr;

use serde::Deserialize;
use serde::de::{Deserializer, IgnoredAny, MapAccess, SeqAccess, Visitor};
use serde_json::value::RawValue;

use super::malformed;
use crate::arn::MethodArn;
use crate::error::Fault;
use crate::request::{
    ClientCertificate, EventKind, Parameters, RequestUrl, StageVariables, without_white_space,
};

/// The top level of every kind of event.
#[derive(Deserialize)]
pub(super) struct Envelope<'a> {
    #[serde(borrow, rename = "type", default)]
    pub(super) kind: Option<Cow<'a, str>>,
    #[serde(default)]
    pub(super) version: Option<Cow<'a, str>>,
    #[serde(rename = "methodArn", default)]
    pub(super) method_arn: Option<Cow<'a, str>>,
    #[serde(rename = "routeArn", default)]
    pub(super) route_arn: Option<Cow<'a, str>>,
    #[serde(rename = "authorizationToken", default)]
    pub(super) authorization_token: Option<String>,
    #[serde(rename = "httpMethod", default)]
    pub(super) http_method: Option<Cow<'a, str>>,
    #[serde(default)]
    pub(super) resource: Option<String>,
    #[serde(rename = "routeKey", default)]
    pub(super) route_key: Option<String>,
    #[serde(default)]
    headers: Named<String>,
    #[serde(rename = "multiValueHeaders", default)]
    multi_value_headers: Named<List>,
    #[serde(rename = "queryStringParameters", default)]
    query_string_parameters: Named<String>,
    #[serde(rename = "multiValueQueryStringParameters", default)]
    multi_value_query_string_parameters: Named<List>,
    #[serde(default)]
    cookies: List,
    #[serde(borrow, rename = "stageVariables", default)]
    stage_variables: Option<&'a RawValue>,
    #[serde(borrow, rename = "requestContext", default)]
    request_context: Option<&'a RawValue>,
    #[serde(skip)]
    pub(super) context: RequestContext,
}

/// `requestContext`.
#[derive(Default, Deserialize)]
pub(super) struct RequestContext {
    #[serde(rename = "requestId", default)]
    pub(super) request_id: Option<String>,
    #[serde(rename = "connectionId", default)]
    pub(super) connection_id: Option<String>,
    #[serde(rename = "eventType", default)]
    pub(super) event_type: Option<String>,
    #[serde(rename = "domainName", default)]
    domain_name: Option<String>,
    #[serde(default)]
    path: Option<String>,
    #[serde(default)]
    stage: Option<String>,
    #[serde(default)]
    identity: Option<Client>,
    #[serde(default)]
    http: Option<Client>,
    #[serde(default)]
    authentication: Option<Client>,
}

/// `requestContext.identity`, and in payload format 2.0 `requestContext.http` and `requestContext.authentication`.
#[derive(Default, Deserialize)]
struct Client {
    #[serde(rename = "sourceIp", default)]
    source_ip: Option<String>,
    #[serde(default)]
    path: Option<String>,
    #[serde(rename = "clientCert", default)]
    certificate: Option<Certificate>,
}

/// `clientCert`.
#[derive(Default, Deserialize)]
struct Certificate {
    #[serde(rename = "clientCertPem", default)]
    pem: Option<String>,
    #[serde(rename = "subjectDN", default)]
    subject: Option<String>,
    #[serde(rename = "issuerDN", default)]
    issuer: Option<String>,
    #[serde(rename = "serialNumber", default)]
    serial_number: Option<String>,
    #[serde(default)]
    validity: Option<Validity>,
}

/// `clientCert.validity`.
#[derive(Default, Deserialize)]
struct Validity {
    #[serde(rename = "notBefore", default)]
    not_before: Option<String>,
    #[serde(rename = "notAfter", default)]
    not_after: Option<String>,
}

impl From<Certificate> for ClientCertificate {
    fn from(certificate: Certificate) -> Self {
        let Certificate { pem, subject, issuer, serial_number, validity } = certificate;
        let Validity { not_before, not_after } = validity.unwrap_or_default();
        let [pem, subject, issuer, serial_number, not_before, not_after] =
            [pem, subject, issuer, serial_number, not_before, not_after]
                .map(|member| member.filter(|text| !text.is_empty()));
        Self { pem, subject, issuer, serial_number, not_before, not_after }
    }
}

impl RequestContext {
    /// The client's address. One that is none is none: what asks for an address then is not met.
    pub(super) fn source_ip(&self) -> Option<IpAddr> {
        let mut clients = [&self.http, &self.identity].into_iter().flatten();
        clients.find_map(|client| client.source_ip.as_deref())?.parse().ok()
    }

    /// Takes out the certificate that API Gateway has verified the client by.
    pub(super) fn client_certificate(&mut self) -> Option<Box<ClientCertificate>> {
        let clients = [&mut self.identity, &mut self.authentication].into_iter().flatten();
        let mut certificates =
            clients.filter_map(|client| client.certificate.take()).map(ClientCertificate::from);
        certificates.find(|certificate| !certificate.is_empty()).map(Box::new)
    }

    /// Takes out the URL by which the client came. A WebSocket event does not tell the path: at the API's own domain it is
    /// the stage.
    pub(super) fn url(&mut self, headers: &Parameters, kind: EventKind) -> RequestUrl {
        let header = || headers.header("Host").ok().flatten().map(str::to_owned);
        let of_http = self.http.as_mut().and_then(|http| http.path.take());
        let of_stage = || self.stage.as_ref().map(|stage| format!("/{stage}"));
        let path = of_http.or_else(|| self.path.take());
        RequestUrl {
            host: self.domain_name.take().or_else(header),
            path: if kind == EventKind::WebSocket { of_stage() } else { path },
        }
    }
}

impl<'a> Envelope<'a> {
    /// Reads the top level. What fails says where in the form, never what stood there.
    pub(super) fn decode(payload: &'a str) -> Result<Self, Fault> {
        // A derived struct would also be read from an array, by position.
        if !payload.trim_start().starts_with('{') {
            return Err(malformed("the event is not a JSON object"));
        }
        let mut envelope: Self = serde_json::from_str(payload)
            .map_err(|_| malformed("the event is not JSON, or a member has the wrong type or comes twice"))?;
        envelope.context = match envelope.request_context.map(RawValue::get) {
            None | Some("null") => RequestContext::default(),
            Some(object) if object.starts_with('{') => serde_json::from_str(object)
                .map_err(|_| malformed("a member of `requestContext` has the wrong type or comes twice"))?,
            Some(_) => return Err(malformed("`requestContext` is not an object")),
        };
        for member in [
            &mut envelope.version,
            &mut envelope.method_arn,
            &mut envelope.route_arn,
            &mut envelope.http_method,
        ] {
            member.take_if(|text| text.is_empty());
        }
        for member in [&mut envelope.context.connection_id, &mut envelope.context.event_type] {
            member.take_if(|text| text.is_empty());
        }
        Ok(envelope)
    }

    /// Whether this is the opening of a WebSocket connection.
    pub(super) fn is_connection(&self) -> bool {
        let names_connect = || {
            self.http_method.is_none()
                && self
                    .method_arn
                    .as_deref()
                    .and_then(|arn| arn.parse::<MethodArn>().ok())
                    .is_some_and(|arn| arn.is_connect())
        };
        self.context.connection_id.is_some()
            || self.context.event_type.as_deref() == Some("CONNECT")
            || names_connect()
    }

    /// Takes the headers out.
    pub(super) fn headers(&mut self) -> Parameters {
        parameters(&mut self.headers, &mut self.multi_value_headers)
    }

    /// Takes the query parameters out.
    pub(super) fn query(&mut self) -> Parameters {
        parameters(&mut self.query_string_parameters, &mut self.multi_value_query_string_parameters)
    }

    /// The stage variables, which are not looked into before somebody asks.
    pub(super) fn stage_variables(&self) -> StageVariables {
        StageVariables::of_json(self.stage_variables.map(RawValue::get))
    }

    /// Takes the cookies out of the member of payload format 2.0.
    pub(super) fn cookies(&mut self) -> Parameters {
        Parameters::new(self.cookies.0.iter().filter_map(|cookie| cookie_pair(cookie)).collect())
    }
}

/// The cookies of the `Cookie` headers (RFC 6265, section 4.2.1). HTTP/2 clients may send several.
pub(super) fn cookies_of(headers: &Parameters) -> Parameters {
    let is_cookie = |name: &str| name.eq_ignore_ascii_case("cookie");
    let listed = headers.multiple.iter().filter(|(name, _)| is_cookie(name)).flat_map(|(_, values)| values);
    let mut values: Vec<&String> = listed.collect();
    if values.is_empty() {
        values = headers.single.iter().filter(|(name, _)| is_cookie(name)).map(|(_, value)| value).collect();
    }
    Parameters::new(values.into_iter().flat_map(|value| value.split(';')).filter_map(cookie_pair).collect())
}

fn cookie_pair(cookie: &str) -> Option<(String, String)> {
    let (name, value) = without_white_space(cookie).split_once('=')?;
    Some((name.to_owned(), value.to_owned()))
}

fn parameters(single: &mut Named<String>, multiple: &mut Named<List>) -> Parameters {
    let multiple = std::mem::take(&mut multiple.0);
    Parameters {
        single: std::mem::take(&mut single.0),
        multiple: multiple.into_iter().map(|(name, list)| (name, list.0)).collect(),
    }
}

/// An object's members in order, none of them lost: a map would hide that one comes twice.
struct Named<T>(Vec<(String, T)>);

impl<T> Default for Named<T> {
    fn default() -> Self {
        Self(Vec::new())
    }
}

impl<'de, T: Deserialize<'de>> Deserialize<'de> for Named<T> {
    fn deserialize<D: Deserializer<'de>>(deserializer: D) -> Result<Self, D::Error> {
        deserializer.deserialize_any(NamedVisitor(PhantomData))
    }
}

struct NamedVisitor<T>(PhantomData<T>);

impl<'de, T: Deserialize<'de>> Visitor<'de> for NamedVisitor<T> {
    type Value = Named<T>;

    fn expecting(&self, formatter: &mut fmt::Formatter<'_>) -> fmt::Result {
        formatter.write_str("an object, or nothing")
    }

    fn visit_unit<E>(self) -> Result<Self::Value, E> {
        Ok(Named::default())
    }

    fn visit_seq<A: SeqAccess<'de>>(self, items: A) -> Result<Self::Value, A::Error> {
        nothing(items)
    }

    fn visit_map<A: MapAccess<'de>>(self, mut members: A) -> Result<Self::Value, A::Error> {
        let mut named = Vec::with_capacity(members.size_hint().unwrap_or(16));
        while let Some((name, value)) = members.next_entry::<String, Option<T>>()? {
            named.extend(value.map(|value| (name, value)));
        }
        Ok(Named(named))
    }
}

/// Strings in an array.
#[derive(Default)]
struct List(Vec<String>);

impl<'de> Deserialize<'de> for List {
    fn deserialize<D: Deserializer<'de>>(deserializer: D) -> Result<Self, D::Error> {
        deserializer.deserialize_any(ListVisitor)
    }
}

struct ListVisitor;

impl<'de> Visitor<'de> for ListVisitor {
    type Value = List;

    fn expecting(&self, formatter: &mut fmt::Formatter<'_>) -> fmt::Result {
        formatter.write_str("an array of strings, or nothing")
    }

    fn visit_unit<E>(self) -> Result<List, E> {
        Ok(List::default())
    }

    fn visit_seq<A: SeqAccess<'de>>(self, mut items: A) -> Result<List, A::Error> {
        let mut list = Vec::new();
        while let Some(item) = items.next_element::<Option<String>>()? {
            list.extend(item);
        }
        Ok(List(list))
    }

    fn visit_map<A: MapAccess<'de>>(self, mut members: A) -> Result<List, A::Error> {
        match members.next_entry::<IgnoredAny, IgnoredAny>()? {
            None => Ok(List::default()),
            Some(_) => Err(serde::de::Error::custom("an object where an array belongs")),
        }
    }
}

/// An empty array stands for an empty object, as some emulators write it.
fn nothing<'de, T, A: SeqAccess<'de>>(mut items: A) -> Result<Named<T>, A::Error> {
    match items.next_element::<IgnoredAny>()? {
        None => Ok(Named::default()),
        Some(_) => Err(serde::de::Error::custom("an array where an object belongs")),
    }
}
