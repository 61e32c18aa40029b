//! The evaluator: what each node of an expression gives, as jsonata-js 2.0.6 evaluates it.

use std::cell::{Cell, RefCell};
use std::rc::{Rc, Weak};
use std::sync::Arc;

use smallvec::SmallVec;

use super::ast::{Ast, Kind, Node, Stage, Symbol};
use super::charge::Charge;
use super::error::{Answer, Bound, Fault, Thrown};
use super::function::{Closure, Function, Matcher};
use super::functions::{self, Native};
use super::limits::Budget;
use super::operators;
use super::text::Text;
use super::value::{self, Fields, Value};

/// The variables of a block or of a call.
pub struct Frame {
    bindings: RefCell<SmallVec<[(Symbol, Value); 2]>>,
    parent: Option<Rc<Frame>>,
    /// Whether a function of the expression holds it.
    is_captured: Cell<bool>,
    _charge: Charge,
}

impl Frame {
    pub fn new(parent: Option<Rc<Frame>>) -> Rc<Frame> {
        Rc::new(Frame {
            bindings: RefCell::default(),
            parent,
            is_captured: Cell::new(false),
            _charge: Charge::new(160),
        })
    }

    pub fn bind(&self, name: Symbol, value: Value) {
        let mut bindings = self.bindings.borrow_mut();
        match bindings.iter_mut().find(|(known, _)| *known == name) {
            Some((_, bound)) => *bound = value,
            None => bindings.push((name, value)),
        }
    }

    fn lookup(&self, name: Symbol) -> Option<Value> {
        let mut frame = self;
        loop {
            let bindings = frame.bindings.borrow();
            if let Some((_, value)) = bindings.iter().find(|(known, _)| *known == name) {
                return Some(value.clone());
            }
            drop(bindings);
            frame = frame.parent.as_deref()?;
        }
    }
}

