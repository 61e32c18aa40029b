//! The settings that a partition's stream must have, and the servers.
//!
//! The id of the partition's store is in the stream's metadata, so that the stream itself says whose it is.

use std::thread;
use std::time::{Duration, Instant};

use serde_json::{Value, json};
use stepwell_core::identity::StoreId;
use stepwell_core::{Error, Result};

use crate::connection::{Connection, unavailable};

const STORE: &str = "stepwell_store";
/// From this version on the servers write several appends with one sync.
const OLDEST: (u64, u64) = (2, 14);
const FEWEST_REPLICAS: u64 = 3;
/// How long servers may take to start.
const START: Duration = Duration::from_secs(15);
const PAUSE: Duration = Duration::from_millis(200);

/// A partition's stream.
#[derive(Clone, Debug)]
pub struct Found {
    pub store: StoreId,
    pub subject: String,
    /// What the servers say of it.
    pub info: Value,
}

/// Checks the server that is connected; returns what is accepted only because of `unsafe_sync`.
pub fn check_server(connection: &Connection, unsafe_sync: bool) -> Result<Vec<String>> {
    let mut warnings = Vec::new();
    let version = connection.version();
    let mut numbers = version
        .split(['.', '-'])
        .map(|part| part.parse().unwrap_or(0));
    let found = (numbers.next().unwrap_or(0), numbers.next().unwrap_or(0));
    if found < OLDEST {
        let (major, minor) = OLDEST;
        let text =
            format!("it is nats-server {version}, and {major}.{minor} is the oldest that will do");
        accept(connection, &mut warnings, text, unsafe_sync)?;
    }
    if ready(connection)?.is_none() {
        let text = "JetStream is not enabled for this account".to_owned();
        return Err(unavailable("use", connection.servers(), text));
    }
    Ok(warnings)
}

/// What JetStream says of the account. Servers that have just started answer only once they have a leader.
fn ready(connection: &Connection) -> Result<Option<Value>> {
    let deadline = Instant::now() + START;
    loop {
        match connection.request("INFO", &json!({})) {
            Err(_) if Instant::now() < deadline => thread::sleep(PAUSE),
            answer => return answer,
        }
    }
}

/// Creates a partition's stream, unless it exists; returns it. Several nodes may do so at once. Its messages begin with
/// the sequence `first`.
pub fn create(
    connection: &Connection,
    stream: &str,
    subject: &str,
    replicas: u64,
    store: Option<StoreId>,
    first: u64,
    unsafe_sync: bool,
) -> Result<Found> {
    if let Some(found) = look(connection, stream)? {
        check(&found, stream, subject, store, unsafe_sync)?;
        return Ok(found);
    }
    check_replicas(stream, replicas, unsafe_sync)?;
    let id = store.unwrap_or_else(StoreId::random);
    let mut settings = json!({
        "name": stream,
        "subjects": [subject],
        "num_replicas": replicas,
        "max_msgs": -1,
        "max_bytes": -1,
        "max_consumers": -1,
        "duplicate_window": 0,
        "first_seq": first,
        "metadata": {STORE: id.to_string()},
    });
    for (name, value) in required() {
        settings[name] = value;
    }
    let made = connection.request(&format!("STREAM.CREATE.{stream}"), &settings);
    match (made, look(connection, stream)?) {
        (_, Some(found)) => {
            check(&found, stream, subject, store, unsafe_sync)?;
            Ok(found)
        }
        (Err(error), None) => Err(error),
        (Ok(_), None) => {
            let text = "the servers made it, and it is not there".to_owned();
            Err(unavailable("create", stream, text))
        }
    }
}

/// A partition's stream, which exists.
pub fn find(connection: &Connection, stream: &str) -> Result<Found> {
    look(connection, stream)?.ok_or_else(|| {
        let text = "there is no such stream: create the cluster first".to_owned();
        unavailable("open", stream, text)
    })
}

/// A partition's stream, if it exists.
pub fn look(connection: &Connection, stream: &str) -> Result<Option<Found>> {
    let Some(info) = connection.request(&format!("STREAM.INFO.{stream}"), &json!({}))? else {
        return Ok(None);
    };
    let text = |path: &str| info.pointer(path).and_then(Value::as_str);
    let store = text(&format!("/config/metadata/{STORE}")).and_then(StoreId::parse);
    let subject = text("/config/subjects/0").map(str::to_owned);
    match store.zip(subject) {
        Some((store, subject)) => Ok(Some(Found {
            store,
            subject,
            info,
        })),
        None => {
            let text = "it is no stream of a partition".to_owned();
            Err(unavailable("use", stream, text))
        }
    }
}

/// Deletes a partition's stream, if it exists.
pub fn delete(connection: &Connection, stream: &str) -> Result<()> {
    let request = format!("STREAM.DELETE.{stream}");
    connection.request(&request, &json!({})).map(drop)
}

/// Removes the messages before a sequence.
pub fn purge(connection: &Connection, stream: &str, before: u64) -> Result<()> {
    let request = json!({"seq": before});
    match connection.request(&format!("STREAM.PURGE.{stream}"), &request)? {
        Some(_) => Ok(()),
        None => Err(unavailable(
            "purge",
            stream,
            "there is no such stream".to_owned(),
        )),
    }
}

/// The settings without which a stream would not keep what it acknowledged, or could not be read.
fn required() -> [(&'static str, Value); 7] {
    [
        ("storage", json!("file")),
        ("retention", json!("limits")),
        ("discard", json!("new")),
        ("deny_delete", json!(true)),
        ("allow_direct", json!(true)),
        ("allow_atomic", json!(true)),
        ("max_age", json!(0)),
    ]
}

fn check(
    found: &Found,
    stream: &str,
    subject: &str,
    store: Option<StoreId>,
    unsafe_sync: bool,
) -> Result<()> {
    let value = |name: &str| found.info.pointer(&format!("/config/{name}"));
    let wrong = |text: String| Err::<(), Error>(unavailable("use", stream, text));
    if found.subject != subject {
        return wrong(format!("its subject is {}, not {subject}", found.subject));
    }
    if let Some(store) = store
        && found.store != store
    {
        return wrong(format!(
            "it is of the store {}, not of {store}",
            found.store
        ));
    }
    for (name, wanted) in required() {
        if value(name) != Some(&wanted) {
            let found = value(name).unwrap_or(&Value::Null);
            return wrong(format!(
                "its setting {name} is {found}, and must be {wanted}"
            ));
        }
    }
    let replicas = value("num_replicas").and_then(Value::as_u64);
    check_replicas(stream, replicas.unwrap_or(0), unsafe_sync)
}

fn check_replicas(stream: &str, replicas: u64, unsafe_sync: bool) -> Result<()> {
    if replicas >= FEWEST_REPLICAS || unsafe_sync {
        return Ok(());
    }
    let text = format!(
        "it has {replicas} replicas, and {FEWEST_REPLICAS} are the fewest that survive the loss of a server \
         (unsafe_sync=True accepts that)"
    );
    Err(unavailable("use", stream, text))
}

fn accept(
    connection: &Connection,
    warnings: &mut Vec<String>,
    text: String,
    unsafe_sync: bool,
) -> Result<()> {
    if !unsafe_sync {
        return Err(unavailable("use", connection.servers(), text));
    }
    warnings.push(text);
    Ok(())
}
