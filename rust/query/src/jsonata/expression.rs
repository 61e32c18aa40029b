//! One expression: compiled once, evaluated as often as a state runs.

use super::ast::{Ast, Symbol};
use super::charge;
use super::error::{Bound, EvaluationError, Fault, SyntaxError};
use super::evaluator::Evaluator;
use super::frame::Frame;
use super::functions::{self, Native};
use super::limits::{Budget, Limits, value_bytes};
use super::meaning;
use super::names::{self, Names};
use super::surroundings;
use super::syntax;
use super::text::Text;
use super::value::{self, Array, Value};

/// A variable for an evaluation: its name without the `$`, and its value.
pub type Binding<'n> = (&'n str, Value);

/// A compiled expression. It is immutable, and shared between threads freely.
pub struct Expression {
    /// None where it is nested too deep to be evaluated.
    ast: Option<Ast>,
    names: Names,
    /// The built-in functions of AWS that its names mean, by their symbols.
    aws: Vec<Option<&'static Native>>,
    /// The same of the language alone.
    own: Vec<Option<&'static Native>>,
}

impl std::fmt::Debug for Expression {
    fn fmt(&self, formatter: &mut std::fmt::Formatter) -> std::fmt::Result {
        formatter
            .debug_struct("Expression")
            .field("names", &self.names)
            .finish_non_exhaustive()
    }
}

impl Expression {
    /// Compile the text between `{%` and `%}`.
    pub fn compile(text: &str) -> Result<Expression, SyntaxError> {
        Self::compile_text(&text.into())
    }

    /// The same of a text that may hold halves of surrogate pairs.
    pub fn compile_text(text: &Text) -> Result<Expression, SyntaxError> {
        let ast = match syntax::parse(text)? {
            Some(raw) => Some(stacker::maybe_grow(256 << 10, 4 << 20, || {
                meaning::of(raw)
            })?),
            None => None,
        };
        let names = ast.as_ref().map(names::of).unwrap_or_default();
        let natives = |is_aws| {
            let symbols = ast.iter().flat_map(|ast| &ast.symbols);
            symbols.map(|name| functions::named(name, is_aws)).collect()
        };
        Ok(Expression {
            names,
            aws: natives(true),
            own: natives(false),
            ast,
        })
    }

    pub fn names(&self) -> &Names {
        &self.names
    }

    /// The value as on AWS: no context item, AWS's functions. `Value::Undefined` is nothing.
    ///
    /// `given` is what this thread's values held before those of the bindings.
    pub fn evaluate(
        &self,
        bindings: Vec<Binding>,
        limits: &Limits,
        given: usize,
    ) -> Result<Value, EvaluationError> {
        self.run(&Value::Undefined, bindings, limits, given, true)
    }

    /// The language alone over `data`, without AWS's additions, for the official test suite.
    pub fn evaluate_over(
        &self,
        data: &Value,
        bindings: Vec<Binding>,
        limits: &Limits,
        given: usize,
    ) -> Result<Value, EvaluationError> {
        self.run(data, bindings, limits, given, false)
            .map_err(|mut error| {
                if error.bound.is_some() {
                    error.code = Some("U1001".to_owned());
                }
                error
            })
    }

    fn run(
        &self,
        data: &Value,
        bindings: Vec<Binding>,
        limits: &Limits,
        given: usize,
        is_aws: bool,
    ) -> Result<Value, EvaluationError> {
        let Some(ast) = &self.ast else {
            return Err(Fault::bound(Bound::Depth).into());
        };
        let natives = if is_aws { &self.aws } else { &self.own };
        let frame = Frame::new(None);
        for (name, value) in bindings {
            if let Some(symbol) = symbol(ast, name) {
                frame.bind(symbol, value);
            }
        }
        if let Some(symbol) = symbol(ast, "$") {
            frame.bind(symbol, data.clone());
        }
        let mut evaluator = Evaluator::new(
            ast,
            natives,
            Budget::new(limits, given),
            is_aws,
            surroundings::now(),
        );
        evaluator.capture(&frame);
        let input = match data {
            Value::Array(items) if !items.has(value::SEQUENCE) => Value::Array(Array::new(
                vec![data.clone()],
                value::SEQUENCE | value::OUTER_WRAPPER,
            )),
            data => data.clone(),
        };
        let value = evaluator.evaluate(&ast.root, &input, &frame)?;
        if evaluator.has_circle {
            return Err(Fault::uncoded("Converting circular structure to JSON").into());
        }
        match value_bytes(&value, limits.value_bytes) > limits.value_bytes {
            true => Err(Fault::bound(Bound::Memory).into()),
            false => Ok(value),
        }
    }

    /// What this thread's values hold.
    pub fn held() -> usize {
        charge::held()
    }
}

fn symbol(ast: &Ast, name: &str) -> Option<Symbol> {
    let found = ast
        .symbols
        .iter()
        .position(|known| **known == *name.as_bytes());
    found.map(|symbol| symbol as Symbol)
}
