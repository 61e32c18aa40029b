//! Whether a folder's path still leads to the folder that is open.
//!
//! Its files are reached by a descriptor, so nothing of ours is written anywhere else. But who goes by the path,
//! another opening or a follower, would find another folder or none: so a leader confirms nothing more.

use std::path::Path;

use crate::env::Env;
use crate::error::{Error, Result};

/// Refuses to go on with a folder that is not where it was.
pub fn check(env: &dyn Env, folder: &Path) -> Result<()> {
    match env.displaced().map_err(Error::io("look for", folder))? {
        None => Ok(()),
        Some(reason) => Err(error(folder, reason)),
    }
}

/// The error for a file or folder that is not where it was.
pub fn error(path: &Path, reason: &'static str) -> Error {
    Error::Displaced {
        path: path.to_owned(),
        reason,
    }
}
