//! Decides whether a log's defect is a torn tail or damage: one rule for all readers of a log.
//!
//! A crash may lose any part of what was written since the last sync, and an unfinished write looks the
//! same: that is a torn tail. Whatever a sync covered must be there, so these are damage:
//! - bytes that were altered, not lost (see [`Defect::is_torn`]);
//! - a loss that a later frame, or the caller, knows to be durable;
//! - a loss in a segment that has a successor, which was begun only when all of it was durable.
//!
//! A reader of a log that another process writes must look more than once: see [`followed`](super::followed).

use std::io;
use std::path::Path;

use super::frame::{HEADER, Header, MAGIC, VERSION};
use super::scan::{Defect, Scan, Step};
use super::{blank, segment};
use crate::env::{Env, File};
use crate::error::{Error, Result};

/// How much of a file is read at a time.
const PIECE: usize = 1 << 20;

/// What the caller knows beside the segment itself.
#[derive(Clone, Copy, Debug, Default)]
pub struct Known {
    /// The position that the next segment begins with.
    pub successor: Option<u64>,
    /// The last position that is certainly durable.
    pub durable: u64,
}

/// How the frames of an undamaged segment end.
#[derive(Debug)]
pub enum End {
    /// Behind a whole frame.
    Clean,
    /// In the remains of a frame after a crash, or in a frame that is being written. Only in the last segment.
    Torn(Defect),
}

/// Judges what a scan found in place of a frame. An error is damage, or a later format.
pub fn end(file: &dyn File, path: &Path, scan: &Scan, step: Step, known: Known) -> Result<End> {
    match step {
        Step::Unknown(version) => Err(unknown_format(path, version)),
        Step::Defect(defect) => match is_damage(file, &defect, known) {
            Ok(true) => Err(corruption(path, &defect)),
            Ok(false) => Ok(End::Torn(defect)),
            Err(error) => Err(Error::io("read", path)(error)),
        },
        Step::End | Step::Frame { .. } => match missing(scan.next(), known) {
            None => Ok(End::Clean),
            Some(reason) => Err(Error::Corruption {
                path: path.to_owned(),
                offset: scan.offset(),
                position: scan.next(),
                reason,
            }),
        },
    }
}

/// What should follow frames that end before position `next`, and is missing.
fn missing(next: u64, known: Known) -> Option<String> {
    match known.successor {
        Some(successor) if successor == next => None,
        Some(successor) => Some(format!("the next segment begins with position {successor}")),
        None if next > known.durable => None,
        None => Some(format!(
            "the log ends here, and position {} was durable",
            known.durable
        )),
    }
}

fn is_damage(file: &dyn File, defect: &Defect, known: Known) -> io::Result<bool> {
    let is_known = known.successor.is_some() || known.durable >= defect.position;
    if !defect.is_torn || is_known {
        return Ok(true);
    }
    let proves_loss = |header: &Header| header.durable >= defect.position;
    find_header(file, defect.offset + 1, |header| {
        proves_loss(&header).then_some(())
    })
    .map(|found| found.is_some())
}

/// The error for a defect that no crash explains.
fn corruption(path: &Path, defect: &Defect) -> Error {
    Error::Corruption {
        path: path.to_owned(),
        offset: defect.offset,
        position: defect.position,
        reason: defect.reason.to_owned(),
    }
}

/// The error for a frame of a later format.
fn unknown_format(path: &Path, version: u8) -> Error {
    Error::Format {
        path: path.to_owned(),
        found: version.into(),
        known: VERSION.into(),
    }
}

/// The last position that any readable header in the log names, whatever is damaged before it.
pub fn last_named(env: &dyn Env, folder: &Path) -> Result<u64> {
    let last_segment = || match segment::list(env, folder)?.last() {
        Some(&first) => segment::open(env, folder, first).map(|file| Some((first, file))),
        None => Ok(None),
    };
    let Some((first, file)) = segment::read_uncut(last_segment)? else {
        return Ok(0);
    };
    let path = segment::path(folder, first);
    let mut last = first - 1;
    find_header(&*file, 0, |header| {
        last = last.max(header.next() - 1);
        None::<()>
    })
    .map_err(Error::io("read", &path))?;
    Ok(last)
}

/// Passes every valid header from `offset` on, at any byte, to `look`, until it returns something.
fn find_header<T>(
    file: &dyn File,
    mut offset: u64,
    mut look: impl FnMut(Header) -> Option<T>,
) -> io::Result<Option<T>> {
    // The header itself may end in zeros, behind the last byte that is not zero.
    let end = blank::start(file, offset)? + HEADER as u64;
    let mut piece = vec![0; PIECE.min((end - offset) as usize)];
    loop {
        let length = piece.len().min((end - offset) as usize);
        let read = file.read_full_at(&mut piece[..length], offset)?;
        if read < HEADER {
            return Ok(None);
        }
        let found = headers(&piece[..read]).find_map(&mut look);
        if found.is_some() {
            return Ok(found);
        }
        offset += (read - HEADER + 1) as u64;
    }
}

/// Every valid header in `bytes`, at any offset.
fn headers(bytes: &[u8]) -> impl Iterator<Item = Header> {
    bytes
        .windows(HEADER)
        .filter(|window| window.starts_with(&MAGIC))
        .filter_map(|window| Header::decode(window).ok())
}
