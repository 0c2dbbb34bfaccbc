//! Servers of key sets, plain and over TLS, in a process of their own: this very program, called once more. Each line
//! that it reads is a path and the document that is there from then on.

use std::collections::HashMap;
use std::fs;
use std::io::{BufRead as _, BufReader, Read, Write};
use std::net::{Ipv4Addr, TcpListener, TcpStream};
use std::path::{Path, PathBuf};
use std::process::{Child, ChildStdin, Command, Stdio};
use std::sync::{Arc, Mutex};

use base64::Engine as _;
use base64::engine::general_purpose::STANDARD;
use rcgen::{BasicConstraints, CertificateParams, DnType, IsCa, Issuer, KeyPair};
use rustls::pki_types::{CertificateDer, PrivateKeyDer, PrivatePkcs8KeyDer};
use rustls::{ServerConfig, ServerConnection, StreamOwned};
use serde_json::Value;

use crate::http::{self, Connection};

/// The argument that makes this program the servers.
pub(crate) const COMMAND: &str = "serve-keys";

/// The servers, until they are dropped.
pub(crate) struct KeyServers {
    process: Child,
    documents: ChildStdin,
    /// `http://…` and `https://…`, without a path.
    pub(crate) plain: String,
    pub(crate) tls: String,
    /// The certificate of the authority that vouches for the second.
    pub(crate) authority: PathBuf,
}

impl KeyServers {
    /// Starts them. Their certificate is made in this directory.
    pub(crate) fn start(directory: &Path) -> Self {
        let authority = make_certificates(directory);
        let mut process = Command::new(std::env::current_exe().unwrap())
            .arg(COMMAND)
            .arg(directory)
            .stdin(Stdio::piped())
            .stdout(Stdio::piped())
            .spawn()
            .unwrap();
        let mut lines = BufReader::new(process.stdout.take().unwrap()).lines();
        let mut line = || lines.next().unwrap().unwrap();
        let (plain, tls) = (line(), line());
        let documents = process.stdin.take().unwrap();
        Self { process, documents, plain, tls, authority }
    }

    /// From now on the key set is at this path of both. It is before the next request is answered, though not before
    /// this returns.
    pub(crate) fn publish(&mut self, path: &str, key_set: &Value) {
        writeln!(self.documents, "{path} {key_set}").unwrap();
    }
}

impl Drop for KeyServers {
    fn drop(&mut self) {
        let _already_gone = self.process.kill();
        let _status = self.process.wait();
    }
}

/// What the process of the servers does, until nobody can give it documents any more.
pub(crate) fn serve(directory: &Path) {
    let provider = Arc::new(rustls::crypto::aws_lc_rs::default_provider());
    let read = |name| fs::read(directory.join(name)).unwrap();
    let certificate = CertificateDer::from(read(CERTIFICATE));
    let key = PrivateKeyDer::from(PrivatePkcs8KeyDer::from(read(KEY)));
    let config = ServerConfig::builder_with_provider(provider)
        .with_safe_default_protocol_versions()
        .unwrap()
        .with_no_client_auth()
        .with_single_cert(vec![certificate], key)
        .unwrap();
    let config = Arc::new(config);
    let documents = Documents::default();
    let listeners =
        [TcpListener::bind((Ipv4Addr::LOCALHOST, 0)), TcpListener::bind((Ipv4Addr::LOCALHOST, 0))]
            .map(Result::unwrap);
    let [plain, tls] = listeners.each_ref().map(|listener| listener.local_addr().unwrap());
    println!("http://{plain}\nhttps://{tls}");
    let [plain, tls] = listeners;
    let (for_plain, for_tls) = (Arc::clone(&documents), Arc::clone(&documents));
    accept(plain, move |stream| answer(stream, &for_plain));
    accept(tls, move |stream| {
        let Ok(connection) = ServerConnection::new(Arc::clone(&config)) else { return };
        answer(StreamOwned::new(connection, stream), &for_tls);
    });
    for line in std::io::stdin().lines().map_while(Result::ok) {
        let (path, document) = line.split_once(' ').unwrap();
        let answer = http::answer("200 OK", "", document.as_bytes());
        documents.lock().unwrap().insert(path.to_owned(), answer);
    }
}

/// Answers by path.
type Documents = Arc<Mutex<HashMap<String, Vec<u8>>>>;

const CERTIFICATE: &str = "server.der";
const KEY: &str = "server-key.der";

fn accept(listener: TcpListener, answer: impl Fn(TcpStream) + Send + Sync + 'static) {
    let answer = Arc::new(answer);
    std::thread::spawn(move || {
        for stream in listener.incoming().flatten() {
            let answer = Arc::clone(&answer);
            stream.set_nodelay(true).unwrap();
            std::thread::spawn(move || answer(stream));
        }
    });
}

fn answer(stream: impl Read + Write, documents: &Documents) {
    let mut connection = Connection::new(stream);
    // A client that hangs up is no fault of the server's.
    while let Ok(Some(request)) = connection.read() {
        let document = documents.lock().unwrap().get(&request.path).cloned();
        let answer = document.unwrap_or_else(|| http::answer("404 Not Found", "", b"{}"));
        if connection.write(&answer).is_err() {
            break;
        }
    }
}

/// A private authority, and a server at 127.0.0.1 that it vouches for. Returns where the authority's certificate is.
fn make_certificates(directory: &Path) -> PathBuf {
    let mut params = CertificateParams::default();
    params.distinguished_name.push(DnType::CommonName, "authority of the benchmark");
    params.is_ca = IsCa::Ca(BasicConstraints::Unconstrained);
    let key = KeyPair::generate().unwrap();
    let certificate = params.self_signed(&key).unwrap();
    let authority = directory.join("authority.pem");
    let text = STANDARD.encode(certificate.der());
    let lines: Vec<_> = text.as_bytes().chunks(64).map(String::from_utf8_lossy).collect();
    let pem = format!("-----BEGIN CERTIFICATE-----\n{}\n-----END CERTIFICATE-----\n", lines.join("\n"));
    fs::write(&authority, pem).unwrap();
    let issuer = Issuer::new(params, key);
    let mut params = CertificateParams::new(vec!["127.0.0.1".to_owned()]).unwrap();
    params.distinguished_name.push(DnType::CommonName, "key server of the benchmark");
    let key = KeyPair::generate().unwrap();
    let certificate = params.signed_by(&key, &issuer).unwrap();
    fs::write(directory.join(CERTIFICATE), certificate.der()).unwrap();
    fs::write(directory.join(KEY), key.serialize_der()).unwrap();
    authority
}
