//! A stream of NATS JetStream.
//!
//! A message is published with `Nats-Expected-Last-Sequence`: the stream takes it only directly behind that sequence. Of
//! several parts the stream takes all or none (an atomic batch). Messages are read by direct gets, which any server
//! answers that has a replica: what is in a replica is committed, but the end of it may be missing.

use std::sync::Arc;
use std::sync::atomic::{AtomicU64, Ordering};
use std::time::Duration;

use async_nats::{Client, HeaderMap, Message, StatusCode, Subscriber};
use bytes::Bytes;
use futures_util::StreamExt as _;
use serde_json::{Value, json};
use stepwell_core::Result;
use tokio::sync::{Mutex as AsyncMutex, Notify};
use tokio::time::{Instant, timeout_at};

use crate::connection::{Connection, unavailable};
use crate::wire::{Abort, Published, Wire};

/// Room for the headers of a message.
const HEADERS: usize = 1 << 10;
/// Messages up to this size share a sync of the servers' disks better than larger ones.
const LARGEST: usize = 1 << 20;
const WRONG_LAST_SEQUENCE: u64 = 10071;
/// How many messages are asked for at a time.
const MESSAGES: u64 = 500;

/// The stream of a partition.
pub struct JetStream {
    connection: Arc<Connection>,
    name: String,
    subject: String,
    told: Arc<Told>,
    answers: AsyncMutex<Option<Answers>>,
}

/// Where answers to reads come. A subscription for each read would be told to all servers of the cluster.
struct Answers {
    inbox: String,
    messages: Subscriber,
    /// How many reads there were. Each has a subject of its own, so that an answer that comes late is dropped.
    reads: u64,
}

impl Answers {
    async fn open(client: &Client) -> std::result::Result<Answers, String> {
        let inbox = client.new_inbox();
        let subscribed = client.subscribe(format!("{inbox}.*")).await;
        Ok(Answers {
            inbox,
            messages: subscribed.map_err(|error| error.to_string())?,
            reads: 0,
        })
    }

    /// The subject of another read.
    fn subject(&mut self) -> String {
        self.reads += 1;
        format!("{}.{}", self.inbox, self.reads)
    }

    /// The next answer on a subject; nothing if the subscription has ended.
    async fn next(&mut self, subject: &str) -> Option<Message> {
        loop {
            let message = self.messages.next().await?;
            if message.subject.as_str() == subject {
                return Some(message);
            }
        }
    }
}

/// What other nodes tell of the stream's end.
#[derive(Default)]
struct Told {
    last: AtomicU64,
    news: Notify,
}

impl JetStream {
    /// Uses a stream that exists. Listens to what other nodes tell of its end.
    pub fn open(connection: Arc<Connection>, name: &str, subject: &str) -> Result<JetStream> {
        let told = Arc::new(Told::default());
        let hints = connection.wait(connection.client.subscribe(hints(subject)));
        let mut hints = hints.map_err(|error| unavailable("listen to", name, error.to_string()))?;
        let weak = Arc::downgrade(&told);
        connection.spawn(async move {
            while let Some(message) = hints.next().await {
                let Some(told) = weak.upgrade() else { return };
                let last = message.payload[..].try_into().map(u64::from_le_bytes);
                told.last.fetch_max(last.unwrap_or(0), Ordering::SeqCst);
                told.news.notify_waiters();
            }
        });
        Ok(JetStream {
            connection,
            name: name.to_owned(),
            subject: subject.to_owned(),
            told,
            answers: AsyncMutex::new(None),
        })
    }

    async fn send(&self, parts: &[Bytes], after: u64) -> std::result::Result<Message, String> {
        let client = &self.connection.client;
        let batch = (parts.len() > 1).then(|| uuid::Uuid::new_v4().simple().to_string());
        for (index, part) in parts.iter().enumerate() {
            let mut headers = HeaderMap::new();
            if index == 0 {
                headers.insert("Nats-Expected-Last-Sequence", after.to_string());
            }
            let is_last = index + 1 == parts.len();
            if let Some(batch) = &batch {
                headers.insert("Nats-Batch-Id", batch.as_str());
                headers.insert("Nats-Batch-Sequence", (index + 1).to_string());
                if is_last {
                    headers.insert("Nats-Batch-Commit", "1");
                }
            }
            let subject = self.subject.clone();
            if is_last {
                let answer = client.request_with_headers(subject, headers, part.clone());
                return answer.await.map_err(|error| error.to_string());
            }
            let sent = client.publish_with_headers(subject, headers, part.clone());
            sent.await.map_err(|error| error.to_string())?;
        }
        unreachable!("a message has a part")
    }

