//! What may be called.

use std::cell::{Cell, RefCell};
use std::rc::Rc;
use std::sync::Arc;

use super::ast::{Lambda, Node, RegexLiteral, Transform};
use super::frame::Frame;
use super::functions::Native;
use super::text::Text;
use super::value::Value;
use crate::regex::Regex;

/// A function of the language. Some are objects to JavaScript and some are functions, which shows.
pub enum Function {
    /// A lambda of the expression, with what was around it.
    Closure(Closure),
    /// A call in tail position, not made yet.
    Thunk {
        call: Arc<Node>,
        input: Value,
        frame: Rc<Frame>,
    },
    /// A built-in function.
    Native(&'static Native),
    /// A function that was an argument: it is called with any number of arguments.
    Wrapped {
        inner: Value,
        arity: usize,
    },
    /// A built-in function with some arguments given; a place that is None is open.
    PartialNative {
        native: Callable,
        given: Vec<Option<Value>>,
    },
    /// `f ~> g`
    Chain(Value, Value),
    Matcher(Rc<Matcher>),
    /// The next match of a regular expression.
    NextMatch(Rc<Matcher>, Rc<[u16]>),
    Transformer {
        transform: Arc<Transform>,
        frame: Rc<Frame>,
    },
}

pub struct Closure {
    pub lambda: Arc<Lambda>,
    pub input: Value,
    pub frame: Rc<Frame>,
    /// Parameters that are still open, by their places, of a partial application.
    pub open: Option<Vec<usize>>,
    pub token: RefCell<Option<Text>>,
}

/// What a partial application calls in the end.
#[derive(Clone)]
pub enum Callable {
    Native(&'static Native),
    Value(Value),
}

/// A regular expression, and where its last match ended.
pub struct Matcher {
    pub regex: Regex,
    pub source: String,
    pub last_index: Cell<usize>,
}

impl Matcher {
    pub fn of(literal: &RegexLiteral) -> Rc<Matcher> {
        Rc::new(Matcher {
            regex: literal.regex.clone(),
            source: literal.source.clone(),
            last_index: Cell::new(0),
        })
    }
}

impl Function {
    /// Whether it is an object to JavaScript, not a function.
    pub fn is_object(&self) -> bool {
        !matches!(
            self,
            Function::Wrapped { .. } | Function::Matcher(_) | Function::NextMatch(..)
        )
    }

    /// Whether JavaScript can call its `apply`.
    pub fn has_apply(&self) -> bool {
        match self {
            Function::Native(_) | Function::Transformer { .. } | Function::PartialNative { .. } => {
                false
            }
            Function::Closure(closure) => closure.open.is_none(),
            _ => true,
        }
    }

    /// Whether it is a lambda to jsonata-js.
    pub fn is_lambda(&self) -> bool {
        matches!(
            self,
            Function::Closure(_)
                | Function::PartialNative { .. }
                | Function::Chain(..)
                | Function::Thunk { .. }
        )
    }

    pub fn arity(&self) -> usize {
        match self {
            Function::Closure(closure) => closure
                .open
                .as_ref()
                .map_or(closure.lambda.parameters.len(), Vec::len),
            Function::Thunk { .. } | Function::NextMatch(..) => 0,
            Function::Native(native) => native.arity,
            Function::Wrapped { arity, .. } => *arity,
            Function::PartialNative { given, .. } => {
                given.iter().filter(|given| given.is_none()).count()
            }
            Function::Chain(..) | Function::Transformer { .. } => 1,
            Function::Matcher(_) => 2,
        }
    }
}

impl std::fmt::Debug for Function {
    fn fmt(&self, formatter: &mut std::fmt::Formatter) -> std::fmt::Result {
        formatter.write_str("a function")
    }
}
