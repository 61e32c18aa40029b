//! Messages: what is written is read, and what is not what was written is refused before anything of it is used.

use proptest::prelude::*;
use stepwell_cluster::chain::Hash;
use stepwell_cluster::message::{self, Content, Fault, Framed, Message, Place};
use stepwell_core::identity::StoreId;

fn place() -> Place {
    Place {
        store: StoreId::from_bytes([7; 16]),
        epoch: 3,
        first: 11,
        previous: Hash([9; 32]),
    }
}

fn framed() -> impl Strategy<Value = Framed> {
    let bytes = || prop::collection::vec(any::<u8>(), 0..3000);
    (1..100_u32, bytes(), bytes()).prop_map(|(count, payload, rows)| Framed {
        count,
        payload,
        rows,
    })
}

/// A message with another byte, and checksums that fit it.
pub fn forged(bytes: &[u8], at: usize, byte: u8) -> Vec<u8> {
    let mut forged = bytes.to_vec();
    forged[at] = byte;
    let checksum = crc32c::crc32c(&forged[..message::HEADER - 4]);
    forged[message::HEADER - 4..message::HEADER].copy_from_slice(&checksum.to_le_bytes());
    forged
}

proptest! {
    #[test]
    fn frames_are_read_as_they_were_written(frames in prop::collection::vec(framed(), 1..5), limit in 200..5000_usize) {
        let parts = message::frames(place(), &frames, limit);
        prop_assert!(parts.iter().all(|part| part.len() <= limit));
        let read = message::decode(&parts).unwrap();
        prop_assert_eq!(read, Message { place: place(), content: Content::Frames(frames) });
        if parts.len() > 1 {
            prop_assert!(message::decode(&parts[1..]).is_err());
            prop_assert!(message::decode(&parts[..parts.len() - 1]).is_err());
        }
    }

    #[test]
    fn a_changed_byte_is_noticed(frame in framed(), at in any::<prop::sample::Index>(), bit in 0..8_u8) {
        let parts = message::frames(place(), &[frame], 1 << 20);
        let mut bytes = parts[0].to_vec();
        let at = at.index(bytes.len());
        bytes[at] ^= 1 << bit;
        prop_assert!(message::decode(&[bytes.into()]).is_err());
    }
}

#[test]
fn a_mark_names_its_node_and_is_like_no_other() {
    let marks = [[0; 16], [1; 16]].map(|nonce| message::mark(place(), "n1", nonce));
    assert_ne!(marks[0], marks[1]);
    for mark in marks {
        let node = "n1".to_owned();
        let content = Content::Mark { node };
        let read = Message {
            place: place(),
            content,
        };
        assert_eq!(message::decode(&[mark]).unwrap(), read);
    }
}

#[test]
fn a_newer_format_of_messages_records_or_rows_is_named() {
    let frame = Framed {
        count: 1,
        payload: vec![1],
        rows: vec![2],
    };
    let written = message::frames(place(), &[frame], 1 << 20);
    for (at, what) in [(4, "format"), (8, "record format"), (10, "row format")] {
        let newer = forged(&written[0], at, 99);
        let known = u32::from(written[0][at]);
        assert_eq!(
            message::decode(&[newer.into()]),
            Err(Fault::Newer(what, 99, known))
        );
    }
}

#[test]
fn what_repeats_itself_is_compressed() {
    let frame = Framed {
        count: 3,
        payload: b"state ".repeat(2000),
        rows: b"row ".repeat(2000),
    };
    let frames = vec![frame.clone(), frame];
    let bytes: usize = frames.iter().map(Framed::bytes).sum();
    let parts = message::frames(place(), &frames, 1 << 20);
    assert!(parts[0].len() < bytes / 10);
    let read = message::decode(&parts).unwrap();
    assert_eq!(read.content, Content::Frames(frames));
}

#[test]
fn a_length_that_no_block_has_is_refused_before_it_is_reserved() {
    let frame = Framed {
        count: 1,
        payload: vec![7; 4000],
        rows: Vec::new(),
    };
    let mut bytes = message::frames(place(), &[frame], 1 << 20)[0].to_vec();
    bytes[message::HEADER..message::HEADER + 4].copy_from_slice(&u32::MAX.to_le_bytes());
    let checksum = crc32c::crc32c(&bytes[message::HEADER..]);
    bytes[message::HEADER - 8..message::HEADER - 4].copy_from_slice(&checksum.to_le_bytes());
    let bytes = forged(&bytes, 0, bytes[0]);
    assert_eq!(
        message::decode(&[bytes.into()]),
        Err(Fault::Damaged("its body makes no sense"))
    );
}
