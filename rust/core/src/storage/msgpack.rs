//! A MessagePack reader for keys: it reads the fields of a key and skips the rest.

use crate::error::{Error, Result};

/// An offset in bytes that hold MessagePack values.
#[derive(Clone)]
pub struct Reader<'a> {
    bytes: &'a [u8],
    at: usize,
}

impl<'a> Reader<'a> {
    pub fn new(bytes: &'a [u8]) -> Self {
        Self { bytes, at: 0 }
    }

    pub fn at(&self) -> usize {
        self.at
    }

    pub fn is_at_end(&self) -> bool {
        self.at == self.bytes.len()
    }

    /// The bytes from `start`, an earlier offset, up to here.
    pub fn since(&self, start: usize) -> &'a [u8] {
        &self.bytes[start..self.at]
    }

    /// Reads an array's header: how many values it holds.
    pub fn array(&mut self) -> Result<u32> {
        match self.byte()? {
            marker @ 0x90..=0x9f => Ok(u32::from(marker & 0x0f)),
            0xdc => Ok(self.number::<2>()? as u32),
            0xdd => Ok(self.number::<4>()? as u32),
            marker => Err(self.unexpected("an array", marker)),
        }
    }

    pub fn text(&mut self) -> Result<&'a str> {
        let length = match self.byte()? {
            marker @ 0xa0..=0xbf => usize::from(marker & 0x1f),
            0xd9 => self.number::<1>()? as usize,
            0xda => self.number::<2>()? as usize,
            0xdb => self.number::<4>()? as usize,
            marker => return Err(self.unexpected("a string", marker)),
        };
        let bytes = self.take(length)?;
        std::str::from_utf8(bytes).map_err(|_| self.malformed("a string is not UTF-8"))
    }

    pub fn integer(&mut self) -> Result<i64> {
        Ok(match self.byte()? {
            marker @ 0x00..=0x7f => i64::from(marker),
            marker @ 0xe0..=0xff => i64::from(marker as i8),
            0xcc => self.number::<1>()? as i64,
            0xcd => self.number::<2>()? as i64,
            0xce => self.number::<4>()? as i64,
            0xcf => i64::try_from(self.number::<8>()?)
                .map_err(|_| self.malformed("an integer is beyond 63 bits"))?,
            0xd0 => i64::from(self.number::<1>()? as i8),
            0xd1 => i64::from(self.number::<2>()? as i16),
            0xd2 => i64::from(self.number::<4>()? as i32),
            0xd3 => self.number::<8>()? as i64,
            marker => return Err(self.unexpected("an integer", marker)),
        })
    }

    /// Skips `count` values, however deeply nested.
    pub fn skip(&mut self, count: u32) -> Result<()> {
        let mut open = u64::from(count);
        while open > 0 {
            open -= 1;
            let (length, inner) = match self.byte()? {
                0x00..=0x7f | 0xe0..=0xff | 0xc0 | 0xc2 | 0xc3 => (0, 0),
                marker @ 0x80..=0x8f => (0, 2 * u64::from(marker & 0x0f)),
                marker @ 0x90..=0x9f => (0, u64::from(marker & 0x0f)),
                marker @ 0xa0..=0xbf => (usize::from(marker & 0x1f), 0),
                0xc4 | 0xd9 => (self.number::<1>()? as usize, 0),
                0xc5 | 0xda => (self.number::<2>()? as usize, 0),
                0xc6 | 0xdb => (self.number::<4>()? as usize, 0),
                0xc7 => (self.number::<1>()? as usize + 1, 0),
                0xc8 => (self.number::<2>()? as usize + 1, 0),
                0xc9 => (self.number::<4>()? as usize + 1, 0),
                0xcc | 0xd0 => (1, 0),
                0xcd | 0xd1 => (2, 0),
                0xca | 0xce | 0xd2 => (4, 0),
                0xcb | 0xcf | 0xd3 => (8, 0),
                0xd4 => (2, 0),
                0xd5 => (3, 0),
                0xd6 => (5, 0),
                0xd7 => (9, 0),
                0xd8 => (17, 0),
                0xdc => (0, self.number::<2>()?),
                0xdd => (0, self.number::<4>()?),
                0xde => (0, 2 * self.number::<2>()?),
                0xdf => (0, 2 * self.number::<4>()?),
                marker => return Err(self.unexpected("a value", marker)),
            };
            self.take(length)?;
            open += inner;
        }
        Ok(())
    }

    fn byte(&mut self) -> Result<u8> {
        Ok(self.take(1)?[0])
    }

    fn number<const N: usize>(&mut self) -> Result<u64> {
        Ok(self
            .take(N)?
            .iter()
            .fold(0, |number, byte| number << 8 | u64::from(*byte)))
    }

    fn take(&mut self, length: usize) -> Result<&'a [u8]> {
        let end = self
            .at
            .checked_add(length)
            .filter(|end| *end <= self.bytes.len());
        let end = end.ok_or_else(|| self.malformed("the bytes end within a value"))?;
        let taken = &self.bytes[self.at..end];
        self.at = end;
        Ok(taken)
    }

    fn unexpected(&self, wanted: &str, marker: u8) -> Error {
        self.malformed(&format!("{wanted} was due, not the marker {marker:#04x}"))
    }

    fn malformed(&self, what: &str) -> Error {
        Error::Record {
            offset: self.at,
            reason: what.to_owned(),
        }
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
        assert_eq!(reader.integer().unwrap(), 42);
        assert!(reader.is_at_end());
    }

    #[test]
    fn refuses_what_ends_early_and_what_is_no_msgpack() {
        assert!(Reader::new(&[0x92, 0x01]).skip(1).is_err());
        assert!(Reader::new(&[0xc1]).skip(1).is_err());
        assert!(Reader::new(&[0xdb, 0xff, 0xff, 0xff, 0xff]).text().is_err());
        assert!(Reader::new(&[0x01]).text().is_err());
    }
}
