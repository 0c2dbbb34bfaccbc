//! The world: virtual time in hundredths of a second, in which all environments and the provider live.
//!
//! The fetches of [`JwksCache`](lambda_authorizer::jwks::JwksCache) are real tasks of tokio. They run when the
//! world lets them, and wait for nothing but its answers; tokio's own clock stands still.

mod network;

use std::borrow::Cow;
use std::cmp::Reverse;
use std::collections::BinaryHeap;
use std::sync::Arc;
use std::sync::atomic::{AtomicU64, Ordering};

use lambda_authorizer::io::Chance as _;
use lambda_authorizer::jwks::KeySetFile;

use super::edges::{Dice, VirtualClock};
use super::environment::{Arrived, Environment, Tick, Work};
use super::line::{Exchange, Line};
use super::policy::Policy;
use super::scenario::{ATTACK, Scenario, Seconds};
use super::tally::{Caller, Tally, Verdict};

#[derive(Clone, Copy, Debug, PartialEq, Eq, PartialOrd, Ord)]
enum Event {
    Request(usize),
    StartIsOver(usize, Tick),
    LingeringIsOver(usize, Tick),
    Fetch(usize, u64, Arrived),
}

const HARDLY_A_REST: Tick = 50;

struct World<'a> {
    scenario: &'a Scenario,
    policy: &'a Policy,
    file: Option<KeySetFile>,
    now: Tick,
    clock: Arc<VirtualClock>,
    chance: Arc<Dice>,
    agenda: BinaryHeap<Reverse<(Tick, u64, Event)>>,
    events: u64,
    calls: u64,
    exchange: Exchange,
    environments: Vec<Environment>,
    /// Who was awake in this tick.
    awake: Vec<usize>,
    /// Who was woken in this tick.
    woken: Vec<usize>,
    /// Whose fetch has ended just now.
    answered: Vec<usize>,
    tally: Tally,
}

/// Runs the scenario with this policy in every environment. The same arguments give the same counts.
pub(crate) fn run(scenario: &Scenario, policy: &Policy) -> Tally {
    let runtime = tokio::runtime::Builder::new_current_thread()
        .enable_time()
        .start_paused(true)
        // All fetches that can go on do so before the world does.
        .event_interval(u32::MAX)
        .build()
        .unwrap();
    runtime.block_on(tokio::task::unconstrained(World::new(scenario, policy).run()))
}

impl<'a> World<'a> {
    fn new(scenario: &'a Scenario, policy: &'a Policy) -> Self {
        let mut world = Self {
            scenario,
            policy,
            file: policy.file(),
            now: 0,
            clock: Arc::default(),
            chance: Arc::new(Dice(AtomicU64::new(1))),
            agenda: BinaryHeap::new(),
            events: 0,
            calls: 0,
            exchange: Exchange::default(),
            environments: Vec::new(),
            awake: Vec::new(),
            woken: Vec::new(),
            answered: Vec::new(),
            tally: Tally::new(scenario),
        };
        for environment in 0..scenario.environments as usize {
            world.environments.push(Environment::new());
            let start = ticks(scenario.starts_within * world.chance.fraction());
            world.schedule(start, Event::Request(environment));
        }
        world
    }

    async fn run(mut self) -> Tally {
        let end = ticks(self.scenario.end);
        while let Some(tick) = self.next_tick().filter(|tick| *tick < end) {
            self.now = tick;
            self.clock.0.store(tick, Ordering::Relaxed);
            while self.next_tick() == Some(tick) {
                let Some(Reverse((_, _, event))) = self.agenda.pop() else { break };
                match event {
                    Event::Request(environment) => self.wake(environment),
                    Event::StartIsOver(environment, asked_at) => self.end_start(environment, asked_at),
                    Event::LingeringIsOver(environment, since) => self.end_lingering(environment, since),
                    Event::Fetch(environment, number, arrived) => self.arrive(environment, number, arrived),
                }
            }
            self.let_tasks_run().await;
            self.freeze();
        }
        self.tally
    }

    fn next_tick(&self) -> Option<Tick> {
        self.agenda.peek().map(|Reverse((tick, _, _))| *tick)
    }

    fn schedule(&mut self, tick: Tick, event: Event) {
        self.events += 1;
        self.agenda.push(Reverse((tick, self.events, event)));
    }

    fn seconds(&self) -> Seconds {
        self.now as f64 / 100.0
    }

    // ------------------------------------------------------------------------------------- environments

