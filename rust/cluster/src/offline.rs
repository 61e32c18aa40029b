//! A stream that is not there: for the copy of a node that is looked at while no server, or no stream, is left.

use std::time::Duration;

use bytes::Bytes;

use crate::wire::{Abort, Published, Wire};

const REASON: &str = "the copy is open without its servers";

/// It answers nothing.
pub struct Offline;

impl Wire for Offline {
    fn publish(&self, _: &[Bytes], _: u64, _: Duration, _: &Abort) -> Published {
        Published::Unknown(REASON.to_owned())
    }

    fn read(&self, _: u64, _: usize, _: Duration, _: &Abort) -> Result<Vec<(u64, Bytes)>, String> {
        Err(REASON.to_owned())
    }

    fn ends(&self, _: Duration, _: &Abort) -> Result<(u64, u64), String> {
        Err(REASON.to_owned())
    }

    fn tell(&self, _: u64) {}

    fn listen(&self, known: u64, _: Duration, _: &Abort) -> u64 {
        known
    }

    fn limit(&self) -> usize {
        1 << 20
    }
}
