//! Three real servers, `sync_interval: always`: what one of them that dies, hangs or is cut off does to a leader.

use std::net::TcpListener;
use std::path::{Path, PathBuf};
use std::process::{Child, Command, Stdio};
use std::sync::Arc;
use std::time::{Duration, Instant};

use stepwell_cluster::{Connection, Copy, Login, Role, settings};
use stepwell_core::Error;
use stepwell_core::env::Folder;
use stepwell_core::store::{Store, StoreOptions};

use super::nodes::{batch, commit, content, drawn, reaches, replay};

const TIME: Duration = Duration::from_secs(60);

/// The server's program; `None`, with a message, where it cannot be installed.
fn program() -> Option<PathBuf> {
    let script = Path::new(env!("CARGO_MANIFEST_DIR")).join("../../scripts/install-nats-server");
    let run = Command::new(script)
        .output()
        .expect("the script can be run");
    if run.status.success() {
        let path = String::from_utf8(run.stdout).unwrap();
        return Some(path.trim_end().into());
    }
    let reason = String::from_utf8_lossy(&run.stderr).into_owned();
    eprintln!("Not tested against nats-server: {reason}");
    None
}

struct Servers {
    program: PathBuf,
    place: tempfile::TempDir,
    ports: Vec<u16>,
    running: Vec<Option<Child>>,
}

fn free_ports(number: usize) -> Vec<u16> {
    let listeners: Vec<_> = (0..number)
        .map(|_| TcpListener::bind("127.0.0.1:0").unwrap())
        .collect();
    let port = |listener: &TcpListener| listener.local_addr().unwrap().port();
    listeners.iter().map(port).collect()
}

impl Servers {
    fn start() -> Option<Servers> {
        let program = program()?;
        let mut servers = Servers {
            program,
            place: tempfile::tempdir().unwrap(),
            ports: free_ports(6),
            running: vec![None, None, None],
        };
        (0..3).for_each(|index| servers.begin(index));
        Some(servers)
    }

    fn begin(&mut self, index: usize) {
        let place = self.place.path();
        let routes: Vec<String> = self.ports[3..]
            .iter()
            .map(|port| format!("\"nats://127.0.0.1:{port}\""))
            .collect();
        let text = format!(
            "server_name: s{index}\nlisten: 127.0.0.1:{}\n\
             jetstream {{ store_dir: \"{}\", sync_interval: always }}\n\
             cluster {{ name: c, listen: 127.0.0.1:{}, routes: [{}] }}\n",
            self.ports[index],
            place.join(format!("d{index}")).display(),
            self.ports[3 + index],
            routes.join(", ")
        );
        let file = place.join(format!("{index}.conf"));
        std::fs::write(&file, text).unwrap();
        let log = std::fs::File::create(place.join(format!("{index}.log"))).unwrap();
        let child = Command::new(&self.program)
            .arg("-c")
            .arg(&file)
            .stdout(Stdio::null())
            .stderr(log)
            .spawn()
            .unwrap();
        self.running[index] = Some(child);
    }

    fn address(&self) -> String {
        let address = |port: &u16| format!("nats://127.0.0.1:{port}");
        self.ports[..3]
            .iter()
            .map(address)
            .collect::<Vec<_>>()
            .join(",")
    }

    fn connect(&self, name: &str) -> Arc<Connection> {
        let login = Login::default();
        Arc::new(Connection::open(&self.address(), name, login, TIME).unwrap())
    }

    fn signal(&self, index: usize, name: &str) {
        let id = self.running[index].as_ref().unwrap().id().to_string();
        let done = Command::new("kill").args([name, &id]).status().unwrap();
        assert!(done.success());
    }

    fn kill(&mut self, index: usize) {
        let mut child = self.running[index].take().unwrap();
        child.kill().unwrap();
        child.wait().unwrap();
    }

    /// The server that leads the stream.
    fn leads(&self, connection: &Connection, stream: &str) -> usize {
        let deadline = Instant::now() + TIME;
        loop {
            let found = settings::look(connection, stream);
            if let Ok(Some(found)) = &found
                && let Some(name) = found
                    .info
                    .pointer("/cluster/leader")
                    .and_then(|v| v.as_str())
            {
                return name[1..].parse().unwrap();
            }
            assert!(Instant::now() < deadline, "{found:?}");
            std::thread::sleep(Duration::from_millis(50));
        }
    }
}

impl Drop for Servers {
    fn drop(&mut self) {
        for child in self.running.iter_mut().flatten() {
            let _ = child.kill();
            let _ = child.wait();
        }
    }
}

