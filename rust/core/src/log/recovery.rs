//! Finding the end of a log after a stop of any kind, and making it durable again.
//!
//! A crash may lose any part of what was written since the last sync: that is a torn tail, and is
//! cut off to the last whole batch before the loss. Zeros at the end are room that was not used: they
//! are cut off too, and nobody is told. Anything else is damage, and is refused:
//! - bytes that are altered, not missing (see [`Defect::is_torn`]);
//! - a loss that a later frame knows as durable;
//! - a loss in a segment that has a successor, which was begun only when all of it was durable.

use std::fmt;
use std::path::{Path, PathBuf};
use std::sync::Arc;

use super::frame::{HEADER, Header, MAGIC};
use super::scan::{Defect, Scan, Step};
use super::writer::MARK_EVERY;
use super::{blank, segment};
use crate::env::{Env, File};
use crate::error::{Error, Result};
use crate::identity::StoreId;

/// How much of a file is worked on at a time.
const PIECE: usize = 1 << 20;

/// A torn tail that was cut off.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct Recovered {
    pub path: PathBuf,
    /// Where the segment ends now.
    pub offset: u64,
    /// The first position that is gone.
    pub position: u64,
    /// How many bytes were cut off, without the zeros behind them.
    pub bytes: u64,
    pub reason: &'static str,
}

impl Recovered {
    /// What is cut off at a defect.
    pub fn at(file: &dyn File, path: &Path, defect: &Defect) -> Result<Recovered> {
        let end = blank::start(file, defect.offset).map_err(Error::io("read", path))?;
        Ok(Recovered {
            path: path.to_owned(),
            offset: defect.offset,
            position: defect.position,
            bytes: end - defect.offset,
            reason: defect.reason,
        })
    }
}

impl fmt::Display for Recovered {
    fn fmt(&self, out: &mut fmt::Formatter<'_>) -> fmt::Result {
        let Recovered {
            path,
            offset,
            position,
            bytes,
            reason,
        } = self;
        let path = path.display();
        write!(
            out,
            "cut {bytes} bytes off {path} at byte {offset}: {reason}; \
             position {position} was being written when the last process stopped, and nothing confirmed it"
        )
    }
}

/// The end of a log, where writing goes on.
pub struct Tail {
    pub file: Arc<dyn File>,
    /// The position that the last segment begins with.
    pub segment: u64,
    pub offset: u64,
    /// The next record's position.
    pub next: u64,
    pub epoch: u64,
    /// What the last frame knows as durable.
    pub known_durable: u64,
    pub recovered: Option<Recovered>,
    /// Where frames begin: (position, offset), about one every [`MARK_EVERY`].
    pub marks: Vec<(u64, u64)>,
}

/// Finds the end of the log, cuts off what is torn there, and makes the rest durable.
///
/// It can be cut short at any point and begun again.
pub fn recover(env: &dyn Env, folder: &Path, segments: &[u64], store: StoreId) -> Result<Tail> {
    let (&last, earlier) = segments.split_last().expect("a log has a segment");
    let path = segment::path(folder, last);
    let file = env.open_writable(&path).map_err(Error::io("open", &path))?;
    let mut walk = Walk::default();
    let mut scan = Scan::new(Arc::clone(&file), 0, last).of(Some(store));
    let defect = walk.pass_all(&mut scan, &path)?;
    if let Some(defect) = &defect
        && is_damage(&*file, defect).map_err(Error::io("read", &path))?
    {
        return Err(corruption(&path, defect));
    }
    let epoch = match (scan.next() == last, earlier.last()) {
        (true, Some(&before)) => last_epoch(env, folder, before, last, store)?.max(scan.epoch()),
        _ => scan.epoch(),
    };
    let offset = scan.offset();
    let recovered = defect
        .map(|defect| Recovered::at(&*file, &path, &defect))
        .transpose()?;
    cut(&*file, offset).map_err(Error::io("cut", &path))?;
    rewrite(&*file, walk.unsynced_from(offset), offset).map_err(Error::io("rewrite", &path))?;
    env.sync_dir(folder).map_err(Error::io("sync", folder))?;
    Ok(Tail {
        file,
        segment: last,
        offset,
        next: scan.next(),
        epoch,
        known_durable: walk.known_durable,
        recovered,
        marks: walk.marks,
    })
}

/// The error for a defect that no crash explains.
pub fn corruption(path: &Path, defect: &Defect) -> Error {
    Error::Corruption {
        path: path.to_owned(),
        offset: defect.offset,
        position: defect.position,
        reason: defect.reason.to_owned(),
    }
}

