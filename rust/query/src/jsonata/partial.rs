//! Partial application: `$f(?, 1)`.

use std::cell::RefCell;
use std::rc::Rc;
use std::sync::Arc;

use super::apply::token_of;
use super::ast::{Kind, Node};
use super::error::{Answer, Fault};
use super::evaluator::Evaluator;
use super::frame::Frame;
use super::function::{Callable, Closure, Function};
use super::value::Value;

impl Evaluator<'_> {
    pub fn partial(
        &mut self,
        procedure: &Node,
        arguments: &[Node],
        input: &Value,
        frame: &Rc<Frame>,
    ) -> Answer {
        let mut given = Vec::with_capacity(arguments.len());
        for argument in arguments {
            given.push(match argument.kind {
                Kind::Placeholder => None,
                _ => Some(self.evaluate(argument, input, frame)?),
            });
        }
        let called = self.evaluate(procedure, input, frame)?;
        self.refuse_forgotten_dollar("T1007", &called, procedure, frame)?;
        let Value::Function(function) = &called else {
            let token = token_of(self, procedure);
            let fault = Fault::new("T1008");
            return Err(if token.is_undefined() {
                fault
            } else {
                fault.token_json(token)
            });
        };
        let partial = match &**function {
            Function::Native(native) if native.name == "string" => {
                // The parser that jsonata-js reads its parameters with stumbles over `prettify = false`.
                return Err(Fault::new("S0208").value(&Value::Number(2.0)));
            }
            Function::Native(native) => {
                partial_native(Callable::Native(native), given, native.parameters)
            }
            Function::Closure(closure) => self.partial_closure(closure, &given),
            Function::PartialNative {
                native,
                given: before,
            } => {
                let mut given = given.into_iter();
                let merged = before.iter().map(|before| match before {
                    Some(before) => Some(before.clone()),
                    None => given.next().unwrap_or(Some(Value::Undefined)),
                });
                Function::PartialNative {
                    native: native.clone(),
                    given: merged.collect(),
                }
            }
            Function::Wrapped { .. } => {
                return Err(Fault::new("S0202").value_text(")").token(".."));
            }
            Function::Matcher(_) => partial_native(Callable::Value(called.clone()), given, 2),
            _ => partial_native(Callable::Value(called.clone()), given, 1),
        };
        Ok(Value::function(partial))
    }

    pub(super) fn partial_closure(
        &mut self,
        closure: &Closure,
        given: &[Option<Value>],
    ) -> Function {
        let frame = Frame::new(Some(Rc::clone(&closure.frame)));
        let parameters = &closure.lambda.parameters;
        let places: Vec<usize> = closure
            .open
            .clone()
            .unwrap_or_else(|| (0..parameters.len()).collect());
        let mut open = Vec::new();
        for (number, place) in places.into_iter().enumerate() {
            match given.get(number) {
                Some(None) => open.push(place),
                Some(Some(value)) => frame.bind(parameters[place], value.clone()),
                None => frame.bind(parameters[place], Value::Undefined),
            }
        }
        self.capture(&frame);
        Function::Closure(Closure {
            lambda: Arc::clone(&closure.lambda),
            input: closure.input.clone(),
            frame,
            open: Some(open),
            token: RefCell::default(),
        })
    }
}

fn partial_native(native: Callable, given: Vec<Option<Value>>, parameters: usize) -> Function {
    let mut given = given.into_iter();
    let given = (0..parameters).map(|_| given.next().unwrap_or(Some(Value::Undefined)));
    Function::PartialNative {
        native,
        given: given.collect(),
    }
}
