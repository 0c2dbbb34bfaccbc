//! The Lambda Runtime API of one process, with a thread for each of its connections. It hands out the next event from
//! the thread that took the answer before it, so that no other thread stands between the two.

use std::collections::VecDeque;
use std::net::{Ipv4Addr, SocketAddr, TcpListener, TcpStream};
use std::sync::atomic::{AtomicU32, Ordering};
use std::sync::{Arc, Condvar, Mutex, MutexGuard, PoisonError};
use std::time::{Duration, Instant, SystemTime, UNIX_EPOCH};

use crate::http::{self, Connection};
use crate::process::cpu_time;

/// Serves until it is dropped.
pub(crate) struct RuntimeApi {
    address: SocketAddr,
    shared: Arc<Shared>,
}

/// What became of an event.
pub(crate) struct Answer {
    /// Its place among the events that were put together with it.
    pub(crate) place: usize,
    pub(crate) is_error: bool,
    pub(crate) body: Vec<u8>,
    pub(crate) handed_at: Instant,
    pub(crate) answered_at: Instant,
    /// The processor time of the process until then, where it was asked for.
    pub(crate) cpu: Option<Duration>,
}

impl RuntimeApi {
    /// The longest time that a batch of events may go on without an answer.
    const PATIENCE: Duration = Duration::from_secs(30);

    pub(crate) fn start() -> Self {
        let listener = TcpListener::bind((Ipv4Addr::LOCALHOST, 0)).unwrap();
        let address = listener.local_addr().unwrap();
        let shared = Arc::new(Shared::default());
        let service = Arc::clone(&shared);
        std::thread::spawn(move || {
            for stream in listener.incoming().map_while(Result::ok) {
                if service.state().is_over {
                    break;
                }
                let service = Arc::clone(&service);
                std::thread::spawn(move || {
                    // A process that is killed leaves its connections in the middle of something.
                    let _how_it_ended = service.serve(stream);
                });
            }
        });
        Self { address, shared }
    }

    /// `host:port`, for `AWS_LAMBDA_RUNTIME_API`.
    pub(crate) fn address(&self) -> String {
        self.address.to_string()
    }

    /// Puts events into the queue, of which so many may be with the process at once.
    pub(crate) fn put(&self, payloads: Vec<Vec<u8>>, in_flight: usize) {
        let mut state = self.shared.state();
        assert_eq!(state.answers.len(), state.handed.len(), "the events before these are not answered");
        state.answers.clear();
        state.base += state.handed.len();
        state.handed = vec![None; payloads.len()];
        let base = state.base;
        state.backlog =
            payloads.into_iter().enumerate().map(|(place, body)| Event::new(base, place, &body)).collect();
        for _ in 0..in_flight {
            let Some(event) = state.backlog.pop_front() else { break };
            state.queue.push_back(event);
            self.shared.queued.notify_one();
        }
    }

    /// The answers to what was put, in the order in which they came.
    pub(crate) fn answers(&self) -> Result<Vec<Answer>, String> {
        let mut state = self.shared.state();
        while state.answers.len() < state.handed.len() {
            if let Some(fault) = state.fault.take() {
                return Err(fault);
            }
            let before = state.answers.len();
            let (next, timeout) = self.shared.settled.wait_timeout(state, Self::PATIENCE).unwrap();
            state = next;
            if timeout.timed_out() && state.answers.len() == before {
                return Err(format!("{before} of {} events were answered", state.handed.len()));
            }
        }
        // Their number stays, for the next batch.
        state.base += state.handed.len();
        state.handed.clear();
        Ok(std::mem::take(&mut state.answers))
    }

    /// Waits until the process asks for an event and gets none. It is at rest then.
    pub(crate) fn wait_for_rest(&self) {
        let mut state = self.shared.state();
        while state.waiting == 0 && state.fault.is_none() {
            let (next, timeout) = self.shared.settled.wait_timeout(state, Self::PATIENCE).unwrap();
            state = next;
            assert!(!timeout.timed_out(), "the process asks for no event");
        }
        drop(state);
        // It may still be on its way to sleep.
        std::thread::sleep(Duration::from_millis(2));
    }

    /// When the process first asked for an event.
    pub(crate) fn first_poll(&self) -> Option<Instant> {
        self.shared.state().first_poll
    }