impl Drop for Frame {
    /// Frames one below the other go without a call for each.
    fn drop(&mut self) {
        let mut parent = self.parent.take();
        while let Some(mut frame) = parent.and_then(Rc::into_inner) {
            parent = frame.parent.take();
        }
    }
}

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

    /// `$lookup`: the field `name` of an object, or of each object of an array.
    pub fn name(&mut self, name: &[u8], input: &Value, depth: usize) -> Answer {
        match input {
            Value::Object(object) => Ok(object.get(name)),
            Value::Array(items) => {
                self.budget.refuse_nesting(depth)?;
                self.budget.items(items.len())?;
                let mut found = Vec::new();
                for item in items.iter() {
                    let value = match item {
                        Value::Object(object) => object.get(name),
                        Value::Array(_) => stacker::maybe_grow(64 << 10, 1 << 20, || {
                            self.name(name, item, depth + 1)
                        })?,
                        _ => continue,
                    };
                    match value {
                        Value::Undefined => {}
                        Value::Array(inner) => {
                            self.budget.items(inner.len())?;
                            self.budget.refuse_length(found.len() + inner.len())?;
                            found.extend_from_slice(&inner);
                        }
                        value => found.push(value),
                    }
                }
                Ok(Value::sequence(found))
            }
            _ => Ok(Value::Undefined),
        }
    }

    fn array(&mut self, items: &[Node], is_cons: bool, input: &Value, frame: &Rc<Frame>) -> Answer {
        let mut found = Vec::with_capacity(items.len());
        for (at, item) in items.iter().enumerate() {
            let value = match self.evaluate_item(item, input, frame) {
                Ok(value) => value,
                Err((fault, steps)) => {
                    return Err(self.soonest(fault, steps, &items[at + 1..], input, frame));
                }
            };
            match value {
                Value::Undefined => {}
                Value::Array(inner) if !matches!(item.kind, Kind::Array(_)) => {
                    self.budget.items(inner.len())?;
                    self.budget.refuse_length(found.len() + inner.len())?;
                    found.extend_from_slice(&inner);
                }
                value => found.push(value),
            }
        }
        self.budget.refuse_length(found.len())?;
        let flags = if is_cons { value::CONS } else { 0 };
        Ok(Value::Array(value::Array::new(found, flags)))
    }

    /// An item of an array constructor; where it fails, with the steps that it took.
    fn evaluate_item(
        &mut self,
        item: &Node,
        input: &Value,
        frame: &Rc<Frame>,
    ) -> Result<Value, (Thrown, u64)> {
        let (steps, depth) = (self.budget.left(), self.budget.depth);
        self.evaluate(item, input, frame).map_err(|fault| {
            self.budget.depth = depth;
            (fault, steps - self.budget.left())
        })
    }

    /// jsonata-js evaluates the items side by side, so that of several that fail the soonest one is told.
    fn soonest(
        &mut self,
        fault: Thrown,
        steps: u64,
        rest: &[Node],
        input: &Value,
        frame: &Rc<Frame>,
    ) -> Thrown {
        let mut soonest = (fault, steps);
        for item in rest {
            if soonest.0.bound.is_some() {
                break;
            }
            if let Err((fault, steps)) = self.evaluate_item(item, input, frame)
                && (fault.bound.is_some() || steps < soonest.1)
            {
                soonest = (fault, steps);
            }
        }
        soonest.0
    }

    /// A group of items with the same key.
    pub fn group(&mut self, pairs: &[(Node, Node)], input: &Value, frame: &Rc<Frame>) -> Answer {
        let is_tuples = input.is_tuple_stream();
        let single = [input.clone()];
        let items: &[Value] = match input {
            Value::Array(items) if items.is_empty() => &[Value::Undefined],
            Value::Array(items) => items,
            _ => &single,
        };
        if let ([item], false) = (items, is_tuples)
            && let Some(object) = self.object(pairs, item, frame)?
        {
            return Ok(object);
        }
        let groups = self.grouped(pairs, items, is_tuples, frame)?;
        let mut result = Fields::with_capacity(groups.len());
        for (key, group) in groups.iter() {
            let Value::Array(group) = group else { continue };
            let (pair, data) = (
                &pairs[group[0].as_number().unwrap_or(0.0) as usize],
                &group[1..],
            );
            let data = match data {
                [only] => only.clone(),
                data => joined(data),
            };
            let value = match is_tuples {
                true => {
                    let (context, inner) = self.reduced(&data, frame);
                    self.evaluate(&pair.1, &context, &inner)?
                }
                false => self.evaluate(&pair.1, &data, frame)?,
            };
            if !value.is_undefined() {
                result.set(key.clone(), value);
            }
        }
        Ok(Value::object(result))
    }

    /// The object of one item; None where names of indexes change the order.
    fn object(
        &mut self,
        pairs: &[(Node, Node)],
        item: &Value,
        frame: &Rc<Frame>,
    ) -> Answer<Option<Value>> {
        let is_constant = |(key, _): &(Node, Node)| matches!(&key.kind, Kind::Text(name) if key.extra.is_none() && !name.first().is_some_and(u8::is_ascii_digit));
        if !pairs.iter().all(is_constant) {
            return Ok(None);
        }
        let mut result = Fields::with_capacity(pairs.len());
        for (at, (key, _)) in pairs.iter().enumerate() {
            let is_double = |other: &(Node, Node)| matches!((&other.0.kind, &key.kind), (Kind::Text(one), Kind::Text(other)) if one == other);
            if pairs[..at].iter().any(is_double) {
                return Ok(None);
            }
        }
        for (key, value) in pairs {
            let value = self.evaluate(value, item, frame)?;
            if let (Kind::Text(name), false) = (&key.kind, value.is_undefined()) {
                result.add(Text::from_wtf8(name), value);
            }
        }
        Ok(Some(Value::object(result)))
    }

    /// The items of each key, behind the number of the pair that gave it.
    fn grouped(
        &mut self,
        pairs: &[(Node, Node)],
        items: &[Value],
        is_tuples: bool,
        frame: &Rc<Frame>,
    ) -> Answer<Fields> {
        let mut keys: Vec<(Text, usize, Vec<Value>)> = Vec::new();
        let mut places = std::collections::HashMap::new();
        for item in items {
            let (context, inner) = match is_tuples {
                // An empty stream has one item too, which is undefined.
                true if item.is_undefined() && !pairs.is_empty() => {
                    return Err(Fault::uncoded(
                        "Cannot read properties of undefined (reading '@')",
                    ));
                }
                true => self.tuple_frame(item, frame),
                false => (item.clone(), Rc::clone(frame)),
            };
            for (number, (key, _)) in pairs.iter().enumerate() {
                let key = match self.evaluate(key, &context, &inner)? {
                    Value::Undefined => continue,
                    Value::Text(key) => key,
                    key => return Err(Fault::new("T1003").value(&key)),
                };
                let place = *places.entry(key.clone()).or_insert(keys.len());
                match keys.get_mut(place) {
                    None => keys.push((key, number, vec![item.clone()])),
                    Some((_, known, _)) if *known != number => {
                        return Err(Fault::new("D1009").value(&Value::Text(key)));
                    }
                    Some((_, _, data)) => data.push(item.clone()),
                }
            }
        }
        let mut groups = Fields::with_capacity(keys.len());
        for (key, number, mut data) in keys {
            data.insert(0, Value::Number(number as f64));
            groups.add(key, Value::array(data));
        }
        Ok(groups)
    }

    fn wildcard(&mut self, input: &Value) -> Answer {
        let input = match input {
            Value::Array(items) if items.has(value::OUTER_WRAPPER) && !items.is_empty() => {
                &items[0]
            }
            input => input,
        };
        let mut found = Vec::new();
        let mut is_sequence = true;
        let values: Vec<Value> = match input {
            Value::Object(object) => object
                .entries()
                .into_iter()
                .map(|(_, value)| value)
                .collect(),
            Value::Array(items) => items.to_vec(),
            _ => Vec::new(),
        };
        for value in values {
            match value {
                Value::Array(_) => {
                    self.flatten(&value, &mut found, 0)?;
                    is_sequence = false;
                }
                value => found.push(value),
            }
        }
        self.budget.items(found.len())?;
        self.budget.refuse_length(found.len())?;
        // `concat` leaves a plain array.
        Ok(match is_sequence {
            true => Value::sequence(found),
            false => Value::array(found),
        })
    }

    fn flatten(&mut self, value: &Value, found: &mut Vec<Value>, depth: usize) -> Answer<()> {
        self.budget.refuse_nesting(depth)?;
        match value {
            Value::Array(items) => {
                self.budget.items(items.len())?;
                self.budget.refuse_length(found.len() + items.len())?;
                items.iter().try_for_each(|item| {
                    stacker::maybe_grow(64 << 10, 1 << 20, || self.flatten(item, found, depth + 1))
                })
            }
            value => {
                found.push(value.clone());
                Ok(())
            }
        }
    }

    fn descendants(&mut self, input: &Value) -> Answer {
        if input.is_undefined() {
            return Ok(Value::Undefined);
        }
        let mut found = Vec::new();
        self.descend(input, &mut found, 0)?;
        Ok(match found.len() {
            1 => found.remove(0),
            _ => Value::sequence(found),
        })
    }

    fn descend(&mut self, input: &Value, found: &mut Vec<Value>, depth: usize) -> Answer<()> {
        self.budget.refuse_nesting(depth)?;
        self.budget.spend(1)?;
        let children: Vec<Value> = match input {
            Value::Array(items) => items.to_vec(),
            Value::Object(object) => object
                .entries()
                .into_iter()
                .map(|(_, value)| value)
                .collect(),
            _ => Vec::new(),
        };
        if !matches!(input, Value::Array(_)) {
            found.push(input.clone());
            self.budget.refuse_length(found.len())?;
        }
        self.budget.items(children.len())?;
        children.iter().try_for_each(|child| {
            stacker::maybe_grow(64 << 10, 1 << 20, || self.descend(child, found, depth + 1))
        })
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
fn unwrapped(result: Value, keep_array: bool) -> Value {
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
