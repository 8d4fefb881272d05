//! A provider on a real socket that answers as it is told and counts its calls.

use std::{
    collections::VecDeque,
    net::SocketAddr,
    sync::{Arc, Mutex},
    time::Instant,
};

use base64::Engine as _;
use serde_json::{Value, json};
use tokio::{
    io::{AsyncReadExt as _, AsyncWriteExt as _},
    net::{TcpListener, TcpStream},
    sync::{Notify, Semaphore},
    task::JoinHandle,
};

/// How one call is answered, once its request was read whole.
#[derive(Clone, Debug)]
pub(crate) enum Answer {
    /// A picture for each one asked.
    Picture,
    /// A status with headers and a JSON body.
    Status(u16, Vec<(&'static str, String)>, Value),
    /// The connection is closed without a word.
    HangUp,
    /// Half an answer, then the connection is closed.
    CutBody,
    /// Nothing until [`Provider::release`].
    Hold,
    /// 200 and what is no picture.
    NoPicture,
}

impl Answer {
    pub(crate) fn error(status: u16, code: &str) -> Self {
        Self::Status(
            status,
            vec![],
            json!({"error": {"message": format!("it says {code}"), "type": "t", "code": code, "param": null}}),
        )
    }
}

/// A provider that runs until it is dropped.
pub(crate) struct Provider {
    pub(crate) address: SocketAddr,
    state: Arc<State>,
    task: JoinHandle<()>,
}

/// Answers a call by its body.
type Answering = Box<dyn FnMut(&Value) -> Answer + Send>;

struct State {
    script: Mutex<VecDeque<Answer>>,
    then: Mutex<Answering>,
    calls: Mutex<Vec<(Instant, Value)>>,
    authorization: Mutex<Vec<String>>,
    called: Notify,
    released: Semaphore,
}

impl Provider {
    /// Answers every call with `then`.
    pub(crate) async fn start(then: Answer) -> Self {
        Self::deciding(move |_| then.clone()).await
    }

    /// Answers every call as `then` says, which is shown the call's body.
    pub(crate) async fn deciding(then: impl FnMut(&Value) -> Answer + Send + 'static) -> Self {
        let listener = TcpListener::bind("127.0.0.1:0").await.expect("a free port");
        let address = listener.local_addr().expect("bound");
        let state = Arc::new(State {
            script: Mutex::default(),
            then: Mutex::new(Box::new(then)),
            calls: Mutex::default(),
            authorization: Mutex::default(),
            called: Notify::new(),
            released: Semaphore::new(0),
        });
        let served = Arc::clone(&state);
        let task = tokio::spawn(async move {
            while let Ok((stream, _)) = listener.accept().await {
                let state = Arc::clone(&served);
                tokio::spawn(async move { while_open(stream, &state).await });
            }
        });
        Self { address, state, task }
    }

    /// Answers the next calls like this, then as before.
    pub(crate) fn next(&self, answers: impl IntoIterator<Item = Answer>) -> &Self {
        self.state.script.lock().expect("not poisoned").extend(answers);
        self
    }

    pub(crate) fn always(&self, answer: Answer) {
        *self.state.then.lock().expect("not poisoned") = Box::new(move |_| answer.clone());
    }

    /// Forgets the answers that were still to come.
    pub(crate) fn forget(&self) {
        self.state.script.lock().expect("not poisoned").clear();
    }

    /// The bodies it was sent, in order.
    pub(crate) fn calls(&self) -> Vec<Value> {
        self.state.calls.lock().expect("not poisoned").iter().map(|(_, body)| body.clone()).collect()
    }

    /// When each of them had arrived whole.
    pub(crate) fn arrivals(&self) -> Vec<Instant> {
        self.state.calls.lock().expect("not poisoned").iter().map(|(at, _)| *at).collect()
    }

    pub(crate) fn authorization(&self) -> Vec<String> {
        self.state.authorization.lock().expect("not poisoned").clone()
    }

    /// Waits until `count` calls were read.
    pub(crate) async fn called(&self, count: usize) {
        loop {
            let called = self.state.called.notified();
            if self.state.calls.lock().expect("not poisoned").len() >= count {
                return;
            }
            called.await;
        }
    }

    /// Lets `count` held calls go on, each with a picture.
    pub(crate) fn release(&self, count: usize) {
        self.state.released.add_permits(count);
    }

    pub(crate) fn url(&self) -> String {
        format!("http://{}/v1", self.address)
    }
}

impl Drop for Provider {
    fn drop(&mut self) {
        self.task.abort();
    }
}

async fn while_open(mut stream: TcpStream, state: &State) {
    let mut buffer = Vec::new();
    while let Some((head, body)) = read_request(&mut stream, &mut buffer).await {
        let body: Value = serde_json::from_slice(&body).unwrap_or(Value::Null);
        let count = body["n"].as_u64().unwrap_or(1) as usize;
        let key = head.lines().find_map(|line| line.strip_prefix("authorization: ")).unwrap_or_default().to_owned();
        state.authorization.lock().expect("not poisoned").push(key);
        let next = state.script.lock().expect("not poisoned").pop_front();
        let answer = next.unwrap_or_else(|| (state.then.lock().expect("not poisoned"))(&body));
        state.calls.lock().expect("not poisoned").push((Instant::now(), body));
        state.called.notify_waiters();
        let written = match answer {
            Answer::HangUp => return,
            Answer::CutBody => {
                let _ = stream.write_all(b"HTTP/1.1 200 OK\r\ncontent-length: 5000\r\n\r\n{\"data\":[").await;
                return;
            }
            Answer::Hold => {
                state.released.acquire().await.expect("never closed").forget();
                respond(&mut stream, 200, &[], &pictures(count)).await
            }
            Answer::Picture => respond(&mut stream, 200, &[], &pictures(count)).await,
            Answer::NoPicture => {
                let text = base64::engine::general_purpose::STANDARD.encode("this is no picture");
                respond(&mut stream, 200, &[], &json!({"created": 1, "data": [{"b64_json": text}]})).await
            }
            Answer::Status(status, headers, body) => respond(&mut stream, status, &headers, &body).await,
        };
        if written.is_err() {
            return;
        }
    }
}

fn pictures(count: usize) -> Value {
    let picture = base64::engine::general_purpose::STANDARD.encode(png());
    json!({"created": 1_795_478_400, "data": vec![json!({"b64_json": picture}); count]})
}

/// The smallest honest PNG: one grey pixel.
pub(crate) fn png() -> Vec<u8> {
    let mut bytes = Vec::new();
    let mut encoder = png::Encoder::new(&mut bytes, 1, 1);
    encoder.set_color(png::ColorType::Grayscale);
    encoder.write_header().and_then(|mut writer| writer.write_image_data(&[128])).expect("one pixel");
    bytes
}

/// Head (in lower case) and body of the next request; `None` when the peer is done.
async fn read_request(stream: &mut TcpStream, buffer: &mut Vec<u8>) -> Option<(String, Vec<u8>)> {
    let end = loop {
        if let Some(end) = buffer.windows(4).position(|window| window == b"\r\n\r\n") {
            break end + 4;
        }
        if stream.read_buf(buffer).await.ok()? == 0 {
            return None;
        }
    };
    let head = String::from_utf8_lossy(&buffer[..end]).to_lowercase();
    let length = head.lines().find_map(|line| line.strip_prefix("content-length: "));
    let length: usize = length.and_then(|length| length.trim().parse().ok()).unwrap_or(0);
    while buffer.len() < end + length {
        if stream.read_buf(buffer).await.ok()? == 0 {
            return None;
        }
    }
    let body = buffer[end..end + length].to_vec();
    buffer.drain(..end + length);
    Some((head, body))
}

async fn respond(
    stream: &mut TcpStream,
    status: u16,
    headers: &[(&'static str, String)],
    body: &Value,
) -> std::io::Result<()> {
    let body = body.to_string();
    let extra: String = headers.iter().map(|(name, value)| format!("{name}: {value}\r\n")).collect();
    let head = format!(
        "HTTP/1.1 {status} Status\r\ncontent-type: application/json\r\n{extra}content-length: {}\r\n\r\n",
        body.len()
    );
    stream.write_all(format!("{head}{body}").as_bytes()).await
}
