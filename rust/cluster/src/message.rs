//! A message of a partition's stream: frames of the log with the rows that they change, or the mark of an epoch.
//!
//! | bytes | field | |
//! |---|---|---|
//! | 0..4 | magic | `f7 53 57 4d` |
//! | 4 | version | 1 |
//! | 5 | kind | 1: frames; 2: the mark of an epoch; 3: frames, compressed |
//! | 6..8 | – | zeros |
//! | 8..10 | records | the format of the records in it |
//! | 10..12 | rows | the format of the rows in it |
//! | 12..16 | count | of frames |
//! | 16..24 | epoch | of the leader that wrote it |
//! | 24..32 | first | position of the first record |
//! | 32..34 | part | from 0 on, of what was too large for one message |
//! | 34..36 | parts | how many there are |
//! | 36..40 | length | of the body of this part |
//! | 40..72 | previous | the hash of all frames before: see [`chain`](crate::chain) |
//! | 72..88 | store | the id of the partition's store |
//! | 88..92 | checksum | CRC32C of the body of this part |
//! | 92..96 | header checksum | CRC32C of bytes 0..92 |
//! | then | body | a frame: number of records (4), length of the payload (4), length of the rows (4), payload, rows. A mark: 16 random bytes, the node's name. Compressed: the length of the frames (4), a block of LZ4 |
//!
//! Numbers are little-endian. In every version the magic, the version and the header checksum stand where they stand here.

use std::sync::atomic::{AtomicU16, Ordering};

use bytes::{BufMut, Bytes, BytesMut};
use stepwell_core::identity::StoreId;
use stepwell_core::{record, storage};

use crate::chain::{Hash, Link};

/// The format that this version writes.
pub const VERSION: u8 = 1;
const MAGIC: [u8; 4] = [0xf7, b'S', b'W', b'M'];
/// How long the header is.
pub const HEADER: usize = 96;
const CHECKSUM: usize = HEADER - 4;
const FRAMES: u8 = 1;
const MARK: u8 = 2;
const COMPRESSED: u8 = 3;
/// Shorter bodies are not compressed.
const WORTHWHILE: usize = 512;
/// A block of LZ4 is at most so many times shorter than what is in it.
const MOST_COMPRESSED: usize = 256;
/// The lengths before each frame.
const LENGTHS: usize = 12;
const NONCE: usize = 16;

/// The format of records that messages name, and the newest that is read.
static RECORDS: AtomicU16 = AtomicU16::new(record::FORMAT);

/// The newest formats that this process reads, which are those that it writes: of messages, records and rows.
pub fn formats() -> (u8, u16, u16) {
    (
        VERSION,
        RECORDS.load(Ordering::Relaxed),
        storage::FORMAT as u16,
    )
}

/// Lets this process be of a version whose records have another format. Only a test of an upgrade does so: nothing else
/// shows what older nodes do beside a newer one.
pub fn pretend_record_format(format: u16) {
    RECORDS.store(format, Ordering::Relaxed);
}

/// What messages say beside their content.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub struct Place {
    pub store: StoreId,
    pub epoch: u64,
    /// The position of the first record.
    pub first: u64,
    pub previous: Hash,
}

impl Place {
    /// The place of a message in `epoch` that follows what the stream has up to `link`.
    pub fn behind(store: StoreId, epoch: u64, link: &Link) -> Place {
        Place {
            store,
            epoch,
            first: link.position + 1,
            previous: link.hash,
        }
    }
}

/// One batch, and the rows that it changes.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct Framed {
    pub count: u32,
    pub payload: Vec<u8>,
    pub rows: Vec<u8>,
}

impl Framed {
    /// How many bytes it has in a message.
    pub fn bytes(&self) -> usize {
        LENGTHS + self.payload.len() + self.rows.len()
    }
}

/// The content of a message.
#[derive(Clone, Debug, PartialEq, Eq)]
pub enum Content {
    Frames(Vec<Framed>),
    /// The node that leads from here on.
    Mark {
        node: String,
    },
}

/// A message that was read, of all its parts.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct Message {
    pub place: Place,
    pub content: Content,
}

