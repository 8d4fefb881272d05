//! A provider over a real socket that does what its script says, and counts.

use std::{
    collections::VecDeque,
    sync::{Arc, Mutex},
};

use base64::{Engine as _, engine::general_purpose::STANDARD};
use serde_json::{Value, json};
use tokio::{
    io::{AsyncReadExt as _, AsyncWriteExt as _},
    net::{TcpListener, TcpStream},
    sync::Notify,
};
use url::Url;

use crate::simulated::{Sketch, draw};

/// What happens to one call after it was read in full.
#[derive(Clone, Debug)]
pub(super) enum Act {
    Reply {
        status: u16,
        headers: Vec<String>,
        body: Vec<u8>,
    },
    /// Nothing until the test releases it, then this.
    Held(Box<Act>),
    /// The connection is closed without a word.
    Close,
    /// Headers and half of the announced body.
    CutBody,
    /// Bytes that are no HTTP.
    Garbage,
    /// A body without end.
    Endless,
    Hang,
}

impl Act {
    pub(super) fn json(status: u16, body: Value) -> Self {
        Self::bytes(status, body.to_string().as_bytes())
    }

    pub(super) fn bytes(status: u16, body: &[u8]) -> Self {
        Self::Reply { status, headers: Vec::new(), body: body.to_vec() }
    }

    pub(super) fn error(status: u16, code: &str) -> Self {
        Self::json(status, json!({ "error": { "message": format!("it said {code}"), "code": code } }))
    }

    pub(super) fn picture() -> Self {
        Self::json(200, json!({ "created": 7, "data": [{ "b64_json": png_base64() }], "output_format": "png" }))
    }

    pub(super) fn with_header(mut self, header: &str) -> Self {
        if let Self::Reply { headers, .. } = &mut self {
            headers.push(header.to_owned());
        }
        self
    }
}

pub(super) fn png() -> Vec<u8> {
    let (title, caption) = (String::new(), String::new());
    draw(&Sketch { width: 8, height: 8, transparent: false, seed: 1, title, caption }).expect("a picture")
}

pub(super) fn png_base64() -> String {
    STANDARD.encode(png())
}

/// One call as it was received.
#[derive(Clone, Debug)]
pub(super) struct Received {
    pub(super) head: String,
    pub(super) body: Value,
}

pub(super) struct Upstream {
    pub(super) url: Url,
    script: Arc<Script>,
}

struct Script {
    /// The last act is repeated.
    acts: Mutex<VecDeque<Act>>,
    received: Mutex<Vec<Received>>,
    arrived: Notify,
    release: Notify,
}

impl Upstream {
    pub(super) async fn playing(acts: impl IntoIterator<Item = Act>) -> Self {
        let listener = TcpListener::bind("127.0.0.1:0").await.expect("a port");
        let address = listener.local_addr().expect("an address");
        let script = Arc::new(Script {
            acts: Mutex::new(acts.into_iter().collect()),
            received: Mutex::default(),
            arrived: Notify::new(),
            release: Notify::new(),
        });
        let played = Arc::clone(&script);
        tokio::spawn(async move {
            while let Ok((stream, _)) = listener.accept().await {
                tokio::spawn(serve(stream, Arc::clone(&played)));
            }
        });
        Self { url: format!("http://{address}/v1").parse().expect("a URL"), script }
    }

    /// A port where nobody listens.
    pub(super) async fn absent() -> Url {
        let listener = TcpListener::bind("127.0.0.1:0").await.expect("a port");
        let address = listener.local_addr().expect("an address");
        format!("http://{address}/v1").parse().expect("a URL")
    }

    /// As `result-hosts` would name it.
    pub(super) fn host(&self) -> String {
        format!("127.0.0.1:{}", self.url.port().expect("a port"))
    }

    pub(super) fn calls(&self) -> usize {
        self.received().len()
    }

    pub(super) fn received(&self) -> Vec<Received> {
        self.script.received.lock().expect("no panic while held").clone()
    }

    /// Adds to the script.
    pub(super) fn then(&self, act: Act) {
        self.script.acts.lock().expect("no panic while held").push_back(act);
    }

    /// Waits for a call to arrive.
    pub(super) async fn arrival(&self) {
        self.script.arrived.notified().await;
    }

    /// Lets one held call go on.
    pub(super) fn release(&self) {
        self.script.release.notify_one();
    }
}

async fn serve(mut stream: TcpStream, script: Arc<Script>) {
    let mut buffer = Vec::new();
    while let Some(received) = receive(&mut stream, &mut buffer).await {
        script.received.lock().expect("no panic while held").push(received);
        script.arrived.notify_one();
        let mut act = {
            let mut acts = script.acts.lock().expect("no panic while held");
            if acts.len() > 1 { acts.pop_front() } else { acts.front().cloned() }.expect("a script")
        };
        while let Act::Held(then) = act {
            script.release.notified().await;
            act = *then;
        }
        if !perform(&mut stream, act).await {
            return;
        }
    }
}

/// Whether the connection stays open.
async fn perform(stream: &mut TcpStream, act: Act) -> bool {
    match act {
        Act::Reply { status, headers, body } => {
            let headers: String = headers.iter().map(|header| format!("{header}\r\n")).collect();
            let head = format!("HTTP/1.1 {status} x\r\ncontent-length: {}\r\n{headers}\r\n", body.len());
            stream.write_all(&[head.as_bytes(), &body].concat()).await.is_ok()
        }
        Act::CutBody => {
            let half = "HTTP/1.1 200 x\r\ncontent-length: 4000\r\n\r\n{\"data\": [{\"b64_json\": \"iVBORw0K";
            stream.write_all(half.as_bytes()).await.expect("an open connection");
            false
        }
        Act::Garbage => {
            stream.write_all(b"\x00\x01 who is there?\r\n\r\n").await.expect("an open connection");
            false
        }
        Act::Endless => {
            let _ = stream.write_all(b"HTTP/1.1 200 x\r\n\r\n").await;
            let block = vec![b' '; 1024 * 1024];
            while stream.write_all(&block).await.is_ok() {}
            false
        }
        Act::Hang => std::future::pending().await,
        Act::Close => false,
        Act::Held(_) => unreachable!("it was released"),
    }
}

async fn receive(stream: &mut TcpStream, buffer: &mut Vec<u8>) -> Option<Received> {
    let mut chunk = [0; 8192];
    loop {
        if let Some(end) = buffer.windows(4).position(|window| window == b"\r\n\r\n") {
            let head = String::from_utf8_lossy(&buffer[..end]).into_owned();
            let length = head.lines().find_map(|line| line.strip_prefix("content-length: "));
            let length = length.map_or(0, |length| length.parse::<usize>().expect("a length"));
            let whole = end + 4 + length;
            if buffer.len() >= whole {
                let body = serde_json::from_slice(&buffer[end + 4..whole]).unwrap_or(Value::Null);
                buffer.drain(..whole);
                return Some(Received { head, body });
            }
        }
        match stream.read(&mut chunk).await {
            Ok(0) | Err(_) => return None,
            Ok(read) => buffer.extend_from_slice(&chunk[..read]),
        }
    }
}
