//! Calls: built-in functions, lambdas, tail calls, partial application, `~>`.

use std::rc::Rc;

use super::ast::{Kind, Node};
use super::error::{Answer, Bound, Fault};
use super::evaluator::{Evaluator, unwrapped};
use super::frame::Frame;
use super::function::{Callable, Closure, Function};
use super::text::Text;
use super::value::Value;

impl Evaluator<'_> {
    /// A call as it stands in the expression. `first`: an argument before the others.
    pub fn call(
        &mut self,
        procedure: &Node,
        arguments: &[Node],
        first: Option<Value>,
        input: &Value,
        frame: &Rc<Frame>,
    ) -> Answer {
        let called = self.evaluate(procedure, input, frame)?;
        self.refuse_forgotten_dollar("T1005", &called, procedure, frame)?;
        let mut values = Vec::with_capacity(arguments.len() + 1);
        values.extend(first);
        for argument in arguments {
            let value = self.evaluate(argument, input, frame)?;
            values.push(match value {
                Value::Function(function) => wrapped(function),
                value => value,
            });
        }
        let token = token_of(self, procedure);
        let result = match (&called, &token) {
            (Value::Null, _) => Err(Fault::uncoded(
                "Cannot set properties of null (setting 'token')",
            )),
            (Value::Function(function), Value::Text(name)) => {
                set_token(function, name);
                self.apply_as(&called, values, input, Some(name))
            }
            _ => self.apply(&called, values, input),
        };
        result.map_err(|mut fault| {
            let is_told = fault.token.as_ref().is_some_and(Value::is_truthy);
            if !is_told && !token.is_undefined() {
                fault.token = Some(token);
            }
            fault
        })
    }

    pub fn refuse_forgotten_dollar(
        &self,
        code: &'static str,
        called: &Value,
        procedure: &Node,
        frame: &Frame,
    ) -> Answer<()> {
        let (Value::Undefined, Kind::Path { steps, .. }) = (called, &procedure.kind) else {
            return Ok(());
        };
        let Kind::Name(name) = &steps[0].kind else {
            return Ok(());
        };
        match self.lookup_name(name, frame).is_truthy() {
            true => Err(Fault::new(code).token_text(Some(Text::from_wtf8(name)))),
            false => Ok(()),
        }
    }

    /// Call `called`, and then what it leaves to be called in its place.
    pub fn apply(&mut self, called: &Value, arguments: Vec<Value>, input: &Value) -> Answer {
        self.apply_as(called, arguments, input, None)
    }

    fn apply_as(
        &mut self,
        called: &Value,
        arguments: Vec<Value>,
        input: &Value,
        name: Option<&Text>,
    ) -> Answer {
        let mut result = self.apply_once(called, arguments, input, name)?;
        while let Value::Function(function) = &result
            && let Function::Thunk {
                call,
                input: inner,
                frame,
            } = &**function
        {
            let Kind::Call {
                procedure,
                arguments,
            } = &call.kind
            else {
                break;
            };
            let next = self.evaluate(procedure, inner, frame)?;
            let name = match &procedure.kind {
                Kind::Variable(symbol) => Some(self.name_of(*symbol)),
                Kind::Context => Some(Text::EMPTY),
                _ => None,
            };
            refuse_property(&next, if name.is_some() { "token" } else { "position" })?;
            if let (Value::Function(function), Some(name)) = (&next, &name) {
                set_token(function, name);
            }
            let mut values = Vec::with_capacity(arguments.len());
            for argument in arguments {
                values.push(self.evaluate(argument, inner, frame)?);
            }
            result = self.apply_once(&next, values, input, name.as_ref())?;
        }
        Ok(result)
    }

    fn apply_once(
        &mut self,
        called: &Value,
        arguments: Vec<Value>,
        input: &Value,
        name: Option<&Text>,
    ) -> Answer {
        let Value::Function(function) = called else {
            return Err(Fault::new("T1006"));
        };
        self.apply_function(function, arguments, input)
            .map_err(|mut fault| {
                if fault.token.is_none() {
                    fault.token = match &**function {
                        Function::Native(native) => Some(Value::Text(
                            name.cloned().unwrap_or_else(|| native.name.into()),
                        )),
                        Function::Closure(closure) => {
                            closure.token.borrow().clone().map(Value::Text)
                        }
                        _ => None,
                    };
                }
                fault
            })
    }

    fn apply_function(
        &mut self,
        function: &Rc<Function>,
        arguments: Vec<Value>,
        input: &Value,
    ) -> Answer {
        match &**function {
            Function::Native(native) => {
                let arguments = match native.signature() {
                    Some(signature) => signature.validate(arguments, input)?,
                    None => arguments,
                };
                native.run(self, &arguments)
            }
            Function::Closure(closure) => {
                let arguments = match (&closure.lambda.signature, &closure.open) {
                    (Some(signature), None) => signature.validate(arguments, input)?,
                    _ => arguments,
                };
                self.enter(closure, arguments)
            }
            Function::Wrapped { inner, .. } => {
                self.nested(|evaluator| evaluator.apply(inner, arguments, &Value::Null))
            }
            Function::PartialNative { native, given } => {
                let mut rest = arguments.into_iter();
                let values = given.iter().map(|given| match given {
                    Some(given) => given.clone(),
                    None => rest.next().unwrap_or_default(),
                });
                let values: Vec<Value> = values.collect();
                match native {
                    Callable::Native(native) => native.run_unchecked(self, values),
                    Callable::Value(value) => self.call_js("proc", value, values),
                }
            }
            // As function($f, $g) { function($x) { $g($f($x)) } } calls them.
            Function::Chain(first, second) => {
                let [first_name, second_name] = ["f", "g"].map(Text::from);
                let argument = match arguments.into_iter().next().unwrap_or_default() {
                    Value::Function(function) => wrapped(function),
                    value => value,
                };
                let between = self.nested(|evaluator| {
                    evaluator.apply_as(first, vec![argument], &Value::Null, Some(&first_name))
                })?;
                let between = unwrapped(between, false);
                self.nested(|evaluator| {
                    evaluator.apply_as(second, vec![between], &Value::Null, Some(&second_name))
                })
            }
            Function::Matcher(matcher) => {
                let text = arguments.first().cloned().unwrap_or_default();
                let from = arguments.get(1).and_then(Value::as_number).unwrap_or(0.0);
                super::functions::matching::call(self, matcher, &text, from)
            }
            Function::NextMatch(matcher, text) => {
                super::functions::matching::next(self, matcher, text)
            }
            Function::Transformer { transform, frame } => {
                let signature = super::functions::transformer_signature();
                let arguments = signature.validate(arguments, input)?;
                self.transform(
                    transform,
                    frame,
                    arguments.first().unwrap_or(&Value::Undefined),
                )
            }
            Function::Thunk { .. } => Err(Fault::new("T1006")),
        }
    }

    /// A call that an argument makes: it takes a level of the stack, if not of the depth.
    fn nested(&mut self, act: impl FnOnce(&mut Self) -> Answer) -> Answer {
        self.budget.spend(1)?;
        self.budget.depth += 1;
        if self.budget.depth > self.budget.limits.depth {
            return Err(Fault::bound(Bound::Depth));
        }
        let result = stacker::maybe_grow(96 << 10, 1 << 20, || act(self));
        self.budget.depth -= 1;
        result
    }

    fn enter(&mut self, closure: &Closure, arguments: Vec<Value>) -> Answer {
        let frame = Frame::new(Some(Rc::clone(&closure.frame)));
        let parameters = &closure.lambda.parameters;
        let mut values = arguments.into_iter();
        match &closure.open {
            None => parameters
                .iter()
                .for_each(|&name| frame.bind(name, values.next().unwrap_or_default())),
            Some(open) => {
                open.iter()
                    .for_each(|&at| frame.bind(parameters[at], values.next().unwrap_or_default()));
            }
        }
        self.evaluate(&closure.lambda.body, &closure.input, &frame)
    }

    /// JavaScript's `name.apply(…)`, as built-in functions call what they are given.
    pub fn call_js(&mut self, name: &str, called: &Value, arguments: Vec<Value>) -> Answer {
        match called {
            Value::Function(function) if function.has_apply() => {
                let input = match &**function {
                    Function::Closure(closure) => closure.input.clone(),
                    _ => Value::Undefined,
                };
                match &**function {
                    Function::Wrapped { inner, .. } => self.apply(inner, arguments, &Value::Null),
                    _ => self.apply(called, arguments, &input),
                }
            }
            Value::Undefined => Err(Fault::uncoded(
                "Cannot read properties of undefined (reading 'apply')",
            )),
            Value::Null => Err(Fault::uncoded(
                "Cannot read properties of null (reading 'apply')",
            )),
            _ => Err(Fault::uncoded(format!("{name}.apply is not a function"))),
        }
    }

    /// `lhs ~> rhs`
    pub fn apply_to(&mut self, lhs: &Node, rhs: &Node, input: &Value, frame: &Rc<Frame>) -> Answer {
        let left = self.evaluate(lhs, input, frame)?;
        if let Kind::Call {
            procedure,
            arguments,
        } = &rhs.kind
        {
            return self.call(procedure, arguments, Some(left), input, frame);
        }
        let right = self.evaluate(rhs, input, frame)?;
        match (&left, &right) {
            (Value::Function(_), Value::Function(_)) => {
                Ok(Value::function(Function::Chain(left, right)))
            }
            (_, Value::Function(_)) => self.apply(&right, vec![left], &Value::Null),
            _ => Err(Fault::new("T2006").value(&right)),
        }
    }
}

