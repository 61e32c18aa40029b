//! Copies in folders of their own, what tests commit to them, and waiting for what becomes of it.

use std::path::Path;
use std::sync::Arc;
use std::time::{Duration, Instant};

use stepwell_cluster::{Copy, Role};
use stepwell_core::Result;
use stepwell_core::env::Folder;
use stepwell_core::identity::StoreId;
use stepwell_core::storage::Batch;
use stepwell_core::store::{Store, StoreOptions};

use super::faults::Node;

/// Longer than anything here takes.
pub const TIME: Duration = Duration::from_secs(30);
const STORE: StoreId = StoreId::from_bytes([5; 16]);

pub fn open(folder: &Path, node: &Arc<Node>, name: &str) -> Result<Copy> {
    let folder = Arc::new(Folder::create(folder).unwrap());
    Copy::with(
        folder,
        node.clone(),
        "s",
        STORE,
        name,
        StoreOptions::default(),
    )
}

/// A copy whose folder was opened and whose storage lacks nothing.
pub fn following(folder: &Path, node: &Arc<Node>, name: &str) -> Copy {
    let copy = open(folder, node, name).unwrap();
    replay(&copy.store());
    copy.follow().unwrap();
    copy
}

/// A batch with a turn and a row.
pub fn batch(text: &str) -> Batch {
    let mut batch = Batch::with_capacity(text.len(), 1);
    batch.push("", 0, 1, text.as_bytes());
    batch.hlc = 7;
    batch.changes = row(text);
    batch
}

/// A change that puts a row: the sequence of this name.
fn row(name: &str) -> Vec<u8> {
    let mut bytes = vec![0x91, 0x93, SEQUENCE];
    bytes.push(0xd9);
    bytes.push(name.len() as u8);
    bytes.extend_from_slice(name.as_bytes());
    bytes.push(1);
    bytes
}

const SEQUENCE: u8 = 13;

/// Applies what storage lacks of the log, as the engine's replay does.
pub fn replay(store: &Store) {
    let mut position = store.storage().applied().unwrap().position + 1;
    while position <= store.log().tail() {
        for frame in store.read_log(position, 1 << 20).unwrap() {
            let mut made = batch(std::str::from_utf8(&frame.payload).unwrap());
            made.position = frame.last();
            store.apply(&made).unwrap();
            position = frame.last() + 1;
        }
    }
}

pub fn commit(store: &Store, text: &str) -> Result<u64> {
    let position = Store::commit(store.queue(), batch(text), false)?;
    store.wait_applied(position, Some(TIME))?;
    Ok(position)
}

/// Waits until a copy has applied a position.
pub fn reaches(copy: &Copy, position: u64) {
    let deadline = Instant::now() + TIME;
    while copy.store().queue().applied() < position {
        assert!(Instant::now() < deadline, "{:?}", copy.status());
        std::thread::sleep(Duration::from_millis(1));
    }
}

/// Waits until a copy cannot go on; returns why.
pub fn fails(copy: &Copy) -> String {
    let deadline = Instant::now() + TIME;
    while copy.status().role != Role::Failed {
        assert!(Instant::now() < deadline, "{:?}", copy.status());
        std::thread::sleep(Duration::from_millis(1));
    }
    copy.status().failure.unwrap()
}

/// What a copy holds: its frames (epoch, position, payload), and the digest of its rows.
pub type Content = (Vec<(u64, u64, Vec<u8>)>, [u8; 32]);

pub fn content(copy: &Copy) -> Content {
    let store = copy.store();
    let frames = store.read_log(store.log().start(), 1 << 30).unwrap();
    let frames = frames.into_iter().map(|f| (f.epoch, f.first, f.payload));
    (frames.collect(), store.storage().digest().unwrap().1)
}

/// Bytes that cannot be compressed.
pub fn drawn(bytes: usize) -> Vec<u8> {
    let drawn = std::iter::repeat_with(|| uuid::Uuid::new_v4().into_bytes());
    drawn.flatten().take(bytes).collect()
}
