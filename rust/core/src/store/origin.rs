//! A store's origin: the stores that it was copied from, or followed until it took over, latest first.
//!
//! In the file `ORIGIN` each line is `{how} {store} {position}`: up to that position the records are those of that
//! store. A store that was created empty has no such file.

use std::fmt;

use crate::env::Folder;
use crate::error::{Error, Result};
use crate::identity::StoreId;

const NAME: &str = "ORIGIN";

/// How a store came from another one.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub enum Kind {
    /// It is a copy: a backup, or a restored one.
    Copied,
    /// It followed, and took over.
    Followed,
}

impl Kind {
    const ALL: [Kind; 2] = [Kind::Copied, Kind::Followed];

    /// Its word in the file.
    pub fn word(self) -> &'static str {
        match self {
            Kind::Copied => "copied",
            Kind::Followed => "followed",
        }
    }

    /// The kind that a word names.
    pub fn of(word: &str) -> Option<Kind> {
        Kind::ALL.into_iter().find(|kind| kind.word() == word)
    }
}

/// A store from which another one originated.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub struct Origin {
    pub kind: Kind,
    pub store: StoreId,
    /// Up to here the records are the same.
    pub position: u64,
}

impl fmt::Display for Origin {
    fn fmt(&self, out: &mut fmt::Formatter<'_>) -> fmt::Result {
        let word = self.kind.word();
        write!(out, "{word} {} {}", self.store, self.position)
    }
}

/// The origins that a folder's file names, latest first.
pub fn read(folder: &Folder) -> Result<Vec<Origin>> {
    let path = folder.path().join(NAME);
    let bytes = folder.read(NAME).map_err(Error::io("read", &path))?;
    let text = String::from_utf8_lossy(bytes.as_deref().unwrap_or_default()).into_owned();
    let origins = text.lines().map(parse).collect::<Option<Vec<_>>>();
    origins.ok_or_else(|| Error::Damaged {
        path,
        reason: "a line of it does not say where the store came from".to_owned(),
    })
}

/// Writes a folder's origins durably.
pub fn write(folder: &Folder, origins: Vec<Origin>) -> Result<()> {
    let lines: String = origins.iter().map(|origin| format!("{origin}\n")).collect();
    let written = folder.write(NAME, lines.as_bytes());
    written.map_err(Error::io("write", &folder.path().join(NAME)))
}

/// Adds the latest origin of a folder's store durably, unless it is there already.
pub fn add(folder: &Folder, origin: Origin) -> Result<()> {
    let origins = read(folder)?;
    match origins.first() == Some(&origin) {
        true => Ok(()),
        false => write(folder, [&[origin], &origins[..]].concat()),
    }
}

fn parse(line: &str) -> Option<Origin> {
    let mut words = line.split(' ');
    let origin = Origin {
        kind: Kind::of(words.next()?)?,
        store: StoreId::parse(words.next()?)?,
        position: words.next()?.parse().ok()?,
    };
    words.next().is_none().then_some(origin)
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn origins_are_read_back_and_anything_else_is_an_error() {
        let place = tempfile::tempdir().unwrap();
        let folder = Folder::open(place.path()).unwrap();
        assert_eq!(read(&folder).unwrap(), []);
        let origins: Vec<_> = Kind::ALL
            .into_iter()
            .map(|kind| Origin {
                kind,
                store: StoreId::random(),
                position: 7,
            })
            .collect();
        write(&folder, origins.clone()).unwrap();
        assert_eq!(read(&folder).unwrap(), origins);
        for line in ["copied", "copied 7 7", "moved 00 7", "copied  7"] {
            std::fs::write(place.path().join(NAME), line).unwrap();
            assert!(
                matches!(read(&folder), Err(Error::Damaged { .. })),
                "{line}"
            );
        }
    }
}
