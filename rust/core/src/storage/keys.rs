//! Key layouts: no other module knows them.
//!
//! A key is a sequence of parts whose byte order is the order of their values. A text is encoded as its
//! bytes, with `00` written as `00 FF`, and ended by `00 01`: no text's key is a prefix of another's, and a
//! shorter text comes first. A number is eight big-endian bytes, inverted where the newest comes
//! first.

use super::families::Family;
use crate::error::{Error, Result};
use crate::msgpack::Reader;

/// The tag that deletes all rows of an execution.
pub const EXECUTION_TREE: i64 = 100;

/// How a row's field is encoded in its key.
#[derive(Clone, Copy, PartialEq, Eq, Debug)]
pub enum Field {
    Text,
    Number,
    /// A number in descending order.
    Newest,
    /// An id within an execution: the execution's id, the row's tag, the rest of the id.
    Within,
}

/// The key of one kind of row.
#[derive(Debug)]
pub struct Layout {
    pub tag: u8,
    pub family: Family,
    /// Whether the tag comes first in the key, because the family holds several kinds of rows.
    tagged: bool,
    /// The row's first fields, which make its key.
    pub fields: &'static [Field],
    /// The indexes of `fields` in the order in which the key holds them.
    order: &'static [usize],
}

const fn layout(
    tag: u8,
    family: Family,
    tagged: bool,
    fields: &'static [Field],
    order: &'static [usize],
) -> Layout {
    Layout {
        tag,
        family,
        tagged,
        fields,
        order,
    }
}

use Field::{Newest, Number, Text, Within};

static LAYOUTS: [Layout; 20] = [
    layout(1, Family::Executions, false, &[Text], &[0]),
    layout(2, Family::Activities, false, &[Within], &[0]),
    layout(3, Family::Activities, false, &[Within], &[0]),
    layout(4, Family::Activities, false, &[Within], &[0]),
    layout(5, Family::Tasks, true, &[Text], &[0]),
    layout(
        6,
        Family::Timers,
        false,
        &[Text, Number, Number],
        &[2, 0, 1],
    ),
    layout(7, Family::Workflows, true, &[Text, Number], &[0, 1]),
    layout(8, Family::Idempotency, false, &[Text], &[0]),
    layout(
        9,
        Family::Visibility,
        true,
        &[Text, Text, Newest, Text],
        &[0, 1, 2, 3],
    ),
    layout(10, Family::Activities, false, &[Within], &[0]),
    layout(11, Family::Tasks, true, &[Text, Number, Text], &[0, 1, 2]),
    layout(12, Family::Meta, true, &[Number], &[0]),
    layout(13, Family::Meta, true, &[Text], &[0]),
    layout(14, Family::Activities, false, &[Within], &[0]),
    layout(15, Family::Activities, false, &[Within], &[0]),
    layout(
        16,
        Family::Visibility,
        true,
        &[Text, Text, Newest, Text],
        &[0, 1, 2, 3],
    ),
    layout(17, Family::Workflows, true, &[Text, Number], &[0, 1]),
    layout(18, Family::Workflows, true, &[Text, Text], &[0, 1]),
    layout(19, Family::Workflows, true, &[Text], &[0]),
    layout(20, Family::Workflows, true, &[Text], &[0]),
];

/// The most key fields that a row has.
const MAX_KEY_FIELDS: usize = 4;

/// A field's value.
#[derive(Clone, Copy, PartialEq, Eq, Debug)]
pub enum Value<'a> {
    Text(&'a str),
    Number(u64),
}

