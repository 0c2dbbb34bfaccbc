//! Rule K3: whatever a key server sends, the function's memory is its own. An execution environment of 128 MB
//! that runs out of it is killed with everything that it was about to decide.

use std::sync::Arc;
use std::time::Duration;

use authorizer_cli::gateway::EventKind;
use authorizer_cli::issuer::KEYS_PATH;

use crate::key_server::{Answer, End, KeyServer};
use crate::process::{Function, Settings, keys};
use crate::support::event;

const SETTINGS: Settings<'_> = Settings {
    issuer: "",
    key_set: "init_milliseconds = 0\ntimeout_milliseconds = 1000\ncooldown_seconds = 1",
    sections: "",
};

/// What a fetch may take more than one of a key set that is as it should be, in KiB.
const MARGIN: u64 = 4096;

/// A fetch that ends like this is a fault, and takes no more memory than another.
async fn takes_no_memory(what: &'static str, answer: Answer) {
    let function = Function::of(KeyServer::start(keys()).await, SETTINGS).await;
    let issuer = &function.issuer;
    let by = |token: String| event(EventKind::RestRequest, &token);
    let (known, unknown) = (by(issuer.token()), by(issuer.token_under("unknown")));
    function.recovers(&known, what).await;
    function.ask_until_it_asks(&unknown, what).await.is_refused("key_not_found", what);
    let before = function.peak_memory();
    issuer.answers(KEYS_PATH, answer);
    function.ask_until_it_asks(&unknown, what).await.is_a_fault("key_set_unavailable", what);
    function.ask(&known).await.is_allowed(what);
    let after = function.peak_memory();
    assert!(after < before + MARGIN, "{what}: {before} KiB before, {after} KiB after");
    issuer.heals();
    function.ask_until_it_asks(&unknown, what).await.is_refused("key_not_found", "over");
    function.ends_without_a_trace_of_tokens().await;
}

async fn take_no_memory(answers: Vec<(&'static str, Answer)>) {
    let functions = answers.into_iter().map(|(what, answer)| tokio::spawn(takes_no_memory(what, answer)));
    for function in functions.collect::<Vec<_>>() {
        function.await.unwrap();
    }
}

fn endless(head: &str, repeated: impl AsRef<[u8]>) -> Answer {
    Answer::raw(head).and(End::Repeat(Arc::from(repeated.as_ref())))
}

#[tokio::test]
async fn an_answer_without_end_is_cut_off() {
    let ok = "HTTP/1.1 200 OK\r\n";
    let hint = "HTTP/1.1 103 Early Hints\r\n\r\n";
    let chunk = format!("8000\r\n{}\r\n", " ".repeat(0x8000));
    take_no_memory(vec![
        ("a terabyte", endless(&format!("{ok}Content-Length: 1099511627776\r\n\r\n"), [b' '; 0x8000])),
        ("no length", endless(&format!("{ok}\r\n"), [b' '; 0x8000])),
        ("chunks", endless(&format!("{ok}Transfer-Encoding: chunked\r\n\r\n"), chunk)),
        ("a chunk extension", endless(&format!("{ok}Transfer-Encoding: chunked\r\n\r\n1;"), [b'x'; 0x8000])),
        (
            "trailers",
            endless(&format!("{ok}Transfer-Encoding: chunked\r\n\r\n0\r\n"), "a: b\r\n".repeat(4096)),
        ),
        ("header lines", endless(ok, "a: b\r\n".repeat(4096))),
        ("a header line", endless(&format!("{ok}a: "), [b'x'; 0x8000])),
        ("a status line", endless("HTTP/1.1 200 ", [b'x'; 0x8000])),
        ("hints", endless("", hint).dripping(Duration::from_micros(500))),
        ("an error", endless("HTTP/1.1 500 Error\r\n\r\n", [b' '; 0x8000])),
    ])
    .await;
}

/// What is not unpacked cannot be a bomb.
#[tokio::test]
async fn a_bomb_is_not_unpacked() {
    let coded = |coding: &str| Answer::status("200 OK", &format!("Content-Encoding: {coding}\r\n"), bomb());
    take_no_memory(vec![
        ("gzip", coded("gzip")),
        ("x-gzip, several times", coded("x-gzip, gzip, gzip")),
        ("deflate", coded("deflate")),
        ("br", coded("br")),
        ("zstd", coded("zstd")),
        ("gzip, and it does not say so", Answer::ok(bomb())),
    ])
    .await;
}

/// 100 KB of gzip that are 103 MB of zeros: a block of DEFLATE (RFC 1951) whose two-bit code 00 repeats the
/// last byte 258 times.
fn bomb() -> Vec<u8> {
    const HEAD: [u8; 24] = [
        0x1f, 0x8b, 8, 0, 0, 0, 0, 0, 0, 0xff, 0xed, 0xe0, 0x81, 0, 0, 0, 0, 0x80, 0x20, 0xec, 0x4f, 0xbd,
        0x48, 0x05,
    ];
    const END_OF_BLOCK: u8 = 3;
    const CHECKSUM: [u8; 4] = [0x6f, 0xb4, 0xee, 0xaf];
    const SIZE: [u8; 4] = 103_200_517_u32.to_le_bytes();
    [HEAD.as_slice(), &[0; 100_000], &[END_OF_BLOCK], &CHECKSUM, &SIZE].concat()
}