    async fn collect(
        &self,
        from: u64,
        max_bytes: usize,
        deadline: Instant,
    ) -> std::result::Result<Vec<(u64, Bytes)>, String> {
        let client = &self.connection.client;
        let mut held = self.answers.lock().await;
        let answers = match &mut *held {
            Some(answers) => answers,
            none => none.insert(Answers::open(client).await?),
        };
        let inbox = answers.subject();
        let request = json!({"seq": from, "batch": MESSAGES, "max_bytes": max_bytes});
        let subject = format!("$JS.API.DIRECT.GET.{}", self.name);
        let sent = client.publish_with_reply(subject, inbox.clone(), request.to_string().into());
        sent.await.map_err(|error| error.to_string())?;
        let mut messages = Vec::new();
        loop {
            let answer = match timeout_at(deadline, answers.next(&inbox)).await {
                Ok(Some(answer)) => answer,
                Ok(None) => {
                    *held = None;
                    return Err("the connection was closed".to_owned());
                }
                // What came is in order, and the rest is asked for again.
                _ if !messages.is_empty() => return Ok(messages),
                _ => return Err("no server answered in time".to_owned()),
            };
            match answer.status.map(|status| status.as_u16()) {
                None => messages.push((sequence_of(&answer)?, answer.payload)),
                // The end of what was asked for, or no message there.
                Some(204 | 404) => return Ok(messages),
                Some(_) if !messages.is_empty() => return Ok(messages),
                Some(status) => {
                    let text = answer.description.unwrap_or_default();
                    return Err(format!("{status} {text}"));
                }
            }
        }
    }
}

impl Wire for JetStream {
    fn publish(&self, parts: &[Bytes], after: u64, timeout: Duration, abort: &Abort) -> Published {
        let answer = self.connection.wait(async {
            tokio::select! {
                answer = tokio::time::timeout(timeout, self.send(parts, after)) => Some(answer),
                () = abort.wait() => None,
            }
        });
        match answer {
            None => Published::Aborted,
            Some(Err(_)) => Published::Unknown("no server answered in time".to_owned()),
            Some(Ok(Err(reason))) => Published::Unknown(reason),
            Some(Ok(Ok(answer))) => outcome(&answer),
        }
    }

    fn read(
        &self,
        from: u64,
        max_bytes: usize,
        timeout: Duration,
        abort: &Abort,
    ) -> std::result::Result<Vec<(u64, Bytes)>, String> {
        self.connection.wait(async {
            let deadline = Instant::now() + timeout;
            tokio::select! {
                messages = self.collect(from, max_bytes, deadline) => messages,
                () = abort.wait() => Err("the caller was asked to stop".to_owned()),
            }
        })
    }

    fn ends(&self, timeout: Duration, abort: &Abort) -> std::result::Result<(u64, u64), String> {
        let subject = format!("STREAM.INFO.{}", self.name);
        let body = json!({});
        let answer = self
            .connection
            .wait(self.connection.api(&subject, &body, timeout, abort))?;
        let number = |name: &str| answer.pointer(name).and_then(Value::as_u64);
        number("/state/first_seq")
            .zip(number("/state/last_seq"))
            .ok_or_else(|| match answer.pointer("/error/description") {
                Some(reason) => reason.to_string(),
                None => "the answer makes no sense".to_owned(),
            })
    }

    fn tell(&self, last: u64) {
        let subject = hints(&self.subject);
        let client = self.connection.client.clone();
        // A hint that gets lost is made up for by the look that others take now and then.
        self.connection.spawn(async move {
            let _ = client
                .publish(subject, last.to_le_bytes().to_vec().into())
                .await;
        });
    }

    fn listen(&self, known: u64, timeout: Duration, abort: &Abort) -> u64 {
        self.connection.wait(async {
            let news = self.told.news.notified();
            tokio::pin!(news);
            news.as_mut().enable();
            if self.told.last.load(Ordering::SeqCst) <= known {
                tokio::select! {
                    () = news => {}
                    () = tokio::time::sleep(timeout) => {}
                    () = abort.wait() => {}
                }
            }
        });
        self.told.last.load(Ordering::SeqCst)
    }

    fn limit(&self) -> usize {
        self.connection.max_payload().min(LARGEST) - HEADERS
    }
}

fn hints(subject: &str) -> String {
    format!("{subject}.heard")
}

fn sequence_of(answer: &Message) -> std::result::Result<u64, String> {
    let header = answer
        .headers
        .as_ref()
        .and_then(|headers| headers.get("Nats-Sequence"));
    let sequence = header.and_then(|value| value.as_str().parse().ok());
    sequence.ok_or_else(|| "a message came without its sequence".to_owned())
}

/// What the answer to a publish says.
fn outcome(answer: &Message) -> Published {
    if answer.status == Some(StatusCode::NO_RESPONDERS) {
        return Published::Unknown("no server leads the stream".to_owned());
    }
    let Ok(body) = serde_json::from_slice::<Value>(&answer.payload) else {
        return Published::Unknown("the answer makes no sense".to_owned());
    };
    let Some(error) = body.get("error") else {
        return match body.get("seq").and_then(Value::as_u64) {
            Some(sequence) => Published::Stored(sequence),
            None => Published::Unknown("the answer makes no sense".to_owned()),
        };
    };
    let text = error.get("description").and_then(Value::as_str);
    let text = text.unwrap_or("an error without a text");
    match error.get("err_code").and_then(Value::as_u64) {
        Some(WRONG_LAST_SEQUENCE) => {
            let last = text.rsplit(' ').next().and_then(|last| last.parse().ok());
            match last {
                Some(last) => Published::WrongLast(last),
                None => Published::Unknown(text.to_owned()),
            }
        }
        _ => Published::Unknown(text.to_owned()),
    }
}
