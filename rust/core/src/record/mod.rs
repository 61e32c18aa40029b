//! Commands, events and rows of storage.
