//! A frame: one batch in a file, and the header before it.
//!
//! | bytes | field | |
//! |---|---|---|
//! | 0..4 | magic | `f7 53 57 ff`; neither end byte occurs in UTF-8, so no document holds it |
//! | 4 | version | 1 |
//! | 5..8 | – | zeros |
//! | 8..16 | epoch | of the leader that wrote it |
//! | 16..24 | first | position of the first record |
//! | 24..32 | durable | the last position known to be durable when this was written |
//! | 32..36 | count | of records; 0 in a mark, which has no payload |
//! | 36..40 | length | of the payload |
//! | 40..44 | checksum | CRC32C of the payload |
//! | 44..60 | store | the id of the store whose log this is |
//! | 60..64 | header checksum | CRC32C of bytes 0..60, and so of all |
//! | then | payload | |
//! | last | end | `ff`, so that what ends in a zero was not written to its end |
//!
//! Numbers are little-endian. In every version the magic, the version and the header checksum stand
//! where they stand here. `durable` distinguishes a torn tail from damage: if a valid frame names a
//! lost one as durable, no crash explains the loss.
//!
//! A segment has no header of its own: the header of its first frame serves as one. So there is no
//! moment at which a segment has no header, and no second kind of torn write. A new log begins with a
//! mark, which names its store.
//!
//! Zeros from the last frame to the end of the file are preallocated for more frames, and not part of
//! the format: a version that does not know them takes them for a torn tail and cuts them off.

use super::Batch;
use crate::error::{Error, Result};
use crate::identity::StoreId;

/// The format that this version writes.
pub const VERSION: u8 = 1;

/// The first bytes of every frame.
pub const MAGIC: [u8; 4] = [0xf7, b'S', b'W', 0xff];

/// How long a header is.
pub const HEADER: usize = 64;

/// The offset of its checksum.
const CHECKSUM: usize = HEADER - 4;

/// The last byte of every frame.
pub const END: u8 = 0xff;

/// The longest payload, in bytes.
pub const MAX_PAYLOAD: u64 = 1 << 30;

/// The fields of a frame's header.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub struct Header {
    pub store: StoreId,
    pub epoch: u64,
    pub first: u64,
    pub durable: u64,
    pub count: u32,
    pub length: u32,
    pub checksum: u32,
}

/// Why bytes are not a header.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub enum HeaderFault {
    Magic,
    Checksum,
    /// A valid header of a later format.
    Version(u8),
}

impl Header {
    /// The frame's length: header, payload and end byte.
    pub fn frame_length(&self) -> u64 {
        HEADER as u64 + u64::from(self.length) + 1
    }

    /// The position of the record after the last of this frame.
    pub fn next(&self) -> u64 {
        self.first + u64::from(self.count)
    }

    fn encode(&self) -> [u8; HEADER] {
        let mut bytes = [0; HEADER];
        bytes[..4].copy_from_slice(&MAGIC);
        bytes[4] = VERSION;
        bytes[8..16].copy_from_slice(&self.epoch.to_le_bytes());
        bytes[16..24].copy_from_slice(&self.first.to_le_bytes());
        bytes[24..32].copy_from_slice(&self.durable.to_le_bytes());
        bytes[32..36].copy_from_slice(&self.count.to_le_bytes());
        bytes[36..40].copy_from_slice(&self.length.to_le_bytes());
        bytes[40..44].copy_from_slice(&self.checksum.to_le_bytes());
        bytes[44..CHECKSUM].copy_from_slice(&self.store.to_bytes());
        let checksum = crc32c::crc32c(&bytes[..CHECKSUM]);
        bytes[CHECKSUM..].copy_from_slice(&checksum.to_le_bytes());
        bytes
    }

    /// Reads the header at the start of `bytes`, which holds at least [`HEADER`] bytes.
    pub fn decode(bytes: &[u8]) -> Result<Header, HeaderFault> {
        if bytes[..4] != MAGIC {
            return Err(HeaderFault::Magic);
        }
        if crc32c::crc32c(&bytes[..CHECKSUM]) != read_u32(bytes, CHECKSUM) {
            return Err(HeaderFault::Checksum);
        }
        if bytes[4] != VERSION {
            return Err(HeaderFault::Version(bytes[4]));
        }
        let store = bytes[44..CHECKSUM].try_into().expect("sixteen bytes");
        Ok(Header {
            store: StoreId::from_bytes(store),
            epoch: read_u64(bytes, 8),
            first: read_u64(bytes, 16),
            durable: read_u64(bytes, 24),
            count: read_u32(bytes, 32),
            length: read_u32(bytes, 36),
            checksum: read_u32(bytes, 40),
        })
    }
}

/// The header fields of a frame that do not come from its batch.
#[derive(Clone, Copy, Debug)]
pub struct Place {
    pub store: StoreId,
    pub epoch: u64,
    pub first: u64,
    pub durable: u64,
}

/// Adds a batch's frame to `buffer`. This is the only copy that is made of its payload.
pub fn write(buffer: &mut Vec<u8>, batch: &Batch<'_>, place: Place) {
    let start = buffer.len();
    buffer.resize(start + HEADER, 0);
    for piece in batch.payload {
        buffer.extend_from_slice(piece);
    }
    let payload = &buffer[start + HEADER..];
    let header = Header {
        store: place.store,
        epoch: place.epoch,
        first: place.first,
        durable: place.durable,
        count: batch.count,
        length: payload.len() as u32,
        checksum: crc32c::crc32c(payload),
    };
    buffer[start..start + HEADER].copy_from_slice(&header.encode());
    buffer.push(END);
}

/// Refuses a batch that does not fit into a frame.
pub fn check_size(batch: &Batch<'_>) -> Result<()> {
    let bytes = batch.payload.iter().map(|piece| piece.len() as u64).sum();
    if bytes <= MAX_PAYLOAD {
        return Ok(());
    }
    Err(Error::TooLarge {
        bytes,
        limit: MAX_PAYLOAD,
    })
}

fn read_u32(bytes: &[u8], at: usize) -> u32 {
    u32::from_le_bytes(bytes[at..at + 4].try_into().expect("four bytes"))
}

fn read_u64(bytes: &[u8], at: usize) -> u64 {
    u64::from_le_bytes(bytes[at..at + 8].try_into().expect("eight bytes"))
}
