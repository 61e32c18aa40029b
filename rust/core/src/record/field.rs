//! The types of a record's fields: how each is read, written and shown as JSON.

use rmp::encode;

use super::json::Json;
use crate::error::Result;
use crate::msgpack::Reader;

/// A type of field. Every value has one encoding, the shortest: msgspec's.
pub trait Field<'a>: Sized {
    fn read(reader: &mut Reader<'a>) -> Result<Self>;
    fn write(&self, out: &mut Vec<u8>);
    fn show(&self, json: &mut Json<'a>);

    /// A value for tests.
    #[cfg(test)]
    fn sample(random: &mut super::tests::Random) -> Self;
}

impl<'a> Json<'a> {
    /// Adds a member to an object.
    pub fn field(&mut self, name: &str, value: &impl Field<'a>) {
        self.name(name);
        value.show(self);
    }
}

/// A JSON document of a command: its text, or a reference to the last one written in the turn.
///
/// An empty text means that there is no document.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub enum Document<'a> {
    Text(&'a [u8]),
    Repeated,
}

/// Writing to memory cannot fail.
const INFALLIBLE: &str = "a vector takes all bytes";

impl<'a> Field<'a> for u64 {
    fn read(reader: &mut Reader<'a>) -> Result<u64> {
        reader.integer()
    }

    fn write(&self, out: &mut Vec<u8>) {
        encode::write_uint(out, *self).expect(INFALLIBLE);
    }

    fn show(&self, json: &mut Json<'a>) {
        json.display(self);
    }

    #[cfg(test)]
    fn sample(random: &mut super::tests::Random) -> Self {
        random.bits() >> (random.bits() % 64)
    }
}

impl<'a> Field<'a> for i64 {
    fn read(reader: &mut Reader<'a>) -> Result<i64> {
        reader.integer()
    }

    fn write(&self, out: &mut Vec<u8>) {
        encode::write_sint(out, *self).expect(INFALLIBLE);
    }

    fn show(&self, json: &mut Json<'a>) {
        json.display(self);
    }

    #[cfg(test)]
    fn sample(random: &mut super::tests::Random) -> Self {
        random.bits() as i64 >> (random.bits() % 64)
    }
}

impl<'a> Field<'a> for f64 {
    fn read(reader: &mut Reader<'a>) -> Result<f64> {
        reader.float()
    }

    fn write(&self, out: &mut Vec<u8>) {
        encode::write_f64(out, *self).expect(INFALLIBLE);
    }

    fn show(&self, json: &mut Json<'a>) {
        if self.is_finite() {
            json.display(self);
        } else {
            json.text(&self.to_string());
        }
    }

    #[cfg(test)]
    fn sample(random: &mut super::tests::Random) -> Self {
        (random.bits() as f64) / 65_536.0
    }
}

impl<'a> Field<'a> for bool {
    fn read(reader: &mut Reader<'a>) -> Result<bool> {
        reader.boolean()
    }

    fn write(&self, out: &mut Vec<u8>) {
        encode::write_bool(out, *self).expect(INFALLIBLE);
    }

    fn show(&self, json: &mut Json<'a>) {
        json.display(self);
    }

    #[cfg(test)]
    fn sample(random: &mut super::tests::Random) -> Self {
        random.bits().is_multiple_of(2)
    }
}

impl<'a> Field<'a> for &'a str {
    fn read(reader: &mut Reader<'a>) -> Result<&'a str> {
        reader.text()
    }

    fn write(&self, out: &mut Vec<u8>) {
        encode::write_str(out, self).expect(INFALLIBLE);
    }

    fn show(&self, json: &mut Json<'a>) {
        json.text(self);
    }

    #[cfg(test)]
    fn sample(random: &mut super::tests::Random) -> Self {
        random.text()
    }
}

impl<'a> Field<'a> for &'a [u8] {
    fn read(reader: &mut Reader<'a>) -> Result<&'a [u8]> {
        reader.binary()
    }

    fn write(&self, out: &mut Vec<u8>) {
        encode::write_bin(out, self).expect(INFALLIBLE);
    }

    fn show(&self, json: &mut Json<'a>) {
        json.document(self);
    }

    #[cfg(test)]
    fn sample(random: &mut super::tests::Random) -> Self {
        random.document()
    }
}

impl<'a> Field<'a> for Document<'a> {
    fn read(reader: &mut Reader<'a>) -> Result<Document<'a>> {
        Ok(match Option::read(reader)? {
            Some(text) => Document::Text(text),
            None => Document::Repeated,
        })
    }

    fn write(&self, out: &mut Vec<u8>) {
        match self {
            Document::Text(text) => text.write(out),
            Document::Repeated => encode::write_nil(out).expect(INFALLIBLE),
        }
    }

    fn show(&self, json: &mut Json<'a>) {
        match *self {
            Document::Text(text) => {
                if !text.is_empty() {
                    json.repeated = text;
                }
                json.document(text);
            }
            Document::Repeated => json.document(json.repeated),
        }
    }

    #[cfg(test)]
    fn sample(random: &mut super::tests::Random) -> Self {
        match Option::sample(random) {
            Some(text) => Document::Text(text),
            None => Document::Repeated,
        }
    }
}

impl<'a, T: Field<'a>> Field<'a> for Option<T> {
    fn read(reader: &mut Reader<'a>) -> Result<Option<T>> {
        if reader.nil()? {
            return Ok(None);
        }
        T::read(reader).map(Some)
    }

    fn write(&self, out: &mut Vec<u8>) {
        match self {
            Some(value) => value.write(out),
            None => encode::write_nil(out).expect(INFALLIBLE),
        }
    }

    fn show(&self, json: &mut Json<'a>) {
        match self {
            Some(value) => value.show(json),
            None => json.display(&"null"),
        }
    }

    #[cfg(test)]
    fn sample(random: &mut super::tests::Random) -> Self {
        bool::sample(random).then(|| T::sample(random))
    }
}

impl<'a, T: Field<'a>> Field<'a> for Vec<T> {
    fn read(reader: &mut Reader<'a>) -> Result<Vec<T>> {
        let count = reader.array()?;
        (0..count).map(|_| T::read(reader)).collect()
    }

    fn write(&self, out: &mut Vec<u8>) {
        encode::write_array_len(out, self.len() as u32).expect(INFALLIBLE);
        self.iter().for_each(|value| value.write(out));
    }

    fn show(&self, json: &mut Json<'a>) {
        json.array(self.iter(), |json, value| value.show(json));
    }

    #[cfg(test)]
    fn sample(random: &mut super::tests::Random) -> Self {
        (0..random.bits() % 4).map(|_| T::sample(random)).collect()
    }
}