fn wrapped(function: Rc<Function>) -> Value {
    let arity = function.arity();
    Value::function(Function::Wrapped {
        inner: Value::Function(function),
        arity,
    })
}

fn set_token(function: &Rc<Function>, name: &Text) {
    if let Function::Closure(closure) = &**function {
        *closure.token.borrow_mut() = Some(name.clone());
    }
}

/// JavaScript cannot set a property of what is no object.
fn refuse_property(value: &Value, property: &str) -> Answer<()> {
    let kind = match value {
        Value::Undefined => "undefined",
        Value::Null => "null",
        Value::Text(_) => "string",
        Value::Bool(_) => "boolean",
        Value::Number(_) | Value::Long(_) => "number",
        _ => return Ok(()),
    };
    Err(Fault::uncoded(match value {
        Value::Undefined | Value::Null => {
            format!("Cannot set properties of {kind} (setting '{property}')")
        }
        value => format!(
            "Cannot create property '{property}' on {kind} '{}'",
            super::json::display(value)
        ),
    }))
}

/// What jsonata-js calls what is called, in an error's text.
pub fn token_of(evaluator: &Evaluator, procedure: &Node) -> Value {
    let procedure = match &procedure.kind {
        Kind::Path { steps, .. } => &steps[0],
        _ => procedure,
    };
    let sign = match &procedure.kind {
        Kind::Name(name) | Kind::Text(name) => return Value::Text(Text::from_wtf8(name)),
        Kind::Variable(symbol) => return Value::Text(evaluator.name_of(*symbol)),
        Kind::Number(number) => return Value::Number(*number),
        Kind::Bool(flag) => return Value::Bool(*flag),
        Kind::Null => return Value::Null,
        Kind::Context => "",
        Kind::Binary { op, .. } => op.sign(),
        Kind::Call { .. } | Kind::Partial { .. } => "(",
        Kind::Array(_) => "[",
        Kind::Object(_) => "{",
        Kind::Wildcard => "*",
        Kind::Descendant => "**",
        _ => return Value::Undefined,
    };
    Value::text(sign)
}
