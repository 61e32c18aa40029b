//! The files of a log: `{first position in 16 hex}.log`, so that names sort as positions do.

use std::path::{Path, PathBuf};

use crate::env::Env;
use crate::error::{Error, Result};
use crate::id::parse_hex;

/// The path of the segment that begins with position `first`.
pub fn path(folder: &Path, first: u64) -> PathBuf {
    folder.join(format!("{first:016x}.log"))
}

/// The first positions of a folder's segments, in order. Other files are none of the log's.
pub fn list(env: &dyn Env, folder: &Path) -> Result<Vec<u64>> {
    let names = env.list(folder).map_err(Error::io("list", folder))?;
    let mut segments: Vec<u64> = names.iter().filter_map(|name| parse(name)).collect();
    segments.sort_unstable();
    Ok(segments)
}

fn parse(name: &str) -> Option<u64> {
    parse_hex(name.strip_suffix(".log")?, 16).filter(|first| *first > 0)
}
