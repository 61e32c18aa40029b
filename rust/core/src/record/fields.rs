//! Reads the fields of one array in order.

use super::field::Field;
use crate::error::{Error, Result};
use crate::msgpack::Reader;

/// An array whose fields are read one after the other.
pub struct Fields<'r, 'a> {
    reader: &'r mut Reader<'a>,
    start: usize,
    left: u32,
    tag: u64,
}

impl<'r, 'a> Fields<'r, 'a> {
    /// `[tag, field, …]`
    pub fn tagged(reader: &'r mut Reader<'a>) -> Result<Fields<'r, 'a>> {
        let mut fields = Fields::untagged(reader)?;
        fields.tag = fields.required("tag")?;
        Ok(fields)
    }

    /// `[field, …]`
    pub fn untagged(reader: &'r mut Reader<'a>) -> Result<Fields<'r, 'a>> {
        let start = reader.offset();
        let left = reader.array()?;
        Ok(Fields {
            reader,
            start,
            left,
            tag: 0,
        })
    }

    pub fn tag(&self) -> u64 {
        self.tag
    }

    /// The next field.
    pub fn required<T: Field<'a>>(&mut self, name: &str) -> Result<T> {
        let Some(left) = self.left.checked_sub(1) else {
            let name = name.trim_start_matches("r#");
            return Err(self.error(format!("tag {} lacks the field {name}", self.tag)));
        };
        self.left = left;
        T::read(self.reader)
    }

    /// The next field, or `default` if an older version wrote fewer fields.
    pub fn or<T: Field<'a>>(&mut self, default: T) -> Result<T> {
        if self.left == 0 {
            return Ok(default);
        }
        self.required("")
    }

    /// Skips fields that a newer version added.
    pub fn finish(self) -> Result<()> {
        self.reader.skip(self.left)
    }

    pub fn unknown_tag(&self) -> Error {
        self.error(format!(
            "tag {} is not known here: a newer version wrote it; upgrade this one",
            self.tag
        ))
    }

    fn error(&self, reason: String) -> Error {
        self.reader.error(self.start, reason)
    }
}

/// Begins an array of `count` values, of which the first is the tag.
pub fn write_head(out: &mut Vec<u8>, count: u32, tag: u64) {
    write_count(out, count);
    tag.write(out);
}

/// Begins an array of `count` values.
pub fn write_count(out: &mut Vec<u8>, count: u32) {
    rmp::encode::write_array_len(out, count).expect("a vector takes all bytes");
}
