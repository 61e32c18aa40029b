//! The evaluator: what each node of an expression gives, as jsonata-js 2.0.6 evaluates it.

use std::cell::RefCell;
use std::rc::{Rc, Weak};
use std::sync::Arc;

use super::ast::{Ast, Kind, Node, Stage, Symbol};
use super::error::{Answer, Bound, Fault};
use super::frame::Frame;
use super::function::{Closure, Function, Matcher};
use super::functions::{self, Native};
use super::limits::Budget;
use super::operators;
use super::text::Text;
use super::value::{self, Value};

/// One evaluation.
pub struct Evaluator<'a> {
    pub ast: &'a Ast,
    /// The built-in functions that the expression's names mean.
    pub natives: &'a [Option<&'static Native>],
    pub budget: Budget,
    pub is_aws: bool,
    /// The time of the evaluation, in milliseconds.
    pub now: f64,
    /// Whether a transform would have put an object into itself.
    pub has_circle: bool,
    /// Frames that functions hold, which may hold the functions.
    captured: Vec<Weak<Frame>>,
}

impl Drop for Evaluator<'_> {
    fn drop(&mut self) {
        for frame in self.captured.iter().filter_map(Weak::upgrade) {
            let bindings = std::mem::take(&mut *frame.bindings.borrow_mut());
            drop(bindings);
        }
    }
}