/// The error for a frame of a later format.
pub fn unknown_format(path: &Path, version: u8) -> Error {
    Error::Format {
        path: path.to_owned(),
        found: version.into(),
        known: super::frame::VERSION.into(),
    }
}

/// Whether a defect in the last segment is more than a torn tail.
pub fn is_damage(file: &dyn File, defect: &Defect) -> std::io::Result<bool> {
    if !defect.is_torn {
        return Ok(true);
    }
    let mut offset = defect.offset + 1;
    // A header that ends in zeros may end behind the last byte that is none.
    let end = blank::start(file, offset)? + HEADER as u64;
    let mut piece = vec![0; PIECE.min((end - offset) as usize)];
    loop {
        let length = piece.len().min((end - offset) as usize);
        let read = file.read_full_at(&mut piece[..length], offset)?;
        if read < HEADER {
            return Ok(false);
        }
        let bytes = &piece[..read];
        let proves_loss = |header: Header| header.durable >= defect.position;
        if headers(bytes).any(proves_loss) {
            return Ok(true);
        }
        offset += (read - HEADER + 1) as u64;
    }
}

/// Every whole header in `bytes`, wherever it begins.
fn headers(bytes: &[u8]) -> impl Iterator<Item = Header> {
    bytes
        .windows(HEADER)
        .filter(|window| window.starts_with(&MAGIC))
        .filter_map(|window| Header::decode(window).ok())
}

/// What a walk to the end of the last segment remembers.
#[derive(Default)]
struct Walk {
    known_durable: u64,
    /// (first position, offset) of the frames that no later one knows as durable.
    unsynced: Vec<(u64, u64)>,
    marks: Vec<(u64, u64)>,
}

impl Walk {
    fn pass_all(&mut self, scan: &mut Scan, path: &Path) -> Result<Option<Defect>> {
        loop {
            match scan.step().map_err(Error::io("read", path))? {
                Step::Frame { header, offset } => self.pass(&header, offset),
                Step::End => return Ok(None),
                Step::Defect(defect) => return Ok(Some(defect)),
                Step::Unknown(version) => return Err(unknown_format(path, version)),
            }
        }
    }

    fn pass(&mut self, header: &Header, offset: u64) {
        if header.durable > self.known_durable {
            self.known_durable = header.durable;
            self.unsynced.retain(|(first, _)| *first > header.durable);
        }
        self.unsynced.push((header.first, offset));
        if self
            .marks
            .last()
            .is_none_or(|(_, mark)| offset - mark >= MARK_EVERY)
        {
            self.marks.push((header.first, offset));
        }
    }

    fn unsynced_from(&self, end: u64) -> u64 {
        self.unsynced.first().map_or(end, |(_, offset)| *offset)
    }
}

/// The epoch at the end of a segment that has a successor, which must go on where it ends.
fn last_epoch(
    env: &dyn Env,
    folder: &Path,
    first: u64,
    successor: u64,
    store: StoreId,
) -> Result<u64> {
    let path = segment::path(folder, first);
    let file = env.open(&path).map_err(Error::io("open", &path))?;
    let mut scan = Scan::new(file, 0, first).of(Some(store));
    if let Some(defect) = Walk::default().pass_all(&mut scan, &path)? {
        return Err(corruption(&path, &defect));
    }
    if scan.next() == successor {
        return Ok(scan.epoch());
    }
    Err(Error::Corruption {
        path,
        offset: scan.offset(),
        position: scan.next(),
        reason: format!("the next segment begins with position {successor}"),
    })
}

fn cut(file: &dyn File, end: u64) -> std::io::Result<()> {
    match file.size()? > end {
        true => file.set_len(end),
        false => Ok(()),
    }
}

/// Writes bytes again that may never have reached the disk, and syncs.
///
/// A sync alone would not do: after one that failed, Linux takes what it could not write for
/// written, and shows it to readers until the power goes.
fn rewrite(file: &dyn File, from: u64, to: u64) -> std::io::Result<()> {
    let mut piece = vec![0; PIECE.min((to - from) as usize)];
    let mut offset = from;
    while offset < to {
        let length = piece.len().min((to - offset) as usize);
        let read = file.read_full_at(&mut piece[..length], offset)?;
        if read < length {
            return Err(std::io::ErrorKind::UnexpectedEof.into());
        }
        file.write_all_at(&piece[..length], offset)?;
        offset += length as u64;
    }
    file.sync()
}