impl Layout {
    pub fn of(tag: i64) -> Result<&'static Self> {
        let index = tag
            .checked_sub(1)
            .and_then(|index| usize::try_from(index).ok());
        index
            .and_then(|index| LAYOUTS.get(index))
            .ok_or_else(|| Error::Key {
                reason: format!("there are no rows of tag {tag}"),
            })
    }

    /// Whether all rows whose keys begin with this prefix (all of the family if it is empty) are of this kind.
    pub fn has_only_this_kind(&self, prefix: &[Value]) -> bool {
        self.fields[0] != Field::Within || !prefix.is_empty()
    }

    /// Whether a number in ascending order follows the prefix in a key.
    pub fn number_follows(&self, prefix: &[Value]) -> bool {
        let place = self.order.get(prefix.len());
        place.is_some_and(|place| self.fields[*place] == Field::Number)
    }

    /// Appends the key of a row to `key`; `values` are the row's key fields.
    pub fn key(&self, values: &[Value], key: &mut Vec<u8>) -> Result<()> {
        if values.len() != self.fields.len() {
            return Err(self.wrong_key());
        }
        if self.tagged {
            key.push(self.tag);
        }
        self.order
            .iter()
            .try_for_each(|&place| self.part(self.fields[place], values[place], key))
    }

    /// Appends the common prefix of the keys of all rows whose first parts, in the key's order, are `values`.
    ///
    /// The id of a `Within` field may be an execution's or an activity's: the prefix covers the rows below it.
    pub fn prefix(&self, values: &[Value], key: &mut Vec<u8>) -> Result<()> {
        if self.tagged {
            key.push(self.tag);
        }
        for (index, &value) in values.iter().enumerate() {
            let place = *self.order.get(index).ok_or_else(|| self.wrong_key())?;
            match (self.fields[place], value) {
                (Field::Within, Value::Text(id)) => {
                    let (execution, rest) = split_id(id);
                    text(execution, key);
                    key.push(self.tag);
                    if !rest.is_empty() {
                        escaped(rest, key);
                        escaped("/", key);
                    }
                }
                (field, value) => self.part(field, value, key)?,
            }
        }
        Ok(())
    }

    /// Reads the key fields of a row or of a deletion, after its tag, and appends the row's key to `key`.
    pub fn read_key(&self, row: &mut Reader, key: &mut Vec<u8>) -> Result<()> {
        let mut values = [Value::Number(0); MAX_KEY_FIELDS];
        for (value, field) in values.iter_mut().zip(self.fields) {
            *value = match field {
                Field::Text | Field::Within => Value::Text(row.text()?),
                Field::Number | Field::Newest => Value::Number(row.integer::<i64>()? as u64),
            };
        }
        self.key(&values[..self.fields.len()], key)
    }

    fn part(&self, field: Field, value: Value, key: &mut Vec<u8>) -> Result<()> {
        match (field, value) {
            (Field::Text, Value::Text(value)) => text(value, key),
            (Field::Number, Value::Number(value)) => number(value, key),
            (Field::Newest, Value::Number(value)) => number(!value, key),
            (Field::Within, Value::Text(id)) => {
                let (execution, rest) = split_id(id);
                text(execution, key);
                key.push(self.tag);
                text(rest, key);
            }
            _ => return Err(self.wrong_key()),
        }
        Ok(())
    }

    fn wrong_key(&self) -> Error {
        let wanted = self.fields.iter().map(|field| match field {
            Field::Text | Field::Within => "text",
            Field::Number | Field::Newest => "number",
        });
        let wanted = wanted.collect::<Vec<_>>().join(", ");
        Error::Key {
            reason: format!("a row of tag {} has a key of {wanted}", self.tag),
        }
    }
}

/// The key of a turn in an execution's history.
pub fn history(execution: &str, first_event: u64, key: &mut Vec<u8>) {
    text(execution, key);
    number(first_event, key);
}

/// The prefix of the keys of all of an execution's rows in a family that is ordered by execution.
pub fn execution(execution: &str, key: &mut Vec<u8>) {
    text(execution, key);
}

/// The least key that is greater than every key with this prefix; `None` if there is no such key.
pub fn after_prefix(prefix: &[u8]) -> Option<Vec<u8>> {
    let last = prefix.iter().rposition(|byte| *byte != 0xff)?;
    let mut end = prefix[..=last].to_vec();
    end[last] += 1;
    Some(end)
}

/// Splits an id: `/{tenant}/{namespace}/e{hash}/{hlc}` and `/{rest}`.
pub fn split_id(id: &str) -> (&str, &str) {
    match id.match_indices('/').nth(4) {
        Some((slash, _)) => (&id[..slash], &id[slash + 1..]),
        None => (id, ""),
    }
}

pub fn number(value: u64, key: &mut Vec<u8>) {
    key.extend_from_slice(&value.to_be_bytes());
}

fn text(value: &str, key: &mut Vec<u8>) {
    escaped(value, key);
    key.extend_from_slice(&[0x00, 0x01]);
}

fn escaped(value: &str, key: &mut Vec<u8>) {
    let value = value.as_bytes();
    if !value.contains(&0) {
        return key.extend_from_slice(value);
    }
    for &byte in value {
        key.push(byte);
        if byte == 0 {
            key.push(0xff);
        }
    }
}

#[cfg(test)]
#[path = "keys_tests.rs"]
mod tests;
