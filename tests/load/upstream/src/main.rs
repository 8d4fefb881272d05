//! A static OpenAI-shaped images server for load runs: the same 64x64 PNG for every request, at once or after a hold.

#![allow(clippy::print_stdout, reason = "prints its own address and counts")]

use std::{
    net::SocketAddr,
    sync::{
        Arc,
        atomic::{AtomicU64, Ordering},
    },
    time::Duration,
};

use axum::{
    Router,
    extract::{Request, State},
    http::{StatusCode, header},
    response::IntoResponse,
    routing::{get, post},
};
use base64::Engine as _;
use clap::Parser;

/// Answer every image request with the same 64x64 PNG
#[derive(Debug, Parser)]
struct Args {
    #[arg(long, default_value = "127.0.0.1:9090")]
    listen: SocketAddr,

    /// Hold each answer this long
    #[arg(long, default_value_t = 0)]
    hold_ms: u64,

    /// Answer with this status after the request was read, instead of a picture
    #[arg(long)]
    fail: Option<u16>,
}

struct Upstream {
    answer: String,
    hold: Duration,
    fail: Option<StatusCode>,
    calls: AtomicU64,
}

#[tokio::main]
async fn main() -> Result<(), Box<dyn std::error::Error>> {
    let args = Args::parse();
    let picture = base64::engine::general_purpose::STANDARD.encode(picture()?);
    let upstream = Arc::new(Upstream {
        answer: format!(
            r#"{{"created":1795478400,"data":[{{"b64_json":"{picture}"}}],"usage":{{"total_tokens":209,"input_tokens":13,"output_tokens":196,"input_tokens_details":{{"text_tokens":13,"image_tokens":0}}}}}}"#
        ),
        hold: Duration::from_millis(args.hold_ms),
        fail: args.fail.map(StatusCode::from_u16).transpose()?,
        calls: AtomicU64::new(0),
    });
    let app =
        Router::new().route("/v1/images/generations", post(generate)).route("/calls", get(calls)).with_state(upstream);
    let listener = tokio::net::TcpListener::bind(args.listen).await?;
    println!("upstream on http://{}/v1", listener.local_addr()?);
    axum::serve(listener, app).await?;
    Ok(())
}

async fn generate(State(upstream): State<Arc<Upstream>>, request: Request) -> impl IntoResponse {
    // The whole request is read, as a real provider would.
    let read = axum::body::to_bytes(request.into_body(), 1 << 20).await;
    upstream.calls.fetch_add(1, Ordering::Relaxed);
    if read.is_err() {
        return (StatusCode::BAD_REQUEST, [(header::CONTENT_TYPE, "application/json")], String::from("{}"));
    }
    if !upstream.hold.is_zero() {
        tokio::time::sleep(upstream.hold).await;
    }
    match upstream.fail {
        Some(status) => {
            let body = r#"{"error":{"message":"it broke","type":"server_error","code":null,"param":null}}"#;
            (status, [(header::CONTENT_TYPE, "application/json")], body.to_owned())
        }
        None => (StatusCode::OK, [(header::CONTENT_TYPE, "application/json")], upstream.answer.clone()),
    }
}

async fn calls(State(upstream): State<Arc<Upstream>>) -> String {
    upstream.calls.load(Ordering::Relaxed).to_string()
}

/// A 64x64 PNG of a colour gradient.
fn picture() -> Result<Vec<u8>, png::EncodingError> {
    let mut bytes = Vec::new();
    let mut encoder = png::Encoder::new(&mut bytes, 64, 64);
    encoder.set_color(png::ColorType::Rgb);
    let pixels: Vec<u8> = (0..64 * 64u32).flat_map(|at| [(at % 64 * 4) as u8, (at / 64 * 4) as u8, 128]).collect();
    encoder.write_header()?.write_image_data(&pixels)?;
    Ok(bytes)
}
