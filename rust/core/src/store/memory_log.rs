//! Temporary.
use crate::error::Result;
use crate::log::{Batch, Frame, Frames, LogStream};
use parking_lot::Mutex;
#[derive(Default)]
pub struct MemoryLog(Mutex<Vec<Frame>>);
impl LogStream for MemoryLog {
    fn append(&self, batches: &[Batch<'_>], epoch: u64, expected_last: u64) -> Result<u64> {
        let mut last = expected_last;
        for b in batches {
            self.0.lock().push(Frame {
                epoch,
                first: last + 1,
                count: b.count,
                payload: b.payload.concat(),
            });
            last += u64::from(b.count);
        }
        Ok(last)
    }
    fn sync(&self) -> Result<u64> {
        Ok(self.tail())
    }
    fn durable(&self) -> u64 {
        self.tail()
    }
    fn tail(&self) -> u64 {
        self.0.lock().last().map_or(0, Frame::last)
    }
    fn start(&self) -> u64 {
        1
    }
    fn epoch(&self) -> u64 {
        0
    }
    fn read(&self, from: u64) -> Result<Frames> {
        let f: Vec<_> = self
            .0
            .lock()
            .iter()
            .filter(|f| f.last() >= from)
            .cloned()
            .collect();
        Ok(Box::new(f.into_iter().map(Ok)))
    }
    fn truncate_before(&self, _position: u64) -> Result<u64> {
        Ok(1)
    }
    fn poisoned(&self) -> Option<String> {
        None
    }
}