/// Creates a stream, once the servers have found one another.
fn create(connection: &Connection, stream: &str) {
    let deadline = Instant::now() + TIME;
    loop {
        match settings::create(
            connection,
            stream,
            &format!("stepwell.{stream}"),
            3,
            None,
            1,
            false,
        ) {
            Ok(_) => return,
            Err(error) => assert!(Instant::now() < deadline, "{error}"),
        }
        std::thread::sleep(Duration::from_millis(100));
    }
}

fn copy(connection: &Arc<Connection>, folder: &Path, stream: &str, name: &str) -> Copy {
    let folder = Arc::new(Folder::create(folder).unwrap());
    let options = StoreOptions::default();
    let copy = Copy::open(folder, connection.clone(), stream, name, options).unwrap();
    replay(&copy.store());
    copy.follow().unwrap();
    copy
}

/// One test, because the servers take seconds to start.
#[test]
fn a_leader_keeps_its_word_while_servers_die_and_hang() {
    let Some(mut servers) = Servers::start() else {
        return;
    };
    let place = tempfile::tempdir().unwrap();
    let connections = [servers.connect("n0"), servers.connect("n1")];
    create(&connections[0], "p0");
    assert_eq!(
        settings::check_server(&connections[0], false).unwrap(),
        Vec::<String>::new()
    );
    refused(&connections[0]);
    let copies = [0, 1].map(|i| {
        copy(
            &connections[i],
            &place.path().join(i.to_string()),
            "p0",
            &format!("n{i}"),
        )
    });
    let store = copies[0].lead(TIME).unwrap();
    let mut confirmed = 0;
    let mut go_on = |number: usize| {
        for _ in 0..number {
            confirmed = commit(&store, &format!("{confirmed}")).unwrap();
        }
    };
    go_on(50);

    // The server that leads the stream is killed, and another one hangs afterwards.
    let leads = servers.leads(&connections[0], "p0");
    servers.kill(leads);
    go_on(20);
    servers.begin(leads);
    all_current(&connections[1], "p0");
    let leads = servers.leads(&connections[1], "p0");
    servers.signal(leads, "-STOP");
    go_on(20);
    servers.signal(leads, "-CONT");

    // A message that no server takes at once, and another node that takes over.
    let mut large = batch("large");
    large.payload = drawn(3 << 20);
    let position = Store::commit(store.queue(), large, false).unwrap();
    assert!(store.wait_applied(position, Some(TIME)).unwrap());
    let second = copies[1].lead(TIME).unwrap();
    assert!(matches!(
        commit(&store, "late"),
        Err(Error::Fenced { .. } | Error::Following)
    ));
    commit(&second, "second").unwrap();
    copies[0].follow().unwrap();
    reaches(&copies[0], position + 1);
    assert_eq!(content(&copies[0]), content(&copies[1]));

    // Without a majority nobody confirms anything, and whoever waits is let go.
    for index in [0, 1] {
        servers.signal(index, "-STOP");
    }
    let waiting = Store::commit(second.queue(), batch("nobody has it"), false).unwrap();
    assert!(
        !second
            .wait_applied(waiting, Some(Duration::from_secs(3)))
            .unwrap()
    );
    assert!(copies[1].status().waiting > Duration::from_secs(1));
    copies[1].follow().unwrap();
    assert!(matches!(
        second.wait_applied(waiting, Some(TIME)),
        Err(Error::Following)
    ));
    assert!(matches!(
        copies[0].lead(Duration::from_secs(1)),
        Err(Error::Unavailable { .. })
    ));
    for index in [0, 1] {
        servers.signal(index, "-CONT");
    }
    let third = copies[0].lead(TIME).unwrap();
    let last = commit(&third, "third").unwrap();
    reaches(&copies[1], last);
    assert_eq!(content(&copies[0]), content(&copies[1]));
    assert_eq!(copies[1].status().role, Role::Following);
    for copy in &copies {
        copy.close().unwrap();
    }
}

fn all_current(connection: &Connection, stream: &str) {
    let deadline = Instant::now() + TIME;
    loop {
        let found = settings::look(connection, stream);
        if let Ok(Some(found)) = &found
            && let Some(replicas) = found
                .info
                .pointer("/cluster/replicas")
                .and_then(|v| v.as_array())
            && replicas.len() == 2
            && replicas.iter().all(|replica| replica["current"] == true)
        {
            return;
        }
        assert!(Instant::now() < deadline, "{found:?}");
        std::thread::sleep(Duration::from_millis(50));
    }
}

/// Streams that would not keep what they acknowledged.
fn refused(connection: &Connection) {
    let create = |subject: &str, replicas, unsafe_sync| {
        settings::create(connection, "few", subject, replicas, None, 1, unsafe_sync)
    };
    let text = create("few", 1, false).unwrap_err().to_string();
    assert!(text.contains("1 replicas"), "{text}");
    create("few", 1, true).unwrap();
    let text = create("others", 1, true).unwrap_err().to_string();
    assert!(text.contains("its subject is few"), "{text}");
}
