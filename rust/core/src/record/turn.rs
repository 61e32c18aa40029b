//! Turns: the content of a batch.

use super::fields::{Fields, write_count};
use super::json::Json;
use super::{Field, Record};
use crate::error::Result;
use crate::msgpack::Reader;

/// What one execution did from a command until it had to wait: `[scope, timestamp, time, records]`.
#[derive(Clone, Debug, PartialEq)]
pub struct Turn<'a> {
    /// The execution's id; empty for records of no execution.
    pub scope: &'a str,
    /// The hybrid logical clock of all its records.
    pub timestamp: u64,
    /// The physical time, in microseconds since the Unix epoch.
    pub time: i64,
    pub records: Vec<Record<'a>>,
}

impl<'a> Turn<'a> {
    /// Reads one turn.
    pub fn read(reader: &mut Reader<'a>) -> Result<Turn<'a>> {
        let mut fields = Fields::untagged(reader)?;
        let turn = Turn {
            scope: fields.required("scope")?,
            timestamp: fields.required("timestamp")?,
            time: fields.required("time")?,
            records: fields.required("records")?,
        };
        fields.finish()?;
        Ok(turn)
    }

    /// Adds its encoding to `out`.
    pub fn write(&self, out: &mut Vec<u8>) {
        write_count(out, 4);
        self.scope.write(out);
        self.timestamp.write(out);
        self.time.write(out);
        self.records.write(out);
    }

    /// Shows every record as a line of JSON. `position` is the first one's.
    pub fn lines(&self, epoch: u64, position: u64) -> Vec<String> {
        let mut json = Json::default();
        let records = self.records.iter().zip(position..);
        let line = |(record, position): (&Record<'a>, u64)| {
            json.object(|json| {
                json.field("position", &position);
                json.field("epoch", &epoch);
                json.field("scope", &self.scope);
                json.field("timestamp", &self.timestamp);
                json.field("time", &self.time);
                json.field("record", &record.name());
                record.show(json);
            });
            json.take()
        };
        records.map(line).collect()
    }
}

impl<'a> Field<'a> for Record<'a> {
    fn read(reader: &mut Reader<'a>) -> Result<Record<'a>> {
        Record::read(reader)
    }

    fn write(&self, out: &mut Vec<u8>) {
        Record::write(self, out);
    }

    fn show(&self, json: &mut Json<'a>) {
        json.object(|json| {
            json.field("record", &self.name());
            Record::show(self, json);
        });
    }

    #[cfg(test)]
    fn sample(random: &mut super::tests::Random) -> Self {
        let mut samples = Record::samples(random);
        samples.swap_remove((random.bits() % samples.len() as u64) as usize)
    }
}

/// The turns of a batch. After an error it yields nothing more.
pub fn turns(payload: &[u8]) -> impl Iterator<Item = Result<Turn<'_>>> {
    let mut reader = Reader::new(payload);
    let mut has_failed = false;
    std::iter::from_fn(move || {
        if has_failed || reader.is_at_end() {
            return None;
        }
        let turn = Turn::read(&mut reader);
        has_failed = turn.is_err();
        Some(turn)
    })
}
