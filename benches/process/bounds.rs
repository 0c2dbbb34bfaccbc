//! What was to be reached, and what was.

use crate::start::{Row, Sample};
use crate::subjects::{Kind, Way};

/// One of the bounds.
pub(crate) struct Verdict {
    pub(crate) what: String,
    pub(crate) bound: String,
    /// Nothing where a program of it was not measured.
    pub(crate) reached: Option<(f64, bool)>,
}

/// All of them.
pub(crate) fn verdicts(rows: &[Row]) -> Vec<Verdict> {
    let median = |(kind, way), value: fn(&Sample) -> f64| {
        let row = rows.iter().find(|row| row.subject.kind == kind && row.subject.way == way)?;
        Some(row.spread(value).median)
    };
    let noop = (Kind::Noop, Way::Nowhere);
    let at_most = |what: &str, own, value, bound: f64| {
        let reached = median(own, value).zip(median(noop, value)).map(|(own, noop)| own / noop);
        Verdict {
            what: what.to_owned(),
            bound: format!("at most {bound} × the no-op"),
            reached: reached.map(|reached| (reached, reached <= bound)),
        }
    };
    let node_by = |what: &str, value, bound: f64| {
        let (own, node) = ((Kind::Static, Way::Tls), (Kind::Node, Way::Tls));
        let reached = median(node, value).zip(median(own, value)).map(|(node, own)| node / own);
        Verdict {
            what: what.to_owned(),
            bound: format!("Node at least {bound} ×"),
            reached: reached.map(|reached| (reached, reached >= bound)),
        }
    };
    let poll = |sample: &Sample| sample.first_poll;
    let answer = |sample: &Sample| sample.first_answer;
    let peak = |sample: &Sample| sample.peak;
    let cpu = |sample: &Sample| sample.fresh.cpu;
    vec![
        at_most("first poll, static, keys in the package", (Kind::Static, Way::Package), poll, 0.45),
        at_most(
            "first poll, static, keys at the first request",
            (Kind::Static, Way::TlsAtFirstRequest),
            poll,
            0.45,
        ),
        at_most("first poll, glibc, keys in the package", (Kind::Glibc, Way::Package), poll, 1.2),
        at_most("first decision, static, keys over TLS", (Kind::Static, Way::Tls), answer, 1.15),
        at_most(
            "first decision, static, keys over TLS at the first request",
            (Kind::Static, Way::TlsAtFirstRequest),
            answer,
            1.15,
        ),
        at_most("first decision, static, keys in the package", (Kind::Static, Way::Package), answer, 0.55),
        at_most("peak memory, static, keys over TLS", (Kind::Static, Way::Tls), peak, 1.5),
        at_most("peak memory, static, keys in the package", (Kind::Static, Way::Package), peak, 1.5),
        node_by("first decision, keys over TLS", answer, 45.0),
        node_by("peak memory, keys over TLS", peak, 12.0),
        node_by("processor for a request, another token each time", cpu, 9.0),
    ]
}
