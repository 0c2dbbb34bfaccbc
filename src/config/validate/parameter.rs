//! Parameters of the request, as rules ask for them.

use super::Check;
use crate::config::raw::{CertificateTest, ParameterTest, RequirementTable};
use crate::request::CertificateField;
use crate::rules::{Parameter, Requirement, Test};

/// The comparisons of a parameter.
struct Tests {
    equals: Option<String>,
    one_of: Option<Vec<String>>,
    prefix: Option<String>,
}

impl Check<'_> {
    pub(super) fn parameters(&mut self, path: &str, table: &mut RequirementTable) -> Vec<Requirement> {
        let mut all = Vec::new();
        for (member, settings, parameter) in [
            ("header", table.header.take(), Parameter::header as fn(&str) -> Parameter),
            ("query", table.query.take(), |name| Parameter::Query(name.to_owned())),
            ("stage_variable", table.stage_variable.take(), |name| Parameter::StageVariable(name.to_owned())),
        ] {
            let Some(ParameterTest { name, equals, one_of, prefix }) = settings else { continue };
            let path = format!("{path}.{member}");
            let is_of_client = member != "stage_variable";
            let test = self.parameter_test(&path, Tests { equals, one_of, prefix }, is_of_client);
            let name = self.parameter_name(&path, name, member == "header");
            all.extend(name.zip(test).map(|(name, test)| Requirement::Parameter(parameter(&name), test)));
        }
        all.extend(
            table.client_certificate.take().and_then(|settings| self.certificate_test(path, settings)),
        );
        all
    }

    fn parameter_name(&mut self, path: &str, name: Option<String>, is_header: bool) -> Option<String> {
        let path = format!("{path}.name");
        // RFC 9110, section 5.6.2: no header has another name.
        let is_of_header =
            |letter: u8| letter.is_ascii_alphanumeric() || b"!#$%&'*+-.^_`|~".contains(&letter);
        match name {
            None => self.problem(path, "it is missing"),
            Some(name) if name.is_empty() => self.problem(path, "it is empty"),
            Some(name) if is_header && !name.bytes().all(is_of_header) => {
                self.problem(path, format!("`{name}` is not the name of a header"));
            }
            Some(name) => return Some(name),
        }
        None
    }

    fn certificate_test(&mut self, path: &str, settings: CertificateTest) -> Option<Requirement> {
        let path = format!("{path}.client_certificate");
        let CertificateTest { field, equals, one_of, prefix } = settings;
        let test = self.parameter_test(&path, Tests { equals, one_of, prefix }, false);
        let path = format!("{path}.field");
        let Some(field) = field else {
            self.problem_with_hint(path, "it is missing", "such as `subject.O`");
            return None;
        };
        let field = self.parsed::<CertificateField>(path, &field)?;
        Some(Requirement::Parameter(Parameter::ClientCertificate(field), test?))
    }

    fn parameter_test(&mut self, path: &str, tests: Tests, is_of_client: bool) -> Option<Test> {
        let Tests { equals, one_of, prefix } = tests;
        let count =
            [equals.is_some(), one_of.is_some(), prefix.is_some()].into_iter().filter(|is| *is).count();
        if count != 1 {
            let message = if count == 0 { "nothing is asked of it" } else { "it has one comparison" };
            self.problem_with_hint(
                path,
                message,
                "one of `equals`, `one_of` and `prefix`; `all` takes several",
            );
            return None;
        }
        self.not_empty(&format!("{path}.one_of"), one_of.as_deref());
        let texts = equals.iter().chain(one_of.iter().flatten()).chain(&prefix);
        if texts.clone().any(String::is_empty) {
            let hint = "`not` with `prefix` or `one_of` says what it must not be";
            self.problem_with_hint(
                path,
                "it is compared with nothing: API Gateway takes an empty value for none",
                hint,
            );
        }
        if is_of_client && texts.clone().any(|text| text.contains(',')) {
            let hint = "compare something else: a backend may take such a value for several, too";
            self.problem_with_hint(path, "a value with a comma is taken for several, and is never met", hint);
        }
        let json = |values: Vec<String>| values.into_iter().map(Into::into).collect();
        let one_of = equals.map(|value| vec![value]).or(one_of);
        one_of.map(|values| Test::OneOf(json(values))).or(prefix.map(Test::Prefix))
    }
}
