//! Operators.

use std::rc::Rc;

use super::ast::{Node, Op};
use super::error::{Answer, Bound, Fault};
use super::evaluator::Evaluator;
use super::frame::Frame;
use super::json;
use super::text::Text;
use super::value::Value;

/// How many items a range of the language alone may have.
const MAX_RANGE: f64 = 1e7;

impl Evaluator<'_> {
    pub fn binary(
        &mut self,
        op: Op,
        lhs: &Node,
        rhs: &Node,
        input: &Value,
        frame: &Rc<Frame>,
    ) -> Answer {
        let left = self.evaluate(lhs, input, frame)?;
        if matches!(op, Op::And | Op::Or) {
            return self
                .and_or(op, &left, rhs, input, frame)
                .map_err(|fault| about(op, fault));
        }
        let right = self.evaluate(rhs, input, frame)?;
        self.operate(op, &left, &right)
            .map_err(|fault| about(op, fault))
    }

    fn and_or(
        &mut self,
        op: Op,
        left: &Value,
        rhs: &Node,
        input: &Value,
        frame: &Rc<Frame>,
    ) -> Answer {
        let is_left = self.boolean(left)? == Some(true);
        if is_left == (op == Op::Or) {
            return Ok(Value::Bool(is_left));
        }
        let right = self.evaluate(rhs, input, frame)?;
        Ok(Value::Bool(self.boolean(&right)? == Some(true)))
    }

    fn operate(&mut self, op: Op, left: &Value, right: &Value) -> Answer {
        match op {
            Op::Add | Op::Subtract | Op::Multiply | Op::Divide | Op::Modulo => {
                calculate(op, left, right)
            }
            Op::Equal | Op::NotEqual => Ok(Value::Bool(match (left, right) {
                (Value::Undefined, _) | (_, Value::Undefined) => false,
                _ => self.is_equal(left, right, 0)? == (op == Op::Equal),
            })),
            Op::Concat => {
                let (left, right) = (self.part(left)?, self.part(right)?);
                self.budget.text(left.bytes().len() + right.bytes().len())?;
                Ok(Value::Text(left.concat(&right)))
            }
            Op::Range => self.range(left, right),
            Op::In => self.is_in(left, right),
            _ => compare(op, left, right),
        }
    }

    /// The text of an operand of `&`.
    fn part(&mut self, value: &Value) -> Answer<Text> {
        match value {
            Value::Undefined => Ok(Text::EMPTY),
            Value::Text(text) => Ok(text.clone()),
            value => json::string(self, value, false),
        }
    }

    fn range(&mut self, left: &Value, right: &Value) -> Answer {
        let integer = |value: &Value, code| match value.as_number() {
            Some(number) if number.is_finite() && number.fract() == 0.0 => Ok(Some(number)),
            None if value.is_undefined() => Ok(None),
            _ => Err(Fault::new(code).value(value)),
        };
        let (Some(start), Some(end)) = (integer(left, "T2003")?, integer(right, "T2004")?) else {
            return Ok(Value::Undefined);
        };
        if start > end {
            return Ok(Value::Undefined);
        }
        let size = end - start + 1.0;
        if size > self.budget.limits.sequence as f64 && self.is_aws {
            return Err(Fault::bound(Bound::Memory));
        }
        if size > MAX_RANGE {
            return Err(Fault::new("D2014").value(&Value::Number(size)));
        }
        self.budget.items(size as usize)?;
        let numbers = (0..size as usize).map(|at| Value::Number(start + at as f64));
        Ok(Value::sequence(numbers.collect()))
    }

    fn is_in(&mut self, left: &Value, right: &Value) -> Answer {
        Ok(Value::Bool(match (left, right) {
            (Value::Undefined, _) | (_, Value::Undefined) => false,
            (_, Value::Array(items)) => {
                self.budget.items(items.len())?;
                items.iter().any(|item| item.is_same(left))
            }
            _ => left.is_same(right),
        }))
    }

    /// Equal in depth.
    pub fn is_equal(&mut self, left: &Value, right: &Value, depth: usize) -> Answer<bool> {
        self.budget.refuse_nesting(depth)?;
        match (left, right) {
            (Value::Array(one), Value::Array(other)) => {
                self.budget.items(one.len())?;
                if one.len() != other.len() {
                    return Ok(left.is_same(right));
                }
                for (one, other) in one.iter().zip(other.iter()) {
                    if !stacker::maybe_grow(64 << 10, 1 << 20, || {
                        self.is_equal(one, other, depth + 1)
                    })? {
                        return Ok(false);
                    }
                }
                Ok(true)
            }
            (Value::Object(one), Value::Object(other)) => {
                self.budget.items(one.len())?;
                if one.len() != other.len() {
                    return Ok(false);
                }
                for (name, value) in one.entries() {
                    let found = other.get(name.bytes());
                    if found.is_undefined() && !value.is_undefined() {
                        return Ok(false);
                    }
                    if !stacker::maybe_grow(64 << 10, 1 << 20, || {
                        self.is_equal(&value, &found, depth + 1)
                    })? {
                        return Ok(false);
                    }
                }
                Ok(true)
            }
            (Value::Text(one), Value::Text(_)) => {
                self.budget.bytes(one.bytes().len())?;
                Ok(left.is_same(right))
            }
            // Only a wrapped array has nothing else to compare than that it is the same.
            _ => Ok(left.is_same(right)),
        }
    }

    /// `$boolean`: None for undefined.
    pub fn boolean(&mut self, value: &Value) -> Answer<Option<bool>> {
        Ok(Some(match value {
            Value::Undefined => return Ok(None),
            Value::Bool(flag) => *flag,
            Value::Null => false,
            Value::Text(text) => !text.is_empty(),
            Value::Object(object) => !object.is_empty(),
            Value::Function(function) => function.is_object(),
            Value::Array(items) => match &items[..] {
                [] => false,
                [only] => {
                    return stacker::maybe_grow(64 << 10, 1 << 20, || self.boolean_nested(only));
                }
                items => {
                    self.budget.items(items.len())?;
                    let mut any = false;
                    for item in items {
                        any |=
                            stacker::maybe_grow(64 << 10, 1 << 20, || self.boolean_nested(item))?
                                == Some(true);
                    }
                    any
                }
            },
            number => is_numeric(number)? && number.as_number() != Some(0.0),
        }))
    }

    fn boolean_nested(&mut self, value: &Value) -> Answer<Option<bool>> {
        if !matches!(value, Value::Array(_)) {
            return self.boolean(value);
        }
        // Nested arrays count as levels, so that no value is too deep for the stack.
        self.budget.spend(1)?;
        self.budget.depth += 1;
        self.budget.refuse_nesting(self.budget.depth)?;
        let result = self.boolean(value);
        self.budget.depth -= 1;
        result
    }
}

