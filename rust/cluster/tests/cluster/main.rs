//! Tests against a stream in memory whose answers get lost, come late or are stale, and against real servers.

mod copies;
mod faults;
mod formats;
mod nodes;
mod servers;
mod stream;
