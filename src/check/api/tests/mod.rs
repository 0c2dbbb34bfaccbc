mod openapi;
mod settings;
mod templates;
mod texts;

use super::*;

/// Its routes, each with its authorizer, in the order of the places.
fn routes(api: &Api) -> Vec<(&str, Option<&str>)> {
    let mut routes: Vec<_> =
        api.routes.iter().map(|route| (route.place.as_str(), route.authorizer.as_deref())).collect();
    routes.sort_unstable();
    routes
}

/// An authorizer's kind, its seconds, and its identity sources.
fn authorizer(api: &Api, name: &str) -> (AuthorizerKind, Option<u32>, Option<Vec<String>>) {
    let found = api.authorizers.iter().find(|authorizer| authorizer.name == name).unwrap();
    let sources = found.gateway.identity_sources.as_ref();
    let sources = sources.map(|sources| sources.iter().map(ToString::to_string).collect());
    (found.kind, found.gateway.cache_seconds, sources)
}

fn gaps(api: &Api) -> Vec<String> {
    api.notes
        .iter()
        .filter(|note| note.is_gap)
        .map(|note| format!("{}: {}", note.place, note.message))
        .collect()
}
