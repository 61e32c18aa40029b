//! Checks whether a log is a copy of another one, before anything is written to either.

use std::io;
use std::path::Path;

use super::followed::followed_store;
use super::inspect::FrameReader;
use super::place::Place;
use super::{Frame, segment};
use crate::env::Env;
use crate::error::{Error, Result};

/// The end of a log that may be a copy.
struct Copied {
    /// The position of its next record.
    next: u64,
    /// The last epoch of a batch or a mark.
    epoch: u64,
    /// The last batch, if it holds any.
    last: Option<Frame>,
}

/// The last position and the last epoch of the log in `folder`, which may not exist.
pub fn end(env: &dyn Env, folder: &Path) -> Result<(u64, u64)> {
    let copied = segment::read_uncut(|| Copied::read(env, folder))?;
    Ok((copied.next - 1, copied.epoch))
}

/// Refuses a log in `copy` whose last batch is not the one that the log in `of` has at that position, or
/// that continued on its own from there. A log that is empty or does not exist can become a copy.
///
/// [`Truncated`](Error::Truncated) if the log in `of` does not continue from there. If it is damaged the
/// comparison is impossible and is not refused here: whoever reads the log reports the damage.
pub fn check_copy(from: &dyn Env, of: &Path, env: &dyn Env, copy: &Path) -> Result<()> {
    let copied = segment::read_uncut(|| Copied::read(env, copy))?;
    match segment::read_uncut(|| copied.difference(from, of)) {
        Ok(None) | Err(Error::Corruption { .. }) => Ok(()),
        Ok(Some(reason)) => Err(Error::NotACopy {
            copy: copy.to_owned(),
            of: of.to_owned(),
            reason,
        }),
        Err(error) => Err(error),
    }
}

impl Copied {
    fn read(env: &dyn Env, folder: &Path) -> Result<Copied> {
        let names = match env.list(folder) {
            Err(error) if error.kind() == io::ErrorKind::NotFound => Vec::new(),
            names => names.map_err(Error::io("list", folder))?,
        };
        let segments = segment::of(&names);
        let mut copied = Copied {
            next: segments.last().copied().unwrap_or(1),
            epoch: 0,
            last: None,
        };
        for &first in segments.iter().rev() {
            let mut frames = FrameReader::new(env, folder, first)?;
            while let Some((frame, _)) = frames.next()? {
                copied.next = copied.next.max(frame.last() + 1);
                copied.epoch = copied.epoch.max(frame.epoch);
                if frame.count > 0 {
                    copied.last = Some(frame);
                }
            }
            if copied.last.is_some() {
                break;
            }
        }
        Ok(copied)
    }

    /// Why it is not a copy of the log in `of`, if so.
    fn difference(&self, env: &dyn Env, of: &Path) -> Result<Option<String>> {
        let mut compared = self.last.as_ref();
        let store = followed_store(env, of, None)?;
        let first = compared.map_or(self.next, |last| last.first);
        let mut place = match Place::of(env, of, store, first) {
            // That batch was cut off; the log continues right behind it.
            Err(Error::Truncated { .. }) => {
                compared = None;
                Place::of(env, of, store, self.next)?
            }
            place => place?,
        };
        let mut their_epoch = None;
        while let Some(header) = place.step(env, of, 0)? {
            their_epoch = their_epoch.max(Some(place.epoch()));
            let Some(last) = compared else { continue };
            if header.count == 0 || header.next() <= last.first {
                continue;
            }
            if header.first != last.first
                || header.count != last.count
                || place.payload(of)? != last.payload
            {
                let reason = format!("they have different records at position {}", last.first);
                return Ok(Some(reason));
            }
            compared = None;
        }
        let (ours, last) = (self.next - 1, place.next() - 1);
        if last < ours {
            return Ok(Some(format!(
                "it has positions up to {ours}, and the other one ends at {last}"
            )));
        }
        // A log that is cut up to here has no frame that names its epoch. The next copied frame names it.
        let epoch = self.epoch;
        Ok(their_epoch.filter(|theirs| epoch > *theirs).map(|theirs| {
            format!("it went on in epoch {epoch}, and the other one is in epoch {theirs}")
        }))
    }
}