impl<'a> Evaluator<'a> {
    pub fn new(
        ast: &'a Ast,
        natives: &'a [Option<&'static Native>],
        budget: Budget,
        is_aws: bool,
        now: f64,
    ) -> Self {
        Evaluator {
            ast,
            natives,
            budget,
            is_aws,
            now,
            has_circle: false,
            captured: Vec::new(),
        }
    }

    pub fn lookup(&self, name: Symbol, frame: &Frame) -> Value {
        match frame.lookup(name) {
            Some(value) => value,
            None => match self.natives[name as usize] {
                Some(native) => Value::function(Function::Native(native)),
                None => Value::Undefined,
            },
        }
    }

    /// The variable with this name, which may not be a name of the expression.
    pub fn lookup_name(&self, name: &[u8], frame: &Frame) -> Value {
        match self.ast.symbols.iter().position(|known| **known == *name) {
            Some(symbol) => self.lookup(symbol as Symbol, frame),
            None => match functions::named(name, self.is_aws) {
                Some(native) => Value::function(Function::Native(native)),
                None => Value::Undefined,
            },
        }
    }

    pub fn name_of(&self, symbol: Symbol) -> Text {
        Text::from_wtf8(&self.ast.symbols[symbol as usize])
    }

    /// What `node` gives for `input`.
    pub fn evaluate(&mut self, node: &Node, input: &Value, frame: &Rc<Frame>) -> Answer {
        self.budget.spend(1)?;
        self.budget.depth += 1;
        if self.budget.depth > self.budget.limits.depth {
            return Err(Fault::bound(Bound::Depth));
        }
        let mut result = match &node.kind {
            Kind::Name(name) => self.name(name, input, 0)?,
            Kind::Variable(name) => self.lookup(*name, frame),
            Kind::Number(number) => Value::Number(*number),
            Kind::Text(text) => Value::Text(Text::from_wtf8(text)),
            Kind::Bool(flag) => Value::Bool(*flag),
            Kind::Null => Value::Null,
            Kind::Context => context(input),
            _ => stacker::maybe_grow(96 << 10, 1 << 20, || self.compound(node, input, frame))?,
        };
        if let Some(extra) = &node.extra {
            for stage in extra.predicate.iter().flatten() {
                if let Stage::Filter(predicate) = stage {
                    result = self.filter(predicate, result, frame)?;
                }
            }
            if let Some(group) = &extra.group
                && !matches!(node.kind, Kind::Path { .. })
            {
                result = self.group(group, &result, frame)?;
            }
        }
        self.budget.depth -= 1;
        Ok(unwrapped(result, node.keep_array))
    }

    fn compound(&mut self, node: &Node, input: &Value, frame: &Rc<Frame>) -> Answer {
        match &node.kind {
            Kind::Path {
                steps,
                keep_singleton,
            } => self.path(node, steps, *keep_singleton, input, frame),
            Kind::Binary { op, lhs, rhs } => self.binary(*op, lhs, rhs, input, frame),
            Kind::Negate(operand) => operators::negate(&self.evaluate(operand, input, frame)?),
            Kind::Array(items) => self.array(items, node.is_cons, input, frame),
            Kind::Object(pairs) => self.group(pairs, input, frame),
            Kind::Wildcard => self.wildcard(input),
            Kind::Descendant => self.descendants(input),
            Kind::Parent(slot) => Ok(self.lookup(self.ast.slots[*slot], frame)),
            Kind::Condition {
                condition,
                then,
                otherwise,
            } => {
                let condition = self.evaluate(condition, input, frame)?;
                match (self.boolean(&condition)?, otherwise) {
                    (Some(true), _) => self.evaluate(then, input, frame),
                    (_, Some(otherwise)) => self.evaluate(otherwise, input, frame),
                    (_, None) => Ok(Value::Undefined),
                }
            }
            Kind::Block(expressions) => {
                let inner = Frame::new(Some(Rc::clone(frame)));
                let mut result = Value::Undefined;
                for expression in expressions {
                    result = self.evaluate(expression, input, &inner)?;
                }
                Ok(result)
            }
            Kind::Bind { name, value } => {
                let value = self.evaluate(value, input, frame)?;
                frame.bind(*name, value.clone());
                Ok(value)
            }
            Kind::Regex(literal) => Ok(Value::function(Function::Matcher(Matcher::of(literal)))),
            Kind::Call {
                procedure,
                arguments,
            } => self.call(procedure, arguments, None, input, frame),
            Kind::Partial {
                procedure,
                arguments,
            } => self.partial(procedure, arguments, input, frame),
            Kind::Lambda(lambda) => {
                self.capture(frame);
                Ok(Value::function(Function::Closure(Closure {
                    lambda: Arc::clone(lambda),
                    input: input.clone(),
                    frame: Rc::clone(frame),
                    open: None,
                    token: RefCell::default(),
                })))
            }
            Kind::Thunk(call) => Ok(Value::function(Function::Thunk {
                call: Arc::clone(call),
                input: input.clone(),
                frame: Rc::clone(frame),
            })),
            Kind::Apply { lhs, rhs } => self.apply_to(lhs, rhs, input, frame),
            Kind::Transform(transform) => {
                self.capture(frame);
                Ok(Value::function(Function::Transformer {
                    transform: Arc::clone(transform),
                    frame: Rc::clone(frame),
                }))
            }
            Kind::Name(_)
            | Kind::Variable(_)
            | Kind::Number(_)
            | Kind::Text(_)
            | Kind::Bool(_)
            | Kind::Null
            | Kind::Context
            | Kind::Sort(_)
            | Kind::Placeholder => Ok(Value::Undefined),
        }
    }

    /// A function holds `frame`, which may come to hold the function.
    pub fn capture(&mut self, frame: &Rc<Frame>) {
        if !frame.is_captured.replace(true) {
            if self.captured.len() == self.captured.capacity() {
                self.captured.retain(|frame| frame.strong_count() > 0);
            }
            self.captured.push(Rc::downgrade(frame));
        }
    }
}

/// `$`: the item, not the wrapping of a whole array.
fn context(input: &Value) -> Value {
    match input {
        Value::Array(items) if items.has(value::OUTER_WRAPPER) => {
            items.first().cloned().unwrap_or_default()
        }
        input => input.clone(),
    }
}

/// Items one after the other, those of arrays in their place.
pub fn joined(data: &[Value]) -> Value {
    let mut items = Vec::with_capacity(data.len());
    for value in data {
        match value {
            Value::Undefined => {}
            Value::Array(inner) => items.extend_from_slice(inner),
            value => items.push(value.clone()),
        }
    }
    Value::array(items)
}

/// A sequence of none is nothing, and one of one is its item.
#[inline]
pub fn unwrapped(result: Value, keep_array: bool) -> Value {
    let Value::Array(items) = &result else {
        return result;
    };
    if !items.has(value::SEQUENCE) || items.has(value::TUPLE_STREAM) {
        return result;
    }
    if keep_array {
        items.mark(value::KEEP_SINGLETON);
    }
    match &items[..] {
        [] => Value::Undefined,
        [only] if !items.has(value::KEEP_SINGLETON) => only.clone(),
        _ => result,
    }
}
