//! What publishing to a replicated stream costs, and what its answers look like while servers die: ADR 0033's figures.
//!
//! `publishing nats://HOST:PORT,…` publishes messages of 1, 16 and 256 KiB with an expected last sequence, 1, 8 and 64 under
//! way at a time. `publishing nats://HOST:PORT,… SECONDS` publishes one after the other for that long, and prints each answer
//! that is not the acknowledgement: kill, stop or cut off servers meanwhile.

use std::collections::VecDeque;
use std::time::{Duration, Instant};

use async_nats::{Client, HeaderMap, ServerAddr};
use bytes::Bytes;
use futures_util::StreamExt as _;
use serde_json::{Value, json};

type Result<T> = std::result::Result<T, Box<dyn std::error::Error + Send + Sync>>;

const STREAM: &str = "stepwell-bench";
const SUBJECT: &str = "stepwell.bench";

#[tokio::main(flavor = "multi_thread", worker_threads = 1)]
async fn main() -> Result<()> {
    let mut arguments = std::env::args().skip(1);
    let servers = arguments.next().ok_or("which servers?")?;
    let servers = servers.split(',').map(str::parse::<ServerAddr>);
    let client = async_nats::connect(servers.collect::<std::io::Result<Vec<_>>>()?).await?;
    make(&client).await?;
    match arguments.next() {
        Some(seconds) => watch(&client, Duration::from_secs(seconds.parse()?)).await,
        None => measure(&client).await,
    }
}

async fn make(client: &Client) -> Result<()> {
    api(client, "STREAM.DELETE", &json!({})).await?;
    let settings = json!({
        "name": STREAM, "subjects": [SUBJECT], "storage": "file", "num_replicas": 3, "discard": "new",
        "deny_delete": true, "allow_direct": true, "allow_atomic": true,
    });
    println!(
        "{}",
        api(client, "STREAM.CREATE", &settings).await?["config"]
    );
    tokio::time::sleep(Duration::from_secs(2)).await; // the servers choose who leads it
    Ok(())
}

async fn api(client: &Client, what: &str, body: &Value) -> Result<Value> {
    let subject = format!("$JS.API.{what}.{STREAM}");
    let answer = client.request(subject, body.to_string().into()).await?;
    Ok(serde_json::from_slice(&answer.payload)?)
}

fn expecting(last: u64) -> HeaderMap {
    let mut headers = HeaderMap::new();
    headers.insert("Nats-Expected-Last-Sequence", last.to_string());
    headers
}

async fn measure(client: &Client) -> Result<()> {
    let mut last = 0;
    for (size, count) in [(1 << 10, 3000), (16 << 10, 1000), (256 << 10, 100)] {
        for window in [1, 8, 64] {
            let count = if window == 1 { count / 4 } else { count };
            last = publish(client, size, window, count, last).await?;
        }
    }
    Ok(())
}

async fn publish(
    client: &Client,
    size: usize,
    window: usize,
    count: u64,
    last: u64,
) -> Result<u64> {
    let inbox = client.new_inbox();
    let mut answers = client.subscribe(inbox.clone()).await?;
    let payload = Bytes::from(vec![7; size]);
    let (mut sent, mut times) = (VecDeque::new(), Vec::new());
    let (mut published, mut done) = (0, 0);
    let began = Instant::now();
    while done < count {
        while published < count && sent.len() < window {
            let headers = expecting(last + published);
            let (inbox, payload) = (inbox.clone(), payload.clone());
            client
                .publish_with_reply_and_headers(SUBJECT, inbox, headers, payload)
                .await?;
            sent.push_back(Instant::now());
            published += 1;
        }
        let answer = answers.next().await.ok_or("the connection ended")?;
        let body: Value = serde_json::from_slice(&answer.payload)?;
        if body["seq"] != json!(last + done + 1) {
            return Err(format!("message {done}: {body}").into());
        }
        times.extend(sent.pop_front().map(|at: Instant| at.elapsed()));
        done += 1;
    }
    let seconds = began.elapsed().as_secs_f64();
    times.sort();
    let millis = |part: usize| times[times.len() * part / 100].as_secs_f64() * 1e3;
    println!(
        "{:>4} KiB, {window:>2} at a time: {:>6.0} messages/s {:>6.1} MB/s, p50 {:>6.2} ms, p99 {:>6.2} ms",
        size >> 10,
        count as f64 / seconds,
        (count as usize * size) as f64 / seconds / 1e6,
        millis(50),
        millis(99)
    );
    Ok(last + count)
}

async fn watch(client: &Client, time: Duration) -> Result<()> {
    let began = Instant::now();
    let (mut last, mut acknowledged, mut longest) = (0_u64, 0, Duration::ZERO);
    while began.elapsed() < time {
        let at = Instant::now();
        let request = client.request_with_headers(SUBJECT, expecting(last), vec![7; 1024].into());
        let answer = tokio::time::timeout(Duration::from_secs(2), request).await;
        let took = at.elapsed();
        let text = match answer {
            Err(_) => "no answer in 2 s".to_owned(),
            Ok(Err(error)) => error.to_string(),
            Ok(Ok(answer)) => String::from_utf8_lossy(&answer.payload).into_owned(),
        };
        let sequence = serde_json::from_str::<Value>(&text).ok();
        match sequence.and_then(|body| body["error"].is_null().then(|| body["seq"].as_u64())?) {
            Some(sequence) => {
                (last, acknowledged, longest) = (sequence, acknowledged + 1, longest.max(took));
            }
            None => {
                println!(
                    "{:>7.3} s, expecting {last}: {text} after {took:.0?}",
                    began.elapsed().as_secs_f64()
                );
                // Taken at an earlier attempt: go on behind it.
                if let Some((_, found)) = text.split_once("wrong last sequence: ") {
                    let digits: String = found.chars().take_while(char::is_ascii_digit).collect();
                    last = digits.parse()?;
                }
                tokio::time::sleep(Duration::from_millis(100)).await;
            }
        }
    }
    println!("{acknowledged} acknowledged, the slowest after {longest:.0?}");
    Ok(())
}
