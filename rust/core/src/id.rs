//! Ids, their formats and their order.
//!
//! | what | format |
//! |---|---|
//! | execution | `/{tenant}/{namespace}/e{7 hex}/{16 hex timestamp}` |
//! | activity | `{execution}/{8 hex}` |
//! | branch | `{activity}/b{index}` |
//! | iteration | `{activity}/i{index}` |
//! | task | `/{tenant}/{namespace}/t{7 hex of the task type}/{8 hex}` |
//!
//! Hex digits are lower case and indexes have no leading zeros: one id has one spelling. An id
//! without its last part (of an activity and below: the execution's) is the **partition key**.

use std::fmt;

use crate::clock::Timestamp;
use crate::error::{Error, Result};
use crate::hex::parse_hex;

/// The longest tenant or namespace, in bytes.
pub const MAX_NAME: usize = 128;

/// A parsed id. It borrows the names from the text that it was parsed from.
#[derive(Clone, Copy, Debug, PartialEq, Eq, Hash, PartialOrd, Ord)]
pub struct Id<'a> {
    pub tenant: &'a str,
    pub namespace: &'a str,
    /// The 28 bits that [`hash7`] made of the idempotency key, or of the task's type.
    pub hash: u32,
    pub kind: Kind,
}

/// What an id names, with the parts that only this kind has.
#[derive(Clone, Copy, Debug, PartialEq, Eq, Hash, PartialOrd, Ord)]
pub enum Kind {
    Execution {
        timestamp: Timestamp,
    },
    Activity {
        timestamp: Timestamp,
        activity: u32,
    },
    Branch {
        timestamp: Timestamp,
        activity: u32,
        index: u32,
    },
    Iteration {
        timestamp: Timestamp,
        activity: u32,
        index: u32,
    },
    Task {
        number: u32,
    },
}

impl<'a> Id<'a> {
    /// Parses any of the formats above. Printing the result gives the same text again.
    pub fn parse(text: &'a str) -> Result<Id<'a>> {
        parse_parts(text).map_err(|reason| invalid("id", text, reason))
    }

    /// The id of the execution that an activity, a branch or an iteration belongs to; `None` for a
    /// task, whose id does not contain it.
    pub fn execution(&self) -> Option<Id<'a>> {
        let timestamp = self.timestamp()?;
        Some(Id {
            kind: Kind::Execution { timestamp },
            ..*self
        })
    }

    /// The timestamp of the execution; `None` for a task.
    pub fn timestamp(&self) -> Option<Timestamp> {
        match self.kind {
            Kind::Execution { timestamp }
            | Kind::Activity { timestamp, .. }
            | Kind::Branch { timestamp, .. }
            | Kind::Iteration { timestamp, .. } => Some(timestamp),
            Kind::Task { .. } => None,
        }
    }

    /// `/{tenant}/{namespace}/e{7 hex}` (of a task: `/t{7 hex}`), which determines the partition.
    pub fn partition_key(&self) -> String {
        let letter = match self.kind {
            Kind::Task { .. } => 't',
            _ => 'e',
        };
        format!(
            "/{}/{}/{letter}{:07x}",
            self.tenant, self.namespace, self.hash
        )
    }
}

impl fmt::Display for Id<'_> {
    fn fmt(&self, out: &mut fmt::Formatter<'_>) -> fmt::Result {
        out.write_str(&self.partition_key())?;
        match self.kind {
            Kind::Execution { timestamp } => write!(out, "/{}", timestamp.hex()),
            Kind::Activity {
                timestamp,
                activity,
            } => write!(out, "/{}/{activity:08x}", timestamp.hex()),
            Kind::Branch {
                timestamp,
                activity,
                index,
            } => write!(out, "/{}/{activity:08x}/b{index}", timestamp.hex()),
            Kind::Iteration {
                timestamp,
                activity,
                index,
            } => write!(out, "/{}/{activity:08x}/i{index}", timestamp.hex()),
            Kind::Task { number } => write!(out, "/{number:08x}"),
        }
    }
}

/// 28 bits of `text`'s CRC32C: the value of the 7 hex digits in an id.
pub fn hash(text: &str) -> u32 {
    crc32c::crc32c(text.as_bytes()) >> 4
}

/// The 7 hex digits of [`hash`].
pub fn hash7(text: &str) -> String {
    format!("{:07x}", hash(text))
}

/// Which of `partitions` an id's hash belongs to: each partition has an equal share of the range, so
/// that one can be split in two without touching the others.
pub fn partition(hash: u32, partitions: u32) -> u32 {
    ((u64::from(hash) * u64::from(partitions)) >> 28) as u32
}

/// A new execution's id. `hash7` is the hash of its idempotency key, or of the last id if it has none.
pub fn execution_id(
    tenant: &str,
    namespace: &str,
    hash7: &str,
    timestamp: Timestamp,
) -> Result<String> {
    Ok(format!(
        "{}/{}",
        prefix(tenant, namespace, 'e', hash7)?,
        timestamp.hex()
    ))
}

/// The id of the `number`th activity of an execution.
pub fn activity_id(execution_id: &str, number: u32) -> String {
    format!("{execution_id}/{number:08x}")
}

/// The id of a branch of a Parallel state's activity.
pub fn branch_id(activity_id: &str, index: u32) -> String {
    format!("{activity_id}/b{index}")
}

/// The id of an iteration of a Map state's activity.
pub fn iteration_id(activity_id: &str, index: u32) -> String {
    format!("{activity_id}/i{index}")
}

