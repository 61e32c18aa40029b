//! What a folder says of the copy in it, without opening it.

use stepwell_core::env::Folder;
use stepwell_core::identity::StoreId;
use stepwell_core::store;
use stepwell_core::{Error, Result, log};

use crate::chain::Link;

/// What a folder says of the copy in it.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct Found {
    pub stream: String,
    pub store: Option<StoreId>,
    /// How far the copy is for certain; it may be further.
    pub link: Link,
}

/// Looks at a folder that may hold a copy.
pub fn look(folder: &Folder) -> Result<Option<Found>> {
    let Some(stream) = store::stream_of(folder)? else {
        return Ok(None);
    };
    let store = match folder.within(store::LOG) {
        Ok(within) => log::stores(&within, within.path())?.first().copied(),
        Err(error) if error.kind() == std::io::ErrorKind::NotFound => None,
        Err(error) => {
            return Err(Error::io("open", &store::log_folder(folder.path()))(error));
        }
    };
    let link = Link::read(folder)?;
    Ok(Some(Found {
        stream,
        store,
        link,
    }))
}
