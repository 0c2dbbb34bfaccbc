//! `authorizer keys list`: who has a key in the table, or is a user in it, and until when. Of the secrets nothing is even asked for.

use lambda_authorizer::verify::user_key;
use serde_json::{Map, Value, json};

use crate::Error;
use crate::database::Database;
use crate::issuer::unix_time;
use crate::local::time;
use crate::table::{Cell, GREEN, RED, YELLOW, render};

/// What is listed.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub enum Listed {
    /// API keys.
    Keys,
    /// Users.
    Users,
}

/// Those who are in the table, by their owners.
#[derive(Clone, Debug, PartialEq)]
pub struct KeyList {
    listed: Listed,
    entries: Vec<Entry>,
}

#[derive(Clone, Debug, PartialEq)]
struct Entry {
    /// The public ID of a key, or the name of a user.
    id: String,
    owner: String,
    state: State,
    scopes: Vec<String>,
    created_at: Option<u64>,
    expires_at: Option<u64>,
}

/// Whether the function lets him in.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
enum State {
    Good,
    Disabled,
    Expired,
    /// Something in the item has another type than it should: the function answers with a fault.
    Unreadable,
}

/// Neither `salt` nor `hash`.
const ATTRIBUTES: [&str; 6] = ["pk", "owner", "disabled", "expires_at", "created_at", "scopes"];

impl KeyList {
    /// Looks through the whole table.
    ///
    /// # Errors
    ///
    /// What DynamoDB says.
    pub async fn read(database: &Database, listed: Listed) -> Result<Self, Error> {
        let kind = match listed {
            Listed::Keys => "key#".to_owned(),
            Listed::Users => user_key(""),
        };
        let items = database.scan(&kind, &ATTRIBUTES).await?;
        Ok(Self::of(listed, &kind, &items, unix_time()))
    }

    fn of(listed: Listed, kind: &str, items: &[Map<String, Value>], now: u64) -> Self {
        let mut entries: Vec<Entry> = items.iter().filter_map(|item| Entry::of(item, kind, now)).collect();
        entries.sort_by(|one, other| (&one.owner, &one.id).cmp(&(&other.owner, &other.id)));
        Self { listed, entries }
    }

    /// For a person.
    #[must_use]
    pub fn render(&self, is_colourful: bool) -> String {
        let day = |at: u64| time(at).split('T').next().unwrap_or_default().to_owned();
        let rows = self.entries.iter().map(|entry| {
            [
                Cell::new(shown(&entry.id)),
                Cell::new(shown(&entry.owner)),
                Cell::new(entry.state.name()).coloured(entry.state.colour()),
                Cell::new(entry.expires_at.map_or_else(|| "never".to_owned(), day)),
                Cell::new(shown(&entry.scopes.join(" "))),
            ]
        });
        let rows: Vec<[Cell; 5]> = rows.collect();
        let what = match self.listed {
            Listed::Keys => "key",
            Listed::Users => "user",
        };
        render([what, "owner", "state", "expires", "scopes"], &rows, is_colourful)
    }

    /// For a machine.
    #[must_use]
    pub fn to_json(&self) -> Value {
        let entries = self.entries.iter().map(|entry| {
            json!({
                "id": entry.id, "owner": entry.owner, "state": entry.state.name(), "scopes": entry.scopes,
                "created_at": entry.created_at, "expires_at": entry.expires_at,
            })
        });
        entries.collect()
    }
}

impl Entry {
    fn of(item: &Map<String, Value>, kind: &str, now: u64) -> Option<Self> {
        let id = value(item, "pk", "S")?.as_str()?.strip_prefix(kind)?.to_owned();
        let number = |name| value(item, name, "N").and_then(|number| number.as_str()?.parse::<u64>().ok());
        let expires_at = number("expires_at");
        let owner = value(item, "owner", "S").and_then(Value::as_str);
        let disabled = value(item, "disabled", "BOOL").and_then(Value::as_bool);
        // A user without one is his own.
        let is_readable = (owner.is_some() || (kind != "key#" && !item.contains_key("owner")))
            && (disabled.is_some() || !item.contains_key("disabled"))
            && (expires_at.is_some() || !item.contains_key("expires_at"));
        let state = match () {
            () if !is_readable => State::Unreadable,
            () if disabled == Some(true) => State::Disabled,
            () if expires_at.is_some_and(|end| end <= now) => State::Expired,
            () => State::Good,
        };
        let owner = owner.unwrap_or(&id).to_owned();
        let (scopes, created_at) = (scopes(item), number("created_at"));
        Some(Self { id, owner, state, scopes, created_at, expires_at })
    }
}

