//! Checks that a folder's path still leads to the folder that is open.
//!
//! The files are reached by a descriptor, so nothing is ever written anywhere else. But another opening or
//! a follower goes by the path and would find another folder or none: so a leader confirms nothing more.

use std::path::Path;

use crate::env::Env;
use crate::error::{Error, Result};

/// Refuses to continue with a folder that is no longer at its path.
pub fn check(env: &dyn Env, folder: &Path) -> Result<()> {
    match env.displaced().map_err(Error::io("look for", folder))? {
        None => Ok(()),
        Some(reason) => Err(error(folder, reason)),
    }
}

/// The error for a file or folder that is no longer at its path.
pub fn error(path: &Path, reason: &'static str) -> Error {
    Error::Displaced {
        path: path.to_owned(),
        reason,
    }
}
