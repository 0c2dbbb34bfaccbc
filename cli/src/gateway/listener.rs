//! A listener that remembers how a request's header names were spelled: an event has the client's own spelling,
//! which an HTTP library does not keep.

use std::collections::HashMap;
use std::io;
use std::net::SocketAddr;
use std::pin::Pin;
use std::sync::{Arc, Mutex, PoisonError};
use std::task::{Context, Poll};

use axum::extract::connect_info::Connected;
use axum::http::HeaderMap;
use axum::serve::{IncomingStream, Listener};
use tokio::io::{AsyncRead, AsyncWrite, ReadBuf};
use tokio::net::{TcpListener, TcpStream};

use super::request::Headers;

/// Takes connections, each of which has one request (its answer closes it).
pub(super) struct SpellingListener(pub(super) TcpListener);

/// What is known of a connection.
#[derive(Clone, Debug)]
pub(super) struct Connection {
    pub(super) peer: SocketAddr,
    head: Arc<Mutex<Vec<u8>>>,
}

pub(super) struct SpellingStream {
    stream: TcpStream,
    head: Arc<Mutex<Vec<u8>>>,
}

/// More than the HTTP library takes for a head.
const LONGEST_HEAD: usize = 512 * 1024;

impl Connection {
    /// The headers of the connection's request, in the spelling that came over the wire.
    pub(super) fn spelled(&self, headers: &HeaderMap) -> Headers {
        let head = self.head.lock().unwrap_or_else(PoisonError::into_inner);
        let head = String::from_utf8_lossy(&head);
        let lines =
            head.lines().skip_while(|line| line.is_empty()).skip(1).take_while(|line| !line.is_empty());
        let names = lines.filter_map(|line| line.split_once(':')).map(|(name, _)| name.trim());
        let mut values: HashMap<String, std::vec::IntoIter<String>> = HashMap::new();
        for name in headers.keys() {
            let all: Vec<_> = headers
                .get_all(name)
                .iter()
                .map(|value| String::from_utf8_lossy(value.as_bytes()).into_owned())
                .collect();
            values.insert(name.as_str().to_owned(), all.into_iter());
        }
        let mut fields = Vec::new();
        for name in names {
            if let Some(value) = values.get_mut(&name.to_ascii_lowercase()).and_then(Iterator::next) {
                fields.push((name.to_owned(), value));
            }
        }
        Headers::new(fields)
    }
}

impl Listener for SpellingListener {
    type Io = SpellingStream;
    type Addr = SocketAddr;

    async fn accept(&mut self) -> (SpellingStream, SocketAddr) {
        let (stream, address) = Listener::accept(&mut self.0).await;
        (SpellingStream { stream, head: Arc::default() }, address)
    }

    fn local_addr(&self) -> io::Result<SocketAddr> {
        self.0.local_addr()
    }
}

impl Connected<IncomingStream<'_, SpellingListener>> for Connection {
    fn connect_info(stream: IncomingStream<'_, SpellingListener>) -> Self {
        Self { peer: *stream.remote_addr(), head: Arc::clone(&stream.io().head) }
    }
}

impl AsyncRead for SpellingStream {
    fn poll_read(
        mut self: Pin<&mut Self>,
        context: &mut Context<'_>,
        buffer: &mut ReadBuf<'_>,
    ) -> Poll<io::Result<()>> {
        let before = buffer.filled().len();
        let polled = Pin::new(&mut self.stream).poll_read(context, buffer);
        let mut head = self.head.lock().unwrap_or_else(PoisonError::into_inner);
        let is_whole = head.windows(4).any(|window| window == b"\r\n\r\n");
        if !is_whole && head.len() < LONGEST_HEAD {
            head.extend(buffer.filled().get(before..).unwrap_or_default());
        }
        drop(head);
        polled
    }
}

impl AsyncWrite for SpellingStream {
    fn poll_write(
        mut self: Pin<&mut Self>,
        context: &mut Context<'_>,
        bytes: &[u8],
    ) -> Poll<io::Result<usize>> {
        Pin::new(&mut self.stream).poll_write(context, bytes)
    }

    fn poll_flush(mut self: Pin<&mut Self>, context: &mut Context<'_>) -> Poll<io::Result<()>> {
        Pin::new(&mut self.stream).poll_flush(context)
    }

    fn poll_shutdown(mut self: Pin<&mut Self>, context: &mut Context<'_>) -> Poll<io::Result<()>> {
        Pin::new(&mut self.stream).poll_shutdown(context)
    }
}