/// An error of an operator is about the operator.
fn about(op: Op, mut fault: Box<Fault>) -> Box<Fault> {
    fault.token = Some(Value::text(op.sign()));
    fault
}

/// Whether it is a number; one that is not finite is refused.
pub fn is_numeric(value: &Value) -> Answer<bool> {
    match value {
        Value::Number(number) if number.is_infinite() => Err(Fault::new("D1001").value(value)),
        Value::Number(number) => Ok(!number.is_nan()),
        Value::Long(_) => Ok(true),
        _ => Ok(false),
    }
}

pub fn negate(value: &Value) -> Answer {
    match value {
        Value::Undefined => Ok(Value::Undefined),
        value if is_numeric(value)? => Ok(Value::Number(-value.as_number().unwrap_or(f64::NAN))),
        value => Err(Fault::new("D1002").token("-").value(value)),
    }
}

fn calculate(op: Op, left: &Value, right: &Value) -> Answer {
    if !left.is_undefined() && !is_numeric(left)? {
        return Err(Fault::new("T2001").value(left));
    }
    if !right.is_undefined() && !is_numeric(right)? {
        return Err(Fault::new("T2002").value(right));
    }
    let (Some(left), Some(right)) = (left.as_number(), right.as_number()) else {
        return Ok(Value::Undefined);
    };
    Ok(Value::Number(match op {
        Op::Add => left + right,
        Op::Subtract => left - right,
        Op::Multiply => left * right,
        Op::Divide => left / right,
        _ => left % right,
    }))
}

fn compare(op: Op, left: &Value, right: &Value) -> Answer {
    let is_comparable = |value: &Value| {
        matches!(
            value,
            Value::Undefined | Value::Text(_) | Value::Number(_) | Value::Long(_)
        )
    };
    if !is_comparable(left) || !is_comparable(right) {
        let culprit = if is_comparable(left) && !left.is_undefined() {
            right
        } else {
            left
        };
        return Err(Fault::new("T2010").value(culprit));
    }
    if left.is_undefined() || right.is_undefined() {
        return Ok(Value::Undefined);
    }
    let order = match (left, right) {
        (Value::Text(left), Value::Text(right)) => Some(left.cmp(right)),
        _ => match (left.as_number(), right.as_number()) {
            (Some(left), Some(right)) => left.partial_cmp(&right),
            _ => return Err(Fault::new("T2009").value(left).value2(right)),
        },
    };
    Ok(Value::Bool(order.is_some_and(|order| match op {
        Op::Less => order.is_lt(),
        Op::LessOrEqual => order.is_le(),
        Op::Greater => order.is_gt(),
        _ => order.is_ge(),
    })))
}