    /// A request comes in, if the environment can take it, and all that has come to pass meanwhile.
    fn wake(&mut self, environment: usize) {
        let now = self.now;
        let is_replaced = self.is_replaced(environment);
        let place = &mut self.environments[environment];
        if place.is_awake {
            // It has not asked for the next event yet: Lambda gives this request to another environment.
            return self.schedule_request(environment);
        }
        place.is_awake = true;
        self.awake.push(environment);
        if place.keys.is_none() || is_replaced {
            *place = Environment { is_awake: true, ..Environment::new() };
            let line = Line { environment, exchange: self.exchange.clone() };
            let (clock, chance) = (self.clock.clone(), self.chance.clone());
            let keys = self.policy.keys(line, clock, chance, self.file.clone());
            let start = keys.start();
            place.keys = Some(keys);
            if let Some(start) = start {
                place.work = Work::Starting(start, now);
                let over = now + ticks(self.policy.init());
                self.answered.push(environment);
                return self.schedule(over, Event::StartIsOver(environment, now));
            }
        }
        self.begin_request(environment, now);
        self.woken.push(environment);
    }

    fn is_replaced(&self, environment: usize) -> bool {
        let idle = (self.now - self.environments[environment].answered_at) as f64 / 100.0;
        let part = self.scenario.replaced_at(self.seconds());
        part > 0.0 && self.chance.fraction() < part * idle
    }

    fn end_start(&mut self, environment: usize, asked_at: Tick) {
        if let Work::Starting(_, since) = &self.environments[environment].work
            && *since == asked_at
        {
            self.environments[environment].has_started(true);
            self.begin_request(environment, asked_at);
        }
    }

    fn begin_request(&mut self, environment: usize, asked_at: Tick) {
        let (scenario, now) = (self.scenario, self.seconds());
        let (caller, key_id): (Caller, Cow<'static, str>) =
            if scenario.is_attacked(now) && self.chance.fraction() < 1.0 - 1.0 / ATTACK {
                (Caller::Inventor, format!("invented-{}", self.events).into())
            } else if self.chance.fraction() < scenario.stolen(now) {
                (Caller::Thief, "a".into())
            } else {
                (Caller::Honest, scenario.current_key(now).into())
            };
        let place = &mut self.environments[environment];
        if let Some(keys) = &place.keys {
            place.work = Work::Looking(keys.look_for(key_id), caller, asked_at);
        }
        self.proceed(environment);
    }

    /// Goes on with what the environment is doing, as far as that is possible.
    fn proceed(&mut self, environment: usize) {
        if let Some(asked_at) = self.environments[environment].has_started(false) {
            return self.begin_request(environment, asked_at);
        }
        self.environments[environment].rests(false);
        if let Some((verdict, caller, asked_at)) = self.environments[environment].verdict() {
            self.answer(environment, caller, verdict, asked_at);
        }
    }

    fn answer(&mut self, environment: usize, caller: Caller, verdict: Verdict, asked_at: Tick) {
        self.tally.request(caller, verdict, asked_at as f64 / 100.0, self.now - asked_at);
        let now = self.now;
        let place = &mut self.environments[environment];
        place.answered_at = now;
        // As `Authorizer::linger`: who has hardly rested before does not linger.
        let is_new = place.frozen_at == 0;
        let has_rested = is_new || asked_at - place.frozen_at.min(asked_at) > HARDLY_A_REST;
        let keys = place.keys.as_ref().filter(|_| has_rested);
        if let Some(waiting) = keys.and_then(|keys| keys.linger()) {
            place.work = Work::Lingering(waiting, now);
            place.rests(false);
            if matches!(place.work, Work::Lingering(..)) {
                let over = now + ticks(self.policy.linger());
                self.schedule(over, Event::LingeringIsOver(environment, now));
            }
        }
        self.schedule_request(environment);
    }

    fn end_lingering(&mut self, environment: usize, since: Tick) {
        let place = &mut self.environments[environment];
        if matches!(&place.work, Work::Lingering(_, at) if *at == since) {
            place.rests(true);
            self.awake.push(environment);
        }
    }

    fn schedule_request(&mut self, environment: usize) {
        let is_attacked = self.scenario.is_attacked(self.seconds());
        let gap = if is_attacked { self.scenario.gap / ATTACK } else { self.scenario.gap };
        let next = self.now + 1 + ticks(2.0 * gap * self.chance.fraction());
        self.schedule(next, Event::Request(environment));
    }

    /// Whoever has nothing to do makes no progress until its next request.
    fn freeze(&mut self) {
        for environment in std::mem::take(&mut self.awake) {
            let place = &mut self.environments[environment];
            if matches!(place.work, Work::Idle) {
                place.is_awake = false;
                place.frozen_at = self.now;
            }
        }
    }
}

fn ticks(time: Seconds) -> Tick {
    (time * 100.0).round() as Tick
}
