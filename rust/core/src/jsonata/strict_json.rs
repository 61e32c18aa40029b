//! JSON for `$parse`: as strict as AWS, which refuses a key that stands twice in an object.

use std::rc::Rc;

use jsonata_core::value::{JMap, JValue};
use serde::de::{Deserialize, Deserializer, Error, MapAccess, SeqAccess, Visitor};

/// The value that `text` is, or None where AWS says "Invalid JSON".
pub fn parse(text: &str) -> Option<JValue> {
    serde_json::from_str::<Strict>(text)
        .ok()
        .map(|strict| strict.0)
}

struct Strict(JValue);

impl<'de> Deserialize<'de> for Strict {
    fn deserialize<D: Deserializer<'de>>(deserializer: D) -> Result<Self, D::Error> {
        deserializer.deserialize_any(StrictVisitor).map(Strict)
    }
}

struct StrictVisitor;

impl<'de> Visitor<'de> for StrictVisitor {
    type Value = JValue;

    fn expecting(&self, formatter: &mut std::fmt::Formatter) -> std::fmt::Result {
        formatter.write_str("JSON")
    }

    fn visit_unit<E>(self) -> Result<JValue, E> {
        Ok(JValue::Null)
    }

    fn visit_bool<E>(self, value: bool) -> Result<JValue, E> {
        Ok(JValue::Bool(value))
    }

    fn visit_i64<E>(self, value: i64) -> Result<JValue, E> {
        Ok(JValue::Number(value as f64))
    }

    fn visit_u64<E>(self, value: u64) -> Result<JValue, E> {
        Ok(JValue::Number(value as f64))
    }

    fn visit_f64<E>(self, value: f64) -> Result<JValue, E> {
        Ok(JValue::Number(value))
    }

    fn visit_str<E>(self, value: &str) -> Result<JValue, E> {
        Ok(JValue::string(value))
    }

    fn visit_seq<A: SeqAccess<'de>>(self, mut items: A) -> Result<JValue, A::Error> {
        let mut array = Vec::new();
        while let Some(Strict(item)) = items.next_element()? {
            array.push(item);
        }
        Ok(JValue::array(array))
    }

    fn visit_map<A: MapAccess<'de>>(self, mut fields: A) -> Result<JValue, A::Error> {
        let mut object = indexmap::IndexMap::new();
        while let Some((name, Strict(field))) = fields.next_entry::<String, Strict>()? {
            if object.insert(name, field).is_some() {
                return Err(A::Error::custom("a key stands twice"));
            }
        }
        Ok(JValue::Object(Rc::new(JMap::from(object))))
    }
}
