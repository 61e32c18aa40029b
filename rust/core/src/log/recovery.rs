//! Finds the end of a log after any kind of stop, and makes it durable again.
//!
//! A torn tail is cut off behind the last whole batch before the loss. Preallocated zeros at the end are
//! cut off too, without a message. Damage is refused: [`judge`] distinguishes them.

use std::fmt;
use std::path::{Path, PathBuf};
use std::sync::Arc;

use super::frame::Header;
use super::judge::{self, End, Known};
use super::scan::{Defect, MARK_EVERY, Scan, Step};
use super::{blank, segment};
use crate::env::{Env, File};
use crate::error::{Error, Result};
use crate::identity::StoreId;

/// How much of a file is rewritten at a time.
const PIECE: usize = 1 << 20;

/// A torn tail that was cut off.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct Recovered {
    pub path: PathBuf,
    /// Where the segment ends now.
    pub offset: u64,
    /// The first position that is lost.
    pub position: u64,
    /// How many bytes were cut off, not counting the zeros behind them.
    pub bytes: u64,
    pub reason: &'static str,
}

impl Recovered {
    /// What is cut off because of a defect.
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

/// The end of a log, where the writer continues.
pub struct Tail {
    pub file: Arc<dyn File>,
    /// The position that the last segment begins with.
    pub segment: u64,
    pub offset: u64,
    /// The next record's position.
    pub next: u64,
    pub epoch: u64,
    /// The durable position that the last frame names.
    pub known_durable: u64,
    pub recovered: Option<Recovered>,
    /// Where frames begin: (position, offset), about one every [`MARK_EVERY`].
    pub marks: Vec<(u64, u64)>,
}

/// Finds the end of the log, cuts off a torn tail, and makes the rest durable.
///
/// It may be interrupted at any point and run again.
pub fn recover(env: &dyn Env, folder: &Path, segments: &[u64], store: StoreId) -> Result<Tail> {
    let (&last, earlier) = segments.split_last().expect("a log has a segment");
    let path = segment::path(folder, last);
    let file = env.open_writable(&path).map_err(Error::io("open", &path))?;
    let mut tail = TailScan::default();
    let mut scan = Scan::new(Arc::clone(&file), 0, last).of(Some(store));
    let end = tail.read_all(&*file, &mut scan, &path, Known::default())?;
    let epoch = match (scan.next() == last, earlier.last()) {
        (true, Some(&before)) => last_epoch(env, folder, before, last, store)?.max(scan.epoch()),
        _ => scan.epoch(),
    };
    let offset = scan.offset();
    let recovered = match end {
        End::Torn(defect) => Some(Recovered::at(&*file, &path, &defect)?),
        End::Clean => None,
    };
    cut(&*file, offset).map_err(Error::io("cut", &path))?;
    rewrite(&*file, tail.unsynced_from(offset), offset).map_err(Error::io("rewrite", &path))?;
    env.sync_dir(folder).map_err(Error::io("sync", folder))?;
    Ok(Tail {
        file,
        segment: last,
        offset,
        next: scan.next(),
        epoch,
        known_durable: tail.known_durable,
        recovered,
        marks: tail.marks,
    })
}

/// Collected while the last segment is read to its end.
#[derive(Default)]
struct TailScan {
    known_durable: u64,
    /// (first position, offset) of the frames that no later frame names as durable.
    unsynced: Vec<(u64, u64)>,
    marks: Vec<(u64, u64)>,
}

impl TailScan {
    fn read_all(
        &mut self,
        file: &dyn File,
        scan: &mut Scan,
        path: &Path,
        known: Known,
    ) -> Result<End> {
        loop {
            match scan.step().map_err(Error::io("read", path))? {
                Step::Frame { header, offset } => self.add(&header, offset),
                step => return judge::end(file, path, scan, step, known),
            }
        }
    }

    fn add(&mut self, header: &Header, offset: u64) {
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

/// The epoch at the end of a segment that has a successor, which must begin where this one ends.
fn last_epoch(
    env: &dyn Env,
    folder: &Path,
    first: u64,
    successor: u64,
    store: StoreId,
) -> Result<u64> {
    let path = segment::path(folder, first);
    let file = env.open(&path).map_err(Error::io("open", &path))?;
    let mut scan = Scan::new(Arc::clone(&file), 0, first).of(Some(store));
    let known = Known {
        successor: Some(successor),
        ..Known::default()
    };
    TailScan::default().read_all(&*file, &mut scan, &path, known)?;
    Ok(scan.epoch())
}

fn cut(file: &dyn File, end: u64) -> std::io::Result<()> {
    match file.size()? > end {
        true => file.set_len(end),
        false => Ok(()),
    }
}

/// Writes bytes again that may never have reached the disk, and syncs.
///
/// A sync alone is not enough: after a failed sync Linux marks the pages that it could not write as
/// clean, and shows them to readers until the machine loses power.
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