/// The id of task `number` of a type. The number comes from a [`Sequence`] of the type.
pub fn task_id(tenant: &str, namespace: &str, task_type: &str, number: u32) -> Result<String> {
    let prefix = prefix(tenant, namespace, 't', &hash7(task_type))?;
    Ok(format!("{prefix}/{number:08x}"))
}

/// Checks the name of a tenant or namespace; `what` names it in the error.
///
/// Refused are path separators, control characters, white space, invisible characters (zero width,
/// direction marks), `.` and `..`, and more than [`MAX_NAME`] bytes.
pub fn check_name(what: &'static str, name: &str) -> Result<()> {
    name_fault(name).map_or(Ok(()), |reason| Err(invalid(what, name, reason)))
}

/// Numbers for ids: each is one more than the last, 2^32 − 1 is followed by 0, and numbers that are
/// still in use are skipped.
#[derive(Clone, Copy, Debug, Default, PartialEq, Eq)]
pub struct Sequence {
    next: u32,
}

impl Sequence {
    /// Continues after `last`, the last number that was given before a restart.
    pub fn after(last: u32) -> Sequence {
        Sequence {
            next: last.wrapping_add(1),
        }
    }

    /// The next number for which `is_live` is false. `None` if there is no such number.
    pub fn next(&mut self, mut is_live: impl FnMut(u32) -> bool) -> Option<u32> {
        let start = self.next;
        loop {
            let number = self.next;
            self.next = number.wrapping_add(1);
            if !is_live(number) {
                return Some(number);
            }
            if self.next == start {
                return None;
            }
        }
    }
}

fn invalid(what: &'static str, text: &str, reason: &'static str) -> Error {
    Error::InvalidId {
        what,
        text: text.to_owned(),
        reason,
    }
}

fn prefix(tenant: &str, namespace: &str, letter: char, hash7: &str) -> Result<String> {
    check_name("tenant", tenant)?;
    check_name("namespace", namespace)?;
    parse_hex(hash7, 7).ok_or_else(|| invalid("hash", hash7, "it must be 7 hex digits"))?;
    Ok(format!("/{tenant}/{namespace}/{letter}{hash7}"))
}

fn name_fault(name: &str) -> Option<&'static str> {
    if name.is_empty() {
        return Some("it is empty");
    }
    if name.len() > MAX_NAME {
        return Some("it is longer than 128 bytes");
    }
    if name == "." || name == ".." {
        return Some("it is a relative path");
    }
    name.chars().find_map(character_fault)
}

fn character_fault(character: char) -> Option<&'static str> {
    match character {
        '/' | '\\' => Some("it contains a path separator"),
        c if c.is_control() => Some("it contains a control character"),
        c if c.is_whitespace() => Some("it contains white space"),
        '\u{ad}' | '\u{61c}' | '\u{180e}' | '\u{200b}'..='\u{200f}' | '\u{202a}'..='\u{202e}' => {
            Some("it contains an invisible character")
        }
        '\u{2060}'..='\u{206f}' | '\u{feff}' | '\u{fff9}'..='\u{fffb}' => {
            Some("it contains an invisible character")
        }
        _ => None,
    }
}

fn parse_parts(text: &str) -> Result<Id<'_>, &'static str> {
    let text = text.strip_prefix('/').ok_or("it must begin with '/'")?;
    let mut parts = text.split('/');
    let mut part = || parts.next().ok_or("it has too few parts");
    let (tenant, namespace, group, last) = (part()?, part()?, part()?, part()?);
    if let Some(reason) = name_fault(tenant).or_else(|| name_fault(namespace)) {
        return Err(reason);
    }
    let hash = group
        .get(1..)
        .and_then(|digits| parse_hex(digits, 7))
        .ok_or("the third part must be a letter and 7 hex digits")? as u32;
    let kind = match group.as_bytes()[0] {
        b'e' => parse_execution(last, parts.next(), parts.next())?,
        b't' => Kind::Task {
            number: parse_hex(last, 8).ok_or("a task's number must be 8 hex digits")? as u32,
        },
        _ => return Err("the third part must begin with 'e' or 't'"),
    };
    if parts.next().is_some() {
        return Err("it has too many parts");
    }
    Ok(Id {
        tenant,
        namespace,
        hash,
        kind,
    })
}

fn parse_execution(
    timestamp: &str,
    activity: Option<&str>,
    child: Option<&str>,
) -> Result<Kind, &'static str> {
    let timestamp =
        Timestamp::from(parse_hex(timestamp, 16).ok_or("a timestamp must be 16 hex digits")?);
    let Some(activity) = activity else {
        return Ok(Kind::Execution { timestamp });
    };
    let activity = parse_hex(activity, 8).ok_or("an activity must be 8 hex digits")? as u32;
    let Some(child) = child else {
        return Ok(Kind::Activity {
            timestamp,
            activity,
        });
    };
    let index = child
        .get(1..)
        .and_then(parse_index)
        .ok_or("a branch or iteration must be a letter and an index")?;
    match child.as_bytes()[0] {
        b'b' => Ok(Kind::Branch {
            timestamp,
            activity,
            index,
        }),
        b'i' => Ok(Kind::Iteration {
            timestamp,
            activity,
            index,
        }),
        _ => Err("the last part must begin with 'b' or 'i'"),
    }
}

fn parse_index(text: &str) -> Option<u32> {
    let is_canonical = text == "0" || !text.starts_with(['0', '+']);
    text.parse().ok().filter(|_| is_canonical)
}

#[cfg(test)]
mod tests;