impl State {
    fn name(self) -> &'static str {
        match self {
            Self::Good => "good",
            Self::Disabled => "disabled",
            Self::Expired => "expired",
            Self::Unreadable => "unreadable",
        }
    }

    fn colour(self) -> &'static str {
        match self {
            Self::Good => GREEN,
            Self::Disabled | Self::Expired => YELLOW,
            Self::Unreadable => RED,
        }
    }
}

fn value<'a>(item: &'a Map<String, Value>, name: &str, kind: &str) -> Option<&'a Value> {
    item.get(name)?.get(kind)
}

/// A set, or a list of texts.
fn scopes(item: &Map<String, Value>) -> Vec<String> {
    let set = value(item, "scopes", "SS").and_then(Value::as_array).into_iter().flatten();
    let list = value(item, "scopes", "L").and_then(Value::as_array).into_iter().flatten();
    let list = list.filter_map(|scope| scope.get("S"));
    set.chain(list).filter_map(|scope| scope.as_str().map(str::to_owned)).collect()
}

/// Without what moves a cursor.
fn shown(text: &str) -> String {
    text.chars().map(|letter| if letter.is_control() { '?' } else { letter }).collect()
}

#[cfg(test)]
mod tests {
    use super::*;

    const NOW: u64 = 1_800_000_000;

    fn listed(kind: Listed, items: &[Value]) -> KeyList {
        let items: Vec<_> = items.iter().map(|item| item.as_object().unwrap().clone()).collect();
        KeyList::of(kind, if kind == Listed::Keys { "key#" } else { "user#" }, &items, NOW)
    }

    #[test]
    fn a_state_is_what_the_function_would_say() {
        for (changes, expected) in [
            (json!({}), "good"),
            (json!({"expires_at": {"N": (NOW + 1).to_string()}, "disabled": {"BOOL": false}}), "good"),
            (json!({"expires_at": {"N": NOW.to_string()}}), "expired"),
            (json!({"disabled": {"BOOL": true}, "expires_at": {"N": "1"}}), "disabled"),
            (json!({"disabled": {"S": "true"}}), "unreadable"),
            (json!({"expires_at": {"S": "2027-01-01"}}), "unreadable"),
            (json!({"owner": {"N": "7"}}), "unreadable"),
        ] {
            let mut item = json!({"pk": {"S": "key#abc"}, "owner": {"S": "acme"}});
            item.as_object_mut().unwrap().extend(changes.as_object().unwrap().clone());
            assert_eq!(listed(Listed::Keys, &[item]).to_json()[0]["state"], expected, "{changes}");
        }
        let user = json!({"pk": {"S": "user#alice"}});
        let told = listed(Listed::Users, std::slice::from_ref(&user)).to_json();
        assert_eq!((&told[0]["owner"], &told[0]["state"]), (&json!("alice"), &json!("good")));
        assert_eq!(listed(Listed::Keys, &[user]).to_json(), json!([]));
    }

    #[test]
    fn a_list_is_sorted_and_moves_no_cursor() {
        let list = listed(
            Listed::Keys,
            &[
                json!({"pk": {"S": "key#b"}, "owner": {"S": "zoo\u{1b}[2J"}}),
                json!({"pk": {"S": "key#c"}, "owner": {"S": "acme"}, "scopes": {"L": [{"S": "a"}, {"S": "b"}]}}),
                json!({"pk": {"S": "key#a"}, "owner": {"S": "acme"}, "expires_at": {"N": "1800003600"}}),
            ],
        );
        assert_eq!(
            list.render(false),
            "key  owner    state  expires     scopes\na    acme     good   2027-01-15\nc    acme     good   never       a b\n\
             b    zoo?[2J  good   never\n"
        );
    }
}
