//! Reads MessagePack values from bytes without copying: records, and the keys of rows.

use rmp::Marker;

use crate::error::{Error, Result};

/// An offset in bytes that hold MessagePack values back to back.
#[derive(Clone, Debug)]
pub struct Reader<'a> {
    bytes: &'a [u8],
    at: usize,
}

impl<'a> Reader<'a> {
    pub fn new(bytes: &'a [u8]) -> Reader<'a> {
        Reader { bytes, at: 0 }
    }

    /// How many bytes were read.
    pub fn offset(&self) -> usize {
        self.at
    }

    /// Whether all bytes were read.
    pub fn is_at_end(&self) -> bool {
        self.at == self.bytes.len()
    }

    /// The bytes that were read since `start`, an earlier [`offset`](Self::offset).
    pub fn since(&self, start: usize) -> &'a [u8] {
        &self.bytes[start..self.at]
    }

    /// An error that names the offset of the defect.
    pub fn error(&self, offset: usize, reason: impl Into<String>) -> Error {
        Error::Record {
            offset,
            reason: reason.into(),
        }
    }

    /// Reads an array's header: the number of values that follow.
    pub fn array(&mut self) -> Result<u32> {
        let start = self.at;
        match self.byte()? {
            marker @ 0x90..=0x9f => Ok(u32::from(marker & 0x0f)),
            0xdc => Ok(self.number::<2>()? as u32),
            0xdd => Ok(self.number::<4>()? as u32),
            _ => Err(self.unexpected(start, "an array")),
        }
    }

    /// An integer; one that `T` cannot hold is refused.
    pub fn integer<T: TryFrom<u64> + TryFrom<i64>>(&mut self) -> Result<T> {
        let start = self.at;
        let (value, is_positive) = match self.byte()? {
            marker @ 0x00..=0x7f => (i64::from(marker), true),
            marker @ 0xe0..=0xff => (i64::from(marker as i8), false),
            0xcc => (self.number::<1>()? as i64, true),
            0xcd => (self.number::<2>()? as i64, true),
            0xce => (self.number::<4>()? as i64, true),
            0xcf => (self.number::<8>()? as i64, true),
            0xd0 => (i64::from(self.number::<1>()? as i8), false),
            0xd1 => (i64::from(self.number::<2>()? as i16), false),
            0xd2 => (i64::from(self.number::<4>()? as i32), false),
            0xd3 => (self.number::<8>()? as i64, false),
            _ => return Err(self.unexpected(start, "an integer")),
        };
        let held = match is_positive {
            true => T::try_from(value as u64).ok(),
            false => T::try_from(value).ok(),
        };
        held.ok_or_else(|| self.error(start, "an integer that is out of range"))
    }

    /// A number; integers are accepted.
    pub fn float(&mut self) -> Result<f64> {
        match self.peek()? {
            0xca => {
                self.at += 1;
                Ok(f32::from_bits(self.number::<4>()? as u32).into())
            }
            0xcb => {
                self.at += 1;
                Ok(f64::from_bits(self.number::<8>()?))
            }
            _ => Ok(self.integer::<i128>()? as f64),
        }
    }

    pub fn boolean(&mut self) -> Result<bool> {
        let start = self.at;
        match self.byte()? {
            0xc2 => Ok(false),
            0xc3 => Ok(true),
            _ => Err(self.unexpected(start, "a boolean")),
        }
    }

    /// Whether a nil follows; if so, skips it.
    pub fn nil(&mut self) -> Result<bool> {
        let is_nil = self.peek()? == 0xc0;
        self.at += usize::from(is_nil);
        Ok(is_nil)
    }

