//! The network half of the world: what becomes of fetches on their way to the provider and back.

use lambda_authorizer::io::{Chance as _, Document, FetchError};

use super::super::environment::{Arrived, Fetching, Tick};
use super::super::line::{Answer, Call};
use super::super::policy::key_set;
use super::super::scenario::{Outage, Seconds};
use super::{Event, World, ticks};
use std::time::Duration;

/// A fetch takes 50 to 150 milliseconds, in four ways there and back.
const ROUND_TRIPS: u32 = 4;
const LEAST_LATENCY: Seconds = 0.05;
const MOST_LATENCY: Seconds = 0.15;

/// Between a broken connection and the next try, as in `src/io/http.rs`.
const RETRY_PAUSE: Tick = 10;

/// The peer of a handshake, or of a connection at rest, does not wait longer than this for a frozen process.
const PATIENCE_OF_PEERS: Tick = 1000;

impl World<'_> {
    /// Lets the fetches run that were started, or have an answer, and then whoever waited for them.
    pub(super) async fn let_tasks_run(&mut self) {
        loop {
            tokio::task::yield_now().await;
            let calls = std::mem::take(&mut *self.exchange.lock().unwrap());
            for call in calls {
                self.connect(call);
            }
            for environment in std::mem::take(&mut self.woken) {
                self.see(environment);
            }
            let answered = std::mem::take(&mut self.answered);
            if answered.is_empty() {
                return;
            }
            for environment in answered {
                self.proceed(environment);
                self.awake.push(environment);
            }
        }
    }

    fn connect(&mut self, call: Call) {
        let Call { environment, limit, retries, answer } = call;
        if answer.is_closed() {
            return;
        }
        self.calls += 1;
        let number = self.calls;
        let latency = LEAST_LATENCY + (MOST_LATENCY - LEAST_LATENCY) * self.chance.fraction();
        let round_trip = ticks(latency / f64::from(ROUND_TRIPS)).max(1);
        let began_at = self.now;
        let (round_trips, document, unseen) = (0, None, None);
        self.environments[environment].fetch =
            Some(Fetching { number, began_at, answer, retries, round_trip, round_trips, document, unseen });
        self.schedule(
            began_at + ticks(limit.as_secs_f64()),
            Event::Fetch(environment, number, Arrived::Deadline),
        );
        self.ask(environment, false);
    }

    /// A connection is begun: this is what the provider sees.
    fn ask(&mut self, environment: usize, is_retry: bool) {
        self.tally.fetch(self.seconds(), is_retry);
        self.send(environment);
    }

    fn send(&mut self, environment: usize) {
        if let Some(fetch) = &self.environments[environment].fetch {
            let reply = Event::Fetch(environment, fetch.number, Arrived::Reply);
            self.schedule(self.now + fetch.round_trip, reply);
        }
    }

    /// Something comes to pass in a fetch: now, or, in a process that is frozen, when it wakes.
    pub(super) fn arrive(&mut self, environment: usize, number: u64, arrived: Arrived) {
        let place = &mut self.environments[environment];
        let is_awake = place.is_awake;
        let Some(fetch) = place.fetch.as_mut().filter(|fetch| fetch.number == number) else { return };
        match arrived {
            Arrived::Reply if self.scenario.outage_at(self.now as f64 / 100.0) == Some(Outage::Hangs) => {}
            _ if !is_awake => fetch.unseen = Some(arrived),
            Arrived::Reply => self.go_on(environment),
            Arrived::Retry => self.ask(environment, true),
            Arrived::Deadline => {
                self.end_fetch(environment, Err(FetchError::TimedOut(Duration::default())));
            }
        }
    }

    /// What a process sees of its fetch when it wakes.
    fn see(&mut self, environment: usize) {
        let place = &mut self.environments[environment];
        let frozen_for = self.now - place.frozen_at;
        let frozen_at = place.frozen_at;
        place.fetch.take_if(|fetch| fetch.answer.is_closed());
        let Some(fetch) = place.fetch.as_mut().filter(|fetch| fetch.began_at <= frozen_at) else { return };
        let (number, unseen) = (fetch.number, fetch.unseen.take());
        if frozen_for > PATIENCE_OF_PEERS {
            self.end_fetch(environment, Err(FetchError::Transport("the connection is dead".into())));
        } else if let Some(arrived) = unseen {
            self.arrive(environment, number, arrived);
        }
    }

    fn go_on(&mut self, environment: usize) {
        let (now, scenario) = (self.seconds(), self.scenario);
        let Some(fetch) = self.environments[environment].fetch.as_mut() else { return };
        let number = fetch.number;
        if scenario.outage_at(now) == Some(Outage::Refuses) {
            if fetch.retries == 0 {
                return self.end_fetch(environment, Err(FetchError::Transport("refused".into())));
            }
            (fetch.retries, fetch.round_trips) = (fetch.retries - 1, 0);
            return self.schedule(self.now + RETRY_PAUSE, Event::Fetch(environment, number, Arrived::Retry));
        }
        fetch.round_trips += 1;
        if let Some(document) = fetch.document.take() {
            return self.end_fetch(environment, Ok(document));
        }
        if fetch.round_trips == ROUND_TRIPS - 1 {
            let body = key_set(scenario.key_ids(now)).into_bytes();
            fetch.document = Some(Document { body, fresh_for: scenario.max_age });
        }
        self.send(environment);
    }

    fn end_fetch(&mut self, environment: usize, answer: Answer) {
        if let Some(fetch) = self.environments[environment].fetch.take() {
            // Nobody may wait any more.
            let _unheard = fetch.answer.send(answer);
            self.answered.push(environment);
        }
    }
}
