//! The id of a store: random, created with the store and written into all of its files.
//!
//! A path says where a folder is, not what it is: folders are moved, swapped and restored. So every
//! frame of the log, the storage, a fence and a follower's mark carry the id of their store, and a
//! file of another store is recognized by that.

use std::fmt;

use crate::hex::parse_hex;

/// The id of a store, or of a follower: 128 random bits.
#[derive(Clone, Copy, PartialEq, Eq, PartialOrd, Ord, Hash)]
pub struct StoreId([u8; StoreId::LENGTH]);

impl StoreId {
    /// Its length in bytes.
    pub const LENGTH: usize = 16;

    /// A new random id.
    pub fn random() -> StoreId {
        StoreId(uuid::Uuid::new_v4().into_bytes())
    }

    pub const fn from_bytes(bytes: [u8; StoreId::LENGTH]) -> StoreId {
        StoreId(bytes)
    }

    pub const fn to_bytes(self) -> [u8; StoreId::LENGTH] {
        self.0
    }

    /// Reads what [`Display`](fmt::Display) writes.
    pub fn parse(text: &str) -> Option<StoreId> {
        let (high, low) = text.split_at_checked(16)?;
        let number = u128::from(parse_hex(high, 16)?) << 64 | u128::from(parse_hex(low, 16)?);
        Some(StoreId(number.to_be_bytes()))
    }
}

impl fmt::Display for StoreId {
    fn fmt(&self, out: &mut fmt::Formatter<'_>) -> fmt::Result {
        write!(out, "{:032x}", u128::from_be_bytes(self.0))
    }
}

impl fmt::Debug for StoreId {
    fn fmt(&self, out: &mut fmt::Formatter<'_>) -> fmt::Result {
        fmt::Display::fmt(self, out)
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn an_id_is_read_as_it_is_written() {
        let id = StoreId::random();
        assert_eq!(StoreId::parse(&id.to_string()), Some(id));
        assert_ne!(id, StoreId::random());
        for text in [
            "",
            "0",
            "é",
            &"0".repeat(31),
            &"0".repeat(33),
            &"g".repeat(32),
        ] {
            assert_eq!(StoreId::parse(text), None, "{text}");
        }
    }
}
