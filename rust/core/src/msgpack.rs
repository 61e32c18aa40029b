//! Reads MessagePack values from bytes without copying.

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
        match self.marker()? {
            Marker::FixArray(count) => Ok(count.into()),
            Marker::Array16 => Ok(self.unsigned(2)? as u32),
            Marker::Array32 => Ok(self.unsigned(4)? as u32),
            other => Err(self.unexpected(start, "an array", other)),
        }
    }

    /// An integer of any size.
    pub fn integer(&mut self) -> Result<i128> {
        let start = self.at;
        Ok(match self.marker()? {
            Marker::FixPos(value) => value.into(),
            Marker::FixNeg(value) => value.into(),
            Marker::U8 => self.unsigned(1)?.into(),
            Marker::U16 => self.unsigned(2)?.into(),
            Marker::U32 => self.unsigned(4)?.into(),
            Marker::U64 => self.unsigned(8)?.into(),
            Marker::I8 => (self.unsigned(1)? as i8).into(),
            Marker::I16 => (self.unsigned(2)? as i16).into(),
            Marker::I32 => (self.unsigned(4)? as i32).into(),
            Marker::I64 => (self.unsigned(8)? as i64).into(),
            other => return Err(self.unexpected(start, "an integer", other)),
        })
    }

    /// A number; integers are accepted.
    pub fn float(&mut self) -> Result<f64> {
        match self.peek()? {
            Marker::F32 => {
                self.at += 1;
                Ok(f32::from_bits(self.unsigned(4)? as u32).into())
            }
            Marker::F64 => {
                self.at += 1;
                Ok(f64::from_bits(self.unsigned(8)?))
            }
            _ => Ok(self.integer()? as f64),
        }
    }

    pub fn boolean(&mut self) -> Result<bool> {
        let start = self.at;
        match self.marker()? {
            Marker::True => Ok(true),
            Marker::False => Ok(false),
            other => Err(self.unexpected(start, "a boolean", other)),
        }
    }

    /// Whether a nil follows; if so, skips it.
    pub fn nil(&mut self) -> Result<bool> {
        let is_nil = self.peek()? == Marker::Null;
        self.at += usize::from(is_nil);
        Ok(is_nil)
    }

    pub fn text(&mut self) -> Result<&'a str> {
        let start = self.at;
        let length = match self.marker()? {
            Marker::FixStr(length) => length.into(),
            Marker::Str8 => self.unsigned(1)?,
            Marker::Str16 => self.unsigned(2)?,
            Marker::Str32 => self.unsigned(4)?,
            other => return Err(self.unexpected(start, "text", other)),
        };
        let bytes = self.take(length)?;
        std::str::from_utf8(bytes).map_err(|_| self.error(start, "text that is not UTF-8"))
    }

    pub fn binary(&mut self) -> Result<&'a [u8]> {
        let start = self.at;
        let length = match self.marker()? {
            Marker::Bin8 => self.unsigned(1)?,
            Marker::Bin16 => self.unsigned(2)?,
            Marker::Bin32 => self.unsigned(4)?,
            other => return Err(self.unexpected(start, "binary", other)),
        };
        self.take(length)
    }

    /// Skips one value of any kind, with everything in it.
    pub fn skip(&mut self) -> Result<()> {
        let mut left: u64 = 1;
        while left > 0 {
            left -= 1;
            let length = match self.marker()? {
                Marker::FixPos(_) | Marker::FixNeg(_) | Marker::Null => 0,
                Marker::True | Marker::False | Marker::Reserved => 0,
                Marker::U8 | Marker::I8 => 1,
                Marker::U16 | Marker::I16 | Marker::FixExt1 => 2,
                Marker::FixExt2 => 3,
                Marker::U32 | Marker::I32 | Marker::F32 => 4,
                Marker::FixExt4 => 5,
                Marker::U64 | Marker::I64 | Marker::F64 => 8,
                Marker::FixExt8 => 9,
                Marker::FixExt16 => 17,
                Marker::FixStr(length) => length.into(),
                Marker::Str8 | Marker::Bin8 => self.unsigned(1)?,
                Marker::Str16 | Marker::Bin16 => self.unsigned(2)?,
                Marker::Str32 | Marker::Bin32 => self.unsigned(4)?,
                Marker::Ext8 => self.unsigned(1)? + 1,
                Marker::Ext16 => self.unsigned(2)? + 1,
                Marker::Ext32 => self.unsigned(4)? + 1,
                container => {
                    left += self.values_in(container)?;
                    0
                }
            };
            self.take(length)?;
        }
        Ok(())
    }

    fn values_in(&mut self, container: Marker) -> Result<u64> {
        Ok(match container {
            Marker::FixArray(count) => count.into(),
            Marker::Array16 => self.unsigned(2)?,
            Marker::Array32 => self.unsigned(4)?,
            Marker::FixMap(pairs) => 2 * u64::from(pairs),
            Marker::Map16 => 2 * self.unsigned(2)?,
            Marker::Map32 => 2 * self.unsigned(4)?,
            _ => 0,
        })
    }

    fn peek(&self) -> Result<Marker> {
        match self.bytes.get(self.at) {
            Some(byte) => Ok(Marker::from_u8(*byte)),
            None => Err(self.error(self.at, "the bytes end where a value should begin")),
        }
    }

    fn marker(&mut self) -> Result<Marker> {
        let marker = self.peek()?;
        self.at += 1;
        Ok(marker)
    }

    fn unsigned(&mut self, bytes: u64) -> Result<u64> {
        let bytes = self.take(bytes)?;
        Ok(bytes
            .iter()
            .fold(0, |value, byte| value << 8 | u64::from(*byte)))
    }

    fn take(&mut self, length: u64) -> Result<&'a [u8]> {
        let left = &self.bytes[self.at..];
        let Some(taken) = usize::try_from(length).ok().and_then(|end| left.get(..end)) else {
            return Err(self.error(self.at, "the bytes end inside a value"));
        };
        self.at += taken.len();
        Ok(taken)
    }

    fn unexpected(&self, offset: usize, wanted: &str, found: Marker) -> Error {
        self.error(offset, format!("{wanted} was expected, not {found:?}"))
    }
}