/// The header of one part.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub struct Part {
    pub place: Place,
    pub number: u16,
    pub parts: u16,
    kind: u8,
    count: u32,
}

/// Why bytes are no message for this version.
#[derive(Clone, Debug, PartialEq, Eq)]
pub enum Fault {
    /// What is newer, what it is, and what this version knows.
    Newer(&'static str, u32, u32),
    Damaged(&'static str),
}

/// The parts of a message with these frames, each of at most `limit` bytes.
pub fn frames(place: Place, frames: &[Framed], limit: usize) -> Vec<Bytes> {
    let bytes = frames.iter().map(Framed::bytes).sum();
    let mut body = BytesMut::with_capacity(bytes);
    for frame in frames {
        body.put_u32_le(frame.count);
        body.put_u32_le(frame.payload.len() as u32);
        body.put_u32_le(frame.rows.len() as u32);
        body.put_slice(&frame.payload);
        body.put_slice(&frame.rows);
    }
    let count = frames.len() as u32;
    match compressed(&body) {
        Some(block) => parts(place, COMPRESSED, count, &block, limit),
        None => parts(place, FRAMES, count, &body, limit),
    }
}

/// A body in LZ4, where that makes it shorter. Servers write each message several times, and copies read it.
fn compressed(body: &[u8]) -> Option<Vec<u8>> {
    if body.len() < WORTHWHILE || u32::try_from(body.len()).is_err() {
        return None;
    }
    let block = lz4_flex::compress_prepend_size(body);
    (block.len() < body.len()).then_some(block)
}

fn uncompressed(block: &[u8]) -> Option<Bytes> {
    let length = u32_at(block.get(..4)?, 0) as usize;
    if length > MOST_COMPRESSED * block.len() {
        return None;
    }
    let body = lz4_flex::decompress_size_prepended(block).ok()?;
    (body.len() == length).then(|| body.into())
}

/// The mark of an epoch: two of one node differ, too.
pub fn mark(place: Place, node: &str, nonce: [u8; NONCE]) -> Bytes {
    let mut body = BytesMut::with_capacity(NONCE + node.len());
    body.put_slice(&nonce);
    body.put_slice(node.as_bytes());
    parts(place, MARK, 0, &body, HEADER + body.len()).swap_remove(0)
}

fn parts(place: Place, kind: u8, count: u32, body: &[u8], limit: usize) -> Vec<Bytes> {
    let pieces: Vec<&[u8]> = body.chunks(limit - HEADER).collect();
    let number = pieces.len() as u16;
    let (version, records, rows) = formats();
    let part = |(index, piece): (usize, &&[u8])| {
        let mut bytes = BytesMut::with_capacity(HEADER + piece.len());
        bytes.put_slice(&MAGIC);
        bytes.put_u8(version);
        bytes.put_u8(kind);
        bytes.put_u16_le(0);
        bytes.put_u16_le(records);
        bytes.put_u16_le(rows);
        bytes.put_u32_le(count);
        bytes.put_u64_le(place.epoch);
        bytes.put_u64_le(place.first);
        bytes.put_u16_le(index as u16);
        bytes.put_u16_le(number);
        bytes.put_u32_le(piece.len() as u32);
        bytes.put_slice(&place.previous.0);
        bytes.put_slice(&place.store.to_bytes());
        bytes.put_u32_le(crc32c::crc32c(piece));
        bytes.put_u32_le(crc32c::crc32c(&bytes));
        bytes.put_slice(piece);
        bytes.freeze()
    };
    pieces.iter().enumerate().map(part).collect()
}

impl Part {
    /// Reads the header of a message, and checks its body.
    pub fn decode(bytes: &[u8]) -> Result<Part, Fault> {
        if bytes.len() < HEADER || bytes[..4] != MAGIC {
            return Err(Fault::Damaged("it is no message of a partition"));
        }
        if crc32c::crc32c(&bytes[..CHECKSUM]) != u32_at(bytes, CHECKSUM) {
            return Err(Fault::Damaged("its header is damaged"));
        }
        let (version, records, rows) = formats();
        newer("format", bytes[4].into(), version.into())?;
        newer("record format", u16_at(bytes, 8).into(), records.into())?;
        newer("row format", u16_at(bytes, 10).into(), rows.into())?;
        let body = &bytes[HEADER..];
        if body.len() != u32_at(bytes, 36) as usize || crc32c::crc32c(body) != u32_at(bytes, 88) {
            return Err(Fault::Damaged("its body is damaged"));
        }
        let hash = bytes[40..72].try_into().expect("32 bytes");
        let store = bytes[72..88].try_into().expect("16 bytes");
        Ok(Part {
            place: Place {
                store: StoreId::from_bytes(store),
                epoch: u64_at(bytes, 16),
                first: u64_at(bytes, 24),
                previous: Hash(hash),
            },
            number: u16_at(bytes, 32),
            parts: u16_at(bytes, 34),
            kind: bytes[5],
            count: u32_at(bytes, 12),
        })
    }

    /// Whether `next` follows as another part of the same message.
    fn continues(&self, next: &Part) -> bool {
        let expected = Part {
            number: self.number + 1,
            ..*self
        };
        *next == expected
    }
}

/// Reads a message whose parts are `parts`, in order.
pub fn decode(parts: &[Bytes]) -> Result<Message, Fault> {
    let first = Part::decode(parts.first().ok_or(Fault::Damaged("it is empty"))?)?;
    if first.number != 0 || usize::from(first.parts) != parts.len() {
        return Err(Fault::Damaged("a part of it is missing"));
    }
    let mut last = first;
    for part in &parts[1..] {
        let next = Part::decode(part)?;
        if !last.continues(&next) {
            return Err(Fault::Damaged("its parts are of several messages"));
        }
        last = next;
    }
    let body = match parts {
        [one] => one.slice(HEADER..),
        parts => {
            let pieces: Vec<&[u8]> = parts.iter().map(|part| &part[HEADER..]).collect();
            pieces.concat().into()
        }
    };
    let content = match first.kind {
        FRAMES => frames_in(&body, first.count),
        COMPRESSED => uncompressed(&body).and_then(|body| frames_in(&body, first.count)),
        MARK => mark_in(&body),
        _ => return Err(Fault::Damaged("it is of an unknown kind")),
    };
    Ok(Message {
        place: first.place,
        content: content.ok_or(Fault::Damaged("its body makes no sense"))?,
    })
}

fn frames_in(mut body: &[u8], count: u32) -> Option<Content> {
    let mut frames = Vec::new();
    for _ in 0..count {
        let (lengths, rest) = body.split_first_chunk::<LENGTHS>()?;
        let (payload, rest) = rest.split_at_checked(u32_at(lengths, 4) as usize)?;
        let (rows, rest) = rest.split_at_checked(u32_at(lengths, 8) as usize)?;
        let count = u32_at(lengths, 0);
        if count == 0 {
            return None;
        }
        frames.push(Framed {
            count,
            payload: payload.to_vec(),
            rows: rows.to_vec(),
        });
        body = rest;
    }
    (body.is_empty() && !frames.is_empty()).then_some(Content::Frames(frames))
}

fn mark_in(body: &[u8]) -> Option<Content> {
    let (_, node) = body.split_at_checked(NONCE)?;
    let node = String::from_utf8(node.to_vec()).ok()?;
    Some(Content::Mark { node })
}

fn newer(what: &'static str, found: u32, known: u32) -> Result<(), Fault> {
    match found > known {
        true => Err(Fault::Newer(what, found, known)),
        false => Ok(()),
    }
}

fn u16_at(bytes: &[u8], at: usize) -> u16 {
    u16::from_le_bytes(bytes[at..at + 2].try_into().expect("two bytes"))
}

fn u32_at(bytes: &[u8], at: usize) -> u32 {
    u32::from_le_bytes(bytes[at..at + 4].try_into().expect("four bytes"))
}

fn u64_at(bytes: &[u8], at: usize) -> u64 {
    u64::from_le_bytes(bytes[at..at + 8].try_into().expect("eight bytes"))
}
