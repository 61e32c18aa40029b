//! JSON for `$parse`: as strict as AWS, which refuses a key that stands twice in an object.

use std::fmt::{Formatter, Result as Written};
use std::rc::Rc;

use indexmap::IndexMap;
use jsonata_core::value::{JMap, JValue};
use serde::de::{DeserializeSeed, Deserializer, Error, MapAccess, SeqAccess, Visitor};

use super::numbers::Numbers;

/// The value that `text` is, or None where AWS says "Invalid JSON".
pub fn parse(text: &str, numbers: &Numbers) -> Option<JValue> {
    let mut json = serde_json::Deserializer::from_str(text);
    let value = Strict(numbers).deserialize(&mut json).ok()?;
    json.end().ok().map(|()| value)
}

#[derive(Clone, Copy)]
struct Strict<'a>(&'a Numbers);

impl<'de> DeserializeSeed<'de> for Strict<'_> {
    type Value = JValue;

    fn deserialize<D: Deserializer<'de>>(self, deserializer: D) -> Result<JValue, D::Error> {
        deserializer.deserialize_any(self)
    }
}

impl<'de> Visitor<'de> for Strict<'_> {
    type Value = JValue;

    fn expecting(&self, formatter: &mut Formatter) -> Written {
        formatter.write_str("JSON")
    }

    fn visit_unit<E>(self) -> Result<JValue, E> {
        Ok(JValue::Null)
    }

    fn visit_bool<E>(self, value: bool) -> Result<JValue, E> {
        Ok(JValue::Bool(value))
    }

    fn visit_i64<E>(self, value: i64) -> Result<JValue, E> {
        Ok(JValue::Number(self.0.integer(value)))
    }

    fn visit_u64<E>(self, value: u64) -> Result<JValue, E> {
        Ok(JValue::Number(match i64::try_from(value) {
            Ok(value) => self.0.integer(value),
            Err(_) => self.0.double(value as f64),
        }))
    }

    fn visit_f64<E>(self, value: f64) -> Result<JValue, E> {
        Ok(JValue::Number(self.0.double(value)))
    }

    fn visit_str<E>(self, value: &str) -> Result<JValue, E> {
        Ok(JValue::string(value))
    }

    fn visit_seq<A: SeqAccess<'de>>(self, mut items: A) -> Result<JValue, A::Error> {
        let mut array = Vec::new();
        while let Some(item) = items.next_element_seed(self)? {
            array.push(item);
        }
        Ok(JValue::array(array))
    }

    fn visit_map<A: MapAccess<'de>>(self, mut fields: A) -> Result<JValue, A::Error> {
        let mut object = IndexMap::new();
        while let Some(name) = fields.next_key::<String>()? {
            if object.insert(name, fields.next_value_seed(self)?).is_some() {
                return Err(A::Error::custom("a key stands twice"));
            }
        }
        Ok(JValue::Object(Rc::new(JMap::from(object))))
    }
}
