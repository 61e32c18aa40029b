//! The connection to the servers. All partitions of a process share one, and the thread that serves it.

use std::future::Future;
use std::path::PathBuf;
use std::sync::Arc;
use std::time::Duration;

use async_nats::{Client, ConnectOptions, ServerAddr};
use serde_json::Value;
use stepwell_core::{Error, Result};
use tokio::runtime::{Builder, Runtime};
use tokio::time::Instant;

use crate::wire::Abort;

/// How long a request waits for its answer.
pub const REQUEST: Duration = Duration::from_secs(3);
/// A server that does not answer so often in a row is left for another one.
const PING: Duration = Duration::from_secs(2);
const CONNECT: Duration = Duration::from_secs(2);
const LONGEST_PAUSE: Duration = Duration::from_millis(500);

/// How a node says who it is.
#[derive(Clone, Debug, Default)]
pub struct Login {
    pub user: Option<(String, String)>,
    pub token: Option<String>,
    /// The path of a file of credentials.
    pub credentials: Option<PathBuf>,
}

/// A connection, which is made again whenever it is lost.
pub struct Connection {
    pub(crate) client: Client,
    servers: String,
    runtime: Option<Arc<Runtime>>,
}

impl Connection {
    /// Connects to any of `servers`, separated by commas. [`Unavailable`](Error::Unavailable) if none answers in time.
    pub fn open(servers: &str, name: &str, login: Login, timeout: Duration) -> Result<Connection> {
        let shown = without_secrets(servers);
        let failed = |reason: String| unavailable("connect to", &shown, reason);
        let addresses = servers
            .split(',')
            .map(|server| server.trim().parse::<ServerAddr>())
            .collect::<std::io::Result<Vec<_>>>()
            .map_err(|error| failed(error.to_string()))?;
        let runtime = Builder::new_multi_thread()
            .worker_threads(1)
            .thread_name("stepwell-nats")
            .enable_all()
            .build()
            .map_err(|error| failed(error.to_string()))?;
        let deadline = Instant::now() + timeout;
        let connect = async {
            loop {
                let connected = options(name, &login).await?.connect(&addresses[..]).await;
                match connected {
                    // They may be starting.
                    Err(_) if Instant::now() + LONGEST_PAUSE < deadline => {
                        tokio::time::sleep(LONGEST_PAUSE).await;
                    }
                    connected => return connected.map_err(|error| error.to_string()),
                }
            }
        };
        let client = runtime
            .block_on(async { tokio::time::timeout_at(deadline, connect).await })
            .map_err(|_| failed("none of the servers answered in time".to_owned()))?
            .map_err(failed)?;
        Ok(Connection {
            client,
            servers: shown,
            runtime: Some(Arc::new(runtime)),
        })
    }

    /// The addresses that were given, without passwords.
    pub fn servers(&self) -> &str {
        &self.servers
    }

    /// Whether a server is connected now.
    pub fn is_connected(&self) -> bool {
        self.client.connection_state() == async_nats::connection::State::Connected
    }

    /// The version of the server that is connected.
    pub fn version(&self) -> String {
        self.client.server_info().version
    }

    /// How many bytes a message may have, its headers too.
    pub fn max_payload(&self) -> usize {
        self.client.max_payload()
    }

    /// Waits for a future of the connection, in a thread that is not its own.
    pub fn wait<F: Future>(&self, future: F) -> F::Output {
        self.runtime().block_on(future)
    }

    /// Runs a future in the connection's thread.
    pub fn spawn(&self, future: impl Future<Output = ()> + Send + 'static) {
        self.runtime().spawn(future);
    }

    /// Makes a request of JetStream's API; `None` where what it asks for does not exist.
    pub fn request(&self, subject: &str, body: &Value) -> Result<Option<Value>> {
        let answer = self.wait(self.api(subject, body, REQUEST, &Abort::default()));
        let answer = answer.map_err(|reason| unavailable("ask for", subject, reason))?;
        let Some(error) = answer.get("error") else {
            return Ok(Some(answer));
        };
        match error.get("code").and_then(Value::as_u64) {
            Some(404) => Ok(None),
            _ => {
                let reason = error.get("description").and_then(Value::as_str);
                let reason = reason.unwrap_or("the servers refused").to_owned();
                Err(unavailable("ask for", subject, reason))
            }
        }
    }

    pub(crate) async fn api(
        &self,
        subject: &str,
        body: &Value,
        timeout: Duration,
        abort: &Abort,
    ) -> Result<Value, String> {
        let request = async_nats::Request::new()
            .payload(body.to_string().into())
            .timeout(Some(timeout));
        let answer = tokio::select! {
            answer = self.client.send_request(format!("$JS.API.{subject}"), request) => answer,
            () = abort.wait() => return Err("the caller was asked to stop".to_owned()),
        };
        let answer = answer.map_err(|error| error.to_string())?;
        serde_json::from_slice(&answer.payload).map_err(|error| error.to_string())
    }

    fn runtime(&self) -> &Runtime {
        self.runtime.as_ref().expect("it is there until the drop")
    }
}

impl Drop for Connection {
    fn drop(&mut self) {
        // A runtime that is dropped within another thread's wait must not wait for its own threads.
        if let Some(runtime) = self.runtime.take().and_then(Arc::into_inner) {
            runtime.shutdown_background();
        }
    }
}

async fn options(name: &str, login: &Login) -> Result<ConnectOptions, String> {
    let mut options = ConnectOptions::new()
        .name(name)
        .ping_interval(PING)
        .connection_timeout(CONNECT)
        .request_timeout(Some(REQUEST))
        .reconnect_delay_callback(|attempts| {
            LONGEST_PAUSE.min(Duration::from_millis(20 * attempts as u64))
        });
    if let Some((user, password)) = &login.user {
        options = options.user_and_password(user.clone(), password.clone());
    }
    if let Some(token) = &login.token {
        options = options.token(token.clone());
    }
    match &login.credentials {
        None => Ok(options),
        Some(path) => {
            let options = options.credentials_file(path).await;
            options.map_err(|error| error.to_string())
        }
    }
}

/// Addresses without what stands before an `@`.
fn without_secrets(servers: &str) -> String {
    let shown = |server: &str| match (server.split_once("//"), server.rsplit_once('@')) {
        (Some((scheme, _)), Some((_, host))) => format!("{scheme}//{host}"),
        (None, Some((_, host))) => host.to_owned(),
        _ => server.to_owned(),
    };
    servers.split(',').map(shown).collect::<Vec<_>>().join(",")
}

pub(crate) fn unavailable(action: &'static str, stream: &str, reason: String) -> Error {
    Error::Unavailable {
        action,
        stream: stream.to_owned(),
        reason,
    }
}
