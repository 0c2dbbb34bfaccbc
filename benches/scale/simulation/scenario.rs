//! What happens in a simulation: when environments start, what they are asked, what becomes of the provider.

/// Seconds since the simulation began.
pub(crate) type Seconds = f64;

/// From the first to the second.
pub(crate) type Span = (Seconds, Seconds);

/// Everything that a policy is confronted with.
#[derive(Clone, Debug)]
pub(crate) struct Scenario {
    pub(crate) environments: u32,
    /// All of them start within this time.
    pub(crate) starts_within: Seconds,
    /// The mean time between an answer of an environment and its next request: by chance between nothing and
    /// twice this.
    pub(crate) gap: Seconds,
    /// Requests and fetches before are not counted.
    pub(crate) counted_from: Seconds,
    pub(crate) end: Seconds,
    pub(crate) rotation: Option<Rotation>,
    pub(crate) attack: Option<Span>,
    pub(crate) outage: Option<(Span, Outage)>,
    /// While it lasts, environments end and others start in their place: this part of them in a minute.
    pub(crate) replaced: Option<(Span, f64)>,
    /// What the provider says in `Cache-Control`, if anything.
    pub(crate) max_age: Option<f64>,
}

/// The key `a` gives way to the key `b`.
#[derive(Clone, Copy, Debug)]
pub(crate) struct Rotation {
    /// From when on `b` is in the key set.
    pub(crate) published_at: Seconds,
    /// From when on the callers' tokens are signed with `b`, all of them: the hardest case.
    pub(crate) used_at: Seconds,
    /// From when on `a` is no longer in the key set.
    pub(crate) removed_at: Seconds,
    /// What part of the requests after that still shows a token of `a`: a stolen key.
    pub(crate) stolen: f64,
}

/// How the provider fails.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub(crate) enum Outage {
    /// Connections are refused, or answered with 503.
    Refuses,
    /// Nothing comes back.
    Hangs,
}

/// In an attack an environment gets ten times the requests, nine of ten with a `kid` that nobody has.
pub(crate) const ATTACK: f64 = 10.0;

const MINUTE: Seconds = 60.0;
const HOUR: Seconds = 3600.0;

/// When the environments are warm and no longer in step: what befalls them befalls them from here on.
pub(crate) const WARM: Seconds = 15.0 * MINUTE;

impl Scenario {
    fn of(environments: u32) -> Self {
        Self {
            environments,
            starts_within: 10.0 * MINUTE,
            gap: 20.0,
            counted_from: WARM,
            end: WARM,
            rotation: None,
            attack: None,
            outage: None,
            replaced: None,
            max_age: None,
        }
    }

    /// All start within ten seconds, and are watched for a minute.
    pub(crate) fn wave(environments: u32) -> Self {
        Self { starts_within: 10.0, counted_from: 0.0, end: MINUTE, ..Self::of(environments) }
    }

    /// All start within ten seconds, and then have two quiet hours.
    pub(crate) fn steady(environments: u32) -> Self {
        let begin = MINUTE;
        Self { starts_within: 10.0, counted_from: begin, end: begin + 2.0 * HOUR, ..Self::of(environments) }
    }

    /// An hour with this mean time between two requests of an environment.
    pub(crate) fn sparse(environments: u32, gap: Seconds) -> Self {
        Self { gap, end: WARM + HOUR, ..Self::of(environments) }
    }

    /// The new key is in the key set this long before it signs.
    pub(crate) fn rotation(environments: u32, published_before: Seconds) -> Self {
        let used_at = WARM + 11.0 * MINUTE;
        let published_at = used_at - published_before;
        let rotation = Rotation { published_at, used_at, removed_at: f64::INFINITY, stolen: 0.0 };
        Self { rotation: Some(rotation), end: used_at + 15.0 * MINUTE, ..Self::of(environments) }
    }

    /// Ten minutes of invented keys, with a key that is published and used at once in their middle.
    pub(crate) fn attack(environments: u32) -> Self {
        let used_at = WARM + 5.0 * MINUTE;
        let rotation = Rotation { published_at: used_at, used_at, removed_at: f64::INFINITY, stolen: 0.0 };
        Self {
            rotation: Some(rotation),
            attack: Some((WARM, WARM + 10.0 * MINUTE)),
            end: WARM + 10.0 * MINUTE,
            ..Self::of(environments)
        }
    }

    /// A key is taken back while a tenth of the requests shows tokens of it.
    pub(crate) fn revocation(environments: u32) -> Self {
        let rotation = Rotation { published_at: 0.0, used_at: WARM, removed_at: WARM, stolen: 0.1 };
        Self { rotation: Some(rotation), end: WARM + 20.0 * MINUTE, ..Self::of(environments) }
    }

    /// An hour without the provider, in which a hundredth of the environments is replaced in each minute, and
    /// ten minutes after it.
    pub(crate) fn outage(environments: u32, outage: Outage) -> Self {
        let hour = (WARM, WARM + HOUR);
        Self {
            outage: Some((hour, outage)),
            replaced: Some(((WARM, WARM + HOUR), 0.01)),
            end: WARM + HOUR + 10.0 * MINUTE,
            ..Self::of(environments)
        }
    }

    /// The `kid` of honest callers.
    pub(crate) fn current_key(&self, now: Seconds) -> &'static str {
        if self.rotation.is_some_and(|rotation| now >= rotation.used_at) { "b" } else { "a" }
    }

    /// The part of the requests that show a token of a key that was taken back.
    pub(crate) fn stolen(&self, now: Seconds) -> f64 {
        self.rotation.filter(|rotation| now >= rotation.removed_at).map_or(0.0, |rotation| rotation.stolen)
    }

    pub(crate) fn is_attacked(&self, now: Seconds) -> bool {
        self.attack.is_some_and(|span| is_within(span, now))
    }

    pub(crate) fn outage_at(&self, now: Seconds) -> Option<Outage> {
        self.outage.filter(|(span, _)| is_within(*span, now)).map(|(_, outage)| outage)
    }

    /// The part of the environments that is replaced in a second.
    pub(crate) fn replaced_at(&self, now: Seconds) -> f64 {
        self.replaced.filter(|(span, _)| is_within(*span, now)).map_or(0.0, |(_, part)| part / MINUTE)
    }

    /// The key set.
    pub(crate) fn key_ids(&self, now: Seconds) -> &'static [&'static str] {
        match self.rotation {
            Some(rotation) if now >= rotation.removed_at => &["b"],
            Some(rotation) if now >= rotation.published_at => &["a", "b"],
            _ => &["a"],
        }
    }
}

fn is_within((from, to): Span, now: Seconds) -> bool {
    (from..to).contains(&now)
}
