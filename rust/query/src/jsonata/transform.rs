//! Transforms: `|pattern|update,delete|`, on a copy of what they are applied to.

use std::rc::Rc;

use super::ast;
use super::error::{Answer, Fault};
use super::evaluator::Evaluator;
use super::frame::Frame;
use super::value::{Object, Value};

impl Evaluator<'_> {
    pub fn transform(
        &mut self,
        transform: &ast::Transform,
        frame: &Rc<Frame>,
        value: &Value,
    ) -> Answer {
        if value.is_undefined() {
            return Ok(Value::Undefined);
        }
        let clone = self.lookup_name(b"clone", frame);
        if !matches!(clone, Value::Function(_)) {
            return Err(Fault::new("T2013"));
        }
        let copy = self.apply(&clone, vec![value.clone()], &Value::Null)?;
        let matches = match self.evaluate(&transform.pattern, &copy, frame)? {
            Value::Undefined => return Ok(copy),
            Value::Array(matches) => matches.to_vec(),
            one => vec![one],
        };
        for found in &matches {
            self.update(transform, found, frame)?;
            self.delete(transform, found, frame)?;
        }
        Ok(copy)
    }

    fn update(
        &mut self,
        transform: &ast::Transform,
        found: &Value,
        frame: &Rc<Frame>,
    ) -> Answer<()> {
        let update = match self.evaluate(&transform.update, found, frame)? {
            Value::Undefined => return Ok(()),
            Value::Object(update) => update,
            Value::Function(_) => return Ok(()),
            update => return Err(Fault::new("T2011").value(&update)),
        };
        for (name, value) in update.entries() {
            self.budget.spend(1)?;
            match found {
                Value::Object(object) => match self.is_within(object, &value)? {
                    true => self.has_circle = true,
                    false => object.set(name, value),
                },
                Value::Array(_) | Value::Function(_) => {}
                found => return Err(no_property(found, &name.to_lossy())),
            }
        }
        Ok(())
    }

    /// Whether `object` is a part of `value`. An object within itself has no JSON, and would never be freed.
    fn is_within(&mut self, object: &Rc<Object>, value: &Value) -> Answer<bool> {
        let mut open = vec![value.clone()];
        while let Some(value) = open.pop() {
            self.budget.spend(1)?;
            match value {
                Value::Object(inner) if Rc::ptr_eq(&inner, object) => return Ok(true),
                Value::Object(inner) => {
                    open.extend(inner.entries().into_iter().map(|(_, value)| value));
                }
                Value::Array(items) => open.extend(items.iter().cloned()),
                _ => {}
            }
        }
        Ok(false)
    }

    fn delete(
        &mut self,
        transform: &ast::Transform,
        found: &Value,
        frame: &Rc<Frame>,
    ) -> Answer<()> {
        let Some(delete) = &transform.delete else {
            return Ok(());
        };
        let deletions = self.evaluate(delete, found, frame)?;
        let names = match &deletions {
            Value::Undefined => return Ok(()),
            Value::Array(names) => names.to_vec(),
            name => vec![name.clone()],
        };
        if names.iter().any(|name| name.as_text().is_none()) {
            return Err(Fault::new("T2012").value(&deletions));
        }
        for name in names.iter().filter_map(Value::as_text) {
            if let Value::Object(object) = found {
                self.budget.spend(1)?;
                object.remove(name);
            }
        }
        Ok(())
    }
}

fn no_property(value: &Value, name: &str) -> Box<Fault> {
    Fault::uncoded(match value {
        Value::Undefined => format!("Cannot set properties of undefined (setting '{name}')"),
        Value::Null => format!("Cannot set properties of null (setting '{name}')"),
        value => {
            let kind = match value {
                Value::Text(_) => "string",
                Value::Bool(_) => "boolean",
                _ => "number",
            };
            format!(
                "Cannot create property '{name}' on {kind} '{}'",
                super::json::display(value)
            )
        }
    })
}