    /// Has the next answer looked at the processor time of this process.
    pub(crate) fn watch(&self, process: u32) {
        self.shared.watched.store(process, Ordering::Relaxed);
    }
}

impl Drop for RuntimeApi {
    fn drop(&mut self) {
        self.shared.state().is_over = true;
        self.shared.queued.notify_all();
        // The listener looks whether it is over when somebody comes.
        let _nobody_listens = TcpStream::connect(self.address);
    }
}

#[derive(Default)]
struct Shared {
    state: Mutex<State>,
    queued: Condvar,
    settled: Condvar,
    watched: AtomicU32,
}

#[derive(Default)]
struct State {
    /// The number of the first event of the batch.
    base: usize,
    backlog: VecDeque<Event>,
    queue: VecDeque<Event>,
    /// When each event of the batch was handed out.
    handed: Vec<Option<Instant>>,
    answers: Vec<Answer>,
    waiting: usize,
    first_poll: Option<Instant>,
    fault: Option<String>,
    is_over: bool,
}

struct Event {
    place: usize,
    answer: Vec<u8>,
}

impl Event {
    fn new(base: usize, place: usize, body: &[u8]) -> Self {
        let deadline = SystemTime::now().duration_since(UNIX_EPOCH).unwrap() + RuntimeApi::PATIENCE;
        let fields = format!(
            "lambda-runtime-aws-request-id: 00000000-0000-4000-8000-{number:012}\r\n\
             lambda-runtime-deadline-ms: {deadline}\r\n\
             lambda-runtime-invoked-function-arn: \
             arn:aws:lambda:eu-central-1:123456789012:function:authorizer\r\n\
             lambda-runtime-trace-id: Root=1-645150f9-573ffa3016d1eb004e4d4c18;Sampled=0\r\n",
            number = base + place,
            deadline = deadline.as_millis(),
        );
        Self { place, answer: http::answer("200 OK", &fields, body) }
    }
}

impl Shared {
    fn state(&self) -> MutexGuard<'_, State> {
        self.state.lock().unwrap_or_else(PoisonError::into_inner)
    }

    fn serve(&self, stream: TcpStream) -> std::io::Result<()> {
        const ACCEPTED: &[u8] =
            b"HTTP/1.1 202 Accepted\r\ncontent-type: application/json\r\ncontent-length: 16\r\n\r\n{\"status\":\"OK\"}\n";
        stream.set_nodelay(true)?;
        let mut connection = Connection::new(stream);
        while let Some(request) = connection.read()? {
            let now = Instant::now();
            if request.is_post {
                self.take(now, &request.path, request.body);
                connection.write(ACCEPTED)?;
            } else {
                let Some(event) = self.next(now) else { break };
                connection.write(&event.answer)?;
            }
        }
        Ok(())
    }

    /// The next event, once there is one.
    fn next(&self, asked_at: Instant) -> Option<Event> {
        let mut state = self.state();
        state.first_poll.get_or_insert(asked_at);
        state.waiting += 1;
        loop {
            if state.is_over {
                return None;
            }
            if let Some(event) = state.queue.pop_front() {
                state.waiting -= 1;
                state.handed[event.place] = Some(Instant::now());
                return Some(event);
            }
            self.settled.notify_all();
            state = self.queued.wait(state).unwrap();
        }
    }

    fn take(&self, answered_at: Instant, path: &str, body: Vec<u8>) {
        let watched = self.watched.swap(0, Ordering::Relaxed);
        // While the process waits for the end of this request.
        let cpu = (watched != 0).then(|| cpu_time(watched));
        let mut state = self.state();
        let named =
            path.strip_prefix("/2018-06-01/runtime/invocation/").and_then(|rest| rest.split_once('/'));
        let Some((id, kind)) = named else {
            state.fault = Some(format!("{path}: {}", String::from_utf8_lossy(&body)));
            self.settled.notify_all();
            return;
        };
        let place = id.rsplit('-').next().unwrap().parse::<usize>().unwrap() - state.base;
        let handed_at = state.handed[place].unwrap();
        let is_error = kind != "response";
        state.answers.push(Answer { place, is_error, body, handed_at, answered_at, cpu });
        if let Some(event) = state.backlog.pop_front() {
            state.queue.push_back(event);
            self.queued.notify_one();
        } else {
            self.settled.notify_all();
        }
    }
}
