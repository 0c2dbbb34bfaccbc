//! As much of HTTP/1.1 as the functions and their key clients speak: requests with a length, answers on a connection
//! that stays open.

use std::io::{Error, ErrorKind, Read, Result, Write};

/// One connection of a client.
pub(crate) struct Connection<S> {
    stream: S,
    buffer: Vec<u8>,
}

pub(crate) struct Request {
    pub(crate) is_post: bool,
    pub(crate) path: String,
    pub(crate) body: Vec<u8>,
}

impl<S: Read + Write> Connection<S> {
    pub(crate) fn new(stream: S) -> Self {
        Self { stream, buffer: Vec::with_capacity(16 * 1024) }
    }

    /// The next request, once all of it is here; nothing where the client has closed the connection.
    pub(crate) fn read(&mut self) -> Result<Option<Request>> {
        let end = loop {
            if let Some(place) = self.buffer.windows(4).position(|window| window == b"\r\n\r\n") {
                break place + 4;
            }
            if !self.more()? {
                return Ok(None);
            }
        };
        let head = String::from_utf8_lossy(&self.buffer[..end]).into_owned();
        let mut lines = head.split("\r\n");
        let mut words = lines.next().unwrap_or_default().split(' ');
        let (method, path) = (words.next().unwrap_or_default(), words.next().unwrap_or_default());
        let mut length = 0;
        for (name, value) in lines.filter_map(|line| line.split_once(':')) {
            if name.eq_ignore_ascii_case("content-length") {
                length = value.trim().parse().map_err(|error| Error::new(ErrorKind::InvalidData, error))?;
            }
            if name.eq_ignore_ascii_case("transfer-encoding") {
                return Err(Error::new(ErrorKind::InvalidData, "a body without its length"));
            }
        }
        while self.buffer.len() < end + length {
            if !self.more()? {
                return Err(ErrorKind::UnexpectedEof.into());
            }
        }
        let body = self.buffer[end..end + length].to_vec();
        self.buffer.drain(..end + length);
        Ok(Some(Request { is_post: method == "POST", path: path.to_owned(), body }))
    }

    /// Sends an answer, whole.
    pub(crate) fn write(&mut self, answer: &[u8]) -> Result<()> {
        self.stream.write_all(answer)?;
        self.stream.flush()
    }

    /// Whether anything came.
    fn more(&mut self) -> Result<bool> {
        let mut chunk = [0; 16 * 1024];
        let length = self.stream.read(&mut chunk)?;
        self.buffer.extend_from_slice(&chunk[..length]);
        Ok(length > 0)
    }
}

/// An answer with these header fields, each with its line end.
pub(crate) fn answer(status: &str, fields: &str, body: &[u8]) -> Vec<u8> {
    let length = body.len();
    let head = format!(
        "HTTP/1.1 {status}\r\ncontent-type: application/json\r\n{fields}content-length: {length}\r\n\r\n"
    );
    [head.as_bytes(), body].concat()
}
