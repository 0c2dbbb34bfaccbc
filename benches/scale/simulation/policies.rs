//! The policies that are compared. A model of another library is as kind to it as its source allows; what it
//! leaves out is said beside it.

use std::time::Duration;

use super::policy::{Kind, Other, Ours, Policy};

/// As it is without any setting.
pub(crate) const OURS: Policy = Policy { name: "this project", kind: Kind::Ours(Ours::DEFAULT) };

pub(crate) const WITH_FILE: Policy = Policy {
    name: "this project, `initial_jwks_file`",
    kind: Kind::Ours(Ours { has_file: true, ..Ours::DEFAULT }),
};

/// Frozen as soon as it has answered, with the fetch behind the answer.
pub(crate) const FROZEN: Policy = Policy {
    name: "this project, `linger_milliseconds = 0`",
    kind: Kind::Ours(Ours { linger: 0.0, ..Ours::DEFAULT }),
};

/// go-oidc v3, `RemoteKeySet`: a key set has no end, a key that it lacks is fetched at once, whatever was
/// fetched just before. Without a deadline of its own: that of the function ends it, and here costs nothing
/// more, though Lambda would start the process anew.
pub(crate) const FOR_EVER: Policy = Policy {
    name: "for ever, and on every unknown `kid` (as in go-oidc)",
    kind: Kind::Other(Other { limit: Duration::from_secs(8), ..PLAIN }),
};

/// aws-jwt-verify 5.2.1, `SimpleJwksCache` and `SimplePenaltyBox`: a key set has no end, a fetch that did not
/// bring the key is followed by ten seconds without one. Three seconds, one retry, here not of what timed out.
pub(crate) const PENALTY: Policy = Policy {
    name: "for ever, 10 s penalty after a miss (as in aws-jwt-verify)",
    kind: Kind::Other(Other { pause_after_miss: 10.0, limit: Duration::from_secs(3), retries: 1, ..PLAIN }),
};

/// jose 6, `createRemoteJWKSet`: `cacheMaxAge` ten minutes, `cooldownDuration` thirty seconds after a fetch
/// that succeeded, `timeoutDuration` five seconds.
pub(crate) const COOLDOWN: Policy = Policy {
    name: "10 min, 30 s cool-down (as in jose)",
    kind: Kind::Other(Other {
        lifetime: Some(600.0),
        pause_after_success: 30.0,
        limit: Duration::from_secs(5),
        ..PLAIN
    }),
};

/// Spring Security's `NimbusJwtDecoder`: five minutes; refresh ahead, rate limit and outage cache of Nimbus are
/// off. Nimbus's own limits of 500 ms to connect and 500 ms to read.
pub(crate) const FIVE_MINUTES: Policy = Policy {
    name: "5 min, and on every unknown `kid` (as in Spring Security)",
    kind: Kind::Other(Other { lifetime: Some(300.0), limit: Duration::from_secs(1), ..PLAIN }),
};

/// Envoy's `jwt_authn` without `async_fetch`: ten minutes, a key set that lacks a key is not fetched again; a
/// fetch that failed is followed by a second without one (`failed_refetch_duration`, which Envoy knows with
/// `async_fetch`: kinder than without).
pub(crate) const TIME_ALONE: Policy = Policy {
    name: "10 min, by time alone (as in Envoy)",
    kind: Kind::Other(Other {
        lifetime: Some(600.0),
        looks_for_unknown: false,
        pause_after_failure: 1.0,
        limit: Duration::from_secs(1),
        ..PLAIN
    }),
};

/// The others.
pub(crate) const OTHERS: [Policy; 5] = [FOR_EVER, PENALTY, COOLDOWN, FIVE_MINUTES, TIME_ALONE];

const PLAIN: Other = Other {
    lifetime: None,
    looks_for_unknown: true,
    pause_after_success: 0.0,
    pause_after_miss: 0.0,
    pause_after_failure: 0.0,
    limit: Duration::from_secs(8),
    retries: 0,
};

/// This project with other settings.
pub(crate) const fn ours(name: &'static str, ours: Ours) -> Policy {
    Policy { name, kind: Kind::Ours(ours) }
}
