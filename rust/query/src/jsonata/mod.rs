//! JSONata as Step Functions has it: jsonata-js 2.0.6, AWS's additions and AWS's bounds (ASL A4).
//!
//! An evaluator of our own (docs/adr). There is no context item: input arrives as the binding
//! `$states`, workflow variables as bindings of their own names; no text is ever pasted into an
//! expression. Whatever an evaluation does spends steps of a budget, so that what an expression gives
//! is the same on each machine, and no expression hangs or exhausts the engine.
//!
//! | module | what it knows |
//! |---|---|
//! | [`expression`] | compile once, evaluate many times |
//! | [`names`] | what an expression reads from outside itself |
//! | `lexer`, `syntax`, `meaning`, [`ast`] | from the text to what is evaluated |
//! | `evaluator`, `path`, `operators`, `apply`, `transform` | what each node gives |
//! | `function`, `functions`, `signature`, `picture` | what may be called |
//! | [`value`], [`text`], `number`, `json` | values as JavaScript has them |
//! | [`limits`], `charge` | AWS's bounds, the budget, the size of values |
//! | [`error`] | what goes wrong, in AWS's words |

mod apply;
pub mod ast;
pub mod charge;
pub mod error;
mod evaluator;
pub mod expression;
mod function;
mod functions;
mod json;
mod lexer;
pub mod limits;
mod meaning;
pub mod names;
mod number;
mod operators;
mod path;
mod picture;
mod signature;
mod syntax;
pub mod text;
mod transform;
pub mod value;

pub use error::{Bound, EvaluationError, SyntaxError};
pub use expression::{Binding, Expression};
pub use json::{integer_value, parse as parse_json, plain as to_json};
pub use limits::Limits;
pub use names::{Names, Use};
pub use text::Text;
pub use value::{Fields, Value};
