//! YAML into the tree that JSON makes: the short tags of templates become what they stand for (`!Ref Name` is
//! `{"Ref": "Name"}`), and aliases cost what they expand to.

use std::collections::BTreeMap;

use saphyr_parser::{Event, Parser, ScalarStyle, Span, Tag};
use serde_json::{Map, Number, Value};

use super::ApiError;

/// Deeper than any description, and far from what a stack holds.
const DEEPEST: usize = 100;

/// More nodes than any description has; aliases of aliases would make billions.
const MOST_NODES: usize = 500_000;

pub(super) fn read(text: &str) -> Result<Value, ApiError> {
    let mut builder = Builder::default();
    let mut parser = Parser::new_from_str(text);
    while let Some(event) = parser.next_event() {
        let (event, span) = event.map_err(|error| ApiError::Syntax {
            line: error.marker().line(),
            column: error.marker().col() + 1,
            message: error.info().to_owned(),
        })?;
        builder.take(event, span)?;
    }
    Ok(builder.whole.map(|node| node.value).unwrap_or_default())
}

/// A node, and what it costs to have it once more.
#[derive(Clone, Default)]
struct Node {
    value: Value,
    depth: usize,
    count: usize,
}

/// A map or a list that is not at its end.
struct Open {
    contents: Contents,
    tag: Option<String>,
    anchor: usize,
    depth: usize,
    count: usize,
}

enum Contents {
    List(Vec<Value>),
    /// With the key whose value is next.
    Map(Map<String, Value>, Option<String>),
}

#[derive(Default)]
struct Builder {
    open: Vec<Open>,
    anchors: BTreeMap<usize, Node>,
    whole: Option<Node>,
    count: usize,
}

impl Builder {
    fn take(&mut self, event: Event<'_>, span: Span) -> Result<(), ApiError> {
        let line = span.start.line();
        let unsupported = |message| ApiError::Unsupported { line, message };
        match event {
            Event::Nothing | Event::StreamStart | Event::StreamEnd | Event::DocumentEnd => Ok(()),
            Event::DocumentStart(_) if self.whole.is_some() => {
                Err(unsupported("a second document begins here"))
            }
            Event::DocumentStart(_) => Ok(()),
            Event::Alias(anchor) => {
                let node = self.anchors.get(&anchor).cloned();
                self.add(
                    node.ok_or(unsupported("the alias stands for something that is not at its end"))?,
                    line,
                )
            }
            Event::Scalar(text, style, anchor, tag) => {
                let value = match (style, tag.as_deref().and_then(short)) {
                    (_, Some(tag)) => function(&tag, Value::String(text.into_owned())),
                    (ScalarStyle::Plain, None) if tag.is_none() => plain(&text),
                    _ => Value::String(text.into_owned()),
                };
                let node = Node { value, depth: 2, count: 1 };
                self.remember(anchor, &node);
                self.add(node, line)
            }
            Event::SequenceStart(anchor, tag) => {
                self.begin(Contents::List(Vec::new()), anchor, tag.as_deref(), line)
            }
            Event::MappingStart(anchor, tag) => {
                self.begin(Contents::Map(Map::new(), None), anchor, tag.as_deref(), line)
            }
            Event::SequenceEnd | Event::MappingEnd => {
                let Some(open) = self.open.pop() else { return Ok(()) };
                let value = match open.contents {
                    Contents::List(items) => Value::Array(items),
                    Contents::Map(members, _) => Value::Object(members),
                };
                let value = match open.tag {
                    Some(tag) => function(&tag, value),
                    None => value,
                };
                let node = Node { value, depth: open.depth + 2, count: open.count + 1 };
                self.remember(open.anchor, &node);
                self.add(node, line)
            }
        }
    }

    fn begin(
        &mut self,
        contents: Contents,
        anchor: usize,
        tag: Option<&Tag>,
        line: usize,
    ) -> Result<(), ApiError> {
        if self.open.len() >= DEEPEST {
            return Err(ApiError::Unsupported { line, message: "it is nested too deeply" });
        }
        self.open.push(Open { contents, tag: tag.and_then(short), anchor, depth: 0, count: 0 });
        Ok(())
    }

    fn remember(&mut self, anchor: usize, node: &Node) {
        if anchor != 0 {
            self.anchors.insert(anchor, node.clone());
        }
    }

    fn add(&mut self, node: Node, line: usize) -> Result<(), ApiError> {
        let unsupported = |message| ApiError::Unsupported { line, message };
        self.count = self.count.saturating_add(node.count);
        if self.count > MOST_NODES {
            return Err(unsupported("it is too large, or its aliases make it so"));
        }
        // Each may be the function of a short tag: two levels.
        if self.open.len() + node.depth > 2 * DEEPEST {
            return Err(unsupported("it is nested too deeply"));
        }
        let Some(open) = self.open.last_mut() else {
            self.whole = Some(node);
            return Ok(());
        };
        open.depth = open.depth.max(node.depth);
        open.count = open.count.saturating_add(node.count);
        match &mut open.contents {
            Contents::List(items) => items.push(node.value),
            Contents::Map(members, key) => match key.take() {
                Some(key) => {
                    if members.insert(key, node.value).is_some() {
                        return Err(unsupported("the key is there twice"));
                    }
                }
                None => *key = Some(name(node.value).ok_or(unsupported("a key is a text"))?),
            },
        }
        Ok(())
    }
}

/// A key: `200` and `true` are texts as keys.
fn name(value: Value) -> Option<String> {
    match value {
        // A merge of maps, which CloudFormation does not take, either.
        Value::String(text) if text == "<<" => None,
        Value::String(text) => Some(text),
        Value::Number(number) => Some(number.to_string()),
        Value::Bool(boolean) => Some(boolean.to_string()),
        Value::Null => Some("null".to_owned()),
        Value::Array(_) | Value::Object(_) => None,
    }
}

/// The name of a tag such as `!Ref`; none of YAML's own (`!!str`).
fn short(tag: &Tag) -> Option<String> {
    (tag.handle == "!" && !tag.suffix.is_empty()).then(|| tag.suffix.clone())
}

/// What a short tag stands for.
fn function(tag: &str, value: Value) -> Value {
    let name = match tag {
        "Ref" | "Condition" => tag.to_owned(),
        tag => format!("Fn::{tag}"),
    };
    Value::Object(Map::from_iter([(name, value)]))
}

/// YAML 1.2's core schema, as far as JSON has it.
fn plain(text: &str) -> Value {
    let is_number =
        || text.strip_prefix(['-', '+']).unwrap_or(text).starts_with(|letter: char| letter.is_ascii_digit());
    match text {
        "" | "~" | "null" | "Null" | "NULL" => Value::Null,
        "true" | "True" | "TRUE" => Value::Bool(true),
        "false" | "False" | "FALSE" => Value::Bool(false),
        text if is_number() => number(text).map_or_else(|| Value::String(text.to_owned()), Value::Number),
        text => Value::String(text.to_owned()),
    }
}

fn number(text: &str) -> Option<Number> {
    // `0123` would be another number, and an account's ID is none.
    if text.len() > 1 && text.starts_with('0') && !text.starts_with("0.") {
        return None;
    }
    match text.parse::<i64>() {
        Ok(number) => Some(number.into()),
        Err(_) => text.parse().ok().and_then(Number::from_f64),
    }
}