    pub fn text(&mut self) -> Result<&'a str> {
        let start = self.at;
        let length = match self.byte()? {
            marker @ 0xa0..=0xbf => u64::from(marker & 0x1f),
            0xd9 => self.number::<1>()?,
            0xda => self.number::<2>()?,
            0xdb => self.number::<4>()?,
            _ => return Err(self.unexpected(start, "text")),
        };
        let bytes = self.take(length)?;
        std::str::from_utf8(bytes).map_err(|_| self.error(start, "text that is not UTF-8"))
    }

    pub fn binary(&mut self) -> Result<&'a [u8]> {
        let start = self.at;
        let length = match self.byte()? {
            0xc4 => self.number::<1>()?,
            0xc5 => self.number::<2>()?,
            0xc6 => self.number::<4>()?,
            _ => return Err(self.unexpected(start, "binary")),
        };
        self.take(length)
    }

    /// Skips `count` values of any kind, with everything in them, however deeply nested.
    pub fn skip(&mut self, count: u32) -> Result<()> {
        let mut left = u64::from(count);
        while left > 0 {
            left -= 1;
            let start = self.at;
            let (length, inner) = match self.byte()? {
                0x00..=0x7f | 0xe0..=0xff | 0xc0 | 0xc2 | 0xc3 => (0, 0),
                marker @ 0x80..=0x8f => (0, 2 * u64::from(marker & 0x0f)),
                marker @ 0x90..=0x9f => (0, u64::from(marker & 0x0f)),
                marker @ 0xa0..=0xbf => (u64::from(marker & 0x1f), 0),
                0xc4 | 0xd9 => (self.number::<1>()?, 0),
                0xc5 | 0xda => (self.number::<2>()?, 0),
                0xc6 | 0xdb => (self.number::<4>()?, 0),
                0xc7 => (self.number::<1>()? + 1, 0),
                0xc8 => (self.number::<2>()? + 1, 0),
                0xc9 => (self.number::<4>()? + 1, 0),
                0xcc | 0xd0 => (1, 0),
                0xcd | 0xd1 | 0xd4 => (2, 0),
                0xca | 0xce | 0xd2 => (4, 0),
                0xcb | 0xcf | 0xd3 => (8, 0),
                0xd5 => (3, 0),
                0xd6 => (5, 0),
                0xd7 => (9, 0),
                0xd8 => (17, 0),
                0xdc => (0, self.number::<2>()?),
                0xdd => (0, self.number::<4>()?),
                0xde => (0, 2 * self.number::<2>()?),
                0xdf => (0, 2 * self.number::<4>()?),
                0xc1 => return Err(self.unexpected(start, "a value")),
            };
            self.take(length)?;
            left += inner;
        }
        Ok(())
    }

    fn peek(&self) -> Result<u8> {
        let byte = self.bytes.get(self.at).copied();
        byte.ok_or_else(|| self.error(self.at, "the bytes end where a value should begin"))
    }

    fn byte(&mut self) -> Result<u8> {
        let byte = self.peek()?;
        self.at += 1;
        Ok(byte)
    }

    fn number<const N: usize>(&mut self) -> Result<u64> {
        let bytes = self.take(N as u64)?;
        Ok(bytes
            .iter()
            .fold(0, |number, byte| number << 8 | u64::from(*byte)))
    }

    fn take(&mut self, length: u64) -> Result<&'a [u8]> {
        let left = &self.bytes[self.at..];
        let Some(taken) = usize::try_from(length).ok().and_then(|end| left.get(..end)) else {
            return Err(self.error(self.at, "the bytes end inside a value"));
        };
        self.at += taken.len();
        Ok(taken)
    }

    /// An error that names the marker at `offset`.
    fn unexpected(&self, offset: usize, wanted: &str) -> Error {
        let found = Marker::from_u8(self.bytes[offset]);
        self.error(offset, format!("{wanted} was expected, not {found:?}"))
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn skips_every_kind_of_value() {
        let mut bytes = vec![
            0x93, 0x01, 0x82, 0xa1, b'k', 0x91, 0xc0, 0xa1, b'l', 0xc4, 2, 7, 7, 0xd6, 1, 2, 3, 4,
            5,
        ];
        bytes.extend([0xcb, 0, 0, 0, 0, 0, 0, 0, 0, 0x2a]);
        let mut reader = Reader::new(&bytes);
        reader.skip(2).unwrap();
        assert_eq!(reader.integer::<i64>().unwrap(), 42);
        assert!(reader.is_at_end());
    }

    #[test]
    fn refuses_what_ends_early_and_what_is_no_msgpack() {
        assert!(Reader::new(&[0x92, 0x01]).skip(1).is_err());
        assert!(Reader::new(&[0xc1]).skip(1).is_err());
        assert!(Reader::new(&[0xdb, 0xff, 0xff, 0xff, 0xff]).text().is_err());
        assert!(Reader::new(&[0x01]).text().is_err());
        let beyond = [0xcf, 0xff, 0xff, 0xff, 0xff, 0xff, 0xff, 0xff, 0xff];
        assert!(Reader::new(&beyond).integer::<i64>().is_err());
    }
}
